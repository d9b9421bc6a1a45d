//! Where a request has its token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::Value;

use crate::config::is_header_name;
use crate::host::Host;

/// A place where a token may be.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A header whose value is `Bearer <token>`, named in lower case.
    Header(String),
    /// A cookie whose value is the token.
    Cookie(String),
}

/// What was found in a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The value of a header, to be read as `Bearer <token>`.
    Header(&'a [u8]),
    /// A token.
    Token(&'a [u8]),
    /// No token in any of the places.
    Nothing,
    /// More than one value in a place that is for one.
    Repeated,
}

impl Place {
    /// Checks the name, and brings it to the form in which it is looked up.
    pub fn check(&mut self) -> Result<(), String> {
        match self {
            Place::Header(name) => {
                if !is_header_name(name) {
                    return Err(format!("`{name}` is no header name"));
                }
                name.make_ascii_lowercase();
                Ok(())
            }
            // The name of a cookie is made of the same characters (RFC 6265 §4.1.1).
            Place::Cookie(name) if is_header_name(name) => Ok(()),
            Place::Cookie(name) => Err(format!("`{name}` is no cookie name")),
        }
    }

    /// Whether it is this header, where `_` is taken for `-`.
    pub fn is_header(&self, name: &str) -> bool {
        matches!(self, Place::Header(header) if header.replace('_', "-") == name)
    }

    fn find<'a>(&self, host: &'a dyn Host) -> Found<'a> {
        match self {
            Place::Header(name) => match host.header(name, 0) {
                None => Found::Nothing,
                Some((_, 2..)) => Found::Repeated,
                Some(([], _)) => Found::Nothing,
                Some((value, _)) => Found::Header(value),
            },
            Place::Cookie(name) => cookie(host, name.as_bytes()),
        }
    }
}

/// The token of a request: in the first of the places that has one.
pub fn find<'a>(places: &[Place], host: &'a dyn Host) -> Found<'a> {
    let found = places.iter().map(|place| place.find(host));
    found.into_iter().find(|found| *found != Found::Nothing).unwrap_or(Found::Nothing)
}

fn cookie<'a>(host: &'a dyn Host, name: &[u8]) -> Found<'a> {
    let mut found = Found::Nothing;
    let mut index = 0;
    while let Some((line, _)) = host.header("cookie", index) {
        for pair in line.split(|byte| *byte == b';') {
            let mut parts = pair.trim_ascii().splitn(2, |byte| *byte == b'=');
            let (Some(known), Some(value)) = (parts.next(), parts.next()) else { continue };
            if known.trim_ascii_end() != name {
                continue;
            }
            if found != Found::Nothing {
                return Found::Repeated;
            }
            found = Found::Token(unquoted(value.trim_ascii_start()));
        }
        index += 1;
    }
    match found {
        Found::Token([]) => Found::Nothing,
        found => found,
    }
}

/// A cookie's value may stand in quotes (RFC 6265 §4.1.1).
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

/// The issuer a token claims to be of. Nothing is checked: it only tells whose keys are worth a
/// fetch, once the library has found that they are.
pub fn claimed_issuer(found: &Found<'_>) -> Option<String> {
    let (Found::Header(text) | Found::Token(text)) = found else { return None };
    let token = text.trim_ascii().rsplit(|byte| byte.is_ascii_whitespace()).next()?;
    let payload = URL_SAFE_NO_PAD.decode(token.split(|byte| *byte == b'.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&payload).ok()?;
    Some(claims.get("iss")?.as_str()?.trim_end_matches('/').to_owned())
}
