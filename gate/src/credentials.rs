//! The token of a request.

use std::borrow::Cow;

use hyper::HeaderMap;
use hyper::header::{self, HeaderName};

/// Where a request carries its token.
#[derive(Debug)]
pub(crate) struct Credentials {
    /// A header with the value `Bearer <token>`.
    pub(crate) header: HeaderName,
    /// A cookie that holds the token. The header takes precedence.
    pub(crate) cookie: Option<String>,
}

/// The credentials of a request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found<'a> {
    /// The value of the header.
    Header(Cow<'a, [u8]>),
    /// The value of the cookie.
    Cookie(Cow<'a, [u8]>),
    /// Neither, or blank values only.
    Nothing,
}

impl Credentials {
    /// Finds the token. Several values of the header, or of the cookie, are joined: the verifier
    /// refuses such a value, so that no proxy and backend can disagree about which of them counts.
    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap) -> Found<'a> {
        match joined(values(headers, &self.header)) {
            Some(value) if !is_blank(&value) => return Found::Header(value),
            _ => {}
        }
        let Some(name) = &self.cookie else { return Found::Nothing };
        let pairs =
            values(headers, &header::COOKIE).flat_map(|line| line.split(|byte| *byte == b';'));
        match joined(pairs.filter_map(|pair| cookie_value(pair, name.as_bytes()))) {
            Some(value) if !is_blank(&value) => Found::Cookie(value),
            _ => Found::Nothing,
        }
    }
}

fn values<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    headers.get_all(name).into_iter().map(|value| value.as_bytes())
}

/// One value as it is; several joined with `, ` (RFC 9110 §5.3).
fn joined<'a>(mut values: impl Iterator<Item = &'a [u8]>) -> Option<Cow<'a, [u8]>> {
    let mut all = Cow::Borrowed(values.next()?);
    for value in values {
        all.to_mut().extend_from_slice(b", ");
        all.to_mut().extend_from_slice(value);
    }
    Some(all)
}

/// The value of a cookie with this name, compared byte by byte. It may stand in quotes
/// (RFC 6265 §4.1.1).
fn cookie_value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let pair = pair.trim_ascii();
    let mut parts = pair.splitn(2, |byte| *byte == b'=');
    let (known, value) = (parts.next()?, parts.next()?.trim_ascii_start());
    let unquoted = || value.strip_prefix(b"\"")?.strip_suffix(b"\"");
    (known.trim_ascii_end() == name).then(|| unquoted().unwrap_or(value))
}

fn is_blank(value: &[u8]) -> bool {
    value.trim_ascii().is_empty()
}

/// Whether this can be the name of a header (RFC 9110 §5.1) or of a cookie (RFC 6265 §4.1.1): a
/// `token`.
pub(crate) fn is_token(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn find(lines: &[(&'static str, &'static [u8])]) -> Result<Vec<u8>, Option<Vec<u8>>> {
        let credentials =
            Credentials { header: header::AUTHORIZATION, cookie: Some("t".to_owned()) };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value).unwrap());
        }
        match credentials.find(&headers) {
            Found::Header(value) => Ok(value.into_owned()),
            Found::Cookie(value) => Err(Some(value.into_owned())),
            Found::Nothing => Err(None),
        }
    }

    #[test]
    fn the_header_comes_first_unless_it_is_blank() {
        let cookie: (_, &[u8]) = ("cookie", b"t=1");
        assert_eq!(find(&[("authorization", b"Bearer a"), cookie]), Ok(b"Bearer a".to_vec()));
        assert_eq!(find(&[("authorization", b" \t"), cookie]), Err(Some(b"1".to_vec())));
        assert_eq!(find(&[("authorization", b"\xff"), cookie]), Ok(b"\xff".to_vec()));
        assert_eq!(find(&[]), Err(None));
    }

    #[test]
    fn several_values_are_one() {
        let twice: [(_, &[u8]); 2] = [("authorization", b"Bearer a"), ("authorization", b"")];
        assert_eq!(find(&twice), Ok(b"Bearer a, ".to_vec()));
        let cookies: [(_, &[u8]); 2] = [("cookie", b"a=2; t=1"), ("cookie", b"t=2")];
        assert_eq!(find(&cookies), Err(Some(b"1, 2".to_vec())));
    }

    #[test]
    fn cookies_are_read_as_they_are_written() {
        for (line, wanted) in [
            ("t=\"1\"; u=2", Some("1")),
            (" t = 1 ", Some("1")),
            ("T=1; at=1; t", None),
            ("t=", None),
            ("t=a=b", Some("a=b")),
            ("t=\"", Some("\"")),
        ] {
            let found = find(&[("cookie", line.as_bytes())]);
            assert_eq!(found, Err(wanted.map(|text| text.as_bytes().to_vec())), "{line}");
        }
    }
}
