//! One request and its answer: recorded, then handled or subjected to a fault.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{StatusCode, request};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use tokio::time::{sleep, timeout};
use tower_service::Service;

use super::distort::{distort, fixed_answer};
use super::raw_reply::RawReply;
use crate::fault::{FaultKind, Strike};
use crate::log;
use crate::world::World;

/// The longest body, in bytes: more than any answer or request of the service.
const BODY_LIMIT: usize = 16 << 20;

/// Whether a path belongs to the test and not to the service.
pub(crate) fn is_control(path: &str) -> bool {
    path.starts_with("/_emulator/")
}

/// Returns the answer to a request, or bytes to write to the connection instead.
pub(crate) async fn answer(
    request: Request<Incoming>,
    connection: u64,
    world: Arc<World>,
    routes: Router,
) -> Result<Response, RawReply> {
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), BODY_LIMIT).await else {
        return Ok(StatusCode::PAYLOAD_TOO_LARGE.into_response());
    };
    let path = head.uri.path();
    if is_control(path) {
        return Ok(route(head, body, routes).await);
    }
    // In this order: a request that has been counted is held already, so a test may release it.
    let strike = world.faults.strike(head.method.as_str(), path);
    world.log.record(logged(&head, &body, connection));
    let Some(Strike { kind, mut cleared, released }) = strike else {
        return Ok(route(head, body, routes).await);
    };
    match kind {
        FaultKind::Hang { ms } => {
            let limit = Duration::from_millis(ms.unwrap_or(u64::MAX));
            // Cleared, timed out, or the emulator has stopped: close the connection.
            let _ = timeout(limit, cleared.changed()).await;
            Err(RawReply::default())
        }
        FaultKind::Hold { handled } => {
            let released = released.expect("every held request can be released");
            if handled {
                let answer = route(head, body, routes).await;
                released.await.map_err(|_| RawReply::default())?;
                return Ok(answer);
            }
            released.await.map_err(|_| RawReply::default())?;
            Ok(route(head, body, routes).await)
        }
        FaultKind::Delay { ms } => {
            sleep(Duration::from_millis(ms)).await;
            Ok(route(head, body, routes).await)
        }
        FaultKind::Raw { text } => Err(RawReply::text(&text)),
        FaultKind::Close { handled: false } => Err(RawReply::default()),
        FaultKind::Reset { handled: false } => Err(RawReply::reset()),
        FaultKind::Status { status, headers, body, handled: false } => {
            Ok(fixed_answer(status, &headers, body))
        }
        kind => {
            let (head, body) = route(head, body, routes).await.into_parts();
            let body = to_bytes(body, BODY_LIMIT).await.expect("an answer of this server");
            distort(kind, head, body)
        }
    }
}

async fn route(head: request::Parts, body: Bytes, mut routes: Router) -> Response {
    match routes.call(Request::from_parts(head, Body::from(body))).await {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

fn logged(head: &request::Parts, body: &[u8], connection: u64) -> log::Request {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    log::Request {
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: (head.headers.iter())
            .map(|(name, value)| (name.to_string(), text(value.as_bytes())))
            .collect(),
        body: text(body),
        connection,
    }
}
