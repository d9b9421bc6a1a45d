//! Allowed origins.

use super::arguments::object;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// The origins browsers may call torii from.
#[derive(Clone, Copy)]
pub struct AllowedOrigins<'a>(pub(super) &'a Transport);

impl AllowedOrigins<'_> {
    /// The origins.
    pub fn get(&self) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, "/allowed-origins".to_owned()))
    }

    /// Replaces them all.
    pub fn set(&self, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PUT, "/allowed-origins".to_owned()).body(Some(body)))
    }
}
