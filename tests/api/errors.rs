//! Errors from the API's answers.

use std::collections::BTreeMap;

use torii::{Error, Status};
use torii_emulator::{Fault, FaultKind};

use crate::world::{API, World};

fn answer(status: u16, body: &str) -> FaultKind {
    let headers = BTreeMap::from([("content-type".to_owned(), "text/html".to_owned())]);
    FaultKind::Status { status, headers, body: body.to_owned(), handled: false }
}

fn error_of(world: &World, fault: FaultKind) -> Error {
    world.emulator.clear_faults();
    world.emulator.fault(Fault::on(API, fault));
    world.client.allowed_origins().get().unwrap_err()
}

#[test]
fn the_message_comes_from_the_answer() {
    let world = World::new();
    for (body, message) in [
        (r#"{"detail":"D","title":"T","message":"M"}"#, "D"),
        (r#"{"detail":"","title":"T","message":"M"}"#, "T"),
        (r#"{"detail":1,"title":null,"message":"M"}"#, "M"),
        (r#"{"detail":" \n "}"#, "torii 404 Not Found"),
        (r#"{"detail":" a\r\n\u0000b\u001b "}"#, "a   b"),
        ("", "torii 404 Not Found"),
        ("[]", "torii 404 Not Found"),
        ("<html>no</html>", "torii 404 Not Found"),
        (r#"{"detail":"#, "torii 404 Not Found"),
    ] {
        let error = error_of(&world, answer(404, body));
        assert_eq!((error.status(), error.http_status()), (Status::Api, Some(404)));
        assert_eq!(error.to_string(), message, "{body}");
        assert_eq!(error.body(), Some(body));
    }
    assert_eq!(error_of(&world, answer(599, "")).to_string(), "torii 599");
    let long = format!(r#"{{"detail":"{}"}}"#, "\u{e4}".repeat(100_000));
    let error = error_of(&world, answer(400, &long));
    assert_eq!(error.to_string().chars().count(), 500);
    assert!(long.starts_with(error.body().unwrap()));
    assert!((65_530..=65_536).contains(&error.body().unwrap().len()));
}

#[test]
fn code_and_support_id_are_found() {
    let world = World::new();
    for (body, code, support_id) in [
        (r#"{"code":"c","supportId":"s"}"#, Some("c"), Some("s")),
        (r#"{"code":"c","properties":{"code":"d","supportId":"s"}}"#, Some("c"), Some("s")),
        (r#"{"code":"","support_id":"t","properties":{"code":"d"}}"#, Some("d"), Some("t")),
        (r#"{"code":1,"supportId":null,"properties":[]}"#, None, None),
        (r#"{"properties":{"support_id":"u"}}"#, None, Some("u")),
        ("", None, None),
    ] {
        let error = error_of(&world, answer(409, body));
        assert_eq!((error.code(), error.support_id()), (code, support_id), "{body}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let world = World::new();
    let error =
        error_of(&world, FaultKind::redirect(&format!("{}/elsewhere", world.emulator.url())));
    assert_eq!((error.status(), error.http_status()), (Status::Api, Some(302)));
    assert_eq!(error.to_string(), "torii 302 Found: redirects are not followed");
    assert_eq!(world.emulator.count("/"), 1);
}

#[test]
fn the_secret_key_is_in_no_error() {
    let world = World::new();
    let key = world.issuer.secret_key();
    let escaped = key.replace('_', "\\u005f");
    let twice = escaped.replace('\\', "\\\\");
    // Cut at 500 characters, in the middle of the key.
    let late = format!("{}{key}", "x".repeat(490));
    for (status, body) in [
        (400, format!("<pre>Authorization: Bearer {key}</pre>")),
        (200, format!("<pre>Authorization: Bearer {key}</pre>")),
        (400, format!(r#"{{"detail":"{key}","code":"{key}","supportId":"{key}"}}"#)),
        (400, format!(r#"{{"detail":"{escaped}","code":"{escaped}"}}"#)),
        (400, format!(r#"{{"detail":"{twice}","code":"{twice}"}}"#)),
        (400, format!(r#"{{"detail":"{late}","code":"{late}"}}"#)),
        (500, escaped.clone()),
    ] {
        let error = error_of(&world, answer(status, &body));
        let shown = format!("{error} {error:?} {:?} {:?}", error.code(), error.body());
        for part in [&key, &key[..10], &escaped, &twice] {
            assert!(!shown.contains(part), "{part} in {shown}");
        }
        assert!(shown.contains("[secret key]") || error.to_string().len() > 490, "{shown}");
    }
}

#[test]
fn an_error_owns_its_answer() {
    let world = World::new();
    let error = error_of(&world, answer(400, r#"{"detail":"no","code":"c"}"#)).clone();
    drop(world);
    assert_eq!((error.to_string().as_str(), error.code()), ("no", Some("c")));
    assert_eq!(error.retry_after(), None);
}
