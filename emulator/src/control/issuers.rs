//! Issuers and their tokens.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Input, Refusal};
use crate::environment::{Environment, IssuerInfo};
use crate::mint::Mint;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/issuers", post(create))
        .route("/issuers/{name}", get(show))
        .route("/issuers/{name}/tokens", post(mint))
        .route("/issuers/{name}/signatures", post(sign))
}

/// Runs `f` on an environment, or says that there is none of that name.
pub(crate) fn with<R>(
    world: &World,
    name: &str,
    f: impl FnOnce(&mut Environment) -> R,
) -> Result<R, Refusal> {
    let result = world.with(name, f);
    result.ok_or_else(|| Refusal::not_found(&format!("there is no issuer named {name:?}")))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewIssuer {
    name: String,
}

async fn create(
    State(world): State<Arc<World>>,
    Input(new): Input<NewIssuer>,
) -> Result<(StatusCode, Json<IssuerInfo>), Refusal> {
    let info = world.create(&new.name).map_err(|error| Refusal::bad_request(&error))?;
    Ok((StatusCode::CREATED, Json(info)))
}

async fn show(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
) -> Result<Json<IssuerInfo>, Refusal> {
    with(&world, &name, |environment| Json(environment.info()))
}

async fn mint(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(mint): Input<Mint>,
) -> Result<Json<Value>, Refusal> {
    with(&world, &name, |_| ())?;
    let token = world.mint(&name, &mint).map_err(|error| Refusal::bad_request(&error))?;
    Ok(Json(json!({ "token": token })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ToSign {
    input: String,
}

async fn sign(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(to_sign): Input<ToSign>,
) -> Result<Json<Value>, Refusal> {
    let signature =
        with(&world, &name, |environment| environment.keys.current().sign(&to_sign.input))?;
    Ok(Json(json!({ "signature": signature })))
}
