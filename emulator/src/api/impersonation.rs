//! Impersonation tokens.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::Uri;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use crate::environment::Environment;
use crate::ids;
use crate::problem::Problem;
use crate::store::impersonation::Impersonation;
use crate::store::settings::take;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/users/{userId}/impersonation-token", post(create))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewToken {
    actor_user_id: Uuid,
    redirect_url: Option<String>,
    expires_in_seconds: Option<i64>,
}

async fn create(
    caller: Caller,
    Path(user_id): Path<Uuid>,
    Body(new): Body<NewToken>,
) -> Result<Json<Value>, Problem> {
    caller.with(|environment| {
        if !environment.settings.impersonation_enabled {
            return Err(Problem::impersonation_disabled());
        }
        let status = |id| environment.users.get(&id).map(|user| user.deleted_at.is_some());
        match (status(user_id), status(new.actor_user_id)) {
            (None, _) | (_, None | Some(true)) => return Err(Problem::forbidden()),
            (Some(true), _) => {
                return Err(Problem::invalid("user_deleted", "The user is deleted."));
            }
            (Some(false), Some(false)) => {}
        }
        if let Some(url) = &new.redirect_url {
            allowed(environment, url)?;
        }
        if !take(&mut environment.settings.impersonation_quota) {
            return Err(Problem::quota());
        }
        let lands = new.redirect_url.or_else(|| environment.settings.landing_url.clone());
        let token = ids::secret("imp_");
        let seconds = new.expires_in_seconds.unwrap_or(600);
        let impersonation = Impersonation::new(user_id, new.actor_user_id, seconds);
        environment.impersonations.insert(token.clone(), impersonation);
        let url = lands.map(|_| format!("{}/_torii/impersonate?token={token}", environment.issuer));
        Ok(Json(json!({ "token": token, "expiresInSeconds": seconds, "url": url })))
    })
}

/// Whether the origin of the URL is one of the environment's.
fn allowed(environment: &Environment, url: &str) -> Result<(), Problem> {
    let invalid = || Problem::invalid("invalid_redirect", "The redirectUrl is not allowed.");
    let without_fragment = url.split('#').next().unwrap_or_default();
    let uri: Uri = without_fragment.parse().map_err(|_| invalid())?;
    let origin = uri.scheme_str().zip(uri.authority());
    let (scheme, authority) = origin.ok_or_else(invalid)?;
    let origin = format!("{scheme}://{authority}");
    environment.allowed_origins.contains(&origin).then_some(()).ok_or_else(invalid)
}
