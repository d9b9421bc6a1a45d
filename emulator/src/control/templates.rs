//! JWT templates and the discovery document.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::put;

use super::input::{Input, Refusal};
use super::issuers::with;
use crate::published::DiscoverySettings;
use crate::store::template::Template;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/issuers/{name}/templates/{template}", put(set).delete(remove))
        .route("/issuers/{name}/discovery", put(discovery))
}

async fn set(
    State(world): State<Arc<World>>,
    Path((name, template_name)): Path<(String, String)>,
    Input(template): Input<Template>,
) -> Result<StatusCode, Refusal> {
    let set = with(&world, &name, |environment| environment.set_template(&template_name, template));
    set?.map_err(|error| Refusal::bad_request(&error))?;
    Ok(StatusCode::NO_CONTENT)
}

async fn remove(
    State(world): State<Arc<World>>,
    Path((name, template)): Path<(String, String)>,
) -> Result<StatusCode, Refusal> {
    let removed = with(&world, &name, |environment| environment.templates.remove(&template))?;
    let missing = || Refusal::not_found(&format!("{name} has no template {template:?}"));
    removed.map(|_| StatusCode::NO_CONTENT).ok_or_else(missing)
}

async fn discovery(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(settings): Input<DiscoverySettings>,
) -> Result<StatusCode, Refusal> {
    with(&world, &name, |environment| environment.discovery = settings)?;
    Ok(StatusCode::NO_CONTENT)
}
