//! How an issuer publishes its key set and its discovery document: settings that tests change.

use serde::Deserialize;
use serde_json::Value;

/// How the key set is served.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct JwksSettings {
    /// Served instead of the real key set: a text as it is, anything else as JSON.
    pub(crate) body: Option<Value>,
    /// The `Cache-Control` header, if there is one.
    pub(crate) cache_control: Option<String>,
    /// Whether there is an `ETag`, and a 304 for a request that has it.
    pub(crate) etag: bool,
    /// The `Age` header, if there is one: the seconds the answer spent in a cache on the way.
    pub(crate) age: Option<u64>,
}

impl Default for JwksSettings {
    fn default() -> Self {
        Self {
            body: None,
            cache_control: Some("public, max-age=300".to_owned()),
            etag: true,
            age: None,
        }
    }
}

/// How the members of the document are spelled.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// As OpenID Connect Discovery 1.0 §3 has them: `jwks_uri`.
    #[default]
    SnakeCase,
    /// As torii's API reference shows them: `jwksUri`.
    CamelCase,
}

/// How the discovery document is served.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DiscoverySettings {
    /// Served instead of the real document: a text as it is, anything else as JSON.
    pub(crate) body: Option<Value>,
    /// How the members of the real document are spelled.
    pub(crate) spelling: Spelling,
}
