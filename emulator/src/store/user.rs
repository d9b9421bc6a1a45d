//! Users.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::metadata::{Metadata, Object};
use super::session::Session;
use crate::{clock, ids};

/// Profile fields of the current API.
const PROFILE: [&str; 3] = ["firstName", "lastName", "locale"];
/// Profile fields of servers before 0.0.13, still taken and kept.
const OLDER_PROFILE: [&str; 4] = ["name", "phone", "address", "dateOfBirth"];

/// One user and their sessions.
pub(crate) struct User {
    pub(crate) id: Uuid,
    environment_id: Uuid,
    pub(crate) email: Option<String>,
    pub(crate) email_verified_at: Option<Timestamp>,
    /// Whether all the required profile fields are set, as tokens say it.
    pub(crate) profile_complete: bool,
    /// Profile fields that are set, by their names on the wire.
    profile: Object,
    pub(crate) banned: bool,
    pub(crate) deleted_at: Option<Timestamp>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) metadata: Metadata,
    pub(crate) sessions: Vec<Session>,
}

/// Actions of the user at sign-in pages, which the emulator does not have.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UserChange {
    /// Whether the primary email is verified.
    pub email_verified: Option<bool>,
    /// Whether all the required profile fields are set.
    pub profile_complete: Option<bool>,
}

impl User {
    /// A new user.
    pub(crate) fn new(environment_id: Uuid, email: Option<String>, metadata: Metadata) -> Self {
        let now = clock::now();
        Self {
            id: ids::ordered(),
            environment_id,
            email,
            email_verified_at: None,
            profile_complete: true,
            profile: Object::new(),
            banned: false,
            deleted_at: None,
            created_at: now,
            updated_at: now,
            metadata,
            sessions: Vec::new(),
        }
    }

    /// Sets the profile fields that a request names, and clears those it names with null.
    pub(crate) fn set_profile(&mut self, request: &Object) {
        for field in PROFILE.into_iter().chain(OLDER_PROFILE) {
            match request.get(field) {
                None => {}
                Some(Value::Null) => {
                    self.profile.remove(field);
                }
                Some(value) => {
                    self.profile.insert(field.to_owned(), value.clone());
                }
            }
        }
    }

    /// Notes that the user was changed.
    pub(crate) fn touch(&mut self) {
        self.updated_at = clock::now();
    }

    /// `active`, `banned` or `deleted`.
    pub(crate) fn status(&self) -> &'static str {
        match (self.deleted_at, self.banned) {
            (Some(_), _) => "deleted",
            (None, true) => "banned",
            (None, false) => "active",
        }
    }

    /// The full name: as an older server was told, else first and last name.
    pub(crate) fn name(&self) -> Option<String> {
        let text = |field| self.profile.get(field).and_then(Value::as_str);
        let parts: Vec<&str> = ["firstName", "lastName"].into_iter().filter_map(text).collect();
        let joined = (!parts.is_empty()).then(|| parts.join(" "));
        text("name").map(str::to_owned).or(joined)
    }

    /// The preferred locale.
    pub(crate) fn locale(&self) -> Option<&str> {
        self.profile.get("locale").and_then(Value::as_str)
    }

    /// Ends all sessions.
    pub(crate) fn sign_out(&mut self) {
        self.sessions.iter_mut().for_each(|session| session.revoked = true);
    }

    /// Whether this address is the user's, ignoring case.
    pub(crate) fn has_email(&self, email: &str) -> bool {
        self.email.as_ref().is_some_and(|own| own.to_lowercase() == email.to_lowercase())
    }

    /// The user as the service answers it.
    pub(crate) fn view(&self) -> Value {
        let mut view = json!({
            "id": self.id,
            "environmentId": self.environment_id,
            "firstName": null,
            "lastName": null,
            "locale": null,
            "status": self.status(),
            "createdAt": self.created_at,
            "updatedAt": self.updated_at,
            "email": self.email,
            "emailVerifiedAt": self.email_verified_at,
            "deletedAt": self.deleted_at,
            "publicMetadata": self.metadata.public,
            "privateMetadata": self.metadata.private,
            "unsafeMetadata": self.metadata.unsafe_,
        });
        view.as_object_mut().expect("an object").extend(self.profile.clone());
        view["name"] = self.name().into();
        view
    }
}
