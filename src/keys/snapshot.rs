//! A key set in use, as verifications read it.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use arc_swap::Guard;

use super::fetch_id::FetchId;
use super::freshness::{Fetched, Freshness, Lifetimes};
use super::jwks::KeySet;
use crate::clock::Millis;

/// A key set in use.
pub(crate) struct Snapshot {
    pub(crate) set: Arc<KeySet>,
    pub(super) etag: Option<Arc<str>>,
    /// `None` for given keys, which never age.
    pub(super) fetched: Option<Fetched>,
    /// The text of the set, kept where there is a key cache directory: a 304 has it written again.
    pub(super) body: Option<Arc<[u8]>>,
    pub(super) id: FetchId,
    /// When a `kid` that is missing from the set makes a fetch due: a hint, so that calls need not
    /// ask the [`FetchState`].
    pub(super) kid_due_at: AtomicU64,
}

/// A snapshot that stays as it is while the guard is held.
pub(crate) type SnapshotGuard = Guard<Option<Arc<Snapshot>>>;

impl Snapshot {
    pub(super) fn freshness(&self, now: Millis, lifetimes: &Lifetimes) -> Freshness {
        self.fetched.map_or(Freshness::Fresh, |fetched| fetched.freshness(now, lifetimes))
    }
}

/// Whether both are the same key set, fetched at the same time.
pub(super) fn same(one: &Option<Arc<Snapshot>>, other: &Option<Arc<Snapshot>>) -> bool {
    one.as_ref().map(Arc::as_ptr) == other.as_ref().map(Arc::as_ptr)
}
