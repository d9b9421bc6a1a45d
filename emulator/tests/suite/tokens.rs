//! Minted tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use torii_emulator::{Emulator, Issuer, Mint, Signer};

use crate::client::{get, text};

/// The header and the payload of a token.
pub fn parts(token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    let json = |part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    (json(parts[0]), json(parts[1]))
}

/// Whether a key that the issuer serves under the token's `kid` has signed it.
pub fn signed(issuer: &Issuer, token: &str) -> bool {
    let (header, _) = parts(token);
    let (input, signature) = token.rsplit_once('.').unwrap();
    let jwks = get(&issuer.jwks_url()).json();
    let mut keys =
        jwks["keys"].as_array().unwrap().iter().filter(|key| key["kid"] == header["kid"]);
    keys.any(|key| {
        let coordinate = |name| URL_SAFE_NO_PAD.decode(text(&key[name])).unwrap();
        let point = [vec![4], coordinate("x"), coordinate("y")].concat();
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        key.verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).is_ok()
    })
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().try_into().unwrap()
}

#[test]
fn a_default_token_is_one_to_accept() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let before = now();
    let token = issuer.mint(Mint::new());
    let (header, payload) = parts(&token);
    assert!(signed(&issuer, &token));
    assert_eq!(header, json!({ "alg": "ES256", "typ": "JWT", "kid": issuer.kid() }));
    assert_eq!(payload["iss"], issuer.url());
    assert_eq!(payload["pid"], issuer.environment_id());
    assert_eq!(text(&payload["sub"]).parse::<uuid::Uuid>().unwrap().get_version_num(), 7);
    assert_eq!(
        (&payload["email_verified"], &payload["profile_complete"]),
        (&json!(true), &json!(true))
    );
    let issued = payload["iat"].as_i64().unwrap();
    assert!((before..=now()).contains(&issued));
    assert_eq!(payload["exp"], issued + 300);
}

#[test]
fn claims_and_header_members_can_be_set_and_left_out() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let mint = Mint::new()
        .subject("user-1")
        .claim("aud", json!(["a", "b"]))
        .claim("locale", Value::Null)
        .without("iat")
        .expires_in(60)
        .now_offset(-3600)
        .header("crit", json!(["b64"]))
        .without_header("typ")
        .alg("ES384")
        .kid("other");
    let (header, payload) = parts(&issuer.mint(mint));
    assert_eq!(header, json!({ "alg": "ES384", "kid": "other", "crit": ["b64"] }));
    assert_eq!((&payload["sub"], &payload["aud"]), (&json!("user-1"), &json!(["a", "b"])));
    assert_eq!(payload.get("locale"), Some(&Value::Null));
    assert_eq!(payload.get("iat"), None);
    let expiry = payload["exp"].as_i64().unwrap();
    assert!((now() - 3600 + 59..=now() - 3600 + 60).contains(&expiry));
}

#[test]
fn header_and_payload_can_be_any_text() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let token = issuer.mint(Mint::new().raw_header("{").raw_payload(""));
    assert!(token.starts_with("ew.."), "{token}");
    let input = token.rsplit_once('.').unwrap().0;
    assert_eq!(issuer.sign(input).len(), 86);
}

#[test]
fn other_keys_can_sign() {
    let emulator = Emulator::start();
    let (issuer, other) = (emulator.issuer("acme"), emulator.create_issuer("other"));
    let first = issuer.kid();
    let second = issuer.rotate();
    let by = |signer| issuer.mint(Mint::new().signed_by(signer));
    let kid = |token: &str| text(&parts(token).0["kid"]);

    let old = by(Signer::Kid(first.clone()));
    assert!(signed(&issuer, &old));
    assert_eq!(kid(&old), first);
    issuer.remove_key(&first);
    let removed = by(Signer::Kid(first.clone()));
    assert!(!signed(&issuer, &removed));
    assert_eq!(kid(&removed), first);

    for token in [by(Signer::Forged), by(Signer::Issuer("other".to_owned()))] {
        assert!(!signed(&issuer, &token));
        assert_eq!(kid(&token), second);
        assert_eq!(parts(&token).1["iss"], issuer.url());
    }
    let foreign = by(Signer::Issuer("other".to_owned()));
    let (input, signature) = foreign.rsplit_once('.').unwrap();
    let as_theirs = other.mint(Mint::new());
    assert!(signed(&other, &as_theirs));
    assert_ne!(signature, other.sign(input), "signatures are random");
    assert!(by(Signer::None).ends_with('.'));
}
