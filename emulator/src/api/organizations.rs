//! Organizations.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use super::page::Page;
use super::user_search::contains;
use crate::environment::Environment;
use crate::problem::Problem;
use crate::store::metadata::{Bags, Budget};
use crate::store::organization::Organization;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/organizations", get(list))
        .route("/organizations/{organizationId}", get(show))
        .route("/organizations/{organizationId}/metadata", patch(update_metadata))
}

/// Finds an organization of the caller.
pub(crate) fn find(environment: &mut Environment, id: Uuid) -> Result<&mut Organization, Problem> {
    environment.organizations.get_mut(&id).ok_or_else(|| Problem::not_found("organization"))
}

#[derive(Deserialize)]
struct Filter {
    name: Option<String>,
}

async fn list(
    caller: Caller,
    page: Page,
    Query(filter): Query<Filter>,
) -> Result<Json<Value>, Problem> {
    caller.with(|environment| {
        let found = environment.organizations.values().filter(|organization| {
            filter.name.as_ref().is_none_or(|name| contains(&organization.name, name))
        });
        Ok(page.of(found.map(|organization| (organization.id, organization.view()))))
    })
}

async fn show(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    caller.with(|environment| Ok(Json(find(environment, id)?.view())))
}

async fn update_metadata(
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(bags): Body<Bags>,
) -> Result<Json<Value>, Problem> {
    let bags = bags.named()?;
    caller.with(|environment| {
        let organization = find(environment, id)?;
        organization.metadata = organization.metadata.merged(bags, Budget::Each)?;
        Ok(Json(organization.view()))
    })
}
