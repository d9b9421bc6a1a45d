//! Keeps panics inside the library.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs `body`; `fallback` is the result of a panic.
///
/// A panic leaves nothing half done behind that is seen again: locks are released and marked, and
/// values under construction are dropped.
pub(super) fn caught<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}
