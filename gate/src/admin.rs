//! Health, readiness and metrics, on an address that no client reaches.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{self, HeaderValue};
use hyper::{Method, Response, StatusCode};

use crate::answer::Answer;
use crate::guard::Guard;

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Answers a request of an operator.
pub(crate) fn answer(guard: &Guard, method: &Method, path: &str) -> Answer {
    let (status, kind, body) = match path {
        "/healthy" => (StatusCode::OK, TEXT, "healthy\n".to_owned()),
        "/ready" if guard.keys.at_hand() => (StatusCode::OK, TEXT, "ready\n".to_owned()),
        "/ready" => (StatusCode::SERVICE_UNAVAILABLE, TEXT, "no signing keys\n".to_owned()),
        "/metrics" => (StatusCode::OK, OPEN_METRICS, guard.metrics.text(&guard.verifier.metrics())),
        _ => (StatusCode::NOT_FOUND, TEXT, "/healthy, /ready or /metrics\n".to_owned()),
    };
    let (status, kind, body) = match *method {
        Method::GET | Method::HEAD => (status, kind, body),
        _ => (StatusCode::METHOD_NOT_ALLOWED, TEXT, "GET or HEAD\n".to_owned()),
    };
    let mut answer = Response::new(Full::new(Bytes::from(body)));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    answer
}
