//! Whose request it is: what is required of the user, and what the upstream is told.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Number;
use torii::{Auth, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_PROFILE_COMPLETE};

use crate::config::Config;
use crate::host::Host;

/// What is asked of a good token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Requirements {
    email_verified: bool,
    profile_complete: bool,
    not_impersonated: bool,
}

impl Requirements {
    /// Whether a user meets all of them.
    pub fn check(self, auth: &Auth) -> torii::Result<()> {
        let all = [
            (self.email_verified, REQUIRE_EMAIL_VERIFIED),
            (self.profile_complete, REQUIRE_PROFILE_COMPLETE),
            (self.not_impersonated, REQUIRE_NOT_IMPERSONATED),
        ];
        let mut requirements = torii::Requirements::new();
        for (_, flag) in all.iter().filter(|(asked, _)| *asked) {
            requirements.add_flags(*flag)?;
        }
        auth.require(&requirements)
    }
}

impl<'de> Deserialize<'de> for Requirements {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize, PartialEq)]
        #[serde(rename_all = "snake_case")]
        enum Name {
            EmailVerified,
            ProfileComplete,
            NotImpersonated,
        }

        let list = Vec::<Name>::deserialize(deserializer)?;
        Ok(Requirements {
            email_verified: list.contains(&Name::EmailVerified),
            profile_complete: list.contains(&Name::ProfileComplete),
            not_impersonated: list.contains(&Name::NotImpersonated),
        })
    }
}

/// The value of a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum Value<'a> {
    /// A string; for an array or an object its JSON.
    Text(Cow<'a, str>),
    /// A number.
    Number(Number),
    /// A boolean.
    Bool(bool),
}

/// The claims of an identity. Their JSON is read when a claim is asked for that needs it.
struct Claims<'a> {
    auth: &'a Auth,
    json: Option<serde_json::Value>,
}

impl<'a> Claims<'a> {
    fn new(auth: &'a Auth) -> Self {
        Claims { auth, json: None }
    }

    /// A claim by its name, or by JSON pointer (RFC 6901). `None` when it is absent or null.
    fn get(&mut self, claim: &str) -> Option<Value<'a>> {
        let auth = self.auth;
        let text = |text| Some(Value::Text(Cow::Borrowed(text)));
        match claim {
            "sub" => text(auth.user_id()),
            "pid" => text(auth.environment_id()),
            "iss" => text(auth.issuer()),
            // What an absent one means, or one of another type, is the library's to say.
            "locale" => auth.locale().and_then(text),
            "email_verified" => Some(Value::Bool(auth.email_verified())),
            "profile_complete" => Some(Value::Bool(auth.profile_complete())),
            "impersonating" => Some(Value::Bool(auth.impersonating())),
            "exp" => Some(Value::Number(auth.expires_at().into())),
            "iat" => Some(Value::Number(auth.issued_at().into())),
            _ => match auth.claim_str(claim) {
                Some(value) => text(value),
                None => self.read(claim),
            },
        }
    }

    fn read(&mut self, claim: &str) -> Option<Value<'a>> {
        let json = self.json.get_or_insert_with(|| {
            serde_json::from_str(self.auth.claims_json()).unwrap_or_default()
        });
        let value = if claim.starts_with('/') { json.pointer(claim) } else { json.get(claim) }?;
        match value {
            serde_json::Value::Null => None,
            serde_json::Value::Bool(value) => Some(Value::Bool(*value)),
            serde_json::Value::Number(value) => Some(Value::Number(value.clone())),
            serde_json::Value::String(value) => Some(Value::Text(value.clone().into())),
            other => Some(Value::Text(other.to_string().into())),
        }
    }
}

impl Value<'_> {
    /// As the value of a header, if it can be one and arrive as it was sent (RFC 9110 §5.5).
    fn header(&self) -> Option<Cow<'_, str>> {
        let text = match self {
            Value::Text(text) => Cow::Borrowed(&**text),
            Value::Number(number) => number.to_string().into(),
            Value::Bool(value) => Cow::Borrowed(if *value { "true" } else { "false" }),
        };
        let arrives = !text.is_empty()
            && text.trim_matches([' ', '\t']) == text
            && !text.chars().any(|c| c.is_ascii_control() && c != '\t');
        arrives.then_some(text)
    }
}

/// Removes from a request what a client may have sent in place of an identity. Servers that read
/// headers as variables take `_` for `-`, so that a name with either is the same to us.
pub fn remove(host: &mut dyn Host, config: &Config) {
    if config.headers.is_empty() {
        return;
    }
    let mut sent = Vec::new();
    host.each_header_name(&mut |name| {
        if config.headers.iter().any(|(ours, _)| same_name(ours.as_bytes(), name)) {
            sent.push(name.to_vec());
        }
    });
    for name in sent {
        host.remove_header(&name);
    }
}

fn same_name(a: &[u8], b: &[u8]) -> bool {
    let plain = |byte: &u8| if *byte == b'_' { b'-' } else { byte.to_ascii_lowercase() };
    a.len() == b.len() && a.iter().map(plain).eq(b.iter().map(plain))
}

/// Tells the upstream, and the filters that follow, whose request it is.
pub fn tell(host: &mut dyn Host, config: &Config, auth: &Auth) {
    let mut claims = Claims::new(auth);
    for (header, claim) in &config.headers {
        let value = claims.get(claim);
        if let Some(text) = value.as_ref().and_then(Value::header) {
            host.set_header(header, &text);
        }
    }
    for (key, claim) in &config.metadata {
        if let Some(value) = claims.get(claim) {
            host.set_metadata(&config.metadata_namespace, key, &value);
        }
    }
}
