//! Valid tokens, changed in every place, and while they are read.

#![allow(
    unsafe_code,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a buffer that changes; tests fail by panicking"
)]

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::thread;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use torii::{Status, Verifier, VerifierOptions};
use torii_behaviour::Input;

#[test]
fn no_changed_token_is_accepted() {
    let corpus = torii_behaviour::load();
    let case = corpus.cases.iter().find(|case| case.name == "good-minimal").unwrap();
    let mut options = VerifierOptions::new();
    options.set_jwks(corpus.key_sets[&case.key_set].jwks.expand().as_bytes()).unwrap();
    let verifier = Verifier::new(&case.options.issuer, &options).unwrap();
    let token = match &case.input {
        Input::Token(token) => token.expand().into_bytes(),
        Input::Header(_) => unreachable!(),
    };
    assert!(verifier.verify(&token).is_ok());

    let mut count = 0;
    let mut refuse = |token: &[u8], what: &str| {
        let result = verifier.verify(token);
        assert!(result.is_err(), "{what}: accepted");
        let status = result.unwrap_err().status();
        assert!((100..150).contains(&(status as u32)), "{what}: {status:?}");
        count += 1;
    };
    for at in 0..token.len() {
        let with = |byte: u8| {
            let mut changed = token.clone();
            changed[at] = byte;
            changed
        };
        // Another letter of the alphabet, what is none of it, a bit.
        for byte in [b'A', b'_', b'.', b'=', 0, 0xff, token[at] ^ 1] {
            if byte != token[at] {
                refuse(&with(byte), &format!("byte {at} made {byte:#x}"));
            }
        }
        refuse(&token[..at], &format!("cut at {at}"));
        let mut longer = token.clone();
        longer.insert(at, token[at]);
        // Before an equal byte and after it is the same place; either way one is too many.
        refuse(&longer, &format!("byte {at} doubled"));
        let mut shorter = token.clone();
        shorter.remove(at);
        refuse(&shorter, &format!("byte {at} left out"));
    }
    assert!(count > 3_000, "{count}");
    let stats = verifier.stats().unwrap();
    assert_eq!(stats.int("/cached_tokens").unwrap(), 1);
    assert_eq!(Status::Ok.name(), case.expect.status);
}

/// A host that changes the buffer while a call reads it (Node's shared buffers allow that without a
/// mistake in C) never gets the claims of one text with the signature of another.
#[test]
fn a_buffer_that_changes_meanwhile_forges_nothing() {
    let corpus = torii_behaviour::load();
    let case = corpus.cases.iter().find(|case| case.name == "good-minimal").unwrap();
    let Input::Token(token) = &case.input else { unreachable!() };
    let genuine = token.expand().into_bytes();
    let user = case.expect.auth.as_ref().unwrap().user_id.clone();
    let forged = forge(&genuine, &user);
    assert_eq!(genuine.len(), forged.len());

    let mut options = VerifierOptions::new();
    options.set_jwks(corpus.key_sets[&case.key_set].jwks.expand().as_bytes()).unwrap();
    let cached = Verifier::new(&case.options.issuer, &options).unwrap();
    options.set_token_cache_bytes(0);
    let uncached = Verifier::new(&case.options.issuer, &options).unwrap();

    let buffer: Vec<AtomicU8> = genuine.iter().map(|byte| AtomicU8::new(*byte)).collect();
    let (started, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let mut accepted = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for text in [&forged, &genuine] {
                    for (shared, byte) in buffer.iter().zip(text) {
                        shared.store(*byte, Ordering::Relaxed);
                    }
                    // Long enough for a call to see only one of the two.
                    (0..200).for_each(|_| std::hint::spin_loop());
                }
                started.fetch_add(1, Ordering::Relaxed);
            }
        });
        while started.load(Ordering::Relaxed) == 0 {
            thread::yield_now();
        }
        // SAFETY: the bytes live in `buffer`; that they change is the caller's mistake under test.
        let text =
            unsafe { std::slice::from_raw_parts(buffer.as_ptr().cast::<u8>(), buffer.len()) };
        for n in 0..8_000 {
            // Tokens accepted with the cache are verified again from time to time.
            let verifier = if n % 2 == 0 { &cached } else { &uncached };
            if let Ok(auth) = verifier.verify(text) {
                accepted.push((n, auth));
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    println!("{} accepted, {} changes", accepted.len(), started.into_inner());
    for (n, auth) in accepted {
        assert_eq!(auth.user_id(), user, "call {n}");
    }
    for verifier in [&cached, &uncached] {
        assert_eq!(verifier.verify(&forged).unwrap_err().status(), Status::TokenSignature);
        assert!(verifier.verify(&genuine).is_ok());
    }
}

/// The token with the same signature and another `sub` of the same length.
fn forge(genuine: &[u8], user: &str) -> Vec<u8> {
    let text = str::from_utf8(genuine).unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
    let payload = payload.replace(user, &"f".repeat(user.len()));
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(payload), parts[2]).into_bytes()
}
