//! Organizations: operations of `torii_client_t`.

use std::ffi::c_char;

use super::client::{answer, torii_client_t};
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{optional, text};
use super::status::torii_status_t;

/// A page of the organizations of the environment.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t.
/// Since: 0.1.0.
///
/// `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
/// page before. `name` [may be NULL] is a part of the name.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let cursor = optional(cursor, cursor_len, "cursor")?;
            let name = optional(name, name_len, "name")?;
            client.organizations().list(limit, cursor, name)
        })
    }
}

/// One organization.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 404.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_organizations_get_json(
    client: *const torii_client_t,
    organization_id: *const c_char,
    organization_id_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            client.organizations().get(organization_id)
        })
    }
}

/// A page of the users who belong to an organization, with role and metadata of the membership.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 404.
/// Since: 0.1.0.
///
/// `limit` is 1 to 100, or 0 to leave it to the API. `cursor` [may be NULL] is "nextCursor" of the
/// page before.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            let cursor = optional(cursor, cursor_len, "cursor")?;
            client.organizations().list_members(organization_id, limit, cursor)
        })
    }
}

/// Merges a JSON object of "publicMetadata" and "privateMetadata" into those of an organization: a
/// key that is null is removed. One of the two has to be there.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400 or 404.
/// Since: 0.1.0.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            let body = text(body, body_len, "body")?;
            client.organizations().update_metadata(organization_id, body)
        })
    }
}

/// As torii_client_organizations_update_metadata_json(), for the metadata of a membership.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t; TORII_ERR_API of 400 or 404.
/// Since: 0.1.0.
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
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let organization_id = text(organization_id, organization_id_len, "organization_id")?;
            let user_id = text(user_id, user_id_len, "user_id")?;
            let body = text(body, body_len, "body")?;
            client.organizations().update_member_metadata(organization_id, user_id, body)
        })
    }
}
