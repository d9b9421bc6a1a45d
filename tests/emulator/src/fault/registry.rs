//! The faults in force.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::{Fault, FaultKind};

/// The faults in force.
pub(crate) struct Faults {
    active: Mutex<Vec<Fault>>,
    cleared: watch::Sender<()>,
}

impl Default for Faults {
    fn default() -> Self {
        Self { active: Mutex::default(), cleared: watch::Sender::new(()) }
    }
}

impl Faults {
    /// Adds a fault after those in force.
    pub(crate) fn add(&self, fault: Fault) -> Result<(), String> {
        fault.fault.check()?;
        self.active().push(fault);
        Ok(())
    }

    /// Ends all faults, and with them the requests that hang.
    pub(crate) fn clear(&self) {
        let mut active = self.active();
        active.clear();
        self.cleared.send_replace(());
    }

    /// The faults in force.
    pub(crate) fn list(&self) -> Vec<Fault> {
        self.active().clone()
    }

    /// What goes wrong with this request, if anything, and a signal for when faults are cleared.
    pub(crate) fn strike(
        &self,
        method: &str,
        path: &str,
    ) -> Option<(FaultKind, watch::Receiver<()>)> {
        let mut active = self.active();
        let index =
            active.iter_mut().position(|fault| fault.fits(method, path) && fault.strikes())?;
        let kind = active[index].fault.clone();
        if let Some(times) = &mut active[index].times {
            *times -= 1;
            if *times == 0 {
                active.remove(index);
            }
        }
        Some((kind, self.cleared.subscribe()))
    }

    fn active(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
