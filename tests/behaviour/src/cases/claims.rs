//! `sub`, `pid`, the flags and `locale`: types without coercion.

use super::CLAIM;
use crate::Corpus;
use crate::draft::{claims, draft};

pub fn add(corpus: &mut Corpus) {
    ids(corpus);
    flags(corpus);
    profile_complete(corpus);
    locale(corpus);
}

fn ids(corpus: &mut Corpus) {
    for claim in ["sub", "pid"] {
        let missing = draft(&format!("{claim}-missing"), "Required.").without(claim);
        corpus.cases.push(missing.refused(CLAIM));
        for (name, about, value) in [
            ("empty", "Not empty.", r#""""#),
            ("null", "A string.", "null"),
            ("number", "A string.", "42"),
            ("true", "A string.", "true"),
            ("list", "A string.", r#"["ada"]"#),
            ("object", "A string.", r#"{"id":"ada"}"#),
            ("nul", "Without U+0000: C would read only what stands before it.", r#""admin\u0000x""#),
            ("only-nul", "Without U+0000: C would read an empty id.", r#""\u0000""#),
        ] {
            let case = draft(&format!("{claim}-{name}"), about).claim(claim, value);
            corpus.cases.push(case.refused(CLAIM));
        }
    }
}

fn flags(corpus: &mut Corpus) {
    const OTHERS: [(&str, &str); 8] = [
        ("null", "null"),
        ("string-true", r#""true""#),
        ("string-false", r#""false""#),
        ("one", "1"),
        ("zero", "0"),
        ("empty-string", r#""""#),
        ("empty-list", "[]"),
        ("object", r#"{"value":true}"#),
    ];
    for (name, value) in OTHERS {
        corpus.cases.extend([
            draft(&format!("email-verified-{name}"), "Only `true` is true.").claim("email_verified", value).accepted(),
            draft(&format!("impersonating-{name}"), "A boolean, or the token says nothing one could rely on.")
                .claim("impersonating", value)
                .refused(CLAIM),
        ]);
    }
    corpus.cases.extend([
        draft("email-verified-true", "`true` is true.").claim("email_verified", "true").accepted_with(|auth| auth.email_verified = true),
        draft("email-verified-false", "`false` is false.").claim("email_verified", "false").accepted(),
        draft("impersonating-true", "`true` is true.").claim("impersonating", "true").accepted_with(|auth| auth.impersonating = true),
        draft("impersonating-false", "`false` is false.").claim("impersonating", "false").accepted(),
    ]);
}

fn profile_complete(corpus: &mut Corpus) {
    for (name, value) in [("true", "true"), ("null", "null"), ("string-false", r#""false""#), ("zero", "0"), ("empty-list", "[]")] {
        let case = draft(&format!("profile-complete-{name}"), "Only `false` is false.");
        corpus.cases.push(case.claim("profile_complete", value).accepted());
    }
    corpus.cases.push(
        draft("profile-complete-false", "`false` is false.").claim("profile_complete", "false").accepted_with(|auth| auth.profile_complete = false),
    );
}

fn locale(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("null", "A locale is a string.", "null"),
        ("number", "A locale is a string.", "49"),
        ("list", "A locale is a string.", r#"["de"]"#),
        ("nul", "A string with U+0000 is none either: C would read half of it.", r#""de\u0000-AT""#),
    ] {
        let case = draft(&format!("locale-{name}"), about).claim("locale", value);
        corpus.cases.push(case.accepted());
    }
    corpus.cases.extend([
        draft("locale-string", "Any string, known or not.")
            .claim("locale", r#""x-klingon""#)
            .accepted_with(|auth| auth.locale = Some("x-klingon".to_owned())),
        draft("locale-of-another-name", "`locale` has no other names.")
            .payload(claims().with("Locale", r#""de""#).with("lang", r#""de""#))
            .accepted(),
    ]);
}
