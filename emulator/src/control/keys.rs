//! Keys, and how the key set is served.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode};
use axum::routing::{delete, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::input::{Input, Refusal};
use super::issuers::with;
use crate::published::JwksSettings;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/issuers/{name}/keys", post(add))
        .route("/issuers/{name}/keys/{kid}", delete(remove))
        .route("/issuers/{name}/jwks", put(serve))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewKey {
    kid: Option<String>,
    #[serde(default = "yes")]
    sign: bool,
}

fn yes() -> bool {
    true
}

async fn add(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(key): Input<NewKey>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let kid = with(&world, &name, |environment| environment.keys.add(key.kid, key.sign))?;
    Ok((StatusCode::CREATED, Json(json!({ "kid": kid }))))
}

async fn remove(
    State(world): State<Arc<World>>,
    Path((name, kid)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let removed = with(&world, &name, |environment| environment.keys.unpublish(&kid))?;
    let missing = || Refusal::not_found(&format!("the key set of {name} has no key {kid:?}"));
    removed.then_some(StatusCode::NO_CONTENT).ok_or_else(missing)
}

async fn serve(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(settings): Input<JwksSettings>,
) -> Result<StatusCode, Refusal> {
    if let Some(value) = &settings.cache_control {
        HeaderValue::try_from(value).map_err(|error| Refusal::bad_request(&error))?;
    }
    with(&world, &name, |environment| environment.jwks = settings)?;
    Ok(StatusCode::NO_CONTENT)
}
