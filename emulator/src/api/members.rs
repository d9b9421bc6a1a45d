//! Memberships: of an organization, and of a user.

use std::sync::Arc;

use axum::extract::Path;
use axum::routing::{get, patch};
use axum::{Json, Router};
use serde_json::Value;
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use super::organizations::find;
use super::page::Page;
use crate::problem::Problem;
use crate::store::metadata::{Bags, Budget};
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/organizations/{organizationId}/members", get(of_organization))
        .route(
            "/organizations/{organizationId}/members/{memberUserId}/metadata",
            patch(update_metadata),
        )
        .route("/users/{userId}/organizations", get(of_user))
}

async fn of_organization(
    caller: Caller,
    Path(id): Path<Uuid>,
    page: Page,
) -> Result<Json<Value>, Problem> {
    caller.with(|environment| {
        let members = find(environment, id)?.members.iter();
        Ok(page.of(members.map(|(user_id, member)| (*user_id, member.view(id, *user_id)))))
    })
}

async fn update_metadata(
    caller: Caller,
    Path((id, user_id)): Path<(Uuid, Uuid)>,
    Body(bags): Body<Bags>,
) -> Result<Json<Value>, Problem> {
    let bags = bags.named()?;
    caller.with(|environment| {
        let member = find(environment, id)?.members.get_mut(&user_id);
        let member = member.ok_or_else(|| Problem::not_found("member"))?;
        member.metadata = member.metadata.merged(bags, Budget::Each)?;
        Ok(Json(member.view(id, user_id)))
    })
}

/// An unknown user is as forbidden as a foreign one.
async fn of_user(
    caller: Caller,
    Path(user_id): Path<Uuid>,
    page: Page,
) -> Result<Json<Value>, Problem> {
    caller.with_user_in(user_id, Problem::forbidden(), |environment| {
        let organizations = environment.organizations.values();
        let joined = organizations
            .filter_map(|organization| Some((organization.id, organization.view_for(user_id)?)));
        Ok(page.of(joined))
    })
}
