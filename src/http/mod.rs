//! The one place that opens sockets: blocking requests over `ureq`, bounded in time and size.
//!
//! Redirects are not followed, and a child made by `fork` starts without its parent's connections.
//! For TLS, only `SSL_CERT_FILE` and `SSL_CERT_DIR` of the environment matter, as for OpenSSL.

mod connect;
mod roots;
mod sent;
mod tls;
mod url;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::url::Url;
use ureq::http;
use ureq::{Agent, AsSendBody, Timeout};

use self::connect::{NoResolver, ResolvingConnector};
pub(crate) use self::roots::RootCertificates;
use self::sent::RequestConnector;
use self::tls::TlsConnector;
pub(crate) use self::url::{Rules, check as check_url, is_dots};
use crate::crypto;
use crate::error::{Error, Result};
use crate::fork::{ForkLocal, without_fork};
pub(crate) use ureq::http::{HeaderValue, Method, StatusCode};

/// How long a connection may be idle before it is closed. Servers and load balancers close idle
/// connections after about a minute, and a request sent at that moment is lost.
const MAX_IDLE: Duration = Duration::from_secs(10);

/// Settings shared by all requests.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// Trusted instead of the platform's.
    pub(crate) root_certificates: Option<RootCertificates>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) user_agent: String,
    /// For name resolution, the connection and TLS; without it the timeout of the request.
    pub(crate) connect_timeout: Option<Duration>,
    /// How many idle connections are kept open.
    pub(crate) idle_connections: usize,
}

/// An HTTP client. Any number of threads may use one at once.
pub(crate) struct Http {
    agent: ForkLocal<Agent>,
}

/// One request.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// Separate from the other headers, because it must not be copied.
    pub(crate) authorization: Option<&'a HeaderValue>,
    pub(crate) body: Option<&'a str>,
    /// For everything, from name resolution to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// The longest body that is accepted, in bytes.
    pub(crate) limit: usize,
}

/// An answer of any status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. The texts name no URL and no header.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Nothing of the request was sent, mostly because there is no connection.
    Unsent(String),
    /// The timeout passed after a part of the request was sent.
    Timeout,
    /// The connection was lost before the answer, or the answer is not HTTP.
    Lost(String),
    /// The status and headers came, but not the body, which is empty here.
    Body(Box<Answer>, Fault),
}

/// Why there is no body.
#[derive(Debug)]
pub(crate) enum Fault {
    Timeout,
    TooLarge,
    Cut(String),
}

impl Http {
    pub(crate) fn new(settings: Settings) -> Self {
        Http { agent: ForkLocal::new(move || agent(&settings)) }
    }

    /// Makes a request, over an idle connection if the server has not closed it. A request sent while
    /// the server closes the connection is [`Failure::Lost`].
    pub(crate) fn send(&self, request: &Request<'_>) -> std::result::Result<Answer, Failure> {
        prepare_ureq();
        // A refused certificate reaches aws-lc's error queue.
        crypto::with_thread_state(|| ());
        let (outcome, sent) = sent::watch(|| match (request.body, &request.method) {
            (Some(body), _) => self.answer_to(request, body.as_bytes()),
            // These methods have a body, if an empty one.
            (None, &Method::POST | &Method::PUT | &Method::PATCH) => {
                self.answer_to(request, [].as_slice())
            }
            (None, _) => self.answer_to(request, ()),
        });
        let (parts, body) = outcome.map_err(|error| failure(&error, sent))?.into_parts();
        let mut answer = Answer { status: parts.status, headers: parts.headers, body: Vec::new() };
        match body.into_with_config().limit(request.limit as u64).read_to_vec() {
            Ok(body) => {
                answer.body = body;
                Ok(answer)
            }
            Err(error) => Err(Failure::Body(Box::new(answer), fault(&error))),
        }
    }

    fn answer_to(
        &self,
        request: &Request<'_>,
        body: impl AsSendBody,
    ) -> std::result::Result<http::Response<ureq::Body>, ureq::Error> {
        let mut builder = http::Request::builder().method(&request.method).uri(request.url);
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        if let Some(value) = request.authorization {
            builder = builder.header(http::header::AUTHORIZATION, value.clone());
        }
        let agent = self.agent.get();
        let message = builder.body(body)?;
        let configured = agent.configure_request(message);
        agent.run(configured.timeout_global(Some(request.timeout)).build())
    }
}

impl Answer {
    /// The value of a header, if it is visible ASCII.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The values of a header that is a list, which may come in several lines (RFC 9110 §5.3).
    pub(crate) fn joined_header(&self, name: &str) -> Option<String> {
        let lines = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        Some(lines.collect::<Vec<_>>().join(", ")).filter(|values| !values.is_empty())
    }
}

fn agent(settings: &Settings) -> Agent {
    let config = Agent::config_builder()
        // Set even if there is none: the default comes from the environment.
        .proxy(settings.proxy.as_ref().map(|proxy| proxy.0.clone()))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(settings.user_agent.as_str())
        .timeout_connect(settings.connect_timeout)
        .max_idle_age(MAX_IDLE)
        .max_idle_connections(settings.idle_connections)
        .max_idle_connections_per_host(settings.idle_connections)
        .max_response_header_size(32 * 1024)
        .input_buffer_size(16 * 1024)
        .output_buffer_size(16 * 1024)
        .build();
    let tls = TlsConnector::new(settings.root_certificates.clone());
    Agent::with_parts(config, RequestConnector(ResolvingConnector::new(tls)), NoResolver)
}

/// Has `ureq` make its static values while no thread can fork. A child would wait forever for a
/// thread that was making one.
fn prepare_ureq() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Ordering::Acquire) {
        return;
    }
    without_fork(|| {
        // They are made before a request connects, and this one has no connector.
        let config = Agent::config_builder().proxy(None).build();
        let nowhere = Agent::with_parts(config, (), NoResolver);
        drop(nowhere.get("http://127.0.0.1/").call());
        DONE.store(true, Ordering::Release);
    });
}

fn failure(error: &ureq::Error, sent: bool) -> Failure {
    match error {
        ureq::Error::BadUri(_) => Failure::Unsent("the URL cannot be requested".to_owned()),
        ureq::Error::Timeout(_) if !sent => Failure::Unsent("timed out".to_owned()),
        ureq::Error::Timeout(Timeout::Global | Timeout::PerCall) => Failure::Timeout,
        other if sent => Failure::Lost(reason(other)),
        other => Failure::Unsent(reason(other)),
    }
}

fn fault(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(_) => Fault::Timeout,
        ureq::Error::BodyExceedsLimit(_) => Fault::TooLarge,
        other => Fault::Cut(reason(other)),
    }
}

fn reason(error: &ureq::Error) -> String {
    match error {
        // Without the prefix `io: `.
        ureq::Error::Io(error) => chain(error),
        other => chain(other),
    }
}

/// An error and its causes, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text.retain(|c| !c.is_control());
    text
}

/// A proxy, used through CONNECT for every host but `localhost` and loopback addresses. Its `Debug`
/// shows neither name nor password.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Proxy(ureq::Proxy);

impl Proxy {
    /// Reads the URL of an `http` or `https` proxy, which may hold a name and a password.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let refuse = Error::argument("proxy", "not a URL, as in http://proxy.example:3128");
        let known = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        let visible = url.bytes().all(|byte| byte.is_ascii_graphic());
        match ureq::Proxy::new(url) {
            // `ureq` takes a port beyond 65535 for the scheme's own.
            Ok(proxy)
                if known && visible && !proxy.host().is_empty() && Url::parse(url).is_ok() =>
            {
                Ok(Proxy(proxy))
            }
            _ => Err(refuse),
        }
    }
}

impl Proxy {
    /// The URL without the password.
    pub(crate) fn without_password(&self) -> String {
        let proxy = &self.0;
        let scheme = proxy.uri().scheme_str().unwrap_or_default();
        let name = proxy.username().unwrap_or_default();
        format!("{scheme}://{name}@{}:{}", proxy.host(), proxy.port())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.host(), self.0.port())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_proxy_is_known_by_its_text() {
        let proxy = |text| Proxy::parse(text).unwrap();
        let first = proxy("http://ada:Secret@proxy.example:3128");
        assert_eq!(first, first.clone());
        assert_eq!(first, proxy("http://ada:Secret@proxy.example:3128"));
        let others = [
            "http://ada:secret@proxy.example:3128",
            "http://Ada:Secret@proxy.example:3128",
            "http://proxy.example:3128",
            "http://ada:Secret@proxy.example:3129",
            "http://ada:Secret@proxy2.example:3128",
            "https://ada:Secret@proxy.example:3128",
        ];
        let set: HashSet<_> = others.into_iter().map(proxy).chain([first.clone(), first]).collect();
        assert_eq!(set.len(), others.len() + 1);
    }

    #[test]
    fn a_proxy_has_a_scheme_and_a_host() {
        let port = "http://proxy.example:65536";
        for text in
            ["", "proxy.example", "socks5://p:1", "http://", "http:// x", "http://\u{e4}", port]
        {
            let error = Proxy::parse(text).unwrap_err();
            assert!(error.to_string().starts_with("proxy: "), "{text}: {error}");
        }
    }
}
