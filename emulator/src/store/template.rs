//! JWT templates: tokens for third parties.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A named JWT template.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Template {
    /// Seconds from `iat` to `exp`; 60 by default.
    pub expires_in: i64,
    /// `aud`, a text or a list of texts; absent by default.
    pub aud: Option<Value>,
    /// Other claims. The stamped claims replace those with the same names.
    pub claims: Map<String, Value>,
}

impl Default for Template {
    fn default() -> Self {
        Self { expires_in: 60, aud: None, claims: Map::new() }
    }
}
