//! Invitations: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, done, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{optional, text};
use super::status::torii_status_t;
use crate::api::states;

/// Invites somebody by email. `body` is a JSON object; torii wants "email", "publicMetadata" and
/// "privateMetadata" in it, the latter two as {} when there is nothing to keep. Never repeated once
/// it was sent: after TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the email may be on its way.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400, of 409 for an email address
/// that has an account, of 429 for too many; torii_error_retry_after() then tells when.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_create_json(
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
            client.invitations().create(body)
        })
    }
}

/// A page of the invitations of the environment, without their metadata.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t.
/// Since: 0.1.0.
///
/// `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
/// page before. `statuses` [may be NULL] is a JSON list of the states wanted: ["PENDING",
/// "ACCEPTED"]. `search` [may be NULL] is a text to be found.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_list_json(
    client: *const torii_client_t,
    limit: u32,
    cursor: *const c_char,
    cursor_len: usize,
    statuses: *const c_char,
    statuses_len: usize,
    search: *const c_char,
    search_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let cursor = optional(cursor, cursor_len, "cursor")?;
            let statuses = optional(statuses, statuses_len, "statuses")?;
            let statuses = states(statuses.unwrap_or("[]"))?;
            let statuses: Vec<_> = statuses.iter().map(String::as_str).collect();
            let search = optional(search, search_len, "search")?;
            client.invitations().list(limit, cursor, &statuses, search)
        })
    }
}

/// One invitation, with its metadata.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 404.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_get_json(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            client.invitations().get(invitation_id)
        })
    }
}

/// Sends an invitation again, with a new link. Never repeated once it was sent.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 404 or 409.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_resend_json(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            client.invitations().resend(invitation_id)
        })
    }
}

/// Takes an invitation back. Never repeated once it was sent, since nothing is known of a second
/// time.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 404 or 409.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_revoke(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and `err` are as the caller promises.
    unsafe {
        done(client, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            client.invitations().revoke(invitation_id)
        })
    }
}

/// Merges a JSON object of "publicMetadata" and "privateMetadata" into those of a pending
/// invitation: a key that is null is removed. One of the two has to be there.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400, 404, or 409 with the code
/// "invitation_not_pending" or "invitation_patch_conflict".
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_update_metadata_json(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    body: *const c_char,
    body_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            let body = text(body, body_len, "body")?;
            client.invitations().update_metadata(invitation_id, body)
        })
    }
}
