//! Webhooks signed as in Standard Webhooks 1.0.0
//! (<https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>).
//!
//! torii has announced secrets of this form, but has not published its scheme. Only the secret tells
//! who sent a webhook.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use zeroize::Zeroizing;

use crate::error::{Error, Result, Status};

/// The longest header that is read, in bytes. One signature takes 47.
const LONGEST_HEADER: usize = 16_384;

/// The specification's lower limit, in bytes.
const SHORTEST_SECRET: usize = 24;

/// Accepts secrets that lost their padding when they were copied.
const SECRET: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The longest tolerance, in seconds. Negative numbers that a host converts are above it.
const LONGEST_TOLERANCE: u32 = i32::MAX as u32;

/// The default tolerance, in seconds.
const TOLERANCE: u32 = 300;

/// Verifies webhooks signed with one of its secrets.
///
/// Any number of threads may use one at once. The decoded secrets are wiped when it is dropped.
///
/// ```
/// # fn handle(id: &[u8], timestamp: &[u8], signature: &[u8], body: &[u8], now: i64) -> torii::Result<()> {
/// # let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// let webhook = torii::Webhook::new(secret)?;
/// let sent_at = webhook.verify(id, timestamp, signature, body, now)?;
/// # Ok(())
/// # }
/// ```
pub struct Webhook {
    secrets: Vec<Secret>,
    tolerance: u32,
}

/// On the heap, so that moving it leaves no copy behind.
type Secret = Zeroizing<Vec<u8>>;

impl Webhook {
    /// Creates a verifier with one secret: `whsec_` and at least 24 bytes in base64. The prefix and
    /// the padding may be absent.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`] if the secret is not of this form. The message never repeats it.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self> {
        let secrets = vec![read_secret(secret.as_ref())?];
        Ok(Webhook { secrets, tolerance: TOLERANCE })
    }

    /// Adds a secret, while secrets are being rotated. A webhook signed with any of the secrets is
    /// valid.
    ///
    /// # Errors
    /// As for [`new`](Self::new); the secrets so far stay.
    pub fn add_secret(&mut self, secret: impl AsRef<[u8]>) -> Result<&mut Self> {
        let secret = read_secret(secret.as_ref())?;
        self.secrets.push(secret);
        Ok(self)
    }

    /// Sets how far the time of sending may lie before or after the current time, in seconds; 300 by
    /// default. A longer tolerance leaves more time to replay a recorded webhook.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] above 2147483647.
    pub fn set_tolerance_seconds(&mut self, seconds: u32) -> Result<&mut Self> {
        if seconds > LONGEST_TOLERANCE {
            return Err(Error::argument("tolerance", "not within 0 to 2147483647 seconds"));
        }
        self.tolerance = seconds;
        Ok(self)
    }

    /// Verifies a webhook and returns when it was sent, in Unix seconds.
    ///
    /// `id`, `timestamp` and `signature` are the values of the headers `webhook-id`,
    /// `webhook-timestamp` and `webhook-signature`, empty if absent. `body` is the body as it
    /// arrived, byte for byte. `now` is the current time in Unix seconds.
    ///
    /// Only signatures of version `v1` (HMAC-SHA256) count; others are skipped. A webhook can be
    /// delivered more than once, each time with the same id.
    ///
    /// # Errors
    /// [`Status::WebhookHeader`] if a header is absent or malformed, [`Status::WebhookTimestamp`]
    /// if the time of sending is outside the tolerance, [`Status::WebhookSignature`] if no
    /// signature was made with one of the secrets.
    pub fn verify(
        &self,
        id: &[u8],
        timestamp: &[u8],
        signature: &[u8],
        body: &[u8],
        now: i64,
    ) -> Result<i64> {
        check_id(id)?;
        let sent_at = read_timestamp(timestamp)?;
        check_length("webhook-signature", signature)?;
        let away = now.abs_diff(sent_at);
        if away > u64::from(self.tolerance) {
            let when = if sent_at < now { "ago" } else { "from now" };
            let tolerance = self.tolerance;
            return Err(Error::text(
                Status::WebhookTimestamp,
                format!("webhook-timestamp: {away} s {when} (expected within {tolerance} s)"),
            ));
        }
        let is_signed_with = |secret: &Secret| {
            let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
            // The timestamp is signed as text, not as a number.
            for part in [id, b".", timestamp, b".", body] {
                context.update(part);
            }
            let expected = STANDARD.encode(context.sign());
            signatures(signature).fold(false, |found, signature| {
                found | verify_slices_are_equal(signature, expected.as_bytes()).is_ok()
            })
        };
        if self.secrets.iter().any(is_signed_with) {
            return Ok(sent_at);
        }
        let why = match signatures(signature).next() {
            Some(_) => "not made with any of the secrets",
            None => "none of version `v1`",
        };
        Err(Error::fixed(Status::WebhookSignature, "webhook-signature", why))
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("secrets", &self.secrets.len())
            .field("tolerance", &self.tolerance)
            .finish()
    }
}

fn read_secret(secret: &[u8]) -> Result<Secret> {
    let refuse = |why| Err(Error::fixed(Status::InvalidConfig, "secret", why));
    if secret.starts_with(b"whsk_") || secret.starts_with(b"whpk_") {
        return refuse("a key for `v1a` signatures, which are not supported");
    }
    let encoded = secret.strip_prefix(b"whsec_").unwrap_or(secret);
    // In its full capacity at once, since a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len()));
    if SECRET.decode_vec(encoded, &mut bytes).is_err() {
        return refuse("not base64 after `whsec_`");
    }
    if bytes.len() < SHORTEST_SECRET {
        return refuse("shorter than 24 bytes");
    }
    Ok(bytes)
}

fn check_id(id: &[u8]) -> Result<()> {
    check_length("webhook-id", id)?;
    // The signed text would not tell where the id ends.
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

/// The signatures of version `v1`. Other entries may belong to a later version of the
/// specification.
fn signatures(header: &[u8]) -> impl Iterator<Item = &[u8]> {
    header.split(|byte| *byte == b' ').filter_map(|entry| entry.strip_prefix(b"v1,"))
}

fn malformed(header: &'static str, why: &'static str) -> Error {
    Error::fixed(Status::WebhookHeader, header, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_700_000_000;
    const OLD: &[u8] = &[1; 24];
    const NEW: &[u8] = &[2; 32];

    fn text(secret: &[u8]) -> String {
        format!("whsec_{}", STANDARD.encode(secret))
    }

    fn signature(secret: &[u8], sent_at: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        let signed = format!("msg_1.{sent_at}.{{}}");
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, signed.as_bytes())))
    }

    fn verify(webhook: &Webhook, secret: &[u8], sent_at: i64) -> Result<i64> {
        let signature = signature(secret, sent_at);
        let sent_at = sent_at.to_string();
        webhook.verify(b"msg_1", sent_at.as_bytes(), signature.as_bytes(), b"{}", NOW)
    }

    #[test]
    fn any_of_the_secrets_will_do() {
        let mut webhook = Webhook::new(text(OLD)).unwrap();
        assert_eq!(verify(&webhook, OLD, NOW - 7).unwrap(), NOW - 7);
        let error = verify(&webhook, NEW, NOW).unwrap_err();
        assert_eq!(error.status(), Status::WebhookSignature);
        webhook.add_secret(text(NEW)).unwrap();
        for secret in [OLD, NEW] {
            assert_eq!(verify(&webhook, secret, NOW).unwrap(), NOW);
        }
        let error = verify(&webhook, &[3; 24], NOW).unwrap_err();
        assert_eq!(error.status(), Status::WebhookSignature);
    }

    #[test]
    fn the_tolerance_is_an_option() {
        let mut webhook = Webhook::new(text(OLD)).unwrap();
        for seconds in [300, 0, 10, 86_400] {
            if seconds != 300 {
                webhook.set_tolerance_seconds(seconds).unwrap();
            }
            let seconds = i64::from(seconds);
            for sent_at in [NOW - seconds, NOW + seconds] {
                assert_eq!(verify(&webhook, OLD, sent_at).unwrap(), sent_at);
            }
            for sent_at in [NOW - seconds - 1, NOW + seconds + 1] {
                let error = verify(&webhook, OLD, sent_at).unwrap_err();
                assert_eq!(error.status(), Status::WebhookTimestamp, "{error}");
            }
        }
        let error = webhook.set_tolerance_seconds(-1_i32 as u32).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
        verify(&webhook, OLD, NOW - 86_400).unwrap();
    }

    #[test]
    fn a_secret_is_shown_nowhere() {
        for (secret, why) in [
            ("", "secret: shorter than 24 bytes"),
            ("whsec_AAAA", "secret: shorter than 24 bytes"),
            ("whsec_hunter2!", "secret: not base64 after `whsec_`"),
            ("whsk_hunter2", "secret: a key for `v1a` signatures, which are not supported"),
        ] {
            let error = Webhook::new(secret).unwrap_err();
            assert_eq!((error.status(), &*error.to_string()), (Status::InvalidConfig, why));
            let mut webhook = Webhook::new(text(OLD)).unwrap();
            assert_eq!(webhook.add_secret(secret).unwrap_err().to_string(), why);
            verify(&webhook, OLD, NOW).unwrap();
        }
        let mut webhook = Webhook::new(text(OLD)).unwrap();
        webhook.add_secret(text(NEW)).unwrap();
        assert_eq!(format!("{webhook:?}"), "Webhook { secrets: 2, tolerance: 300 }");
    }

    #[test]
    fn the_prefix_and_the_padding_may_be_absent() {
        let padded = STANDARD.encode(NEW);
        for secret in [&*padded, padded.trim_end_matches('='), &text(NEW)] {
            verify(&Webhook::new(secret).unwrap(), NEW, NOW).unwrap();
        }
    }
}
