//! Violations of the contract.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};

use crate::contract::Violation;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/violations", get(list).delete(clear))
}

async fn list(State(world): State<Arc<World>>) -> Json<Vec<Violation>> {
    Json(world.violations.list())
}

async fn clear(State(world): State<Arc<World>>) -> StatusCode {
    world.violations.clear();
    StatusCode::NO_CONTENT
}
