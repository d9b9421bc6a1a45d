//! `torii_requirements_t`.

use std::ffi::c_char;
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{exclusive, free, into_raw, text, utf8};
use super::status::torii_status_t;
use crate::verify::Requirements;

/// Requirements that a valid token must meet: flags, claims, organizations. All of them must hold; of
/// several organizations, any one.
pub struct torii_requirements_t(pub(super) Requirements);

/// Flags for torii_requirements_add_flags() and torii_verifier_options_require().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum torii_require_t {
    /// `email_verified` is true.
    TORII_REQUIRE_EMAIL_VERIFIED = 1,
    /// `profile_complete` is not false.
    TORII_REQUIRE_PROFILE_COMPLETE = 2,
    /// Neither `impersonating` nor `act` says that another party acts as the user.
    TORII_REQUIRE_NOT_IMPERSONATED = 4,
    /// An organization is active.
    TORII_REQUIRE_ORGANIZATION = 8,
}

const _: () = {
    use torii_require_t::*;

    use crate::verify as core;
    assert!(TORII_REQUIRE_EMAIL_VERIFIED as u32 == core::REQUIRE_EMAIL_VERIFIED);
    assert!(TORII_REQUIRE_PROFILE_COMPLETE as u32 == core::REQUIRE_PROFILE_COMPLETE);
    assert!(TORII_REQUIRE_NOT_IMPERSONATED as u32 == core::REQUIRE_NOT_IMPERSONATED);
    assert!(TORII_REQUIRE_ORGANIZATION as u32 == core::REQUIRE_ORGANIZATION);
};

/// == Requirements ==
/// Conditions that a valid token must also meet. Set them for a verifier, pass them to one
/// torii_verify_into() call, or check a result with torii_auth_require(): one verifier serves routes
/// with different requirements. An unmet requirement is TORII_ERR_POLICY.
///
/// Creates empty requirements, which every valid token meets. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_requirements_new() -> *mut torii_requirements_t {
    caught(ptr::null_mut(), || into_raw(torii_requirements_t(Requirements::new())))
}

/// Adds TORII_REQUIRE_… flags.
/// Errors: TORII_ERR_INVALID_ARGUMENT for 0 or an unknown flag. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_requirements_add_flags(
    requirements: *mut torii_requirements_t,
    flags: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handle is NULL or live and used by no other thread, `err` NULL or writable.
    unsafe {
        fallible(err, || {
            exclusive(requirements, "requirements")?.0.add_flags(flags)?;
            Ok(())
        })
    }
}

/// Requires that the claim at `pointer` (RFC 6901) equals `json`, a string, number or boolean, or is
/// an array that contains it. Strings compare by their decoded bytes, numbers by their exact decimal
/// value. A token without the claim does not meet the requirement.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty or malformed pointer, for null, and for anything
/// that is not a JSON scalar. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_requirements_add_claim(
    requirements: *mut torii_requirements_t,
    pointer: *const c_char,
    pointer_len: usize,
    json: *const c_char,
    json_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handle is NULL or live and used by no other thread, the texts are readable, `err`
    // NULL or writable.
    unsafe {
        fallible(err, || {
            let pointer = text(pointer, pointer_len, "pointer")?;
            let json = utf8(json, json_len, "json")?;
            exclusive(requirements, "requirements")?.0.add_claim(pointer, json)?;
            Ok(())
        })
    }
}

/// Requires that this organization is active, in the given role [may be NULL: in any role], or another
/// organization that was added. A role alone cannot be required: anyone can create an organization and
/// own it.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an empty id or role. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_requirements_add_organization(
    requirements: *mut torii_requirements_t,
    id: *const c_char,
    id_len: usize,
    role: *const c_char,
    role_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handle is NULL or live and used by no other thread, the texts are readable, `err`
    // NULL or writable.
    unsafe {
        fallible(err, || {
            let id = text(id, id_len, "id")?;
            let given = !role.is_null() || role_len != 0;
            let role = given.then(|| text(role, role_len, "role")).transpose()?;
            exclusive(requirements, "requirements")?.0.add_organization(id, role)?;
            Ok(())
        })
    }
}

/// Frees requirements. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_requirements_free(requirements: *mut torii_requirements_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(requirements) }
}
