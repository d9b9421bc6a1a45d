//! The HTTP answer to a request that is refused.

use serde_json::json;
use torii::{Error, Status};

/// Why a request is refused.
#[derive(Debug)]
pub enum Refusal {
    /// An error of the library.
    Error(Error),
    /// A claim that the upstream is to be told cannot be read. The error is the one of a requirement
    /// that is not met.
    Claim(Error),
    /// A defect of the filter.
    Defect,
}

impl Refusal {
    fn error(&self) -> Option<&Error> {
        match self {
            Refusal::Error(error) | Refusal::Claim(error) => Some(error),
            Refusal::Defect => None,
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.error().map_or(Status::Internal, Error::status).http()
    }

    /// The reason for logs and statistics: `token_expired` for `TORII_ERR_TOKEN_EXPIRED`.
    pub fn reason(&self) -> String {
        let status = match self {
            Refusal::Error(error) => error.status(),
            Refusal::Claim(_) => return "claim_unreadable".to_owned(),
            Refusal::Defect => Status::Internal,
        };
        status.name().trim_start_matches("TORII_ERR_").to_ascii_lowercase()
    }

    /// Names and values of the answer's headers.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers = vec![
            ("content-type", "application/json".to_owned()),
            ("cache-control", "no-store".to_owned()),
        ];
        if let Some(challenge) = self.error().and_then(Error::www_authenticate) {
            headers.push(("www-authenticate", challenge));
        }
        if self.status() == 503 {
            let seconds = self.error().and_then(Error::retry_after).unwrap_or(1);
            headers.push(("retry-after", seconds.to_string()));
        }
        headers
    }

    /// The JSON body.
    pub fn body(&self) -> String {
        let (code, message) = match self.error() {
            Some(error) => (error.public_code(), error.public_message()),
            None => ("internal_error", "Internal error"),
        };
        json!({"error": {"code": code, "message": message}}).to_string()
    }

    /// The status of the answer to a gRPC call.
    pub fn grpc_status(&self) -> &'static str {
        match self.status() {
            401 => "16",
            403 => "7",
            503 => "14",
            _ => "13",
        }
    }
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Refusal::Error(error)
    }
}

#[cfg(test)]
mod tests {
    use torii::{Verifier, VerifierOptions};

    use super::*;

    fn header(refusal: &Refusal, name: &str) -> Option<String> {
        let headers = refusal.headers();
        headers.into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    fn refusal(header: &str) -> Refusal {
        let verifier = Verifier::new("https://acme.torii.so", &VerifierOptions::new()).unwrap();
        verifier.authenticate_nowait(header).unwrap_err().into()
    }

    #[test]
    fn the_answer_is_that_of_the_library() {
        let invalid = refusal("Bearer nonsense");
        assert_eq!((invalid.status(), &*invalid.reason()), (401, "token_malformed"));
        let challenge = "Bearer realm=\"torii\", error=\"invalid_token\"";
        assert_eq!(header(&invalid, "www-authenticate").as_deref(), Some(challenge));
        assert_eq!(
            invalid.body(),
            r#"{"error":{"code":"authentication_failed","message":"The access token is invalid"}}"#
        );
        let missing = refusal("");
        assert_eq!(&*missing.reason(), "token_missing");
        let challenge = "Bearer realm=\"torii\"";
        assert_eq!(header(&missing, "www-authenticate").as_deref(), Some(challenge));
    }

    #[test]
    fn a_defect_says_nothing_of_the_token() {
        assert_eq!((Refusal::Defect.status(), &*Refusal::Defect.reason()), (500, "internal"));
        assert_eq!(header(&Refusal::Defect, "www-authenticate"), None);
        assert_eq!(header(&Refusal::Defect, "cache-control").as_deref(), Some("no-store"));
        assert!(Refusal::Defect.body().contains("internal_error"));
    }
}
