//! `torii_auth_t`.

use std::ffi::c_char;
use std::sync::Arc;

use super::call::fallible;
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::panic::caught;
use super::pointer::{self, borrow, out, text};
use super::requirements::torii_requirements_t;
use super::status::torii_status_t;
use crate::error::Result;
use crate::verify::{
    Auth, Field, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_PROFILE_COMPLETE,
    Verified,
};

/// The identity in a verified token. A handle does not change, and it may outlive the verifier.
///
/// A handle points to the claims themselves and stands for one reference to them. So two results of
/// one token can be the same pointer; each is freed.
pub struct torii_auth_t(());

/// Moves a result to the caller, who frees it.
pub(super) fn into_raw(auth: Auth) -> *mut torii_auth_t {
    Arc::into_raw(auth.0).cast_mut().cast()
}

/// The claims behind a handle.
///
/// # Safety
///
/// `auth` is NULL or a live handle.
unsafe fn shared<'a>(auth: *const torii_auth_t) -> Result<&'a Verified> {
    // SAFETY: A live handle came from `into_raw`, so it points to these claims, whose count includes
    // this handle.
    unsafe { pointer::shared(auth.cast(), "auth") }
}

/// == Reading a result ==
/// Text from a result never contains U+0000, so C and every other language see the same value.
///
/// Returns the user id, claim `sub`. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_user_id(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::UserId)) }
}

/// Returns the id of the user's environment, claim `pid`. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_environment_id(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::EnvironmentId)) }
}

/// Returns the configured issuer that signed the token, without trailing slashes. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_issuer(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::Issuer)) }
}

/// Returns the user's preferred locale, claim `locale`. NULL if absent. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_locale(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::Locale)) }
}

/// Returns the id of the active organization, claim `o`. NULL if none is active. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_organization_id(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::OrganizationId)) }
}

/// Returns the user's role in the active organization. NULL if absent. Roles are opaque names that an
/// organization's owner assigns: check them together with the organization's id. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_organization_role(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::OrganizationRole)) }
}

/// Returns the id of the party that acts as the user, claim `act` (RFC 8693 §4.1). NULL if absent, which
/// does not mean that there is no such party: see torii_auth_impersonating(). Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_actor_id(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::ActorId)) }
}

/// Returns all claims exactly as signed: the payload of the token. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_claims_json(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(auth).ok()?.text(Field::Claims)) }
}

/// Returns whether the user has a verified email address: claim `email_verified` is `true`. torii stamps
/// this claim only through the environment's default JWT template. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_email_verified(auth: *const torii_auth_t) -> bool {
    caught(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth) };
        auth.is_ok_and(|auth| auth.meets(REQUIRE_EMAIL_VERIFIED))
    })
}

/// Returns whether required profile fields are set: claim `profile_complete` is not `false`. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_profile_complete(auth: *const torii_auth_t) -> bool {
    caught(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth) };
        auth.is_ok_and(|auth| auth.meets(REQUIRE_PROFILE_COMPLETE))
    })
}

/// Returns whether another party acts as the user: `impersonating` is `true`, or `act` present. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_impersonating(auth: *const torii_auth_t) -> bool {
    caught(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth) };
        auth.is_ok_and(|auth| !auth.meets(REQUIRE_NOT_IMPERSONATED))
    })
}

/// Returns claim `iat` in Unix seconds, rounded down. 0 for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_issued_at(auth: *const torii_auth_t) -> i64 {
    caught(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth) };
        auth.map_or(0, |auth| auth.times.issued_at)
    })
}

/// Returns claim `exp` in Unix seconds, rounded down. 0 for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_expires_at(auth: *const torii_auth_t) -> i64 {
    caught(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth) };
        auth.map_or(0, |auth| auth.times.expires_at)
    })
}

/// Returns a top-level string claim by its name. NULL if it is absent, is not a string, or contains
/// U+0000. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_claim_string(
    auth: *const torii_auth_t,
    name: *const c_char,
    name_len: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, the text readable, and `len` NULL or writable.
    unsafe {
        borrow(len, || {
            let name = text(name, name_len, "name").ok()?;
            shared(auth).ok()?.string(name)
        })
    }
}

/// Returns all claims as JSON, to read one by one with the torii_json_ functions.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_claims(
    auth: *const torii_auth_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `auth` is NULL or live, and the out-pointers are NULL or writable.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            *out = pointer::into_raw(torii_json_t(shared(auth)?.claims()?));
            Ok(())
        })
    }
}

/// Checks requirements against a result, for one route among many. Looks at the claims only: neither
/// the expiry nor the signature is checked again.
/// Errors: TORII_ERR_POLICY for an unmet requirement; TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_require(
    auth: *const torii_auth_t,
    requirements: *const torii_requirements_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: both handles are NULL or live, and `err` is NULL or writable.
    unsafe {
        fallible(err, || {
            let requirements = pointer::shared(requirements, "requirements")?;
            requirements.0.require(shared(auth)?)
        })
    }
}

/// Frees a result. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_free(auth: *mut torii_auth_t) {
    if !auth.is_null() {
        // SAFETY: It came from `into_raw`, and the caller does not use this reference again. The
        // claims are never written to, so that other references can be in use meanwhile.
        let auth = unsafe { Arc::<Verified>::from_raw(auth.cast()) };
        caught((), || drop(auth));
    }
}
