//! Impersonation: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::text;
use super::status::torii_status_t;

/// Creates a "token" with which somebody signs in as a user, once, and a "url" to do so. `body` is
/// a JSON object; torii wants "actorUserId" and "reason" in it. Never repeated once it was sent,
/// since it counts towards a quota.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400, of 402 for the plan or its
/// quota, of 403 for no such user.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_impersonation_create_token_json(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    body: *const c_char,
    body_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let body = text(body, body_len, "body")?;
            client.impersonation().create_token(user_id, body)
        })
    }
}
