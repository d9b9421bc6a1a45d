//! The slowest verifications in a thousand, with and without keys that rotate and are fetched
//! again all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use torii::{Verifier, VerifierOptions};
use torii_emulator::{Emulator, Issuer, Mint};

use super::contest::pin;

const VERIFICATIONS: usize = 20_000;
const ROUNDS: usize = 5;

pub(crate) fn run(emulator: &Emulator) {
    let issuer = emulator.create_issuer("rotating");
    let mut options = VerifierOptions::new();
    // Every signature is verified, and keys are refreshed from 0.8 s on.
    options.set_token_cache_bytes(0).set_key_lifetime_seconds(1).unwrap();
    let verifier = Verifier::new(&issuer.url(), &options).unwrap();
    let token = issuer.mint(Mint::new().expires_in(super::LIFETIME));
    verifier.verify(&token).unwrap();

    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        quiet.push(outlier(&steady(&issuer), &token));
        busy.push(while_rotating(&issuer, || outlier(&verifier, &token)));
    }
    quiet.sort_by(f64::total_cmp);
    busy.sort_by(f64::total_cmp);
    let (quiet, busy) = (quiet[ROUNDS / 2], busy[ROUNDS / 2]);
    let fetches = verifier.stats().unwrap().int("/issuers/0/fetches").unwrap();
    println!("\np99.9 of a full verification, one thread           us");
    println!("{:45} {:10.1}", "keys at rest", quiet * 1e6);
    println!("{:45} {:10.1}", format!("keys rotating, {fetches} fetches"), busy * 1e6);
    println!("{:45} {:10.2}", "ratio", busy / quiet);
}

/// A verifier whose keys never change.
fn steady(issuer: &Issuer) -> Verifier {
    let mut options = VerifierOptions::new();
    options.set_token_cache_bytes(0).set_jwks(issuer.jwks().to_string().as_bytes()).unwrap();
    Verifier::new(&issuer.url(), &options).unwrap()
}

fn outlier(verifier: &Verifier, token: &str) -> f64 {
    pin(0);
    let mut times: Vec<f64> = (0..VERIFICATIONS)
        .map(|_| {
            let start = Instant::now();
            verifier.verify(token).unwrap();
            start.elapsed().as_secs_f64()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[VERIFICATIONS * 999 / 1_000]
}

/// Publishes and withdraws keys, and asks for them, on the other processor; the key of the token
/// stays.
fn while_rotating<T>(issuer: &Issuer, measured: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            pin(1);
            while !done.load(Ordering::Relaxed) {
                let kid = issuer.publish_key();
                let options = VerifierOptions::new();
                let other = Verifier::new(&issuer.url(), &options).unwrap();
                // A token of the new key has the keys fetched, at most once in thirty seconds;
                // ageing has them fetched about every second.
                let _ = other.verify(issuer.mint(Mint::new()));
                issuer.remove_key(&kid);
                thread::yield_now();
            }
        });
        let outcome = measured();
        done.store(true, Ordering::Relaxed);
        outcome
    })
}
