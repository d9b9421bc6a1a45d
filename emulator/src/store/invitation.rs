//! Invitations.

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::metadata::Metadata;
use crate::problem::Problem;
use crate::{clock, ids};

/// One invitation.
pub(crate) struct Invitation {
    pub(crate) id: Uuid,
    environment_id: Uuid,
    pub(crate) email: String,
    created_at: Timestamp,
    expires_at: Timestamp,
    accepted_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
    pub(crate) metadata: Metadata,
}

/// How an invitation ends without the server API.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "UPPERCASE")]
pub enum InvitationEnd {
    /// The invited one signs up, and becomes a user with a verified email.
    Accepted,
    /// It was not accepted in time.
    Expired,
}

impl Invitation {
    /// A new invitation that expires after this number of days.
    pub(crate) fn new(environment_id: Uuid, email: String, days: u32, metadata: Metadata) -> Self {
        let now = clock::now();
        let days = SignedDuration::from_hours(24 * i64::from(days));
        Self {
            id: ids::ordered(),
            environment_id,
            email,
            created_at: now,
            expires_at: now.saturating_add(days).expect("a time span"),
            accepted_at: None,
            revoked_at: None,
            metadata,
        }
    }

    /// `PENDING`, `ACCEPTED`, `REVOKED` or `EXPIRED`.
    pub(crate) fn status(&self) -> &'static str {
        if self.accepted_at.is_some() {
            "ACCEPTED"
        } else if self.revoked_at.is_some() {
            "REVOKED"
        } else if self.expires_at <= clock::now() {
            "EXPIRED"
        } else {
            "PENDING"
        }
    }

    /// For what only a pending invitation allows.
    pub(crate) fn pending(&mut self) -> Result<&mut Self, Problem> {
        match self.status() {
            "PENDING" => Ok(self),
            status => Err(Problem::invitation_not_pending(status)),
        }
    }

    /// Takes it back.
    pub(crate) fn revoke(&mut self) {
        self.revoked_at = Some(clock::now());
    }

    /// Ends it in another way.
    pub(crate) fn end(&mut self, end: InvitationEnd) {
        match end {
            InvitationEnd::Accepted => self.accepted_at = Some(clock::now()),
            InvitationEnd::Expired => self.expires_at = clock::now(),
        }
    }

    /// The invitation as the service answers it in lists.
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "environmentId": self.environment_id,
            "email": self.email,
            "status": self.status(),
            "expiresAt": self.expires_at,
            "createdAt": self.created_at,
            "acceptedAt": self.accepted_at,
            "revokedAt": self.revoked_at,
        })
    }

    /// The invitation with its bags.
    pub(crate) fn detail(&self) -> Value {
        let mut view = self.view();
        view["publicMetadata"] = self.metadata.public.clone().into();
        view["privateMetadata"] = self.metadata.private.clone().into();
        view
    }
}
