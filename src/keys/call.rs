//! One call of a verifier that needs keys, and how long it may wait for them.

use std::time::Duration;

use super::fetch_id::FetchId;
use super::freshness::Lifetimes;
use crate::clock::{Millis, exactly, monotonic};

/// How a verifier uses and fetches keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyOptions {
    pub(crate) lifetimes: Lifetimes,
    /// Whether a thread may be started to fetch keys ahead of time.
    pub(crate) background: bool,
    /// How long a call may fetch, or wait for a fetch.
    pub(crate) timeout: Duration,
}

/// One call that needs keys.
#[derive(Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(super) options: &'a KeyOptions,
    /// Whether the call may fetch keys, or wait for a fetch.
    pub(super) may_wait: bool,
    pub(super) started: Millis,
    /// The latest fetch of the process when the call began. Times are too coarse to tell which of
    /// two events came first.
    pub(super) latest: FetchId,
}

impl<'a> Call<'a> {
    /// Begins a call. Without `may_wait` it performs no I/O, and waits for none.
    pub(crate) fn begin(options: &'a KeyOptions, may_wait: bool) -> Self {
        Call::begin_at(monotonic(), options, may_wait)
    }

    /// As [`begin`](Self::begin), with the time just read.
    pub(crate) fn begin_at(started: Millis, options: &'a KeyOptions, may_wait: bool) -> Self {
        let latest = FetchId::latest();
        Call { options, may_wait, started, latest }
    }

    pub(crate) fn started(&self) -> Millis {
        self.started
    }

    pub(crate) fn may_wait(&self) -> bool {
        self.may_wait
    }

    pub(super) fn timeout(&self) -> Millis {
        self.options.timeout.as_millis().try_into().unwrap_or(Millis::MAX / 4)
    }

    pub(super) fn deadline(&self) -> Millis {
        self.started.saturating_add(self.timeout())
    }

    /// The time that is left, by the exact clock: else a call whose fetch timed out would lead a second
    /// one for the rest of a tick.
    pub(super) fn left(&self) -> Duration {
        Duration::from_millis(self.deadline().saturating_sub(exactly()))
    }
}
