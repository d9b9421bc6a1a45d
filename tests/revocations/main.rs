//! Revocations: calls, JSON and the file, on clocks that the tests move.
//!
//! The clock by which the file is checked is the process's, so the tests take turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

#[cfg(unix)]
mod file;
mod lists;
#[cfg(unix)]
mod nowait;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use torii::{Error, Status, Verifier, VerifierOptions};
use torii_emulator::{Emulator, Issuer, Mint};

/// Longer than anything here takes, on the busiest machine.
const LONG: Duration = Duration::from_secs(120);

/// When the tests take place, unless they say otherwise.
const NOW: i64 = 1_800_000_000;

/// A local torii, and the clock, to oneself.
struct Stage {
    issuer: Issuer,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    fn take() -> Stage {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Stage { issuer: issuer(), _turn: turn }
    }

    /// A token of the user, issued at this time.
    fn token(&self, user: &str, issued_at: i64) -> String {
        self.issuer.mint(mint(user, issued_at))
    }

    fn verifier(&self, options: &VerifierOptions) -> Verifier {
        Verifier::new(&self.issuer.url(), options).unwrap()
    }

    /// Options with the keys of the issuer, no leeway, and a clock that stands at `NOW`.
    fn options(&self) -> VerifierOptions {
        let mut options = VerifierOptions::new();
        options.set_jwks(self.issuer.jwks().to_string().as_bytes()).unwrap();
        options.set_leeway_seconds(0).unwrap().set_clock(|| NOW);
        options.set_fetch_timeout_ms(60_000).unwrap();
        options
    }
}

static EMULATOR: LazyLock<Emulator> = LazyLock::new(Emulator::start);

/// A new issuer.
fn issuer() -> Issuer {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    EMULATOR.create_issuer(&format!("issuer-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

fn mint(user: &str, issued_at: i64) -> Mint {
    Mint::new().subject(user).claim("iat", issued_at).claim("exp", NOW + 1_000_000)
}

fn milliseconds(milliseconds: u64) {
    torii::advance_clock(milliseconds);
}

fn status<T>(result: Result<T, Error>) -> Status {
    result.map_or_else(|error| error.status(), |_| Status::Ok)
}

fn verify(verifier: &Verifier, token: &str) -> Status {
    status(verifier.verify(token))
}

/// A number in the statistics.
fn stat(verifier: &Verifier, pointer: &str) -> i64 {
    verifier.stats().unwrap().int(pointer).unwrap()
}

/// Waits until this holds.
fn await_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}
