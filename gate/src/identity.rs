//! Identity headers: the claims that the backend receives.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use torii::{Auth, Json, JsonKind, Requirements};

use crate::credentials::is_token;

/// A header and the claim that it holds: `X-User-Id=/sub`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IdentityHeader {
    pub(crate) name: HeaderName,
    claim: Claim,
}

/// A claim by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Claim {
    /// A field of the login, which may come from several claims.
    Field(Field),
    /// The claim at this JSON pointer (RFC 6901), as it was signed. `top` is the name of a top-level
    /// claim, which is faster to find.
    Signed { pointer: String, top: Option<String> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    UserId,
    EnvironmentId,
    Issuer,
    Locale,
    ActorId,
    OrganizationId,
    OrganizationRole,
    EmailVerified,
    ProfileComplete,
    Impersonating,
    ExpiresAt,
    IssuedAt,
}

/// A claim is there that a header cannot carry as it was signed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

impl IdentityHeader {
    /// Whether a backend that reads headers as variables, as CGI does, takes both for the same.
    pub(crate) fn is_same_as(&self, name: &HeaderName) -> bool {
        let plain = |name: &HeaderName| name.as_str().replace('_', "-");
        plain(&self.name) == plain(name)
    }
}

impl FromStr for IdentityHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected NAME=CLAIM, such as X-User-Id=/sub";
        let (name, claim) = text.split_once('=').ok_or(expected)?;
        let lower = name.to_ascii_lowercase();
        let name =
            HeaderName::from_str(&lower).ok().filter(|_| is_token(&lower)).ok_or(expected)?;
        if RESERVED.contains(&lower.replace('_', "-").as_str()) {
            return Err(format!("{lower}: reserved (expected a header of your own)"));
        }
        Ok(IdentityHeader { name, claim: claim.parse()? })
    }
}

/// Headers with a meaning of their own in an answer or a request. Proxies and backends act on them.
const RESERVED: [&str; 19] = [
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "host",
    "keep-alive",
    "location",
    "proxy-authorization",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

impl FromStr for Claim {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let field = match name {
            "" => return Err("no claim (expected NAME=CLAIM, such as X-User-Id=/sub)".to_owned()),
            // Verified to be strings: the same as signed.
            "sub" | "/sub" => Field::UserId,
            "pid" | "/pid" => Field::EnvironmentId,
            "iss" | "/iss" => Field::Issuer,
            "locale" => Field::Locale,
            "actor_id" => Field::ActorId,
            "organization_id" => Field::OrganizationId,
            "organization_role" => Field::OrganizationRole,
            "email_verified" => Field::EmailVerified,
            "profile_complete" => Field::ProfileComplete,
            "impersonating" => Field::Impersonating,
            "exp" => Field::ExpiresAt,
            "iat" => Field::IssuedAt,
            _ => return Claim::signed(name),
        };
        Ok(Claim::Field(field))
    }
}

impl Claim {
    /// A claim by JSON pointer, or by the name of a top-level claim.
    fn signed(name: &str) -> Result<Self, String> {
        let pointer = match name.starts_with('/') {
            true => name.to_owned(),
            false => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        };
        // The library knows which pointers are well-formed.
        Requirements::new().add_claim(&pointer, "true").map_err(|error| error.to_string())?;
        let top = pointer.strip_prefix('/').filter(|top| !top.contains(['/', '~']));
        Ok(Claim::Signed { top: top.map(str::to_owned), pointer })
    }

    /// The text of the claim; `None` if it is absent or null.
    fn of<'a>(
        &self,
        auth: &'a Auth,
        claims: &'a Claims,
    ) -> Result<Option<Cow<'a, str>>, Unreadable> {
        let word = |value: bool| Some(if value { "true" } else { "false" });
        let number = |value: i64| Ok(Some(Cow::Owned(value.to_string())));
        let text = match self {
            Claim::Signed { pointer, top } => {
                let string = top.as_ref().and_then(|top| auth.claim_str(top));
                return match string {
                    Some(text) => Ok(Some(text.into())),
                    None => claims.find(auth, pointer),
                };
            }
            Claim::Field(Field::UserId) => Some(auth.user_id()),
            Claim::Field(Field::EnvironmentId) => Some(auth.environment_id()),
            Claim::Field(Field::Issuer) => Some(auth.issuer()),
            Claim::Field(Field::Locale) => auth.locale(),
            Claim::Field(Field::ActorId) => auth.actor_id(),
            Claim::Field(Field::OrganizationId) => auth.organization_id(),
            Claim::Field(Field::OrganizationRole) => auth.organization_role(),
            Claim::Field(Field::EmailVerified) => word(auth.email_verified()),
            Claim::Field(Field::ProfileComplete) => word(auth.profile_complete()),
            Claim::Field(Field::Impersonating) => word(auth.impersonating()),
            Claim::Field(Field::ExpiresAt) => return number(auth.expires_at()),
            Claim::Field(Field::IssuedAt) => return number(auth.issued_at()),
        };
        Ok(text.map(Cow::Borrowed))
    }
}

/// The claims as JSON, read only if a header needs them.
#[derive(Default)]
struct Claims(OnceCell<Option<Json>>);

impl Claims {
    fn find(&self, auth: &Auth, pointer: &str) -> Result<Option<Cow<'_, str>>, Unreadable> {
        let json = self.0.get_or_init(|| auth.claims().ok()).as_ref().ok_or(Unreadable)?;
        match json.kind(pointer) {
            None | Some(JsonKind::Null) => Ok(None),
            // `str` returns none that holds U+0000.
            Some(JsonKind::String) => Ok(Some(json.str(pointer).ok_or(Unreadable)?.into())),
            Some(JsonKind::Bool | JsonKind::Number) => {
                Ok(Some(json.raw(pointer).ok_or(Unreadable)?.into()))
            }
            Some(JsonKind::Array | JsonKind::Object) => {
                Ok(Some(compact(json.raw(pointer).ok_or(Unreadable)?).into()))
            }
        }
    }
}

/// Sets the headers of an answer, those with a claim that is absent to an empty value.
///
/// # Errors
/// If a claim cannot be forwarded. A backend that denies by a header would otherwise let the request
/// through.
pub(crate) fn set(
    headers: &[IdentityHeader],
    auth: &Auth,
    answer: &mut HeaderMap,
) -> Result<(), Unreadable> {
    let claims = Claims::default();
    for header in headers {
        let text = header.claim.of(auth, &claims)?;
        let value = text.map_or(Ok(EMPTY), |text| value(&text))?;
        answer.insert(header.name.clone(), value);
    }
    Ok(())
}

/// Sets all headers of an answer to an empty value. A proxy that copies only headers that are there
/// would otherwise pass on the client's own.
pub(crate) fn clear(headers: &[IdentityHeader], answer: &mut HeaderMap) {
    for header in headers {
        answer.insert(header.name.clone(), EMPTY);
    }
}

const EMPTY: HeaderValue = HeaderValue::from_static("");

/// A text as a header value, if it arrives as it is (RFC 9110 §5.5).
fn value(text: &str) -> Result<HeaderValue, Unreadable> {
    let bytes = text.as_bytes();
    if [bytes.first(), bytes.last()].iter().flatten().any(|end| matches!(end, b' ' | b'\t')) {
        return Err(Unreadable);
    }
    // Refuses control characters other than tabs.
    HeaderValue::from_bytes(bytes).map_err(|_| Unreadable)
}

/// The JSON without blanks between its values, which could be line breaks.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let keep = |c: &char| {
        let kept = quoted || !c.is_ascii_whitespace();
        if *c == '"' && !escaped {
            quoted = !quoted;
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
    fn claims_are_named_by_field_by_name_or_by_pointer() {
        let claim = |text: &str| text.parse::<IdentityHeader>().unwrap().claim;
        assert_eq!(claim("X-User-Id=/sub"), Claim::Field(Field::UserId));
        assert_eq!(claim("X-Actor=actor_id"), Claim::Field(Field::ActorId));
        let signed = |pointer: &str, top: Option<&str>| Claim::Signed {
            pointer: pointer.to_owned(),
            top: top.map(str::to_owned),
        };
        assert_eq!(claim("X-Plan=plan"), signed("/plan", Some("plan")));
        assert_eq!(claim("X-Plan=/a/b=c"), signed("/a/b=c", None));
        assert_eq!(claim("X-Plan=a/b~"), signed("/a~1b~0", None));
    }

    #[test]
    fn wrong_headers_are_refused() {
        for text in ["", "X-User-Id", "=/sub", "X-User-Id=", "X User=sub", "X-A=/a~2"] {
            assert!(text.parse::<IdentityHeader>().is_err(), "{text}");
        }
        for name in ["Content-Length", "transfer_encoding", "Cookie", "Authorization"] {
            let why = format!("{name}=sub").parse::<IdentityHeader>().unwrap_err();
            assert!(why.contains("reserved"), "{why}");
        }
    }

    #[test]
    fn names_that_cgi_cannot_tell_apart_are_the_same() {
        let header: IdentityHeader = "X-User_Id=sub".parse().unwrap();
        assert!(header.is_same_as(&HeaderName::from_static("x_user-id")));
        assert!(!header.is_same_as(&HeaderName::from_static("x-user")));
    }

    #[test]
    fn a_value_arrives_as_signed_or_not_at_all() {
        for text in ["user-1", "größer", "a\tb", "", "{\"a\":1}"] {
            assert_eq!(value(text).unwrap().as_bytes(), text.as_bytes());
        }
        for text in ["a\nb", "a\r\nX-Admin: 1", " a", "a ", "\t", "a\u{7f}", "\0"] {
            assert_eq!(value(text), Err(Unreadable), "{text:?}");
        }
    }

    #[test]
    fn json_loses_its_blanks_and_nothing_else() {
        let json = "{ \"a b\" :\t[ 1.50e+02 ,\n\"\\\" \\\\\" , \"\\\\\" ] }";
        assert_eq!(compact(json), r#"{"a b":[1.50e+02,"\" \\","\\"]}"#);
    }
}
