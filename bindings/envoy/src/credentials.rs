//! Where a request carries its token.

use std::borrow::Cow;

use crate::host::Host;

/// Where to look for a token.
#[derive(Debug)]
pub struct Credentials {
    /// A header with the value `Bearer <token>`, named in lower case.
    pub header: String,
    /// A cookie that holds the token. The header takes precedence.
    pub cookie: Option<String>,
}

/// The credentials of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<'a> {
    /// The value of the header.
    Header(Cow<'a, [u8]>),
    /// The value of the cookie.
    Cookie(Cow<'a, [u8]>),
    /// Neither, or blank values only.
    Nothing,
}

impl Credentials {
    /// Checks the names, and brings them to the form in which they are looked up.
    pub fn new(header: &str, cookie: Option<String>) -> Result<Self, String> {
        if !is_token(header) {
            return Err(format!("`header`: `{header}` is not a header name"));
        }
        // A cookie's name has the same characters (RFC 6265 §4.1.1).
        if let Some(name) = cookie.as_ref().filter(|name| !is_token(name)) {
            return Err(format!("`cookie`: `{name}` is not a cookie name"));
        }
        Ok(Credentials { header: header.to_ascii_lowercase(), cookie })
    }

    /// Finds the token of a request. Several values of the header, or of the cookie, are joined:
    /// the library refuses such a value, whichever of the tokens is meant.
    pub fn find<'a>(&self, host: &'a dyn Host) -> Found<'a> {
        match joined(values(host, &self.header), b", ") {
            Some(value) if !is_blank(&value) => return Found::Header(value),
            _ => {}
        }
        let Some(name) = &self.cookie else { return Found::Nothing };
        let pairs = values(host, "cookie").flat_map(|line| line.split(|byte| *byte == b';'));
        let cookies = pairs.filter_map(|pair| cookie_value(pair, name.as_bytes()));
        match joined(cookies, b", ") {
            Some(value) if !is_blank(&value) => Found::Cookie(value),
            _ => Found::Nothing,
        }
    }

    /// Removes the header and the cookie from a request.
    pub fn remove(&self, host: &mut dyn Host) {
        if host.header(&self.header, 0).is_some() {
            host.remove_header(self.header.as_bytes());
        }
        let Some(name) = &self.cookie else { return };
        let mut found = false;
        let mut rest: Vec<u8> = Vec::new();
        let lines = values(&*host, "cookie");
        for pair in lines.flat_map(|line| line.split(|byte| *byte == b';')) {
            if cookie_value(pair, name.as_bytes()).is_some() {
                found = true;
            } else if !is_blank(pair) {
                if !rest.is_empty() {
                    rest.extend_from_slice(b"; ");
                }
                rest.extend_from_slice(pair.trim_ascii());
            }
        }
        if found && rest.is_empty() {
            host.remove_header(b"cookie");
        } else if found {
            host.set_header("cookie", &rest);
        }
    }
}

/// The values of a header, in their order.
fn values<'a>(host: &'a dyn Host, name: &str) -> impl Iterator<Item = &'a [u8]> {
    (0..).map_while(move |index| Some(host.header(name, index)?.0))
}

/// One value as it is, several with the separator between them.
fn joined<'a>(
    mut values: impl Iterator<Item = &'a [u8]>,
    separator: &[u8],
) -> Option<Cow<'a, [u8]>> {
    let mut all = Cow::Borrowed(values.next()?);
    for value in values {
        all.to_mut().extend_from_slice(separator);
        all.to_mut().extend_from_slice(value);
    }
    Some(all)
}

/// The value of a cookie with this name; names are compared byte by byte.
fn cookie_value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut parts = pair.trim_ascii().splitn(2, |byte| *byte == b'=');
    let (known, value) = (parts.next()?, parts.next()?);
    (known.trim_ascii_end() == name).then(|| unquoted(value.trim_ascii_start()))
}

/// A cookie's value may stand in quotes (RFC 6265 §4.1.1).
fn unquoted(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value)
}

fn is_blank(value: &[u8]) -> bool {
    value.trim_ascii().is_empty()
}

/// Whether this can be the name of a header (RFC 9110 §5.1): a `token`.
pub fn is_token(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}
