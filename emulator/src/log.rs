//! The request log.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// How many requests are kept in full.
const KEPT: usize = 1000;

/// One request, as it arrived.
#[derive(Clone, Debug, Serialize)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path.
    pub path: String,
    /// The query, without its question mark.
    pub query: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
    /// Which connection it came over; the first one is 1.
    pub connection: u64,
}

/// The request log, the counters of requests and of connections.
#[derive(Default)]
pub(crate) struct Log {
    state: Mutex<LogState>,
    grown: Condvar,
}

/// The content of the log.
#[derive(Default)]
pub(crate) struct LogState {
    /// The last requests, oldest first.
    pub(crate) requests: VecDeque<Request>,
    /// How many requests there were for each method and path.
    pub(crate) counts: BTreeMap<(String, String), u64>,
    /// How many connections were accepted.
    pub(crate) accepted: u64,
    /// How many connections are open.
    pub(crate) open: u64,
}

impl LogState {
    /// How many requests there were whose path begins with `path`.
    pub(crate) fn count(&self, path: &str) -> u64 {
        self.counts
            .iter()
            .filter(|((_, seen), _)| seen.starts_with(path))
            .map(|(_, count)| count)
            .sum()
    }
}

impl Log {
    /// Runs `f` on what the log holds.
    pub(crate) fn read<R>(&self, f: impl FnOnce(&LogState) -> R) -> R {
        f(&self.state())
    }

    /// Records and counts a request.
    pub(crate) fn record(&self, request: Request) {
        let mut state = self.state();
        let route = (request.method.clone(), request.path.clone());
        *state.counts.entry(route).or_default() += 1;
        if state.requests.len() == KEPT {
            state.requests.pop_front();
        }
        state.requests.push_back(request);
        self.grown.notify_all();
    }

    /// How many requests there were whose path begins with `path`.
    pub(crate) fn count(&self, path: &str) -> u64 {
        self.state().count(path)
    }

    /// Waits for `count` requests whose path begins with `path`. Returns false after the timeout.
    pub(crate) fn wait(&self, path: &str, count: u64, timeout: Duration) -> bool {
        let missing = |state: &mut LogState| state.count(path) < count;
        let waited = self.grown.wait_timeout_while(self.state(), timeout, missing);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Forgets the requests and the counters; open connections stay counted.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        let open = state.open;
        *state = LogState { open, ..LogState::default() };
    }

    /// Counts a connection that was opened.
    pub(crate) fn opened(&self) {
        let mut state = self.state();
        state.accepted += 1;
        state.open += 1;
    }

    /// Uncounts a connection that carries requests to the control API.
    pub(crate) fn uncount(&self) {
        let mut state = self.state();
        state.accepted = state.accepted.saturating_sub(1);
        state.open -= 1;
    }

    /// Counts a connection that was closed.
    pub(crate) fn closed(&self) {
        self.state().open -= 1;
    }

    fn state(&self) -> MutexGuard<'_, LogState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
