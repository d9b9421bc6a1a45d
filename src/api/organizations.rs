//! Organizations.

use super::arguments::{Query, id, object};
use super::pages::Paginator;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// Organizations and who belongs to them. Ids are UUIDs.
#[derive(Clone, Copy)]
pub struct Organizations<'a>(pub(super) &'a Transport);

impl<'a> Organizations<'a> {
    /// A page of the organizations whose name contains a text. A limit of 0 leaves it to the API, a
    /// cursor is `nextCursor` of the page before.
    pub fn list(&self, limit: u32, cursor: Option<&str>, name: Option<&str>) -> Result<Json> {
        let mut query = Query::page(limit, cursor)?;
        if let Some(name) = name {
            query.add("name", name);
        }
        self.0.json(&Call::idempotent(Method::GET, format!("/organizations{query}")))
    }

    /// All organizations whose name contains a text, fetched page by page.
    pub fn all(&self, name: Option<&str>) -> Paginator<'a> {
        let (organizations, name) = (*self, name.map(str::to_owned));
        Paginator::new(move |limit, cursor| organizations.list(limit, cursor, name.as_deref()))
    }

    /// One organization.
    pub fn get(&self, organization_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, organization(organization_id)?))
    }

    /// Merges into an organization's metadata: null removes a key.
    pub fn update_metadata(&self, organization_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let target = format!("{}/metadata", organization(organization_id)?);
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PATCH, target).body(Some(body)))
    }

    /// A page of the users who belong to an organization.
    pub fn list_members(
        &self,
        organization_id: &str,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<Json> {
        let query = Query::page(limit, cursor)?;
        let target = format!("{}/members{query}", organization(organization_id)?);
        self.0.json(&Call::idempotent(Method::GET, target))
    }

    /// All users who belong to an organization, fetched page by page.
    pub fn all_members(&self, organization_id: &str) -> Paginator<'a> {
        let (organizations, id) = (*self, organization_id.to_owned());
        Paginator::new(move |limit, cursor| organizations.list_members(&id, limit, cursor))
    }

    /// Merges into the metadata of a membership: null removes a key.
    pub fn update_member_metadata(
        &self,
        organization_id: &str,
        user_id: &str,
        body: impl AsRef<str>,
    ) -> Result<Json> {
        let (organization, user) = (organization(organization_id)?, id("user_id", user_id)?);
        let body = object("body", body.as_ref())?;
        let target = format!("{organization}/members/{user}/metadata");
        self.0.json(&Call::idempotent(Method::PATCH, target).body(Some(body)))
    }
}

fn organization(organization_id: &str) -> Result<String> {
    Ok(format!("/organizations/{}", id("organization_id", organization_id)?))
}
