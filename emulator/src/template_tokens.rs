//! Template tokens, which the issuer issues to signed-in users for third parties.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, header};
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;

use crate::problem::Problem;
use crate::world::World;

/// The routes of all issuers.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/{issuer}/_torii/auth/session/token", post(issue))
}

#[derive(Deserialize)]
struct Wanted {
    template: Option<String>,
}

async fn issue(
    State(world): State<Arc<World>>,
    Path(issuer): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Json<Value>, Problem> {
    let credentials = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = credentials.and_then(|text| text.split_once(' ')).unwrap_or_default();
    let token = if scheme.eq_ignore_ascii_case("bearer") { token.trim() } else { "" };
    let issued = world.with(&issuer, |environment| {
        let claims = environment.session_token_claims(token).ok_or_else(Problem::signed_out)?;
        let name = wanted.template.as_deref().unwrap_or_default();
        let template = environment.templates.get(name);
        let template = template.ok_or_else(|| Problem::not_found("template"))?;
        Ok(Json(environment.template_token(template, &claims)))
    });
    issued.unwrap_or_else(|| Err(Problem::not_found("issuer")))
}
