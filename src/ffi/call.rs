//! The guard around every fallible function: it turns a result into a status and an error handle.

use std::ptr;

use super::error::torii_error_t;
use super::panic::caught;
use super::status::torii_status_t;
use crate::error::{Error, Result, Status};

/// Runs the body of a fallible function. Sets `*err` to NULL on success and to an error that the
/// caller owns on failure; allocates nothing for it if `err` is NULL.
///
/// # Safety
///
/// `err` is NULL or writable.
pub(super) unsafe fn fallible(
    err: *mut *mut torii_error_t,
    body: impl FnOnce() -> Result<()>,
) -> torii_status_t {
    let wanted = !err.is_null();
    let handle = |error| if wanted { torii_error_t::into_raw(error) } else { ptr::null_mut() };
    let outcome = caught(None, || {
        Some(match body() {
            Ok(()) => (Status::Ok, ptr::null_mut()),
            Err(error) => (error.status(), handle(error)),
        })
    });
    let (status, error) = outcome.unwrap_or_else(|| {
        let error = caught(ptr::null_mut(), || handle(internal()));
        (Status::Internal, error)
    });
    if wanted {
        // SAFETY: `err` is not NULL, and the caller promises that it is writable then.
        unsafe { err.write(error) };
    }
    status.into()
}

fn internal() -> Error {
    Error::fixed(Status::Internal, "libtorii", "internal error; please report it")
}
