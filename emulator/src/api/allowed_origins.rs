//! Allowed origins.

use std::sync::Arc;

use axum::routing::get;
use axum::{Json, Router};
use serde::{Deserialize, Serialize};

use super::body::Body;
use super::caller::Caller;
use crate::problem::Problem;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/allowed-origins", get(list).put(set))
}

#[derive(Clone, Deserialize, Serialize)]
struct Origins {
    origins: Vec<String>,
}

async fn list(caller: Caller) -> Result<Json<Origins>, Problem> {
    caller.with(|environment| Ok(Json(Origins { origins: environment.allowed_origins.clone() })))
}

async fn set(caller: Caller, Body(new): Body<Origins>) -> Result<Json<Origins>, Problem> {
    caller.with(|environment| {
        environment.allowed_origins.clone_from(&new.origins);
        Ok(Json(new))
    })
}
