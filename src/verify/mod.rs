//! The verifier: options, token, keys and the time, and what follows from them.

mod auth;
mod metrics;
mod open_metrics;
mod options;
mod report;
mod requirements;
mod revocations;
mod stats;
mod token_cache;
mod verified;

use std::fmt;
use std::sync::Arc;

pub use auth::Auth;
pub use metrics::{MetricFamily, MetricKind, MetricSample, MetricSum};
use once_cell::race::OnceBox;
pub use options::VerifierOptions;
pub use requirements::Requirements;
use revocations::Revocations;
use stats::Stats;
use token_cache::TokenCache;
pub(crate) use verified::{Field, Verified};
pub use verified::{
    REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE,
};

use crate::clock::{self, Clock, Now};
use crate::error::{Challenge, Error, Result, Status};
use crate::http::{Rules, check_url};
use crate::keys::{
    self, CacheKey, Call, FetchedBy, IssuerKeys, KeyCacheDir, KeyFetch, KeyOptions, Refresh,
    jwks_url,
};
use crate::text::NulString;
use crate::token::{self, Audience, Claims, KnownHeaders, Token};

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
    fixed_base: bool,
    key_options: KeyOptions,
    clock: Clock,
    revocations: Revocations,
    known_headers: KnownHeaders,
    token_cache: TokenCache,
    stats: Stats,
    metrics_issuer_label: bool,
}

/// How [`Verifier::check`] verifies; by default a token, with keys fetched first if need be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Check {
    /// The text is the value of an `Authorization` header: `Bearer <token>` (RFC 6750 §2.1).
    pub header: bool,
    /// The call performs no I/O and never waits for I/O on another thread.
    pub nowait: bool,
}

/// In place of a time: every token of the user, future ones included.
pub const REVOKE_ALL: i64 = i64::MAX;

/// A configured issuer.
pub(crate) struct Issuer {
    /// Its URL without trailing slashes: what `iss` has to be.
    pub(crate) name: Arc<NulString>,
    keys: Arc<IssuerKeys>,
    /// In place of these keys, once a host fetches them.
    host_keys: OnceBox<Arc<IssuerKeys>>,
}

impl Verifier {
    /// Creates a verifier for an issuer, as in `https://acme.torii.so`. Nothing is fetched yet. Keys are
    /// read from the [key cache directory](VerifierOptions::set_key_cache_dir), if there is one.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `issuer` is not a valid base URL; [`Status::InvalidConfig`] if
    /// the options contradict each other, or the key cache directory is missing and cannot be created.
    pub fn new(issuer: &str, options: &VerifierOptions) -> Result<Self> {
        let status = Status::InvalidArgument;
        let rules = Rules { name: "issuer", allow_http: options.allow_http, status };
        let cache_dir = options.key_cache_dir.as_deref().map(KeyCacheDir::prepare).transpose()?;
        let new = |url: &str, keys: Option<&options::GivenKeys>, rules: &Rules| {
            Issuer::new(url, keys, options, cache_dir.as_ref(), rules)
        };
        let mut issuers = vec![new(issuer, options.keys.as_ref(), &rules)?];
        let rules = Rules { status: Status::InvalidConfig, ..rules };
        for (issuer, keys) in &options.issuers {
            let issuer = new(issuer, keys.as_ref(), &rules)?;
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
            fixed_base: options.fixed_base,
            key_options: KeyOptions {
                lifetimes: options.lifetimes,
                background: options.background,
                timeout: options.timeout,
            },
            clock: options.clock.clone(),
            revocations: Revocations::new(options)?,
            known_headers: KnownHeaders::default(),
            token_cache: TokenCache::new(options.cache_bytes),
            stats: Stats::default(),
            metrics_issuer_label: options.metrics_issuer_label,
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
        self.check_then(text, how, requirements, Ok)
    }

    /// As [`check`](Self::check), and hands the result to `deliver`. A result that is not delivered
    /// is not counted.
    pub(crate) fn check_then<T>(
        &self,
        text: &[u8],
        how: Check,
        requirements: Option<&Requirements>,
        deliver: impl FnOnce(Auth) -> Result<T>,
    ) -> Result<T> {
        match self.verified(text, how, requirements) {
            Ok((verified, hit)) => {
                let delivered = deliver(Auth(verified))?;
                self.stats.accept(hit);
                Ok(delivered)
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
        let (verified, hit) = self.verify_with(token, !how.nowait)?;
        if let Some(requirements) = requirements {
            requirements.check(&verified)?;
        }
        Ok((verified, hit))
    }

    /// The claims, and whether the token was in the cache.
    ///
    /// The caller's bytes are compared with the cache, and copied if the token is not there;
    /// everything else reads the copy. A host may change its buffer meanwhile, by mistake: then the
    /// token is one or the other, never the claims of one with the signature of the other.
    fn verify_with(&self, token: &[u8], may_wait: bool) -> Result<(Arc<Verified>, bool)> {
        token::size(token)?;
        let mut now = clock::now();
        let call = Call::begin_at(now.monotonic, &self.key_options, may_wait);
        let Some(verified) = self.token_cache.get(token) else {
            return self.verify_new(token, &call, false);
        };
        let issuer = verified.issuer.keys();
        let keys = match issuer.fresh(&call) {
            Some(keys) => keys,
            None => {
                let keys = issuer.usable(&call)?;
                now = clock::now();
                keys
            }
        };
        if keys.as_ref().is_some_and(|keys| keys.set.holds(verified.key)) {
            return match self.check_current(&verified, &call, &now) {
                Ok(()) => Ok((verified, true)),
                Err(error) => Err(self.refused_again(token, error)),
            };
        }
        self.verify_new(token, &call, true)
    }

    /// A token that is not in the cache, or there by a key that is gone.
    #[inline(never)]
    fn verify_new(
        &self,
        token: &[u8],
        call: &Call<'_>,
        stale: bool,
    ) -> Result<(Arc<Verified>, bool)> {
        let token = Box::<[u8]>::from(token);
        if stale {
            self.token_cache.remove(&token);
        }
        let verified = self.verify_signature(&token, call)?;
        self.token_cache.insert(token, verified.clone());
        Ok((verified, false))
    }

    /// Removes an expired token from the cache.
    #[cold]
    fn refused_again(&self, token: &[u8], error: Error) -> Error {
        if error.status() == Status::TokenExpired {
            self.token_cache.remove(&Box::<[u8]>::from(token));
        }
        error
    }

    fn verify_signature(&self, token: &[u8], call: &Call<'_>) -> Result<Arc<Verified>> {
        let token = Token::parse(token, &self.known_headers)?;
        let claims = Claims::read(&token.payload)?;
        let issuer = self.issuer(&claims)?;
        let keys = issuer.keys().usable_with(token.kid(), call)?;
        let key = keys.as_ref().and_then(|keys| {
            let key = keys.set.find(token.kid())?;
            let valid = if self.fixed_base {
                key.verify_fixed_base(token.signed, &token.signature, || {
                    keys.set.has_room_for_tables()
                })
            } else {
                key.verify(token.signed, &token.signature)
            };
            valid.then_some(key)
        });
        let Some(key) = key else {
            let why = "not made by the issuer's key";
            return Err(Error::fixed(Status::TokenSignature, "token signature", why));
        };
        let valid = claims.check(self.legacy_organization)?;
        let now = clock::now();
        valid.times.check(self.clock.at(&now), self.leeway)?;
        valid.times.check_lifetime(self.max_lifetime)?;
        claims.check_audience(&self.audience)?;
        let challenge = self.challenge.clone();
        let verified = Verified::new(&token.payload, &valid, issuer.clone(), key.id, challenge);
        self.revocations.check(&verified, call, now.monotonic)?;
        self.requirements.check(&verified)?;
        self.known_headers.keep(&token);
        Ok(Arc::new(verified))
    }

    /// Checks the conditions that can change after a signature was verified: time, revocations,
    /// requirements.
    fn check_current(&self, verified: &Verified, call: &Call<'_>, now: &Now) -> Result<()> {
        verified.times.check(self.clock.at(now), self.leeway)?;
        self.revocations.check(verified, call, now.monotonic)?;
        self.requirements.check(verified)
    }

    fn issuer(&self, claims: &Claims<'_>) -> Result<&Arc<Issuer>> {
        let named = claims.issuer();
        let known = self.issuers.iter().find(|issuer| Some(issuer.name.as_str()) == named);
        known.ok_or(Error::fixed(Status::TokenIssuer, "claim `iss`", "not a configured issuer"))
    }

    /// Fetches the keys of every issuer now, on this thread, and checks the revocations file.
    ///
    /// Waits for a fetch in flight, keeps the backoff after a failure, and joins a fetch that
    /// succeeded within the last second. Waits up to the fetch timeout for each issuer.
    ///
    /// # Errors
    /// [`Status::KeysUnavailable`] with the reason; [`Status::KeysPending`] if the host fetches the
    /// keys (see [`claim_fetch`](Self::claim_fetch)) and has not claimed a fetch.
    pub fn refresh(&self) -> Result<()> {
        self.revocations.refresh();
        self.refresh_all(Refresh::Any, &self.issuers)
    }

    /// Fetches keys that are due, on this thread: the job of a thread pool for a request that got
    /// [`Status::KeysPending`]. `issuer` is that of the error; `None` stands for every issuer. Also
    /// checks the revocations file if that is due.
    ///
    /// Keys are due if they are missing, past 80 % of their lifetime, or lack a `kid` that a token
    /// named. Waits for a fetch in flight. Succeeds at once if no fetch is due, or none may begin
    /// yet after a failure or a fetch for another unknown `kid`.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `issuer` is not a configured issuer; else as
    /// [`refresh`](Self::refresh).
    pub fn refresh_due(&self, issuer: Option<&str>) -> Result<()> {
        let issuers = match issuer {
            None => &*self.issuers,
            Some(name) => {
                let name = name.trim_end_matches('/');
                let named = self.issuers.iter().find(|issuer| issuer.name.as_str() == name);
                let unknown = "unknown (expected an issuer of the verifier)";
                std::slice::from_ref(named.ok_or(Error::argument("issuer", unknown))?)
            }
        };
        self.revocations.refresh_due();
        self.refresh_all(Refresh::Due, issuers)
    }

    /// Checks the revocations file if that is due, on this thread, for a host that does this beside
    /// [`refresh_due`](Self::refresh_due), which may wait for an issuer.
    pub fn refresh_revocations_due(&self) {
        self.revocations.refresh_due();
    }

    fn refresh_all(&self, which: Refresh, issuers: &[Arc<Issuer>]) -> Result<()> {
        let mut outcome = Ok(());
        for issuer in issuers {
            let call = Call::begin(&self.key_options, true);
            outcome = outcome.and(issuer.keys().refresh(which, &call));
        }
        outcome
    }

    /// Returns the milliseconds until a fetch of keys, or a check of the revocations file, is due, for a
    /// timer; `None` if never, because all keys were given and there is no file.
    ///
    /// While a fetch is in flight, that is when it counts as lost. It accounts for the backoff after
    /// a failure and for the cooldown after an unknown `kid`.
    pub fn due_in_ms(&self) -> Option<u64> {
        let due_in = |issuer: &Arc<Issuer>| issuer.keys().due_in(&self.key_options.lifetimes);
        self.issuers.iter().filter_map(due_in).chain(self.revocations.due_in()).min()
    }

    /// Claims a due key fetch for a host that does its own HTTP. Returns `None` if no fetch is due.
    ///
    /// The first call makes the host responsible: from then on this verifier only uses keys that
    /// hosts fetched, and the library neither fetches keys nor starts threads for it. Such keys are
    /// shared with other verifiers whose host fetches, and never with those for which the library
    /// does. Call it once right after the verifier is created, then after each
    /// [`Status::KeysPending`] and when [`due_in_ms`](Self::due_in_ms) have passed. A revocations file
    /// is still checked by [`refresh_due`](Self::refresh_due).
    pub fn claim_fetch(&self) -> Option<KeyFetch> {
        let mut claimed = None;
        for issuer in &self.issuers {
            let keys = issuer.host_keys();
            if claimed.is_none() {
                claimed = keys.claim(&self.key_options.lifetimes).map(KeyFetch::new);
            }
        }
        claimed
    }

    /// Revokes the tokens of a user issued at or before `issued_before`, a Unix time in seconds at
    /// most a day ahead, or [`REVOKE_ALL`]. They are refused with [`Status::TokenRevoked`], whichever
    /// issuer they are from, and also where the user is the actor.
    ///
    /// The leeway is added: tokens with an `iat` of at most `issued_before` plus the leeway are
    /// refused. Of several calls for a user the latest time counts. With a maximum lifetime, an entry
    /// ends a day after every token it could revoke has expired. A forked child has the entries of its
    /// parent; later calls reach only their own process.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `user_id` is empty or contains U+0000, if the time is negative or
    /// too far ahead, or if there are 100,000 entries already.
    pub fn revoke(&self, user_id: &str, issued_before: i64) -> Result<()> {
        self.revocations.revoke(user_id, issued_before)
    }

    /// Replaces the list of revocations that an earlier call of this function set:
    /// `{"revoked":[{"sub":"…","before":1732550000}]}`. `before` is as for [`revoke`](Self::revoke), or
    /// `"all"`. Revocations by [`revoke`](Self::revoke) and by the file stay.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`], with line and column, if `json` is not such a list, has other
    /// members, or has more than 100,000 entries. The earlier list then stays.
    pub fn set_revocations_json(&self, json: &[u8]) -> Result<()> {
        self.revocations.set_json(json)
    }
}

impl Issuer {
    fn new(
        url: &str,
        given: Option<&options::GivenKeys>,
        options: &VerifierOptions,
        cache_dir: Option<&KeyCacheDir>,
        rules: &Rules,
    ) -> Result<Self> {
        let name = Arc::new(NulString::new(check_url(url, rules)?));
        let keys = match given {
            Some(given) => Arc::new(IssuerKeys::given(&name, given.0.clone())),
            None => {
                let key = CacheKey {
                    url: jwks_url(name.as_str()),
                    root_certificates: options.root_certificates.clone(),
                    proxy: options.proxy.clone(),
                    cache_dir: cache_dir.cloned(),
                    fetched_by: FetchedBy::Library,
                };
                keys::shared(&name, key)
            }
        };
        Ok(Issuer { name, keys, host_keys: OnceBox::new() })
    }

    fn keys(&self) -> &Arc<IssuerKeys> {
        self.host_keys.get().unwrap_or(&self.keys)
    }

    /// The keys a host fetches, which from now on are this issuer's.
    fn host_keys(&self) -> &Arc<IssuerKeys> {
        match self.keys.host_key() {
            // `OnceBox` never blocks, so a child of `fork` cannot hang here.
            Some(key) => {
                self.host_keys.get_or_init(|| Box::new(keys::shared(&self.name, key.clone())))
            }
            None => &self.keys,
        }
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
