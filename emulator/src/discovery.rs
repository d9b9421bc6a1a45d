//! The OpenID Connect discovery document of an issuer.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::environment::Environment;
use crate::problem::Problem;
use crate::published::Spelling;
use crate::world::World;

/// The routes of all issuers.
pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/{issuer}/.well-known/openid-configuration", get(serve))
}

async fn serve(
    State(world): State<Arc<World>>,
    Path(issuer): Path<String>,
) -> Result<Response, Problem> {
    let response = world.with(&issuer, |environment| response(environment));
    response.ok_or_else(|| Problem::not_found("issuer"))
}

fn response(environment: &Environment) -> Response {
    match &environment.discovery.body {
        Some(Value::String(text)) => {
            ([(header::CONTENT_TYPE, "application/json")], text.clone()).into_response()
        }
        Some(json) => Json(json.clone()).into_response(),
        None => Json(document(environment)).into_response(),
    }
}

/// The real document: the members that torii's API reference shows.
fn document(environment: &Environment) -> Value {
    let issuer = &environment.issuer;
    let jwks_uri = environment.jwks_url();
    match environment.discovery.spelling {
        Spelling::SnakeCase => json!({
            "issuer": issuer,
            "jwks_uri": jwks_uri,
            "response_types_supported": ["id_token"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        }),
        Spelling::CamelCase => json!({
            "issuer": issuer,
            "jwksUri": jwks_uri,
            "responseTypesSupported": ["id_token"],
            "subjectTypesSupported": ["public"],
            "idTokenSigningAlgValuesSupported": ["ES256"],
        }),
    }
}
