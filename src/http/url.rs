//! Checks of issuers and API URLs.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

use crate::error::{Error, Result, Status};

/// The longest URL, in bytes.
const MAX_LENGTH: usize = 2048;

/// How a URL is checked.
pub(crate) struct Rules {
    /// The name of the argument or option, for messages.
    pub(crate) name: &'static str,
    /// Whether plain `http` to other hosts is allowed.
    pub(crate) allow_http: bool,
    /// The status of an error.
    pub(crate) status: Status,
}

/// Checks a base URL and returns it as written, without trailing slashes.
pub(crate) fn check<'a>(text: &'a str, rules: &Rules) -> Result<&'a str> {
    let refuse = |why| Err(Error::fixed(rules.status, rules.name, why));
    if text.is_empty() {
        return refuse("empty");
    }
    if text.len() > MAX_LENGTH {
        return refuse("longer than 2048 bytes");
    }
    if text.contains('\0') {
        return refuse("holds U+0000");
    }
    // A parser would correct these, so that two texts would name one URL.
    if text.bytes().any(|byte| !byte.is_ascii_graphic() || b"\"<>\\^`{|}".contains(&byte)) {
        return refuse("holds a character that a URL cannot hold");
    }
    let Ok(url) = Url::parse(text) else {
        return refuse("not an absolute URL, as in https://acme.torii.so");
    };
    if !matches!(url.scheme(), "https" | "http") {
        return refuse("neither https nor http");
    }
    let (Some(_), Some(rest)) = (url.host(), text.split_once("://").map(|(_, rest)| rest)) else {
        return refuse("not an absolute URL, as in https://acme.torii.so");
    };
    if !url.username().is_empty() || url.password().is_some() || rest.contains('@') {
        return refuse("holds user information");
    }
    if text.contains('?') {
        return refuse("holds a query");
    }
    if text.contains('#') {
        return refuse("holds a fragment");
    }
    if rest.split('/').any(is_dots) {
        return refuse("holds a dot segment");
    }
    if url.scheme() == "http" && !rules.allow_http && !is_loopback(host(rest)) {
        return refuse("plain http to a host other than this one; use https");
    }
    Ok(text.trim_end_matches('/'))
}

/// Whether a URL parser takes the path segment for `.` or `..` (WHATWG URL).
pub(crate) fn is_dots(segment: &str) -> bool {
    matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// The host of a URL, as it is written behind `://`.
fn host(rest: &str) -> &str {
    let authority = rest.split('/').next().unwrap_or_default();
    match authority.rsplit_once(':') {
        // Not a colon within an IPv6 address.
        Some((host, port)) if !port.contains(']') => host,
        _ => authority,
    }
}

/// Whether the host is this one as it is written: `localhost`, an address in 127.0.0.0/8, `[::1]`.
///
/// Other spellings go to a resolver, which may answer anything: `127.0.0.1.`, `127.1`, `0x7f000001`.
pub(super) fn is_loopback(host: &str) -> bool {
    if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback());
    }
    // The parser takes four decimal numbers without leading zeros, and nothing else.
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, allow_http: bool) -> std::result::Result<&str, String> {
        let rules = Rules { name: "issuer", allow_http, status: Status::InvalidArgument };
        check(text, &rules).map_err(|error| {
            assert_eq!(error.status(), Status::InvalidArgument);
            error.to_string()
        })
    }

    #[test]
    fn only_trailing_slashes_are_removed() {
        for text in ["https://acme.torii.so", "https://acme.torii.so/", "https://acme.torii.so//"] {
            assert_eq!(checked(text, false), Ok("https://acme.torii.so"));
        }
        let text = "https://Auth.Example.com:8443/a%20b";
        assert_eq!(checked(text, false), Ok(text));
    }

    #[test]
    fn plain_http_is_for_loopback_hosts_only() {
        for text in [
            "http://localhost:8080",
            "http://LOCALHOST",
            "http://127.3.2.1/acme",
            "http://127.0.0.1:80",
            "http://[::1]:9",
            "http://[::1]",
            "http://[0:0:0:0:0:0:0:1]/a:b",
        ] {
            assert_eq!(checked(text, false), Ok(text));
        }
        for text in [
            "http://acme.torii.so",
            "http://localhost.evil.example",
            "http://0.0.0.0",
            // A resolver decides what these are.
            "http://127.0.0.1.",
            "http://127.0.0.1.:8080",
            "http://localhost.",
            "http://localhost.:8080",
            "http://127.1",
            "http://127.0.1",
            "http://2130706433",
            "http://0x7f000001",
            "http://0x7f.0.0.1",
            "http://0177.0.0.1",
            "http://127.0.0.01",
            "http://127.0.0.1.evil.example",
            "http://loc%61lhost",
            "http://[::ffff:127.0.0.1]",
            "http://[::]",
        ] {
            let message = checked(text, false).unwrap_err();
            assert_eq!(message, "issuer: plain http to a host other than this one; use https");
            assert_eq!(checked(text, true), Ok(text));
        }
    }

    #[test]
    fn errors_name_the_problem() {
        let long = format!("https://{}", "x".repeat(2041));
        for (text, why) in [
            ("", "empty"),
            (&*long, "longer than 2048 bytes"),
            ("acme.torii.so", "not an absolute URL, as in https://acme.torii.so"),
            ("https://", "not an absolute URL, as in https://acme.torii.so"),
            ("file:///etc/passwd", "neither https nor http"),
            ("https://a@acme.torii.so", "holds user information"),
            ("https://@acme.torii.so", "holds user information"),
            ("https://acme.torii.so?x", "holds a query"),
            ("https://acme.torii.so#x", "holds a fragment"),
            ("https://acme.torii.so/a/../b", "holds a dot segment"),
            ("https://acme.torii.so/a/.%2E/b", "holds a dot segment"),
            ("https://acme.torii.so/\u{0}", "holds U+0000"),
            (" https://acme.torii.so", "holds a character that a URL cannot hold"),
            ("https://acme.torii.so\\@evil", "holds a character that a URL cannot hold"),
            ("https://\u{e4}cme.torii.so", "holds a character that a URL cannot hold"),
        ] {
            assert_eq!(checked(text, true), Err(format!("issuer: {why}")), "{text:?}");
        }
    }
}
