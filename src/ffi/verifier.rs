//! `torii_verifier_t`.

use std::ffi::c_char;

use super::auth::torii_auth_t;
use super::error::torii_error_t;
use super::guard::{fallible, infallible};
use super::json::torii_json_t;
use super::options::torii_verifier_options_t;
use super::pointer::{borrow, bytes, free, into_raw, out, shared, text};
use super::status::torii_status_t;
use crate::error::Error;
use crate::verify::{HostFetch, Verifier, VerifierOptions};

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

/// For a host that fetches by itself: takes upon it a fetch of keys that is due. True for exactly
/// one caller; it then requests torii_verifier_jwks_url(), with torii_verifier_jwks_etag() as
/// `If-None-Match`, and calls exactly one of torii_verifier_fetch_done() and
/// torii_verifier_fetch_failed() within 30 seconds, after which the fetch counts as failed. Such a
/// host switches torii_verifier_options_set_background_refresh() off, and asks after each
/// TORII_ERR_KEYS_PENDING and every few seconds.
///
/// Threads: any number at once; does not block. False for a NULL verifier.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_claim_fetch(verifier: *const torii_verifier_t) -> bool {
    infallible(false, || {
        // SAFETY: NULL or live, by the caller's promise.
        unsafe { shared(verifier, "verifier") }.is_ok_and(|v| v.0.claim_fetch().is_some())
    })
}

/// Where keys are fetched from: of the issuer whose fetch is claimed, else of the first.
///
/// Ownership: borrowed from `verifier`, valid until it is freed or torii_verifier_claim_fetch() is
/// called again. NULL for a NULL verifier.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_jwks_url(
    verifier: *const torii_verifier_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: handle and `len` are as the caller promises; the verifier keeps the fetch, and with
    // it the text, until another is claimed.
    unsafe {
        let verifier = shared(verifier, "verifier").ok();
        let fetch = infallible(None, || verifier?.0.host_fetch());
        borrow(len, || match &fetch {
            Some(fetch) => Some(fetch.nul_url()),
            None => verifier?.0.first_jwks_url(),
        })
    }
}

/// The entity tag of the keys at hand when the fetch was claimed, to be sent as `If-None-Match`.
/// NULL when there is none, or no fetch is claimed.
///
/// Ownership: borrowed from `verifier`, valid until it is freed or torii_verifier_claim_fetch() is
/// called again.
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
///
/// `len` [may be NULL] receives the length in bytes, without the NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_jwks_etag(
    verifier: *const torii_verifier_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: as for the URL.
    unsafe {
        let fetch = infallible(None, || shared(verifier, "verifier").ok()?.0.host_fetch());
        borrow(len, || fetch.as_ref()?.nul_etag())
    }
}

/// The issuer answered the host's fetch: 200 with a body, 304, or something that is of no use.
/// `etag` [may be NULL] and `max_age` (of `Cache-Control`, in seconds; -1 when not told) are the
/// answer's. Everything is copied.
///
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT when no fetch is claimed; TORII_ERR_KEYS_UNAVAILABLE when the
/// answer is of no use, with the reason: the keys at hand then stay in use.
/// Since: 0.1.0.
///
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_fetch_done(
    verifier: *const torii_verifier_t,
    http_status: u32,
    body: *const c_char,
    body_len: usize,
    etag: *const c_char,
    etag_len: usize,
    max_age: i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and `err` are as the caller promises.
    unsafe {
        fallible(err, || {
            let body = bytes(body, body_len, "body")?;
            let etag = text(etag, etag_len, "etag")?;
            let status = u16::try_from(http_status)
                .map_err(|_| Error::argument("http_status", "not an HTTP status"))?;
            claimed(&shared(verifier, "verifier")?.0, |fetch| {
                fetch.done(status, body, Some(etag), u64::try_from(max_age).ok())
            })
        })
    }
}

/// The issuer did not answer the host's fetch. Does nothing when no fetch is claimed.
///
/// Threads: any number at once; does not block.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_fetch_failed(verifier: *const torii_verifier_t) {
    infallible((), || {
        // SAFETY: NULL or live, by the caller's promise.
        if let Ok(verifier) = unsafe { shared(verifier, "verifier") } {
            drop(claimed(&verifier.0, HostFetch::failed));
        }
    });
}

fn claimed(
    verifier: &Verifier,
    end: impl FnOnce(&HostFetch) -> Result<(), Error>,
) -> Result<(), Error> {
    match verifier.host_fetch() {
        Some(fetch) => end(&fetch),
        None => Err(Error::argument("verifier", "no fetch is claimed")),
    }
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
