//! The claims of a token: which ones an issuer stamps, and in which form.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How tokens mark an impersonated session.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum ImpersonationClaims {
    /// Both claims.
    #[default]
    Both,
    /// `act`, an object with the `sub` of the impersonator (RFC 8693 §4.1): torii's documentation.
    Act,
    /// `impersonating`, a boolean: torii's SDKs.
    Impersonating,
}

/// How tokens name the active organization.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum OrganizationClaims {
    /// `o` is the id; the role is left out.
    #[default]
    Text,
    /// `o` is an object with `id` and `rol`.
    ObjectRol,
    /// `o` is an object with `id` and `role`.
    ObjectRole,
    /// `org_id` and `org_role`, the older names.
    OrgId,
}

/// Which claims tokens carry.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct ClaimFormat {
    /// Leaves out `email_verified`, `profile_complete` and `impersonating: false`, which torii's
    /// documentation does not list as stamped claims.
    pub stamped_only: bool,
    /// How an impersonated session is marked.
    pub impersonation: ImpersonationClaims,
    /// How the active organization is named.
    pub organization: OrganizationClaims,
}

/// An organization that a token is for.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActiveOrganization {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) role: Option<String>,
}

/// The facts about a login in a token, before a format turns them into claims.
pub(crate) struct Login {
    pub(crate) user_id: String,
    pub(crate) email_verified: bool,
    pub(crate) profile_complete: bool,
    pub(crate) locale: Option<String>,
    pub(crate) organization: Option<ActiveOrganization>,
    /// The impersonator.
    pub(crate) actor_id: Option<String>,
}

impl Login {
    /// The claims of this login, without those that name the issuer and the time.
    pub(crate) fn claims(&self, format: ClaimFormat) -> Value {
        let mut claims = json!({ "sub": self.user_id });
        if !format.stamped_only {
            claims["email_verified"] = self.email_verified.into();
            claims["profile_complete"] = self.profile_complete.into();
        }
        if let Some(locale) = &self.locale {
            claims["locale"] = locale.as_str().into();
        }
        self.add_actor(&mut claims, format);
        if let Some(organization) = &self.organization {
            organization.add_to(&mut claims, format.organization);
        }
        claims
    }

    fn add_actor(&self, claims: &mut Value, format: ClaimFormat) {
        let wanted = format.impersonation;
        let Some(actor_id) = &self.actor_id else {
            if !format.stamped_only && wanted != ImpersonationClaims::Act {
                claims["impersonating"] = false.into();
            }
            return;
        };
        if wanted != ImpersonationClaims::Impersonating {
            claims["act"] = json!({ "sub": actor_id });
        }
        if wanted != ImpersonationClaims::Act {
            claims["impersonating"] = true.into();
        }
    }
}

impl ActiveOrganization {
    fn add_to(&self, claims: &mut Value, form: OrganizationClaims) {
        let object = |role_name: &str| {
            let mut object = json!({ "id": self.id });
            if let Some(role) = &self.role {
                object[role_name] = role.as_str().into();
            }
            object
        };
        match form {
            OrganizationClaims::Text => claims["o"] = self.id.as_str().into(),
            OrganizationClaims::ObjectRol => claims["o"] = object("rol"),
            OrganizationClaims::ObjectRole => claims["o"] = object("role"),
            OrganizationClaims::OrgId => {
                claims["org_id"] = self.id.as_str().into();
                if let Some(role) = &self.role {
                    claims["org_role"] = role.as_str().into();
                }
            }
        }
    }
}
