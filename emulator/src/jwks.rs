//! The key set of an issuer, as it is served.

use std::fmt::Write;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::Value;

use crate::environment::Environment;
use crate::problem::Problem;
use crate::world::World;

/// The routes of all issuers.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/{issuer}/_torii/.well-known/jwks.json", get(serve))
}

async fn serve(
    State(world): State<Arc<World>>,
    Path(issuer): Path<String>,
    request: HeaderMap,
) -> Response {
    let answer = world.with(&issuer, |environment| answer(environment, &request));
    answer.ok_or_else(|| Problem::not_found("issuer")).into_response()
}

fn answer(environment: &Environment, request: &HeaderMap) -> Response {
    let settings = &environment.jwks;
    let body = match &settings.body {
        Some(Value::String(text)) => text.clone(),
        Some(json) => json.to_string(),
        None => environment.keys.jwks().to_string(),
    };
    let mut headers = HeaderMap::new();
    if let Some(value) = &settings.cache_control {
        headers.insert(header::CACHE_CONTROL, value.parse().expect("checked when it was set"));
    }
    if let Some(seconds) = settings.age {
        headers.insert(header::AGE, seconds.into());
    }
    if settings.etag {
        let etag = etag(&body);
        let known =
            request.get(header::IF_NONE_MATCH).is_some_and(|sent| names(sent.as_bytes(), &etag));
        headers.insert(header::ETAG, etag.parse().expect("an entity tag"));
        if known {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
    }
    headers.insert(header::CONTENT_TYPE, "application/json".parse().expect("a media type"));
    (headers, body).into_response()
}

/// A strong entity tag over the body.
fn etag(body: &str) -> String {
    let digest = digest(&SHA256, body.as_bytes());
    let hex = digest.as_ref()[..16].iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("writing to a string");
        hex
    });
    format!("\"{hex}\"")
}

/// Whether an `If-None-Match` value names the entity tag.
fn names(if_none_match: &[u8], etag: &str) -> bool {
    String::from_utf8_lossy(if_none_match)
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == etag)
}
