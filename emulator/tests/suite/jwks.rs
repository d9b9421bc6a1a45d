//! The key set.

use serde_json::{Value, json};
use torii_emulator::{Emulator, Mint};

use crate::client::{get, send};
use crate::tokens::parts;

fn kids(jwks: &Value) -> Vec<&str> {
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect()
}

#[test]
fn is_served_where_clients_look_for_it() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    assert_eq!(issuer.url(), format!("{}/acme", emulator.url()));
    assert_eq!(issuer.jwks_url(), format!("{}/_torii/.well-known/jwks.json", issuer.url()));
    let answer = get(&issuer.jwks_url());
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")));
    let key = &answer.json()["keys"][0];
    let members: Vec<&String> = key.as_object().unwrap().keys().collect();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(
        (&key["kty"], &key["crv"], &key["alg"], &key["use"]),
        (&json!("EC"), &json!("P-256"), &json!("ES256"), &json!("sig"),)
    );
    assert_eq!(get(&format!("{}/nobody/_torii/.well-known/jwks.json", emulator.url())).status, 404);
}

#[test]
fn keys_rotate_appear_and_disappear() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let first = issuer.kid();
    let second = issuer.rotate();
    let third = issuer.publish_key();
    assert_eq!(parts(&issuer.mint(Mint::new())).0["kid"], second);
    assert_eq!(kids(&get(&issuer.jwks_url()).json()), [&first, &second, &third]);
    assert!(issuer.remove_key(&first));
    assert!(!issuer.remove_key(&first));
    assert_eq!(kids(&get(&issuer.jwks_url()).json()), [&second, &third]);
    assert_eq!(issuer.published(), [second, third]);
}

#[test]
fn any_body_can_be_served_instead() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    issuer.set_jwks_body(Some("not JSON"));
    assert_eq!(get(&issuer.jwks_url()).body, "not JSON");
    issuer.set_jwks_body(None);
    assert_eq!(get(&issuer.jwks_url()).json(), issuer.jwks());
}

#[test]
fn caching_headers_are_as_set() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let cache_control = || get(&issuer.jwks_url()).header("cache-control").map(str::to_owned);
    assert_eq!(cache_control().as_deref(), Some("public, max-age=300"));
    issuer.set_max_age(Some(60));
    assert_eq!(cache_control().as_deref(), Some("public, max-age=60"));
    issuer.set_cache_control(Some("no-store"));
    assert_eq!(cache_control().as_deref(), Some("no-store"));
    issuer.set_max_age(None);
    assert_eq!(cache_control(), None);
}

#[test]
fn an_age_is_sent_when_it_is_set() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let age = |headers| {
        let answer = send("GET", &issuer.jwks_url(), headers, None).unwrap();
        (answer.status, answer.header("age").map(str::to_owned))
    };
    assert_eq!(age(&[]), (200, None));
    issuer.set_age(Some(120));
    assert_eq!(age(&[]), (200, Some("120".to_owned())));
    assert_eq!(age(&[("if-none-match", "*")]), (304, Some("120".to_owned())));
    issuer.set_age(None);
    assert_eq!(age(&[]), (200, None));
}

#[test]
fn an_unchanged_key_set_is_not_sent_again() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let etag = get(&issuer.jwks_url()).header("etag").unwrap().to_owned();
    assert!(etag.starts_with('"'), "a strong tag: {etag}");
    let revalidate = || send("GET", &issuer.jwks_url(), &[("if-none-match", &etag)], None).unwrap();
    let unchanged = revalidate();
    assert_eq!((unchanged.status, unchanged.body.as_str()), (304, ""));
    assert_eq!(unchanged.header("etag"), Some(etag.as_str()));
    assert_eq!(unchanged.header("cache-control"), Some("public, max-age=300"));
    issuer.rotate();
    let changed = revalidate();
    assert_eq!(changed.status, 200);
    assert_ne!(changed.header("etag"), Some(etag.as_str()));
    issuer.set_etag(false);
    assert_eq!(revalidate().header("etag"), None);
}
