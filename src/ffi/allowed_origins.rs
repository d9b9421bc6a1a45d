//! Allowed origins: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::utf8;
use super::status::torii_status_t;

/// == Allowed origins ==
///
/// Returns the "origins" from which browsers may call torii. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_allowed_origins_get_json(
    client: *const torii_client_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, and the out-pointers are NULL or writable.
    unsafe { answer(client, out, err, |client| client.allowed_origins().get()) }
}

/// Replaces all origins by the "origins" of the body, and returns them.
/// Errors: 400. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_allowed_origins_set_json(
    client: *const torii_client_t,
    body: *const c_char,
    body_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let body = utf8(body, body_len, "body")?;
            client.allowed_origins().set(body)
        })
    }
}
