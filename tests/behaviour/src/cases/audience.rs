//! `aud`: any overlap with the configured audiences; where none is configured, none may be named.

use super::AUDIENCE;
use crate::Corpus;
use crate::draft::{claims, draft};

pub fn add(corpus: &mut Corpus) {
    for (name, about, audiences, value) in [
        ("string", "One audience.", ["api"].as_slice(), r#""api""#),
        ("list", "A list of one.", &["api"], r#"["api"]"#),
        ("list-overlap", "One of several.", &["api"], r#"["web","api","admin"]"#),
        ("any-of-several", "Any of the configured ones.", &["web", "api"], r#""api""#),
        ("both-several", "Any overlap of two lists.", &["web", "api"], r#"["mobile","web"]"#),
        ("escaped", "An escape spells the same string.", &["api"], r#""\u0061pi""#),
        ("url", "Audiences are strings, nothing more.", &["https://api.example.com/"], r#""https://api.example.com/""#),
    ] {
        let case = draft(&format!("aud-{name}"), about).audiences(audiences);
        corpus.cases.push(case.claim("aud", value).accepted());
    }
    let missing = draft("aud-missing", "Expected, and not there.").audiences(&["api"]);
    corpus.cases.push(missing.refused(AUDIENCE));
    for (name, about, value) in [
        ("another", "No overlap.", r#""web""#),
        ("list-without", "No overlap.", r#"["web","mobile"]"#),
        ("empty-list", "No overlap.", "[]"),
        ("empty-string", "No overlap.", r#""""#),
        ("null", "A string or a list of strings.", "null"),
        ("number", "A string or a list of strings.", "1"),
        ("true", "A string or a list of strings.", "true"),
        ("object", "A string or a list of strings.", r#"{"api":true}"#),
        ("list-with-number", "A list of strings throughout, match or no match.", r#"["api",1]"#),
        ("list-with-null", "A list of strings throughout, match or no match.", r#"[null,"api"]"#),
        ("nested-list", "A list of strings throughout.", r#"[["api"]]"#),
        ("prefix", "The whole string.", r#""ap""#),
        ("longer", "The whole string.", r#""api-admin""#),
        ("upper-case", "Byte by byte.", r#""API""#),
        ("trailing-slash", "Only the issuer's trailing slashes do not count.", r#""api/""#),
        ("blank-separated", "A string is one audience.", r#""web api""#),
        ("nul", "A name is not cut at the NUL.", r#""api\u0000x""#),
    ] {
        let case = draft(&format!("aud-{name}"), about).audiences(&["api"]);
        corpus.cases.push(case.claim("aud", value).refused(AUDIENCE));
    }
    for (name, value) in [
        ("string", r#""api""#),
        ("issuer", r#""https://acme.torii.so""#),
        ("list", r#"["api"]"#),
        ("empty-string", r#""""#),
        ("empty-list", "[]"),
        ("number", "1"),
        ("mixed-list", r#"["api",1,null]"#),
        ("null", "null"),
    ] {
        let about = "Without configured audiences, a token for an audience is for another service (RFC 7519, 4.1.3).";
        let case = draft(&format!("aud-unexpected-{name}"), about).claim("aud", value);
        corpus.cases.push(case.refused(AUDIENCE));
        let case = draft(&format!("aud-ignored-{name}"), "Ignored, regardless of its value.").claim("aud", value).ignore_audience();
        corpus.cases.push(case.accepted());
    }
    corpus.cases.extend([
        draft("aud-ignored-missing", "Ignored, and not there.").ignore_audience().accepted(),
        draft("aud-of-another-name", "`Aud` and `audience` are unknown claims.")
            .payload(claims().with("Aud", r#""api""#).with("audience", r#""api""#))
            .accepted(),
    ]);
}
