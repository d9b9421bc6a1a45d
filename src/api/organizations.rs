//! Organizations.

use super::arguments::{Query, id, object};
use super::pages::Paginator;
use super::transport::{Call, Transport};
use crate::error::Result;
use crate::http::Method;
use crate::json::Json;

/// Organizations and their members. Ids are UUIDs.
#[derive(Clone, Copy)]
pub struct Organizations<'a>(pub(super) &'a Transport);

impl<'a> Organizations<'a> {
    /// Lists a page of the organizations whose name contains the text. A limit of 0 means the API's
    /// default. The cursor is `nextCursor` of the previous page.
    pub fn list(&self, limit: u32, cursor: Option<&str>, name: Option<&str>) -> Result<Json> {
        let mut query = Query::page(limit, cursor)?;
        if let Some(name) = name {
            query.add("name", name);
        }
        self.0.json(&Call::idempotent(Method::GET, format!("/organizations{query}")))
    }

    /// Iterates over all organizations whose name contains the text, fetched page by page.
    pub fn all(&self, name: Option<&str>) -> Paginator<'a> {
        let (organizations, name) = (*self, name.map(str::to_owned));
        Paginator::new(move |limit, cursor| organizations.list(limit, cursor, name.as_deref()))
    }

    /// Returns one organization.
    pub fn get(&self, organization_id: &str) -> Result<Json> {
        self.0.json(&Call::idempotent(Method::GET, organization(organization_id)?))
    }

    /// Merges metadata into that of an organization. `null` removes a key.
    pub fn update_metadata(&self, organization_id: &str, body: impl AsRef<str>) -> Result<Json> {
        let target = format!("{}/metadata", organization(organization_id)?);
        let body = object("body", body.as_ref())?;
        self.0.json(&Call::idempotent(Method::PATCH, target).body(Some(body)))
    }

    /// Lists a page of the members of an organization.
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

    /// Iterates over all members of an organization, fetched page by page.
    pub fn all_members(&self, organization_id: &str) -> Paginator<'a> {
        let (organizations, id) = (*self, organization_id.to_owned());
        Paginator::new(move |limit, cursor| organizations.list_members(&id, limit, cursor))
    }

    /// Merges metadata into that of a membership. `null` removes a key.
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
