//! `torii keys`.

use serde_json::json;
use torii_emulator::FaultKind;

use crate::world::{Folder, NOBODY_LISTENS, Torii, World};

#[test]
fn a_key_is_used_or_skipped_with_a_reason() {
    let world = World::new();
    let good = world.issuer.jwks()["keys"][0].clone();
    let mut other = good.clone();
    other["kid"] = "wrong\u{1b}[2Jcurve".into();
    other["crv"] = "P-384".into();
    world.issuer.set_jwks_body(Some(&json!({ "keys": [good, other, 7] }).to_string()));
    let shown = world.run(&["keys"]).succeeds();
    assert!(shown.starts_with(&format!("keys of   {}\n", world.issuer.jwks_url())), "{shown}");
    assert!(
        shown.contains(
            "\nage       0 s\nlifetime  300 s (the issuer's max-age)\nusable    1 of 3\n"
        )
    );
    let kid = world.issuer.kid();
    assert!(shown.contains(&format!("\n{kid}  EC    P-256  ES256  sig  used\n")), "{shown}");
    assert!(shown.contains("wrong\\u{1b}[2Jcurve"), "{shown}");
    assert!(shown.contains("skipped: `crv` is not P-256\n"), "{shown}");
    assert!(shown.contains("skipped: not a JSON object\n"), "{shown}");

    let read = world.json(&["keys"]);
    assert_eq!(
        (&read["usable"], &read["age"], &read["lifetime"]),
        (&1.into(), &0.into(), &300.into())
    );
    assert_eq!((&read["keys"][0]["usable"], &read["keys"][0]["kid"]), (&true.into(), &kid.into()));
    assert_eq!(read["keys"][1]["skipped"], "`crv` is not P-256");
}

#[test]
fn the_age_and_the_lifetime_are_shown() {
    let world = World::new();
    for (max_age, said) in [
        (None, "300 s (the issuer sends no max-age)"),
        (Some(1), "60 s (the issuer's max-age of 1 s is limited)"),
        (Some(120), "120 s (the issuer's max-age)"),
        (Some(86_400), "3600 s (the issuer's max-age of 86400 s is limited)"),
    ] {
        world.issuer.set_max_age(max_age);
        let shown = world.run(&["keys"]).succeeds();
        assert!(shown.contains(&format!("lifetime  {said}\n")), "{shown}");
    }
    world.issuer.fault(FaultKind::header("age", "77"), 1);
    let shown = world.run(&["keys"]).succeeds();
    assert!(shown.contains("age       77 s, from an intermediate cache\n"), "{shown}");
}

#[test]
fn a_file_is_read_as_an_issuer_is() {
    let world = World::new();
    let folder = Folder::new();
    let set = world.issuer.jwks().to_string();
    let file = folder.file("keys.json", &set);
    let shown = Torii::new(&["keys", "--jwks", &file]).run().succeeds();
    assert!(shown.contains("usable   1 of 1\n"), "{shown}");
    Torii::new(&["keys", "--jwks", "-"]).reading(set.as_bytes()).succeeds();
    let empty = folder.file("empty.json", r#"{"keys":[1]}"#);
    let ended = Torii::new(&["keys", "--jwks", &empty]).run();
    ended.fails(4, &format!("{empty}: not a usable key set: no usable key"));
    assert!(ended.stdout.contains("skipped: not a JSON object"), "{ended:?}");
}

#[test]
fn no_usable_key_has_its_own_exit_status() {
    let world = World::new();
    let url = world.issuer.jwks_url();
    let cannot = |why: &str| format!("cannot fetch keys from {url}: {why}");
    world.issuer.set_jwks_body(Some("not JSON"));
    let why = format!("{url}: not a usable key set: not a JSON object");
    world.run(&["keys", "--json"]).fails(4, &why);
    world.issuer.fault(FaultKind::redirect("/elsewhere"), 1);
    world.run(&["keys"]).fails(4, &cannot("HTTP status 302"));
    world.issuer.fault(FaultKind::Oversize { bytes: 300_000 }, 1);
    world.run(&["keys"]).fails(4, &cannot("an answer longer than 262144 bytes"));
    world.issuer.fault(FaultKind::hang(), 1);
    world.run(&["keys", "--timeout", "1"]).fails(4, &cannot("no answer within 1000 ms"));
    let ended = Torii::new(&["keys", "--issuer", NOBODY_LISTENS]).run();
    assert_eq!(ended.code, 4);
    assert!(ended.stderr.contains("Connection refused"), "{ended:?}");
}
