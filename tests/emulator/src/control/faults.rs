//! Faults.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};

use super::input::{Input, Refusal};
use crate::fault::Fault;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/faults", get(list).post(add).delete(clear))
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
