//! `torii_client_t`, and the helpers of its operations.

use std::ffi::c_char;

use super::call::fallible;
use super::client_options::torii_client_options_t;
use super::error::torii_error_t;
use super::json::torii_json_t;
use super::pointer::{free, into_raw, optional, optional_utf8, out, shared, text, utf8};
use super::status::torii_status_t;
use crate::api::{Client, ClientOptions};
use crate::error::Result;
use crate::json::Json;

/// Calls torii's backend API with the secret key of one environment.
pub struct torii_client_t(Client);

/// == Client ==
/// Calls torii's backend API for the environment of a secret key. Create one client at startup: it keeps
/// connections open between calls. A client created before fork() works in the child, with connections
/// of its own.
///
/// Every call blocks up to the client's timeout. Ids and cursors are UUIDs. Bodies are JSON objects and
/// reach the API as the same value: unknown fields pass, null stays null, absent fields stay absent.
///
/// Lists are paged: an answer has "items", "nextCursor" and "hasMore". `limit` is 1 to 100, or 0 for the
/// API's default. `cursor` [may be NULL] is the "nextCursor" of the previous page; repeat the filters
/// with it.
///
/// A call is retried if nothing of it was sent. An idempotent call is also retried after a lost
/// connection, after 502, 503 and 504, and after 429 with a `Retry-After`. Every call is idempotent unless
/// its comment says otherwise.
///
/// Every call can fail with
///
/// - TORII_ERR_INVALID_ARGUMENT, before anything is sent;
/// - TORII_ERR_API if the API answers with an error, 401 for a wrong secret key:
///   torii_error_http_status(), torii_error_code(), torii_error_support_id(), torii_error_body() and
///   torii_error_retry_after() return the details;
/// - TORII_ERR_TRANSPORT if the API cannot be reached, or the connection is lost;
/// - TORII_ERR_TIMEOUT if the call takes longer than the timeout;
/// - TORII_ERR_RESPONSE if a successful answer is not JSON, is truncated, or exceeds 16777216 bytes.
///
/// `Errors:` of a call lists further HTTP statuses of TORII_ERR_API.
///
/// Creates a client. `secret_key` is "sk_live_…" or "sk_test_…". Sends nothing and does not block.
/// `options` [may be NULL] are copied.
/// Errors: TORII_ERR_INVALID_ARGUMENT if `secret_key` has another form; TORII_ERR_INVALID_CONFIG for
/// plain http to another host. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_new(
    secret_key: *const c_char,
    secret_key_len: usize,
    options: *const torii_client_options_t,
    out: *mut *mut torii_client_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: `options` is NULL or live, the text readable, and the out-pointers NULL or writable.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let secret_key = utf8(secret_key, secret_key_len, "secret_key")?;
            let client = match options.as_ref() {
                Some(options) => Client::new(secret_key, &options.0),
                None => Client::new(secret_key, &ClientOptions::new()),
            }?;
            *out = into_raw(torii_client_t(client));
            Ok(())
        })
    }
}

/// Calls an operation newer than this library. `method` is GET, POST, PUT, PATCH or DELETE. `path` is
/// the whole path below the base URL, such as "/api/server/v1/users". `query` [may be NULL] is
/// percent-encoded, without the question mark. `body` [may be NULL] is a JSON object. An answer without a
/// body is null.
///
/// GET is idempotent; the other methods are never retried once sent. Since: 0.1.0.
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
    // SAFETY: `client` is NULL or live, the texts are readable, and the out-pointers NULL or writable.
    unsafe {
        answer(client, out, err, |client| {
            let method = text(method, method_len, "method")?;
            let path = text(path, path_len, "path")?;
            let query = optional(query, query_len, "query")?;
            let body = optional_utf8(body, body_len, "body")?;
            client.request(method, path, query, body)
        })
    }
}

/// Frees a client, closes its connections and wipes its secret key. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_client_free(client: *mut torii_client_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(client) }
}

/// Runs an operation that returns JSON.
///
/// # Safety
///
/// `client` is NULL or live, and `out` and `err` are NULL or writable.
pub(super) unsafe fn answer(
    client: *const torii_client_t,
    out: *mut *mut torii_json_t,
    err: *mut *mut torii_error_t,
    operation: impl FnOnce(&Client) -> Result<Json>,
) -> torii_status_t {
    // SAFETY: the promise of this function covers each of the pointers.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            *out = into_raw(torii_json_t(operation(&shared(client, "client")?.0)?));
            Ok(())
        })
    }
}

/// Runs an operation that returns nothing.
///
/// # Safety
///
/// `client` is NULL or live, and `err` is NULL or writable.
pub(super) unsafe fn done(
    client: *const torii_client_t,
    err: *mut *mut torii_error_t,
    operation: impl FnOnce(&Client) -> Result<()>,
) -> torii_status_t {
    // SAFETY: the promise of this function covers both pointers.
    unsafe { fallible(err, || operation(&shared(client, "client")?.0)) }
}
