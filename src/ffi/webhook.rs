//! `torii_webhook_t`.

use std::ffi::c_char;

use super::call::fallible;
use super::error::torii_error_t;
use super::pointer::{bytes, exclusive, free, into_raw, optional_out, out, shared};
use super::status::torii_status_t;
use crate::webhook::Webhook;

/// Verifies webhooks by Standard Webhooks 1.0.0. Keeps the decoded secrets and wipes them when freed.
pub struct torii_webhook_t(Webhook);

/// == Webhooks ==
/// Verifies webhooks signed as Standard Webhooks 1.0.0 describes (HMAC-SHA256, `v1`). torii has
/// announced secrets of this form but has not published its scheme; this is the standard's.
///
/// Creates a webhook verifier. `secret` is "whsec_" and at least 24 bytes in base64.
/// Errors: TORII_ERR_INVALID_CONFIG if the secret has another form; its value is never echoed.
/// Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_webhook_new(
    secret: *const c_char,
    secret_len: usize,
    out: *mut *mut torii_webhook_t,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the text is readable, and the out-pointers are NULL or writable.
    unsafe {
        fallible(err, || {
            let out = self::out(out, "out")?;
            let secret = bytes(secret, secret_len, "secret")?;
            *out = into_raw(torii_webhook_t(Webhook::new(secret)?));
            Ok(())
        })
    }
}

/// Accepts a further secret, while secrets are being rotated.
/// Errors: as torii_webhook_new(). Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_webhook_add_secret(
    webhook: *mut torii_webhook_t,
    secret: *const c_char,
    secret_len: usize,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handle is NULL or live and used by no other thread, the text readable, `err` NULL or
    // writable.
    unsafe {
        fallible(err, || {
            let secret = bytes(secret, secret_len, "secret")?;
            exclusive(webhook, "webhook")?.0.add_secret(secret)?;
            Ok(())
        })
    }
}

/// Sets how far the timestamp may lie before or after `now`: 0 to 2147483647 seconds. Default: 300.
/// Errors: TORII_ERR_INVALID_ARGUMENT if out of range. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_webhook_set_tolerance_seconds(
    webhook: *mut torii_webhook_t,
    seconds: u32,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handle is NULL or live and used by no other thread, `err` NULL or writable.
    unsafe {
        fallible(err, || {
            exclusive(webhook, "webhook")?.0.set_tolerance_seconds(seconds)?;
            Ok(())
        })
    }
}

/// Verifies one webhook. `id`, `timestamp` and `signature` are the values of the headers `webhook-id`,
/// `webhook-timestamp` and `webhook-signature` (or `svix-id` and so on); NULL for a missing header,
/// values joined by ", " for a repeated one. `body` is the body as received, before any parsing. `now`
/// is the time in Unix seconds. `sent_at` [may be NULL] receives the timestamp.
///
/// A webhook may be delivered more than once, with the same id: ignore ids you have processed.
/// Errors: TORII_ERR_WEBHOOK_HEADER for a missing or malformed header; TORII_ERR_WEBHOOK_TIMESTAMP
/// outside the tolerance; TORII_ERR_WEBHOOK_SIGNATURE if no signature matches. Since: 0.1.0.
#[must_use]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_webhook_verify(
    webhook: *const torii_webhook_t,
    id: *const c_char,
    id_len: usize,
    timestamp: *const c_char,
    timestamp_len: usize,
    signature: *const c_char,
    signature_len: usize,
    body: *const c_char,
    body_len: usize,
    now: i64,
    sent_at: *mut i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: the handle is NULL or live, the texts are readable, the out-pointers NULL or writable.
    unsafe {
        fallible(err, || {
            let sent_at = optional_out(sent_at);
            let id = bytes(id, id_len, "id")?;
            let timestamp = bytes(timestamp, timestamp_len, "timestamp")?;
            let signature = bytes(signature, signature_len, "signature")?;
            let body = bytes(body, body_len, "body")?;
            let sent = shared(webhook, "webhook")?.0.verify(id, timestamp, signature, body, now)?;
            if let Some(sent_at) = sent_at {
                *sent_at = sent;
            }
            Ok(())
        })
    }
}

/// Frees a webhook verifier and wipes its secrets. Since: 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_webhook_free(webhook: *mut torii_webhook_t) {
    // SAFETY: NULL, or live and used by no other thread, by the caller's promise.
    unsafe { free(webhook) }
}
