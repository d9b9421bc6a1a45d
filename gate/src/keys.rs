//! Fetches keys beside the requests, and wakes the requests that wait for them.
//!
//! The library decides when a fetch is due. Its blocking calls run on threads for them, one for each
//! issuer at a time, so that no connection waits for the issuer of another. The revocations file is
//! checked by a task of its own, which an issuer that hangs does not hold up.

use std::future::pending;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};
use torii::{Json, Verifier};

use crate::log;

/// The keys of the verifier.
pub(crate) struct Keys {
    verifier: Arc<Verifier>,
    issuers: Vec<Issuer>,
    /// How long a request may wait.
    timeout: Duration,
    /// Told whenever the revocations file was checked; `None` without a file.
    file_checked: Option<watch::Sender<()>>,
}

struct Issuer {
    name: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The fetch in progress. Its sender is dropped when the fetch ends.
    fetch: Option<watch::Receiver<()>>,
    /// The counters when the last one ended.
    fetches: u64,
    failures: u64,
    failing: bool,
}

/// The least time between two rounds, so that nothing makes a loop run hot.
const SPACING: Duration = Duration::from_millis(100);

/// How often the revocations file is checked. The library needs it to be within 5 s.
const FILE_CHECK: Duration = Duration::from_secs(1);

impl Keys {
    pub(crate) fn new(verifier: Arc<Verifier>, timeout: Duration) -> Self {
        let stats = verifier.stats().ok();
        let count = stats.as_ref().and_then(|stats| stats.len("/issuers").ok()).unwrap_or(0);
        let issuers = (0..count).filter_map(|index| {
            let name = stats.as_ref()?.str(&format!("/issuers/{index}/issuer"))?.to_owned();
            Some(Issuer { name, state: Mutex::default() })
        });
        let issuers = issuers.collect();
        let has_file = stats.as_ref().is_some_and(|stats| !stats.is_null("/revocations/file"));
        let file_checked = has_file.then(|| watch::channel(()).0);
        Keys { verifier, issuers, timeout, file_checked }
    }

    fn stats(&self) -> Option<Json> {
        self.verifier.stats().ok()
    }

    /// Whether the gate can verify tokens: the keys of one issuer are there. The others may be
    /// unreachable without making the gate unready.
    pub(crate) fn at_hand(&self) -> bool {
        let Some(stats) = self.stats() else { return false };
        (0..self.issuers.len()).any(|index| number(&stats, index, "keys") > 0)
    }

    /// When a request that begins to wait now must be answered.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.timeout
    }

    /// Waits until a fetch of the issuer's keys has ended, or the revocations file was checked: a
    /// request may need either. False if the time is up.
    pub(crate) async fn changed(self: &Arc<Self>, issuer: &str, deadline: Instant) -> bool {
        let Some(index) = self.issuers.iter().position(|known| known.name == issuer) else {
            return false;
        };
        let file_checked = self.file_checked.as_ref().map(watch::Sender::subscribe);
        let file_checked = async {
            match file_checked {
                Some(mut checked) => drop(checked.changed().await),
                None => pending().await,
            }
        };
        let changed = async {
            tokio::select! {
                () = self.fetch(index) => {}
                () = file_checked => {}
            }
        };
        timeout_at(deadline, changed).await.is_ok()
    }

    /// Checks the revocations file, if there is one, for as long as the gate runs.
    pub(crate) async fn watch_file(self: Arc<Self>) {
        let Some(checked) = &self.file_checked else { return };
        loop {
            let verifier = self.verifier.clone();
            let check = spawn_blocking(move || verifier.refresh_revocations_due());
            // An error: the check panicked. The next one may do better.
            let _ = check.await;
            checked.send_replace(());
            sleep(FILE_CHECK).await;
        }
    }

    /// Fetches keys that are due, for as long as the gate runs.
    pub(crate) async fn keep_fresh(self: Arc<Self>) {
        loop {
            let fetches: Vec<_> = (0..self.issuers.len()).map(|index| self.fetch(index)).collect();
            for fetch in fetches {
                fetch.await;
            }
            // `None`: all keys were given.
            let Some(due_in) = self.verifier.due_in_ms() else { return };
            sleep(Duration::from_millis(due_in).max(SPACING)).await;
        }
    }

    /// Starts a fetch, unless one is in progress. The future ends when the fetch does.
    fn fetch(self: &Arc<Self>, index: usize) -> impl Future<Output = ()> + use<> {
        let mut running = self.issuers.get(index).map(|issuer| {
            let mut state = issuer.lock();
            match &state.fetch {
                Some(fetch) if fetch.has_changed().is_ok() => fetch.clone(),
                _ => state.fetch.insert(self.start(index)).clone(),
            }
        });
        async move {
            if let Some(running) = &mut running {
                // An error: the sender is gone.
                let _ = running.changed().await;
            }
        }
    }

    fn start(self: &Arc<Self>, index: usize) -> watch::Receiver<()> {
        let (ended, running) = watch::channel(());
        let keys = self.clone();
        spawn_blocking(move || {
            // Dropped last, and also if the fetch panics.
            let _ended = ended;
            if let Some(issuer) = keys.issuers.get(index) {
                // An error is in the statistics, together with those of other fetches.
                let _ = keys.verifier.refresh_due(Some(&issuer.name));
                keys.report(issuer, index);
            }
        });
        running
    }

    /// Logs that an issuer became unreachable, or is reachable again.
    fn report(&self, issuer: &Issuer, index: usize) {
        let Some(stats) = self.stats() else { return };
        let (fetches, failures) =
            (number(&stats, index, "fetches"), number(&stats, index, "failures"));
        let mut state = issuer.lock();
        let ended = fetches.saturating_sub(state.fetches);
        let failed = failures.saturating_sub(state.failures);
        let failing = if ended == 0 { state.failing } else { failed == ended };
        let name = &issuer.name;
        if failing && !state.failing {
            let why = stats.str(&format!("/issuers/{index}/last_error")).unwrap_or("unknown");
            log::line(&format!("cannot fetch keys of {name}: {why}"));
        } else if state.failing && !failing {
            log::line(&format!("fetched keys of {name} again"));
        }
        (state.fetches, state.failures, state.failing) = (fetches, failures, failing);
    }
}

impl Issuer {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(stats: &Json, issuer: usize, name: &str) -> u64 {
    let value = stats.int(&format!("/issuers/{issuer}/{name}"));
    value.ok().and_then(|value| u64::try_from(value).ok()).unwrap_or_default()
}
