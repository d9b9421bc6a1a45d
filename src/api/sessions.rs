//! Sessions.

use super::arguments::id;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// Sessions of users.
#[derive(Clone, Copy)]
pub struct Sessions<'a>(pub(super) &'a Transport);

impl Sessions<'_> {
    /// Lists the active sessions of a user.
    pub fn list_for_user(&self, user_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, sessions(user_id)?))
    }

    /// Ends all sessions of a user.
    pub fn revoke_all_for_user(&self, user_id: &str) -> Result<()> {
        self.0.nothing(&Call::idempotent(Method::DELETE, sessions(user_id)?))
    }

    /// Ends one session of a user. Succeeds if the session has already ended.
    pub fn revoke(&self, user_id: &str, session_id: &str) -> Result<()> {
        let target = format!("{}/{}", sessions(user_id)?, id("session_id", session_id)?);
        self.0.nothing(&Call::idempotent(Method::DELETE, target))
    }
}

fn sessions(user_id: &str) -> Result<String> {
    Ok(format!("/users/{}/sessions", id("user_id", user_id)?))
}
