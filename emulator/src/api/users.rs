//! Users.

use std::sync::Arc;

use axum::extract::Path;
use axum::http::StatusCode;
use axum::routing::{get, patch, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, from_value};
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use crate::clock;
use crate::problem::Problem;
use crate::store::metadata::{Bags, Budget, Metadata, Object};
use crate::store::user::User;
use crate::world::World;

/// The password policy.
const SHORTEST_PASSWORD: usize = 8;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new()
        .route("/users", post(create))
        .route("/users/{userId}", get(show).patch(update).delete(remove))
        .route("/users/{userId}/ban", post(ban))
        .route("/users/{userId}/unban", post(unban))
        .route("/users/{userId}/metadata", patch(update_metadata))
}

fn unknown() -> Problem {
    Problem::not_found("user")
}

/// The members of a new user that are not profile fields.
#[derive(Deserialize)]
struct NewUser {
    email: Option<String>,
    password: Option<String>,
    #[serde(flatten)]
    bags: Bags,
}

impl NewUser {
    fn check(&self) -> Result<(), Problem> {
        if self.email.as_deref().is_some_and(|email| !is_email(email)) {
            return Err(Problem::invalid("invalid_email", "This is not an email address."));
        }
        if self
            .password
            .as_ref()
            .is_some_and(|password| password.chars().count() < SHORTEST_PASSWORD)
        {
            let detail = format!("A password has at least {SHORTEST_PASSWORD} characters.");
            return Err(Problem::invalid("weak_password", detail));
        }
        Ok(())
    }
}

/// Whether the text has the shape of an email address.
pub(crate) fn is_email(text: &str) -> bool {
    let parts = text.split_once('@');
    let plain = |part: &str| !part.is_empty() && !part.contains(['@', ' ']);
    parts.is_some_and(|(local, domain)| plain(local) && plain(domain))
}

async fn create(
    caller: Caller,
    Body(body): Body<Object>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let new: NewUser = from_value(body.clone().into())
        .map_err(|error| Problem::invalid("invalid_request", error.to_string()))?;
    new.check()?;
    let metadata = Metadata::default().merged(new.bags, Budget::Together)?;
    caller.with(|environment| {
        if new.email.as_deref().is_some_and(|email| environment.knows(email)) {
            return Err(Problem::email_taken());
        }
        let mut user = User::new(environment.id, new.email, metadata);
        user.set_profile(&body);
        let view = user.view();
        environment.users.insert(user.id, user);
        Ok((StatusCode::CREATED, Json(view)))
    })
}

async fn show(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    caller.with_user(id, unknown(), |user| Ok(Json(user.view())))
}

async fn update(
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(body): Body<Object>,
) -> Result<Json<Value>, Problem> {
    let unsafe_metadata = body.get("unsafeMetadata").and_then(Value::as_object).cloned();
    let bags = Bags { unsafe_metadata, ..Bags::default() };
    caller.with_user(id, unknown(), |user| {
        user.metadata = user.metadata.merged(bags, Budget::Together)?;
        user.set_profile(&body);
        user.touch();
        Ok(Json(user.view()))
    })
}

async fn update_metadata(
    caller: Caller,
    Path(id): Path<Uuid>,
    Body(bags): Body<Bags>,
) -> Result<Json<Value>, Problem> {
    caller.with_user(id, unknown(), |user| {
        user.metadata = user.metadata.merged(bags, Budget::Together)?;
        user.touch();
        Ok(Json(user.view()))
    })
}

async fn remove(caller: Caller, Path(id): Path<Uuid>) -> Result<StatusCode, Problem> {
    caller.with_user_in(id, unknown(), |environment| {
        let user = environment.user(id);
        user.sign_out();
        user.touch();
        user.deleted_at = Some(clock::now());
        environment.leave_all(id);
        Ok(StatusCode::NO_CONTENT)
    })
}

async fn ban(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    caller.with_user(id, unknown(), |user| {
        user.banned = true;
        user.sign_out();
        user.touch();
        Ok(Json(user.view()))
    })
}

async fn unban(caller: Caller, Path(id): Path<Uuid>) -> Result<Json<Value>, Problem> {
    caller.with_user(id, unknown(), |user| {
        user.banned = false;
        user.touch();
        Ok(Json(user.view()))
    })
}
