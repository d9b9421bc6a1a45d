//! What a client is told.

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
    /// The defaults: `https://api.torii.so`, 30 s for a call, 5 s of these for connecting, two
    /// repetitions, no proxy.
    pub fn new() -> Self {
        ClientOptions::default()
    }

    /// Where the API is.
    pub fn set_api_url(&mut self, url: &str) -> Result<&mut Self> {
        // Whether plain http is allowed may be said later.
        let rules = Rules { name: "api_url", allow_http: true, status: Status::InvalidArgument };
        check_url(url, &rules)?;
        self.api_url = url.to_owned();
        Ok(self)
    }

    /// How long a call may take in all, with every repetition and the pauses between: 100 to 600000
    /// ms, 30000 by default.
    pub fn set_timeout_ms(&mut self, milliseconds: u32) -> Result<&mut Self> {
        let why = "not within 100 to 600000 milliseconds";
        self.timeout = within("timeout", milliseconds, 600_000, why)?;
        Ok(self)
    }

    /// How long looking up the API's name may take, and connecting to it: 100 to 60000 ms, 5000 by
    /// default.
    pub fn set_connect_timeout_ms(&mut self, milliseconds: u32) -> Result<&mut Self> {
        let why = "not within 100 to 60000 milliseconds";
        self.connect_timeout = within("connect timeout", milliseconds, 60_000, why)?;
        Ok(self)
    }

    /// How often a call that may be repeated is repeated: 0 to 10 times, 2 by default.
    pub fn set_max_retries(&mut self, retries: u32) -> Result<&mut Self> {
        if retries > 10 {
            return Err(Error::argument("max_retries", "not within 0 to 10"));
        }
        self.max_retries = retries;
        Ok(self)
    }

    /// Trusts the certificate root_certificates in this PEM file instead of the platform's.
    pub fn set_ca_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        self.root_certificates = Some(RootCertificates::read(path.as_ref())?);
        Ok(self)
    }

    /// Goes through an `http` or `https` proxy, with CONNECT: `http://proxy.example:3128`, or
    /// `http://name:password@proxy.example:3128`.
    pub fn set_proxy(&mut self, url: &str) -> Result<&mut Self> {
        self.proxy = Some(Proxy::parse(url)?);
        Ok(self)
    }

    /// Names the program as well in `User-Agent`, as in `shop/1.2`. Up to 256 visible ASCII
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

    /// Allows plain `http` to hosts other than this one. Anyone on the way then learns the secret
    /// key.
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
