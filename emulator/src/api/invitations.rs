//! Invitations.

use std::sync::Arc;

use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use super::page::Page;
use super::user_search::contains;
use super::users::is_email;
use crate::environment::Environment;
use crate::problem::Problem;
use crate::store::invitation::Invitation;
use crate::store::metadata::{Bags, Budget, Metadata};
use crate::store::settings::take;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/invitations", get(list).post(create))
        .route("/invitations/{invitationId}", get(show).patch(update_metadata).delete(revoke))
        .route("/invitations/{invitationId}/resend", post(resend))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct NewInvitation {
    email: String,
    expires_in_days: Option<i32>,
    #[serde(flatten)]
    bags: Bags,
}

async fn create(
    caller: Caller,
    Body(new): Body<NewInvitation>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    if !is_email(&new.email) {
        return Err(Problem::invalid("invalid_email", "This is not an email address."));
    }
    let days = u32::try_from(new.expires_in_days.unwrap_or(7)).ok().filter(|days| *days > 0);
    let days = days.ok_or_else(|| Problem::invalid("invalid_expiry", "Not a number of days."))?;
    let metadata = Metadata::default().merged(new.bags.named()?, Budget::Each)?;
    caller.with(|environment| {
        if environment.settings.sign_up_url.is_none() {
            return Err(Problem::invalid("no_sign_up_url", "There is no sign-up URL."));
        }
        if environment.knows(&new.email) {
            return Err(Problem::email_taken());
        }
        if !take(&mut environment.settings.invitation_quota) {
            return Err(Problem::rate_limited(environment.settings.retry_after));
        }
        let invitation = Invitation::new(environment.id, new.email, days, metadata);
        let view = invitation.view();
        environment.invitations.insert(invitation.id, invitation);
        Ok((StatusCode::CREATED, Json(view)))
    })
}

async fn list(
    caller: Caller,
    page: Page,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<Value>, Problem> {
    let values = |wanted: &str| -> Vec<&str> {
        let named = query.iter().filter(|(name, _)| name == wanted);
        named.map(|(_, value)| value.as_str()).collect()
    };
    let (statuses, search) = (values("status"), values("search"));
    caller.with(|environment| {
        let found = environment.invitations.values().filter(|invitation| {
            (statuses.is_empty() || statuses.contains(&invitation.status()))
                && search.iter().all(|part| contains(&invitation.email, part))
        });
        Ok(page.of(found.map(|invitation| (invitation.id, invitation.view()))))
    })
}

fn find(environment: &mut Environment, id: Uuid) -> Result<&mut Invitation, Problem> {
    environment.invitations.get_mut(&id).ok_or_else(|| Problem::not_found("invitation"))
}

async fn show(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    caller.with(|environment| Ok(Json(find(environment, id)?.detail())))
}

async fn update_metadata(
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(bags): Body<Bags>,
) -> Result<Json<Value>, Problem> {
    let bags = bags.named()?;
    caller.with(|environment| {
        let invitation = find(environment, id)?.pending()?;
        invitation.metadata = invitation.metadata.merged(bags, Budget::Each)?;
        Ok(Json(invitation.detail()))
    })
}

/// Revoking again changes nothing; an invitation that ended in another way cannot be revoked.
async fn revoke(caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    caller.with(|environment| {
        let invitation = find(environment, id)?;
        if invitation.status() != "REVOKED" {
            invitation.pending()?.revoke();
        }
        Ok(StatusCode::OK)
    })
}

async fn resend(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    caller.with(|environment| Ok(Json(find(environment, id)?.pending()?.view())))
}
