//! The cost of an unknown token, counted in allocations, not in time.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "an allocator that counts; tests fail by panicking"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use torii::{Check, REQUIRE_NOT_IMPERSONATED, Requirements, Status, Verifier, VerifierOptions};
use torii_behaviour::Input;

struct Counting;

thread_local! {
    static CALLS: Cell<usize> = const { Cell::new(0) };
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

fn count(bytes: usize) {
    CALLS.set(CALLS.get() + 1);
    BYTES.set(BYTES.get() + bytes);
}

// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promise is the system's.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is the system's.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size);
        // SAFETY: the caller's promise is the system's.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// Allocations and bytes of one verification, once everything that is made once has been made.
fn cost(verifier: &Verifier, token: &[u8], expected: Status) -> (usize, usize) {
    let verify = || verifier.verify(token).map_or_else(|error| error.status(), |_| Status::Ok);
    assert_eq!(verify(), expected);
    let before = (CALLS.get(), BYTES.get());
    let status = verify();
    let cost = (CALLS.get() - before.0, BYTES.get() - before.1);
    assert_eq!(status, expected);
    cost
}

fn verifier() -> (Verifier, Vec<u8>) {
    verifier_with(&mut VerifierOptions::new())
}

fn verifier_with(options: &mut VerifierOptions) -> (Verifier, Vec<u8>) {
    let corpus = torii_behaviour::load();
    let case = corpus.cases.iter().find(|case| case.name == "good-minimal").unwrap();
    options.set_jwks(corpus.key_sets[&case.key_set].jwks.expand().as_bytes()).unwrap();
    let Input::Token(token) = &case.input else { panic!("a header") };
    let verifier = Verifier::new(&case.options.issuer, options).unwrap();
    (verifier, token.expand().into_bytes())
}

#[test]
fn the_same_token_again_allocates_nothing() {
    let (verifier, token) = verifier();
    assert_eq!(cost(&verifier, &token, Status::Ok), (0, 0));
}

/// The header of an accepted token is known, so that only the payload of the next one is read.
#[test]
fn a_new_token_takes_five_allocations() {
    let mut options = VerifierOptions::new();
    options.set_token_cache_bytes(0);
    let (verifier, token) = verifier_with(&mut options);
    let (calls, _) = cost(&verifier, &token, Status::Ok);
    assert_eq!(calls, 5, "a copy of the token, its payload, names of members, texts and the rest");
}

#[test]
fn requirements_of_a_call_allocate_nothing() {
    let (verifier, token) = verifier();
    assert!(verifier.verify(&token).is_ok());
    let mut requirements = Requirements::new();
    requirements.add_flags(REQUIRE_NOT_IMPERSONATED).unwrap();
    requirements.add_claim("/iss", r#""https://acme.torii.so""#).unwrap();
    requirements.add_claim("/iat", "1.7e9").unwrap();
    let before = CALLS.get();
    assert!(verifier.check(&token, Check::default(), Some(&requirements)).is_ok());
    assert_eq!(CALLS.get(), before);
}

#[test]
fn a_token_that_is_too_long_is_not_even_copied() {
    let (verifier, _) = verifier();
    let too_large = Status::TokenTooLarge;
    assert_eq!(cost(&verifier, &[b'a'; 16 * 1024 + 1], too_large), (0, 0));
    assert_eq!(cost(&verifier, &[b'.'; 200_000], too_large), (0, 0));
    assert_eq!(cost(&verifier, &vec![b'['; 500_000_000], too_large), (0, 0));
    // Copied once, so that nothing can change it meanwhile.
    let longest = 16 * 1024;
    assert_eq!(cost(&verifier, &[b'.'; 16 * 1024], Status::TokenMalformed), (1, longest));
    assert_eq!(cost(&verifier, b"", Status::TokenMissing), (0, 0));
}

#[test]
fn no_token_costs_more_than_a_few_times_its_length() {
    let (verifier, good) = verifier();
    let encode = |text: &str| {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    };
    let text = String::from_utf8(good).unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    let hostile = [
        // 12 KB of brackets, of names, of escapes: as much as fits.
        format!("{{\"a\":{}", "[".repeat(12_000)),
        format!("{{\"a\":{}{}}}", "[".repeat(6_000), "]".repeat(6_000)),
        format!("{{{}}}", vec!["\"\":0"; 2_400].join(",")),
        format!("{{{}}}", (0..1_200).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",")),
        format!("{{{}}}", "{\"a\":".repeat(2_000)),
        format!("{{\"{}\":0}}", "\\u0061".repeat(2_000)),
        "1".repeat(12_000),
    ];
    for payload in &hostile {
        for token in [
            format!("{}.{}.{}", encode(payload), parts[1], parts[2]),
            format!("{}.{}.{}", parts[0], encode(payload), parts[2]),
        ] {
            let start: String = payload.chars().take(20).collect();
            assert!(token.len() <= 16 * 1024, "{start}");
            let status =
                verifier.verify(&token).map_or_else(|error| error.status(), |_| Status::Ok);
            let (calls, bytes) = cost(&verifier, token.as_bytes(), status);
            assert_ne!(status, Status::Ok);
            // Names of members cost 24 bytes each, in a list that doubles as it grows.
            assert!(bytes <= 16 * token.len(), "{start}: {bytes} bytes for {}", token.len());
            assert!(calls <= 40, "{start}: {calls} allocations");
        }
    }
}

#[test]
fn a_refusal_allocates_no_text() {
    let (verifier, good) = verifier();
    let mut forged = good.clone();
    let middle = forged.len() - 40;
    forged[middle] = if forged[middle] == b'A' { b'B' } else { b'A' };
    let refused = cost(&verifier, &forged, Status::TokenSignature);
    let error = verifier.verify(&forged).unwrap_err();
    let before = CALLS.get();
    let copy = error.clone();
    assert_eq!(CALLS.get(), before, "an error of a token is a plain value");
    drop(copy);
    // The parts of the token, its kid, the signature, and what the backend needs.
    assert!(refused.0 <= 12, "{} allocations", refused.0);
}
