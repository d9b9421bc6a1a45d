//! Many threads on one verifier, while keys and revocations change under them: for ThreadSanitizer, and
//! right in any case. Without a test harness, and with a host that fetches, so that all that threads meet at is
//! this library's.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use torii::{Verifier, VerifierOptions};
use torii_behaviour::{Case, Corpus, Input};

const THREADS: usize = 64;
const TOKENS: usize = 2_000;
const REVOCATIONS: usize = 300;

fn main() {
    let corpus = torii_behaviour::load();
    let cases = plain_cases(&corpus);
    assert!(cases.len() > 200, "{}", cases.len());
    let issuer = &cases[0].0.options.issuer;
    let jwks = corpus.key_sets[&cases[0].0.key_set].jwks.expand();
    keys_change(issuer, &jwks, &cases);
    let valid = cases.iter().find(|(case, _)| case.expect.status == "TORII_OK").unwrap();
    revocations_change(issuer, &jwks, &valid.1);
}

fn keys_change(issuer: &str, jwks: &str, cases: &[(&Case, String)]) {
    let mut options = VerifierOptions::new();
    options.set_background_refresh(false).set_key_lifetime_seconds(86_400).unwrap();
    let verifier = Verifier::new(issuer, &options).unwrap();
    let bring_keys = || {
        verifier.claim_fetch().is_some_and(|mut fetch| {
            fetch.done(200, jwks.as_bytes(), None, None, None).unwrap();
            true
        })
    };
    assert!(bring_keys());

    let (done, checked) = (AtomicBool::new(false), AtomicUsize::new(0));
    let fetches = thread::scope(|scope| {
        let host = scope.spawn(|| {
            let mut fetches = 1;
            while !done.load(Ordering::Relaxed) {
                // Old enough to be fetched again, and hours from being too old.
                torii::advance_clock(70_000_000);
                fetches += usize::from(bring_keys());
                thread::yield_now();
            }
            fetches
        });
        let verifiers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (verifier, checked) = (&verifier, &checked);
                scope.spawn(move || {
                    for n in 0..TOKENS {
                        let (case, token) = &cases[(n * 7 + thread) % cases.len()];
                        let result = verifier.verify_nowait(token);
                        let status = result.map_or_else(|e| e.status().name(), |_| "TORII_OK");
                        assert_eq!(status, case.expect.status, "{}", case.name);
                        checked.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let joined: Vec<_> = verifiers.into_iter().map(|verifier| verifier.join()).collect();
        done.store(true, Ordering::Relaxed);
        joined.into_iter().for_each(|outcome| outcome.unwrap());
        host.join().unwrap()
    });
    assert_eq!(checked.into_inner(), THREADS * TOKENS);
    assert!(fetches > 10, "{fetches}");
    println!(
        "{THREADS} threads, {TOKENS} verifications each, {fetches} fetches meanwhile: 1 passed, 0 failed"
    );
}

/// Threads verify a token while others revoke it in all three lists and lift that again.
fn revocations_change(issuer: &str, jwks: &str, token: &str) {
    let folder = std::env::temp_dir().join(format!("torii-threads-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (path, written) = (folder.join("revoked.json"), folder.join("written.json"));
    let write = |list: &str| {
        std::fs::write(&written, list).unwrap();
        std::fs::rename(&written, &path).unwrap();
    };
    let empty = r#"{"revoked":[]}"#;
    write(empty);
    let mut options = VerifierOptions::new();
    options.set_jwks(jwks.as_bytes()).unwrap().set_revocations_file(&path).unwrap();
    let verifier = Verifier::new(issuer, &options).unwrap();
    let user = verifier.verify(token).unwrap().user_id().to_owned();
    let revoked = format!(r#"{{"revoked":[{{"sub":"{user}","before":"all"}}]}}"#);

    let (done, banned) = (AtomicBool::new(false), AtomicBool::new(false));
    let refused = thread::scope(|scope| {
        let verifiers: Vec<_> = (0..THREADS / 4)
            .map(|_| {
                scope.spawn(|| {
                    let mut refused = 0;
                    while !done.load(Ordering::Relaxed) {
                        let expect_refusal = banned.load(Ordering::Acquire);
                        match verifier.verify(token) {
                            Ok(_) => assert!(!expect_refusal),
                            Err(error) => {
                                assert_eq!(error.status().name(), "TORII_ERR_TOKEN_REVOKED");
                                refused += 1;
                            }
                        }
                    }
                    refused
                })
            })
            .collect();
        let changes = [
            scope.spawn(|| {
                for n in 0..REVOCATIONS {
                    verifier.revoke(&format!("other-{n}"), n as i64).unwrap();
                }
            }),
            scope.spawn(|| {
                for n in 0..REVOCATIONS {
                    let list = if n % 2 == 0 { &revoked } else { empty };
                    verifier.set_revocations_json(list.as_bytes()).unwrap();
                    thread::yield_now();
                }
            }),
            scope.spawn(|| {
                for n in 0..REVOCATIONS {
                    write(if n % 2 == 0 { &revoked } else { empty });
                    torii::advance_clock(1_000);
                    verifier.refresh_due(None).unwrap();
                }
            }),
        ];
        changes.into_iter().for_each(|change| change.join().unwrap());
        // The other lists are empty now; this ban stays.
        verifier.revoke(&user, torii::REVOKE_ALL).unwrap();
        banned.store(true, Ordering::Release);
        let last = verifier.verify(token).map_or_else(|e| e.status().name(), |_| "TORII_OK");
        done.store(true, Ordering::Relaxed);
        assert_eq!(last, "TORII_ERR_TOKEN_REVOKED");
        verifiers.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
    });
    std::fs::remove_dir_all(&folder).unwrap();
    let stats = verifier.stats().unwrap();
    let entries = stats.int("/revocations/entries").unwrap();
    assert_eq!(entries, REVOCATIONS as i64 + 1, "{}", stats.text());
    println!("{REVOCATIONS} changes of each list, {refused} tokens refused: 1 passed, 0 failed");
}

/// The cases that one verifier with default options can verify. A missing key
/// would have to be fetched first.
fn plain_cases(corpus: &Corpus) -> Vec<(&Case, String)> {
    let first = &corpus.cases[0];
    corpus
        .cases
        .iter()
        .filter(|case| {
            case.key_set == first.key_set
                && case.options == first.options
                && case.expect.status != "TORII_ERR_TOKEN_KEY_UNKNOWN"
        })
        .filter_map(|case| match &case.input {
            Input::Token(token) => Some((case, token.expand())),
            Input::Header(_) => None,
        })
        .collect()
}
