//! Impersonation: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{text, utf8};
use super::status::torii_status_t;

/// == Impersonation ==
///
/// Returns a single-use "token" to sign in as the user, and a "url" that redeems it. torii requires
/// "actorUserId" and "reason" in the body. Never retried once sent, since each call counts toward a quota.
/// Errors: 400; 402 if the plan or its quota does not allow it; 403 if there is no such user.
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
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let body = utf8(body, body_len, "body")?;
            client.impersonation().create_token(user_id, body)
        })
    }
}
