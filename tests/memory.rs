//! Distinct tokens by the thousand, and what they leave in memory: the verdicts that fit, and no
//! more. `make soak` runs ten million (`TORII_SOAK_TOKENS`).

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]
#![cfg(target_os = "linux")]

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use torii::{Verifier, VerifierOptions};

const BOUND: usize = 2 * 1024 * 1024;
/// What an allocator may keep for itself.
const SLACK: usize = 4 * 1024 * 1024;

struct Issuer(EcdsaKeyPair);

impl Issuer {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Issuer(key)
    }

    fn jwks(&self) -> String {
        let point = self.0.public_key().as_ref();
        let (x, y) = (base64url(&point[1..33]), base64url(&point[33..]));
        format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"k","x":"{x}","y":"{y}"}}]}}"#)
    }

    fn token(&self, n: usize) -> String {
        let header = base64url(br#"{"alg":"ES256","kid":"k"}"#);
        let claims = format!(
            r#"{{"iss":"https://acme.torii.so","sub":"user-{n}","pid":"env","iat":1,"exp":4102444800}}"#
        );
        let signed = format!("{header}.{}", base64url(claims.as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(signature.as_ref()))
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<usize>().unwrap() * 4096
}

#[test]
fn distinct_tokens_leave_no_more_than_the_bound() {
    let tokens = std::env::var("TORII_SOAK_TOKENS").map_or(20_000, |n| n.parse().unwrap());
    let issuer = Issuer::new();
    let mut options = VerifierOptions::new();
    options.set_jwks(issuer.jwks().as_bytes()).unwrap();
    options.set_token_cache_bytes(BOUND);
    let verifier = Verifier::new("https://acme.torii.so", &options).unwrap();
    // What is made once has been made after a few.
    (0..50).for_each(|n| assert!(verifier.verify(issuer.token(n)).is_ok()));
    let before = resident();
    for n in 50..tokens {
        assert!(verifier.verify(issuer.token(n)).is_ok());
    }
    let grown = resident().saturating_sub(before);
    let stats = verifier.stats().unwrap();
    println!("{tokens} tokens: {grown} bytes more, {}", stats.text());
    assert!(stats.int("/verdict_bytes").unwrap() as usize <= BOUND);
    assert!(stats.int("/verdicts").unwrap() > 500);
    assert!(grown <= BOUND + SLACK, "{grown} bytes");
}
