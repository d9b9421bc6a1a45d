//! `torii_verifier_t`.

use std::ffi::c_char;

use super::auth::{self, torii_auth_t};
use super::call::fallible;
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::options::torii_verifier_options_t;
use super::panic::caught;
use super::pointer::{bytes, fill, free, into_raw, optional, out, shared, text};
use super::status::torii_status_t;
use crate::verify::{Check, Verifier, VerifierOptions};

/// Verifies tokens of one or several issuers.
///
/// Creating one is cheap, and verifiers of a process share keys. A verifier created before fork()
/// works in the child, with the keys of the parent.
pub struct torii_verifier_t(pub(super) Verifier);

const TOKEN: Check = Check { header: false, nowait: false };
const HEADER: Check = Check { header: true, ..TOKEN };
const NOWAIT: Check = Check { nowait: true, ..TOKEN };

/// == Verifying tokens ==
/// Create one verifier at startup, then pass it each token or each `Authorization` header from any
/// number of threads. The first call fetches the issuer's keys; later calls verify locally.
///
/// Creates a verifier for an issuer such as "https://acme.torii.so". Fetches nothing yet. `options`
/// [may be NULL] are copied.
/// Blocks while it reads the key cache directory and the revocations file, if they are set.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `issuer` is not a valid base URL, or is plain http to another
/// host; TORII_ERR_INVALID_CONFIG for options that contradict each other, and if the revocations file
/// is missing or invalid. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_new(
    issuer: *const c_char,
    issuer_len: usize,
    options: *const torii_verifier_options_t,
    out: *mut *mut torii_verifier_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `options` is NULL or live, the text readable, the out-pointers NULL or writable.
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

/// Verifies a token, a compact JWS (RFC 7515). Fetches the issuer's keys if they are missing or
/// expired, and once more if they lack the key the token names.
/// Blocks up to the fetch timeout if keys are fetched, else not at all.
/// Errors: TORII_ERR_TOKEN_… if the token is invalid; TORII_ERR_POLICY if it is valid but does not meet
/// a requirement; TORII_ERR_KEYS_UNAVAILABLE if it could not be verified because keys are missing.
/// Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verify_token(
    verifier: *const torii_verifier_t,
    token: *const c_char,
    token_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `verify` is that of this function.
    unsafe { verify(verifier, (token, token_len, "token"), TOKEN, out, err) }
}

/// As torii_verify_token(), without I/O and without waiting for I/O on another thread. On
/// TORII_ERR_KEYS_PENDING, run torii_verifier_refresh_due() on another thread or use
/// torii_verifier_claim_fetch(), then try again. Unless background refresh is off, a thread of this
/// library is fetching the keys by then, and torii_verifier_refresh_due() waits for it.
/// Errors: TORII_ERR_KEYS_PENDING if keys must be fetched, or the revocations file was last checked more
/// than 5 s ago; else as torii_verify_token(). Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verify_token_nowait(
    verifier: *const torii_verifier_t,
    token: *const c_char,
    token_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `verify` is that of this function.
    unsafe { verify(verifier, (token, token_len, "token"), NOWAIT, out, err) }
}

/// Verifies the token in the value of an `Authorization` header: "Bearer <token>" (RFC 6750), the
/// scheme in any case. Join the values of a repeated header with ", "; they are refused.
/// Blocks as torii_verify_token() does.
/// Errors: TORII_ERR_TOKEN_MISSING for an empty value; TORII_ERR_TOKEN_SCHEME for another scheme; else
/// as torii_verify_token(). Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_authenticate(
    verifier: *const torii_verifier_t,
    header: *const c_char,
    header_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of `verify` is that of this function.
    unsafe { verify(verifier, (header, header_len, "header"), HEADER, out, err) }
}

/// As torii_verifier_authenticate(), without I/O and without waiting for I/O on another thread.
/// Errors: TORII_ERR_KEYS_PENDING as from torii_verify_token_nowait(); else as
/// torii_verifier_authenticate(). Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_authenticate_nowait(
    verifier: *const torii_verifier_t,
    header: *const c_char,
    header_len: usize,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    let check = Check { header: true, ..NOWAIT };
    // SAFETY: the promise of `verify` is that of this function.
    unsafe { verify(verifier, (header, header_len, "header"), check, out, err) }
}

/// # Safety
///
/// `verifier` is NULL or live, the text readable, and the out-pointers are NULL or writable.
unsafe fn verify(
    verifier: *const torii_verifier_t,
    (text, len, name): (*const c_char, usize, &'static str),
    check: Check,
    out: *mut *mut torii_auth_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the promise of this function covers each of the pointers.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let text = bytes(text, len, name)?;
            let auth = shared(verifier, "verifier")?.0.check(text, check, None)?;
            *out = auth::into_raw(auth);
            Ok(())
        })
    }
}

/// Fetches the keys of every issuer now, on this thread, for example at startup, and checks the
/// revocations file. Joins a fetch in flight; accepts one that ended within the last second; keeps the backoff after a failure.
/// Blocks up to the fetch timeout for each issuer.
/// Errors: TORII_ERR_KEYS_UNAVAILABLE, with the reason; TORII_ERR_KEYS_PENDING if the host fetches and
/// has not claimed the fetch. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_refresh(
    verifier: *const torii_verifier_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `verifier` is NULL or live, and `err` NULL or writable.
    unsafe { fallible(err, || shared(verifier, "verifier")?.0.refresh()) }
}

/// Returns statistics as JSON:
///
/// - `accepted`: tokens accepted; `hits`: those among them found in the token cache;
/// - `refused`: refusals by the name of their status;
/// - `cached_tokens` and `cache_bytes`: the content of the token cache;
/// - `issuers`, in the order of configuration: `issuer`, `keys` in use, `skipped` unusable keys,
///   `key_age` in seconds (null without keys), `due_in_ms`, the milliseconds until a fetch is due
///   (null for given keys), `fetches` that ended, `failures` among them, `last_error` (null if the
///   last fetch succeeded), `last_success`, seconds since the last successful fetch (null if none),
///   `key_cache_dir` (null without one): key sets `loaded` and `written`, writes that `failed`, files
///   `ignored` by the reason, and `last_error` (null if the last write succeeded).
///   Fetches and files are counted for the process;
/// - `revocations`: `entries` of the three lists, and `file` (null without a file): its `entries`,
///   `last_check`, seconds since it was last checked, `reads` of its content, `failures`, checks that
///   failed, and `last_error` (null if the last check succeeded). The file is counted for the process;
/// - `tables_built` by torii_verifier_options_set_fixed_base(), and `tables_discarded`, since they
///   disagreed with aws-lc. Tables are counted for the process.
///
/// Errors: TORII_ERR_INVALID_ARGUMENT for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_stats_json(
    verifier: *const torii_verifier_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `verifier` is NULL or live, and the out-pointers are NULL or writable.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            *out = into_raw(torii_json_t(shared(verifier, "verifier")?.0.stats()?));
            Ok(())
        })
    }
}

/// Frees a verifier. Handles that came from it stay valid. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_free(verifier: *mut torii_verifier_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(verifier) }
}

/// Drops the keys of every issuer, for tests: all verifiers of the process fetch again. Answers to
/// fetches in flight are dropped too. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_jwks_cache_clear() {
    caught((), crate::clear_jwks_cache);
}

/// == Revocation and metrics ==
/// A token stays valid until its `exp`, even after its user was banned. A revocation refuses the
/// tokens issued to a user at or before a moment, with TORII_ERR_TOKEN_REVOKED: those whose `iat` is at
/// most that time plus the leeway. It applies to `sub` and to the actor, whichever issuer the token is
/// from, and to tokens in the token cache. A verifier has three lists: of calls, of JSON, and of the
/// file of torii_verifier_options_set_revocations_file(). A token is refused if one of them says so;
/// replacing one list leaves the others as they are. Each holds at most 100000 entries.
///
/// Revokes the tokens of a user issued at or before `issued_before`, Unix seconds at most one day
/// ahead, or all of them with TORII_REVOKE_ALL. Of several calls for a user the latest time counts. If
/// a maximum lifetime is set, the entry ends at `issued_before` plus that lifetime plus twice the
/// leeway plus one day. Takes effect in this process, from the next verification on; a child of fork() has the
/// entries of its parent. May be called while other threads verify. Does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `user_id` is empty, the time is negative or too far ahead, or
/// the list of calls is full. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_revoke(
    verifier: *const torii_verifier_t,
    user_id: *const c_char,
    user_id_len: usize,
    issued_before: i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `verifier` is NULL or live, the text readable, and `err` NULL or writable.
    unsafe {
        fallible(err, || {
            let user_id = text(user_id, user_id_len, "user_id")?;
            shared(verifier, "verifier")?.0.revoke(user_id, issued_before)
        })
    }
}

/// Replaces the list that an earlier call of this function set:
/// `{"revoked":[{"sub":"…","before":1732550000}]}`. `before` is as for torii_verifier_revoke(), or
/// "all" for TORII_REVOKE_ALL. An empty list ends these revocations. May be called while other threads
/// verify. Does not block.
/// Errors: TORII_ERR_INVALID_ARGUMENT, with line and column, if `json` is not such a list, has other
/// members, or has more than 100000 entries; the earlier list then stays. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_set_revocations_json(
    verifier: *const torii_verifier_t,
    json: *const c_char,
    json_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `verifier` is NULL or live, the text readable, and `err` NULL or writable.
    unsafe {
        fallible(err, || {
            let json = bytes(json, json_len, "json")?;
            shared(verifier, "verifier")?.0.set_revocations_json(json)
        })
    }
}

/// Writes metrics as OpenMetrics text 1.0.0 into `buf`, without a NUL, and their length to `size`. A
/// scrape answers with it as `application/openmetrics-text; version=1.0.0; charset=utf-8`. The length
/// can grow between two calls: repeat while the buffer is too small.
/// Errors: TORII_ERR_BUFFER_TOO_SMALL if `cap` is less than `size`, which is set. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_metrics(
    verifier: *const torii_verifier_t,
    buf: *mut c_char,
    cap: usize,
    size: *mut usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `verifier` is NULL or live, `buf` has `cap` bytes, and the out-pointers are NULL or
    // writable.
    unsafe {
        fallible(err, || {
            let size = out(size, "size")?;
            let metrics = shared(verifier, "verifier")?.0.metrics();
            fill(buf, cap, size, metrics.as_bytes())
        })
    }
}

/// == Keys for event loops ==
/// A host that must not block calls the `_nowait` functions and fetches keys in one of two ways: on
/// a thread pool with torii_verifier_refresh_due(), or with its own HTTP client through
/// torii_verifier_claim_fetch().
///
/// Fetches keys if a fetch is due, and waits for a fetch in flight: the job for a thread pool while a
/// request is parked. Checks the revocations file if that is due; the host does so even if it fetches
/// keys by itself. `issuer` [may be NULL, for every issuer] is usually torii_error_issuer() of the
/// refusal. Succeeds at once if no fetch is due, or if the backoff or the cooldown for unknown keys is
/// not over; a key missed during the cooldown makes a fetch due at its end.
/// Blocks up to the fetch timeout.
/// Errors: as torii_verifier_refresh(); TORII_ERR_INVALID_ARGUMENT for an issuer it does not have.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_refresh_due(
    verifier: *const torii_verifier_t,
    issuer: *const c_char,
    issuer_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `verifier` is NULL or live, the text readable, and `err` NULL or writable.
    unsafe {
        fallible(err, || {
            let issuer = optional(issuer, issuer_len, "issuer")?;
            shared(verifier, "verifier")?.0.refresh_due(issuer)
        })
    }
}

/// Returns the milliseconds until a key fetch or a check of the revocations file is due, for a timer
/// that runs torii_verifier_refresh_due(): then no request waits for keys. 0 if one is due now; -1 if
/// all keys were given and there is no such file, and for NULL. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_verifier_due_in_ms(verifier: *const torii_verifier_t) -> i64 {
    caught(-1, || {
        // SAFETY: NULL or live, by the caller's promise.
        let due = unsafe { shared(verifier, "verifier") }.ok().and_then(|v| v.0.due_in_ms());
        due.map_or(-1, |due| i64::try_from(due).unwrap_or(i64::MAX))
    })
}
