//! Fetching an issuer's keys over HTTP.

use std::borrow::Cow;
use std::time::{Duration, Instant};

use super::cache_key::CacheKey;
use super::freshness::CacheHeaders;
use super::jwks::MAX_BODY;
use crate::http::{self, Failure, Fault, Http, Method, Proxy, Request, RootCertificates, Settings};

/// Where an issuer publishes its keys, below its own URL.
const JWKS_PATH: &str = "/_torii/.well-known/jwks.json";

/// Returns the key URL of an issuer, which is given without trailing slashes.
pub(crate) fn jwks_url(issuer: &str) -> String {
    format!("{issuer}{JWKS_PATH}")
}

/// Requests the keys within this time: a 304 if they still have this `ETag`.
pub(super) type Fetch =
    dyn Fn(Option<&str>, Duration) -> Result<JwksResponse<'static>, FetchError> + Send + Sync;

/// Why there is no response, for messages.
#[derive(Debug)]
pub(super) struct FetchError {
    pub(super) reason: String,
    /// Whether the timeout has passed.
    pub(super) timed_out: bool,
}

/// The issuer's response.
pub(crate) struct JwksResponse<'a> {
    pub(crate) status: u16,
    pub(crate) body: Cow<'a, [u8]>,
    pub(crate) etag: Option<Cow<'a, str>>,
    pub(crate) headers: CacheHeaders,
}

/// Fetches as this cache key says.
///
/// The client lives as long as the fetch: the next one is minutes away, and there may be many
/// issuers.
pub(super) fn over_http(
    key: &CacheKey,
    etag: Option<&str>,
    timeout: Duration,
) -> Result<JwksResponse<'static>, FetchError> {
    let start = Instant::now();
    let http = client(key.root_certificates.clone(), key.proxy.clone());
    let response = request(&http, &key.url, etag, timeout).map_err(|failure| FetchError {
        reason: reason(failure, timeout),
        timed_out: start.elapsed() >= timeout,
    })?;
    Ok(JwksResponse {
        status: response.status.as_u16(),
        etag: response.header("etag").map(|etag| etag.to_owned().into()),
        headers: cache_headers(&response),
        body: response.body.into(),
    })
}

/// Makes the HTTP client that requests keys.
pub(crate) fn client(root_certificates: Option<RootCertificates>, proxy: Option<Proxy>) -> Http {
    Http::new(Settings {
        root_certificates,
        proxy,
        user_agent: concat!("libtorii/", env!("CARGO_PKG_VERSION")).to_owned(),
        idle_connections: 0,
        ..Settings::default()
    })
}

/// Requests the keys once.
pub(crate) fn request(
    http: &Http,
    url: &str,
    etag: Option<&str>,
    timeout: Duration,
) -> Result<http::Answer, Failure> {
    let mut headers = vec![("accept", "application/json")];
    headers.extend(etag.map(|etag| ("if-none-match", etag)));
    http.send(&Request {
        method: Method::GET,
        url,
        headers: &headers,
        authorization: None,
        body: None,
        timeout,
        limit: MAX_BODY,
    })
}

/// Why there is no response, for messages.
pub(crate) fn reason(failure: Failure, timeout: Duration) -> String {
    match failure {
        Failure::Timeout | Failure::Body(_, Fault::Timeout) => {
            format!("no answer within {} ms", timeout.as_millis())
        }
        Failure::Body(_, Fault::TooLarge) => format!("an answer longer than {MAX_BODY} bytes"),
        Failure::Unsent(reason) | Failure::Lost(reason) | Failure::Body(_, Fault::Cut(reason)) => {
            reason
        }
    }
}

/// Returns the headers of the response that set its lifetime.
pub(crate) fn cache_headers(response: &http::Answer) -> CacheHeaders {
    CacheHeaders {
        max_age: response.joined_header("cache-control").as_deref().and_then(directive),
        age: response.header("age").and_then(|text| text.trim().parse().ok()),
    }
}

/// `max-age` of a `Cache-Control` header (RFC 9111 §5.2), 0 where storing is forbidden.
fn directive(cache_control: &str) -> Option<u64> {
    let mut age = None;
    for directive in cache_control.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(0),
            "max-age" => age = value.trim().trim_matches('"').parse().ok(),
            _ => {}
        }
    }
    age
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cache_control_is_read() {
        assert_eq!(directive("public, max-age=120"), Some(120));
        assert_eq!(directive("Max-Age=\"7\", must-revalidate"), Some(7));
        assert_eq!(directive("max-age=60, no-store"), Some(0));
        assert_eq!(directive("no-cache"), Some(0));
        assert_eq!(directive("max-age=x"), None);
        assert_eq!(directive("s-maxage=5"), None);
    }
}
