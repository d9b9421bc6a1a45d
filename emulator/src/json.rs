//! JSON bodies, read the same way everywhere.

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use serde::de::DeserializeOwned;

/// The JSON body of a request, with any `Content-Type`; an empty one is `{}`.
pub(crate) async fn read<T, S>(request: Request, state: &S) -> Result<T, String>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    let body = Bytes::from_request(request, state).await.map_err(|error| error.to_string())?;
    let text = if body.is_empty() { b"{}" } else { body.as_ref() };
    serde_json::from_slice(text).map_err(|error| error.to_string())
}
