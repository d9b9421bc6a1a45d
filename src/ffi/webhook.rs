//! Standard Webhooks.

use std::ffi::c_char;

use super::error::torii_error_t;
use super::guard::fallible;
use super::pointer::{bytes, optional_out};
use super::status::torii_status_t;
use crate::error::{Error, Status};
use crate::webhook::Webhook;

/// Tells whether a webhook is genuine, as Standard Webhooks 1.0.0 says it: signed with one of the
/// secrets (HMAC-SHA256, `v1`), and sent lately. torii has announced secrets of this form, but has
/// not published its scheme; this is the standard's, whoever sends.
///
/// Give the body as it arrived, before anything parsed it. A webhook can be delivered more than once,
/// each time with the same id: remember the ids of the last minutes if that does harm.
///
/// Threads: any number at once; does not block.
/// Errors: TORII_ERR_WEBHOOK_HEADER when a header is missing or malformed;
/// TORII_ERR_WEBHOOK_TIMESTAMP when it was sent too long ago, or too far ahead;
/// TORII_ERR_WEBHOOK_SIGNATURE when no signature fits; TORII_ERR_INVALID_CONFIG for a secret that is
/// none, by its number and never its value; TORII_ERR_INVALID_ARGUMENT for a negative tolerance.
/// Since: 0.1.0.
///
/// `secrets` one secret, or several separated by spaces while they are being changed: `whsec_` and at
/// least 24 bytes as base64 each.
/// `id`, `timestamp`, `signature` the values of the headers `webhook-id`, `webhook-timestamp` and
/// `webhook-signature` (`svix-id` and so on mean the same). A header that is missing is NULL; the
/// value of one that comes twice is both, joined by ", ".
/// `now` the time, in Unix seconds, as time() tells it.
/// `tolerance` how many seconds before or after `now` it may have been sent; 300 is usual.
/// `secret_index` [may be NULL] receives which of the secrets it was signed with, counted from 0.
/// `sent_at` [may be NULL] receives when it was sent, in Unix seconds.
/// `err` [may be NULL] receives NULL, or an error to be freed with torii_error_free().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn torii_webhook_verify_standard(
    secrets: *const c_char,
    secrets_len: usize,
    id: *const c_char,
    id_len: usize,
    timestamp: *const c_char,
    timestamp_len: usize,
    signature: *const c_char,
    signature_len: usize,
    body: *const c_char,
    body_len: usize,
    now: i64,
    tolerance: i64,
    secret_index: *mut usize,
    sent_at: *mut i64,
    err: *mut *mut torii_error_t,
) -> torii_status_t {
    // SAFETY: texts and out-pointers are as the caller promises.
    unsafe {
        fallible(err, || {
            let secret_index = optional_out(secret_index);
            let sent_at = optional_out(sent_at);
            let id = bytes(id, id_len, "id")?;
            let timestamp = bytes(timestamp, timestamp_len, "timestamp")?;
            let signature = bytes(signature, signature_len, "signature")?;
            let body = bytes(body, body_len, "body")?;
            let secrets = bytes(secrets, secrets_len, "secrets")?;
            let out_of_range =
                |_| Error::argument("tolerance", "not within 0 to 2147483647 seconds");
            let tolerance = u32::try_from(tolerance).map_err(out_of_range)?;
            let mut webhooks = Vec::new();
            for secret in secrets.split(|byte| *byte == b' ').filter(|secret| !secret.is_empty()) {
                let mut webhook = Webhook::new(secret)?;
                webhook.set_tolerance_seconds(tolerance)?;
                webhooks.push(webhook);
            }
            let mut outcome = Err(Error::fixed(Status::InvalidConfig, "secrets", "there is none"));
            for (index, webhook) in webhooks.iter().enumerate() {
                outcome = webhook.verify(id, timestamp, signature, body, now).map(|at| (index, at));
                if !outcome.as_ref().is_err_and(|e| e.status() == Status::WebhookSignature) {
                    break;
                }
            }
            let (index, at) = outcome?;
            if let Some(secret_index) = secret_index {
                *secret_index = index;
            }
            if let Some(sent_at) = sent_at {
                *sent_at = at;
            }
            Ok(())
        })
    }
}
