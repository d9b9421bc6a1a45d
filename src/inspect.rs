//! Diagnostics: an issuer, its keys and the API, as a [`Verifier`](crate::Verifier) and a
//! [`Client`](crate::Client) see them.
//!
//! Reports facts and draws no conclusions. Nothing is cached: the verifiers and clients of the process
//! keep what they have.

use std::path::PathBuf;
use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::api::{ClientOptions, probe};
use crate::clock::since_1970;
use crate::error::{Result, Status};
use crate::http::{self, Failure, Rules, check_url};
use crate::keys::fetch::{cache_headers, client, reason, request};
use crate::keys::jwks::{NO_USABLE_KEY, published};
use crate::keys::{CacheKey, FetchedBy, KeyCacheDir, jwks_url};
use crate::token::json::{self, Value};
use crate::verify::VerifierOptions;

/// The result of one fetch of an issuer's keys.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuerReport {
    /// The request and its answer.
    pub visit: Visit,
    /// `max-age` of the answer's `Cache-Control`, in seconds.
    pub max_age: Option<u64>,
    /// How long a verifier with these options uses such keys before it fetches again.
    pub lifetime: Duration,
    /// The key set, when the answer is a 200.
    pub key_set: Option<KeySetReport>,
}

/// One request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit {
    /// The URL.
    pub url: String,
    /// Its duration.
    pub took: Duration,
    /// Its outcome.
    pub outcome: Outcome,
}

impl Visit {
    /// Returns the `Age` of the answer in seconds; 0 without one.
    pub fn age(&self) -> u64 {
        match self.outcome {
            Outcome::Answered { age: Some(age), .. } => age,
            _ => 0,
        }
    }
}

/// The outcome of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// An answer arrived.
    Answered {
        /// Its status.
        http_status: u16,
        /// Its `Date`, in Unix seconds: the server's clock.
        date: Option<i64>,
        /// Its `Age`: the seconds it spent in a cache on the way.
        age: Option<u64>,
    },
    /// No connection: the name does not resolve, the port is closed, or TLS rejects the server's
    /// certificate. Nothing of the request was sent.
    NotConnected(String),
    /// A connection, but no usable answer.
    NoAnswer(String),
}

/// How a verifier reads a key set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeySetReport {
    /// Why the set as a whole is rejected.
    pub refused: Option<&'static str>,
    /// Every key, in the order of the set; empty if the set could not be read.
    pub keys: Vec<KeyReport>,
}

/// How a verifier reads one key of a set. Members of the JWK that are not strings are absent.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyReport {
    /// The key id that tokens name.
    pub kid: Option<String>,
    /// The type; usable: `EC`.
    pub kty: Option<String>,
    /// The curve; usable: `P-256`.
    pub crv: Option<String>,
    /// The algorithm; usable: `ES256`, or absent.
    pub alg: Option<String>,
    /// The use; usable: `sig`, or absent.
    pub key_use: Option<String>,
    /// Why a verifier skips it.
    pub skipped: Option<&'static str>,
}

/// Fetches an issuer's keys once, on this thread, as a verifier with these options does.
///
/// # Errors
/// [`Status::InvalidArgument`] or [`Status::InvalidConfig`] if the issuer or an option is invalid. The
/// outcome of the fetch is in the report.
pub fn issuer(issuer: &str, options: &VerifierOptions) -> Result<IssuerReport> {
    let (allow_http, status) = (options.allow_http, Status::InvalidArgument);
    let url = jwks_url(check_url(issuer, &Rules { name: "issuer", allow_http, status })?);
    let start = Instant::now();
    let http = client(options.root_certificates.clone(), options.proxy.clone());
    let outcome = request(&http, &url, None, options.timeout);
    let took = start.elapsed();
    let answer = outcome.as_ref().ok();
    let headers = answer.map(cache_headers).unwrap_or_default();
    let key_set = answer.filter(|answer| answer.status == 200);
    let lifetime = options.lifetimes.lifetime(headers);
    Ok(IssuerReport {
        max_age: headers.max_age,
        lifetime: Duration::from_millis(lifetime),
        key_set: key_set.map(|answer| KeySetReport::read(&answer.body)),
        visit: Visit { url, took, outcome: told(outcome, options.timeout) },
    })
}

/// The file of an issuer's keys in a key cache directory.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeyCacheReport {
    /// Its path.
    pub file: PathBuf,
    /// Its use by a new process.
    pub state: KeyCacheState,
}

/// How a new process uses the file of an issuer's keys.
#[derive(Clone, Debug)]
pub enum KeyCacheState {
    /// There is no file.
    Missing,
    /// It is ignored, for this reason.
    Ignored(String),
    /// Its keys are used until they are `lifetime` old, and longer while the issuer is unreachable.
    Used {
        /// The age of the keys.
        age: Duration,
        /// How long a verifier with these options uses such keys before it fetches again.
        lifetime: Duration,
        /// How long it uses them if no fetch succeeds.
        max_stale: Duration,
        /// The keys.
        key_set: KeySetReport,
    },
}

/// Reads the file of an issuer's keys, as a verifier with these options does at the start. `None` if the
/// options name no key cache directory. Creates and changes nothing.
///
/// # Errors
/// [`Status::InvalidArgument`] if the issuer is invalid.
pub fn key_cache(issuer: &str, options: &VerifierOptions) -> Result<Option<KeyCacheReport>> {
    let Some(path) = &options.key_cache_dir else { return Ok(None) };
    let (allow_http, status) = (options.allow_http, Status::InvalidArgument);
    let key = CacheKey {
        url: jwks_url(check_url(issuer, &Rules { name: "issuer", allow_http, status })?),
        root_certificates: options.root_certificates.clone(),
        proxy: options.proxy.clone(),
        cache_dir: None,
        fetched_by: FetchedBy::Library,
    };
    let (directory, name) = (KeyCacheDir::existing(path), key.file_name());
    let lifetimes = &options.lifetimes;
    let state = match directory.read(&name, &key.url, since_1970(), None) {
        Ok(None) => KeyCacheState::Missing,
        Err(ignored) => KeyCacheState::Ignored(ignored.why),
        Ok(Some(keys)) => KeyCacheState::Used {
            age: Duration::from_millis(keys.age),
            lifetime: Duration::from_millis(lifetimes.lifetime(keys.headers)),
            max_stale: Duration::from_millis(lifetimes.max_stale),
            key_set: KeySetReport::read(&keys.body),
        },
    };
    Ok(Some(KeyCacheReport { file: directory.file(&name), state }))
}

/// The result of one fetch of an issuer's OpenID Connect discovery document.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DiscoveryReport {
    /// The request and its answer.
    pub visit: Visit,
    /// The configured issuer, without trailing slashes.
    pub issuer: String,
    /// The URL that a verifier fetches the issuer's keys from.
    pub jwks_url: String,
    /// The document, if the answer is a 200 with a JSON object.
    pub document: Option<DiscoveryDocument>,
}

/// Members of a discovery document; absent unless they are strings.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct DiscoveryDocument {
    /// `issuer`.
    pub issuer: Option<String>,
    /// `jwks_uri` (OpenID Connect Discovery 1.0 §3), or `jwksUri` as torii's API reference spells it.
    pub jwks_uri: Option<String>,
}

const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Fetches an issuer's discovery document once, on this thread. A verifier never reads it.
///
/// # Errors
/// [`Status::InvalidArgument`] or [`Status::InvalidConfig`] if the issuer or an option is invalid. The
/// outcome of the fetch is in the report.
pub fn discovery(issuer: &str, options: &VerifierOptions) -> Result<DiscoveryReport> {
    let (allow_http, status) = (options.allow_http, Status::InvalidArgument);
    let issuer = check_url(issuer, &Rules { name: "issuer", allow_http, status })?;
    let url = format!("{issuer}{DISCOVERY_PATH}");
    let start = Instant::now();
    let http = client(options.root_certificates.clone(), options.proxy.clone());
    let outcome = request(&http, &url, None, options.timeout);
    let took = start.elapsed();
    let answer = outcome.as_ref().ok().filter(|answer| answer.status == 200);
    Ok(DiscoveryReport {
        issuer: issuer.to_owned(),
        jwks_url: jwks_url(issuer),
        document: answer.and_then(|answer| DiscoveryDocument::read(&answer.body)),
        visit: Visit { url, took, outcome: told(outcome, options.timeout) },
    })
}

/// Calls the API once without a key, on this thread. Any answer, usually a 401, shows that it is
/// reachable.
///
/// # Errors
/// [`Status::InvalidConfig`] if an option is invalid. The outcome of the call is in the report.
pub fn api(options: &ClientOptions) -> Result<Visit> {
    let start = Instant::now();
    let (url, outcome) = probe(options)?;
    Ok(Visit { url, took: start.elapsed(), outcome: told(outcome, options.timeout) })
}

fn told(outcome: std::result::Result<http::Answer, Failure>, timeout: Duration) -> Outcome {
    match outcome {
        // The status is enough.
        Ok(answer) => answered(&answer),
        Err(Failure::Body(answer, _)) if !answer.status.is_success() => answered(&answer),
        Err(Failure::Unsent(reason)) => Outcome::NotConnected(reason),
        Err(failure) => Outcome::NoAnswer(reason(failure, timeout)),
    }
}

fn answered(answer: &http::Answer) -> Outcome {
    let date = answer.header("date").and_then(|text| httpdate::parse_http_date(text).ok());
    let since = date.and_then(|date| date.duration_since(UNIX_EPOCH).ok());
    Outcome::Answered {
        http_status: answer.status.as_u16(),
        date: since.and_then(|since| i64::try_from(since.as_secs()).ok()),
        age: answer.header("age").and_then(|text| text.trim().parse().ok()),
    }
}

impl DiscoveryDocument {
    fn read(body: &[u8]) -> Option<Self> {
        let mut document = DiscoveryDocument::default();
        let mut camel_case = None;
        json::object(std::str::from_utf8(body).ok()?, |name, value| {
            let member = match name {
                "issuer" => &mut document.issuer,
                "jwks_uri" => &mut document.jwks_uri,
                "jwksUri" => &mut camel_case,
                _ => return,
            };
            if let Value::String(text) = value {
                *member = Some(text.into_owned());
            }
        })
        .ok()?;
        document.jwks_uri = document.jwks_uri.or(camel_case);
        Some(document)
    }
}

impl KeySetReport {
    /// Reads a key set as a verifier does.
    pub fn read(jwks: &[u8]) -> Self {
        match published(jwks) {
            Err(why) => KeySetReport { refused: Some(why), keys: Vec::new() },
            Ok(all) => {
                let described = all.into_iter().map(|one| KeyReport {
                    skipped: one.key.err(),
                    ..one.jwk.map(KeyReport::describe).unwrap_or_default()
                });
                let mut report = KeySetReport { refused: None, keys: described.collect() };
                report.refused = (report.usable() == 0).then_some(NO_USABLE_KEY);
                report
            }
        }
    }

    /// Returns how many keys a verifier uses.
    pub fn usable(&self) -> usize {
        self.keys.iter().filter(|key| key.skipped.is_none()).count()
    }
}

impl KeyReport {
    fn describe(jwk: &str) -> Self {
        let mut report = KeyReport::default();
        // The set has been read already, so this cannot fail.
        let _ = json::object(jwk, |name, value| {
            let member = match name {
                "kid" => &mut report.kid,
                "kty" => &mut report.kty,
                "crv" => &mut report.crv,
                "alg" => &mut report.alg,
                "use" => &mut report.key_use,
                _ => return,
            };
            if let Value::String(text) = value {
                *member = Some(text.into_owned());
            }
        });
        report
    }
}
