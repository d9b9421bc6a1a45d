//! What a request is answered that is not let through.

use std::borrow::Cow;

use serde_json::json;
use torii::{Error, Status};

/// Why a request is not let through.
#[derive(Debug)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// The reason for logs and statistics, as in `token_expired`.
    pub reason: Cow<'static, str>,
    /// The reason for people.
    message: Cow<'static, str>,
    /// Seconds after which trying again can help.
    retry_after: Option<u64>,
}

/// A refusal as HTTP.
#[derive(Debug)]
pub struct Answer {
    /// Names and values of its headers.
    pub headers: Vec<(&'static str, Cow<'static, str>)>,
    /// Its JSON body.
    pub body: String,
}

impl Refusal {
    /// A token was sent more than once: which of them is meant is not for us to guess.
    pub fn repeated() -> Self {
        Refusal {
            status: 401,
            reason: "token_repeated".into(),
            message: "more than one token".into(),
            retry_after: None,
        }
    }

    /// Keys did not come in time.
    pub fn timeout() -> Self {
        Refusal {
            status: Status::KeysPending.http(),
            reason: reason(Status::KeysPending).into(),
            message: "".into(),
            retry_after: None,
        }
    }

    /// A defect of the filter.
    pub fn internal() -> Self {
        Refusal {
            status: 500,
            reason: reason(Status::Internal).into(),
            message: "".into(),
            retry_after: None,
        }
    }

    /// The answer that says so (RFC 6750 §3).
    pub fn answer(&self, realm: &str) -> Answer {
        let mut headers: Vec<(_, Cow<'static, str>)> =
            vec![("content-type", "application/json".into()), ("cache-control", "no-store".into())];
        let (code, message) = match self.status {
            401 => {
                headers.push(("www-authenticate", self.challenge(realm).into()));
                ("authentication_failed", &*self.message)
            }
            403 => ("forbidden", &*self.message),
            503 => {
                let seconds = self.retry_after.unwrap_or(1).max(1);
                headers.push(("retry-after", seconds.to_string().into()));
                // Why keys cannot be had is nothing the client should know.
                ("keys_unavailable", "The login cannot be checked at the moment")
            }
            _ => ("internal_error", "Internal error"),
        };
        let body = json!({"error": {"code": code, "message": message}}).to_string();
        Answer { headers, body }
    }

    /// The same for gRPC, as its status codes have it.
    pub fn grpc_status(&self) -> &'static str {
        match self.status {
            401 => "16",
            403 => "7",
            503 => "14",
            _ => "13",
        }
    }

    fn challenge(&self, realm: &str) -> String {
        // What sent no token is told no error (RFC 6750 §3.1).
        if self.reason == reason(Status::TokenMissing) {
            return format!("Bearer realm=\"{realm}\"");
        }
        let description = self.message.replace(['"', '\\'], "'");
        format!(
            "Bearer realm=\"{realm}\", error=\"invalid_token\", error_description=\"{description}\""
        )
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal {
            status: error.status().http(),
            reason: reason(error.status()).into(),
            message: error.to_string().into(),
            retry_after: error.retry_after(),
        }
    }
}

/// `TORII_ERR_TOKEN_EXPIRED` as `token_expired`.
fn reason(status: Status) -> String {
    status.name().trim_start_matches("TORII_ERR_").to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
        answer.headers.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value)
    }

    fn refusal(header: &str) -> Refusal {
        let verifier = torii::Verifier::new("https://acme.torii.so", &Default::default()).unwrap();
        verifier.authenticate_nowait(header).unwrap_err().into()
    }

    #[test]
    fn a_bad_token_is_told_why() {
        let refusal = refusal("Bearer nonsense");
        let answer = refusal.answer("api");
        assert_eq!((refusal.status, &*refusal.reason), (401, "token_malformed"));
        let challenge = header(&answer, "www-authenticate").unwrap();
        assert!(challenge.starts_with(
            "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"token"
        ));
        assert!(answer.body.starts_with(r#"{"error":{"code":"authentication_failed","message":"#));
    }

    #[test]
    fn no_token_is_no_error() {
        let refusal = refusal("");
        assert_eq!(&*refusal.reason, "token_missing");
        let answer = refusal.answer("torii");
        assert_eq!(header(&answer, "www-authenticate"), Some("Bearer realm=\"torii\""));
    }

    #[test]
    fn what_is_no_fault_of_the_token_says_nothing_of_it() {
        let answer = Refusal::timeout().answer("torii");
        assert_eq!(header(&answer, "retry-after"), Some("1"));
        assert_eq!(header(&answer, "www-authenticate"), None);
        assert!(Refusal::internal().answer("torii").body.contains("internal_error"));
        let message = "claim `x`: has to be true".into();
        let forbidden = Refusal { status: 403, message, ..Refusal::repeated() }.answer("torii");
        assert_eq!(
            forbidden.body,
            r#"{"error":{"code":"forbidden","message":"claim `x`: has to be true"}}"#
        );
    }

    #[test]
    fn a_description_stays_within_its_quotes() {
        let refusal = Refusal { message: "a \"b\\".into(), ..Refusal::repeated() };
        let answer = refusal.answer("torii");
        let challenge = header(&answer, "www-authenticate").unwrap();
        assert!(challenge.ends_with("error_description=\"a 'b'\""), "{challenge}");
    }
}
