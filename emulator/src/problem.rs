//! The service's errors: `application/problem+json`.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::ids;

/// An error.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    invitation_status: Option<&'static str>,
    retry_after: Option<u32>,
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), invitation_status: None, retry_after: None }
    }

    /// 400: the request is invalid.
    pub(crate) fn invalid(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, detail)
    }

    /// 401: no valid session token.
    pub(crate) fn signed_out() -> Self {
        let detail = "The session token is missing or invalid.";
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
    }

    /// 403: the environment does not allow impersonation.
    pub(crate) fn impersonation_disabled() -> Self {
        let detail = "Impersonation is disabled in this environment.";
        Self::new(StatusCode::FORBIDDEN, "impersonation_disabled", detail)
    }

    /// 401: no valid secret key.
    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "The secret key is missing or invalid.")
    }

    /// 402: the plan or its quota does not allow it.
    pub(crate) fn quota() -> Self {
        let detail = "The plan has no impersonation, or its quota is used up.";
        Self::new(StatusCode::PAYMENT_REQUIRED, "quota_exceeded", detail)
    }

    /// 403: the user is of another environment, or deleted.
    pub(crate) fn forbidden() -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", "This environment has no such user.")
    }

    /// 404: not found.
    pub(crate) fn not_found(what: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", format!("There is no such {what}."))
    }

    /// 405: the path exists, but not for this method.
    pub(crate) fn method() -> Self {
        let detail = "This path has no such method.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    /// 409: the email address already belongs to a user.
    pub(crate) fn email_taken() -> Self {
        let detail = "The email address already belongs to a user.";
        Self::new(StatusCode::CONFLICT, "email_already_exists", detail)
    }

    /// 409: the invitation is not pending any more.
    pub(crate) fn invitation_not_pending(status: &'static str) -> Self {
        let detail = format!("The invitation is {status}.");
        let problem = Self::new(StatusCode::CONFLICT, "invitation_not_pending", detail);
        Self { invitation_status: Some(status), ..problem }
    }

    /// 429: too many invitations.
    pub(crate) fn rate_limited(retry_after: u32) -> Self {
        let detail = "Too many invitations.";
        let problem = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
        Self { retry_after: Some(retry_after), ..problem }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code,
            "supportId": ids::random(),
        });
        if let Some(status) = self.invitation_status {
            body["invitationStatus"] = Value::from(status);
        }
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
