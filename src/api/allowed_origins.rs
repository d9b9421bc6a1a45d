//! Allowed origins.

use super::arguments::object;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// The origins from which browsers may call torii.
#[derive(Clone, Copy)]
pub struct AllowedOrigins<'a>(pub(super) &'a Transport);

impl AllowedOrigins<'_> {
    /// Returns the origins.
    pub fn get(&self) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, "/allowed-origins".to_owned()))
    }

    /// Replaces all origins.
    pub fn set(&self, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PUT, "/allowed-origins".to_owned()).body(Some(body)))
    }
}
