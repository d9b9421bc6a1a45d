//! Fetching issuers' keys beside the requests, and waking the requests that wait for them.
//!
//! Threads live for as long as there is something to do: for each issuer one while its keys are
//! being fetched, and one while requests wait for them. Of Envoy they know nothing but the wakers
//! of streams and the log, and touch these only under the lock, which the destruction of a stream
//! and of a configuration take as well: afterwards they touch them no more.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use torii::Verifier;

use crate::host::{Event, Level, Log, Wake};

/// The keys of all issuers of a configuration.
pub struct Keys(Vec<Arc<Source>>);

/// One issuer's keys.
pub struct Source {
    issuer: String,
    /// Knows this issuer only, and fetches its keys for all verifiers of the process.
    verifier: Verifier,
    /// Whether the keys are fetched at all, or were given.
    fetched: bool,
    made: Instant,
    /// When the keys are to be renewed, in milliseconds since `made`.
    renew_at: AtomicU64,
    /// Fetches that ended, and those that failed, not yet told to Envoy's statistics.
    ended: AtomicU64,
    failed: AtomicU64,
    state: Mutex<State>,
    /// Told when another request is the first whose time is up.
    first: Condvar,
    log: Log,
}

#[derive(Default)]
struct State {
    closed: bool,
    fetching: bool,
    watching: bool,
    /// Whether the last fetch failed.
    failing: bool,
    /// What wakes the requests that wait; whose time is up first is first.
    parked: BTreeMap<Ticket, Box<dyn Wake>>,
}

/// How many requests were parked in this process.
static TICKETS: AtomicU64 = AtomicU64::new(0);

/// A place among those that wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket {
    deadline: Instant,
    number: u64,
}

impl Keys {
    /// Keys that the verifiers fetch, each of a single issuer, or that were given to them (false).
    pub fn new(verifiers: Vec<(Verifier, bool)>, log: Log) -> Result<Self, String> {
        let source = |(verifier, fetched): (Verifier, bool)| {
            Ok(Arc::new(Source {
                issuer: issuer(&verifier).ok_or("an issuer without a name")?,
                verifier,
                fetched,
                made: Instant::now(),
                renew_at: AtomicU64::new(0),
                ended: AtomicU64::new(0),
                failed: AtomicU64::new(0),
                state: Mutex::default(),
                first: Condvar::new(),
                log,
            }))
        };
        verifiers.into_iter().map(source).collect::<Result<_, String>>().map(Keys)
    }

    /// The keys of an issuer, named without trailing slashes.
    pub fn of(&self, issuer: &str) -> Option<&Arc<Source>> {
        self.0.iter().find(|source| source.issuer == issuer)
    }

    /// Forgets a request that waits.
    pub fn unpark(&self, ticket: Ticket) {
        for source in &self.0 {
            source.lock().parked.remove(&ticket);
        }
    }

    /// Has every issuer's keys fetched that are missing or due, without waiting for them.
    pub fn warm_up(&self) {
        self.0.iter().for_each(Source::renew);
    }

    /// Fetches that ended since the last call, and how many of them failed.
    pub fn take_counts(&self) -> (u64, u64) {
        let take = |count: &AtomicU64| match count.load(Ordering::Relaxed) {
            0 => 0,
            _ => count.swap(0, Ordering::Relaxed),
        };
        self.0.iter().fold((0, 0), |(ended, failed), source| {
            (ended + take(&source.ended), failed + take(&source.failed))
        })
    }
}

impl Drop for Keys {
    /// Afterwards no thread touches Envoy; those under way end by themselves.
    fn drop(&mut self) {
        for source in &self.0 {
            let mut state = source.lock();
            state.closed = true;
            state.parked.clear();
            source.first.notify_one();
        }
    }
}

impl Source {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has the keys fetched if they are due for it, for whoever comes next. Costs next to nothing
    /// when they are not.
    pub fn renew(self: &Arc<Self>) {
        let now = self.elapsed();
        if now < self.renew_at.load(Ordering::Relaxed) || !self.fetched {
            return;
        }
        // Somebody else in this process may have fetched them meanwhile.
        match due_in(&self.verifier) {
            Some(left) if !left.is_zero() => self.renew_in(left),
            _ => {
                // Whoever is next need not try as well; how the fetch ends says more.
                self.renew_in(Duration::from_secs(1));
                self.fetch(&mut self.lock());
            }
        }
    }

    fn renew_in(&self, time: Duration) {
        let at = self.elapsed().saturating_add(millis(time));
        self.renew_at.store(at, Ordering::Relaxed);
    }

    fn elapsed(&self) -> u64 {
        millis(self.made.elapsed())
    }

    /// Has the keys fetched, and the waker called when they were, or `timeout` has passed since
    /// the request was first parked. `None` when no thread could be had.
    pub fn park(
        self: &Arc<Self>,
        again: Option<Ticket>,
        timeout: Duration,
        waker: Box<dyn Wake>,
    ) -> Option<Ticket> {
        let mut state = self.lock();
        let ticket = again.unwrap_or_else(|| Ticket {
            deadline: Instant::now() + timeout,
            number: TICKETS.fetch_add(1, Ordering::Relaxed),
        });
        if !self.watch(&mut state) || !self.fetch(&mut state) {
            return None;
        }
        state.parked.insert(ticket, waker);
        if state.parked.first_key_value().is_some_and(|(first, _)| *first == ticket) {
            self.first.notify_one();
        }
        Some(ticket)
    }

    /// Starts a fetch unless one is under way. False when it cannot be done.
    fn fetch(self: &Arc<Self>, state: &mut State) -> bool {
        if !state.fetching && !state.closed {
            let source = self.clone();
            let thread = thread::Builder::new().name("torii-keys".to_owned());
            state.fetching = thread.spawn(move || source.run_fetch()).is_ok();
        }
        state.fetching
    }

    /// Sees to it that nobody waits beyond his time. False when it cannot be done.
    fn watch(self: &Arc<Self>, state: &mut State) -> bool {
        if !state.watching && !state.closed {
            let source = self.clone();
            let thread = thread::Builder::new().name("torii-wait".to_owned());
            state.watching = thread.spawn(move || source.run_watch()).is_ok();
        }
        state.watching
    }

    fn run_fetch(self: Arc<Self>) {
        let before = fetches(&self.verifier);
        let outcome = catch_unwind(AssertUnwindSafe(|| self.verifier.refresh()));
        let fetched = fetches(&self.verifier) != before;
        let mut state = self.lock();
        state.fetching = false;
        if state.closed {
            return;
        }
        self.ended.fetch_add(u64::from(fetched), Ordering::Relaxed);
        match outcome {
            Ok(Ok(())) => self.fetch_ended_well(&mut state),
            Ok(Err(error)) => {
                self.failed.fetch_add(u64::from(fetched), Ordering::Relaxed);
                self.fetch_failed(&mut state, &error.to_string(), error.retry_after());
            }
            Err(_) => self.fetch_failed(&mut state, "fetching keys failed by a defect", None),
        }
        for (_, waker) in std::mem::take(&mut state.parked) {
            waker.wake(Event::Fetched);
        }
    }

    fn fetch_ended_well(&self, state: &mut State) {
        self.renew_in(due_in(&self.verifier).unwrap_or(Duration::from_secs(1)));
        if std::mem::take(&mut state.failing) {
            let text = format!("the keys of {} can be had again", self.issuer);
            (self.log)(Level::Info, &text);
        }
    }

    fn fetch_failed(&self, state: &mut State, why: &str, retry_after: Option<u64>) {
        self.renew_in(Duration::from_secs(retry_after.unwrap_or(1)));
        if !std::mem::replace(&mut state.failing, true) {
            (self.log)(Level::Warn, why);
        }
    }

    fn run_watch(self: Arc<Self>) {
        let mut state = self.lock();
        while let Some(first) = state.parked.first_entry() {
            let left = first.key().deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                first.remove().wake(Event::Expired);
            } else {
                let waited = self.first.wait_timeout(state, left);
                state = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        }
        state.watching = false;
    }
}

/// The name of a verifier's only issuer.
fn issuer(verifier: &Verifier) -> Option<String> {
    verifier.stats().ok()?.str("/issuers/0/issuer").map(str::to_owned)
}

/// How many fetches of the keys have ended, whoever made them.
fn fetches(verifier: &Verifier) -> Option<i64> {
    verifier.stats().ok()?.int("/issuers/0/fetches").ok()
}

/// How long until the keys are to be fetched.
fn due_in(verifier: &Verifier) -> Option<Duration> {
    let due = verifier.stats().ok()?.int("/issuers/0/due_in_ms").ok()?;
    u64::try_from(due).ok().map(Duration::from_millis)
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
