//! The token cache never accepts a token that a verification without it would refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use torii::{REQUIRE_EMAIL_VERIFIED, Status, Verifier};
use torii_emulator::Mint;

use crate::{Stage, options, seconds, status, verifier};

fn stat(verifier: &Verifier, name: &str) -> i64 {
    verifier.stats().unwrap().int(name).unwrap()
}

#[test]
fn the_same_token_is_a_hit_and_any_other_is_not() {
    let stage = Stage::take();
    let issuer = stage.issuer("hits");
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    for _ in 0..5 {
        assert_eq!(status(verifier.verify(&token)), Status::Ok);
    }
    assert_eq!(stat(&verifier, "/hits"), 4);
    assert_eq!(stat(&verifier, "/cached_tokens"), 1);
    // The same signature under other claims.
    let mut parts: Vec<_> = token.split('.').collect();
    let other = issuer.mint(Mint::new().subject("somebody-else"));
    parts[1] = other.split('.').nth(1).unwrap();
    assert_eq!(status(verifier.verify(parts.join("."))), Status::TokenSignature);
    assert_eq!(stat(&verifier, "/cached_tokens"), 1, "only accepted tokens are cached");
}

#[test]
fn a_removed_key_turns_a_hit_into_a_refusal() {
    let stage = Stage::take();
    let issuer = stage.issuer("revoked");
    let verifier = verifier(&issuer, &options());
    let (token, kid) = (issuer.mint(Mint::new()), issuer.kid());
    issuer.rotate();
    for _ in 0..2 {
        assert_eq!(status(verifier.verify(&token)), Status::Ok);
    }
    issuer.remove_key(&kid);
    seconds(2);
    verifier.refresh().unwrap();
    assert_eq!(status(verifier.verify(&token)), Status::TokenKeyUnknown);
    assert_eq!(stat(&verifier, "/cached_tokens"), 0);
}

#[test]
fn a_refresh_that_keeps_the_key_keeps_the_entry() {
    let stage = Stage::take();
    let issuer = stage.issuer("kept");
    issuer.set_etag(false);
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    issuer.rotate();
    seconds(2);
    verifier.refresh().unwrap();
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    assert_eq!(stat(&verifier, "/hits"), 1);
}

#[test]
fn another_key_of_the_same_name_does_not_vouch() {
    let stage = Stage::take();
    let (issuer, other) = (stage.issuer("renamed"), stage.issuer("renamed-other"));
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    let impostor = other.jwks().to_string().replace(&other.kid(), &issuer.kid());
    issuer.set_jwks_body(Some(&impostor));
    seconds(2);
    verifier.refresh().unwrap();
    assert_eq!(status(verifier.verify(&token)), Status::TokenSignature);
}

#[test]
fn time_turns_a_hit_into_a_refusal() {
    let stage = Stage::take();
    let issuer = stage.issuer("time");
    let now = Arc::new(AtomicI64::new(0));
    let mut options = options();
    let clock = now.clone();
    options.set_clock(move || clock.load(Ordering::Relaxed));
    let verifier = verifier(&issuer, &options);
    let claims = Mint::new().claim("iat", 1_000).claim("nbf", 1_100).claim("exp", 2_000);
    let token = issuer.mint(claims);
    for (at, expected) in [
        (1_069, Status::TokenNotYetValid),
        (1_070, Status::Ok),
        (2_029, Status::Ok),
        (1_069, Status::TokenNotYetValid),
        (1_070, Status::Ok),
        (2_030, Status::TokenExpired),
    ] {
        now.store(at, Ordering::Relaxed);
        assert_eq!(status(verifier.verify(&token)), expected, "at {at}");
    }
    assert_eq!(stat(&verifier, "/hits"), 2);
    assert_eq!(stat(&verifier, "/cached_tokens"), 0, "an expired token is removed");
}

#[test]
fn each_verifier_has_its_own_cache() {
    let stage = Stage::take();
    let issuer = stage.issuer("policies");
    let token = issuer.mint(Mint::new().claim("email_verified", false).claim("aud", "a"));
    let mut any_audience = options();
    any_audience.set_ignore_audience(true);
    let lax = verifier(&issuer, &any_audience);
    assert_eq!(status(lax.verify(&token)), Status::Ok);
    assert_eq!(status(verifier(&issuer, &options()).verify(&token)), Status::TokenAudience);
    let mut verified = any_audience;
    verified.require(REQUIRE_EMAIL_VERIFIED).unwrap();
    assert_eq!(status(verifier(&issuer, &verified).verify(&token)), Status::Policy);
    let mut audience = options();
    audience.add_audience("b").unwrap();
    assert_eq!(status(verifier(&issuer, &audience).verify(&token)), Status::TokenAudience);
}

#[test]
fn the_cache_stays_within_its_bytes() {
    let stage = Stage::take();
    let issuer = stage.issuer("bounded");
    let mut options = options();
    options.set_token_cache_bytes(100_000);
    let verifier = verifier(&issuer, &options);
    for n in 0..300 {
        let token = issuer.mint(Mint::new().subject(&format!("user-{n}")));
        assert_eq!(status(verifier.verify(token)), Status::Ok);
        assert!(stat(&verifier, "/cache_bytes") <= 100_000);
    }
    assert!(stat(&verifier, "/cached_tokens") > 20);

    options.set_token_cache_bytes(0);
    let without = crate::verifier(&issuer, &options);
    let token = issuer.mint(Mint::new());
    for _ in 0..3 {
        assert_eq!(status(without.verify(&token)), Status::Ok);
    }
    assert_eq!(stat(&without, "/hits"), 0);
}
