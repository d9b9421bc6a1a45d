//! The active organization: `o`, and the older `org_id` and `org_role`.

use super::CLAIM;
use crate::draft::{claims, draft};
use crate::object::Object;
use crate::{Auth, Corpus};

const ID: &str = "01977777-0000-7000-8000-000000000001";

fn active(id: &str, role: Option<&str>) -> impl FnOnce(&mut Auth) {
    let (id, role) = (id.to_owned(), role.map(str::to_owned));
    |auth| {
        auth.organization_id = Some(id);
        auth.organization_role = role;
    }
}

pub fn add(corpus: &mut Corpus) {
    shapes(corpus);
    none(corpus);
    roles(corpus);
    legacy(corpus);
    legacy_together(corpus);
}

fn shapes(corpus: &mut Corpus) {
    for (name, about, value, id, role) in [
        ("string", "The id alone.", format!(r#""{ID}""#), ID, None),
        ("string-escaped", "An escape spells the same id.", format!(r#""\u0030{}""#, &ID[1..]), ID, None),
        ("string-blank", "An id is opaque: one blank is not nothing.", r#"" ""#.to_owned(), " ", None),
        ("object", "An object with the id.", format!(r#"{{"id":"{ID}"}}"#), ID, None),
        ("object-rol", "An object with id and role, the short name.", format!(r#"{{"id":"{ID}","rol":"admin"}}"#), ID, Some("admin")),
        ("object-role", "An object with id and role.", format!(r#"{{"role":"org:administrator","id":"{ID}"}}"#), ID, Some("org:administrator")),
        ("object-both-roles", "Both names, one role.", format!(r#"{{"id":"{ID}","rol":"admin","role":"\u0061dmin"}}"#), ID, Some("admin")),
        (
            "object-with-more",
            "Other members mean nothing here.",
            format!(r#"{{"slg":"acme","id":"{ID}","rol":"member","per":["a"]}}"#),
            ID,
            Some("member"),
        ),
    ] {
        corpus.cases.push(draft(&format!("organization-{name}"), about).claim("o", value).accepted_with(active(id, role)));
    }
}

fn none(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("null", "No organization.", "null"),
        ("empty", "No id, no organization.", r#""""#),
        ("number", "Neither a string nor an object.", "7"),
        ("true", "Neither a string nor an object.", "true"),
        ("list", "Neither a string nor an object.", r#"["acme"]"#),
        ("empty-object", "No id, no organization.", "{}"),
        ("role-alone", "No id, no organization, and no role either.", r#"{"rol":"admin","role":"admin"}"#),
        ("id-empty", "No id, no organization, and no role either.", r#"{"id":"","rol":"admin"}"#),
        ("id-null", "No id, no organization, and no role either.", r#"{"id":null,"rol":"admin"}"#),
        ("id-number", "No id, no organization, and no role either.", r#"{"id":7,"rol":"admin"}"#),
        ("id-in-list", "No id, no organization, and no role either.", r#"{"id":["acme"],"rol":"admin"}"#),
        ("nul", "C would read another id: none.", r#""acme\u0000x""#),
        ("id-nul", "C would read another id: none, and no role either.", r#"{"id":"acme\u0000x","rol":"admin"}"#),
    ] {
        corpus.cases.push(draft(&format!("organization-{name}"), about).claim("o", value).accepted());
    }
    corpus.cases.push(
        draft("organization-of-another-name", "`O` and `org` are unknown claims.")
            .payload(claims().with("O", r#""acme""#).with("org", r#""acme""#))
            .accepted(),
    );
}

fn roles(corpus: &mut Corpus) {
    for (name, about, value) in [
        ("empty", "No role.", r#"{"id":"acme","rol":""}"#),
        ("null", "No role.", r#"{"id":"acme","role":null}"#),
        ("list", "A role is a string.", r#"{"id":"acme","role":["admin"]}"#),
        ("nul", "C would read another role: none.", r#"{"id":"acme","rol":"admin\u0000x"}"#),
        ("two", "Two roles: which one? None.", r#"{"id":"acme","rol":"member","role":"admin"}"#),
        ("and-null", "Two roles: which one? None.", r#"{"id":"acme","rol":null,"role":"admin"}"#),
    ] {
        corpus.cases.push(draft(&format!("organization-role-{name}"), about).claim("o", value).accepted_with(active("acme", None)));
    }
}

fn older(id: &str, role: Option<&str>) -> Object {
    let payload = claims().with("org_id", id);
    match role {
        Some(role) => payload.with("org_role", role),
        None => payload,
    }
}

fn legacy(corpus: &mut Corpus) {
    let admin = Some(r#""admin""#);
    corpus.cases.extend([
        draft("organization-older-unasked", "A template may fill the older names: they are not read.").payload(older(r#""acme""#, admin)).accepted(),
        draft("organization-older-role-unasked", "A template may fill `org_role`, beside `o` too.")
            .payload(claims().with("o", r#""acme""#).with("org_role", r#""admin""#))
            .accepted_with(active("acme", None)),
        draft("organization-older-other-unasked", "A claim that is not read does not contradict.")
            .payload(older(r#""globex""#, admin).with("o", r#""acme""#))
            .accepted_with(active("acme", None)),
        draft("organization-older", "The older names, where they are read.")
            .payload(older(r#""acme""#, admin))
            .legacy_organization()
            .accepted_with(active("acme", Some("admin"))),
        draft("organization-older-without-role", "The id alone.")
            .payload(older(r#""acme""#, None))
            .legacy_organization()
            .accepted_with(active("acme", None)),
        draft("organization-older-none", "Neither of them.").legacy_organization().accepted(),
        draft("organization-older-role-alone", "A role without an organization is none.")
            .claim("org_role", r#""admin""#)
            .legacy_organization()
            .accepted(),
        draft("organization-older-role-number", "A role is a string.")
            .payload(older(r#""acme""#, Some("7")))
            .legacy_organization()
            .accepted_with(active("acme", None)),
        draft("organization-older-role-nul", "C would read another role: none.")
            .payload(older(r#""acme""#, Some(r#""admin\u0000x""#)))
            .legacy_organization()
            .accepted_with(active("acme", None)),
    ]);
    for (name, value) in [("empty", r#""""#), ("null", "null"), ("number", "7"), ("object", r#"{"id":"acme"}"#), ("nul", r#""acme\u0000x""#)] {
        let case = draft(&format!("organization-older-{name}"), "No id, no organization, and no role either.");
        corpus.cases.push(case.payload(older(value, admin)).legacy_organization().accepted());
    }
}

fn legacy_together(corpus: &mut Corpus) {
    let both = |o: &str, id: &str| claims().with("o", o).with("org_id", id).with("org_role", r#""admin""#);
    for (name, about, payload, role) in [
        ("same", "Both names, one organization; `o` is not an object, so the role is the older one.", both(r#""acme""#, r#""acme""#), Some("admin")),
        ("same-object", "`o` is an object: its role counts.", both(r#"{"id":"acme","rol":"member"}"#, r#""acme""#), Some("member")),
        ("same-object-no-role", "`o` is an object: that it names no role counts.", both(r#"{"id":"acme"}"#, r#""acme""#), None),
        ("not-an-id", "A value that is not an id does not contradict.", both(r#""acme""#, "7"), Some("admin")),
    ] {
        let case = draft(&format!("organization-both-{name}"), about).payload(payload).legacy_organization();
        corpus.cases.push(case.accepted_with(active("acme", role)));
    }
    for (name, payload) in [
        ("string", both(r#""acme""#, r#""globex""#)),
        ("object", both(r#"{"id":"acme","rol":"member"}"#, r#""globex""#)),
        ("case", both(r#""acme""#, r#""ACME""#)),
        ("nul", both(r#""acme""#, r#""acme\u0000x""#)),
        ("nul-in-o", both(r#"{"id":"acme\u0000x"}"#, r#""acme""#)),
    ] {
        let case = draft(&format!("organization-both-differ-{name}"), "Two organizations: which one?").payload(payload);
        corpus.cases.push(case.legacy_organization().refused(CLAIM));
    }
    for (name, o) in [("null", "null"), ("number", "7"), ("empty-object", "{}"), ("empty", r#""""#)] {
        let case = draft(&format!("organization-both-{name}"), "Where there is an `o`, it says whether an organization is active.");
        corpus.cases.push(case.payload(both(o, r#""acme""#)).legacy_organization().accepted());
    }
}
