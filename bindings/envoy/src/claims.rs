//! The claims of a login as values for headers and metadata.

use std::borrow::Cow;

use torii::{Auth, Json, JsonKind, Requirements};

use crate::host::Value;

/// Names one claim of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    name: String,
    /// The JSON pointer (RFC 6901) to the claim as it was signed.
    pointer: String,
}

/// A claim that is there.
#[derive(Clone, Debug, PartialEq)]
pub enum Found<'a> {
    /// A string.
    Text(Cow<'a, str>),
    /// A number, exactly as it was signed.
    Number(Cow<'a, str>),
    /// A boolean.
    Bool(bool),
    /// An array or an object, as JSON without blanks between its values.
    Json(String),
}

/// A claim is there that cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable;

/// The result of a lookup; `None` if the claim is absent or null.
pub type Lookup<'a> = Result<Option<Found<'a>>, Unreadable>;

impl Claim {
    /// Reads a name: of a top-level claim, of a field of the login, or a JSON pointer.
    pub fn parse(name: &str) -> Result<Self, String> {
        let pointer = match name {
            "" => return Err("an empty claim".to_owned()),
            _ if name.starts_with('/') => name.to_owned(),
            _ => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        };
        // The library knows which pointers are well-formed.
        Requirements::new()
            .add_claim(&pointer, "true")
            .map_err(|error| format!("`{name}`: {error}"))?;
        Ok(Claim { name: name.to_owned(), pointer })
    }

    /// Looks the claim up.
    pub fn of<'a>(&self, auth: &'a Auth, claims: &'a Claims) -> Lookup<'a> {
        let text = |text: Option<&'a str>| Ok(text.map(|text| Found::Text(text.into())));
        match &*self.name {
            "sub" => text(Some(auth.user_id())),
            "pid" => text(Some(auth.environment_id())),
            "iss" => text(Some(auth.issuer())),
            // The library defines these if the claim is absent or has another type.
            "locale" => text(auth.locale()),
            "actor_id" => text(auth.actor_id()),
            "organization_id" => text(auth.organization_id()),
            "organization_role" => text(auth.organization_role()),
            "email_verified" => Ok(Some(Found::Bool(auth.email_verified()))),
            "profile_complete" => Ok(Some(Found::Bool(auth.profile_complete()))),
            "impersonating" => Ok(Some(Found::Bool(auth.impersonating()))),
            "exp" => Ok(Some(Found::Number(auth.expires_at().to_string().into()))),
            "iat" => Ok(Some(Found::Number(auth.issued_at().to_string().into()))),
            name => match auth.claim_str(name) {
                Some(value) => text(Some(value)),
                None => claims.find(auth, &self.pointer),
            },
        }
    }
}

/// The claims as JSON, read when the first claim needs them.
#[derive(Default)]
pub struct Claims(std::cell::OnceCell<Option<Json>>);

impl Claims {
    fn find(&self, auth: &Auth, pointer: &str) -> Lookup<'_> {
        let json = self.0.get_or_init(|| auth.claims().ok()).as_ref().ok_or(Unreadable)?;
        let raw = || json.raw(pointer).ok_or(Unreadable);
        Ok(match json.kind(pointer) {
            None | Some(JsonKind::Null) => None,
            Some(JsonKind::Bool) => Some(Found::Bool(json.bool(pointer).map_err(|_| Unreadable)?)),
            Some(JsonKind::Number) => Some(Found::Number(raw()?.into())),
            // `str` returns none that holds U+0000.
            Some(JsonKind::String) => {
                Some(Found::Text(json.str(pointer).ok_or(Unreadable)?.into()))
            }
            Some(JsonKind::Array | JsonKind::Object) => Some(Found::Json(compact(raw()?))),
        })
    }
}

impl Found<'_> {
    /// As the value of a header, if it can be one and arrive as it was signed (RFC 9110 §5.5).
    /// `None` for an empty string, which Envoy does not send.
    pub fn header(&self) -> Result<Option<&str>, Unreadable> {
        let text = match self {
            Found::Text(text) | Found::Number(text) => &**text,
            Found::Json(text) => text,
            Found::Bool(true) => "true",
            Found::Bool(false) => "false",
        };
        let arrives = text.trim_matches([' ', '\t']) == text
            && !text.chars().any(|c| c.is_ascii_control() && c != '\t');
        if arrives { Ok(Some(text).filter(|text| !text.is_empty())) } else { Err(Unreadable) }
    }

    /// As a value of the metadata, whose numbers are doubles. An integer that no double holds is
    /// its digits, as a string.
    pub fn metadata(&self) -> Value<'_> {
        match self {
            Found::Bool(value) => Value::Bool(*value),
            Found::Text(text) => Value::Text(Cow::Borrowed(text)),
            Found::Json(text) => Value::Text(Cow::Borrowed(text)),
            Found::Number(text) => match text.parse::<f64>() {
                Ok(number) if text.contains(['.', 'e', 'E']) || number.abs() < EXACT => {
                    Value::Number(number)
                }
                _ => Value::Text(Cow::Borrowed(text)),
            },
        }
    }
}

/// Below this a double holds every integer, and none is rounded to one (2^53).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The JSON without blanks between its values, which could be line breaks.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |c: &char| {
        let kept = quoted || !c.is_ascii_whitespace();
        match c {
            '"' if !escaped => quoted = !quoted,
            _ => {}
        }
        escaped = quoted && *c == '\\' && !escaped;
        kept
    };
    json.chars().filter(keep).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_loses_its_blanks_and_nothing_else() {
        for (json, wanted) in [
            (
                "{ \"a b\" :\t[ 1.50e+02 ,\n\"\\\" \\\\\" , \"\\\\\" ] }",
                r#"{"a b":[1.50e+02,"\" \\","\\"]}"#,
            ),
            ("[]", "[]"),
            (r#"[ "größer" , { } ]"#, r#"["größer",{}]"#),
        ] {
            assert_eq!(compact(json), wanted);
        }
    }

    #[test]
    fn a_number_in_the_metadata_is_exact_or_text() {
        let value = |text: &'static str| {
            let value = Found::Number(text.into());
            match value.metadata() {
                Value::Number(number) => Ok(number),
                Value::Text(text) => Err(text.into_owned()),
                Value::Bool(_) => Err("a boolean".to_owned()),
            }
        };
        assert_eq!(value("-3"), Ok(-3.0));
        assert_eq!(value("9007199254740991"), Ok(9_007_199_254_740_991.0));
        assert_eq!(value("9007199254740993"), Err("9007199254740993".to_owned()));
        assert_eq!(value("18446744073709551616"), Err("18446744073709551616".to_owned()));
        assert_eq!(value("1.5e2"), Ok(150.0));
    }

    #[test]
    fn names_are_checked() {
        for (name, pointer) in [("a/b~", "/a~1b~0"), ("/org/id", "/org/id"), ("plan", "/plan")] {
            assert_eq!(Claim::parse(name).unwrap().pointer, pointer);
        }
        for name in ["", "/a~2"] {
            assert!(Claim::parse(name).is_err(), "{name}");
        }
    }
}
