//! Users: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, done, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{optional, text};
use super::status::torii_status_t;

/// A page of the users that meet a filter: "items", "nextCursor" and "hasMore".
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400 for a filter it does not
/// take.
/// Since: 0.1.0.
///
/// `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
/// page before. `filter` [may be NULL] is a JSON object: "name", "email", "userIds",
/// "emailAddresses", "statuses", "createdAfter", "createdBefore", "organizationId"; it has to come
/// with the cursor again. What is absent is no filter, null and an empty list are sent as they are.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let cursor = optional(cursor, cursor_len, "cursor")?;
            let filter = optional(filter, filter_len, "filter")?;
            client.users().list(limit, cursor, filter)
        })
    }
}

/// One user.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for a user of another
/// environment or a deleted one, 404 for none.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_get_json(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.users().get(user_id)
        })
    }
}

/// Creates a user from a JSON object. Never repeated once it was sent: after TORII_ERR_TRANSPORT or
/// TORII_ERR_TIMEOUT the user may exist.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400, and of 409 for an email
/// address that is taken.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_create_json(
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
            client.users().create(body)
        })
    }
}

/// Changes a user by a JSON object: a field that is absent stays as it is, null clears it, a value
/// sets it. torii_patch_t makes such an object.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400, 403 or 404.
/// Since: 0.1.0.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let body = text(body, body_len, "body")?;
            client.users().update(user_id, body)
        })
    }
}

/// Merges a JSON object of "publicMetadata", "privateMetadata" and "unsafeMetadata" into those of a
/// user: a key that is null is removed.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400, 403 or 404.
/// Since: 0.1.0.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let body = text(body, body_len, "body")?;
            client.users().update_metadata(user_id, body)
        })
    }
}

/// Deletes a user. The API answers 403 when the user is gone already; when the answer to a first
/// attempt was lost, that is a success.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 403 or 404.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_delete(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        done(client, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.users().delete(user_id)
        })
    }
}

/// Bans a user, and ends all sessions. Tokens that are out stay good until they expire.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 403 or 404.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_ban_json(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.users().ban(user_id)
        })
    }
}

/// Lifts a ban.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 403 or 404.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_users_unban_json(
    client: *const torii_client_t,
    user_id: *const c_char,
    user_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            client.users().unban(user_id)
        })
    }
}

/// A page of the organizations a user belongs to, with role and metadata of the membership.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 403 for no such user.
/// Since: 0.1.0.
///
/// `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
/// page before.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let user_id = text(user_id, user_id_len, "user_id")?;
            let cursor = optional(cursor, cursor_len, "cursor")?;
            client.users().list_organizations(user_id, limit, cursor)
        })
    }
}
