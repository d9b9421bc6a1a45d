//! Organizations and their members.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::metadata::Metadata;
use crate::{clock, ids};

/// One organization.
pub(crate) struct Organization {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    slug: Option<String>,
    role_set_id: Option<Uuid>,
    created_at: Timestamp,
    pub(crate) metadata: Metadata,
    /// By user id.
    pub(crate) members: BTreeMap<Uuid, Member>,
}

/// The membership of a user in an organization.
pub(crate) struct Member {
    role: String,
    role_name: Option<String>,
    joined_at: Timestamp,
    pub(crate) metadata: Metadata,
}

/// An organization to be made up.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewOrganization {
    /// Its name.
    pub name: String,
    /// Its short name.
    pub slug: Option<String>,
    /// The set of roles it uses.
    pub role_set_id: Option<Uuid>,
}

/// A membership to be made up.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The user.
    pub user_id: Uuid,
    /// The key of their role.
    #[serde(default = "member")]
    pub role: String,
    /// How the role is called.
    #[serde(default)]
    pub role_name: Option<String>,
}

impl NewOrganization {
    /// An organization of which only the name matters.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }
}

impl NewMember {
    /// A member with the role `org:member`.
    #[must_use]
    pub fn of(user_id: Uuid) -> Self {
        Self { user_id, role: member(), role_name: None }
    }
}

fn member() -> String {
    "org:member".to_owned()
}

impl Organization {
    /// A new organization without members.
    pub(crate) fn new(new: NewOrganization) -> Self {
        Self {
            id: ids::ordered(),
            name: new.name,
            slug: new.slug,
            role_set_id: new.role_set_id,
            created_at: clock::now(),
            metadata: Metadata::default(),
            members: BTreeMap::new(),
        }
    }

    /// The role of a member.
    pub(crate) fn role_of(&self, user_id: Uuid) -> Option<String> {
        self.members.get(&user_id).map(|member| member.role.clone())
    }

    /// Adds a member, or gives one another role.
    pub(crate) fn join(&mut self, new: NewMember) -> Value {
        let member = self.members.entry(new.user_id).or_insert_with(|| Member {
            role: String::new(),
            role_name: None,
            joined_at: clock::now(),
            metadata: Metadata::default(),
        });
        member.role = new.role;
        member.role_name = new.role_name;
        member.view(self.id, new.user_id)
    }

    /// The organization as the service answers it.
    pub(crate) fn view(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "slug": self.slug,
            "roleSetId": self.role_set_id,
            "publicMetadata": self.metadata.public,
            "privateMetadata": self.metadata.private,
            "createdAt": self.created_at,
        })
    }

    /// A membership as the service answers it to who asks for the user, if there is one.
    pub(crate) fn view_for(&self, user_id: Uuid) -> Option<Value> {
        let member = self.members.get(&user_id)?;
        Some(json!({
            "organizationId": self.id,
            "name": self.name,
            "slug": self.slug,
            "role": member.role,
            "roleName": member.role_name,
            "publicMetadata": member.metadata.public,
            "privateMetadata": member.metadata.private,
            "joinedAt": member.joined_at,
        }))
    }
}

impl Member {
    /// The membership as the service answers it to who asks for the organization.
    pub(crate) fn view(&self, organization_id: Uuid, user_id: Uuid) -> Value {
        json!({
            "organizationId": organization_id,
            "userId": user_id,
            "role": self.role,
            "roleName": self.role_name,
            "publicMetadata": self.metadata.public,
            "privateMetadata": self.metadata.private,
            "joinedAt": self.joined_at,
        })
    }
}
