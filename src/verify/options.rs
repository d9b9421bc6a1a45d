//! The options of a verifier.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::requirements::Requirements;
use crate::clock::{Clock, Millis};
use crate::error::{Challenge, Error, Result, Status};
use crate::http::{Proxy, RootCertificates, Rules, check_url};
use crate::keys::{KeySet, Lifetimes};
use crate::token::Audience;

/// How a [`Verifier`](super::Verifier) verifies, and where it gets its keys from.
#[derive(Clone, Debug)]
pub struct VerifierOptions {
    /// The keys given for the issuer the verifier is made for, then each further issuer.
    pub(super) keys: Option<GivenKeys>,
    pub(super) issuers: Vec<(String, Option<GivenKeys>)>,
    audiences: Vec<String>,
    ignore_audience: bool,
    pub(super) leeway: i64,
    pub(crate) lifetimes: Lifetimes,
    /// In seconds; 0 for no limit.
    pub(super) max_lifetime: i64,
    pub(super) legacy_organization: bool,
    requirements: Requirements,
    /// Flags of [`require`](Self::require), kept when the requirements are replaced.
    required_flags: Requirements,
    challenge: Challenge,
    pub(crate) timeout: Duration,
    pub(super) background: bool,
    pub(super) cache_bytes: usize,
    pub(super) fixed_base: bool,
    pub(crate) key_cache_dir: Option<PathBuf>,
    pub(super) revocations_file: Option<PathBuf>,
    pub(super) metrics_issuer_label: bool,
    pub(crate) allow_http: bool,
    pub(crate) root_certificates: Option<RootCertificates>,
    pub(crate) proxy: Option<Proxy>,
    pub(super) clock: Clock,
}

/// A key set given instead of fetched.
#[derive(Clone)]
pub(super) struct GivenKeys(pub(super) Arc<KeySet>);

impl GivenKeys {
    fn parse(jwks: &[u8]) -> Result<Self> {
        let set = KeySet::parse(jwks, None).map_err(|why| Error::argument("jwks", why))?;
        Ok(GivenKeys(Arc::new(set)))
    }
}

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
            ignore_audience: false,
            leeway: 30,
            lifetimes: Lifetimes::default(),
            max_lifetime: 0,
            legacy_organization: false,
            requirements: Requirements::new(),
            required_flags: Requirements::new(),
            challenge: Challenge::default(),
            timeout: Duration::from_secs(5),
            background: true,
            cache_bytes: 8 * 1024 * 1024,
            fixed_base: false,
            key_cache_dir: None,
            revocations_file: None,
            metrics_issuer_label: false,
            allow_http: false,
            root_certificates: None,
            proxy: None,
            clock: Clock::System,
        }
    }
}

impl VerifierOptions {
    /// Returns the defaults: 30 s of leeway, no audience, keys fetched over https and kept as long
    /// as the issuer says, a token cache of 8 MiB.
    pub fn new() -> Self {
        VerifierOptions::default()
    }

    /// Trusts a further issuer. A token's `iss` picks one of the configured issuers, and its
    /// signature must then be that issuer's.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `issuer` is not a valid base URL.
    pub fn add_issuer(&mut self, issuer: &str) -> Result<&mut Self> {
        self.further_issuer(issuer, || Ok(None))
    }

    /// Trusts a further issuer with these keys, a JWK Set (RFC 7517 §5). They are never fetched.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `issuer` is not a valid base URL, or the set has no usable
    /// key.
    pub fn add_issuer_jwks(&mut self, issuer: &str, jwks: &[u8]) -> Result<&mut Self> {
        self.further_issuer(issuer, || Ok(Some(GivenKeys::parse(jwks)?)))
    }

    fn further_issuer(
        &mut self,
        issuer: &str,
        keys: impl FnOnce() -> Result<Option<GivenKeys>>,
    ) -> Result<&mut Self> {
        // Whether plain http is allowed may be said later.
        let rules = Rules { name: "issuer", allow_http: true, status: Status::InvalidArgument };
        check_url(issuer, &rules)?;
        self.issuers.push((issuer.to_owned(), keys()?));
        Ok(self)
    }

    /// Sets the keys of the issuer the verifier is made for, a JWK Set (RFC 7517 §5). They are
    /// never fetched.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if the set has no usable key.
    pub fn set_jwks(&mut self, jwks: &[u8]) -> Result<&mut Self> {
        self.keys = Some(GivenKeys::parse(jwks)?);
        Ok(self)
    }

    /// Accepts only tokens whose `aud` (RFC 7519 §4.1.3) names this audience, or another one added.
    ///
    /// Without any, a token that has `aud` is refused with [`Status::TokenAudience`].
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `audience` is empty.
    pub fn add_audience(&mut self, audience: &str) -> Result<&mut Self> {
        if audience.is_empty() {
            return Err(Error::argument("audience", "empty"));
        }
        self.audiences.push(audience.to_owned());
        Ok(self)
    }

    /// Sets whether `aud` is ignored; false by default. A token issued for another service is then
    /// accepted. Cannot be combined with audiences.
    pub fn set_ignore_audience(&mut self, ignore: bool) -> &mut Self {
        self.ignore_audience = ignore;
        self
    }

    /// Sets how many seconds the clocks of torii and of this host may differ: 0 to 300, 30 by
    /// default.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] out of range.
    pub fn set_leeway_seconds(&mut self, seconds: u32) -> Result<&mut Self> {
        self.leeway = i64::from(within("leeway", seconds, 0, 300, "not within 0 to 300 seconds")?);
        Ok(self)
    }

    /// Sets the longest time from `iat` to `exp`, in seconds: a token that lives longer is refused
    /// with [`Status::TokenLifetime`]. 0, the default: no limit.
    pub fn set_max_lifetime_seconds(&mut self, seconds: u32) -> &mut Self {
        self.max_lifetime = i64::from(seconds);
        self
    }

    /// Adds flags to the requirements for every login: a combination of the `REQUIRE_` constants.
    /// They stay when [`set_requirements`](Self::set_requirements) is called.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `flags` is 0 or has an unknown bit.
    pub fn require(&mut self, flags: u32) -> Result<&mut Self> {
        self.required_flags.add_flags(flags)?;
        Ok(self)
    }

    /// Sets the requirements for every login, in place of those of an earlier call.
    pub fn set_requirements(&mut self, requirements: &Requirements) -> &mut Self {
        self.requirements = requirements.clone();
        self
    }

    /// Sets whether `org_id` and `org_role`, the names that older tokens use, are read; false by
    /// default. A JWT template can fill them, even from what a user wrote.
    pub fn set_legacy_organization(&mut self, read: bool) -> &mut Self {
        self.legacy_organization = read;
        self
    }

    /// Sets the `realm` of the `WWW-Authenticate` challenge (RFC 6750 §3).
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `realm` is empty, or has other characters than blanks and
    /// visible ASCII without quotes and backslashes.
    pub fn set_realm(&mut self, realm: &str) -> Result<&mut Self> {
        self.challenge.realm = Some(quotable("realm", realm, " ")?);
        Ok(self)
    }

    /// Sets the `resource_metadata` parameter of the challenge (RFC 9728 §5.1).
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `url` is empty, or has other characters than visible ASCII
    /// without quotes and backslashes.
    pub fn set_resource_metadata(&mut self, url: &str) -> Result<&mut Self> {
        self.challenge.resource_metadata = Some(quotable("resource_metadata", url, "")?);
        Ok(self)
    }

    /// Sets the lifetime of keys, regardless of the issuer's `Cache-Control`: 1 to 86400 seconds.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] out of range.
    pub fn set_key_lifetime_seconds(&mut self, seconds: u32) -> Result<&mut Self> {
        let why = "not within 1 to 86400 seconds";
        let seconds = within("key lifetime", seconds, 1, 86_400, why)?;
        self.lifetimes.fixed = Some(Millis::from(seconds) * 1_000);
        Ok(self)
    }

    /// Sets how long keys stay in use after they were last fetched: 0 to 2592000 seconds, 86400 by
    /// default. 0: not beyond their lifetime.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] out of range.
    pub fn set_max_stale_seconds(&mut self, seconds: u32) -> Result<&mut Self> {
        let why = "not within 0 to 2592000 seconds";
        let seconds = within("max stale", seconds, 0, 2_592_000, why)?;
        self.lifetimes.max_stale = Millis::from(seconds) * 1_000;
        Ok(self)
    }

    /// Sets how long fetching keys may take in all: 100 to 60000 ms, 5000 by default.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] out of range.
    pub fn set_fetch_timeout_ms(&mut self, milliseconds: u32) -> Result<&mut Self> {
        let why = "not within 100 to 60000 milliseconds";
        let milliseconds = within("fetch timeout", milliseconds, 100, 60_000, why)?;
        self.timeout = Duration::from_millis(u64::from(milliseconds));
        Ok(self)
    }

    /// Sets whether a short-lived thread may fetch keys before they are needed; true by default.
    pub fn set_background_refresh(&mut self, allowed: bool) -> &mut Self {
        self.background = allowed;
        self
    }

    /// Sets how much memory the cache of verified tokens may take: 8 MiB by default, 0 for none.
    pub fn set_token_cache_bytes(&mut self, bytes: usize) -> &mut Self {
        self.cache_bytes = bytes;
        self
    }

    /// Sets whether tokens are verified with a table of multiples of each key, which takes less than
    /// half of the time; false by default.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`] with the feature `fips`.
    pub fn set_fixed_base(&mut self, on: bool) -> Result<&mut Self> {
        if on && cfg!(feature = "fips") {
            let why = "not available with the feature fips";
            return Err(Error::fixed(Status::InvalidConfig, "fixed_base", why));
        }
        self.fixed_base = on;
        Ok(self)
    }

    /// Keeps the key sets that the library fetches in this directory, so that the next process starts
    /// without a fetch, even while the issuer is unreachable.
    ///
    /// [`Verifier::new`](super::Verifier::new) creates the directory if it is missing (mode 0700) and
    /// reads its files; the thread that fetches keys writes them. Keys from a file age as if this process
    /// had fetched them. Past their lifetime they are used only after a fetch has failed in this
    /// process, and never beyond the [maximum staleness](Self::set_max_stale_seconds).
    ///
    /// Anyone who can write there can log in as any user: use one directory for each trust domain. A
    /// directory or file is ignored, and counted in the statistics, unless the effective user or root
    /// owns it and no other user can write to it. Of `path`, only the last component is checked.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `path` is empty.
    pub fn set_key_cache_dir(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        self.key_cache_dir = Some(not_empty("key cache directory", path.as_ref())?);
        Ok(self)
    }

    /// Sets a file that lists revoked users: JSON, as for
    /// [`set_revocations_json`](super::Verifier::set_revocations_json). A change takes effect within
    /// 2 s.
    ///
    /// The file is read when the verifier is created. Later, calls that may block check it for changes
    /// once a second; calls that may not leave that to a thread of the library or, without background
    /// refresh, to [`refresh_due`](super::Verifier::refresh_due), and fail with
    /// [`Status::KeysPending`] if the last check is more than 5 s ago. If the file is missing or
    /// invalid by then, the last list stays in use and the statistics tell.
    ///
    /// It must be a regular file, or a symbolic link to one, that belongs to the process's effective
    /// user or to root and is not writable by group or others.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `path` is empty.
    pub fn set_revocations_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        self.revocations_file = Some(not_empty("revocations file", path.as_ref())?);
        Ok(self)
    }

    /// Sets whether [`Verifier::metrics`](super::Verifier::metrics) labels what belongs to an issuer
    /// with its URL; false by default, since an issuer can name a tenant.
    pub fn set_metrics_issuer_label(&mut self, label: bool) -> &mut Self {
        self.metrics_issuer_label = label;
        self
    }

    /// Allows plain `http` to hosts other than this one. Anyone on the network path can then forge keys.
    pub fn set_allow_http(&mut self, allowed: bool) -> &mut Self {
        self.allow_http = allowed;
        self
    }

    /// Trusts the root certificates in this PEM file, as it is now, instead of the platform's.
    ///
    /// # Errors
    /// [`Status::InvalidConfig`] if the file cannot be read or holds no certificate.
    pub fn set_ca_file(&mut self, path: impl AsRef<Path>) -> Result<&mut Self> {
        self.root_certificates = Some(RootCertificates::read(path.as_ref())?);
        Ok(self)
    }

    /// Fetches keys through an `http` or `https` proxy: `http://proxy.example:3128`, or
    /// `http://name:password@proxy.example:3128`.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `url` is not a proxy's URL.
    pub fn set_proxy(&mut self, url: &str) -> Result<&mut Self> {
        self.proxy = Some(Proxy::parse(url)?);
        Ok(self)
    }

    /// Checks the time claims against this clock (Unix seconds) instead of the system's. It is
    /// called on the calling thread, during the call.
    pub fn set_clock(&mut self, now: impl Fn() -> i64 + Send + Sync + 'static) -> &mut Self {
        self.clock = Clock::Custom(Arc::new(now));
        self
    }

    /// Checks the time claims against the system's clock, as by default.
    pub fn set_system_clock(&mut self) -> &mut Self {
        self.clock = Clock::System;
        self
    }

    pub(super) fn audience(&self) -> Result<Audience> {
        match (self.audiences.is_empty(), self.ignore_audience) {
            (true, true) => Ok(Audience::Ignored),
            (true, false) => Ok(Audience::Unnamed),
            (false, false) => Ok(Audience::AnyOf(self.audiences.clone())),
            (false, true) => Err(Error::fixed(
                Status::InvalidConfig,
                "audience",
                "both configured and ignored (expected one of the two)",
            )),
        }
    }

    pub(super) fn requirements(&self) -> Requirements {
        self.requirements.with_flags_of(&self.required_flags)
    }

    pub(super) fn challenge(&self) -> Option<Arc<Challenge>> {
        (self.challenge != Challenge::default()).then(|| Arc::new(self.challenge.clone()))
    }
}

fn within(name: &'static str, value: u32, min: u32, max: u32, why: &'static str) -> Result<u32> {
    if (min..=max).contains(&value) { Ok(value) } else { Err(Error::argument(name, why)) }
}

fn not_empty(name: &'static str, path: &Path) -> Result<PathBuf> {
    if path.as_os_str().is_empty() {
        return Err(Error::argument(name, "empty"));
    }
    Ok(path.to_owned())
}

/// A text that can stand between quotes in a header as it is (RFC 9110 §5.6.4), with no other
/// characters than visible ASCII and those in `besides`.
fn quotable(name: &'static str, text: &str, besides: &str) -> Result<String> {
    let fits = |c: char| (c.is_ascii_graphic() && !matches!(c, '"' | '\\')) || besides.contains(c);
    if text.is_empty() {
        return Err(Error::argument(name, "empty"));
    }
    if !text.chars().all(fits) {
        let why = "a character outside visible ASCII, a quote, or a backslash";
        return Err(Error::argument(name, why));
    }
    Ok(text.to_owned())
}
