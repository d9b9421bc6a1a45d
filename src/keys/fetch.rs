//! Asking an issuer for its keys over HTTP.

use std::time::Duration;

use super::jwks::MAX_BODY;
use crate::http::{self, Failure, Fault, Http, Method, Request, RootCertificates, Settings};

/// Asks for the keys, unless they still are those with this entity tag, and takes no longer than
/// this. An error is the reason, for people.
pub(crate) type Fetch = dyn Fn(Option<&str>, Duration) -> Result<Reply, String> + Send + Sync;

/// What came back from the issuer.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
    pub(crate) etag: Option<String>,
    pub(crate) max_age: Option<u64>,
}

/// A [`Reply`], borrowed from whoever has it.
pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
    pub(crate) etag: Option<&'a str>,
    /// `max-age` of `Cache-Control`, in seconds.
    pub(crate) max_age: Option<u64>,
}

impl Reply {
    pub(crate) fn answer(&self) -> Answer<'_> {
        Answer {
            status: self.status,
            body: &self.body,
            etag: self.etag.as_deref(),
            max_age: self.max_age,
        }
    }
}

/// Fetches from this URL, trusting these root_certificates or else the platform's.
pub(super) fn over_http(url: &str, root_certificates: Option<RootCertificates>) -> Box<Fetch> {
    let (http, url) = (client(root_certificates), url.to_owned());
    Box::new(move |etag, timeout| {
        let answer = ask(&http, &url, etag, timeout).map_err(|failure| reason(failure, timeout))?;
        Ok(Reply {
            status: answer.status.as_u16(),
            etag: answer.header("etag").map(str::to_owned),
            max_age: max_age(&answer),
            body: answer.body,
        })
    })
}

/// What keys are asked for with.
pub(crate) fn client(root_certificates: Option<RootCertificates>) -> Http {
    Http::new(Settings {
        root_certificates,
        user_agent: concat!("libtorii/", env!("CARGO_PKG_VERSION")).to_owned(),
        // The next fetch is minutes away.
        idle_connections: 0,
        ..Settings::default()
    })
}

/// Asks for the keys once.
pub(crate) fn ask(
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

/// Why there are no keys, for people.
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

/// `max-age` of the answer's `Cache-Control` header, in seconds.
pub(crate) fn max_age(answer: &http::Answer) -> Option<u64> {
    answer.header("cache-control").and_then(directive)
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
