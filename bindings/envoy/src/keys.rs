//! Fetches keys beside the requests, and wakes the requests that wait for them.
//!
//! When a fetch is due, and that there is one at a time, is up to the library. This module lends it
//! threads, so that no worker waits: a timer for each configuration, one thread for each issuer
//! whose keys requests wait for, one for keys that are renewed ahead of time, and one that checks the
//! revocations file, which an issuer that hangs does not hold up. These threads use
//! the wakers of streams and the log only under the lock, which the destruction of a stream and of
//! a configuration take as well: afterwards they use them no more.

use std::collections::{BTreeMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use torii::{Json, Verifier};

use crate::host::{Event, Level, Log, Wake};

/// The keys of a configuration's verifier.
pub struct Keys(Arc<Shared>);

struct Shared {
    verifier: Arc<Verifier>,
    /// How long a request may wait.
    timeout: Duration,
    has_file: bool,
    state: Mutex<State>,
    /// Told when the timer has something new to wait for.
    changed: Condvar,
    /// Told when the configuration is gone, for the thread that checks the file.
    closing: Condvar,
    /// Fetches that ended, and those that failed, not yet told to Envoy's statistics.
    ended: AtomicU64,
    failed: AtomicU64,
    log: Log,
}

#[derive(Default)]
struct State {
    closed: bool,
    has_timer: bool,
    /// Whether the last check of the revocations file failed.
    file_failing: bool,
    /// The issuers whose keys a thread fetches for parked requests.
    fetching: HashSet<String>,
    /// Whether a thread renews keys, and when the last one ended.
    renewing: bool,
    renewed_at: Option<Instant>,
    /// The requests that wait, those whose time is up first in front.
    parked: BTreeMap<Ticket, Parked>,
    issuers: Vec<Observed>,
}

struct Parked {
    issuer: String,
    waker: Box<dyn Wake>,
}

/// The fetches for an issuer, as last seen.
#[derive(Default)]
struct Observed {
    fetches: u64,
    failures: u64,
    failing: bool,
}

/// The least time between two renewals, so that nothing makes the timer run hot.
const SPACING: Duration = Duration::from_millis(100);

/// How often the revocations file is checked. The library needs it to be within 5 s.
const FILE_CHECK: Duration = Duration::from_secs(1);

/// How many requests were parked in this process.
static TICKETS: AtomicU64 = AtomicU64::new(0);

/// A place among the requests that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    deadline: Instant,
    number: u64,
}

impl Keys {
    /// The keys of this verifier. Nothing is fetched yet.
    pub fn new(verifier: Arc<Verifier>, timeout: Duration, has_file: bool, log: Log) -> Self {
        let shared = Shared {
            verifier,
            timeout,
            has_file,
            state: Mutex::default(),
            changed: Condvar::new(),
            closing: Condvar::new(),
            ended: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            log,
        };
        // Fetches that ended before are not counted.
        shared.observe(&mut shared.lock(), |_, _| {});
        let keys = Keys(Arc::new(shared));
        keys.take_counts();
        keys
    }

    /// Has missing keys fetched now, all keys before they are too old, and the revocations file
    /// checked each second, without waiting.
    pub fn keep_fresh(&self) {
        if self.0.keys_due_in_ms().is_some() {
            self.0.start_timer(&mut self.0.lock());
        }
        if self.0.has_file && !self.0.start("torii-revoked", |shared| shared.check_file()) {
            // Requests have the file checked once the list is too old.
            (self.0.log)(Level::Warn, "cannot start a thread that checks the revocations file");
        }
    }

    /// Has the issuer's keys fetched, and the waker called when that ends or the request's time is
    /// up. `again` is the ticket of a request that waited before. `None` if no thread can be
    /// started.
    pub fn park(
        &self,
        issuer: &str,
        again: Option<Ticket>,
        waker: Box<dyn Wake>,
    ) -> Option<Ticket> {
        let mut state = self.0.lock();
        if !self.0.start_timer(&mut state) || !self.0.start_fetch(&mut state, issuer) {
            return None;
        }
        let ticket = again.unwrap_or_else(|| Ticket {
            deadline: Instant::now() + self.0.timeout,
            number: TICKETS.fetch_add(1, Ordering::Relaxed),
        });
        state.parked.insert(ticket, Parked { issuer: issuer.to_owned(), waker });
        if state.parked.first_key_value().is_some_and(|(first, _)| *first == ticket) {
            self.0.changed.notify_one();
        }
        Some(ticket)
    }

    /// Forgets a request that waits.
    pub fn unpark(&self, ticket: Ticket) {
        self.0.lock().parked.remove(&ticket);
    }

    /// Returns the fetches that ended since the last call, and how many of them failed.
    pub fn take_counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| match count.load(Ordering::Relaxed) {
            0 => 0,
            _ => count.swap(0, Ordering::Relaxed),
        };
        (take(&self.0.ended), take(&self.0.failed))
    }
}

impl Drop for Keys {
    /// Afterwards no thread uses Envoy; those under way end by themselves.
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.closed = true;
        state.parked.clear();
        self.0.changed.notify_one();
        self.0.closing.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a thread. False if that is not possible.
    fn start(self: &Arc<Self>, name: &str, run: impl FnOnce(&Arc<Self>) + Send + 'static) -> bool {
        let shared = self.clone();
        thread::Builder::new().name(name.to_owned()).spawn(move || run(&shared)).is_ok()
    }

    fn start_timer(self: &Arc<Self>, state: &mut State) -> bool {
        if !state.has_timer {
            state.has_timer = self.start("torii-timer", Self::run_timer);
        }
        state.has_timer
    }

    /// Fetches an issuer's keys for the requests that wait, unless a thread does so already.
    fn start_fetch(self: &Arc<Self>, state: &mut State, issuer: &str) -> bool {
        if state.fetching.contains(issuer) {
            return true;
        }
        let name = issuer.to_owned();
        let started = self.start("torii-fetch", move |shared| shared.run_fetch(&name));
        if started {
            state.fetching.insert(issuer.to_owned());
        }
        started
    }

    fn run_fetch(&self, issuer: &str) {
        let mut state = self.refresh_due(Some(issuer));
        state.fetching.remove(issuer);
        let waiting = std::mem::take(&mut state.parked);
        let (woken, others): (BTreeMap<_, _>, _) =
            waiting.into_iter().partition(|(_, parked)| parked.issuer == issuer);
        state.parked = others;
        for parked in woken.into_values() {
            parked.waker.wake(Event::Fetched);
        }
        // The keys have another age now.
        self.changed.notify_one();
    }

    fn run_renewal(&self) {
        let mut state = self.refresh_due(None);
        state.renewing = false;
        state.renewed_at = Some(Instant::now());
        self.changed.notify_one();
    }

    /// Fetches keys that are due, and reports the outcome.
    fn refresh_due(&self, issuer: Option<&str>) -> MutexGuard<'_, State> {
        let refresh = AssertUnwindSafe(|| self.verifier.refresh_due(issuer));
        let defect = catch_unwind(refresh).is_err();
        let mut state = self.lock();
        if !state.closed {
            self.observe(&mut state, self.log);
            if defect {
                (self.log)(Level::Warn, "fetching keys failed by a defect");
            }
        }
        state
    }

    /// Checks the revocations file until the configuration is gone.
    fn check_file(&self) {
        loop {
            let check = AssertUnwindSafe(|| self.verifier.refresh_revocations_due());
            let defect = catch_unwind(check).is_err();
            let state = self.lock();
            if state.closed {
                return;
            }
            let state = self.observe_file(state, defect);
            drop(self.closing.wait_timeout(state, FILE_CHECK));
        }
    }

    /// Reports that the revocations file cannot be used, or can be again.
    fn observe_file<'a>(
        &self,
        mut state: MutexGuard<'a, State>,
        defect: bool,
    ) -> MutexGuard<'a, State> {
        let Ok(stats) = self.verifier.stats() else { return state };
        let fault = stats.str("/revocations/file/last_error");
        let why = fault.or_else(|| defect.then_some("checking it failed by a defect"));
        if let Some(why) = why.filter(|_| !state.file_failing) {
            (self.log)(Level::Warn, &format!("cannot use the revocations file: {why}"));
        } else if why.is_none() && state.file_failing {
            (self.log)(Level::Info, "the revocations file is in use again");
        }
        state.file_failing = why.is_some();
        state
    }

    /// Milliseconds until keys are due. The library's own number is that of the file as well.
    fn keys_due_in_ms(&self) -> Option<u64> {
        if !self.has_file {
            return self.verifier.due_in_ms();
        }
        let stats = self.verifier.stats().ok()?;
        let due_in = |index| stats.int(&format!("/issuers/{index}/due_in_ms")).ok();
        let issuers = 0..stats.len("/issuers").unwrap_or_default();
        issuers.filter_map(due_in).min().and_then(|due_in| u64::try_from(due_in).ok())
    }

    fn run_timer(self: &Arc<Self>) {
        let mut state = self.lock();
        while !state.closed {
            let expired = self.expire(&mut state);
            let renewal = self.renew(&mut state);
            let waits = [expired, renewal].into_iter().flatten().min();
            state = match waits {
                Some(time) => {
                    let waited = self.changed.wait_timeout(state, time);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Wakes the requests whose time is up. Returns how long until the next one's is.
    fn expire(&self, state: &mut State) -> Option<Duration> {
        while let Some(first) = state.parked.first_entry() {
            let left = first.key().deadline.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                return Some(left);
            }
            first.remove().waker.wake(Event::Expired);
        }
        None
    }

    /// Renews keys that are due. Returns how long until keys are due again; a renewal that ends
    /// wakes the timer.
    fn renew(self: &Arc<Self>, state: &mut State) -> Option<Duration> {
        if state.renewing {
            return None;
        }
        let due_in = Duration::from_millis(self.keys_due_in_ms()?);
        let since = state.renewed_at.map_or(SPACING, |at| at.elapsed());
        let left = due_in.max(SPACING.saturating_sub(since));
        if !left.is_zero() {
            return Some(left);
        }
        state.renewing = self.start("torii-renew", |shared| shared.run_renewal());
        (!state.renewing).then_some(Duration::from_secs(1))
    }

    /// Compares the library's statistics with what they were: counts the fetches that ended, those
    /// of other verifiers included, and reports an issuer that became unreachable, or is reachable again.
    fn observe(&self, state: &mut State, report: impl Fn(Level, &str)) {
        let Ok(stats) = self.verifier.stats() else { return };
        let issuers = stats.len("/issuers").unwrap_or_default();
        state.issuers.resize_with(issuers, Observed::default);
        for (index, seen) in state.issuers.iter_mut().enumerate() {
            let [fetches, failures] =
                ["fetches", "failures"].map(|name| count(&stats, index, name));
            let member = |name: &str| stats.str(&format!("/issuers/{index}/{name}"));
            let ended = fetches.saturating_sub(seen.fetches);
            let failed = failures.saturating_sub(seen.failures);
            self.ended.fetch_add(ended, Ordering::Relaxed);
            self.failed.fetch_add(failed, Ordering::Relaxed);
            let issuer = member("issuer").unwrap_or_default();
            let failing = if ended == 0 { seen.failing } else { failed == ended };
            if failing && !seen.failing {
                let why = member("last_error").unwrap_or("unknown");
                report(Level::Warn, &format!("cannot fetch keys of {issuer}: {why}"));
            } else if seen.failing && !failing {
                report(Level::Info, &format!("fetched keys of {issuer} again"));
            }
            *seen = Observed { fetches, failures, failing };
        }
    }
}

fn count(stats: &Json, issuer: usize, name: &str) -> u64 {
    let value = stats.int(&format!("/issuers/{issuer}/{name}"));
    value.ok().and_then(|value| u64::try_from(value).ok()).unwrap_or_default()
}
