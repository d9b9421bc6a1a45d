//! The control API: JSON below `/_emulator/`.

mod faults;
mod input;
mod issuers;
mod keys;
mod organizations;
mod requests;
mod sessions;
mod templates;
mod users;
mod violations;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;

use self::input::Refusal;
use crate::world::World;

/// All its routes.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .merge(issuers::routes())
        .merge(keys::routes())
        .merge(faults::routes())
        .merge(requests::routes())
        .merge(users::routes())
        .merge(sessions::routes())
        .merge(templates::routes())
        .merge(organizations::routes())
        .merge(violations::routes())
        .route("/reset", post(reset))
        .fallback(async || Refusal::not_found("the control API has no such path"))
}

async fn reset(State(world): State<Arc<World>>) -> StatusCode {
    world.reset();
    StatusCode::NO_CONTENT
}
