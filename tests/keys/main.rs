//! The life of an issuer's keys, over real HTTP, on a clock that the tests move.
//!
//! That clock is the process's, so the tests take turns.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail by panicking"
)]

mod host;
mod life;
mod matrix;
mod verdicts;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use torii::{Error, Status, Verifier, VerifierOptions};
use torii_emulator::{Emulator, Issuer, Mint};

/// Longer than any fetch here can take.
const LONG: Duration = Duration::from_secs(20);

/// A local torii, and the clock, to oneself.
pub(crate) struct Stage {
    pub(crate) emulator: &'static Emulator,
    _turn: MutexGuard<'static, ()>,
}

impl Stage {
    pub(crate) fn take() -> Stage {
        static TURN: Mutex<()> = Mutex::new(());
        static EMULATOR: LazyLock<Emulator> = LazyLock::new(Emulator::start);
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        Stage { emulator: &EMULATOR, _turn: turn }
    }

    /// An issuer nobody has heard of.
    pub(crate) fn issuer(&self, name: &str) -> Issuer {
        self.emulator.create_issuer(name)
    }
}

pub(crate) fn seconds(seconds: u64) {
    torii::advance_clock(seconds * 1_000);
}

/// Options that find a hanging issuer out soon.
pub(crate) fn options() -> VerifierOptions {
    let mut options = VerifierOptions::new();
    options.set_fetch_timeout_ms(400).unwrap();
    options
}

pub(crate) fn verifier(issuer: &Issuer, options: &VerifierOptions) -> Verifier {
    Verifier::new(&issuer.url(), options).unwrap()
}

pub(crate) fn status<T>(verdict: Result<T, Error>) -> Status {
    verdict.map_or_else(|error| error.status(), |_| Status::Ok)
}

/// A token of a key the issuer never published.
pub(crate) fn of_unknown_key(issuer: &Issuer) -> String {
    issuer.mint(Mint::new().kid("never-published"))
}

pub(crate) fn fetches(verifier: &Verifier) -> i64 {
    verifier.stats().unwrap().int("/issuers/0/fetches").unwrap()
}

/// Waits until this many fetches have ended.
pub(crate) fn await_fetches(verifier: &Verifier, count: i64) {
    let start = Instant::now();
    while fetches(verifier) < count {
        assert!(start.elapsed() < LONG, "{count} fetches never came");
        std::thread::yield_now();
    }
}
