//! `torii_client_t`, and what all its operations have in common.

use std::ffi::c_char;

use super::call::fallible;
use super::client_options::torii_client_options_t;
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{free, into_raw, optional, out, shared, text};
use super::status::torii_status_t;
use crate::api::{Client, ClientOptions};
use crate::error::Result;
use crate::json::Json;

/// Manages the environment of a secret key, over torii's backend API.
///
/// Any number of threads may use one at once: a call runs on the thread that makes it, and blocks it
/// up to the timeout of the options. torii_client_free() alone needs a client to itself. Connections
/// are kept open between calls; a client made before fork() works in the child, with its own.
///
/// Ids and cursors are UUIDs. Bodies are JSON objects and reach the API as they are: fields this
/// library has never heard of pass, null stays null, and what is absent stays absent.
///
/// Every call can fail with
///
/// - TORII_ERR_INVALID_ARGUMENT, before anything was sent;
/// - TORII_ERR_API when the API answers, but not with success: torii_error_http_status(),
///   torii_error_code(), torii_error_support_id(), torii_error_body() and torii_error_retry_after()
///   have the details; 401 is for a wrong secret key;
/// - TORII_ERR_TRANSPORT when the API cannot be reached, or the connection is lost;
/// - TORII_ERR_TIMEOUT when the call takes longer than the timeout;
/// - TORII_ERR_RESPONSE when the API answers with success, but with what is not JSON, broken off, or
///   longer than 16777216 bytes.
///
/// A call is repeated after a failure to connect. Where doing it twice is the same as doing it once,
/// it is also repeated after a lost connection, after 502, 503 and 504, and after 429 if the API says
/// when; each call tells if it is not so. No call outlives its timeout for that.
pub struct torii_client_t(Client);

/// Makes a client for the environment of a secret key, "sk_live_…" or "sk_test_…". Nothing is sent
/// yet.
///
/// `options` [may be NULL] are copied.
/// Errors: TORII_ERR_INVALID_ARGUMENT for what is no secret key; TORII_ERR_INVALID_CONFIG for plain
/// http to another host.
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_new(
    secret_key: *const c_char,
    secret_key_len: usize,
    options: *const torii_client_options_t,
    out: *mut *mut torii_client_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handles, text and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let secret_key = text(secret_key, secret_key_len, "secret_key")?;
            let client = match options.as_ref() {
                Some(options) => Client::new(secret_key, &options.0),
                None => Client::new(secret_key, &ClientOptions::new()),
            }?;
            *out = into_raw(torii_client_t(client));
            Ok(())
        })
    }
}

/// Calls an operation that is newer than this library. `method` is GET, POST, PUT, PATCH or DELETE,
/// and `path` the whole path below the API's URL, as in "/api/server/v1/users". An answer without a
/// body is null. GET is repeated after a failure, anything else never once it was sent.
///
/// Blocks up to the client's timeout.
/// Errors: those of every call of torii_client_t.
/// Since: 0.1.0.
///
/// `query` [may be NULL] is percent-encoded already, without its question mark. `body` [may be
/// NULL] is a JSON object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_request_json(
    client: *const torii_client_t,
    method: *const c_char,
    method_len: usize,
    path: *const c_char,
    path_len: usize,
    query: *const c_char,
    query_len: usize,
    body: *const c_char,
    body_len: usize,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: handle, texts and out-pointers are as the caller promises.
    unsafe {
        answer(client, out, err, |client| {
            let method = text(method, method_len, "method")?;
            let path = text(path, path_len, "path")?;
            let query = optional(query, query_len, "query")?;
            let body = optional(body, body_len, "body")?;
            client.request(method, path, query, body)
        })
    }
}

/// Frees a client, closes its connections and wipes its secret key. NULL is fine.
///
/// Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_free(client: *mut torii_client_t) {
    // SAFETY: NULL or live and of the caller's alone, by its promise.
    unsafe { free(client) }
}

/// Runs an operation that answers JSON.
///
/// # Safety
///
/// `client` is NULL or a live handle, `out` and `err` are NULL or can be written to.
pub(super) unsafe fn answer(
    client: *const torii_client_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
    operation: impl FnOnce(&Client) -> Result<Json>,
) -> torii_status_t {
    // SAFETY: handle and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            *out = into_raw(torii_json_t(operation(&shared(client, "client")?.0)?));
            Ok(())
        })
    }
}

/// Runs an operation that answers nothing.
///
/// # Safety
///
/// `client` is NULL or a live handle, `err` is NULL or can be written to.
pub(super) unsafe fn done(
    client: *const torii_client_t,
    err: *mut *mut torii_error_t,
    operation: impl FnOnce(&Client) -> Result<()>,
) -> torii_status_t {
    // SAFETY: handle and `err` are as the caller promises.
    unsafe { fallible(err, || operation(&shared(client, "client")?.0)) }
}
