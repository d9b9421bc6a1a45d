//! What a verifier is told.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Millis};
use crate::error::{Error, Result, Status};
use crate::http::{Proxy, RootCertificates, Rules, check_url};
use crate::keys::{KeySet, Lifetimes};

/// Something an operator can ask of every token, beyond its being good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Requirement {
    /// `email_verified` is true.
    EmailVerified,
    /// `profile_complete` is not false.
    ProfileComplete,
    /// `impersonating` is not true.
    NotImpersonated,
}

/// How a [`Verifier`](super::Verifier) judges and where it gets its keys from.
#[derive(Clone, Debug)]
pub struct VerifierOptions {
    /// The keys given for the issuer the verifier is made for, then each further issuer.
    pub(super) keys: Option<GivenKeys>,
    pub(super) issuers: Vec<(String, Option<GivenKeys>)>,
    pub(super) audiences: Vec<String>,
    pub(super) leeway: i64,
    pub(crate) lifetimes: Lifetimes,
    pub(crate) timeout: Duration,
    pub(super) background: bool,
    pub(super) cache_bytes: usize,
    pub(crate) allow_http: bool,
    pub(crate) root_certificates: Option<RootCertificates>,
    pub(crate) proxy: Option<Proxy>,
    pub(super) requirements: Vec<Requirement>,
    pub(super) clock: Clock,
}

/// A key set given instead of fetched.
#[derive(Clone)]
pub(super) struct GivenKeys(pub(super) Arc<KeySet>);

impl std::fmt::Debug for GivenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

impl Default for VerifierOptions {
    fn default() -> Self {
        VerifierOptions {
            keys: None,
            issuers: Vec::new(),
            audiences: Vec::new(),
            leeway: 30,
            lifetimes: Lifetimes::default(),
            timeout: Duration::from_secs(5),
            background: true,
            cache_bytes: 8 * 1024 * 1024,
            allow_http: false,
            root_certificates: None,
            proxy: None,
            requirements: Vec::new(),
            clock: Clock::System,
        }
    }
}

impl VerifierOptions {
    /// The defaults: 30 s of leeway, no audience, keys fetched over https and kept as the issuer
    /// says, 8 MiB of verdicts.
    pub fn new() -> Self {
        VerifierOptions::default()
    }

    /// Trusts a further issuer. A token's `iss` picks among the configured ones, and its
    /// signature must then be that issuer's.
    pub fn add_issuer(&mut self, issuer: &str) -> Result<&mut Self> {
        // Whether plain http is allowed may be said later.
        let rules = Rules { name: "issuer", allow_http: true, status: Status::InvalidArgument };
        check_url(issuer, &rules)?;
        self.issuers.push((issuer.to_owned(), None));
        Ok(self)
    }

    /// Demands that `aud` names this audience, or another one added. Without any, `aud` is
    /// ignored.
    pub fn add_audience(&mut self, audience: &str) -> Result<&mut Self> {
        if audience.is_empty() {
            return Err(Error::argument("audience", "empty"));
        }
        self.audiences.push(audience.to_owned());
        Ok(self)
    }

    /// How many seconds the clocks of torii and of this host may differ: 0 to 300, 30 by default.
    pub fn set_leeway(&mut self, seconds: u32) -> Result<&mut Self> {
        self.leeway = i64::from(within("leeway", seconds, 0, 300, "not within 0 to 300 seconds")?);
        Ok(self)
    }

    /// Gives the keys of the issuer that was named last (with [`add_issuer`](Self::add_issuer),
    /// else of the one the verifier is made for) as a JWK Set. They are never fetched.
    pub fn set_jwks(&mut self, jwks: &[u8]) -> Result<&mut Self> {
        let set = KeySet::parse(jwks, None).map_err(|why| Error::argument("jwks", why))?;
        let keys = Some(GivenKeys(Arc::new(set)));
        match self.issuers.last_mut() {
            Some((_, given)) => *given = keys,
            None => self.keys = keys,
        }
        Ok(self)
    }

    /// How long keys last, whatever the issuer's `Cache-Control` says: 1 s to a day.
    pub fn set_key_lifetime(&mut self, seconds: u32) -> Result<&mut Self> {
        let why = "not within 1 to 86400 seconds";
        let seconds = within("key lifetime", seconds, 1, 86_400, why)?;
        self.lifetimes.fixed = Some(Millis::from(seconds) * 1_000);
        Ok(self)
    }

    /// How long keys stay in use after the last time they could be fetched: up to 30 days, a day
    /// by default. 0: not beyond their lifetime.
    pub fn set_max_stale(&mut self, seconds: u32) -> Result<&mut Self> {
        let why = "not within 0 to 2592000 seconds";
        let seconds = within("max stale", seconds, 0, 2_592_000, why)?;
        self.lifetimes.max_stale = Millis::from(seconds) * 1_000;
        Ok(self)
    }

    /// How long fetching keys may take in all: 100 to 60000 ms, 5000 by default.
    pub fn set_fetch_timeout_ms(&mut self, milliseconds: u32) -> Result<&mut Self> {
        let why = "not within 100 to 60000 milliseconds";
        let milliseconds = within("fetch timeout", milliseconds, 100, 60_000, why)?;
        self.timeout = Duration::from_millis(u64::from(milliseconds));
        Ok(self)
    }

    /// Whether a short-lived thread may fetch keys before they are needed; it may by default.
    pub fn set_background_refresh(&mut self, allowed: bool) -> &mut Self {
        self.background = allowed;
        self
    }

    /// How much memory verdicts on good tokens may take: 8 MiB by default, 0 for none.
    pub fn set_verdict_cache_bytes(&mut self, bytes: usize) -> &mut Self {
        self.cache_bytes = bytes;
        self
    }

    /// Allows plain `http` to hosts other than this one. Anyone on the way can then forge keys.
    pub fn set_allow_http(&mut self, allowed: bool) -> &mut Self {
        self.allow_http = allowed;
        self
    }

    /// Trusts the certificate root_certificates in this PEM file, as it is now, instead of the platform's.
    pub fn set_ca_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        self.root_certificates = Some(RootCertificates::read(path.as_ref())?);
        Ok(self)
    }

    /// Refuses, with [`Status::Policy`], good tokens that do not meet the requirement.
    pub fn require(&mut self, requirement: Requirement) -> &mut Self {
        if !self.requirements.contains(&requirement) {
            self.requirements.push(requirement);
        }
        self
    }

    /// Judges the time claims by this clock (Unix seconds) instead of the system's. It is asked
    /// on the calling thread, during the call.
    pub fn set_clock(&mut self, now: impl Fn() -> i64 + Send + Sync + 'static) -> &mut Self {
        self.clock = Clock::Custom(Arc::new(now));
        self
    }

    /// Judges the time claims by the system's clock, as by default.
    pub fn set_system_clock(&mut self) -> &mut Self {
        self.clock = Clock::System;
        self
    }
}

fn within(name: &'static str, value: u32, min: u32, max: u32, why: &'static str) -> Result<u32> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(Error::argument(name, why)) }
}
