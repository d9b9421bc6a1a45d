//! The one place that opens sockets: blocking requests over `ureq`, bounded in time and size.
//!
//! Nothing is taken from the environment, no redirect is followed, and a child made by `fork`
//! starts with no connection of its parent's.

mod url;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ureq::http;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};
use ureq::{Agent, Timeout};

pub(crate) use self::url::{Rules, check as check_url};
use crate::error::{Error, Result, Status};
use crate::fork::PerProcess;

/// How requests are made. Says nothing about any one request.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// Certificate authorities to trust instead of the platform's.
    pub(crate) authorities: Option<Authorities>,
    pub(crate) user_agent: String,
    /// How many connections to keep open between requests.
    pub(crate) idle_connections: usize,
}

/// Makes requests. Any number of threads may use one at once.
pub(crate) struct Http {
    agent: PerProcess<Agent>,
}

/// One request.
pub(crate) struct Request<'a> {
    pub(crate) url: &'a str,
    pub(crate) headers: &'a [(&'static str, &'a str)],
    /// For everything, from looking up the name to the last byte of the answer.
    pub(crate) timeout: Duration,
    /// The longest body that is read, in bytes.
    pub(crate) limit: usize,
}

/// An answer, whatever its status.
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: http::HeaderMap,
    pub(crate) body: Vec<u8>,
}

/// Why there is no answer. The texts name no URL and no header.
#[derive(Debug)]
pub(crate) enum Failure {
    Timeout,
    TooLarge,
    Transport(String),
}

impl Http {
    pub(crate) fn new(settings: Settings) -> Self {
        Http { agent: PerProcess::new(move || agent(&settings)) }
    }

    pub(crate) fn get(&self, request: &Request<'_>) -> std::result::Result<Answer, Failure> {
        let mut builder = self
            .agent
            .get()
            .get(request.url)
            .config()
            .timeout_global(Some(request.timeout))
            .build();
        for (name, value) in request.headers {
            builder = builder.header(*name, *value);
        }
        let answer = builder.call().map_err(|error| failure(&error))?;
        let (parts, body) = answer.into_parts();
        let body = body
            .into_with_config()
            .limit(request.limit as u64)
            .read_to_vec()
            .map_err(|error| failure(&error))?;
        Ok(Answer { status: parts.status.as_u16(), headers: parts.headers, body })
    }
}

impl Answer {
    /// A header's value, when it is text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

fn agent(settings: &Settings) -> Agent {
    let roots = match &settings.authorities {
        Some(Authorities(certificates)) => RootCerts::Specific(certificates.clone()),
        None => RootCerts::PlatformVerifier,
    };
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
        .root_certs(roots)
        .build();
    Agent::config_builder()
        .tls_config(tls)
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(settings.user_agent.as_str())
        .max_idle_connections(settings.idle_connections)
        .max_idle_connections_per_host(settings.idle_connections)
        .max_response_header_size(32 * 1024)
        .input_buffer_size(16 * 1024)
        .output_buffer_size(16 * 1024)
        .build()
        .new_agent()
}

fn failure(error: &ureq::Error) -> Failure {
    match error {
        ureq::Error::Timeout(Timeout::Global | Timeout::PerCall) => Failure::Timeout,
        ureq::Error::BodyExceedsLimit(_) => Failure::TooLarge,
        ureq::Error::BadUri(_) => Failure::Transport("the URL cannot be requested".to_owned()),
        other => Failure::Transport(chain(other)),
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

/// Certificate authorities from a PEM file.
#[derive(Clone)]
pub(crate) struct Authorities(Arc<Vec<Certificate<'static>>>);

impl Authorities {
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
        Ok(Authorities(Arc::new(certificates)))
    }
}
