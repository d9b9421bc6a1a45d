//! Where an issuer's keys come from, and the drivers around [`Life`]: the blocking fetch, the
//! short-lived refresh thread, and a host that fetches by itself.
//!
//! Verifications read the keys without a lock. The lock around [`Life`] is held for a few
//! instructions, never during a fetch, and never by a thread a child of `fork` has lost.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwapOption, Guard};

use super::fetch::{Answer, Fetch};
use super::jwks::KeySet;
use super::life::{Birth, Life, Need, Phase, Policy, Ticket, Turn};
use super::sync::{Condvar, Mutex, MutexGuard, thread};
use crate::clock::{Millis, monotonic};
use crate::error::{Error, Result, Status};
use crate::fork::ForkLocal;
use crate::jitter::jitter;
use crate::text::{NulStr, NulString};

/// A key set in use, and what is known of its age.
pub(crate) struct Held {
    pub(crate) set: Arc<KeySet>,
    birth: Birth,
    /// Which fetch brought it, in the order in which they are begun.
    number: u64,
    etag: Option<Arc<str>>,
}

/// Keys to verify with; they stay as they are while this is held.
pub(crate) type Use = Guard<Option<Arc<Held>>>;

/// What a caller will put up with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FetchOptions {
    /// Whether the call may fetch keys, or wait for somebody who does.
    pub(crate) may_wait: bool,
    /// Whether a thread may be started to fetch keys ahead of time.
    pub(crate) background: bool,
    /// How long a fetch may take.
    pub(crate) timeout: Duration,
}

impl FetchOptions {
    /// How long a fetch may run before it counts as lost: a little longer than it can take.
    fn lease(&self) -> Millis {
        u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX / 4) + 5_000
    }
}

/// One issuer's keys.
pub(crate) struct Source {
    url: NulString,
    /// `None` where keys were given and are never fetched.
    fetch: Option<Box<Fetch>>,
    held: ArcSwapOption<Held>,
    gate: ForkLocal<Gate>,
}

#[derive(Default)]
struct Gate {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Default)]
struct State {
    life: Life,
    /// Why the last fetch failed.
    reason: String,
    last_success: Option<Millis>,
    fetches: u64,
    failures: u64,
}

/// What statistics tell of a source.
pub(crate) struct Account {
    pub(crate) fetches: u64,
    pub(crate) failures: u64,
    pub(crate) keys: usize,
    pub(crate) skipped: usize,
    /// Seconds since the keys in use were asked for.
    pub(crate) age: Option<u64>,
    /// Milliseconds until keys are to be fetched; none where they were given.
    pub(crate) due_in: Option<u64>,
}

/// A fetch that is somebody's to do. Dropped before it is settled, it has failed.
pub(crate) struct Claim {
    source: Arc<Source>,
    ticket: Ticket,
    number: u64,
    settled: bool,
}

/// What a caller with a need does next.
enum Step {
    /// Goes on with these keys.
    Go(Use),
    Fetch(Claim),
    Wait(Ticket),
}

impl Source {
    /// Keys that are fetched, from `url`.
    pub(crate) fn new(url: &str, fetch: Box<Fetch>) -> Self {
        Source { fetch: Some(fetch), ..Source::empty(url) }
    }

    /// Keys that are given, and are never fetched.
    pub(crate) fn fixed(url: &str, set: Arc<KeySet>) -> Self {
        let source = Source::empty(url);
        let birth = Birth { asked_at: Millis::MAX, max_age: None };
        let held = Held { set, birth, number: u64::MAX, etag: None };
        source.held.store(Some(Arc::new(held)));
        source
    }

    fn empty(url: &str) -> Self {
        Source {
            url: NulString::new(url),
            fetch: None,
            held: ArcSwapOption::empty(),
            gate: ForkLocal::new(Gate::default),
        }
    }

    pub(crate) fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn nul_url(&self) -> NulStr<'_> {
        self.url.borrow()
    }

    /// Keys good enough to verify with at `now`, fetched first if need be and allowed.
    pub(crate) fn usable(
        self: &Arc<Self>,
        now: Millis,
        policy: &Policy,
        options: &FetchOptions,
    ) -> Result<Use> {
        let held = self.held.load();
        match phase(&held, now, policy) {
            Some(Phase::Fresh) => Ok(held),
            Some(Phase::Ahead) => {
                if options.background {
                    self.renew_ahead(now, options);
                }
                Ok(held)
            }
            Some(Phase::Expired | Phase::Dead) | None => self.usable_again(policy, options),
        }
    }

    /// As [`Source::usable`], and the keys are such that hold `kid`: those of a fetch that was
    /// [`begun`] before `since`, when the call began, may be older than the key.
    pub(crate) fn usable_with(
        self: &Arc<Self>,
        kid: &str,
        since: u64,
        policy: &Policy,
        options: &FetchOptions,
    ) -> Result<Use> {
        loop {
            let now = monotonic();
            let held = self.usable(now, policy, options)?;
            match &*held {
                Some(keys) if keys.set.find(kid).is_some() => return Ok(held),
                Some(keys) if keys.number > since => return Err(unknown_kid()),
                _ => {}
            }
            match self.step_for_kid(&held, now, options)? {
                Step::Go(_) => {}
                Step::Fetch(claim) => self.fetch(claim, options.timeout),
                Step::Wait(ticket) => self.wait(ticket, options),
            }
        }
    }

    /// The keys are missing or past their lifetime.
    #[cold]
    fn usable_again(self: &Arc<Self>, policy: &Policy, options: &FetchOptions) -> Result<Use> {
        loop {
            match self.step_for_keys(policy, options)? {
                Step::Go(held) => return Ok(held),
                Step::Fetch(claim) => self.fetch(claim, options.timeout),
                Step::Wait(ticket) => self.wait(ticket, options),
            }
        }
    }

    fn step_for_keys(self: &Arc<Self>, policy: &Policy, options: &FetchOptions) -> Result<Step> {
        let gate = self.gate.get();
        let mut state = gate.lock();
        let (now, held) = (monotonic(), self.held.load());
        let need = match phase(&held, now, policy) {
            Some(Phase::Fresh | Phase::Ahead) => return Ok(Step::Go(held)),
            // Whoever finds the issuer down does not wait for it a second time.
            Some(Phase::Expired) if state.life.failing() => Need::Renewal,
            Some(Phase::Expired | Phase::Dead) | None => Need::Keys,
        };
        match (state.turn(need, now, options), need) {
            (Some(Turn::Fetch(ticket)), Need::Renewal) if options.background => {
                drop(state);
                self.fetch_aside(self.claim(ticket), options.timeout);
                Ok(Step::Go(held))
            }
            (Some(Turn::Fetch(ticket)), _) if options.may_wait => {
                Ok(Step::Fetch(self.claim(ticket)))
            }
            (Some(Turn::Fetch(ticket)), _) => {
                drop(state);
                self.fetch_aside(self.claim(ticket), options.timeout);
                Err(pending())
            }
            (_, Need::Renewal) => Ok(Step::Go(held)),
            (Some(Turn::Wait(ticket)), _) if options.may_wait => Ok(Step::Wait(ticket)),
            (Some(Turn::Wait(_)) | None, _) => Err(pending()),
            (Some(Turn::Rest(until)), _) => Err(self.unavailable(&state, now, until)),
        }
    }

    fn step_for_kid(
        self: &Arc<Self>,
        seen: &Use,
        now: Millis,
        options: &FetchOptions,
    ) -> Result<Step> {
        let gate = self.gate.get();
        let mut state = gate.lock();
        // A fetch may have ended since the keys were looked at.
        let held = self.held.load();
        if held.as_ref().map(Arc::as_ptr) != seen.as_ref().map(Arc::as_ptr) {
            return Ok(Step::Go(held));
        }
        match state.turn(Need::Kid, now, options) {
            Some(Turn::Fetch(ticket)) if options.may_wait => Ok(Step::Fetch(self.claim(ticket))),
            Some(Turn::Fetch(ticket)) => {
                drop(state);
                self.fetch_aside(self.claim(ticket), options.timeout);
                Err(pending())
            }
            Some(Turn::Wait(ticket)) if options.may_wait => Ok(Step::Wait(ticket)),
            Some(Turn::Wait(_)) => Err(pending()),
            // The key may be new, and the issuer cannot be asked.
            Some(Turn::Rest(until)) if state.life.failing() => {
                Err(self.unavailable(&state, now, until))
            }
            Some(Turn::Rest(_)) => Err(unknown_kid()),
            None => {
                state.life.miss_kid();
                Err(pending())
            }
        }
    }

    /// Fetches the keys now, on this thread, or waits for the fetch under way. A pause after a
    /// failure is kept, and, unless more is due, a fetch that ended within the last second will do.
    pub(crate) fn refresh(self: &Arc<Self>, policy: &Policy, options: &FetchOptions) -> Result<()> {
        if self.fetch.is_none() {
            return Ok(());
        }
        let (gate, now) = (self.gate.get(), monotonic());
        let mut state = gate.lock();
        let due = state.life.host_need(phase(&self.held.load(), now, policy));
        let lately = state.last_success.is_some_and(|at| now.saturating_sub(at) < 1_000);
        // Somebody may be waiting for what the fetch under way brings, however young the keys are.
        let under_way = matches!(state.life.look(Need::Order, now), Some(Turn::Wait(_)));
        if due.is_none() && lately && !under_way {
            return Ok(());
        }
        match state.life.turn(due.unwrap_or(Need::Order), now, options.lease()) {
            Turn::Fetch(ticket) => {
                drop(state);
                self.fetch(self.claim(ticket), options.timeout);
            }
            Turn::Wait(ticket) => {
                drop(state);
                self.wait(ticket, options);
            }
            Turn::Rest(until) if state.life.failing() => {
                return Err(self.unavailable(&state, now, until));
            }
            Turn::Rest(_) => return Ok(()),
        }
        let state = gate.lock();
        let (now, until) = (monotonic(), state.life.paused_until());
        if state.life.failing() { Err(self.unavailable(&state, now, until)) } else { Ok(()) }
    }

    /// Hands a fetch that is due to a host that does it by itself.
    pub(crate) fn claim_for_host(self: &Arc<Self>, policy: &Policy) -> Option<Claim> {
        self.fetch.as_ref()?;
        let (gate, now) = (self.gate.get(), monotonic());
        let mut state = gate.lock();
        let need = state.life.host_need(phase(&self.held.load(), now, policy))?;
        match state.life.turn(need, now, HOST_LEASE) {
            Turn::Fetch(ticket) => Some(self.claim(ticket)),
            Turn::Wait(_) | Turn::Rest(_) => None,
        }
    }

    /// Forgets the keys: the next use fetches them.
    pub(crate) fn forget(&self) {
        let gate = self.gate.get();
        let mut state = gate.lock();
        if self.fetch.is_some() {
            *state = State::default();
            self.held.store(None);
            gate.ended.notify_all();
        }
    }

    pub(crate) fn account(&self, policy: &Policy) -> Account {
        let (held, gate, now) = (self.held.load(), self.gate.get(), monotonic());
        let mut state = gate.lock();
        let born = held.as_ref().map(|held| held.birth.asked_at);
        let due_at = match state.life.host_need(phase(&held, now, policy)) {
            None => held.as_ref().map_or(now, |held| held.birth.due_at(policy)),
            Some(need) => match state.life.look(need, now) {
                Some(Turn::Rest(until)) => until,
                _ => now,
            },
        };
        Account {
            fetches: state.fetches,
            failures: state.failures,
            keys: held.as_ref().map_or(0, |held| held.set.len()),
            skipped: held.as_ref().map_or(0, |held| held.set.skipped),
            age: born.map(|asked_at| now.saturating_sub(asked_at) / 1_000),
            due_in: self.fetch.is_some().then_some(due_at.saturating_sub(now)),
        }
    }

    fn claim(self: &Arc<Self>, ticket: Ticket) -> Claim {
        let number = BEGUN.fetch_add(1, Ordering::Relaxed) + 1;
        Claim { source: self.clone(), ticket, number, settled: false }
    }

    /// Starts a fetch on a thread of its own, unless somebody is at it.
    fn renew_ahead(self: &Arc<Self>, now: Millis, options: &FetchOptions) {
        let gate = self.gate.get();
        // If the lock is taken, somebody is seeing to it.
        let Ok(mut state) = gate.state.try_lock() else { return };
        if let Turn::Fetch(ticket) = state.life.turn(Need::Renewal, now, options.lease()) {
            drop(state);
            self.fetch_aside(self.claim(ticket), options.timeout);
        }
    }

    /// Fetches on a thread that ends with the fetch. Where no thread can be had, the fetch has
    /// failed.
    fn fetch_aside(self: &Arc<Self>, claim: Claim, timeout: Duration) {
        let source = self.clone();
        let thread = thread::Builder::new().name("torii-keys".to_owned());
        drop(thread.spawn(move || source.fetch(claim, timeout)));
    }

    /// Fetches on this thread. What became of it is read from the state.
    fn fetch(&self, claim: Claim, timeout: Duration) {
        let Some(fetch) = &self.fetch else { return };
        match fetch(claim.etag().as_deref(), timeout) {
            Ok(reply) => drop(claim.settle(&reply.answer())),
            Err(reason) => claim.fail(&reason),
        }
    }

    /// Waits until the fetch has ended, or counts as lost.
    fn wait(&self, ticket: Ticket, options: &FetchOptions) {
        let gate = self.gate.get();
        let mut state = gate.lock();
        let deadline = monotonic() + options.lease();
        while state.life.running(ticket, monotonic()).is_some() {
            let left = deadline.saturating_sub(monotonic());
            if left == 0 {
                return;
            }
            let waited = gate.ended.wait_timeout(state, Duration::from_millis(left));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn unavailable(&self, state: &State, now: Millis, until: Millis) -> Error {
        let reason = match state.reason.as_str() {
            "" => "a fetch was begun and never ended",
            reason => reason,
        };
        let text = format!("the keys at {} cannot be had: {reason}", self.url());
        let seconds = until.saturating_sub(now).div_ceil(1_000).max(1);
        Error::text(Status::KeysUnavailable, text).after(seconds)
    }
}

/// How many fetches of keys were begun in this process. Times are too coarse to tell which of two
/// things came first.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// How many fetches of keys were begun so far.
pub(crate) fn begun() -> u64 {
    BEGUN.load(Ordering::Relaxed)
}

/// A host that takes longer than this over a fetch has lost it.
const HOST_LEASE: Millis = 30_000;

impl Gate {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic leaves at worst a fetch that is not ended, which counts as lost in time.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whose turn it is; `None` when a fetch is due that this caller may not make.
    fn turn(&mut self, need: Need, now: Millis, options: &FetchOptions) -> Option<Turn> {
        if options.may_wait || options.background {
            Some(self.life.turn(need, now, options.lease()))
        } else {
            self.life.look(need, now)
        }
    }
}

impl Claim {
    pub(crate) fn source(&self) -> &Arc<Source> {
        &self.source
    }

    /// Whether the result still counts.
    pub(crate) fn is_running(&self) -> bool {
        let gate = self.source.gate.get();
        gate.lock().life.running(self.ticket, monotonic()).is_some()
    }

    /// The `ETag` of the keys at hand, to be sent as `If-None-Match`.
    pub(crate) fn etag(&self) -> Option<Arc<str>> {
        self.source.held.load().as_ref().and_then(|held| held.etag.clone())
    }

    /// The issuer answered. Says what is wrong with an answer that is of no use.
    pub(crate) fn settle(self, answer: &Answer<'_>) -> std::result::Result<(), String> {
        let held = self.source.held.load();
        let renewed = match (answer.status, &*held) {
            (200, held) => KeySet::parse(answer.body, held.as_ref().map(|held| &*held.set))
                .map(|set| (Arc::new(set), etag(answer.etag)))
                .map_err(|why| format!("not a usable key set: {why}")),
            (304, Some(held)) if held.etag.is_some() => Ok((held.set.clone(), held.etag.clone())),
            (status @ 300..400, _) => Err(format!("HTTP status {status}, which is not followed")),
            (status, _) => Err(format!("HTTP status {status}")),
        };
        match renewed {
            Ok((set, etag)) => {
                let max_age = answer.max_age.map(|seconds| seconds.saturating_mul(1_000));
                let in_time = self.end(Ok((set, max_age, etag)));
                in_time
                    .then_some(())
                    .ok_or("the fetch took too long and counts as failed".to_owned())
            }
            Err(reason) => {
                self.fail(&reason);
                Err(reason)
            }
        }
    }

    /// The issuer did not answer.
    pub(crate) fn fail(self, reason: &str) {
        self.end(Err(reason));
    }

    fn end(mut self, outcome: std::result::Result<New, &str>) -> bool {
        self.settled = true;
        self.source.end(self.ticket, self.number, outcome)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.settled {
            self.source.end(self.ticket, self.number, Err("the fetch was given up"));
        }
    }
}

type New = (Arc<KeySet>, Option<Millis>, Option<Arc<str>>);

impl Source {
    /// Takes the result of a fetch and wakes who waits for it. False for a fetch that counts as
    /// lost: somebody else may have had newer keys since.
    fn end(&self, ticket: Ticket, number: u64, outcome: std::result::Result<New, &str>) -> bool {
        let gate = self.gate.get();
        let mut state = gate.lock();
        let now = monotonic();
        let Some(asked_at) = state.life.running(ticket, now) else { return false };
        state.life.end(ticket, now, outcome.is_ok(), jitter());
        state.fetches += 1;
        match outcome {
            Ok((set, max_age, etag)) => {
                let birth = Birth { asked_at, max_age };
                self.held.store(Some(Arc::new(Held { set, birth, number, etag })));
                state.last_success = Some(now);
            }
            Err(reason) => {
                state.failures += 1;
                state.reason = reason.to_owned();
            }
        }
        gate.ended.notify_all();
        true
    }
}

fn phase(held: &Use, now: Millis, policy: &Policy) -> Option<Phase> {
    held.as_ref().map(|held| held.birth.phase(now, policy))
}

fn pending() -> Error {
    Error::fixed(Status::KeysPending, "keys", "have to be fetched first; this call does no I/O")
}

fn unknown_kid() -> Error {
    Error::fixed(Status::TokenKeyUnknown, "token header", "the issuer has no key named by `kid`")
}

/// An entity tag (RFC 9110 §8.8.3) worth sending back.
fn etag(text: Option<&str>) -> Option<Arc<str>> {
    let text = text.filter(|text| (1..=1024).contains(&text.len()))?;
    text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ').then(|| Arc::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sane_etag_is_sent_back() {
        assert_eq!(etag(Some("\"v1\"")).as_deref(), Some("\"v1\""));
        assert_eq!(etag(Some("")), None);
        assert_eq!(etag(Some("a\nb")), None);
        assert_eq!(etag(Some(&"a".repeat(1025))), None);
    }

    #[test]
    fn jitter_differs_and_stays_in_bounds() {
        let drawn: Vec<f64> = (0..100).map(|_| jitter()).collect();
        assert!(drawn.iter().all(|jitter| (0.0..1.0).contains(jitter)));
        assert!(drawn.iter().any(|jitter| *jitter != drawn[0]));
    }
}

/// Every order in which threads can meet here, as far as a random search finds them; deadlocks
/// are found too. `cargo test --lib --features model,test-hooks model`
#[cfg(all(test, feature = "model"))]
mod model;
