//! `torii_auth_t`.

use std::ffi::c_char;

use super::error::torii_error_t;
use super::guard::{fallible, infallible};
use super::json::torii_json_t;
use super::pointer::{borrow, free, into_raw, out, shared, text};
use super::status::torii_status_t;
use crate::verify::{Auth, Field};

/// The user a token was issued to, as the issuer signed it.
///
/// A handle does not change: any number of threads may read it at once. It outlives the verifier.
/// No text it lends holds U+0000, so C and every other language see the same.
pub struct torii_auth_t(pub(super) Auth);

/// The user: `sub`.
///
/// Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_user_id(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(auth, "auth").ok()?.0.0.text(Field::UserId)) }
}

/// The environment the user belongs to: `pid`.
///
/// Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_environment_id(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(auth, "auth").ok()?.0.0.text(Field::EnvironmentId)) }
}

/// The configured issuer the token is of, without trailing slashes.
///
/// Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_issuer(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(auth, "auth").ok()?.0.0.text(Field::Issuer)) }
}

/// The locale the user prefers: `locale`. NULL when the token names none.
///
/// Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_locale(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(auth, "auth").ok()?.0.0.text(Field::Locale)) }
}

/// All claims, exactly as they were signed: the payload of the token.
///
/// Ownership: borrowed from `auth`, valid until torii_auth_free(). NULL for a NULL handle.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_claims_json(
    auth: *const torii_auth_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `auth` is NULL or live, `len` NULL or writable, by the caller's promise.
    unsafe { borrow(len, || shared(auth, "auth").ok()?.0.0.text(Field::Claims)) }
}

/// Whether the user has a verified email address: only when the token says `true`. False for NULL.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_email_verified(auth: *const torii_auth_t) -> bool {
    infallible(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth, "auth") };
        auth.is_ok_and(|auth| auth.0.email_verified())
    })
}

/// Whether all required profile fields are set: unless the token says `false`. False for NULL.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_profile_complete(auth: *const torii_auth_t) -> bool {
    infallible(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth, "auth") };
        auth.is_ok_and(|auth| auth.0.profile_complete())
    })
}

/// Whether somebody else is acting as the user. False for NULL.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_impersonating(auth: *const torii_auth_t) -> bool {
    infallible(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth, "auth") };
        auth.is_ok_and(|auth| auth.0.impersonating())
    })
}

/// `iat`, in Unix seconds, rounded down. 0 for NULL.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_issued_at(auth: *const torii_auth_t) -> i64 {
    infallible(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth, "auth") };
        auth.map_or(0, |auth| auth.0.issued_at())
    })
}

/// `exp`, in Unix seconds, rounded down. 0 for NULL.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_expires_at(auth: *const torii_auth_t) -> i64 {
    infallible(0, || {
        // SAFETY: NULL or live, by the caller's promise.
        let auth = unsafe { shared(auth, "auth") };
        auth.map_or(0, |auth| auth.0.expires_at())
    })
}

/// A top-level claim that is a string, by its name. NULL when it is absent, no string, or holds
/// U+0000, where C would see it end too early.
///
/// Ownership: borrowed from `auth`, valid until torii_auth_free().
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_claim_string(
    auth: *const torii_auth_t,
    name: *const c_char,
    name_len: usize,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: handle, text and `len` are as the caller promises.
    unsafe {
        borrow(len, || {
            let name = text(name, name_len, "name").ok()?;
            shared(auth, "auth").ok()?.0.0.string(name)
        })
    }
}

/// All claims, to be read one by one with the torii_json_ functions.
///
/// Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL, or for claims with a number beyond what a double
/// holds.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_claims(
    auth: *const torii_auth_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            *out = into_raw(torii_json_t(shared(auth, "auth")?.0.claims()?));
            Ok(())
        })
    }
}

/// Frees an auth handle, and with it every text borrowed from it. NULL is fine.
///
/// Threads: nobody else may use `auth`; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_auth_free(auth: *mut torii_auth_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(auth) }
}
