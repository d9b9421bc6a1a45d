//! Organizations: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{optional, text, utf8};
use super::status::torii_status_t;

/// == Organizations ==
///
/// Returns a page of the environment's organizations. `name` [may be NULL] is a part of the name.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_organizations_list_json(
    client: *const torii_client_t,
    limit: u32,
    cursor: *const c_char,
    cursor_len: usize,
    name: *const c_char,
    name_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let cursor = optional(cursor, cursor_len, "cursor")?;
            let name = optional(name, name_len, "name")?;
            client.organizations().list(limit, cursor, name)
        })
    }
}

/// Returns an organization.
/// Errors: 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_organizations_get_json(
    client: *const torii_client_t,
    organization_id: *const c_char,
    organization_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            client.organizations().get(organization_id)
        })
    }
}

/// Returns a page of the organization's members, each with the role and the metadata of the membership.
/// Errors: 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_organizations_list_members_json(
    client: *const torii_client_t,
    organization_id: *const c_char,
    organization_id_len: usize,
    limit: u32,
    cursor: *const c_char,
    cursor_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            let cursor = optional(cursor, cursor_len, "cursor")?;
            client.organizations().list_members(organization_id, limit, cursor)
        })
    }
}

/// Merges "publicMetadata" and "privateMetadata" of the body into the organization's. A null removes its
/// key. At least one of the two is required.
/// Errors: 400, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_organizations_update_metadata_json(
    client: *const torii_client_t,
    organization_id: *const c_char,
    organization_id_len: usize,
    body: *const c_char,
    body_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            let body = utf8(body, body_len, "body")?;
            client.organizations().update_metadata(organization_id, body)
        })
    }
}

/// Merges metadata into a membership's, as torii_client_organizations_update_metadata_json() does.
/// Errors: 400, 404. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_organizations_update_member_metadata_json(
    client: *const torii_client_t,
    organization_id: *const c_char,
    organization_id_len: usize,
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
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            let user_id = text(user_id, user_id_len, "user_id")?;
            let body = utf8(body, body_len, "body")?;
            client.organizations().update_member_metadata(organization_id, user_id, body)
        })
    }
}
