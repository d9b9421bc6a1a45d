//! The verifier: options, token, keys and the time, and what follows from them.

mod auth;
mod options;
mod requirements;
mod stats;
mod token_cache;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

pub use auth::Auth;
pub(crate) use auth::{Field, Verified};
pub use options::VerifierOptions;
pub use requirements::{
    REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE, Requirements,
};
use serde_json::json;
use stats::Stats;
use token_cache::TokenCache;

use crate::clock::{Clock, monotonic};
use crate::error::{Challenge, Error, Result, Status};
use crate::fork::ForkLocal;
use crate::http::{Rules, check_url};
use crate::json::Json;
use crate::keys::{self, Answer, Claim, FetchOptions, Policy, Source};
use crate::text::{NulStr, NulString};
use crate::token::{self, Audience, Claims, Token};

/// Where an issuer publishes its keys, below its own URL.
const JWKS_PATH: &str = "/_torii/.well-known/jwks.json";

/// Verifies tokens of one or several issuers.
///
/// Any number of threads may use one at once. Keys are shared by all verifiers of the process.
pub struct Verifier {
    issuers: Vec<Arc<Issuer>>,
    audience: Audience,
    leeway: i64,
    max_lifetime: i64,
    legacy_organization: bool,
    requirements: Requirements,
    challenge: Option<Arc<Challenge>>,
    policy: Policy,
    fetch_options: FetchOptions,
    clock: Clock,
    token_cache: TokenCache,
    stats: Stats,
    host_fetch: ForkLocal<Mutex<Option<Arc<HostFetch>>>>,
}

/// How [`Verifier::check`] verifies; by default a token, with keys fetched first if need be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The text is the value of an `Authorization` header: `Bearer <token>` (RFC 6750 §2.1).
    pub header: bool,
    /// The call performs no I/O and never waits for I/O on another thread.
    pub nowait: bool,
}

/// A configured issuer.
pub(crate) struct Issuer {
    /// Its URL without trailing slashes: what `iss` has to be.
    pub(crate) name: NulString,
    source: Arc<Source>,
}

/// A fetch of keys that the host does by itself.
pub struct HostFetch {
    url: NulString,
    etag: Option<NulString>,
    claim: Mutex<Option<Claim>>,
}

impl Verifier {
    /// Creates a verifier for an issuer, as in `https://acme.torii.so`. Nothing is fetched yet.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `issuer` is not a valid base URL; [`Status::InvalidConfig`] if
    /// the options contradict each other.
    pub fn new(issuer: &str, options: &VerifierOptions) -> Result<Self> {
        let status = Status::InvalidArgument;
        let rules = Rules { name: "issuer", allow_http: options.allow_http, status };
        let mut issuers = vec![Issuer::new(issuer, options.keys.as_ref(), options, &rules)?];
        let rules = Rules { status: Status::InvalidConfig, ..rules };
        for (issuer, keys) in &options.issuers {
            let issuer = Issuer::new(issuer, keys.as_ref(), options, &rules)?;
            if issuers.iter().any(|known| known.name.as_str() == issuer.name.as_str()) {
                return Err(Error::fixed(Status::InvalidConfig, "issuer", "named twice"));
            }
            issuers.push(issuer);
        }
        Ok(Verifier {
            issuers: issuers.into_iter().map(Arc::new).collect(),
            audience: options.audience()?,
            leeway: options.leeway,
            max_lifetime: options.max_lifetime,
            legacy_organization: options.legacy_organization,
            requirements: options.requirements(),
            challenge: options.challenge(),
            policy: options.policy,
            fetch_options: FetchOptions {
                may_wait: true,
                background: options.background,
                timeout: options.timeout,
            },
            clock: options.clock.clone(),
            token_cache: TokenCache::new(options.cache_bytes),
            stats: Stats::default(),
            host_fetch: ForkLocal::new(Mutex::default),
        })
    }

    /// Verifies a token. Fetches keys first if they are missing or too old.
    ///
    /// # Errors
    /// A status of 401, 403 or 503; see [`Status`].
    pub fn verify(&self, token: impl AsRef<[u8]>) -> Result<Auth> {
        self.check(token.as_ref(), Check::default(), None)
    }

    /// As [`verify`](Self::verify), but performs no I/O and never waits for I/O on another thread:
    /// if keys must be fetched first, fails with [`Status::KeysPending`].
    pub fn verify_nowait(&self, token: impl AsRef<[u8]>) -> Result<Auth> {
        self.check(token.as_ref(), Check { nowait: true, ..Check::default() }, None)
    }

    /// Verifies the token in the value of an `Authorization` header: `Bearer <token>`
    /// (RFC 6750 §2.1).
    pub fn authenticate(&self, header: impl AsRef<[u8]>) -> Result<Auth> {
        self.check(header.as_ref(), Check { header: true, nowait: false }, None)
    }

    /// As [`authenticate`](Self::authenticate), in the manner of
    /// [`verify_nowait`](Self::verify_nowait).
    pub fn authenticate_nowait(&self, header: impl AsRef<[u8]>) -> Result<Auth> {
        self.check(header.as_ref(), Check { header: true, nowait: true }, None)
    }

    /// Verifies a token, or the token in a header, and checks further requirements for this call.
    /// All other ways to verify come down to this one.
    pub fn check(
        &self,
        text: &[u8],
        how: Check,
        requirements: Option<&Requirements>,
    ) -> Result<Auth> {
        match self.verified(text, how, requirements) {
            Ok((verified, hit)) => {
                self.stats.accept(hit);
                Ok(Auth(verified))
            }
            Err(error) => {
                self.stats.refuse(&error);
                Err(error.challenged_by(self.challenge.as_ref()))
            }
        }
    }

    /// The claims, and whether the token was in the cache.
    fn verified(
        &self,
        text: &[u8],
        how: Check,
        requirements: Option<&Requirements>,
    ) -> Result<(Arc<Verified>, bool)> {
        let token = if how.header { token::bearer(text)? } else { text };
        let options = FetchOptions { may_wait: !how.nowait, ..self.fetch_options };
        let (verified, hit) = self.verify_with(token, &options)?;
        if let Some(requirements) = requirements {
            requirements.check(&verified)?;
        }
        Ok((verified, hit))
    }

    /// The claims, and whether the token was in the cache.
    ///
    /// The caller's bytes are compared with the cache, and copied if that does not end the matter;
    /// everything else reads the copy. A host may change its buffer meanwhile, by mistake: then the
    /// token is one or the other, never the claims of one with the signature of the other.
    fn verify_with(&self, token: &[u8], options: &FetchOptions) -> Result<(Arc<Verified>, bool)> {
        token::size(token)?;
        let since = keys::begun();
        let mut stale = false;
        if let Some(verified) = self.token_cache.get(token) {
            let keys = verified.issuer.source.usable(monotonic(), &self.policy, options)?;
            if keys.as_ref().is_some_and(|keys| keys.set.holds(verified.key)) {
                let checked = self.check_current(&verified);
                if checked.as_ref().is_err_and(|error| error.status() == Status::TokenExpired) {
                    self.token_cache.remove(&Box::<[u8]>::from(token));
                }
                return checked.map(|()| (verified, true));
            }
            stale = true;
        }
        let token = Box::<[u8]>::from(token);
        if stale {
            self.token_cache.remove(&token);
        }
        let verified = self.verify_signature(&token, since, options)?;
        self.token_cache.insert(token, verified.clone());
        Ok((verified, false))
    }

    fn verify_signature(
        &self,
        token: &[u8],
        since: u64,
        options: &FetchOptions,
    ) -> Result<Arc<Verified>> {
        let token = Token::parse(token)?;
        let claims = Claims::read(&token.payload)?;
        let issuer = self.issuer(&claims)?;
        let keys = issuer.source.usable_with(&token.kid, since, &self.policy, options)?;
        let key = keys
            .as_ref()
            .and_then(|keys| keys.set.find(&token.kid))
            .filter(|key| key.verify(token.signed, &token.signature));
        let Some(key) = key else {
            let why = "not made by the issuer's key";
            return Err(Error::fixed(Status::TokenSignature, "token signature", why));
        };
        let valid = claims.check(self.legacy_organization)?;
        valid.times.check(self.clock.now(), self.leeway)?;
        valid.times.check_lifetime(self.max_lifetime)?;
        claims.check_audience(&self.audience)?;
        let challenge = self.challenge.clone();
        let verified = Verified::new(&token.payload, &valid, issuer.clone(), key.id, challenge);
        self.requirements.check(&verified)?;
        Ok(Arc::new(verified))
    }

    /// Checks again what time or the operator may have to say against a token whose signature was
    /// verified before.
    fn check_current(&self, verified: &Verified) -> Result<()> {
        verified.times.check(self.clock.now(), self.leeway)?;
        self.requirements.check(verified)
    }

    fn issuer(&self, claims: &Claims<'_>) -> Result<&Arc<Issuer>> {
        let named = claims.issuer();
        let known = self.issuers.iter().find(|issuer| Some(issuer.name.as_str()) == named);
        known.ok_or(Error::fixed(Status::TokenIssuer, "claim `iss`", "not a configured issuer"))
    }

    /// Fetches the keys of every issuer now, on this thread: to warm up, or for a pool of threads
    /// that does the waiting. Joins a fetch under way; one that ended within the last second will
    /// do; after a failure the pause is kept.
    pub fn refresh(&self) -> Result<()> {
        let mut outcome = Ok(());
        for issuer in &self.issuers {
            outcome = outcome.and(issuer.source.refresh(&self.policy, &self.fetch_options));
        }
        outcome
    }

    /// Takes upon the host a fetch of keys that is due: exactly one caller gets it. The host then
    /// makes the request and says what came back. Where
    /// [`set_background_refresh`](VerifierOptions::set_background_refresh) is on, a thread of
    /// this library may be first.
    pub fn claim_fetch(&self) -> Option<Arc<HostFetch>> {
        let slot = self.host_fetch.get();
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.as_ref().is_some_and(|fetch| fetch.is_expected()) {
            return None;
        }
        let claim = self.issuers.iter().find_map(|i| i.source.claim_for_host(&self.policy))?;
        let fetch = Arc::new(HostFetch {
            url: NulString::new(claim.source().url()),
            etag: claim.etag().map(|etag| NulString::new(&etag)),
            claim: Mutex::new(Some(claim)),
        });
        *slot = Some(fetch.clone());
        Some(fetch)
    }

    /// The fetch the host has claimed and not said the end of.
    pub(crate) fn host_fetch(&self) -> Option<Arc<HostFetch>> {
        let slot = self.host_fetch.get();
        let fetch = slot.lock().unwrap_or_else(PoisonError::into_inner).clone();
        fetch.filter(|fetch| fetch.is_open())
    }

    /// Where the first issuer's keys are.
    pub(crate) fn first_jwks_url(&self) -> Option<NulStr<'_>> {
        self.issuers.first().map(|issuer| issuer.source.nul_url())
    }

    /// What the verifier has done so far, as JSON:
    /// `accepted`, of these `hits` (verdicts known before), `refused` by the name of the status,
    /// `verdicts` and `verdict_bytes` in the cache, and for each of the `issuers` its `issuer`,
    /// `keys` in use and `skipped`, `key_age` in seconds (null without keys), `due_in_ms`, the
    /// milliseconds until keys are to be fetched (null where they were given), `fetches` that ended
    /// and of these `failures`, both counted for the whole process.
    pub fn stats(&self) -> Result<Json> {
        let refused: serde_json::Map<_, _> =
            self.stats.refused().map(|(status, n)| (status.name().to_owned(), n.into())).collect();
        let (verdicts, bytes) = self.token_cache.size();
        let issuers = self.issuers.iter().map(|issuer| {
            let account = issuer.source.account(&self.policy);
            json!({
                "issuer": issuer.name.as_str(),
                "keys": account.keys,
                "skipped": account.skipped,
                "key_age": account.age,
                "due_in_ms": account.due_in,
                "fetches": account.fetches,
                "failures": account.failures,
            })
        });
        let stats = json!({
            "accepted": self.stats.accepted(),
            "hits": self.stats.hits(),
            "refused": refused,
            "verdicts": verdicts,
            "verdict_bytes": bytes,
            "issuers": issuers.collect::<Vec<_>>(),
        });
        Json::parse(&stats.to_string())
    }
}

/// Where the keys are of an issuer named without trailing slashes.
pub(crate) fn jwks_url(issuer: &str) -> String {
    format!("{issuer}{JWKS_PATH}")
}

impl Issuer {
    fn new(
        url: &str,
        keys: Option<&options::GivenKeys>,
        options: &VerifierOptions,
        rules: &Rules,
    ) -> Result<Self> {
        let name = check_url(url, rules)?;
        let jwks_url = jwks_url(name);
        let source = match keys {
            Some(keys) => Arc::new(Source::fixed(&jwks_url, keys.0.clone())),
            None => keys::shared(&jwks_url, options.root_certificates.as_ref()),
        };
        Ok(Issuer { name: NulString::new(name), source })
    }
}

impl HostFetch {
    /// The URL to request.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    pub(crate) fn nul_url(&self) -> NulStr<'_> {
        self.url.borrow()
    }

    /// What to send as `If-None-Match`.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_ref().map(NulString::as_str)
    }

    pub(crate) fn nul_etag(&self) -> Option<NulStr<'_>> {
        self.etag.as_ref().map(NulString::borrow)
    }

    /// The issuer answered: its status, body, `ETag`, and `max-age` in seconds. An answer that is
    /// of no use is an error that says why, and counts as a failed fetch.
    pub fn done(
        &self,
        status: u16,
        body: &[u8],
        etag: Option<&str>,
        max_age: Option<u64>,
    ) -> Result<()> {
        let why = |reason| {
            let text = format!("the keys at {} cannot be had: {reason}", self.url());
            Error::text(Status::KeysUnavailable, text)
        };
        self.take()?.settle(&Answer { status, body, etag, max_age }).map_err(why)
    }

    /// The issuer did not answer.
    pub fn failed(&self) -> Result<()> {
        self.take()?.fail("the host's fetch failed");
        Ok(())
    }

    fn take(&self) -> Result<Claim> {
        let claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner).take();
        claim.ok_or(Error::argument("verifier", "no fetch is claimed"))
    }

    /// Whether the host has not said yet how the fetch ended.
    fn is_open(&self) -> bool {
        self.claim.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether what the host will say still counts.
    fn is_expected(&self) -> bool {
        let claim = self.claim.lock().unwrap_or_else(PoisonError::into_inner);
        claim.as_ref().is_some_and(Claim::is_running)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let issuers = self.issuers.iter().map(|issuer| issuer.name.as_str());
        f.debug_struct("Verifier")
            .field("issuers", &issuers.collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}
