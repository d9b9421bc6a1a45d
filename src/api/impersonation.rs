//! Impersonation.

use super::arguments::{id, object};
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// Impersonation of users.
#[derive(Clone, Copy)]
pub struct Impersonation<'a>(pub(super) &'a Transport);

impl Impersonation<'_> {
    /// Creates a token that signs in as the user, once. Tokens count toward a quota, so this call is
    /// never sent twice.
    pub fn create_token(&self, user_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let target = format!("/users/{}/impersonation-token", id("user_id", user_id)?);
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::once(Method::POST, target).body(Some(body)))
    }
}
