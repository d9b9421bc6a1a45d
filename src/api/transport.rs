//! How every call is made: the secret key, JSON, the time it may take, and what is tried again.
//!
//! A call is tried again when it cannot have taken effect, or when taking effect twice is the same
//! as once: after a failure to connect, a lost connection, 502, 503 and 504, and after 429 if the
//! API says when. It never outlives its time, which the pauses are part of.

use std::thread;
use std::time::{Duration, Instant};

use super::options::ClientOptions;
use super::problem::{not_understood, refused};
use super::secret::Secret;
use crate::error::{Error, Result, Status};
use crate::http::{Answer, Failure, Fault, Http, Method, Request, StatusCode};
use crate::jitter::jitter;
use crate::json::Json;

/// Where the operations are that this library knows.
const ROOT: &str = "/api/server/v1";

const ACCEPT: &str = "application/json, application/problem+json";

/// The longest answer that is read, in bytes.
const MAX_ANSWER: usize = 16 * 1024 * 1024;

/// The pause before the first repetition; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Asks for a list without a key, once: who answers is the API.
pub(crate) fn knock(
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
    /// Where the target is, below the API's URL.
    root: &'static str,
    /// Path and query.
    target: String,
    body: Option<&'a str>,
    repeat: Repeat,
}

/// When a call may be sent again.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Whenever it failed: twice is the same as once.
    Freely,
    /// As above, but the second time torii answers 403, because the first time was enough.
    UntilGone,
    /// Only if nothing of it was sent.
    Unsent,
}

impl<'a> Call<'a> {
    /// A call that may be repeated freely.
    pub(super) fn freely(method: Method, target: String) -> Self {
        Call::new(method, target, Repeat::Freely)
    }

    /// A call after which what it is about is gone.
    pub(super) fn until_gone(method: Method, target: String) -> Self {
        Call::new(method, target, Repeat::UntilGone)
    }

    /// A call that must not be made twice.
    pub(super) fn once(method: Method, target: String) -> Self {
        Call::new(method, target, Repeat::Unsent)
    }

    fn new(method: Method, target: String, repeat: Repeat) -> Self {
        Call { method, root: ROOT, target, body: None, repeat }
    }

    /// The target is a whole path.
    pub(super) fn of_whole_path(mut self) -> Self {
        self.root = "";
        self
    }

    pub(super) fn body(mut self, body: Option<&'a str>) -> Self {
        self.body = body;
        self
    }

    fn may_follow(&self, failure: Kind) -> bool {
        match failure {
            Kind::Unsent => true,
            Kind::Limited | Kind::Lost => self.repeat != Repeat::Unsent,
            Kind::Final => false,
        }
    }

    /// Whether the answer says that an earlier attempt did what was asked.
    fn is_answered_by_gone(&self, answer: &Answer) -> bool {
        self.repeat == Repeat::UntilGone && answer.status == StatusCode::FORBIDDEN
    }
}

/// Makes calls, on the thread that asks for them.
pub(super) struct Transport {
    base: String,
    secret: Secret,
    http: Http,
    timeout: Duration,
    max_retries: u32,
}

/// Why an attempt failed.
struct Trouble {
    error: Error,
    kind: Kind,
}

/// What a failed attempt means for another one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Nothing was sent.
    Unsent,
    /// It was refused for now, and had no effect.
    Limited,
    /// It may have had an effect.
    Lost,
    /// Another attempt would end the same.
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

    /// Makes a call that is answered with JSON or with nothing, which is then null.
    pub(super) fn json_or_nothing(&self, call: &Call<'_>) -> Result<Json> {
        let answer = self.make(call)?;
        if answer.body.is_empty() { Json::parse("null") } else { self.read(&answer) }
    }

    /// Makes a call whose answer is a status and nothing else.
    pub(super) fn nothing(&self, call: &Call<'_>) -> Result<()> {
        self.make(call).map(drop)
    }

    fn read(&self, answer: &Answer) -> Result<Json> {
        let not_understood = |why: &str| not_understood(answer, why, &self.secret);
        let text = str::from_utf8(&answer.body).map_err(|_| not_understood("not UTF-8"))?;
        Json::read(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            not_understood(&format!("not JSON (line {line}, column {column})"))
        })
    }

    /// The answer to a call, once it is a success.
    fn make(&self, call: &Call<'_>) -> Result<Answer> {
        let deadline = Instant::now() + self.timeout;
        let (mut retries, mut lost) = (0, false);
        loop {
            let trouble = match self.attempt(call, deadline) {
                Ok(answer) if answer.status.is_success() => return Ok(answer),
                Ok(answer) if lost && call.is_answered_by_gone(&answer) => return Ok(answer),
                Ok(answer) => self.refusal(&answer),
                Err(trouble) => trouble,
            };
            let asked_for = Duration::from_secs(trouble.error.retry_after().unwrap_or(0));
            let pause = pause(retries).max(asked_for);
            let left = deadline.saturating_duration_since(Instant::now());
            if !call.may_follow(trouble.kind) || retries == self.max_retries || pause >= left {
                return Err(trouble.error);
            }
            retries += 1;
            lost |= trouble.kind == Kind::Lost;
            thread::sleep(pause);
        }
    }

    /// Makes a call once.
    fn attempt(&self, call: &Call<'_>, deadline: Instant) -> std::result::Result<Answer, Trouble> {
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
        let lacks = |answer: &Answer, why: &str| Trouble {
            error: not_understood(answer, why, &self.secret),
            kind: Kind::Final,
        };
        Err(match outcome {
            Ok(answer) => return Ok(answer),
            // The status says enough.
            Err(Failure::Body(answer, _)) if !answer.status.is_success() => return Ok(*answer),
            Err(Failure::Body(answer, Fault::TooLarge)) => {
                lacks(&answer, "longer than 16777216 bytes")
            }
            Err(Failure::Body(answer, Fault::Cut(why))) => {
                lacks(&answer, &format!("cut off: {why}"))
            }
            Err(Failure::Timeout | Failure::Body(_, Fault::Timeout)) => self.late(),
            Err(Failure::Unsent(_)) if Instant::now() >= deadline => self.late(),
            Err(Failure::Unsent(why)) => unreached(&format!("cannot connect: {why}"), Kind::Unsent),
            Err(Failure::Lost(why)) => unreached(&format!("no answer: {why}"), Kind::Lost),
        })
    }

    fn late(&self) -> Trouble {
        let text = format!("no answer within {} ms", self.timeout.as_millis());
        Trouble { error: Error::text(Status::Timeout, text), kind: Kind::Final }
    }

    /// What an answer means that is no success.
    fn refusal(&self, answer: &Answer) -> Trouble {
        let error = refused(answer, &self.secret);
        let kind = match answer.status {
            StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Kind::Lost,
            StatusCode::TOO_MANY_REQUESTS if error.retry_after().is_some() => Kind::Limited,
            _ => Kind::Final,
        };
        Trouble { error, kind }
    }
}

fn unreached(why: &str, kind: Kind) -> Trouble {
    Trouble { error: Error::text(Status::Transport, why.to_owned()), kind }
}

/// How long to wait before the next repetition: shorter by up to half, by chance, so
/// that those who failed together do not come back together.
fn pause(retries: u32) -> Duration {
    (FIRST_PAUSE * 2u32.pow(retries.min(10))).min(LONGEST_PAUSE).mul_f64(0.5 + jitter() / 2.0)
}
