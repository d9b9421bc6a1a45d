//! The request log.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::input::Refusal;
use crate::log::{LogState, Request};
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/requests", get(show).delete(clear))
}

/// Which requests to show, and how many to wait for.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Selection {
    path: String,
    at_least: u64,
    timeout_ms: u64,
}

impl Default for Selection {
    fn default() -> Self {
        Self { path: "/".to_owned(), at_least: 0, timeout_ms: 5000 }
    }
}

async fn show(
    State(world): State<Arc<World>>,
    selection: Result<Query<Selection>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Refusal> {
    let Query(selection) = selection.map_err(|error| Refusal::bad_request(&error))?;
    let Selection { path, at_least, timeout_ms } = selection;
    let shown = spawn_blocking(move || {
        world.log.wait(&path, at_least, Duration::from_millis(timeout_ms));
        world.log.read(|log| Json(view(log, &path)))
    });
    Ok(shown.await.expect("the log's own thread"))
}

fn view(log: &LogState, path: &str) -> Value {
    let counts: Vec<Value> = (log.counts.iter())
        .filter(|((_, seen), _)| seen.starts_with(path))
        .map(|((method, path), count)| json!({ "method": method, "path": path, "count": count }))
        .collect();
    let requests: Vec<&Request> =
        log.requests.iter().filter(|request| request.path.starts_with(path)).collect();
    json!({
        "total": log.count(path),
        "counts": counts,
        "connections": { "accepted": log.accepted, "open": log.open },
        "requests": requests,
    })
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.log.clear();
    StatusCode::NO_CONTENT
}
