//! Distinct tokens by the thousand, and what they leave in memory: the tokens that fit into the
//! cache, and no more. `make soak` runs ten million (`TORII_SOAK_TOKENS`). Likewise for revocations.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "an allocator that counts; tests fail by panicking"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use torii::{Verifier, VerifierOptions};

const BOUND: usize = 2 * 1024 * 1024;
/// The limit for the tables of the cache, besides its entries.
const SLACK: usize = BOUND / 4;

/// Counts the bytes that are allocated and not freed.
struct Live;

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// The tests of this file run one after the other: they measure the whole process.
static ALONE: Mutex<()> = Mutex::new(());

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Live {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        LIVE.fetch_add(size, Ordering::Relaxed);
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promise is the system's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Live = Live;

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

    /// A token with these members besides the usual ones.
    fn token(&self, n: usize, more: &str) -> String {
        let header = base64url(br#"{"alg":"ES256","kid":"k"}"#);
        let claims = format!(
            r#"{{"iss":"https://acme.torii.so","sub":"user-{n}","pid":"env","iat":1,"exp":4102444800{more}}}"#
        );
        let signed = format!("{header}.{}", base64url(claims.as_bytes()));
        let signature = self.0.sign(&SystemRandom::new(), signed.as_bytes()).unwrap();
        format!("{signed}.{}", base64url(signature.as_ref()))
    }
}

fn base64url(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Verifies this number of tokens, reads a claim of each, and checks what is left in memory.
fn bounded(tokens: usize, more: &str, at_least: i64) {
    let _alone = ALONE.lock().unwrap();
    let issuer = Issuer::new();
    let mut options = VerifierOptions::new();
    options.set_jwks(issuer.jwks().as_bytes()).unwrap();
    options.set_token_cache_bytes(BOUND);
    let verifier = Verifier::new("https://acme.torii.so", &options).unwrap();
    let verify = |n: usize| {
        let auth = verifier.verify(issuer.token(n, more)).unwrap();
        assert_eq!(auth.claim_str("sub"), Some(auth.user_id()));
    };
    // Values that are made once exist after a few tokens.
    (0..3).for_each(verify);
    let before = LIVE.load(Ordering::Relaxed);
    (3..tokens).for_each(verify);
    let grown = LIVE.load(Ordering::Relaxed).saturating_sub(before);
    let stats = verifier.stats().unwrap();
    println!("{tokens} tokens: {grown} bytes more, {}", stats.text());
    assert!(stats.int("/cache_bytes").unwrap() as usize <= BOUND);
    assert!(stats.int("/cached_tokens").unwrap() >= at_least, "{}", stats.text());
    assert!(grown <= BOUND + SLACK, "{grown} bytes");
    // The bound is used, and not given away by counting too much.
    assert!(grown >= BOUND / 2, "{grown} bytes");
}

#[test]
fn distinct_tokens_leave_no_more_than_the_bound() {
    let tokens = std::env::var("TORII_SOAK_TOKENS").map_or(20_000, |n| n.parse().unwrap());
    bounded(tokens, "", 500);
}

/// Reading a claim keeps all string claims: they count from the beginning.
#[test]
fn claims_that_were_read_count_too() {
    let many: String = (0..400).map(|n| format!(r#","c{n}":"v""#)).collect();
    bounded(1_000, &many, 50);
}

#[test]
fn long_claims_count_too() {
    let long = format!(r#","long":"{}","escaped":"{}""#, "x".repeat(6_000), "\\u0041".repeat(500));
    bounded(1_000, &long, 30);
}

/// `docs/revocation.md` states the figures.
#[test]
fn full_lists_of_revocations() {
    const ENTRIES: usize = 100_000;
    let _alone = ALONE.lock().unwrap();
    let mut options = VerifierOptions::new();
    options.set_jwks(Issuer::new().jwks().as_bytes()).unwrap();
    let verifier = Verifier::new("https://acme.torii.so", &options).unwrap();
    let user = |n: usize| format!("user_{n:026}");
    let list = || {
        let entry = |n| format!(r#"{{"sub":"{}","before":1732550000}}"#, user(n));
        format!(r#"{{"revoked":[{}]}}"#, (0..ENTRIES).map(entry).collect::<Vec<_>>().join(","))
    };
    let grown = |fill: &dyn Fn()| {
        let before = LIVE.load(Ordering::Relaxed);
        fill();
        LIVE.load(Ordering::Relaxed).saturating_sub(before)
    };
    let json = grown(&|| verifier.set_revocations_json(list().as_bytes()).unwrap());
    let calls = grown(&|| (0..ENTRIES).for_each(|n| verifier.revoke(&user(n), 1).unwrap()));
    let again = grown(&|| {
        (0..10).for_each(|n| verifier.revoke(&user(n), 2).unwrap());
        verifier.set_revocations_json(list().as_bytes()).unwrap();
    });
    println!("{ENTRIES} revocations of 31 bytes: {json} bytes as JSON, {calls} bytes by calls");
    assert!(json <= ENTRIES * 80, "{json} bytes");
    assert!(calls <= ENTRIES * 160, "{calls} bytes");
    assert!(again <= ENTRIES, "{again} bytes more after a replacement");
    let lifted = grown(&|| verifier.set_revocations_json(br#"{"revoked":[]}"#).unwrap());
    let stats = verifier.stats().unwrap();
    assert_eq!((lifted, stats.int("/revocations/entries").unwrap()), (0, ENTRIES as i64));
}
