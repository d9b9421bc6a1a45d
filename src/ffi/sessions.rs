//! Sessions: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, done, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::text;
use super::status::torii_status_t;

/// == Sessions ==
/// Lists and ends users' sessions. Tokens already issued stay valid until they expire.
///
/// Returns the user's active sessions as an array, the most recently used first. Not paged.
/// Errors: 403 if there is no such user. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_sessions_list_for_user_json(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.sessions().list_for_user(user_id)
        })
    }
}

/// Ends all sessions of a user.
/// Errors: 403 if there is no such user. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_sessions_revoke_all_for_user(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and `err` NULL or writable.
    unsafe {
        done(client, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.sessions().revoke_all_for_user(user_id)
        })
    }
}

/// Ends one session of a user. Succeeds if the session has already ended.
/// Errors: 403 if there is no such user. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_sessions_revoke(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    session_id: *const c_char,
    session_id_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the texts are readable, and `err` NULL or writable.
    unsafe {
        done(client, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let session_id = text(session_id, session_id_len, "session_id")?;
            client.sessions().revoke(user_id, session_id)
        })
    }
}
