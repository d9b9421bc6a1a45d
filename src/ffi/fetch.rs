//! `torii_fetch_t`.

use std::ffi::c_char;
use std::ptr;

use super::call::fallible;
use super::error::torii_error_t;
use super::panic::caught;
use super::pointer::{borrow, bytes, exclusive, free, into_raw, shared, utf8};
use super::status::torii_status_t;
use super::verifier::torii_verifier_t;
use crate::error::Error;
use crate::keys::KeyFetch;

/// A key fetch that the host performs with its own HTTP client.
///
/// The handle belongs to one issuer: a late answer cannot reach another issuer's keys. It may outlive
/// the verifier and move between threads; one thread uses it at a time.
pub struct torii_fetch_t(KeyFetch);

/// Claims a key fetch that is due. Request torii_fetch_url(), with torii_fetch_etag() as
/// `If-None-Match`, follow no redirect, then call torii_fetch_done() and torii_fetch_free(). Call this
/// after each TORII_ERR_KEYS_PENDING and from a timer set by torii_verifier_due_in_ms().
///
/// From the first call on, the verifier uses keys the host fetches; the library fetches none for it.
/// Keys fetched by hosts and by the library are kept apart.
/// Ownership: the caller frees the handle with torii_fetch_free(). NULL if no fetch is due, if another
/// handle holds it, and for a NULL verifier. A fetch not done within 30 seconds counts as failed.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_claim_fetch(
    verifier: *const torii_verifier_t,
) -> *mut torii_fetch_t {
    caught(ptr::null_mut(), || {
        // SAFETY: NULL or live, by the caller's promise.
        let verifier = unsafe { shared(verifier, "verifier") };
        let fetch = verifier.ok().and_then(|verifier| verifier.0.claim_fetch());
        fetch.map_or(ptr::null_mut(), |fetch| into_raw(torii_fetch_t(fetch)))
    })
}

/// Returns the URL to request. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_fetch_url(
    fetch: *const torii_fetch_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `fetch` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || Some(shared(fetch, "fetch").ok()?.0.nul_url())) }
}

/// Returns the entity tag to send as `If-None-Match`. NULL if there is none. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_fetch_etag(
    fetch: *const torii_fetch_t,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: `fetch` is NULL or live, and `len` NULL or writable.
    unsafe { borrow(len, || shared(fetch, "fetch").ok()?.0.nul_etag()) }
}

/// Hands over the issuer's answer: a 200 with a body, a 304, or anything else, which counts as a
/// failed fetch. A 304 renews only the keys whose entity tag this handle carried. `etag` [may be NULL],
/// `max_age_seconds` of `Cache-Control` and `age_seconds` of `Age` (RFC 9111) are those of the answer;
/// -1 if absent. An age shortens the lifetime to no less than 60 seconds; one above 86400 is ignored.
/// Errors: TORII_ERR_KEYS_UNAVAILABLE if the answer is unusable (the keys at hand stay in use), and if
/// it comes too late: after 30 seconds, after torii_jwks_cache_clear(), or in a child made by fork().
/// Nothing is stored then. TORII_ERR_INVALID_ARGUMENT if the fetch is done already. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_fetch_done(
    fetch: *mut torii_fetch_t,
    http_status: u32,
    body: *const c_char,
    body_len: usize,
    etag: *const c_char,
    etag_len: usize,
    max_age_seconds: i64,
    age_seconds: i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `fetch` is NULL or live and used by no other thread, the texts are readable, and `err`
    // is NULL or writable.
    unsafe {
        fallible(err, || {
            let body = bytes(body, body_len, "body")?;
            let etag = utf8(etag, etag_len, "etag")?;
            let status = u16::try_from(http_status)
                .map_err(|_| Error::argument("http_status", "not an HTTP status"))?;
            let etag = Some(etag).filter(|etag| !etag.is_empty());
            let [max_age, age] = [max_age_seconds, age_seconds].map(|n| u64::try_from(n).ok());
            exclusive(fetch, "fetch")?.0.done(status, body, etag, max_age, age)
        })
    }
}

/// Frees a fetch. Without torii_fetch_done(), the fetch has failed. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_fetch_free(fetch: *mut torii_fetch_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(fetch) }
}
