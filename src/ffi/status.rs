//! `torii_status_t`.

use std::ffi::{CStr, c_char};

use crate::error::Status;

/// The result of a call. Numbers are never reused, and later releases may add some: handle an unknown
/// number by its range.
///
/// - 0: success;
/// - 1 to 99: caller error; fix the program;
/// - 100 to 149: the token is invalid; answer 401;
/// - 150 to 199: the token is valid but does not meet a requirement; answer 403;
/// - 200 to 299: signing keys unavailable, the token could not be verified; answer 503;
/// - 300 to 349: a call of the backend API failed; answer 500;
/// - 350 to 399: the webhook is invalid; answer 400;
/// - 900: a defect of this library; answer 500.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(C)]
#[allow(clippy::upper_case_acronyms, reason = "these are the names C sees")]
pub enum torii_status_t {
    /// Success.
    TORII_OK = 0,
    /// An argument is invalid; the message names it.
    TORII_ERR_INVALID_ARGUMENT = 1,
    /// An option or a combination of options is invalid; the message names it.
    TORII_ERR_INVALID_CONFIG = 2,
    /// The buffer is too small for the record; the call reports the size it needs.
    TORII_ERR_BUFFER_TOO_SMALL = 3,
    /// There is no token: the text or the header value is empty.
    TORII_ERR_TOKEN_MISSING = 100,
    /// The header value is not of the form `Bearer <token>`.
    TORII_ERR_TOKEN_SCHEME = 101,
    /// Not a compact JWS (RFC 7515) with a strict JSON header and payload.
    TORII_ERR_TOKEN_MALFORMED = 102,
    /// Longer than 16384 bytes.
    TORII_ERR_TOKEN_TOO_LARGE = 103,
    /// `alg` is not `ES256`.
    TORII_ERR_TOKEN_ALGORITHM = 104,
    /// The issuer publishes no usable key with the token's `kid`.
    TORII_ERR_TOKEN_KEY_UNKNOWN = 105,
    /// The signature is not the issuer's.
    TORII_ERR_TOKEN_SIGNATURE = 106,
    /// `exp` has passed.
    TORII_ERR_TOKEN_EXPIRED = 107,
    /// `nbf` or `iat` is in the future.
    TORII_ERR_TOKEN_NOT_YET_VALID = 108,
    /// `iss` is not a configured issuer.
    TORII_ERR_TOKEN_ISSUER = 109,
    /// `aud` names none of the configured audiences.
    TORII_ERR_TOKEN_AUDIENCE = 110,
    /// A claim is missing or of the wrong type.
    TORII_ERR_TOKEN_CLAIM = 111,
    /// The user, or the actor behind the user, was revoked after the token was issued.
    TORII_ERR_TOKEN_REVOKED = 112,
    /// The lifetime, `exp` minus `iat`, exceeds the configured maximum.
    TORII_ERR_TOKEN_LIFETIME = 113,
    /// The token is valid but does not meet a requirement.
    TORII_ERR_POLICY = 150,
    /// Signing keys unavailable; the token could not be verified.
    TORII_ERR_KEYS_UNAVAILABLE = 200,
    /// The issuer's keys must be fetched first, and this call performs no I/O.
    TORII_ERR_KEYS_PENDING = 201,
    /// The API answered with an error; the error handle has the details.
    TORII_ERR_API = 300,
    /// The API could not be reached, or the connection was lost.
    TORII_ERR_TRANSPORT = 301,
    /// The call took longer than the client's timeout.
    TORII_ERR_TIMEOUT = 302,
    /// The API's successful answer is not JSON, is truncated, or is too long.
    TORII_ERR_RESPONSE = 303,
    /// A webhook header is missing or malformed.
    TORII_ERR_WEBHOOK_HEADER = 350,
    /// No signature of the webhook matches any of the secrets.
    TORII_ERR_WEBHOOK_SIGNATURE = 351,
    /// The webhook's timestamp is outside the tolerance.
    TORII_ERR_WEBHOOK_TIMESTAMP = 352,
    /// A defect of this library. The process and other handles stay usable.
    TORII_ERR_INTERNAL = 900,
}

use torii_status_t::*;

impl From<Status> for torii_status_t {
    #[inline]
    fn from(status: Status) -> Self {
        match status {
            Status::Ok => TORII_OK,
            Status::InvalidArgument => TORII_ERR_INVALID_ARGUMENT,
            Status::InvalidConfig => TORII_ERR_INVALID_CONFIG,
            Status::BufferTooSmall => TORII_ERR_BUFFER_TOO_SMALL,
            Status::TokenMissing => TORII_ERR_TOKEN_MISSING,
            Status::TokenScheme => TORII_ERR_TOKEN_SCHEME,
            Status::TokenMalformed => TORII_ERR_TOKEN_MALFORMED,
            Status::TokenTooLarge => TORII_ERR_TOKEN_TOO_LARGE,
            Status::TokenAlgorithm => TORII_ERR_TOKEN_ALGORITHM,
            Status::TokenKeyUnknown => TORII_ERR_TOKEN_KEY_UNKNOWN,
            Status::TokenSignature => TORII_ERR_TOKEN_SIGNATURE,
            Status::TokenExpired => TORII_ERR_TOKEN_EXPIRED,
            Status::TokenNotYetValid => TORII_ERR_TOKEN_NOT_YET_VALID,
            Status::TokenIssuer => TORII_ERR_TOKEN_ISSUER,
            Status::TokenAudience => TORII_ERR_TOKEN_AUDIENCE,
            Status::TokenClaim => TORII_ERR_TOKEN_CLAIM,
            Status::TokenRevoked => TORII_ERR_TOKEN_REVOKED,
            Status::TokenLifetime => TORII_ERR_TOKEN_LIFETIME,
            Status::Policy => TORII_ERR_POLICY,
            Status::KeysUnavailable => TORII_ERR_KEYS_UNAVAILABLE,
            Status::KeysPending => TORII_ERR_KEYS_PENDING,
            Status::Api => TORII_ERR_API,
            Status::Transport => TORII_ERR_TRANSPORT,
            Status::Timeout => TORII_ERR_TIMEOUT,
            Status::Response => TORII_ERR_RESPONSE,
            Status::WebhookHeader => TORII_ERR_WEBHOOK_HEADER,
            Status::WebhookSignature => TORII_ERR_WEBHOOK_SIGNATURE,
            Status::WebhookTimestamp => TORII_ERR_WEBHOOK_TIMESTAMP,
            Status::Internal => TORII_ERR_INTERNAL,
        }
    }
}

/// == Status ==
///
/// Returns the name of a status, such as "TORII_ERR_TOKEN_EXPIRED"; "TORII_ERR_UNKNOWN" for an unknown
/// number. The text is static. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_status_name(status: u32) -> *const c_char {
    let name = match Status::from_number(status) {
        Some(status) => status.c_name(),
        None => c"TORII_ERR_UNKNOWN",
    };
    CStr::as_ptr(name)
}

/// Returns the HTTP status for your own client: 200 for TORII_OK, 401 for an invalid token, 403 for
/// TORII_ERR_POLICY, 503 if keys are missing, 400 for an invalid webhook, else 500. Since: 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn torii_status_http(status: u32) -> u32 {
    Status::from_number(status).map_or(500, |status| u32::from(status.http()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_enums_have_the_same_numbers() {
        for status in Status::ALL {
            assert_eq!(torii_status_t::from(*status) as u32, *status as u32);
        }
    }
}
