//! Webhooks as Standard Webhooks 1.0.0 has them signed
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
//!
//! Who sends one, and whether it is torii, the secret alone tells: torii has announced secrets of
//! this form, but not published its scheme.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::error::{Error, Result, Status};

/// Longer headers are refused. What one signature needs is 47 bytes.
const LONGEST_HEADER: usize = 16_384;

/// The specification's own limit.
const SHORTEST_SECRET: usize = 24;

/// Secrets are copied about by hand, and their padding is lost on the way.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A webhook as it arrived: three headers, and the body before anybody parsed it.
#[derive(Clone, Copy)]
pub struct StandardWebhook<'a> {
    /// `webhook-id`: the same for every attempt at one delivery, so it tells what has been seen.
    pub id: &'a [u8],
    /// `webhook-timestamp`: when this attempt was sent, in Unix seconds.
    pub timestamp: &'a [u8],
    /// `webhook-signature`: signatures separated by spaces, one for each secret in use.
    pub signature: &'a [u8],
    /// The body, byte for byte.
    pub body: &'a [u8],
}

/// What is known of a webhook that is genuine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// When it was sent, in Unix seconds.
    pub sent_at: i64,
    /// Which of the secrets it was signed with, counted from 0.
    pub secret_index: usize,
}

/// Tells whether a webhook was signed with one of the secrets, and lately.
///
/// `secrets` holds one secret, or several separated by spaces: `whsec_` and at least 24 bytes as
/// base64 each. `now` is the time, and `tolerance` how far from it the webhook may have been sent,
/// before or after, both in seconds.
///
/// Only signatures of version `v1` (HMAC-SHA256) count; others are passed over.
///
/// ```
/// # fn handle(id: &[u8], timestamp: &[u8], signature: &[u8], body: &[u8], now: i64) -> torii::Result<()> {
/// # let secrets = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let webhook = torii::StandardWebhook { id, timestamp, signature, body };
/// torii::verify_standard_webhook(secrets.as_bytes(), &webhook, now, 300)?;
/// # Ok(())
/// # }
/// ```
pub fn verify_standard_webhook(
    secrets: &[u8],
    webhook: &StandardWebhook<'_>,
    now: i64,
    tolerance: i64,
) -> Result<Delivery> {
    let tolerance =
        u64::try_from(tolerance).map_err(|_| Error::argument("tolerance", "negative"))?;
    let keys = read_secrets(secrets)?;
    check_id(webhook.id)?;
    let sent_at = read_timestamp(webhook.timestamp)?;
    check_length("webhook-signature", webhook.signature)?;
    let away = now.abs_diff(sent_at);
    if away > tolerance {
        let when = if sent_at < now { "ago" } else { "from now" };
        return Err(Error::text(
            Status::WebhookTimestamp,
            format!("webhook-timestamp: {away} s {when}, with a tolerance of {tolerance} s"),
        ));
    }
    let matches = |key: &hmac::Key| {
        // The text and not the number of the header is signed.
        let mut context = hmac::Context::with_key(key);
        for part in [webhook.id, b".", webhook.timestamp, b".", webhook.body] {
            context.update(part);
        }
        let expected = STANDARD.encode(context.sign());
        signatures(webhook.signature).fold(false, |found, signature| {
            found | verify_slices_are_equal(signature, expected.as_bytes()).is_ok()
        })
    };
    match keys.iter().position(matches) {
        Some(secret_index) => Ok(Delivery { sent_at, secret_index }),
        None if signatures(webhook.signature).next().is_none() => {
            Err(refused("webhook-signature", "none of version `v1`"))
        }
        None => Err(refused("webhook-signature", "not made with any of the secrets")),
    }
}

fn read_secrets(secrets: &[u8]) -> Result<Vec<hmac::Key>> {
    let given = secrets.split(|byte| *byte == b' ').filter(|secret| !secret.is_empty());
    let keys: Vec<hmac::Key> = given
        .enumerate()
        .map(|(index, secret)| {
            let wrong = |why| {
                Error::text(Status::InvalidConfig, format!("secrets: number {}: {why}", index + 1))
            };
            read_secret(secret).map_err(wrong)
        })
        .collect::<Result<_>>()?;
    if keys.is_empty() {
        return Err(Error::fixed(Status::InvalidConfig, "secrets", "there is none"));
    }
    Ok(keys)
}

fn read_secret(secret: &[u8]) -> std::result::Result<hmac::Key, &'static str> {
    if secret.starts_with(b"whsk_") || secret.starts_with(b"whpk_") {
        return Err("a key for `v1a` signatures, which are not supported");
    }
    let encoded = secret.strip_prefix(b"whsec_").unwrap_or(secret);
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    SECRET.decode_vec(encoded, &mut bytes).map_err(|_| "not base64 after `whsec_`")?;
    if bytes.len() < SHORTEST_SECRET {
        return Err("shorter than 24 bytes");
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn check_id(id: &[u8]) -> Result<()> {
    check_length("webhook-id", id)?;
    // What is signed would not tell where the id ends.
    if id.contains(&b'.') { Err(malformed("webhook-id", "holds a full stop")) } else { Ok(()) }
}

fn read_timestamp(timestamp: &[u8]) -> Result<i64> {
    const NAME: &str = "webhook-timestamp";
    check_length(NAME, timestamp)?;
    let digits =
        str::from_utf8(timestamp).ok().filter(|_| timestamp.iter().all(u8::is_ascii_digit));
    let digits = digits.ok_or_else(|| malformed(NAME, "not a whole number of seconds"))?;
    digits.parse().map_err(|_| malformed(NAME, "too large"))
}

fn check_length(name: &'static str, header: &[u8]) -> Result<()> {
    match header.len() {
        0 => Err(malformed(name, "missing")),
        length if length > LONGEST_HEADER => Err(malformed(name, "longer than 16384 bytes")),
        _ => Ok(()),
    }
}

/// The signatures that can be checked. What else is in the header, and what is not of the form
/// `version,signature`, may belong to a later version of the specification.
fn signatures(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b' ').filter_map(|entry| entry.strip_prefix(b"v1,"))
}

fn malformed(header: &'static str, why: &'static str) -> Error {
    Error::fixed(Status::WebhookHeader, header, why)
}

fn refused(header: &'static str, why: &'static str) -> Error {
    Error::fixed(Status::WebhookSignature, header, why)
}
