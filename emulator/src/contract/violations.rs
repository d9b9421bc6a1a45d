//! The record of violations of the contract.

use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

/// How many violations are kept: the first ones.
const KEPT: usize = 1000;

/// The side that broke the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// The client, with its request. The answer was 400.
    Request,
    /// The emulator itself, with its answer: a defect of the emulator.
    Answer,
}

/// One request or answer that broke the contract of the server API.
#[derive(Clone, Debug, Serialize)]
pub struct Violation {
    /// The side that broke it.
    pub side: Side,
    /// The operation in the contract.
    pub operation: String,
    /// The path of the request.
    pub path: String,
    /// The errors.
    pub errors: Vec<String>,
}

/// All violations so far.
#[derive(Default)]
pub(crate) struct Violations(Mutex<Vec<Violation>>);

impl Violations {
    /// Adds one.
    pub(crate) fn add(&self, violation: Violation) {
        let mut violations = self.lock();
        if violations.len() < KEPT {
            violations.push(violation);
        }
    }

    /// All of them.
    pub(crate) fn list(&self) -> Vec<Violation> {
        self.lock().clone()
    }

    /// Forgets them.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Violation>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
