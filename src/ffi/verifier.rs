//! `torii_verifier_t`.

use std::ffi::c_char;

use super::auth::torii_auth_t;
use super::error::torii_error_t;
use super::guard::{fallible, infallible};
use super::json::torii_json_t;
use super::options::torii_verifier_options_t;
use super::pointer::{bytes, free, into_raw, out, shared, text};
use super::status::torii_status_t;
use crate::verify::{Verifier, VerifierOptions};

/// Judges tokens of one or several issuers.
///
/// Any number of threads may use one at once; torii_verifier_free() alone needs it to itself. A
/// verifier made before fork() works in the child, with the parent's keys. Making one is cheap,
/// and keys are shared by all verifiers of the process.
pub struct torii_verifier_t(Verifier);

/// Makes a verifier for an issuer, as in "https://acme.torii.so". Nothing is fetched yet.
///
/// Ownership: `*out` is the caller's, to be freed with torii_verifier_free(); NULL on failure.
/// `options` [may be NULL] are copied.
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for an issuer that is no base URL, or is plain http to
/// another host; TORII_ERR_INVALID_CONFIG for options that do not go together.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_new(
    issuer: *const c_char,
    issuer_len: usize,
    options: *const torii_verifier_options_t,
    out: *mut *mut torii_verifier_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handles, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let issuer = text(issuer, issuer_len, "issuer")?;
            let verifier = match options.as_ref() {
                Some(options) => Verifier::new(issuer, &options.0),
                None => Verifier::new(issuer, &VerifierOptions::new()),
            }?;
            *out = into_raw(torii_verifier_t(verifier));
            Ok(())
        })
    }
}

/// Judges a token, a compact JWS (RFC 7515). Fetches the issuer's keys first when they are missing
/// or too old, and once more when they lack the one the token names.
///
/// Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
/// Threads: any number at once. Blocks up to the fetch timeout when keys are fetched, else not at all.
/// Errors: TORII_ERR_TOKEN_… when the token is bad; TORII_ERR_POLICY when it is good but unwanted;
/// TORII_ERR_KEYS_UNAVAILABLE when nothing can be said because the keys cannot be had.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verify_token(
    verifier: *const torii_verifier_t,
    token: *const c_char,
    token_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let token = bytes(token, token_len, "token")?;
            let auth = shared(verifier, "verifier")?.0.verify(token)?;
            *out = into_raw(torii_auth_t(auth));
            Ok(())
        })
    }
}

/// As torii_verify_token(), but never does I/O, and never waits for somebody who does. On
/// TORII_ERR_KEYS_PENDING have the keys fetched, by torii_verifier_refresh() on another thread or by
/// torii_verifier_claim_fetch(), and ask again. Unless background refresh is off, a thread of this
/// library is fetching them by then, and torii_verifier_refresh() waits for it.
///
/// Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
/// Threads: any number at once. Does not block.
/// Errors: TORII_ERR_KEYS_PENDING when keys have to be fetched first; else as torii_verify_token().
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verify_token_nowait(
    verifier: *const torii_verifier_t,
    token: *const c_char,
    token_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let token = bytes(token, token_len, "token")?;
            let auth = shared(verifier, "verifier")?.0.verify_nowait(token)?;
            *out = into_raw(torii_auth_t(auth));
            Ok(())
        })
    }
}

/// Judges the token in the value of an `Authorization` header: "Bearer <token>" (RFC 6750), the
/// scheme in any case.
///
/// Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
/// Threads: any number at once. Blocks as torii_verify_token() does.
/// Errors: TORII_ERR_TOKEN_MISSING for an empty value; TORII_ERR_TOKEN_SCHEME for another scheme; else
/// as torii_verify_token().
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_authenticate(
    verifier: *const torii_verifier_t,
    header: *const c_char,
    header_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let header = bytes(header, header_len, "header")?;
            let auth = shared(verifier, "verifier")?.0.authenticate(header)?;
            *out = into_raw(torii_auth_t(auth));
            Ok(())
        })
    }
}

/// As torii_verifier_authenticate(), but never does I/O, and never waits for somebody who does.
///
/// Ownership: `*out` is the caller's, to be freed with torii_auth_free(); NULL on failure.
/// Threads: any number at once. Does not block.
/// Errors: TORII_ERR_KEYS_PENDING when keys have to be fetched first; else as torii_verifier_authenticate().
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_authenticate_nowait(
    verifier: *const torii_verifier_t,
    header: *const c_char,
    header_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let header = bytes(header, header_len, "header")?;
            let auth = shared(verifier, "verifier")?.0.authenticate_nowait(header)?;
            *out = into_raw(torii_auth_t(auth));
            Ok(())
        })
    }
}

/// Fetches the keys of every issuer now, on this thread: to warm up, or for a pool of threads that
/// does the waiting for an event loop. Joins a fetch under way; one that ended within the last
/// second will do; after a failure, the pause before the next attempt is kept.
///
/// Threads: any number at once. Blocks up to the fetch timeout for each issuer.
/// Errors: TORII_ERR_KEYS_UNAVAILABLE, with the reason.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_refresh(
    verifier: *const torii_verifier_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe { fallible(err, || shared(verifier, "verifier")?.0.refresh()) }
}

/// What the verifier has done so far, as JSON:
///
/// - `accepted`: tokens accepted, and `hits`: those of them whose signature was known good before;
/// - `refused`: how often each status was the answer, by its name;
/// - `verdicts` and `verdict_bytes`: what the cache of verdicts holds;
/// - `issuers`, in the order they were configured: `issuer`, `keys` in use and `skipped` because
///   they cannot be used, `key_age` in seconds (null without keys), `due_in_ms`, the milliseconds
///   until keys are to be fetched (null where they were given), `fetches` that ended and of these
///   `failures`, both counted for the whole process.
///
/// A host that has keys fetched by torii_verifier_refresh(), on a thread of its own, does so when
/// `due_in_ms` have passed, and then nobody waits for keys.
///
/// Ownership: `*out` is the caller's, to be freed with torii_json_free(); NULL on failure.
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_stats_json(
    verifier: *const torii_verifier_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            *out = into_raw(torii_json_t(shared(verifier, "verifier")?.0.stats()?));
            Ok(())
        })
    }
}

/// Frees a verifier. NULL is fine. What it made lives on.
///
/// Threads: nobody else may use `verifier`; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_free(verifier: *mut torii_verifier_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(verifier) }
}

/// Forgets the keys of every issuer: all verifiers of the process fetch them anew. For tests.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_jwks_cache_clear() {
    infallible((), crate::clear_jwks_cache);
}
