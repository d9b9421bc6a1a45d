//! The keys of one issuer: given, fetched by the library, or fetched by a host.
//!
//! Verifications read a snapshot of the keys without a lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::cache_key::{CacheKey, FetchedBy};
use super::fetch::{Fetch, FetchError, over_http};
use super::fetch_id::FetchId;
use super::fetch_state::{End, FetchState};
use super::freshness::{CacheHeaders, Fetched, Freshness, Lifetimes};
use super::jwks::KeySet;
use super::key_file::KeyFile;
use super::progress::{Progress, Shared};
use super::snapshot::Snapshot;
use crate::clock::{Millis, monotonic};
use crate::error::{Error, Status};
use crate::fork::ForkLocal;
use crate::jitter::jitter;
use crate::text::NulString;

/// The keys of one issuer.
pub(crate) struct IssuerKeys {
    pub(super) issuer: Arc<NulString>,
    /// `None` for given keys.
    pub(super) remote: Option<Remote>,
    pub(super) snapshot: ArcSwapOption<Snapshot>,
    /// State of this process alone: a forked child starts with a new one and the parent's snapshot.
    pub(super) shared: ForkLocal<Shared>,
}

pub(super) struct Remote {
    key: Arc<CacheKey>,
    /// `None` without a key cache directory.
    file: Option<KeyFile>,
    /// `None` in tests.
    registry: Option<&'static dyn Sweep>,
    /// `None` if a host fetches.
    fetch: Option<Box<Fetch>>,
}

/// Where keys are entered while they are in use.
pub(super) trait Sweep: Sync {
    /// Removes what is entered for this cache key and no longer in use.
    fn sweep(&self, key: &CacheKey);
}

/// The result of a successful fetch.
pub(super) struct NewKeys {
    pub(super) set: Arc<KeySet>,
    pub(super) etag: Option<Arc<str>>,
    pub(super) headers: CacheHeaders,
    /// For the key cache directory, where there is one.
    pub(super) body: Option<Arc<[u8]>>,
}

impl IssuerKeys {
    /// Keys that are given, and never fetched.
    pub(crate) fn given(issuer: &Arc<NulString>, set: Arc<KeySet>) -> Self {
        let keys = IssuerKeys::new(issuer, None);
        let given = Snapshot {
            set,
            etag: None,
            fetched: None,
            body: None,
            id: FetchId::GIVEN,
            kid_due_at: AtomicU64::new(Millis::MAX),
        };
        keys.snapshot.store(Some(Arc::new(given)));
        keys
    }

    /// Keys that are fetched as `key` says, and until then those of its key cache directory. They
    /// leave `registry` when they are dropped.
    pub(super) fn fetched(
        issuer: &Arc<NulString>,
        key: Arc<CacheKey>,
        registry: &'static dyn Sweep,
    ) -> Self {
        let fetch: Option<Box<Fetch>> = match key.fetched_by {
            FetchedBy::Host => None,
            FetchedBy::Library => {
                let key = key.clone();
                Some(Box::new(move |etag, timeout| over_http(&key, etag, timeout)))
            }
        };
        let file = KeyFile::of(&key);
        let remote = Remote { key, file, registry: Some(registry), fetch };
        let keys = IssuerKeys::new(issuer, Some(remote));
        keys.load();
        keys
    }

    fn new(issuer: &Arc<NulString>, remote: Option<Remote>) -> Self {
        IssuerKeys {
            issuer: issuer.clone(),
            remote,
            snapshot: ArcSwapOption::empty(),
            shared: ForkLocal::new(Shared::default),
        }
    }

    /// Keys fetched by this function, and in no registry; without it, fetched by a host.
    #[cfg(test)]
    pub(super) fn fetched_by(fetch: Option<Box<Fetch>>) -> Arc<Self> {
        let issuer = "http://localhost";
        let key = CacheKey {
            url: super::fetch::jwks_url(issuer),
            root_certificates: None,
            proxy: None,
            cache_dir: None,
            fetched_by: if fetch.is_some() { FetchedBy::Library } else { FetchedBy::Host },
        };
        let remote = Remote { key: Arc::new(key), file: None, registry: None, fetch };
        Arc::new(IssuerKeys::new(&Arc::new(NulString::new(issuer)), Some(remote)))
    }

    /// The JWKS URL; empty for given keys.
    pub(super) fn url(&self) -> &str {
        self.remote.as_ref().map_or("", |remote| remote.key.url.as_str())
    }

    /// The cache key of the same keys if a host fetches them; `None` for given keys.
    pub(crate) fn host_key(&self) -> Option<CacheKey> {
        let key = CacheKey::clone(&self.remote.as_ref()?.key);
        Some(CacheKey { fetched_by: FetchedBy::Host, cache_dir: None, ..key })
    }

    /// Where the keys are kept for the next process.
    pub(super) fn file(&self) -> Option<&KeyFile> {
        self.remote.as_ref()?.file.as_ref()
    }

    /// Takes the keys of the key cache directory, if they are newer: once in each process.
    ///
    /// A process reads them when the keys are created. A child made by `fork` reads them before its first
    /// fetch: the parent may have been another user, who does not own the directory.
    ///
    /// They have no `ETag`: the first fetch after that brings the whole set, so that no 304 confirms a
    /// file that was changed. Past their lifetime they are used as all stale keys are: after a fetch has
    /// failed.
    fn load(&self) {
        let Some(file) = self.file() else { return };
        let shared = self.shared.get();
        if shared.loaded.swap(true, Ordering::Relaxed) {
            return;
        }
        let known = self.snapshot.load_full();
        let found = file.read(known.as_ref().map(|keys| &*keys.set));
        let mut progress = shared.lock();
        match found {
            Ok(None) => {}
            Ok(Some((set, fetched))) => {
                let known = self.snapshot.load().as_ref().and_then(|keys| keys.fetched);
                if known.is_none_or(|known| known.sent_at < fetched.sent_at) {
                    self.store(set, None, fetched, None, FetchId::FROM_FILE);
                    progress.cache_dir.load();
                }
            }
            Err(ignored) => progress.cache_dir.ignore(ignored),
        }
    }

    /// Whether the key cache directory makes a fetch for missing keys unnecessary.
    pub(super) fn load_instead(&self, lifetimes: &Lifetimes) -> bool {
        if self.file().is_none() {
            return false;
        }
        self.load();
        self.snapshot.load().as_ref().is_some_and(|keys| {
            let freshness = keys.freshness(monotonic(), lifetimes);
            matches!(freshness, Freshness::Fresh | Freshness::RefreshAhead)
        })
    }

    /// Writes keys to the key cache directory.
    fn save(&self, fetched: Fetched, body: &[u8], deadline: Millis) {
        let Some(file) = self.file() else { return };
        let outcome = file.write(fetched, body, deadline);
        self.shared.get().lock().cache_dir.write(outcome);
    }

    pub(super) fn fetch(&self) -> Option<&Fetch> {
        self.remote.as_ref()?.fetch.as_deref()
    }

    /// Drops fetched keys. The result of a fetch in flight is discarded.
    pub(super) fn clear(&self) {
        let shared = self.shared.get();
        let mut progress = shared.lock();
        progress.fetch = FetchState::default();
        progress.last_success = None;
        shared.loaded.store(true, Ordering::Relaxed);
        self.snapshot.store(None);
        shared.ended.notify_all();
    }

    /// Ends a fetch and wakes its followers. Returns false, and stores nothing, if the fetch is no
    /// longer in flight. To write the keys to the key cache directory, waits until `deadline`.
    pub(super) fn complete(
        &self,
        id: FetchId,
        outcome: std::result::Result<NewKeys, FetchError>,
        deadline: Millis,
    ) -> bool {
        let (shared, now) = (self.shared.get(), monotonic());
        let mut progress = shared.lock();
        let Some(sent_at) = progress.fetch.sent_at(id, now) else { return false };
        progress.fetches += 1;
        let mut to_save = None;
        let end = match outcome {
            Ok(NewKeys { set, etag, headers, body }) => {
                let fetched = Fetched { sent_at, headers };
                self.store(set, etag, fetched, body.clone(), id);
                to_save = body.map(|body| (fetched, body));
                progress.last_success = Some(now);
                progress.last_error = None;
                End::Success
            }
            Err(error) => {
                progress.failures += 1;
                progress.last_error = Some(error.reason);
                if error.timed_out { End::TimedOut } else { End::Failure }
            }
        };
        progress.fetch.end(end, now, jitter());
        self.publish_kid_due_at(&progress);
        shared.ended.notify_all();
        drop(progress);
        if let Some((fetched, body)) = to_save {
            self.save(fetched, &body, deadline);
        }
        true
    }

    /// Ends a fetch that was not needed.
    pub(super) fn cancel(&self, id: FetchId) {
        let shared = self.shared.get();
        let mut progress = shared.lock();
        if progress.fetch.sent_at(id, monotonic()).is_some() {
            progress.fetch.cancel();
            self.publish_kid_due_at(&progress);
            shared.ended.notify_all();
        }
    }

    fn store(
        &self,
        set: Arc<KeySet>,
        etag: Option<Arc<str>>,
        fetched: Fetched,
        body: Option<Arc<[u8]>>,
        id: FetchId,
    ) {
        let kid_due_at = AtomicU64::new(Millis::MAX);
        let fetched = Some(fetched);
        self.snapshot.store(Some(Arc::new(Snapshot { set, etag, fetched, body, id, kid_due_at })));
    }

    pub(super) fn publish_kid_due_at(&self, progress: &Progress) {
        if let Some(keys) = &*self.snapshot.load() {
            let due_at = progress.fetch.kid_due_at().unwrap_or(Millis::MAX);
            keys.kid_due_at.store(due_at, Ordering::Relaxed);
        }
    }

    pub(super) fn cannot_fetch(&self, reason: &str) -> Error {
        let text = format!("cannot fetch keys from {}: {reason}", self.url());
        Error::text(Status::KeysUnavailable, text).of_issuer(&self.issuer)
    }
}

impl Drop for IssuerKeys {
    fn drop(&mut self) {
        if let Some(Remote { key, registry: Some(registry), .. }) = &self.remote {
            registry.sweep(key);
        }
    }
}
