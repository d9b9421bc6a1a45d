//! The faults in force, and the requests that they hold.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{oneshot, watch};

use super::{Fault, FaultKind};

/// The faults in force.
pub(crate) struct Faults {
    state: Mutex<State>,
    cleared: watch::Sender<()>,
}

#[derive(Default)]
struct State {
    active: Vec<Fault>,
    held: Vec<Held>,
}

/// A request that waits to be released.
struct Held {
    path: String,
    release: oneshot::Sender<()>,
}

/// A fault that strikes a request.
pub(crate) struct Strike {
    pub(crate) kind: FaultKind,
    /// Changes when the faults are cleared.
    pub(crate) cleared: watch::Receiver<()>,
    /// Of a request that is held: comes when it is released, fails when the faults are cleared.
    pub(crate) released: Option<oneshot::Receiver<()>>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { state: Mutex::default(), cleared: watch::Sender::new(()) }
    }
}

impl Faults {
    /// Adds a fault after those in force.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), String> {
        fault.fault.check()?;
        self.state().active.push(fault);
        Ok(())
    }

    /// Ends all faults, and with them the requests that hang or are held.
    pub(crate) fn clear(&self) {
        let mut state = self.state();
        *state = State::default();
        self.cleared.send_replace(());
    }

    /// The faults in force.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.state().active.clone()
    }

    /// The fault that strikes this request, if any.
    pub(crate) fn strike(&self, method: &str, path: &str) -> Option<Strike> {
        let mut state = self.state();
        let active = &mut state.active;
        let index =
            active.iter_mut().position(|fault| fault.fits(method, path) && fault.strikes())?;
        let kind = active[index].fault.clone();
        if let Some(times) = &mut active[index].times {
            *times -= 1;
            if *times == 0 {
                active.remove(index);
            }
        }
        let released = matches!(kind, FaultKind::Hold { .. }).then(|| {
            let (release, released) = oneshot::channel();
            state.held.push(Held { path: path.to_owned(), release });
            released
        });
        Some(Strike { kind, cleared: self.cleared.subscribe(), released })
    }

    /// Releases the requests held now whose path begins with `path`. Returns how many there were,
    /// without those whose client has gone.
    pub(crate) fn release(&self, path: &str) -> usize {
        let mut state = self.state();
        let matching = |held: &mut Held| held.path.starts_with(path);
        state.held.extract_if(.., matching).filter_map(|held| held.release.send(()).ok()).count()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
