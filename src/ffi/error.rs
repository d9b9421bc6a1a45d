//! `torii_error_t`.

use std::ffi::c_char;

use once_cell::race::OnceBox;

use super::panic::caught;
use super::pointer::{borrow, free, into_raw, shared};
use super::status::torii_status_t;
use crate::error::Error;
use crate::text::NulString;

/// Why a call failed: a plain value that any thread may read, and that outlives the handle the call
/// was made on.
pub struct torii_error_t {
    error: Error,
    message: NulString,
    /// Made when it is first asked for.
    www_authenticate: OnceBox<Option<NulString>>,
}

impl torii_error_t {
    pub(super) fn into_raw(error: Error) -> *mut Self {
        let message = NulString::new(&error.to_string());
        into_raw(torii_error_t { error, message, www_authenticate: OnceBox::new() })
    }
}

/// == Errors ==
/// Log torii_error_message(), which states the reason. Send your client only torii_error_public_code(),
/// torii_error_public_message() and torii_error_www_authenticate(), which do not.
///
/// Returns the status that the failed call returned. TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_status(error: *const torii_error_t) -> torii_status_t {
    caught(torii_status_t::TORII_ERR_INTERNAL, || {
        // SAFETY: NULL or live, by the caller's promise.
        match unsafe { shared(error, "error") } {
            Ok(error) => error.error.status().into(),
            Err(error) => error.status().into(),
        }
    })
}

/// Returns one line of English that names the argument, option or claim at fault. It never contains a
/// token, a key, a secret or a query string, so it can be logged. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_message(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || Some(shared(error, "error").ok()?.message.borrow())) }
}

/// Returns the error code to send to a client, such as "authentication_failed", "forbidden" or
/// "keys_unavailable". Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_public_code(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || Some(shared(error, "error").ok()?.error.nul_public().0)) }
}

/// Returns the message to send to a client: a constant for each status, without a claim, a role, a
/// `kid` or a URL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_public_message(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || Some(shared(error, "error").ok()?.error.nul_public().1)) }
}

/// Returns the value of the `WWW-Authenticate` header (RFC 6750 §3) for a 401 or a 403, else NULL. It
/// has no `error` parameter if the request carried no bearer token. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_www_authenticate(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe {
        borrow(len, || {
            let error = shared(error, "error").ok()?;
            let made = error.www_authenticate.get_or_init(|| {
                Box::new(error.error.www_authenticate().map(|text| NulString::new(&text)))
            });
            Some(made.as_ref()?.borrow())
        })
    }
}

/// Returns the seconds after which a retry can help, for a `Retry-After` header; -1 if unknown.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_retry_after(error: *const torii_error_t) -> i64 {
    caught(-1, || {
        // SAFETY: NULL or live, by the caller's promise.
        let seconds = unsafe { shared(error, "error") }.ok().and_then(|e| e.error.retry_after());
        seconds.and_then(|seconds| i64::try_from(seconds).ok()).unwrap_or(-1)
    })
}

/// Returns the issuer whose keys are missing, for TORII_ERR_KEYS_UNAVAILABLE and
/// TORII_ERR_KEYS_PENDING; else NULL. That of the token if the revocations file is the reason.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_issuer(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_issuer()) }
}

/// Returns the HTTP status of the answer, for TORII_ERR_API and TORII_ERR_RESPONSE; else 0. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_http_status(error: *const torii_error_t) -> u32 {
    caught(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let status = unsafe { shared(error, "error") }.ok().and_then(|e| e.error.http_status());
        status.map_or(0, u32::from)
    })
}

/// Returns the API's error code, member `code` of its answer; NULL if absent. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_code(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_code()) }
}

/// Returns the id to name to torii's support, member `supportId` of the API's answer; NULL if absent.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_support_id(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_support_id()) }
}

/// Returns the API's answer, at most 65536 bytes of it; NULL if there was none. Unlike the message it
/// may contain personal data. The secret key and U+0000 are replaced in it. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_body(
    error: *const torii_error_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `error` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(error, "error").ok()?.error.nul_body()) }
}

/// Returns whether nothing of a REST request left this host: repeating it is safe. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_unsent(error: *const torii_error_t) -> bool {
    caught(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { shared(error, "error") }.is_ok_and(|error| error.error.unsent())
    })
}

/// Frees an error. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_error_free(error: *mut torii_error_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(error) }
}
