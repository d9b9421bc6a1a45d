//! Faults.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Input, Refusal};
use crate::fault::Fault;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/faults", get(list).post(add).delete(clear))
        .route("/faults/release", post(release))
}

async fn list(State(world): State<Arc<World>>) -> Json<Vec<Fault>> {
    Json(world.faults.list())
}

async fn add(
    State(world): State<Arc<World>>,
    Input(fault): Input<Fault>,
) -> Result<StatusCode, Refusal> {
    world.faults.add(fault).map_err(|error| Refusal::bad_request(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.faults.clear();
    StatusCode::NO_CONTENT
}

/// Which held requests to release.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    #[serde(default)]
    path: String,
}

async fn release(
    State(world): State<Arc<World>>,
    Input(selection): Input<Selection>,
) -> Json<Value> {
    Json(json!({ "released": world.faults.release(&selection.path) }))
}
