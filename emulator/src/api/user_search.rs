//! The search for users.

use std::sync::Arc;

use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use uuid::Uuid;

use super::body::Body;
use super::caller::Caller;
use super::page::Page;
use crate::environment::Environment;
use crate::problem::Problem;
use crate::store::user::User;
use crate::world::World;

pub(crate) fn routes() -> Router<Arc<World>> {
    Router::new().route("/users/search", post(search))
}

/// The filters; a user has to pass them all. Without filters all users do, deleted ones too.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Filters {
    #[serde(deserialize_with = "present")]
    name: Option<Option<String>>,
    user_ids: Option<Vec<Uuid>>,
    email_addresses: Option<Vec<String>>,
    email: Option<String>,
    statuses: Option<Vec<String>>,
    created_after: Option<Timestamp>,
    created_before: Option<Timestamp>,
    organization_id: Option<Uuid>,
}

/// Tells a null from a missing member.
fn present<'de, D: Deserializer<'de>>(member: D) -> Result<Option<Option<String>>, D::Error> {
    Option::deserialize(member).map(Some)
}

impl Filters {
    fn pass(&self, user: &User, environment: &Environment) -> bool {
        fn all<T>(filter: Option<&T>, test: impl FnOnce(&T) -> bool) -> bool {
            filter.is_none_or(test)
        }
        let email = self.email.as_ref().filter(|email| !email.trim().is_empty());
        all(self.name.as_ref(), |name| match name {
            Some(name) => user.name().is_some_and(|own| contains(&own, name)),
            None => user.name().is_none(),
        }) && all(self.user_ids.as_ref(), |ids| ids.contains(&user.id))
            && all(self.email_addresses.as_ref(), |emails| {
                emails.iter().any(|one| user.has_email(one))
            })
            && all(email, |email| user.email.as_ref().is_some_and(|own| contains(own, email)))
            && all(self.statuses.as_ref(), |statuses| {
                statuses.iter().any(|one| one == user.status())
            })
            && all(self.created_after.as_ref(), |after| user.created_at >= *after)
            && all(self.created_before.as_ref(), |before| user.created_at <= *before)
            && all(self.organization_id.as_ref(), |id| environment.is_member(*id, user.id))
    }
}

/// Whether a text contains another, ignoring case.
pub(crate) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(&part.to_lowercase())
}

async fn search(
    caller: Caller,
    page: Page,
    Body(filters): Body<Filters>,
) -> Result<Json<Value>, Problem> {
    caller.with(|environment| {
        let users = environment.users.values();
        let found = users.filter(|user| filters.pass(user, environment));
        Ok(page.of(found.map(|user| (user.id, user.view()))))
    })
}
