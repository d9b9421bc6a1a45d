//! Actions of users, and settings of the dashboard.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{patch, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::input::{Input, Refusal};
use super::issuers::with;
use crate::store::invitation::InvitationEnd;
use crate::store::settings::Settings;
use crate::store::user::UserChange;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/issuers/{name}/users/{user_id}", patch(change))
        .route("/issuers/{name}/invitations/{id}/status", put(end_invitation))
        .route("/issuers/{name}/settings", put(settings))
}

async fn change(
    State(world): State<Arc<World>>,
    Path((name, user_id)): Path<(String, Uuid)>,
    Input(change): Input<UserChange>,
) -> Result<Json<Value>, Refusal> {
    let user = with(&world, &name, |environment| environment.change_user(user_id, &change))?;
    user.map(Json).map_err(|error| Refusal::bad_request(&error))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    status: InvitationEnd,
}

async fn end_invitation(
    State(world): State<Arc<World>>,
    Path((name, id)): Path<(String, Uuid)>,
    Input(end): Input<End>,
) -> Result<Json<Value>, Refusal> {
    let ended = with(&world, &name, |environment| environment.end_invitation(id, end.status))?;
    ended.map(Json).map_err(|error| Refusal::bad_request(&error))
}

async fn settings(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Input(settings): Input<Settings>,
) -> Result<StatusCode, Refusal> {
    with(&world, &name, |environment| environment.settings = settings)?;
    Ok(StatusCode::NO_CONTENT)
}
