//! How every call is made: the secret key, JSON, the timeout, and retries.
//!
//! Every call is retried if nothing of it was sent. An idempotent call is also retried after a lost
//! connection, after 502, 503 and 504, and after 429 with `Retry-After`. The timeout covers all
//! attempts and the backoff between them.

use std::thread;
use std::time::{Duration, Instant};

use super::options::ClientOptions;
use super::problem::{api_error, invalid_response};
use super::secret::Secret;
use crate::error::{Error, Result, Status};
use crate::http::{Answer, Failure, Fault, Http, Method, Request, StatusCode};
use crate::jitter::jitter;
use crate::json::Json;

/// The path of the operations this library knows.
const ROOT: &str = "/api/server/v1";

const ACCEPT: &str = "application/json, application/problem+json";

/// The longest answer that is accepted, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// The backoff before the first retry; it doubles with each.
const FIRST_BACKOFF: Duration = Duration::from_millis(100);

const LONGEST_BACKOFF: Duration = Duration::from_secs(5);

/// Requests a list without a key, once: any answer shows that the API is there.
pub(crate) fn probe(
    options: &ClientOptions,
) -> Result<(String, std::result::Result<Answer, Failure>)> {
    let url = format!("{}{ROOT}/organizations?limit=1", options.base()?);
    let outcome = options.http().send(&Request {
        method: Method::GET,
        url: &url,
        headers: &[("accept", ACCEPT)],
        authorization: None,
        body: None,
        timeout: options.timeout,
        limit: MAX_ANSWER,
    });
    Ok((url, outcome))
}

/// One call.
pub(super) struct Call<'a> {
    method: Method,
    /// The path between the API's URL and the target.
    root: &'static str,
    /// Path and query.
    target: String,
    body: Option<&'a str>,
    idempotency: Idempotency,
}

/// Whether sending a call twice has the effect of sending it once (RFC 9110 §9.2.2).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Idempotency {
    /// Idempotent: retried after any transient failure.
    Idempotent,
    /// As above, but a second deletion is answered with 403, because the user is gone.
    Deletion,
    /// Not idempotent: retried only if nothing of it was sent.
    NotIdempotent,
}

impl<'a> Call<'a> {
    /// A call that has the same effect when it is made twice.
    pub(super) fn idempotent(method: Method, target: String) -> Self {
        Call::new(method, target, Idempotency::Idempotent)
    }

    /// A call that torii answers with 403 once it has taken effect.
    pub(super) fn deletion(method: Method, target: String) -> Self {
        Call::new(method, target, Idempotency::Deletion)
    }

    /// A call that must not be sent twice.
    pub(super) fn once(method: Method, target: String) -> Self {
        Call::new(method, target, Idempotency::NotIdempotent)
    }

    fn new(method: Method, target: String, idempotency: Idempotency) -> Self {
        Call { method, root: ROOT, target, body: None, idempotency }
    }

    /// Makes the target a whole path below the API's URL.
    pub(super) fn with_whole_path(mut self) -> Self {
        self.root = "";
        self
    }

    pub(super) fn body(mut self, body: Option<&'a str>) -> Self {
        self.body = body;
        self
    }

    fn may_be_retried(&self, after: Kind) -> bool {
        match after {
            Kind::Unsent => true,
            Kind::RateLimited | Kind::Unavailable | Kind::ConnectionLost => {
                self.idempotency != Idempotency::NotIdempotent
            }
            Kind::Final => false,
        }
    }

    /// Whether this answer to a retry means that an earlier attempt, whose answer was lost, deleted
    /// the user.
    fn is_already_deleted(&self, answer: &Answer) -> bool {
        self.idempotency == Idempotency::Deletion && answer.status == StatusCode::FORBIDDEN
    }
}

/// Makes calls, on the caller's thread.
pub(super) struct Transport {
    base: String,
    secret: Secret,
    http: Http,
    timeout: Duration,
    max_retries: u32,
}

/// A failed attempt.
struct AttemptError {
    error: Error,
    kind: Kind,
    /// Whether any of the request was sent.
    sent: bool,
}

/// The kind of a failed attempt, which decides about a retry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing was sent.
    Unsent,
    /// 429 with `Retry-After`: refused for now, without effect.
    RateLimited,
    /// 502, 503 or 504: it may have had an effect.
    Unavailable,
    /// The connection was lost before the answer: it may have had an effect.
    ConnectionLost,
    /// A retry would fail in the same way, or there is no time for one.
    Final,
}

impl Transport {
    pub(super) fn new(secret_key: &str, options: &ClientOptions) -> Result<Self> {
        let secret = Secret::new(secret_key)?;
        let (base, http) = (options.base()?.to_owned(), options.http());
        let (timeout, max_retries) = (options.timeout, options.max_retries);
        Ok(Transport { base, secret, http, timeout, max_retries })
    }

    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Makes a call that is answered with JSON.
    pub(super) fn json(&self, call: &Call<'_>) -> Result<Json> {
        let answer = self.make(call)?;
        self.read(&answer)
    }

    /// Makes a call that is answered with JSON or without a body, which becomes `null`.
    pub(super) fn json_or_nothing(&self, call: &Call<'_>) -> Result<Json> {
        let answer = self.make(call)?;
        if answer.body.is_empty() { Json::parse("null") } else { self.read(&answer) }
    }

    /// Makes a call whose answer's body does not matter.
    pub(super) fn nothing(&self, call: &Call<'_>) -> Result<()> {
        self.make(call).map(drop)
    }

    fn read(&self, answer: &Answer) -> Result<Json> {
        let invalid = |why: &str| invalid_response(answer, why, &self.secret);
        let text = str::from_utf8(&answer.body).map_err(|_| invalid("not UTF-8"))?;
        Json::read(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            invalid(&format!("not JSON (line {line}, column {column})"))
        })
    }

    /// Makes a call, with retries, and returns the answer if it is a success.
    fn make(&self, call: &Call<'_>) -> Result<Answer> {
        let deadline = Instant::now() + self.timeout;
        let (mut retries, mut connection_lost, mut sent) = (0, false, false);
        loop {
            let failed = match self.attempt(call, deadline) {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                // After 502, 503 or 504 a 403 can as well mean "not yours".
                Ok(answer) if connection_lost && call.is_already_deleted(&answer) => {
                    return Ok(answer);
                }
                Ok(answer) => self.refusal(&answer),
                Err(failed) => failed,
            };
            sent |= failed.sent;
            let retry_after = Duration::from_secs(failed.error.retry_after().unwrap_or(0));
            let backoff = backoff(retries).max(retry_after);
            let left = deadline.saturating_duration_since(Instant::now());
            if !call.may_be_retried(failed.kind) || retries == self.max_retries || backoff >= left {
                return Err(if sent { failed.error } else { failed.error.not_sent() });
            }
            retries += 1;
            connection_lost |= failed.kind == Kind::ConnectionLost;
            thread::sleep(backoff);
        }
    }

    /// Makes a call once.
    fn attempt(
        &self,
        call: &Call<'_>,
        deadline: Instant,
    ) -> std::result::Result<Answer, AttemptError> {
        let mut headers = vec![("accept", ACCEPT)];
        if call.body.is_some() {
            headers.push(("content-type", "application/json"));
        }
        let url = format!("{}{}{}", self.base, call.root, call.target);
        let outcome = self.http.send(&Request {
            method: call.method.clone(),
            url: &url,
            headers: &headers,
            authorization: Some(self.secret.header()),
            body: call.body,
            timeout: deadline.saturating_duration_since(Instant::now()),
            limit: MAX_ANSWER,
        });
        let invalid = |answer: &Answer, why: &str| AttemptError {
            error: invalid_response(answer, why, &self.secret),
            kind: Kind::Final,
            sent: true,
        };
        Err(match outcome {
            Ok(answer) => return Ok(answer),
            // The status says enough.
            Err(Failure::Body(answer, _)) if !answer.status.is_success() => return Ok(*answer),
            Err(Failure::Body(answer, Fault::TooLarge)) => {
                invalid(&answer, "longer than 16777216 bytes")
            }
            Err(Failure::Body(answer, Fault::Cut(why))) => {
                invalid(&answer, &format!("cut off: {why}"))
            }
            Err(Failure::Timeout | Failure::Body(_, Fault::Timeout)) => self.timed_out(true),
            Err(Failure::Unsent(_)) if Instant::now() >= deadline => self.timed_out(false),
            Err(Failure::Unsent(why)) => {
                let text = format!("cannot connect: {why}");
                let error = Error::text(Status::Transport, text);
                AttemptError { error, kind: Kind::Unsent, sent: false }
            }
            Err(Failure::Lost(why)) => {
                let error = Error::text(Status::Transport, format!("no answer: {why}"));
                AttemptError { error, kind: Kind::ConnectionLost, sent: true }
            }
        })
    }

    fn timed_out(&self, sent: bool) -> AttemptError {
        let text = format!("no answer within {} ms", self.timeout.as_millis());
        AttemptError { error: Error::text(Status::Timeout, text), kind: Kind::Final, sent }
    }

    /// The error for an answer that is not a success.
    fn refusal(&self, answer: &Answer) -> AttemptError {
        let error = api_error(answer, &self.secret);
        let kind = match answer.status {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Kind::Unavailable,
            StatusCode::TOO_MANY_REQUESTS if error.retry_after().is_some() => Kind::RateLimited,
            _ => Kind::Final,
        };
        AttemptError { error, kind, sent: true }
    }
}

/// How long to wait before a retry: twice as long each time, with jitter of up to half of it.
fn backoff(retries: u32) -> Duration {
    (FIRST_BACKOFF * 2u32.pow(retries.min(10))).min(LONGEST_BACKOFF).mul_f64(0.5 + jitter() / 2.0)
}
