//! Allowed origins: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::text;
use super::status::torii_status_t;

/// The origins browsers may call torii from: "origins".
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_allowed_origins_get_json(
    client: *const torii_client_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and out-pointers are as the caller promises.
    unsafe { answer(client, out, err, |client| client.allowed_origins().get()) }
}

/// Replaces them all by the "origins" of a JSON object.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_allowed_origins_set_json(
    client: *const torii_client_t,
    body: *const c_char,
    body_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let body = text(body, body_len, "body")?;
            client.allowed_origins().set(body)
        })
    }
}
