//! The one guard every function runs inside: no panic gets past it, no error gets lost in it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::error::torii_error_t;
use super::status::torii_status_t;
use crate::error::{Error, Result, Status};

/// Runs the body of a fallible function. Sets `*err` to NULL on success and to an error of the
/// caller's on failure; allocates nothing for it where `err` is NULL.
///
/// # Safety
///
/// `err` is NULL or can be written to.
pub(super) unsafe fn fallible(
    err: *mut *mut torii_error_t,
    body: impl FnOnce() -> Result<()>,
) -> torii_status_t {
    // A panic leaves nothing behind that is seen again: locks are released and say so, and
    // whatever was being made is dropped.
    let outcome = catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|_| Err(internal()));
    let (status, error) = match outcome {
        Ok(()) => (Status::Ok, None),
        Err(error) => (error.status(), Some(error)),
    };
    if !err.is_null() {
        let handle = error.map_or(std::ptr::null_mut(), torii_error_t::into_raw);
        // SAFETY: `err` is not NULL, so the caller lets it be written to.
        unsafe { err.write(handle) };
    }
    status.into()
}

/// Runs the body of a function that cannot fail but by a panic; `fallback` is its answer then.
pub(super) fn infallible<T>(fallback: T, body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or(fallback)
}

fn internal() -> Error {
    Error::fixed(Status::Internal, "libtorii", "a defect; please report it")
}
