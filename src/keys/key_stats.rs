//! Statistics of an issuer's keys, and when their next fetch is due.

use super::cache_dir::CacheDirStats;
use super::freshness::{Freshness, Lifetimes};
use super::issuer_keys::IssuerKeys;
use super::progress::Progress;
use crate::clock::{Millis, monotonic};

/// Statistics of an issuer's keys.
pub(crate) struct KeyStats {
    /// Usable keys, none if they are too old, and published keys that are not usable.
    pub(crate) keys: usize,
    pub(crate) skipped: usize,
    /// Seconds since the keys were requested.
    pub(crate) age: Option<u64>,
    /// Milliseconds until a fetch is due; none for given keys.
    pub(crate) due_in: Option<u64>,
    /// Fetches that ended, and those of them that failed.
    pub(crate) fetches: u64,
    pub(crate) failures: u64,
    /// Seconds since the last fetch that succeeded.
    pub(crate) last_success: Option<u64>,
    /// Why the last fetch failed, if it did.
    pub(crate) last_error: Option<String>,
    /// `None` without a key cache directory.
    pub(crate) cache_dir: Option<CacheDirStats>,
}

impl IssuerKeys {
    /// Milliseconds until a fetch is due; `None` for given keys.
    pub(crate) fn due_in(&self, lifetimes: &Lifetimes) -> Option<Millis> {
        self.remote.as_ref()?;
        let (shared, now) = (self.shared.get(), monotonic());
        Some(self.due_at(&mut shared.lock(), now, lifetimes).saturating_sub(now))
    }

    fn due_at(&self, progress: &mut Progress, now: Millis, lifetimes: &Lifetimes) -> Millis {
        let fetched = self.snapshot.load().as_ref().and_then(|keys| keys.fetched);
        let refresh_at = fetched.map_or(0, |fetched| fetched.due_at(lifetimes));
        progress.fetch.due_at(refresh_at, now)
    }

    pub(crate) fn stats(&self, lifetimes: &Lifetimes) -> KeyStats {
        let (shared, now) = (self.shared.get(), monotonic());
        let mut progress = shared.lock();
        let due_at = self.due_at(&mut progress, now, lifetimes);
        let snapshot = self.snapshot.load();
        let seconds = |since: Millis| now.saturating_sub(since) / 1_000;
        let fetched = snapshot.as_ref().and_then(|keys| keys.fetched);
        let in_use =
            snapshot.as_ref().filter(|keys| keys.freshness(now, lifetimes) != Freshness::Expired);
        KeyStats {
            keys: in_use.map_or(0, |keys| keys.set.len()),
            skipped: snapshot.as_ref().map_or(0, |keys| keys.set.skipped),
            age: fetched.map(|fetched| seconds(fetched.sent_at)),
            due_in: self.remote.is_some().then(|| due_at.saturating_sub(now)),
            fetches: progress.fetches,
            failures: progress.failures,
            last_success: progress.last_success.map(seconds),
            last_error: progress.last_error.clone(),
            cache_dir: self.file().map(|_| progress.cache_dir.clone()),
        }
    }
}
