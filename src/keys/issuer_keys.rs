//! The keys of one issuer: given, fetched by the library, or fetched by a host.
//!
//! Verifications read a snapshot of the keys without a lock. The lock around [`FetchState`] is held
//! for a few instructions, never during a fetch, and never by a thread that a forked child has lost.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

use super::cache_dir::{CacheDirStats, KeyCacheDir};
use super::cache_file::CacheFile;
use super::fetch::{Fetch, FetchError, over_http};
use super::fetch_state::{End, FetchId, FetchState, Next, Reason};
use super::freshness::{CacheHeaders, Fetched, Freshness, Lifetimes};
use super::jwks::KeySet;
use super::lease::{Lease, NewKeys};
use super::registry::{CacheKey, FetchedBy, Registry};
use crate::clock::{Millis, exactly, monotonic, since_1970};
use crate::error::{Error, Result, Status};
use crate::fork::{ForkLocal, with_signals_blocked};
use crate::jitter::jitter;
use crate::sync::{Condvar, Mutex, MutexGuard, spawn};
use crate::text::NulString;

/// How long a host may take for a fetch.
const HOST_LEASE: Millis = 30_000;
/// How much longer than its timeout a fetch of the library may take before it counts as lost.
const LEASE_MARGIN: Millis = 5_000;
/// An explicit refresh joins a fetch that succeeded this recently.
const RECENT: Millis = 1_000;

/// A key set in use.
pub(crate) struct Snapshot {
    pub(crate) set: Arc<KeySet>,
    pub(super) etag: Option<Arc<str>>,
    /// `None` for given keys, which never age.
    fetched: Option<Fetched>,
    /// The text of the set, kept where there is a key cache directory: a 304 has it written again.
    pub(super) body: Option<Arc<[u8]>>,
    id: FetchId,
    /// When a `kid` that is missing from the set makes a fetch due: a hint, so that calls need not
    /// ask the [`FetchState`].
    kid_due_at: AtomicU64,
}

/// A snapshot that stays as it is while the guard is held.
pub(crate) type SnapshotGuard = Guard<Option<Arc<Snapshot>>>;

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
    options: &'a KeyOptions,
    /// Whether the call may fetch keys, or wait for a fetch.
    may_wait: bool,
    started: Millis,
    /// The latest fetch of the process when the call began. Times are too coarse to tell which of
    /// two events came first.
    latest: FetchId,
}

/// What a call did about a fetch.
enum Attempt {
    /// A fetch ended, or the keys changed: look again.
    Finished,
    /// A fetch is in flight, or for the host to claim, and this call does not wait for it.
    Pending,
    BackOff(Error),
    CoolDown,
    TimedOut(Error),
}

/// Which keys to fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    Any,
    /// Those that are due.
    Due,
}

/// The keys of one issuer.
pub(crate) struct IssuerKeys {
    issuer: Arc<NulString>,
    /// `None` for given keys.
    remote: Option<Remote>,
    snapshot: ArcSwapOption<Snapshot>,
    shared: ForkLocal<Shared>,
}

struct Remote {
    key: Arc<CacheKey>,
    registry: Option<&'static Registry>,
    /// `None` if a host fetches.
    fetch: Option<Box<Fetch>>,
}

/// State of this process alone: a forked child begins anew, with the parent's snapshot.
#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    ended: Condvar,
    /// Whether this process has read the key cache directory.
    loaded: AtomicBool,
}

#[derive(Default)]
struct Progress {
    fetch: FetchState,
    fetches: u64,
    failures: u64,
    last_success: Option<Millis>,
    last_error: Option<String>,
    cache_dir: CacheDirStats,
}

/// What statistics say about an issuer's keys.
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

/// In place of the fetch, for keys from a file: before any fetch of this process.
const FROM_FILE: FetchId = FetchId(0);

/// The process's fetches, counted. Never reset, so that a late answer can only name its own fetch.
static SEQUENCE: AtomicU64 = AtomicU64::new(0);

impl<'a> Call<'a> {
    /// Begins a call. Without `may_wait` it performs no I/O, and waits for none.
    pub(crate) fn begin(options: &'a KeyOptions, may_wait: bool) -> Self {
        Call::begin_at(monotonic(), options, may_wait)
    }

    /// As [`begin`](Self::begin), with the time just read.
    pub(crate) fn begin_at(started: Millis, options: &'a KeyOptions, may_wait: bool) -> Self {
        let latest = FetchId(SEQUENCE.load(Ordering::Acquire));
        Call { options, may_wait, started, latest }
    }

    pub(crate) fn started(&self) -> Millis {
        self.started
    }

    pub(crate) fn may_wait(&self) -> bool {
        self.may_wait
    }

    fn timeout(&self) -> Millis {
        self.options.timeout.as_millis().try_into().unwrap_or(Millis::MAX / 4)
    }

    fn deadline(&self) -> Millis {
        self.started.saturating_add(self.timeout())
    }

    /// The time that is left, by the exact clock: else a call whose fetch timed out would lead a second
    /// one for the rest of a tick.
    fn left(&self) -> Duration {
        Duration::from_millis(self.deadline().saturating_sub(exactly()))
    }
}

impl Snapshot {
    fn freshness(&self, now: Millis, lifetimes: &Lifetimes) -> Freshness {
        self.fetched.map_or(Freshness::Fresh, |fetched| fetched.freshness(now, lifetimes))
    }
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
            id: FetchId(u64::MAX),
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
        registry: &'static Registry,
    ) -> Self {
        let fetch: Option<Box<Fetch>> = match key.fetched_by {
            FetchedBy::Host => None,
            FetchedBy::Library => {
                let key = key.clone();
                Some(Box::new(move |etag, timeout| over_http(&key, etag, timeout)))
            }
        };
        let keys = IssuerKeys::new(issuer, Some(Remote { key, registry: Some(registry), fetch }));
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
    fn fetched_by(fetch: Option<Box<Fetch>>) -> Arc<Self> {
        let issuer = "http://localhost";
        let key = CacheKey {
            url: super::fetch::jwks_url(issuer),
            root_certificates: None,
            proxy: None,
            cache_dir: None,
            fetched_by: if fetch.is_some() { FetchedBy::Library } else { FetchedBy::Host },
        };
        let remote = Remote { key: Arc::new(key), registry: None, fetch };
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

    pub(super) fn cache_dir(&self) -> Option<&KeyCacheDir> {
        self.remote.as_ref()?.key.cache_dir.as_ref()
    }

    /// Takes the keys of the key cache directory, if they are newer: once in each process.
    ///
    /// A process reads them when the keys are created. A child made by `fork` reads them before its first
    /// fetch: the parent may have been another user, to whom the directory does not belong.
    ///
    /// They have no `ETag`: the first fetch after that brings the whole set, so that no 304 confirms a
    /// file that was changed. Past their lifetime they are used as all stale keys are: after a fetch has
    /// failed.
    fn load(&self) {
        let (Some(remote), Some(dir)) = (&self.remote, self.cache_dir()) else { return };
        let shared = self.shared.get();
        if shared.loaded.swap(true, Ordering::Relaxed) {
            return;
        }
        let now = monotonic();
        let known = self.snapshot.load_full();
        let found = dir.read(&remote.key, since_1970(), known.as_ref().map(|keys| &*keys.set));
        let mut progress = shared.lock();
        match found {
            Ok(None) => {}
            Ok(Some(keys)) => {
                let sent_at = now.saturating_sub(keys.age);
                let known = self.snapshot.load().as_ref().and_then(|keys| keys.fetched);
                if known.is_none_or(|known| known.sent_at < sent_at) {
                    let fetched = Fetched { sent_at, headers: keys.headers };
                    self.store(Arc::new(keys.set), None, fetched, None, FROM_FILE);
                    progress.cache_dir.load();
                }
            }
            Err(ignored) => progress.cache_dir.ignore(ignored),
        }
    }

    /// Whether the key cache directory makes a fetch for missing keys unnecessary.
    fn load_instead(&self, lifetimes: &Lifetimes) -> bool {
        if self.cache_dir().is_none() {
            return false;
        }
        self.load();
        self.snapshot.load().as_ref().is_some_and(|keys| {
            let freshness = keys.freshness(monotonic(), lifetimes);
            matches!(freshness, Freshness::Fresh | Freshness::RefreshAhead)
        })
    }

    /// Writes keys to the key cache directory.
    fn save(&self, fetched: Fetched, body: &[u8]) {
        let (Some(remote), Some(dir)) = (&self.remote, self.cache_dir()) else { return };
        let now = since_1970();
        let CacheHeaders { max_age, .. } = fetched.headers;
        let age = monotonic().saturating_sub(fetched.sent_at) + fetched.headers.age();
        let requested_at = now.saturating_sub(age);
        let file = CacheFile { url: &remote.key.url, requested_at, max_age, body };
        let outcome = dir.write(&remote.key, &file, now);
        self.shared.get().lock().cache_dir.write(outcome);
    }

    fn fetch(&self) -> Option<&Fetch> {
        self.remote.as_ref()?.fetch.as_deref()
    }

    /// Returns keys that are not too old, fetched first if need be.
    pub(crate) fn usable(self: &Arc<Self>, call: &Call<'_>) -> Result<SnapshotGuard> {
        self.fresh(call).map_or_else(|| self.usable_after_fetch(call), Ok)
    }

    /// Returns keys within their lifetime. Waits for nothing.
    pub(crate) fn fresh(self: &Arc<Self>, call: &Call<'_>) -> Option<SnapshotGuard> {
        let snapshot = self.snapshot.load();
        let keys = snapshot.as_ref()?;
        match keys.freshness(call.started, &call.options.lifetimes) {
            Freshness::Fresh if call.started < keys.kid_due_at.load(Ordering::Relaxed) => {}
            Freshness::Fresh | Freshness::RefreshAhead => self.refresh_aside(call),
            Freshness::Stale | Freshness::Expired => return None,
        }
        Some(snapshot)
    }

    /// Returns usable keys with this `kid`. Keys that lack it are fetched again, unless their fetch
    /// began after the call did.
    pub(crate) fn usable_with(
        self: &Arc<Self>,
        kid: &str,
        call: &Call<'_>,
    ) -> Result<SnapshotGuard> {
        loop {
            let snapshot = self.usable(call)?;
            match &*snapshot {
                Some(keys) if keys.set.find(kid).is_some() => return Ok(snapshot),
                Some(keys) if keys.id > call.latest => return Err(unknown_kid()),
                _ => {}
            }
            match self.attempt(Reason::UnknownKid, &snapshot, call) {
                Attempt::Finished => {}
                Attempt::Pending => return Err(self.pending()),
                Attempt::CoolDown => return Err(unknown_kid()),
                // The key may be new.
                Attempt::BackOff(error) | Attempt::TimedOut(error) => return Err(error),
            }
        }
    }

    /// The keys are missing or past their lifetime.
    #[cold]
    fn usable_after_fetch(self: &Arc<Self>, call: &Call<'_>) -> Result<SnapshotGuard> {
        loop {
            let snapshot = self.snapshot.load();
            let stale = match self.freshness(&snapshot, monotonic(), call) {
                Some(Freshness::Fresh | Freshness::RefreshAhead) => return Ok(snapshot),
                Some(Freshness::Stale) => true,
                Some(Freshness::Expired) | None => false,
            };
            // An issuer that was found unreachable is not waited for again.
            let failing = stale && self.shared.get().lock().fetch.failing();
            let reason = if failing { Reason::Refresh } else { Reason::NoKeys };
            match self.attempt(reason, &snapshot, call) {
                Attempt::Finished => {}
                Attempt::Pending if !failing => return Err(self.pending()),
                Attempt::BackOff(error) | Attempt::TimedOut(error) if !stale => return Err(error),
                _ => return Ok(snapshot),
            }
        }
    }

    /// Fetches for this reason, or waits for the fetch in flight, as far as the call may.
    fn attempt(
        self: &Arc<Self>,
        reason: Reason,
        seen: &Option<Arc<Snapshot>>,
        call: &Call<'_>,
    ) -> Attempt {
        let shared = self.shared.get();
        let mut progress = shared.lock();
        // A fetch may have ended since the keys were looked at.
        if !same(&self.snapshot.load(), seen) {
            return Attempt::Finished;
        }
        let now = monotonic();
        let next = match progress.fetch.next(reason, now) {
            Next::CoolDown(_) if progress.fetch.may_continue(call.timeout()) => Next::Lead,
            next => next,
        };
        match next {
            Next::Lead | Next::Follow(_) if call.may_wait && call.left().is_zero() => {
                Attempt::TimedOut(self.timed_out(call))
            }
            Next::Lead => self.start(reason, progress, now, call),
            Next::Follow(id) if call.may_wait && reason != Reason::Refresh => {
                if shared.wait(progress, id, call) {
                    Attempt::Finished
                } else {
                    Attempt::TimedOut(self.timed_out(call))
                }
            }
            Next::Follow(_) => Attempt::Pending,
            Next::BackOff(until) => {
                self.miss(reason, &mut progress);
                Attempt::BackOff(self.unavailable(&progress, now, until))
            }
            Next::CoolDown(until) => {
                self.miss(reason, &mut progress);
                if progress.fetch.failing() {
                    Attempt::BackOff(self.unavailable(&progress, now, until))
                } else if progress.fetch.kid_cut_short() {
                    Attempt::TimedOut(self.timed_out(call))
                } else {
                    Attempt::CoolDown
                }
            }
        }
    }

    /// Leads a fetch: on this thread, on another, or by leaving it to the host.
    fn start(
        self: &Arc<Self>,
        reason: Reason,
        mut progress: MutexGuard<'_, Progress>,
        now: Millis,
        call: &Call<'_>,
    ) -> Attempt {
        let background = call.options.background;
        if self.fetch().is_none() || !(call.may_wait || background) {
            self.miss(reason, &mut progress);
            return Attempt::Pending;
        }
        let aside = background && (!call.may_wait || reason == Reason::Refresh);
        let time = if aside { call.options.timeout } else { call.left() };
        let lease = self.lead(&mut progress, reason, now, call, time);
        drop(progress);
        let load = (reason == Reason::NoKeys).then_some(call.options.lifetimes);
        if !aside {
            self.perform(lease, time, load);
        } else if self.perform_aside(lease, time, load) {
            return Attempt::Pending;
        }
        Attempt::Finished
    }

    fn lead(
        self: &Arc<Self>,
        progress: &mut Progress,
        reason: Reason,
        now: Millis,
        call: &Call<'_>,
        time: Duration,
    ) -> Lease {
        let lease = time.as_millis().try_into().unwrap_or(Millis::MAX / 4) + LEASE_MARGIN;
        self.lease(progress, reason, now, call.timeout(), lease)
    }

    fn lease(
        self: &Arc<Self>,
        progress: &mut Progress,
        reason: Reason,
        now: Millis,
        timeout: Millis,
        lease: Millis,
    ) -> Lease {
        let id = FetchId(SEQUENCE.fetch_add(1, Ordering::AcqRel) + 1);
        progress.fetch.lead(id, reason, now, timeout, lease);
        Lease::new(self.clone(), id, self.snapshot.load_full())
    }

    /// Remembers an unknown `kid`, for a fetch as soon as there may be one.
    fn miss(&self, reason: Reason, progress: &mut Progress) {
        if reason == Reason::UnknownKid {
            progress.fetch.miss_kid();
            self.publish_kid_due_at(progress);
        }
    }

    fn publish_kid_due_at(&self, progress: &Progress) {
        if let Some(keys) = &*self.snapshot.load() {
            let due_at = progress.fetch.kid_due_at().unwrap_or(Millis::MAX);
            keys.kid_due_at.store(due_at, Ordering::Relaxed);
        }
    }

    /// Fetches keys that are due on another thread, if the verifier allows it. Does not wait.
    #[cold]
    fn refresh_aside(self: &Arc<Self>, call: &Call<'_>) {
        if !call.options.background || self.fetch().is_none() {
            return;
        }
        let shared = self.shared.get();
        // If the lock is taken, its holder sees to the fetch.
        let Ok(mut progress) = shared.progress.try_lock() else { return };
        let (now, snapshot) = (call.started, self.snapshot.load());
        match progress.fetch.due(self.freshness(&snapshot, now, call), now) {
            Some(reason) if progress.fetch.next(reason, now) == Next::Lead => {
                let time = call.options.timeout;
                let lease = self.lead(&mut progress, reason, now, call, time);
                drop(progress);
                self.perform_aside(lease, time, None);
            }
            _ => self.publish_kid_due_at(&progress),
        }
    }

    /// Fetches the keys on this thread, or waits for the fetch in flight. Keeps the backoff.
    pub(crate) fn refresh(self: &Arc<Self>, which: Refresh, call: &Call<'_>) -> Result<()> {
        if self.remote.is_none() {
            return Ok(());
        }
        let before = self.snapshot.load_full();
        let mut attempted = false;
        loop {
            let snapshot = self.snapshot.load_full();
            let fetched = snapshot.as_ref().is_some_and(|keys| keys.id != FROM_FILE);
            if attempted && fetched && !same(&snapshot, &before) {
                return Ok(());
            }
            let Some(reason) = self.refresh_reason(which, &snapshot, call) else { return Ok(()) };
            match self.attempt(reason, &snapshot, call) {
                Attempt::Finished => attempted = true,
                Attempt::CoolDown => return Ok(()),
                Attempt::BackOff(_) if which == Refresh::Due && !attempted => return Ok(()),
                Attempt::BackOff(error) | Attempt::TimedOut(error) => return Err(error),
                Attempt::Pending => return Err(self.pending()),
            }
        }
    }

    fn refresh_reason(
        &self,
        which: Refresh,
        snapshot: &Option<Arc<Snapshot>>,
        call: &Call<'_>,
    ) -> Option<Reason> {
        let (shared, now) = (self.shared.get(), monotonic());
        let mut progress = shared.lock();
        let recent = progress.last_success.is_some_and(|at| now.saturating_sub(at) < RECENT);
        match progress.fetch.due(self.freshness(snapshot, now, call), now) {
            Some(Reason::UnknownKid) => Some(Reason::UnknownKid),
            Some(Reason::NoKeys) if which == Refresh::Due => Some(Reason::NoKeys),
            Some(_) => Some(Reason::Explicit),
            // A caller may need the keys of the fetch in flight, however fresh these are.
            None if progress.fetch.in_flight(now) => Some(Reason::Explicit),
            None => (which == Refresh::Any && !recent).then_some(Reason::Explicit),
        }
    }

    /// Leases a fetch that is due to a host.
    pub(crate) fn claim(self: &Arc<Self>, lifetimes: &Lifetimes) -> Option<Lease> {
        self.remote.as_ref()?;
        let (shared, now) = (self.shared.get(), monotonic());
        let mut progress = shared.lock();
        let freshness = self.snapshot.load().as_ref().map(|keys| keys.freshness(now, lifetimes));
        let reason = progress.fetch.due(freshness, now)?;
        (progress.fetch.next(reason, now) == Next::Lead)
            .then(|| self.lease(&mut progress, reason, now, Millis::MAX, HOST_LEASE))
    }

    /// Forgets fetched keys. A fetch in flight comes to nothing.
    pub(super) fn clear(&self) {
        let shared = self.shared.get();
        let mut progress = shared.lock();
        progress.fetch = FetchState::default();
        progress.last_success = None;
        shared.loaded.store(true, Ordering::Relaxed);
        self.snapshot.store(None);
        shared.ended.notify_all();
    }

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
            cache_dir: self.cache_dir().map(|_| progress.cache_dir.clone()),
        }
    }

    /// Fetches on a thread that ends with the fetch. If no thread can be started, the fetch has
    /// failed, and this returns false.
    fn perform_aside(
        self: &Arc<Self>,
        lease: Lease,
        time: Duration,
        load: Option<Lifetimes>,
    ) -> bool {
        let lease = Arc::new(std::sync::Mutex::new(Some(lease)));
        let take = |lease: &std::sync::Mutex<Option<Lease>>| {
            lease.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let (keys, handed_over) = (self.clone(), lease.clone());
        let work = move || {
            if let Some(lease) = take(&handed_over) {
                keys.perform(lease, time, load);
            }
        };
        let Err(error) = with_signals_blocked(|| spawn("torii-keys", work)) else { return true };
        if let Some(lease) = take(&lease) {
            let reason = format!("cannot start a thread: {error}");
            lease.fail(FetchError { reason, timed_out: false });
        }
        false
    }

    /// Fetches on this thread, unless the keys to `load` last that long. The outcome is in the shared
    /// state.
    fn perform(&self, lease: Lease, time: Duration, load: Option<Lifetimes>) {
        let Some(fetch) = self.fetch() else { return };
        if load.is_some_and(|lifetimes| self.load_instead(&lifetimes)) {
            return lease.cancel();
        }
        match fetch(lease.etag(), time) {
            Ok(response) => drop(lease.complete(&response)),
            Err(error) => lease.fail(error),
        }
    }

    /// Ends a fetch and wakes its followers. Returns false, and stores nothing, if the fetch is no
    /// longer in flight.
    pub(super) fn complete(
        &self,
        id: FetchId,
        outcome: std::result::Result<NewKeys, FetchError>,
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
            self.save(fetched, &body);
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

    fn freshness(
        &self,
        snapshot: &Option<Arc<Snapshot>>,
        now: Millis,
        call: &Call<'_>,
    ) -> Option<Freshness> {
        snapshot.as_ref().map(|keys| keys.freshness(now, &call.options.lifetimes))
    }

    fn pending(&self) -> Error {
        let why = "must be fetched first; this call performs no I/O";
        Error::fixed(Status::KeysPending, "keys", why).of_issuer(&self.issuer)
    }

    fn unavailable(&self, progress: &Progress, now: Millis, until: Millis) -> Error {
        let reason = progress.last_error.as_deref().unwrap_or("a fetch never ended");
        let seconds = until.saturating_sub(now).div_ceil(1_000).max(1);
        self.cannot_fetch(reason).after(seconds)
    }

    fn timed_out(&self, call: &Call<'_>) -> Error {
        self.cannot_fetch(&format!("no answer within {} ms", call.timeout())).after(1)
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

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        // A panic leaves at worst a fetch that never ends, which counts as lost in time.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the fetch has ended. Returns false if the call's time is up before.
    fn wait(&self, mut progress: MutexGuard<'_, Progress>, id: FetchId, call: &Call<'_>) -> bool {
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

fn same(one: &Option<Arc<Snapshot>>, other: &Option<Arc<Snapshot>>) -> bool {
    one.as_ref().map(Arc::as_ptr) == other.as_ref().map(Arc::as_ptr)
}

fn unknown_kid() -> Error {
    let why = "`kid` names no key of the issuer";
    Error::fixed(Status::TokenKeyUnknown, "token header", why)
}

#[cfg(test)]
mod tests;

/// Threads that meet here, in random orders; deadlocks are found too.
/// `cargo test -p torii --lib --features model,test-hooks model`
#[cfg(all(test, feature = "model"))]
mod model;
