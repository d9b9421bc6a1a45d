//! Requirements beyond the flags of `policy.rs`: claims by pointer, organizations, roles.

use super::{AUDIENCE, POLICY};
use crate::draft::{claims, draft};
use crate::{Auth, Corpus};

const EMAIL_VERIFIED: u32 = 1;
const PROFILE_COMPLETE: u32 = 2;
const NOT_IMPERSONATED: u32 = 4;
const ORGANIZATION: u32 = 8;

pub fn add(corpus: &mut Corpus) {
    flags(corpus);
    scalars(corpus);
    lists(corpus);
    pointers(corpus);
    organizations(corpus);
    together(corpus);
}

fn acme(role: Option<&str>) -> impl FnOnce(&mut Auth) {
    let role = role.map(str::to_owned);
    |auth| {
        auth.organization_id = Some("acme".to_owned());
        auth.organization_role = role;
    }
}

fn flags(corpus: &mut Corpus) {
    corpus.cases.extend([
        draft("require-organization-flag", "One is active.").claim("o", r#""acme""#).require_flags(ORGANIZATION).accepted_with(acme(None)),
        draft("require-organization-flag-none", "None is active.").require_flags(ORGANIZATION).refused(POLICY),
        draft("require-organization-flag-malformed", "A malformed organization counts as none.")
            .claim("o", "{}")
            .require_flags(ORGANIZATION)
            .refused(POLICY),
        draft("require-organization-flag-nul", "An id C cannot read is none.").claim("o", r#""a\u0000""#).require_flags(ORGANIZATION).refused(POLICY),
        draft("require-organization-flag-older", "The older name is not read.")
            .claim("org_id", r#""acme""#)
            .require_flags(ORGANIZATION)
            .refused(POLICY),
        draft("require-organization-flag-older-read", "The older name is read.")
            .claim("org_id", r#""acme""#)
            .legacy_organization()
            .require_flags(ORGANIZATION)
            .accepted_with(acme(None)),
        draft("require-all-flags", "All four.")
            .payload(claims().with("email_verified", "true").with("o", r#""acme""#))
            .require_flags(EMAIL_VERIFIED | PROFILE_COMPLETE | NOT_IMPERSONATED | ORGANIZATION)
            .accepted_with(|auth| {
                auth.email_verified = true;
                acme(None)(auth);
            }),
        draft("require-flags-email", "As the option of the same name.")
            .claim("email_verified", "false")
            .require_flags(EMAIL_VERIFIED)
            .refused(POLICY),
        draft("require-flags-add-up", "Those of `require` stay.")
            .claim("o", r#""acme""#)
            .require(&["email_verified"])
            .require_flags(ORGANIZATION)
            .refused(POLICY),
    ]);
}

fn claim(corpus: &mut Corpus, name: &str, about: &str, value: &str, required: &str, met: bool) {
    let case = draft(&format!("require-claim-{name}"), about).claim("plan", value).require_claim("/plan", required);
    corpus.cases.push(if met { case.accepted() } else { case.refused(POLICY) });
}

fn scalars(corpus: &mut Corpus) {
    let string = "Strings are equal byte by byte, once decoded.";
    let number = "Numbers are equal by their exact decimal value.";
    for (name, about, value, required, met) in [
        ("string", string, r#""pro""#, r#""pro""#, true),
        ("string-escaped", string, r#""\u0070ro""#, r#""pr\u006f""#, true),
        ("string-escaped-slash", string, r#""a\/b""#, r#""a/b""#, true),
        ("string-nul", string, r#""a\u0000b""#, r#""a\u0000b""#, true),
        ("string-cut-at-nul", string, r#""a\u0000b""#, r#""a""#, false),
        ("string-empty", string, r#""""#, r#""""#, true),
        ("string-case", string, r#""Pro""#, r#""pro""#, false),
        ("string-longer", string, r#""pro ""#, r#""pro""#, false),
        ("string-normalization", "Nothing is normalized.", "\"\u{e9}\"", "\"e\u{301}\"", false),
        ("string-number", "A string is not a number.", r#""1""#, "1", false),
        ("string-true", "A string is not a boolean.", r#""true""#, "true", false),
        ("true", "A boolean.", "true", "true", true),
        ("false", "A boolean.", "false", "false", true),
        ("false-for-true", "A boolean.", "false", "true", false),
        ("one-for-true", "A number is not a boolean.", "1", "true", false),
        ("null-for-false", "Null is not a boolean.", "null", "false", false),
        ("null-for-empty", "Null is not a string.", "null", r#""""#, false),
        ("object", "An object is not a scalar.", r#"{"pro":true}"#, r#""pro""#, false),
        ("number", number, "3", "3", true),
        ("number-point", number, "1", "1.0", true),
        ("number-exponent", number, "1.0", "1e0", true),
        ("number-exponent-minus", number, "10e-1", "1", true),
        ("number-hundred", number, "1E+2", "100", true),
        ("number-zero", number, "-0.0", "0", true),
        ("number-fraction", number, "0.10", "1e-1", true),
        ("number-sign", number, "-1", "1", false),
        ("number-ten", number, "10", "1", false),
        ("number-2-to-the-53", number, "9007199254740993", "9007199254740992", false),
        ("number-2-to-the-53-same", number, "9007199254740993", "9007199254740993.0", true),
        ("number-64-bits", number, "18446744073709551617", "18446744073709551616", false),
        ("number-long-fraction", number, "0.10000000000000000001", "0.1", false),
        ("number-tiny", "No double tells these apart.", "1e-400", "0", false),
        ("number-tiny-same", "No double tells these apart.", "1e-400", "0.1e-399", true),
    ] {
        claim(corpus, name, about, value, required, met);
    }
}

fn lists(corpus: &mut Corpus) {
    let about = "A list that holds it, one level deep.";
    for (name, value, required, met) in [
        ("list", r#"["free","pro"]"#, r#""pro""#, true),
        ("list-number", "[1,2.0]", "2", true),
        ("list-true", "[null,true]", "true", true),
        ("list-escaped", r#"["\u0070ro"]"#, r#""pro""#, true),
        ("list-without", r#"["free","PRO"]"#, r#""pro""#, false),
        ("list-empty", "[]", r#""pro""#, false),
        ("list-of-lists", r#"[["pro"]]"#, r#""pro""#, false),
        ("list-of-objects", r#"[{"pro":"pro"}]"#, r#""pro""#, false),
        ("list-joined", r#"["free pro"]"#, r#""pro""#, false),
    ] {
        claim(corpus, name, about, value, required, met);
    }
}

fn pointers(corpus: &mut Corpus) {
    let payload = || {
        claims()
            .with("meta", r#"{"plan":{"name":"pro","seats":[1,{"n":5}]},"":"none"}"#)
            .with("a/b", r#""slash""#)
            .with("m~n", r#""tilde""#)
            .with(r"\u00fc", r#""u""#)
            .with("s", r#""text""#)
    };
    for (name, pointer, json, met) in [
        ("nested", "/meta/plan/name", r#""pro""#, true),
        ("element", "/meta/plan/seats/0", "1", true),
        ("in-element", "/meta/plan/seats/1/n", "5", true),
        ("slash", "/a~1b", r#""slash""#, true),
        ("tilde", "/m~0n", r#""tilde""#, true),
        ("empty-name", "/meta/", r#""none""#, true),
        ("unicode", "/\u{fc}", r#""u""#, true),
        ("stamped", "/iss", r#""https://acme.torii.so""#, true),
        ("absent", "/nothing", r#""pro""#, false),
        ("absent-below", "/meta/plan/nothing", r#""pro""#, false),
        ("below-a-string", "/s/0", r#""t""#, false),
        ("beyond-the-list", "/meta/plan/seats/2", "1", false),
        ("after-the-list", "/meta/plan/seats/-", "1", false),
        ("leading-zero", "/meta/plan/seats/00", "1", false),
        ("name-in-a-list", "/meta/plan/seats/n", "5", false),
        ("not-decoded", "/a~1b~0", r#""slash""#, false),
    ] {
        let case = draft(&format!("require-pointer-{name}"), "A JSON pointer (RFC 6901).").payload(payload()).require_claim(pointer, json);
        corpus.cases.push(if met { case.accepted() } else { case.refused(POLICY) });
    }
}

fn organizations(corpus: &mut Corpus) {
    let member = r#"{"id":"acme","rol":"member"}"#;
    corpus.cases.extend([
        draft("require-organization", "This one.").claim("o", r#""acme""#).require_organization("acme", None).accepted_with(acme(None)),
        draft("require-organization-any-role", "This one, in any role.")
            .claim("o", member)
            .require_organization("acme", None)
            .accepted_with(acme(Some("member"))),
        draft("require-organization-role", "This one, in this role.")
            .claim("o", member)
            .require_organization("acme", Some("member"))
            .accepted_with(acme(Some("member"))),
        draft("require-organization-second", "Any of them suffices.")
            .claim("o", member)
            .require_organization("globex", None)
            .require_organization("acme", Some("admin"))
            .require_organization("acme", Some("member"))
            .accepted_with(acme(Some("member"))),
        draft("require-organization-none", "None is active.").require_organization("acme", None).refused(POLICY),
        draft("require-organization-another", "Another one is active.").claim("o", r#""globex""#).require_organization("acme", None).refused(POLICY),
        draft("require-organization-prefix", "The whole id.").claim("o", r#""acme-2""#).require_organization("acme", None).refused(POLICY),
        draft("require-organization-case", "Byte by byte.").claim("o", r#""ACME""#).require_organization("acme", None).refused(POLICY),
        draft("require-organization-other-role", "Another role.").claim("o", member).require_organization("acme", Some("admin")).refused(POLICY),
        draft("require-organization-no-role", "No role.").claim("o", r#""acme""#).require_organization("acme", Some("member")).refused(POLICY),
        draft("require-organization-two-roles", "Two roles are none.")
            .claim("o", r#"{"id":"acme","rol":"admin","role":"member"}"#)
            .require_organization("acme", Some("admin"))
            .refused(POLICY),
        draft("require-organization-role-elsewhere", "The role counts only in its organization: anyone can own one.")
            .claim("o", r#"{"id":"mallory","rol":"admin"}"#)
            .require_organization("acme", Some("admin"))
            .require_organization("globex", None)
            .refused(POLICY),
        draft("require-organization-older-role", "A template may fill `org_role`: it is not read.")
            .payload(claims().with("o", r#""acme""#).with("org_role", r#""admin""#))
            .require_organization("acme", Some("admin"))
            .refused(POLICY),
        draft("require-organization-older", "The older names, where they are read.")
            .payload(claims().with("org_id", r#""acme""#).with("org_role", r#""admin""#))
            .legacy_organization()
            .require_organization("acme", Some("admin"))
            .accepted_with(acme(Some("admin"))),
    ]);
}

fn together(corpus: &mut Corpus) {
    let payload = || claims().with("o", r#""acme""#).with("plan", r#""pro""#).with("seats", "5");
    corpus.cases.extend([
        draft("require-together", "Flags, claims and an organization.")
            .payload(payload())
            .require_flags(NOT_IMPERSONATED)
            .require_claim("/plan", r#""pro""#)
            .require_claim("/seats", "5")
            .require_organization("acme", None)
            .accepted_with(acme(None)),
        draft("require-both-claims", "Both claims, and one is not so.")
            .payload(payload())
            .require_claim("/plan", r#""pro""#)
            .require_claim("/seats", "6")
            .refused(POLICY),
        draft("require-claim-and-organization", "The claim is so, the organization is not.")
            .payload(payload())
            .require_claim("/plan", r#""pro""#)
            .require_organization("globex", None)
            .refused(POLICY),
        draft("require-flag-and-claim", "The claim is so, the flag is not.")
            .payload(payload())
            .require_claim("/plan", r#""pro""#)
            .require_flags(EMAIL_VERIFIED)
            .refused(POLICY),
        draft("order-audience-before-requirements", "The wrong audience, and a claim that is not so.")
            .claim("aud", r#""web""#)
            .audiences(&["api"])
            .require_claim("/plan", r#""pro""#)
            .refused(AUDIENCE),
    ]);
}
