//! Errors on their way to JavaScript, which makes one of its own classes of each.

use serde::Serialize;
use torii::{Error, Status};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure<'a> {
    /// As in `TORII_ERR_TOKEN_EXPIRED`.
    reason: &'a str,
    message: String,
    /// The status for a client of the program.
    http: u16,
    public_code: &'a str,
    public_message: &'a str,
    www_authenticate: Option<String>,
    retry_after: Option<u64>,
    issuer: Option<&'a str>,
    /// Of an answer of the API, as are the next three.
    status: Option<u16>,
    code: Option<&'a str>,
    support_id: Option<&'a str>,
    body: Option<&'a str>,
    unsent: bool,
}

/// The error as JSON.
pub(crate) fn json(error: &Error) -> String {
    let failure = Failure {
        reason: error.status().name(),
        message: error.to_string(),
        http: error.status().http(),
        public_code: error.public_code(),
        public_message: error.public_message(),
        www_authenticate: error.www_authenticate(),
        retry_after: error.retry_after(),
        issuer: error.issuer(),
        status: error.http_status(),
        code: error.code(),
        support_id: error.support_id(),
        body: error.body(),
        unsent: error.unsent(),
    };
    serde_json::to_string(&failure).unwrap_or_else(|_| internal("an error that JSON cannot hold"))
}

/// A failure that is a defect, as JSON.
pub(crate) fn internal(message: &str) -> String {
    serde_json::json!({
        "reason": Status::Internal.name(),
        "message": message,
        "http": Status::Internal.http(),
        "publicCode": "internal_error",
        "publicMessage": "Authentication failed because of a server error",
        "unsent": false,
    })
    .to_string()
}

/// An exception that carries the error as JSON.
pub(crate) fn thrown(error: &Error) -> napi::Error {
    napi::Error::from_reason(json(error))
}
