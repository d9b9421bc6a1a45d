//! The HTTP answers, the same as of every torii adapter.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};
use torii::{Error, Status};

/// An answer of the gate.
pub(crate) type Answer = Response<Full<Bytes>>;

/// Why a request is refused.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// An error of the library.
    Error(Error),
    /// A defect of the gate.
    Defect,
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

impl Refusal {
    fn error(&self) -> Option<&Error> {
        match self {
            Refusal::Error(error) => Some(error),
            Refusal::Defect => None,
        }
    }

    /// The HTTP status.
    fn status(&self) -> u16 {
        self.error().map_or(Status::Internal, Error::status).http()
    }

    /// The outcome that the metrics count.
    pub(crate) fn outcome(&self) -> Outcome {
        match self.status() {
            401 => Outcome::Unauthorized,
            403 => Outcome::Forbidden,
            503 => Outcome::Unavailable,
            _ => Outcome::Failed,
        }
    }

    /// The answer for the client.
    pub(crate) fn answer(&self) -> Answer {
        let (code, message) = match self.error() {
            Some(error) => (error.public_code(), error.public_message()),
            None => ("internal_error", "Internal error"),
        };
        // Both are constants without quotes.
        let body = format!(r#"{{"error":{{"code":"{code}","message":"{message}"}}}}"#);
        let mut answer = Response::new(Full::from(body));
        *answer.status_mut() =
            StatusCode::from_u16(self.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, NO_STORE);
        let challenge = self.error().and_then(Error::www_authenticate).map(HeaderValue::try_from);
        if let Some(Ok(challenge)) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, challenge);
        }
        if self.status() == 503 {
            let seconds = self.error().and_then(Error::retry_after).unwrap_or(1).max(1);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        answer
    }
}

/// The outcome of a request, for the metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// 200, with an identity.
    Accepted,
    /// 200, without one, in optional mode.
    Anonymous,
    /// 401.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 503.
    Unavailable,
    /// 500: a defect.
    Failed,
}

impl Outcome {
    /// All outcomes, in the order of their numbers.
    pub(crate) const ALL: [Outcome; 6] = [
        Outcome::Accepted,
        Outcome::Anonymous,
        Outcome::Unauthorized,
        Outcome::Forbidden,
        Outcome::Unavailable,
        Outcome::Failed,
    ];

    /// The name in the metrics.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Outcome::Accepted => "accepted",
            Outcome::Anonymous => "anonymous",
            Outcome::Unauthorized => "unauthorized",
            Outcome::Forbidden => "forbidden",
            Outcome::Unavailable => "unavailable",
            Outcome::Failed => "failed",
        }
    }
}

/// 200 without a body. Caches between the proxy and the gate must not keep it: they know nothing of
/// the cookie.
pub(crate) fn pass() -> Answer {
    let mut answer = Response::new(Full::default());
    answer.headers_mut().insert(header::CACHE_CONTROL, NO_STORE);
    answer
}

const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

#[cfg(test)]
mod tests {
    use torii::{Verifier, VerifierOptions};

    use super::*;

    fn refused(value: &str) -> Answer {
        let verifier = Verifier::new("https://acme.torii.so", &VerifierOptions::new()).unwrap();
        Refusal::from(verifier.authenticate_nowait(value).unwrap_err()).answer()
    }

    #[test]
    fn a_refusal_is_that_of_the_library() {
        for (value, challenge) in [
            ("", "Bearer realm=\"torii\""),
            ("Bearer nonsense", "Bearer realm=\"torii\", error=\"invalid_token\""),
        ] {
            let answer = refused(value);
            assert_eq!(answer.status(), 401);
            assert_eq!(answer.headers()["www-authenticate"], challenge);
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.headers()["content-type"], "application/json");
            assert_eq!(answer.headers().len(), 3);
        }
    }

    #[test]
    fn a_defect_says_nothing_of_the_token() {
        let answer = Refusal::Defect.answer();
        assert_eq!(
            (answer.status(), answer.headers().len()),
            (StatusCode::INTERNAL_SERVER_ERROR, 2)
        );
        assert_eq!(Refusal::Defect.outcome(), Outcome::Failed);
    }
}
