//! Webhooks.

use napi::bindgen_prelude::*;
use napi_derive::napi;
use torii::Webhook;

use crate::failure::thrown;

/// Verifies webhooks signed with one of its secrets.
#[napi(js_name = "Webhook")]
pub struct JsWebhook(Webhook);

#[napi]
impl JsWebhook {
    #[napi(constructor, catch_unwind)]
    pub fn new(secret: String) -> Result<Self> {
        Ok(JsWebhook(Webhook::new(secret).map_err(|error| thrown(&error))?))
    }

    #[napi(catch_unwind)]
    pub fn add_secret(&mut self, secret: String) -> Result<()> {
        self.0.add_secret(secret).map(drop).map_err(|error| thrown(&error))
    }

    #[napi(catch_unwind)]
    pub fn set_tolerance(&mut self, seconds: u32) -> Result<()> {
        self.0.set_tolerance_seconds(seconds).map(drop).map_err(|error| thrown(&error))
    }

    /// Returns when the webhook was sent. JavaScript passes a copy of the body that no other code changes.
    #[napi(catch_unwind)]
    pub fn verify(
        &self,
        id: String,
        timestamp: String,
        signature: String,
        body: Buffer,
        now: i64,
    ) -> Result<i64> {
        let [id, timestamp, signature] = [&id, &timestamp, &signature].map(|text| text.as_bytes());
        self.0.verify(id, timestamp, signature, &body, now).map_err(|error| thrown(&error))
    }
}
