//! Invitations.

use super::arguments::{Query, id, object};
use super::pages::Paginator;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// Invitations to sign up. Ids are UUIDs.
#[derive(Clone, Copy)]
pub struct Invitations<'a>(pub(super) &'a Transport);

impl<'a> Invitations<'a> {
    /// Invites a person by email. Never sent twice: after [`Status::Timeout`] or
    /// [`Status::Transport`] the email may have been sent, unless
    /// [`unsent`](crate::Error::unsent) is true.
    ///
    /// [`Status::Timeout`]: crate::Status::Timeout
    /// [`Status::Transport`]: crate::Status::Transport
    pub fn create(&self, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::once(Method::POST, "/invitations".to_owned()).body(Some(body)))
    }

    /// Lists a page of invitations: those in one of these states (`PENDING`, `ACCEPTED`, …; empty
    /// for any) that contain the search text. A limit of 0 means the API's default. The cursor is
    /// `nextCursor` of the previous page.
    pub fn list(
        &self,
        limit: u32,
        cursor: Option<&str>,
        statuses: &[&str],
        search: Option<&str>,
    ) -> Result<Json> {
        let mut query = Query::page(limit, cursor)?;
        for status in statuses {
            query.add("status", status);
        }
        if let Some(search) = search {
            query.add("search", search);
        }
        self.0.json(&Call::idempotent(Method::GET, format!("/invitations{query}")))
    }

    /// Iterates over all such invitations, fetched page by page.
    pub fn all(&self, statuses: &[&str], search: Option<&str>) -> Paginator<'a> {
        let (invitations, search) = (*self, search.map(str::to_owned));
        let statuses: Vec<_> = statuses.iter().map(|&status| status.to_owned()).collect();
        Paginator::new(move |limit, cursor| {
            let statuses: Vec<_> = statuses.iter().map(String::as_str).collect();
            invitations.list(limit, cursor, &statuses, search.as_deref())
        })
    }

    /// Returns one invitation, with its metadata.
    pub fn get(&self, invitation_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, invitation(invitation_id)?))
    }

    /// Sends an invitation again, with a new link. Never sent twice, like [`create`](Self::create).
    pub fn resend(&self, invitation_id: &str) -> Result<Json> {
        let target = format!("{}/resend", invitation(invitation_id)?);
        self.0.json(&Call::once(Method::POST, target))
    }

    /// Revokes an invitation. The API does not document the effect of a second revocation, so this
    /// call is never sent twice.
    pub fn revoke(&self, invitation_id: &str) -> Result<()> {
        self.0.nothing(&Call::once(Method::DELETE, invitation(invitation_id)?))
    }

    /// Merges metadata into that of a pending invitation. `null` removes a key.
    pub fn update_metadata(&self, invitation_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PATCH, invitation(invitation_id)?).body(Some(body)))
    }
}

fn invitation(invitation_id: &str) -> Result<String> {
    Ok(format!("/invitations/{}", id("invitation_id", invitation_id)?))
}
