//! The error type: its status, its message, and the HTTP answer it stands for.

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::text::{NulStr, NulString};

macro_rules! statuses {
    ($($(#[doc = $doc:literal])+ $name:ident = $number:literal, $c_name:literal, $http:literal;)+) => {
        /// The result of a call. The numbers are part of the C ABI and are never reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Status {
            $($(#[doc = $doc])+ $name = $number,)+
        }

        impl Status {
            /// Every status, in the order of its number.
            pub const ALL: &'static [Status] = &[$(Status::$name),+];

            /// The name of the status in the C API, as in `TORII_ERR_TOKEN_EXPIRED`.
            pub fn name(self) -> &'static str {
                self.c_name().to_str().unwrap_or_default()
            }

            pub(crate) const fn c_name(self) -> &'static CStr {
                match self { $(Status::$name => $c_name),+ }
            }

            /// The HTTP status with which a server that meets this status answers its own
            /// client: 401 for an invalid token, 403 for a policy, 503 when keys are missing, 400 for a
            /// webhook that is not genuine, else 500.
            pub const fn http(self) -> u16 {
                match self { $(Status::$name => $http),+ }
            }
        }
    };
}

statuses! {
    /// Success.
    Ok = 0, c"TORII_OK", 200;
    /// An argument of this call is wrong; the message names it.
    InvalidArgument = 1, c"TORII_ERR_INVALID_ARGUMENT", 500;
    /// An option or a combination of options is wrong; the message names it.
    InvalidConfig = 2, c"TORII_ERR_INVALID_CONFIG", 500;
    /// The buffer is too small for the record; the call reports the size it needs.
    BufferTooSmall = 3, c"TORII_ERR_BUFFER_TOO_SMALL", 500;
    /// There is no token: the text, or the header value, is empty.
    TokenMissing = 100, c"TORII_ERR_TOKEN_MISSING", 401;
    /// The header value is not of the form `Bearer <token>`.
    TokenScheme = 101, c"TORII_ERR_TOKEN_SCHEME", 401;
    /// Not a compact JWS with a strict JSON header and payload.
    TokenMalformed = 102, c"TORII_ERR_TOKEN_MALFORMED", 401;
    /// Longer than 16 KiB.
    TokenTooLarge = 103, c"TORII_ERR_TOKEN_TOO_LARGE", 401;
    /// `alg` is not `ES256`.
    TokenAlgorithm = 104, c"TORII_ERR_TOKEN_ALGORITHM", 401;
    /// The issuer publishes no usable key with the token's `kid`.
    TokenKeyUnknown = 105, c"TORII_ERR_TOKEN_KEY_UNKNOWN", 401;
    /// The signature is not the issuer's.
    TokenSignature = 106, c"TORII_ERR_TOKEN_SIGNATURE", 401;
    /// `exp` has passed.
    TokenExpired = 107, c"TORII_ERR_TOKEN_EXPIRED", 401;
    /// `nbf` or `iat` lies in the future.
    TokenNotYetValid = 108, c"TORII_ERR_TOKEN_NOT_YET_VALID", 401;
    /// `iss` is not a configured issuer.
    TokenIssuer = 109, c"TORII_ERR_TOKEN_ISSUER", 401;
    /// `aud` names none of the configured audiences.
    TokenAudience = 110, c"TORII_ERR_TOKEN_AUDIENCE", 401;
    /// A claim is missing or of the wrong type.
    TokenClaim = 111, c"TORII_ERR_TOKEN_CLAIM", 401;
    /// The user, or the actor behind the user, was revoked after the token was issued.
    TokenRevoked = 112, c"TORII_ERR_TOKEN_REVOKED", 401;
    /// The token lives longer than the configured maximum.
    TokenLifetime = 113, c"TORII_ERR_TOKEN_LIFETIME", 401;
    /// The token is valid, but does not meet a requirement set by the operator.
    Policy = 150, c"TORII_ERR_POLICY", 403;
    /// Signing keys unavailable; the token could not be verified.
    KeysUnavailable = 200, c"TORII_ERR_KEYS_UNAVAILABLE", 503;
    /// The issuer's keys must be fetched first, and this call performs no I/O.
    KeysPending = 201, c"TORII_ERR_KEYS_PENDING", 503;
    /// The API answered, but not with success; the error has the details.
    Api = 300, c"TORII_ERR_API", 500;
    /// The API could not be reached, or the connection to it was lost.
    Transport = 301, c"TORII_ERR_TRANSPORT", 500;
    /// The call took longer than the client's timeout.
    Timeout = 302, c"TORII_ERR_TIMEOUT", 500;
    /// The API answered with success, but the answer cannot be understood.
    Response = 303, c"TORII_ERR_RESPONSE", 500;
    /// A header of the webhook is missing, or not of the form it has to be.
    WebhookHeader = 350, c"TORII_ERR_WEBHOOK_HEADER", 400;
    /// The webhook was not signed with any of the secrets.
    WebhookSignature = 351, c"TORII_ERR_WEBHOOK_SIGNATURE", 400;
    /// The webhook was sent too long ago, or too far ahead.
    WebhookTimestamp = 352, c"TORII_ERR_WEBHOOK_TIMESTAMP", 400;
    /// A defect of this library. The process and other handles stay usable.
    Internal = 900, c"TORII_ERR_INTERNAL", 500;
}

impl Status {
    /// The status with this number, if there is one.
    pub fn from_number(number: u32) -> Option<Status> {
        Status::ALL.iter().copied().find(|status| *status as u32 == number)
    }
}

/// Why a call failed.
///
/// Displays as one line of English that names the argument, option or claim at fault, and never
/// holds a token, a key, a secret or a query string. Making one allocates nothing for a token
/// that is refused: the text is put together only when it is read. The problem that the API reports
/// is in words of its own.
#[derive(Clone, Debug)]
pub struct Error {
    status: Status,
    /// Whether nothing of a REST request left this host.
    unsent: bool,
    cause: Cause,
    /// One more than the seconds: 0 seconds is a value too.
    retry_after: Option<NonZeroU32>,
    /// The issuer whose keys are missing.
    issuer: Option<Arc<NulString>>,
    challenge: Option<Arc<Challenge>>,
}

/// The realm of a challenge if none is configured: RFC 6750 §3 requires at least one parameter.
const DEFAULT_REALM: &str = "torii";

/// The parameters that a server adds to each `WWW-Authenticate` challenge (RFC 6750 §3, RFC 9728 §5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Challenge {
    pub(crate) realm: Option<String>,
    pub(crate) resource_metadata: Option<String>,
}

/// A result of this crate.
pub type Result<T> = std::result::Result<T, Error>;

#[derive(Clone, Debug)]
enum Cause {
    /// A subject (an argument, a claim, a part of the token; may be empty) and what is wrong.
    Fixed(&'static str, &'static str),
    Text(Cow<'static, str>),
    /// A time claim that has passed or is in the future, and by how many seconds.
    Expired {
        by: i64,
    },
    Early {
        claim: &'static str,
        by: i64,
    },
    Answer(Box<Answer>),
}

/// The API's answer to a call that failed, without the secret key.
#[derive(Clone)]
pub(crate) struct Answer {
    pub(crate) http_status: u16,
    pub(crate) message: String,
    pub(crate) code: Option<NulString>,
    pub(crate) support_id: Option<NulString>,
    pub(crate) body: NulString,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The body may be long and contain personal data.
        f.debug_struct("Answer")
            .field("http_status", &self.http_status)
            .field("message", &self.message)
            .field("code", &self.code)
            .field("support_id", &self.support_id)
            .finish_non_exhaustive()
    }
}

impl Error {
    /// `subject` is what is wrong, as in ``claim `sub` ``; `why` is what is wrong with it.
    pub(crate) const fn fixed(status: Status, subject: &'static str, why: &'static str) -> Self {
        Error::new(status, Cause::Fixed(subject, why))
    }

    pub(crate) fn text(status: Status, text: impl Into<Cow<'static, str>>) -> Self {
        Error::new(status, Cause::Text(text.into()))
    }

    const fn new(status: Status, cause: Cause) -> Self {
        Error { status, unsent: false, cause, retry_after: None, issuer: None, challenge: None }
    }

    pub(crate) const fn argument(name: &'static str, why: &'static str) -> Self {
        Error::fixed(Status::InvalidArgument, name, why)
    }

    pub(crate) const fn expired(by: i64) -> Self {
        Error::new(Status::TokenExpired, Cause::Expired { by })
    }

    pub(crate) const fn early(claim: &'static str, by: i64) -> Self {
        Error::new(Status::TokenNotYetValid, Cause::Early { claim, by })
    }

    pub(crate) fn answer(status: Status, answer: Answer) -> Self {
        Error::new(status, Cause::Answer(Box::new(answer)))
    }

    pub(crate) fn after(mut self, seconds: u64) -> Self {
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        self.retry_after = NonZeroU32::new(seconds.saturating_add(1));
        self
    }

    /// Names the issuer whose keys are missing.
    pub(crate) fn of_issuer(mut self, issuer: &Arc<NulString>) -> Self {
        self.issuer = Some(issuer.clone());
        self
    }

    /// Marks a REST call of which nothing left this host.
    pub(crate) fn not_sent(mut self) -> Self {
        self.unsent = true;
        self
    }

    /// Adds the verifier's own parameters to the challenge.
    pub(crate) fn challenged_by(mut self, challenge: Option<&Arc<Challenge>>) -> Self {
        self.challenge = challenge.cloned();
        self
    }

    /// Returns the status.
    pub fn status(&self) -> Status {
        self.status
    }

    /// Returns the seconds after which a retry can help, if known.
    pub fn retry_after(&self) -> Option<u64> {
        self.retry_after.map(|more| u64::from(more.get()) - 1)
    }

    /// Returns the issuer whose keys are missing, for [`Status::KeysUnavailable`] and
    /// [`Status::KeysPending`].
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_ref().map(|issuer| issuer.as_str())
    }

    pub(crate) fn nul_issuer(&self) -> Option<NulStr<'_>> {
        self.issuer.as_ref().map(|issuer| issuer.borrow())
    }

    /// Returns whether nothing of the REST request left this host, so that repeating it is safe.
    pub fn unsent(&self) -> bool {
        self.unsent
    }

    /// Returns the error code to send to a client. It contains nothing that helps an attacker.
    pub fn public_code(&self) -> &'static str {
        self.nul_public().0.as_str()
    }

    /// Returns the message to send to a client: a constant for each status, without a claim, a
    /// role, a `kid` or a URL.
    pub fn public_message(&self) -> &'static str {
        self.nul_public().1.as_str()
    }

    pub(crate) fn nul_public(&self) -> (NulStr<'static>, NulStr<'static>) {
        let (code, message) = match (self.status, self.status.http()) {
            (Status::TokenMissing | Status::TokenScheme, _) => {
                (c"authentication_failed", c"An access token is required")
            }
            (Status::TokenExpired, _) => (c"authentication_failed", c"The access token expired"),
            (_, 401) => (c"authentication_failed", c"The access token is invalid"),
            (_, 403) => (c"forbidden", c"The access token does not permit this request"),
            (_, 503) => (c"keys_unavailable", c"Authentication is temporarily unavailable"),
            (_, 400) => (c"invalid_webhook", c"The webhook could not be verified"),
            _ => (c"internal_error", c"Authentication failed because of a server error"),
        };
        (NulStr::constant(code), NulStr::constant(message))
    }

    /// Returns the value of the `WWW-Authenticate` header (RFC 6750 §3) for a 401 or a 403, else `None`.
    ///
    /// It has no `error` when the request carried no bearer token, `invalid_token` for a refused
    /// token, and `insufficient_scope` for an unmet requirement.
    pub fn www_authenticate(&self) -> Option<String> {
        let error = match (self.status, self.status.http()) {
            (Status::TokenMissing | Status::TokenScheme, _) => None,
            (_, 401) => Some("invalid_token"),
            (_, 403) => Some("insufficient_scope"),
            _ => return None,
        };
        let challenge = self.challenge.as_deref();
        let realm = challenge.and_then(|c| c.realm.as_deref()).unwrap_or(DEFAULT_REALM);
        let parameters = [
            ("realm", Some(realm)),
            ("error", error),
            ("resource_metadata", challenge.and_then(|c| c.resource_metadata.as_deref())),
        ];
        let given = parameters.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let mut text = "Bearer".to_owned();
        for (index, (name, value)) in given.enumerate() {
            let separator = if index == 0 { " " } else { ", " };
            text.extend([separator, name, "=\"", value, "\""]);
        }
        Some(text)
    }

    /// Returns the HTTP status of the API's answer, if there was one.
    pub fn http_status(&self) -> Option<u16> {
        Some(self.api_answer()?.http_status)
    }

    /// Returns the API's error code, member `code` of its answer.
    pub fn code(&self) -> Option<&str> {
        self.nul_code().map(NulStr::as_str)
    }

    /// Returns the id to name to torii's support, member `supportId` of the API's answer.
    pub fn support_id(&self) -> Option<&str> {
        self.nul_support_id().map(NulStr::as_str)
    }

    /// Returns the first 64 KiB of the API's answer, if there was one.
    pub fn body(&self) -> Option<&str> {
        self.nul_body().map(NulStr::as_str)
    }

    pub(crate) fn nul_code(&self) -> Option<NulStr<'_>> {
        Some(self.api_answer()?.code.as_ref()?.borrow())
    }

    pub(crate) fn nul_support_id(&self) -> Option<NulStr<'_>> {
        Some(self.api_answer()?.support_id.as_ref()?.borrow())
    }

    pub(crate) fn nul_body(&self) -> Option<NulStr<'_>> {
        Some(self.api_answer()?.body.borrow())
    }

    fn api_answer(&self) -> Option<&Answer> {
        match &self.cause {
            Cause::Answer(answer) => Some(answer),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Fixed(subject, why) => write!(f, "{subject}: {why}"),
            Cause::Text(text) => f.write_str(text),
            Cause::Expired { by } => write!(f, "claim `exp`: expired {by} s ago"),
            Cause::Answer(answer) => f.write_str(&answer.message),
            Cause::Early { claim, by } => write!(f, "claim `{claim}`: {by} s in the future"),
        }
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_status() {
        for status in Status::ALL {
            assert_eq!(Status::from_number(*status as u32), Some(*status));
        }
        assert_eq!(Status::from_number(4), None);
    }

    #[test]
    fn messages_name_the_subject() {
        let error = Error::fixed(Status::TokenClaim, "claim `sub`", "missing");
        assert_eq!(error.to_string(), "claim `sub`: missing");
        assert_eq!(Error::expired(7).to_string(), "claim `exp`: expired 7 s ago");
        assert_eq!(Error::early("nbf", 9).to_string(), "claim `nbf`: 9 s in the future");
    }

    #[test]
    fn a_challenge_names_an_error_only_for_a_token_that_came() {
        let challenge = |status| Error::fixed(status, "token", "x").www_authenticate();
        assert_eq!(challenge(Status::TokenMissing).as_deref(), Some("Bearer realm=\"torii\""));
        assert_eq!(challenge(Status::TokenScheme).as_deref(), Some("Bearer realm=\"torii\""));
        assert_eq!(
            challenge(Status::TokenExpired).as_deref(),
            Some("Bearer realm=\"torii\", error=\"invalid_token\"")
        );
        assert_eq!(
            challenge(Status::Policy).as_deref(),
            Some("Bearer realm=\"torii\", error=\"insufficient_scope\"")
        );
        for status in [Status::KeysUnavailable, Status::KeysPending, Status::Api] {
            assert_eq!(challenge(status), None);
        }
    }

    #[test]
    fn a_challenge_carries_the_parameters_of_the_verifier() {
        let own = Arc::new(Challenge {
            realm: Some("api".to_owned()),
            resource_metadata: Some("https://api.example/meta".to_owned()),
        });
        let error = Error::fixed(Status::TokenSignature, "token", "x").challenged_by(Some(&own));
        assert_eq!(
            error.www_authenticate().as_deref(),
            Some(
                "Bearer realm=\"api\", error=\"invalid_token\", \
                 resource_metadata=\"https://api.example/meta\""
            )
        );
    }

    #[test]
    fn a_client_learns_no_detail() {
        for status in Status::ALL {
            let error = Error::fixed(*status, "claim `sub`", "missing");
            for text in [error.public_code(), error.public_message()] {
                assert!(!text.is_empty() && !text.contains("sub"), "{status:?}: {text}");
            }
        }
    }

    #[test]
    fn a_refusal_is_small() {
        assert!(std::mem::size_of::<Error>() <= 64);
    }
}
