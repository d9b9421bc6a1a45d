//! Organizations and their members.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use uuid::Uuid;

use super::input::{Input, Refusal};
use super::issuers::with;
use crate::store::organization::{NewMember, NewOrganization};
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/issuers/{name}/organizations", post(create))
        .route("/issuers/{name}/organizations/{id}/members", post(add_member))
}

async fn create(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(new): Input<NewOrganization>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let organization = with(&world, &name, |environment| environment.add_organization(new).view())?;
    Ok((StatusCode::CREATED, Json(organization)))
}

async fn add_member(
    State(world): State<Arc<World>>,
    Path((name, id)): Path<(String, Uuid)>,
    Input(new): Input<NewMember>,
) -> Result<(StatusCode, Json<Value>), Refusal> {
    let member = with(&world, &name, |environment| environment.add_member(id, new))?;
    let member = member.map_err(|error| Refusal::bad_request(&error))?;
    Ok((StatusCode::CREATED, Json(member)))
}
