//! Getting usable keys: those in use, or a fetch that the call leads, follows or leaves to the host.
//!
//! A fetch is made once for all calls that need it. [`FetchState`](super::fetch_state::FetchState)
//! decides who leads it, and when.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::call::Call;
use super::fetch::FetchError;
use super::fetch_id::FetchId;
use super::fetch_state::{Next, Reason};
use super::freshness::{Freshness, Lifetimes};
use super::issuer_keys::IssuerKeys;
use super::lease::Lease;
use super::progress::Progress;
use super::snapshot::{Snapshot, SnapshotGuard, same};
use crate::clock::{Millis, monotonic};
use crate::error::{Error, Result, Status};
use crate::fork::with_signals_blocked;
use crate::sync::{MutexGuard, spawn};

/// How long a host may take for a fetch.
const HOST_LEASE: Millis = 30_000;
/// How much longer than its timeout a fetch of the library may take before it counts as lost.
const LEASE_MARGIN: Millis = 5_000;
/// An explicit refresh joins a fetch that succeeded this recently.
const RECENT: Millis = 1_000;

/// The outcome of a call's attempt to get a fetch done.
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

impl IssuerKeys {
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
    /// began after the call did, and at most once in
    /// [`KID_COOLDOWN`](super::fetch_state::KID_COOLDOWN).
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
        let time = time.as_millis().try_into().unwrap_or(Millis::MAX / 4);
        let mut lease = self.lease(progress, reason, now, call.timeout(), time + LEASE_MARGIN);
        lease.deadline = now + time;
        lease
    }

    fn lease(
        self: &Arc<Self>,
        progress: &mut Progress,
        reason: Reason,
        now: Millis,
        timeout: Millis,
        lease: Millis,
    ) -> Lease {
        let id = FetchId::next();
        progress.fetch.lead(id, reason, now, timeout, lease);
        Lease::new(self.clone(), id, self.snapshot.load_full())
    }

    /// Remembers an unknown `kid`, so that a fetch becomes due at the end of the cooldown.
    fn miss(&self, reason: Reason, progress: &mut Progress) {
        if reason == Reason::UnknownKid {
            progress.fetch.miss_kid();
            self.publish_kid_due_at(progress);
        }
    }

    /// Fetches keys that are due on another thread, if the verifier allows it. Does not wait.
    #[cold]
    fn refresh_aside(self: &Arc<Self>, call: &Call<'_>) {
        if !call.options.background || self.fetch().is_none() {
            return;
        }
        let shared = self.shared.get();
        // If the lock is taken, its holder starts the fetch.
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
            let fetched = snapshot.as_ref().is_some_and(|keys| keys.id != FetchId::FROM_FILE);
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
