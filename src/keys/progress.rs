//! The state of the fetches of one issuer's keys, in one process.
//!
//! The lock is held for a few instructions, never during a fetch, and never by a thread that a forked
//! child has lost.

use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

use super::cache_dir::CacheDirStats;
use super::call::Call;
use super::fetch_id::FetchId;
use super::fetch_state::FetchState;
use crate::clock::{Millis, monotonic};
use crate::sync::{Condvar, Mutex, MutexGuard};

/// State of this process alone: a forked child starts with a new one and the parent's snapshot.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) progress: Mutex<Progress>,
    pub(super) ended: Condvar,
    /// Whether this process has read the key cache directory.
    pub(super) loaded: AtomicBool,
}

#[derive(Default)]
pub(super) struct Progress {
    pub(super) fetch: FetchState,
    pub(super) fetches: u64,
    pub(super) failures: u64,
    pub(super) last_success: Option<Millis>,
    pub(super) last_error: Option<String>,
    pub(super) cache_dir: CacheDirStats,
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, Progress> {
        // A panic leaves at worst a fetch that never ends, which counts as lost in time.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the fetch has ended. Returns false if the call's time is up before.
    pub(super) fn wait(
        &self,
        mut progress: MutexGuard<'_, Progress>,
        id: FetchId,
        call: &Call<'_>,
    ) -> bool {
        progress.fetch.follow(call.timeout(), call.deadline());
        loop {
            let now = monotonic();
            if progress.fetch.sent_at(id, now).is_none() {
                return true;
            }
            let left = call.left();
            if left.is_zero() {
                return false;
            }
            let waited = self.ended.wait_timeout(progress, left);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}
