//! Users.

use super::arguments::{Query, id, object};
use super::pages::Paginator;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// The users of an environment. Ids are UUIDs.
#[derive(Clone, Copy)]
pub struct Users<'a>(pub(super) &'a Transport);

impl<'a> Users<'a> {
    /// Lists a page of the users that match a filter, a JSON object; without one, of all users. A
    /// limit of 0 means the API's default. The cursor is `nextCursor` of the previous page.
    pub fn list(&self, limit: u32, cursor: Option<&str>, filter: Option<&str>) -> Result<Json> {
        let filter = filter.map(|filter| object("filter", filter)).transpose()?;
        let target = format!("/users/search{}", Query::page(limit, cursor)?);
        // A POST that only reads.
        self.0.json(&Call::idempotent(Method::POST, target).body(filter))
    }

    /// Iterates over all users that match a filter, fetched page by page.
    pub fn all(&self, filter: Option<&str>) -> Paginator<'a> {
        let (users, filter) = (*self, filter.map(str::to_owned));
        Paginator::new(move |limit, cursor| users.list(limit, cursor, filter.as_deref()))
    }

    /// Returns one user.
    pub fn get(&self, user_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, user(user_id, "")?))
    }

    /// Creates a user. Never sent twice: after [`Status::Timeout`] or [`Status::Transport`] the user
    /// may exist, unless [`unsent`](crate::Error::unsent) is true.
    ///
    /// [`Status::Timeout`]: crate::Status::Timeout
    /// [`Status::Transport`]: crate::Status::Transport
    pub fn create(&self, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::once(Method::POST, "/users".to_owned()).body(Some(body)))
    }

    /// Changes a user: a value sets a field, `null` clears it, and an absent field stays.
    pub fn update(&self, user_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PATCH, user(user_id, "")?).body(Some(body)))
    }

    /// Merges metadata into that of a user. `null` removes a key.
    pub fn update_metadata(&self, user_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PATCH, user(user_id, "/metadata")?).body(Some(body)))
    }

    /// Deletes a user. Succeeds if a retry after a lost connection finds the user deleted: torii
    /// then answers 403. After any other failure a 403 is an error.
    pub fn delete(&self, user_id: &str) -> Result<()> {
        self.0.nothing(&Call::deletion(Method::DELETE, user(user_id, "")?))
    }

    /// Bans a user and ends all sessions. Issued tokens stay valid until they expire.
    pub fn ban(&self, user_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::POST, user(user_id, "/ban")?))
    }

    /// Lifts a ban.
    pub fn unban(&self, user_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::POST, user(user_id, "/unban")?))
    }

    /// Lists a page of the organizations of a user.
    pub fn list_organizations(
        &self,
        user_id: &str,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Json> {
        let target = user(user_id, "/organizations")?;
        let query = Query::page(limit, cursor)?;
        self.0.json(&Call::idempotent(Method::GET, format!("{target}{query}")))
    }

    /// Iterates over all organizations of a user, fetched page by page.
    pub fn all_organizations(&self, user_id: &str) -> Paginator<'a> {
        let (users, user_id) = (*self, user_id.to_owned());
        Paginator::new(move |limit, cursor| users.list_organizations(&user_id, limit, cursor))
    }
}

/// The path of a user, and the rest.
fn user(user_id: &str, rest: &str) -> Result<String> {
    Ok(format!("/users/{}{rest}", id("user_id", user_id)?))
}
