//! Sessions of a user. There is no 404: an unknown user is as forbidden as a foreign one.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{delete, get};
use axum::{Json, Router};
use uuid::Uuid;

use super::caller::Caller;
use crate::problem::Problem;
use crate::store::session::Session;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/users/{userId}/sessions", get(list).delete(revoke_all))
        .route("/users/{userId}/sessions/{sessionId}", delete(revoke))
}

async fn list(caller: Caller, Path(user_id): Path<Uuid>) -> Result<Json<Vec<Session>>, Problem> {
    caller.with_user(user_id, Problem::forbidden(), |user| {
        let mut active: Vec<Session> =
            user.sessions.iter().filter(|session| session.is_active()).cloned().collect();
        active.sort_by_key(|session| Reverse((session.last_used_at, session.id)));
        Ok(Json(active))
    })
}

async fn revoke_all(caller: Caller, Path(user_id): Path<Uuid>) -> Result<StatusCode, Problem> {
    caller.with_user(user_id, Problem::forbidden(), |user| {
        user.sign_out();
        Ok(StatusCode::NO_CONTENT)
    })
}

async fn revoke(
    caller: Caller,
    Path((user_id, session_id)): Path<(Uuid, Uuid)>,
) -> Result<StatusCode, Problem> {
    caller.with_user(user_id, Problem::forbidden(), |user| {
        let session = user.sessions.iter_mut().find(|session| session.id == session_id);
        session.ok_or_else(Problem::forbidden)?.revoked = true;
        Ok(StatusCode::NO_CONTENT)
    })
}
