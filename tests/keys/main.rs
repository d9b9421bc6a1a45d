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

#[cfg(unix)]
mod cache_dir;
mod due;
mod host;
mod life;
mod matrix;
mod metrics;
mod server;
mod suspend;
mod token_cache;
mod waiting;

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use torii::{Error, Status, Verifier, VerifierOptions};
use torii_emulator::{Emulator, Issuer, Mint};

/// Longer than anything here takes, on the busiest machine.
const LONG: Duration = Duration::from_secs(120);

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

    /// An unknown issuer.
    pub(crate) fn issuer(&self, name: &str) -> Issuer {
        self.emulator.create_issuer(name)
    }
}

pub(crate) fn seconds(seconds: u64) {
    torii::advance_clock(seconds * 1_000);
}

/// Options with a timeout that no fetch reaches, however busy the machine.
pub(crate) fn options() -> VerifierOptions {
    with_timeout(60_000)
}

pub(crate) fn with_timeout(milliseconds: u32) -> VerifierOptions {
    let mut options = VerifierOptions::new();
    options.set_fetch_timeout_ms(milliseconds).unwrap();
    options
}

/// As [`options`], without threads of the library.
pub(crate) fn without_threads() -> VerifierOptions {
    let mut options = options();
    options.set_background_refresh(false);
    options
}

pub(crate) fn verifier(issuer: &Issuer, options: &VerifierOptions) -> Verifier {
    Verifier::new(&issuer.url(), options).unwrap()
}

pub(crate) fn status<T>(result: Result<T, Error>) -> Status {
    result.map_or_else(|error| error.status(), |_| Status::Ok)
}

/// Waits until this holds.
pub(crate) fn await_until(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "never: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
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
    await_until(&format!("{count} fetches"), || fetches(verifier) >= count);
}
