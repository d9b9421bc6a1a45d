//! The process's fetches, counted.

use std::sync::atomic::{AtomicU64, Ordering};

/// Names one fetch of the process. Later fetches have greater ids; none is used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FetchId(pub(super) u64);

/// Never reset, so that a late answer can only name its own fetch.
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

impl FetchId {
    /// In place of a fetch, for keys from a file: before any fetch of this process.
    pub(super) const FROM_FILE: FetchId = FetchId(0);
    /// In place of a fetch, for given keys: after any fetch of this process.
    pub(super) const GIVEN: FetchId = FetchId(u64::MAX);

    /// Returns the id of a new fetch.
    pub(super) fn next() -> Self {
        FetchId(SEQUENCE.fetch_add(1, Ordering::AcqRel) + 1)
    }

    /// Returns the id of the newest fetch.
    pub(super) fn latest() -> Self {
        FetchId(SEQUENCE.load(Ordering::Acquire))
    }
}
