//! For people who ask why it does not work: an issuer, its keys and the API, looked at as a
//! [`Verifier`](crate::Verifier) and a [`Client`](crate::Client) look at them.
//!
//! Facts only; what to make of them is the reader's business. Nothing that is found is kept: the
//! verifiers and clients of the process go on with what they have.

use std::time::{Duration, Instant, UNIX_EPOCH};

use crate::api::{ClientOptions, probe};
use crate::error::{Result, Status};
use crate::http::{self, Failure, Rules, check_url};
use crate::keys::fetch::{cache_headers, client, reason, request};
use crate::keys::jwks::{NO_USABLE_KEY, published};
use crate::keys::jwks_url;
use crate::token::json::{self, Value};
use crate::verify::VerifierOptions;

/// What came of asking an issuer for its keys, once.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct IssuerReport {
    /// The request and its answer.
    pub visit: Visit,
    /// `max-age` of the answer's `Cache-Control`, in seconds.
    pub max_age: Option<u64>,
    /// How long a verifier with these options uses such keys before it asks again.
    pub lifetime: Duration,
    /// The key set, when the answer is a 200.
    pub key_set: Option<KeySetReport>,
}

/// One request.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit {
    /// What was asked for.
    pub url: String,
    /// How long it took.
    pub took: Duration,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// There is an answer.
    Answered {
        /// Its status, whatever it is.
        http_status: u16,
        /// Its `Date`, in Unix seconds: the server's clock.
        date: Option<i64>,
        /// Its `Age`: the seconds since it left the server, where something on the way keeps it.
        age: Option<u64>,
    },
    /// There is no connection: the name was not found, nobody listens, or TLS refuses the server's
    /// certificate. Nothing of the request was sent.
    NotConnected(String),
    /// There is a connection, but no answer, or none that is usable.
    NoAnswer(String),
}

/// How a verifier reads a key set.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct KeySetReport {
    /// Why the set as a whole is refused.
    pub refused: Option<&'static str>,
    /// Every key, in the order of the set; none where the set could not be read.
    pub keys: Vec<KeyReport>,
}

/// How a verifier reads one key of a set. The members are those of the JWK that are texts.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct KeyReport {
    /// The name by which tokens refer to it.
    pub kid: Option<String>,
    /// The type: has to be `EC`.
    pub kty: Option<String>,
    /// The curve: has to be `P-256`.
    pub crv: Option<String>,
    /// The algorithm: `ES256`, or absent.
    pub alg: Option<String>,
    /// The use: `sig`, or absent.
    pub key_use: Option<String>,
    /// Why it is not used.
    pub skipped: Option<&'static str>,
}

/// Asks an issuer for its keys once, on this thread, as a verifier with these options does.
///
/// # Errors
/// [`Status::InvalidArgument`] or [`Status::InvalidConfig`] if nothing can be asked; what the issuer
/// answers, or that it does not, is no error but in the report.
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

/// Asks the API for a list without a key, once, on this thread: any answer, most likely a 401, tells
/// that it is there.
///
/// # Errors
/// [`Status::InvalidConfig`] if nothing can be asked; everything else is in the report.
pub fn api(options: &ClientOptions) -> Result<Visit> {
    let start = Instant::now();
    let (url, outcome) = probe(options)?;
    Ok(Visit { url, took: start.elapsed(), outcome: told(outcome, options.timeout) })
}

fn told(outcome: std::result::Result<http::Answer, Failure>, timeout: Duration) -> Outcome {
    match outcome {
        // The status says enough.
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

    /// How many keys a verifier uses.
    pub fn usable(&self) -> usize {
        self.keys.iter().filter(|key| key.skipped.is_none()).count()
    }
}

impl KeyReport {
    fn describe(jwk: &str) -> Self {
        let mut report = KeyReport::default();
        // The set was read before; there is nothing to refuse.
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
