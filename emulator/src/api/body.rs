//! The JSON body of a request to the server API.

use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

use crate::json;
use crate::problem::Problem;

/// A JSON body.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let invalid = |error| Problem::invalid("invalid_request", error);
        json::read(request, state).await.map(Self).map_err(invalid)
    }
}
