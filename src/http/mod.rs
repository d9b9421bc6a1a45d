//! The one place that opens sockets: blocking requests over `ureq`, bounded in time and size.
//!
//! Nothing is taken from the environment, no redirect is followed, and a child made by `fork`
//! starts with no connection of its parent's.

mod lookup;
mod sent;
mod url;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::unversioned::transport::DefaultConnector;
use ureq::{Agent, AsSendBody, Timeout};

pub(crate) use self::url::{Rules, check as check_url, is_dots};
use crate::crypto;
use crate::error::{Error, Result, Status};
use crate::fork::{ForkLocal, without_fork};
pub(crate) use ureq::http::{HeaderValue, Method, StatusCode};

/// How long a connection may lie idle and still be used. Servers and what stands before them close
/// an idle connection after a minute or so, and what is sent at that moment is lost without a word.
const MAX_IDLE: Duration = Duration::from_secs(10);

/// How requests are made. Says nothing about any one request.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// Certificate root_certificates to trust instead of the platform's.
    pub(crate) root_certificates: Option<RootCertificates>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) user_agent: String,
    /// For looking up the name, and for the connection; without it as long as the request may take.
    pub(crate) connect_timeout: Option<Duration>,
    /// How many connections to keep open between requests.
    pub(crate) idle_connections: usize,
}

/// Makes requests. Any number of threads may use one at once.
pub(crate) struct Http {
    agent: ForkLocal<Agent>,
}

/// One request.
pub(crate) struct Request<'a> {
    pub(crate) method: Method,
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// Apart from the other headers, because it must not be copied.
    pub(crate) authorization: Option<&'a HeaderValue>,
    pub(crate) body: Option<&'a str>,
    /// For everything, from looking up the name to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// The longest body that is read, in bytes.
    pub(crate) limit: usize,
}

/// An answer, whatever its status.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. The texts name no URL and no header.
#[derive(Debug)]
pub(crate) enum Failure {
    /// There is no connection: nothing was sent.
    Unsent(String),
    /// The time is up.
    Timeout,
    /// The connection was lost before the answer, or what came is no answer.
    Lost(String),
    /// The answer came, but not its body; that of the answer is empty.
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

    /// Makes a request. A connection that lies idle is used again if it is young and the server has
    /// not closed it yet; a request that crosses with the closing is [`Failure::Lost`].
    pub(crate) fn send(&self, request: &Request<'_>) -> std::result::Result<Answer, Failure> {
        prepare_ureq();
        // A refused certificate reaches aws-lc's error queue.
        crypto::with_thread_state(|| ());
        let (outcome, sent) = sent::watch(|| match (request.body, &request.method) {
            (Some(body), _) => self.answer_to(request, body.as_bytes()),
            // These have a body, if an empty one.
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
    /// A header's value, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn agent(settings: &Settings) -> Agent {
    let roots = match &settings.root_certificates {
        Some(RootCertificates(certificates)) => RootCerts::Specific(certificates.clone()),
        None => RootCerts::PlatformVerifier,
    };
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(crypto::tls_provider())
        .root_certs(roots)
        .build();
    let config = Agent::config_builder()
        .tls_config(tls)
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
    Agent::with_parts(config, sent::WatchingConnector::default(), lookup::Later)
}

/// Has `ureq` make its static values while no thread can fork. A child would wait for ever for a
/// thread that was making one.
fn prepare_ureq() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if DONE.load(Ordering::Acquire) {
        return;
    }
    without_fork(|| {
        // They are made before a request connects, and this one finds no address.
        let config = Agent::config_builder().proxy(None).build();
        let nowhere = Agent::with_parts(config, DefaultConnector::default(), lookup::Later);
        drop(nowhere.get("http://127.0.0.1/").call());
        DONE.store(true, Ordering::Release);
    });
}

fn failure(error: &ureq::Error, sent: bool) -> Failure {
    match error {
        ureq::Error::Timeout(Timeout::Global | Timeout::PerCall) => Failure::Timeout,
        ureq::Error::BadUri(_) => Failure::Unsent("the URL cannot be requested".to_owned()),
        ureq::Error::Timeout(_) if !sent => Failure::Unsent("it takes too long".to_owned()),
        other if sent => Failure::Lost(chain(other)),
        other => Failure::Unsent(chain(other)),
    }
}

fn fault(error: &ureq::Error) -> Fault {
    match error {
        ureq::Error::Timeout(_) => Fault::Timeout,
        ureq::Error::BodyExceedsLimit(_) => Fault::TooLarge,
        other => Fault::Cut(chain(other)),
    }
}

/// An error and what caused it, in one line.
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

/// A proxy to go through. Shows neither name nor password.
#[derive(Clone)]
pub(crate) struct Proxy(ureq::Proxy);

impl Proxy {
    /// Reads the URL of an `http` or `https` proxy, which may hold a name and a password.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let refuse = Error::argument("proxy", "not a URL, as in http://proxy.example:3128");
        let known = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
        let visible = url.bytes().all(|byte| byte.is_ascii_graphic());
        match ureq::Proxy::new(url) {
            Ok(proxy) if known && visible && !proxy.host().is_empty() => Ok(Proxy(proxy)),
            _ => Err(refuse),
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.host(), self.0.port())
    }
}

/// Certificate root_certificates from a PEM file. Equal are those that trust the same.
#[derive(Clone)]
pub(crate) struct RootCertificates(Arc<Vec<Certificate<'static>>>);

impl PartialEq for RootCertificates {
    fn eq(&self, other: &Self) -> bool {
        self.der().eq(other.der())
    }
}

impl Eq for RootCertificates {}

impl Hash for RootCertificates {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.der().for_each(|der| der.hash(state));
    }
}

impl fmt::Debug for RootCertificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} certificates", self.0.len())
    }
}

impl RootCertificates {
    /// Reads every certificate in the file, which has to hold at least one.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let refuse = |why: &str| {
            let name = path.display();
            Error::text(Status::InvalidConfig, format!("CA file `{name}`: {why}"))
        };
        let pem = std::fs::read(path).map_err(|error| refuse(&error.to_string()))?;
        let mut certificates = Vec::new();
        for item in parse_pem(&pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|_| refuse("not PEM"))? {
                certificates.push(certificate);
            }
        }
        if certificates.is_empty() {
            return Err(refuse("no certificate in it"));
        }
        Ok(RootCertificates(Arc::new(certificates)))
    }

    fn der(&self) -> impl Iterator<Item = &[u8]> {
        self.0.iter().map(Certificate::der)
    }
}
