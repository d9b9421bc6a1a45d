//! Invitations: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, done, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{optional, optional_utf8, text, utf8};
use super::status::torii_status_t;
use crate::api::states;

/// == Invitations ==
///
/// Creates an invitation and sends its email. torii requires "email", "publicMetadata" and
/// "privateMetadata" in the body; empty metadata is {}. Never retried once sent: after
/// TORII_ERR_TRANSPORT or TORII_ERR_TIMEOUT the email may be on its way.
/// Errors: 400; 409 if the email address has an account; 429 after too many invitations, with
/// torii_error_retry_after() if the API says when. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_create_json(
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
            client.invitations().create(body)
        })
    }
}

/// Returns a page of the environment's invitations, without metadata. `statuses` [may be NULL] is a JSON
/// array, such as ["PENDING", "ACCEPTED"]. `search` [may be NULL] is a text to search for.
/// Since: 0.1.0.
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
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let cursor = optional(cursor, cursor_len, "cursor")?;
            let statuses = optional_utf8(statuses, statuses_len, "statuses")?;
            let statuses = states(statuses.unwrap_or("[]"))?;
            let statuses: Vec<_> = statuses.iter().map(String::as_str).collect();
            let search = optional(search, search_len, "search")?;
            client.invitations().list(limit, cursor, &statuses, search)
        })
    }
}

/// Returns an invitation, with its metadata.
/// Errors: 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_get_json(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            client.invitations().get(invitation_id)
        })
    }
}

/// Sends an invitation again, with a new link. Never retried once sent.
/// Errors: 404, 409. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_resend_json(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            client.invitations().resend(invitation_id)
        })
    }
}

/// Revokes an invitation. Never retried once sent: the API does not document the answer to a second
/// call.
/// Errors: 404, 409. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_invitations_revoke(
    client: *const torii_client_t,
    invitation_id: *const c_char,
    invitation_id_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and `err` NULL or writable.
    unsafe {
        done(client, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            client.invitations().revoke(invitation_id)
        })
    }
}

/// Merges "publicMetadata" and "privateMetadata" of the body into those of a pending invitation. A null
/// removes its key. At least one of the two is required.
/// Errors: 400, 404; 409 with the code "invitation_not_pending" or "invitation_patch_conflict".
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
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let invitation_id = text(invitation_id, invitation_id_len, "invitation_id")?;
            let body = utf8(body, body_len, "body")?;
            client.invitations().update_metadata(invitation_id, body)
        })
    }
}
