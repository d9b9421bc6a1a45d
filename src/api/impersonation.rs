//! Impersonation.

use super::arguments::{id, object};
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// Acting as a user.
#[derive(Clone, Copy)]
pub struct Impersonation<'a>(pub(super) &'a Transport);

impl Impersonation<'_> {
    /// Creates a token with which somebody signs in as a user, once. It counts towards a quota, so
    /// it is not repeated once it was sent.
    pub fn create_token(&self, user_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let target = format!("/users/{}/impersonation-token", id("user_id", user_id)?);
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::once(Method::POST, target).body(Some(body)))
    }
}
