//! Sessions.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{clock, ids};

/// One session, as the service answers it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Session {
    pub(crate) id: Uuid,
    user_id: Uuid,
    environment_id: Uuid,
    user_agent: Option<String>,
    ip_address: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    pub(crate) last_used_at: Timestamp,
    pub(crate) active_organization_id: Option<Uuid>,
    pub(crate) impersonated_by: Option<Uuid>,
    #[serde(skip)]
    pub(crate) revoked: bool,
}

/// A session to create.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// The user.
    pub user_id: Uuid,
    /// Seconds until the session ends; 30 days by default, negative for one that has ended. An
    /// impersonated session ends after an hour at the latest.
    #[serde(default = "thirty_days")]
    pub expires_in: i64,
    /// The browser.
    #[serde(default)]
    pub user_agent: Option<String>,
    /// The address it comes from.
    #[serde(default)]
    pub ip_address: Option<String>,
    /// The organization the session acts for, the `o` of its tokens.
    #[serde(default)]
    pub active_organization_id: Option<Uuid>,
    /// The impersonator.
    #[serde(default)]
    pub impersonated_by: Option<Uuid>,
}

/// How long an impersonated session lasts at most, in seconds.
const LONGEST_IMPERSONATION: i64 = 3600;

fn thirty_days() -> i64 {
    30 * 24 * 3600
}

impl NewSession {
    /// A plain sign-in of a user.
    #[must_use]
    pub fn of(user_id: Uuid) -> Self {
        Self {
            user_id,
            expires_in: thirty_days(),
            user_agent: None,
            ip_address: None,
            active_organization_id: None,
            impersonated_by: None,
        }
    }
}

impl Session {
    /// Signs in, now.
    pub(crate) fn new(environment_id: Uuid, new: NewSession) -> Self {
        let now = clock::now();
        let expires_in = match new.impersonated_by {
            Some(_) => new.expires_in.min(LONGEST_IMPERSONATION),
            None => new.expires_in,
        };
        Self {
            id: ids::ordered(),
            user_id: new.user_id,
            environment_id,
            user_agent: new.user_agent,
            ip_address: new.ip_address,
            created_at: now,
            expires_at: now
                .saturating_add(SignedDuration::from_secs(expires_in))
                .expect("a time span"),
            last_used_at: now,
            active_organization_id: new.active_organization_id,
            impersonated_by: new.impersonated_by,
            revoked: false,
        }
    }

    /// Whether it is neither revoked nor expired.
    pub(crate) fn is_active(&self) -> bool {
        !self.revoked && self.expires_at > clock::now()
    }
}
