//! When the revocations file is checked, and by which thread.
//!
//! Verifications read the last good list without a lock. A check is led by one caller at a time; the
//! lock around [`Progress`] is held for a few instructions, never during a check, and never by a
//! thread that a forked child has lost.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, TryLockError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::file::{self, Found, Seen};
use super::list::{List, User};
use crate::clock::{Millis, monotonic};
use crate::fork::{ForkLocal, with_signals_blocked};
use crate::sync::{Condvar, Mutex, MutexGuard, spawn};

/// A check is due this long after the last one.
const EVERY: Millis = 1_000;
/// A call that may wait uses no list older than this.
const MAX_AGE: Millis = 2_000;
/// A call that may not wait uses no list older than this.
const MAX_AGE_NOWAIT: Millis = 5_000;

/// A file that verifiers of the process share.
pub(super) struct WatchedFile {
    path: PathBuf,
    /// The last good content; `None` if it has no entry.
    list: ArcSwapOption<List>,
    /// When the last check began that has ended.
    checked_at: AtomicU64,
    /// When the last check began, or ended without a result.
    tried_at: AtomicU64,
    shared: ForkLocal<Shared>,
    read: Box<Read>,
}

/// Reads the file as [`file::check`] does.
type Read = dyn Fn(&Path, Option<&Seen>, i64) -> Result<Found, String> + Send + Sync;

/// State of this process alone: a forked child starts with a new one and the parent's list.
#[derive(Default)]
struct Shared {
    progress: Mutex<Progress>,
    ended: Condvar,
}

#[derive(Default)]
struct Progress {
    /// When the check in flight began.
    checking_since: Option<Millis>,
    seen: Option<Seen>,
    reads: u64,
    failures: u64,
    /// Why the last check failed, if it did.
    last_error: Option<String>,
}

/// How a call may bring the list up to date.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// When the call started, for its deadline.
    pub(super) started: Millis,
    /// The time now, for the age of the list: the call may have waited for keys.
    pub(super) now: Millis,
    /// Whether the call may check the file, or wait for another thread that does.
    pub(super) may_wait: bool,
    /// Whether a thread may be started to check the file.
    pub(super) background: bool,
    /// How long the call may wait.
    pub(super) timeout: Duration,
}

impl Terms {
    /// Until when the call waits for a check that began at this time.
    ///
    /// A check that has just begun may take a second even if the time of the call is up: calls that
    /// waited for the same failed fetch of keys all come to the file at once.
    fn waits_until(&self, checking_since: Millis) -> Millis {
        let timeout = Millis::try_from(self.timeout.as_millis()).unwrap_or(Millis::MAX);
        let of_call = checking_since.min(self.started).saturating_add(timeout);
        of_call.max(checking_since.saturating_add(timeout.min(EVERY)))
    }
}

/// Why the list is too old for a call.
#[derive(Debug, PartialEq)]
pub(super) enum Outdated {
    /// The call may not check the file.
    Pending,
    /// Another thread has been checking it for too long.
    TimedOut,
}

/// Statistics of the file.
pub(crate) struct FileStats {
    pub(crate) entries: usize,
    /// Seconds since the last check.
    pub(crate) last_check: u64,
    /// How often the content was read.
    pub(crate) reads: u64,
    /// Looks that failed.
    pub(crate) failures: u64,
    /// Why the last check failed, if it did.
    pub(crate) last_error: Option<String>,
}

impl WatchedFile {
    pub(super) fn new(path: PathBuf) -> Arc<Self> {
        WatchedFile::with(path, Box::new(file::check))
    }

    fn with(path: PathBuf, read: Box<Read>) -> Arc<Self> {
        Arc::new(WatchedFile {
            path,
            list: ArcSwapOption::empty(),
            checked_at: AtomicU64::new(0),
            tried_at: AtomicU64::new(0),
            shared: ForkLocal::new(Shared::default),
            read,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn find(&self, user: User<'_>) -> Option<i64> {
        self.list.load().as_ref()?.find(user)
    }

    /// Makes sure that the list is not too old for a call. `now` tells the Unix time; it is called on
    /// this thread, before a check begins.
    pub(super) fn keep_current(
        self: &Arc<Self>,
        terms: &Terms,
        now: impl FnOnce() -> i64,
    ) -> Result<(), Outdated> {
        if self.age(terms.now) < EVERY {
            return Ok(());
        }
        self.catch_up(terms, now())
    }

    fn age(&self, now: Millis) -> Millis {
        now.saturating_sub(self.checked_at.load(Ordering::Acquire))
    }

    #[cold]
    fn catch_up(self: &Arc<Self>, terms: &Terms, now: i64) -> Result<(), Outdated> {
        if terms.may_wait {
            if let Some(check) = self.try_lead(terms.now) {
                check.perform(now);
                return Ok(());
            }
            return match self.age(terms.now) {
                ..MAX_AGE => Ok(()),
                _ => self.check_unless_within(MAX_AGE, terms, now).map(drop),
            };
        }
        if terms.background
            && let Some(check) = self.try_lead(terms.now)
        {
            check.perform_aside(now);
        }
        match self.age(terms.now) {
            ..MAX_AGE_NOWAIT => Ok(()),
            _ => Err(Outdated::Pending),
        }
    }

    /// Leads a check if one is due and none is in flight. Waits for no lock: its holder leads the
    /// check, or the next call does.
    fn try_lead(self: &Arc<Self>, now: Millis) -> Option<Check> {
        if now.saturating_sub(self.tried_at.load(Ordering::Relaxed)) < EVERY {
            return None;
        }
        let shared = self.shared.get();
        let mut progress = match shared.progress.try_lock() {
            Ok(progress) => progress,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        let due = progress.checking_since.is_none() && self.age(now) >= EVERY;
        due.then(|| self.lead(&mut progress))
    }

    fn lead(self: &Arc<Self>, progress: &mut Progress) -> Check {
        let started = monotonic();
        progress.checking_since = Some(started);
        self.tried_at.store(started, Ordering::Relaxed);
        Check { file: self.clone(), started, seen: progress.seen.take(), ended: false }
    }

    /// Checks the file on this thread if the last check is older, after the one in flight. Returns
    /// why the file cannot be used, if this call has checked.
    fn check_unless_within(
        self: &Arc<Self>,
        max_age: Millis,
        terms: &Terms,
        now: i64,
    ) -> Result<Option<String>, Outdated> {
        let shared = self.shared.get();
        loop {
            let mut progress = shared.lock();
            if self.age(terms.now) < max_age {
                return Ok(None);
            }
            if progress.checking_since.is_none() {
                let check = self.lead(&mut progress);
                drop(progress);
                return Ok(check.perform(now));
            }
            if !shared.wait(progress, terms) {
                self.tried_at.store(monotonic(), Ordering::Relaxed);
                return Err(Outdated::TimedOut);
            }
        }
    }

    /// Checks the file if that is due, on this thread, or waits for the thread that does.
    pub(super) fn check_if_due(self: &Arc<Self>, terms: &Terms, now: i64) {
        // A file that cannot be read is counted, and the list stays.
        let _ = self.check_unless_within(EVERY, terms, now);
    }

    /// Checks the file on this thread, due or not. An error is why the file cannot be used.
    pub(super) fn check(self: &Arc<Self>, terms: &Terms, now: i64) -> Result<(), String> {
        match self.check_unless_within(0, terms, now) {
            Ok(fault) => fault.map_or(Ok(()), Err),
            Err(_) => Err(format!("not read within {} ms", terms.timeout.as_millis())),
        }
    }

    /// Milliseconds until a check is due.
    pub(super) fn due_in(&self) -> Millis {
        let [checked_at, tried_at] =
            [&self.checked_at, &self.tried_at].map(|time| time.load(Ordering::Relaxed));
        (checked_at.max(tried_at) + EVERY).saturating_sub(monotonic())
    }

    pub(super) fn stats(&self) -> FileStats {
        let shared = self.shared.get();
        let progress = shared.lock();
        FileStats {
            entries: self.list.load().as_ref().map_or(0, |list| list.len()),
            last_check: self.age(monotonic()) / 1_000,
            reads: progress.reads,
            failures: progress.failures,
            last_error: progress.last_error.clone(),
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        // A panic leaves at worst a check that never ends, for which no call waits forever.
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a check has ended. Returns false if the time of the call is up before, or if the
    /// check in flight has taken that long.
    fn wait(&self, progress: MutexGuard<'_, Progress>, terms: &Terms) -> bool {
        let checking_since = progress.checking_since.unwrap_or(terms.started);
        let left = terms.waits_until(checking_since).saturating_sub(monotonic());
        if left == 0 {
            return false;
        }
        let waited = self.ended.wait_timeout(progress, Duration::from_millis(left));
        drop(waited);
        true
    }
}

/// A check that one caller leads. Dropped before it has ended, it has failed.
struct Check {
    file: Arc<WatchedFile>,
    started: Millis,
    seen: Option<Seen>,
    ended: bool,
}

impl Check {
    /// Checks the file on this thread. Returns why it cannot be used, if so.
    fn perform(mut self, now: i64) -> Option<String> {
        let found = (self.file.read)(&self.file.path, self.seen.as_ref(), now);
        self.end(|file, progress, check| {
            let fault = match found {
                Ok(Found::Unchanged) => {
                    progress.seen = check.seen.take();
                    None
                }
                Ok(Found::Changed(list, seen)) => {
                    file.list.store((list.len() > 0).then(|| Arc::new(list)));
                    progress.seen = seen;
                    progress.reads += 1;
                    None
                }
                Err(fault) => Some(fault),
            };
            file.checked_at.store(check.started, Ordering::Release);
            fault
        })
    }

    /// Checks the file on a thread that ends with the check.
    fn perform_aside(self, now: i64) {
        let check = Arc::new(std::sync::Mutex::new(Some(self)));
        let take = |check: &std::sync::Mutex<Option<Check>>| {
            check.lock().unwrap_or_else(PoisonError::into_inner).take()
        };
        let handed_over = check.clone();
        let work = move || drop(take(&handed_over).and_then(|check| check.perform(now)));
        if let Err(error) = with_signals_blocked(|| spawn("torii-revoked", work))
            && let Some(check) = take(&check)
        {
            check.fail(format!("cannot start a thread: {error}"));
        }
    }

    /// Ends without a check: the list is as old as before.
    fn fail(mut self, fault: String) {
        self.end(|_, _, _| Some(fault));
    }

    fn end(
        &mut self,
        outcome: impl FnOnce(&WatchedFile, &mut Progress, &mut Check) -> Option<String>,
    ) -> Option<String> {
        self.ended = true;
        let file = self.file.clone();
        let shared = file.shared.get();
        let mut progress = shared.lock();
        let fault = outcome(&file, &mut progress, self);
        progress.checking_since = None;
        progress.failures += u64::from(fault.is_some());
        progress.last_error.clone_from(&fault);
        shared.ended.notify_all();
        fault
    }
}

impl Drop for Check {
    fn drop(&mut self) {
        if !self.ended {
            self.end(|_, _, _| Some("the check was abandoned".to_owned()));
        }
    }
}

#[cfg(test)]
mod tests;

/// Threads that meet here, in random orders; deadlocks are found too.
/// `cargo test -p torii --lib --features model,test-hooks model`
#[cfg(all(test, feature = "model"))]
mod model;
