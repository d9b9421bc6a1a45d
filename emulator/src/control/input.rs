//! Input of the control API, and the answer to invalid input.

use axum::Json;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json as object;

use crate::json;

/// A JSON body, with any `Content-Type`; an empty one is `{}`.
pub(crate) struct Input<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Input<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        json::read(request, state).await.map(Self).map_err(|error| Refusal::bad_request(&error))
    }
}

/// An error of the control API: `{"error": "..."}`.
pub(crate) struct Refusal(StatusCode, String);

impl Refusal {
    /// The request is invalid.
    pub(crate) fn bad_request(reason: &(impl ToString + ?Sized)) -> Self {
        Self(StatusCode::BAD_REQUEST, reason.to_string())
    }

    /// The request names something that does not exist.
    pub(crate) fn not_found(reason: &(impl ToString + ?Sized)) -> Self {
        Self(StatusCode::NOT_FOUND, reason.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(object!({ "error": self.1 }))).into_response()
    }
}
