//! Options of a client.

use std::path::Path;
use std::time::Duration;

use crate::error::{Error, Result, Status};
use crate::http::{Http, Proxy, RootCertificates, Rules, Settings, check_url};

/// How a [`Client`](super::Client) reaches the API.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    api_url: String,
    pub(crate) timeout: Duration,
    connect_timeout: Duration,
    pub(super) max_retries: u32,
    root_certificates: Option<RootCertificates>,
    proxy: Option<Proxy>,
    user_agent_suffix: String,
    allow_http: bool,
}

impl Default for ClientOptions {
    fn default() -> Self {
        ClientOptions {
            api_url: "https://api.torii.so".to_owned(),
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(5),
            max_retries: 2,
            root_certificates: None,
            proxy: None,
            user_agent_suffix: String::new(),
            allow_http: false,
        }
    }
}

impl ClientOptions {
    /// Creates options with the defaults: `https://api.torii.so`, a timeout of 30 s, of which 5 s for
    /// connecting, two retries, no proxy.
    pub fn new() -> Self {
        ClientOptions::default()
    }

    /// Sets the URL of the API. Plain `http` is for `localhost`, addresses in 127.0.0.0/8 and `[::1]`,
    /// unless [`set_allow_http`](Self::set_allow_http) allows it.
    pub fn set_api_url(&mut self, url: &str) -> Result<&mut Self> {
        // Plain http may still be allowed by a later call.
        let rules = Rules { name: "api_url", allow_http: true, status: Status::InvalidArgument };
        check_url(url, &rules)?;
        self.api_url = url.to_owned();
        Ok(self)
    }

    /// Sets the timeout of a call, with all retries and the backoff between them: 100 to 600000 ms,
    /// 30000 by default.
    pub fn set_timeout_ms(&mut self, milliseconds: u32) -> Result<&mut Self> {
        let why = "not within 100 to 600000 milliseconds";
        self.timeout = within("timeout", milliseconds, 600_000, why)?;
        Ok(self)
    }

    /// Sets the timeout of a connection, with name resolution and TLS: 100 to 60000 ms, 5000 by
    /// default.
    pub fn set_connect_timeout_ms(&mut self, milliseconds: u32) -> Result<&mut Self> {
        let why = "not within 100 to 60000 milliseconds";
        self.connect_timeout = within("connect timeout", milliseconds, 60_000, why)?;
        Ok(self)
    }

    /// Sets how often a call is retried: 0 to 10 times, 2 by default.
    pub fn set_max_retries(&mut self, retries: u32) -> Result<&mut Self> {
        if retries > 10 {
            return Err(Error::argument("max_retries", "not within 0 to 10"));
        }
        self.max_retries = retries;
        Ok(self)
    }

    /// Trusts the root certificates in this PEM file instead of the platform's. Reads it now.
    pub fn set_ca_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        self.root_certificates = Some(RootCertificates::read(path.as_ref())?);
        Ok(self)
    }

    /// Uses an `http` or `https` proxy, through CONNECT: `http://proxy.example:3128`, or
    /// `http://name:password@proxy.example:3128`. Requests to `localhost`, 127.0.0.0/8 and `[::1]` go
    /// direct: the proxy's own loopback interface is another host.
    pub fn set_proxy(&mut self, url: &str) -> Result<&mut Self> {
        self.proxy = Some(Proxy::parse(url)?);
        Ok(self)
    }

    /// Appends the program's name to `User-Agent`, as in `shop/1.2`. Up to 256 visible ASCII
    /// characters and blanks.
    pub fn set_user_agent_suffix(&mut self, suffix: &str) -> Result<&mut Self> {
        if !suffix.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            let why = "holds a character that is not visible ASCII";
            return Err(Error::argument("user_agent_suffix", why));
        }
        if suffix.len() > 256 {
            return Err(Error::argument("user_agent_suffix", "longer than 256 bytes"));
        }
        self.user_agent_suffix = suffix.trim().to_owned();
        Ok(self)
    }

    /// Allows plain `http` to other hosts. Anyone on the path then learns the secret key, the proxy
    /// included.
    pub fn set_allow_http(&mut self, allowed: bool) -> &mut Self {
        self.allow_http = allowed;
        self
    }

    /// The API's URL, checked, without trailing slashes.
    pub(super) fn base(&self) -> Result<&str> {
        let (allow_http, status) = (self.allow_http, Status::InvalidConfig);
        check_url(&self.api_url, &Rules { name: "api_url", allow_http, status })
    }

    pub(super) fn http(&self) -> Http {
        Http::new(Settings {
            root_certificates: self.root_certificates.clone(),
            proxy: self.proxy.clone(),
            user_agent: self.user_agent(),
            connect_timeout: Some(self.connect_timeout),
            idle_connections: 16,
        })
    }

    fn user_agent(&self) -> String {
        let name = concat!("libtorii/", env!("CARGO_PKG_VERSION"));
        format!("{name} {}", self.user_agent_suffix).trim_end().to_owned()
    }
}

fn within(name: &'static str, ms: u32, max: u32, why: &'static str) -> Result<Duration> {
    if (100..=max).contains(&ms) {
        Ok(Duration::from_millis(u64::from(ms)))
    } else {
        Err(Error::argument(name, why))
    }
}
