//! The party that acts as the user: `act` (RFC 8693, 4.1), which torii documents, and `impersonating`, which its SDKs read.

use super::{CLAIM, EXPIRED, POLICY};
use crate::Corpus;
use crate::draft::{claims, draft};

const SUPPORT: &str = "01975f2e-6c00-7a3b-8c4d-00000000a9e7";

pub fn add(corpus: &mut Corpus) {
    named(corpus);
    unnamed(corpus);
    refused(corpus);
    required(corpus);
}

fn named(corpus: &mut Corpus) {
    let object = format!(r#"{{"sub":"{SUPPORT}"}}"#);
    for (name, about, value) in [
        ("object", "An actor as RFC 8693 has it.", object.clone()),
        ("object-with-more", "Other members of the actor mean nothing here.", format!(r#"{{"iss":"https://x","sub":"{SUPPORT}","n":[1]}}"#)),
        ("chain", "The outermost actor is the current one.", format!(r#"{{"sub":"{SUPPORT}","act":{{"sub":"somebody-before"}}}}"#)),
        ("escaped", "An escape spells the same name.", format!(r#"{{"s\u0075b":"\u0030{}"}}"#, &SUPPORT[1..])),
        ("string", "The actor alone.", format!(r#""{SUPPORT}""#)),
    ] {
        corpus.cases.push(draft(&format!("act-{name}"), about).claim("act", value).accepted_with(|auth| {
            auth.impersonating = true;
            auth.actor_id = Some(SUPPORT.to_owned());
        }));
    }
    for (name, about, flag) in [("and-impersonating", "Both marks.", "true"), ("against-impersonating", "One mark says so: it is so.", "false")] {
        let payload = claims().with("impersonating", flag).with("act", &*object);
        corpus.cases.push(draft(&format!("act-{name}"), about).payload(payload).accepted_with(|auth| {
            auth.impersonating = true;
            auth.actor_id = Some(SUPPORT.to_owned());
        }));
    }
}

fn unnamed(corpus: &mut Corpus) {
    corpus.cases.push(draft("act-null", "Nobody.").claim("act", "null").accepted());
    corpus.cases.push(
        draft("act-null-and-impersonating", "The other mark says so.")
            .payload(claims().with("act", "null").with("impersonating", "true"))
            .accepted_with(|auth| auth.impersonating = true),
    );
    corpus.cases.push(
        draft("act-of-another-name", "`actor` and `Act` are unknown claims.")
            .payload(claims().with("actor", r#"{"sub":"x"}"#).with("Act", r#"{"sub":"x"}"#))
            .accepted(),
    );
    for (name, about, value) in [
        ("empty-object", "Another party acts, and the token does not name it.", "{}"),
        ("empty-sub", "An actor without an id.", r#"{"sub":""}"#),
        ("number-sub", "An actor whose id is not a string.", r#"{"sub":7}"#),
        ("null-sub", "An actor whose id is not a string.", r#"{"sub":null}"#),
        ("object-sub", "An actor whose id is not a string.", r#"{"sub":{"sub":"x"}}"#),
        ("nul-sub", "C would read another name: none, and still impersonated.", r#"{"sub":"admin\u0000x"}"#),
        ("empty-string", "An actor without an id.", r#""""#),
        ("nul-string", "C would read another name: none, and still impersonated.", r#""admin\u0000x""#),
    ] {
        corpus.cases.push(draft(&format!("act-{name}"), about).claim("act", value).accepted_with(|auth| auth.impersonating = true));
    }
}

fn refused(corpus: &mut Corpus) {
    for (name, value) in [("true", "true"), ("false", "false"), ("number", "0"), ("list", r#"[{"sub":"x"}]"#), ("empty-list", "[]")] {
        let case = draft(&format!("act-{name}"), "An object, a string, null, or the token says nothing one could rely on.");
        corpus.cases.push(case.claim("act", value).refused(CLAIM));
    }
    corpus.cases.push(
        draft("order-act-before-expiry", "`act` of the wrong type, and expired.")
            .payload(claims().with("act", "1").with("exp", "1000000000"))
            .refused(CLAIM),
    );
    corpus.cases.push(
        draft("order-expiry-before-impersonation", "Expired, and impersonated.")
            .payload(claims().with("act", "{}").with("exp", "1000000000"))
            .require(&["not_impersonated"])
            .refused(EXPIRED),
    );
}

fn required(corpus: &mut Corpus) {
    let object = format!(r#"{{"sub":"{SUPPORT}"}}"#);
    for (name, payload) in [
        ("act", claims().with("act", &*object)),
        ("act-string", claims().with("act", r#""x""#)),
        ("act-without-name", claims().with("act", "{}")),
        ("act-nul", claims().with("act", r#"{"sub":"\u0000"}"#)),
        ("both", claims().with("act", &*object).with("impersonating", "true")),
        ("act-against-impersonating", claims().with("act", &*object).with("impersonating", "false")),
        ("impersonating-against-act", claims().with("act", "null").with("impersonating", "true")),
    ] {
        let case = draft(&format!("policy-impersonated-by-{name}"), "`may_act` does not mean that another party acts as the user.");
        corpus.cases.push(case.payload(payload).require(&["not_impersonated"]).refused(POLICY));
    }
    corpus.cases.push(
        draft("policy-act-null", "No other party acts as the user.")
            .payload(claims().with("act", "null").with("impersonating", "false"))
            .require(&["not_impersonated"])
            .accepted(),
    );
}
