//! Errors from the API's answers (problem details, RFC 9457, in torii's form).

use std::time::SystemTime;

use serde_json::Value;

use super::secret::Secret;
use crate::error::{Answer as Account, Error, Status};
use crate::http::{Answer, StatusCode};
use crate::text::NulString;

/// How much of an answer's body an error keeps, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The longest message, in characters.
const MAX_MESSAGE: usize = 500;

/// The error for an answer whose status is not a success.
pub(super) fn api_error(answer: &Answer, secret: &Secret) -> Error {
    let body = readable(&answer.body, secret);
    let problem: Value = serde_json::from_str(&body).unwrap_or_default();
    let members = Some(&problem);
    let properties = problem.get("properties");
    let text = |members, names: &[&str]| text(members, names, secret);
    let message = match text(members, &["detail", "title", "message"]) {
        _ if answer.status.is_redirection() => {
            format!("{}: redirects are not followed", named(answer.status))
        }
        Some(told) => told,
        None => named(answer.status),
    };
    let code = text(members, &["code"]).or_else(|| text(properties, &["code"]));
    let support_id = ["supportId", "support_id"];
    let support_id = text(members, &support_id).or_else(|| text(properties, &support_id));
    let error = Error::answer(
        Status::Api,
        Account {
            http_status: answer.status.as_u16(),
            message,
            code: code.as_deref().map(NulString::new),
            support_id: support_id.as_deref().map(NulString::new),
            body: NulString::new(cut(&body)),
        },
    );
    match retry_after(answer) {
        Some(seconds) => error.after(seconds),
        None => error,
    }
}

/// The error for a successful answer with an unusable body.
pub(super) fn invalid_response(answer: &Answer, why: &str, secret: &Secret) -> Error {
    let account = Account {
        http_status: answer.status.as_u16(),
        message: format!("{}: {why}", named(answer.status)),
        code: None,
        support_id: None,
        body: NulString::new(cut(&readable(&answer.body, secret))),
    };
    Error::answer(Status::Response, account)
}

/// The first of these members that is a string and not blank, without the secret key.
fn text(members: Option<&Value>, names: &[&str], secret: &Secret) -> Option<String> {
    let strings = names.iter().filter_map(|name| members?.get(name)?.as_str());
    // Redacted before it is cut, or a part of the key could stay at the end.
    let mut texts = strings.map(|text| one_line(&secret.redact(text.to_owned())));
    texts.find(|text| !text.is_empty())
}

/// `torii 404 Not Found`.
fn named(status: StatusCode) -> String {
    match status.canonical_reason() {
        Some(reason) => format!("torii {} {reason}", status.as_u16()),
        None => format!("torii {}", status.as_u16()),
    }
}

/// The body as text without U+0000, which would end it for C, and without the secret key.
fn readable(body: &[u8], secret: &Secret) -> String {
    secret.redact(String::from_utf8_lossy(body).replace('\0', "\u{fffd}"))
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_BODY);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(MAX_MESSAGE).collect::<String>().trim().to_owned()
}

/// `Retry-After` in seconds, given as such or as a date (RFC 9110 §10.2.3).
fn retry_after(answer: &Answer) -> Option<u64> {
    let text = answer.header("retry-after")?.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().ok();
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let left = date.duration_since(SystemTime::now()).unwrap_or_default();
    Some(left.as_secs() + u64::from(left.subsec_nanos() > 0))
}
