//! Unused impersonation tokens.

use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::clock;

/// An unused impersonation token.
pub(crate) struct Impersonation {
    pub(crate) user_id: Uuid,
    pub(crate) actor_user_id: Uuid,
    expires_at: Timestamp,
}

impl Impersonation {
    /// A token that expires after this number of seconds.
    pub(crate) fn new(user_id: Uuid, actor_user_id: Uuid, seconds: i64) -> Self {
        let lifetime = SignedDuration::from_secs(seconds);
        let expires_at = clock::now().saturating_add(lifetime).expect("a time span");
        Self { user_id, actor_user_id, expires_at }
    }

    /// Whether it has expired.
    pub(crate) fn is_expired(&self) -> bool {
        self.expires_at <= clock::now()
    }
}
