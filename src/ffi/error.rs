//! `torii_error_t`.

use std::ffi::c_char;

use super::guard::infallible;
use super::pointer::{borrow, free, into_raw, shared};
use super::status::torii_status_t;
use crate::error::Error;
use crate::text::NulString;

/// Why a call failed. Owned by whoever asked for it by passing `err`; a plain value that any
/// thread may read, and that outlives the handle the call was made on.
pub struct torii_error_t {
    error: Error,
    message: NulString,
}

impl torii_error_t {
    pub(super) fn into_raw(error: Error) -> *mut Self {
        let message = NulString::new(&error.to_string());
        into_raw(torii_error_t { error, message })
    }
}

/// What went wrong: the status that the failed call returned. TORII_ERR_INVALID_ARGUMENT for NULL.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_status(error: *const torii_error_t) -> torii_status_t {
    infallible(torii_status_t::TORII_ERR_INTERNAL, || {
        // SAFETY: NULL or live, by the caller's promise.
        match unsafe { shared(error, "error") } {
            Ok(error) => error.error.status().into(),
            Err(error) => error.status().into(),
        }
    })
}

/// One line of English that names the argument, option or claim at fault. It never holds a token,
/// a key, a secret or a query string, so it can be logged.
///
/// Ownership: borrowed from `error`, valid until torii_error_free(). NULL for a NULL error.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_message(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || Some(shared(error, "error").ok()?.message.borrow())) }
}

/// The HTTP status of the API's answer, for TORII_ERR_API and TORII_ERR_RESPONSE; else 0.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_http_status(error: *const torii_error_t) -> u32 {
    infallible(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let status = unsafe { shared(error, "error") }.ok().and_then(|e| e.error.http_status());
        status.map_or(0, u32::from)
    })
}

/// What the API calls the problem, for programs: `code`. NULL when it does not.
///
/// Ownership: borrowed from `error`, valid until torii_error_free().
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_code(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_code()) }
}

/// What to name to torii's support: `supportId`. NULL when the API names nothing.
///
/// Ownership: borrowed from `error`, valid until torii_error_free().
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_support_id(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_support_id()) }
}

/// The API's answer as text, up to 65536 bytes of it; NULL when there was none. Unlike the message it
/// may be about people. The secret key and U+0000 are replaced in it.
///
/// Ownership: borrowed from `error`, valid until torii_error_free().
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_body(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_body()) }
}

/// Seconds after which trying again can help, as for a `Retry-After` header; -1 when not known.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_retry_after(error: *const torii_error_t) -> i64 {
    infallible(-1, || {
        // SAFETY: NULL or live, by the caller's promise.
        let seconds = unsafe { shared(error, "error") }.ok().and_then(|e| e.error.retry_after());
        seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(-1)
    })
}

/// Frees an error. NULL is fine.
///
/// Threads: nobody else may use `error`; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_free(error: *mut torii_error_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(error) }
}
