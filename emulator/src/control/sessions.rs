//! Sign-ins.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Input, Refusal};
use super::issuers::with;
use crate::mint::Mint;
use crate::store::session::{NewSession, Session};
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/issuers/{name}/sessions", post(sign_in))
        .route("/issuers/{name}/impersonations", post(impersonate))
}

async fn sign_in(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(new): Input<NewSession>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let session = with(&world, &name, |environment| environment.sign_in(new))?;
    signed_in(&world, &name, session)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Redeem {
    token: String,
}

async fn impersonate(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(redeem): Input<Redeem>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let session = with(&world, &name, |environment| environment.impersonate(&redeem.token))?;
    signed_in(&world, &name, session)
}

/// Returns the session and a token for it; no token if the session has already ended.
fn signed_in(
    world: &World,
    name: &str,
    session: Result<Session, String>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let session = session.map_err(|error| Refusal::bad_request(&error))?;
    let token = world.mint(name, &Mint::new().for_session(session.id)).ok();
    Ok((StatusCode::CREATED, Json(json!({ "session": session, "token": token }))))
}
