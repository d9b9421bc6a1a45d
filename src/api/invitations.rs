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
    /// Invites somebody by email. Not repeated once it was sent: after [`Status::Timeout`] or
    /// [`Status::Transport`] the email may be on its way.
    ///
    /// [`Status::Timeout`]: crate::Status::Timeout
    /// [`Status::Transport`]: crate::Status::Transport
    pub fn create(&self, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::once(Method::POST, "/invitations".to_owned()).body(Some(body)))
    }

    /// A page of the invitations in one of these states (`PENDING`, `ACCEPTED`, …; none for any)
    /// that a text is found in. A limit of 0 leaves it to the API, a cursor is `nextCursor` of the
    /// page before.
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

    /// All such invitations, fetched page by page.
    pub fn all(&self, statuses: &[&str], search: Option<&str>) -> Paginator<'a> {
        let (invitations, search) = (*self, search.map(str::to_owned));
        let statuses: Vec<_> = statuses.iter().map(|&status| status.to_owned()).collect();
        Paginator::new(move |limit, cursor| {
            let statuses: Vec<_> = statuses.iter().map(String::as_str).collect();
            invitations.list(limit, cursor, &statuses, search.as_deref())
        })
    }

    /// One invitation, with its metadata.
    pub fn get(&self, invitation_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, invitation(invitation_id)?))
    }

    /// Sends an invitation again, with a new link. Not repeated once it was sent, as for
    /// [`create`](Self::create).
    pub fn resend(&self, invitation_id: &str) -> Result<Json> {
        let target = format!("{}/resend", invitation(invitation_id)?);
        self.0.json(&Call::once(Method::POST, target))
    }

    /// Takes an invitation back. What a second time does is undocumented, so it is not repeated once
    /// it was sent.
    pub fn revoke(&self, invitation_id: &str) -> Result<()> {
        self.0.nothing(&Call::once(Method::DELETE, invitation(invitation_id)?))
    }

    /// Merges into the metadata of a pending invitation: null removes a key.
    pub fn update_metadata(&self, invitation_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PATCH, invitation(invitation_id)?).body(Some(body)))
    }
}

fn invitation(invitation_id: &str) -> Result<String> {
    Ok(format!("/invitations/{}", id("invitation_id", invitation_id)?))
}
