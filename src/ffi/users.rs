//! Users: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, done, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{optional, optional_utf8, text, utf8};
use super::status::torii_status_t;

/// == Users ==
///
/// Returns a page of users that match every member of `filter` [may be NULL], a JSON object with
/// "name", "email", "userIds", "emailAddresses", "statuses", "createdAfter", "createdBefore" or
/// "organizationId". An absent member does not filter; null and an empty array are sent as they are.
/// Errors: 400 for a filter the API rejects. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_list_json(
    client: *const torii_client_t,
    limit: u32,
    cursor: *const c_char,
    cursor_len: usize,
    filter: *const c_char,
    filter_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let cursor = optional(cursor, cursor_len, "cursor")?;
            let filter = optional_utf8(filter, filter_len, "filter")?;
            client.users().list(limit, cursor, filter)
        })
    }
}

/// Returns a user.
/// Errors: 403 if the user is deleted or of another environment; 404 if there is none. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_get_json(
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
            client.users().get(user_id)
        })
    }
}

/// Creates a user. Never retried once sent: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the user may
/// exist. See torii_error_unsent().
/// Errors: 400; 409 if the email address is taken. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_create_json(
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
            client.users().create(body)
        })
    }
}

/// Updates a user: an absent field stays as it is, null clears it, a value sets it. Build such a body
/// with torii_patch_t.
/// Errors: 400, 403, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_update_json(
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
            client.users().update(user_id, body)
        })
    }
}

/// Merges "publicMetadata", "privateMetadata" and "unsafeMetadata" of the body into the user's. A null
/// removes its key.
/// Errors: 400, 403, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_update_metadata_json(
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
            client.users().update_metadata(user_id, body)
        })
    }
}

/// Deletes a user. The API answers 403 if the user is deleted already. After a retry whose first answer
/// was lost, a 403 is a success.
/// Errors: 403, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_delete(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and `err` NULL or writable.
    unsafe {
        done(client, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.users().delete(user_id)
        })
    }
}

/// Bans a user, ends all the user's sessions, and returns the user. Tokens already issued stay valid
/// until they expire.
/// Errors: 403, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_ban_json(
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
            client.users().ban(user_id)
        })
    }
}

/// Lifts a ban and returns the user.
/// Errors: 403, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_unban_json(
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
            client.users().unban(user_id)
        })
    }
}

/// Returns a page of the user's organizations, each with the role and the metadata of the membership.
/// Errors: 403 if there is no such user. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_list_organizations_json(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    limit: u32,
    cursor: *const c_char,
    cursor_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let cursor = optional(cursor, cursor_len, "cursor")?;
            client.users().list_organizations(user_id, limit, cursor)
        })
    }
}
