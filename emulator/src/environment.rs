//! One environment of the service: an issuer, its keys, and what is stored for it.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::SignedDuration;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::claims::{ActiveOrganization, Login};
use crate::keys::KeyRing;
use crate::mint::Mint;
use crate::published::{DiscoverySettings, JwksSettings};
use crate::store::impersonation::Impersonation;
use crate::store::invitation::{Invitation, InvitationEnd};
use crate::store::metadata::Metadata;
use crate::store::organization::{NewMember, NewOrganization, Organization};
use crate::store::session::{NewSession, Session};
use crate::store::settings::Settings;
use crate::store::template::Template;
use crate::store::user::{User, UserChange};
use crate::{clock, ids};

/// The path of the key set, below the issuer URL.
const JWKS_PATH: &str = "/_torii/.well-known/jwks.json";

/// The claims that the issuer puts into template tokens too, besides the times.
const STAMPED: [&str; 9] =
    ["iss", "sub", "pid", "locale", "o", "org_id", "org_role", "act", "impersonating"];

/// The state of one environment.
pub(crate) struct Environment {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) secret_key: String,
    pub(crate) keys: KeyRing,
    pub(crate) jwks: JwksSettings,
    pub(crate) discovery: DiscoverySettings,
    pub(crate) settings: Settings,
    pub(crate) allowed_origins: Vec<String>,
    pub(crate) users: BTreeMap<Uuid, User>,
    pub(crate) organizations: BTreeMap<Uuid, Organization>,
    pub(crate) invitations: BTreeMap<Uuid, Invitation>,
    /// By token.
    pub(crate) impersonations: BTreeMap<String, Impersonation>,
    /// By name.
    pub(crate) templates: BTreeMap<String, Template>,
}

impl Environment {
    /// A new environment below the service's base URL.
    pub(crate) fn new(base: &str, name: &str) -> Self {
        Self {
            id: ids::random(),
            name: name.to_owned(),
            issuer: format!("{base}/{name}"),
            secret_key: ids::secret("sk_test_"),
            keys: KeyRing::new(),
            jwks: JwksSettings::default(),
            discovery: DiscoverySettings::default(),
            settings: Settings::default(),
            allowed_origins: Vec::new(),
            users: BTreeMap::new(),
            organizations: BTreeMap::new(),
            invitations: BTreeMap::new(),
            impersonations: BTreeMap::new(),
            templates: BTreeMap::new(),
        }
    }

    /// Forgets everything but the name, the id and the secret key.
    pub(crate) fn reset(&mut self, base: &str) {
        let (id, secret_key) = (self.id, self.secret_key.clone());
        *self = Self { id, secret_key, ..Self::new(base, &self.name) };
    }

    /// Returns the facts about this environment that a test needs.
    pub(crate) fn info(&self) -> IssuerInfo {
        IssuerInfo {
            name: self.name.clone(),
            issuer: self.issuer.clone(),
            jwks_path: format!("/{}{JWKS_PATH}", self.name),
            environment_id: self.id,
            secret_key: self.secret_key.clone(),
            kid: self.keys.current().kid.clone(),
            published: self.keys.published().into_iter().map(str::to_owned).collect(),
        }
    }

    /// Where the key set is served.
    pub(crate) fn jwks_url(&self) -> String {
        format!("{}{JWKS_PATH}", self.issuer)
    }

    /// A user who is known to exist.
    pub(crate) fn user(&mut self, id: Uuid) -> &mut User {
        self.users.get_mut(&id).expect("a user who is known to exist")
    }

    /// A user who is neither deleted nor banned.
    fn active_user(&mut self, id: Uuid) -> Result<&mut User, String> {
        let user = self.users.get_mut(&id).filter(|user| user.status() == "active");
        user.ok_or_else(|| format!("there is no active user {id}"))
    }

    /// Whether the address belongs to a user who is not deleted.
    pub(crate) fn knows(&self, email: &str) -> bool {
        self.users.values().any(|user| user.deleted_at.is_none() && user.has_email(email))
    }

    /// Whether the user is a member of the organization.
    pub(crate) fn is_member(&self, organization_id: Uuid, user_id: Uuid) -> bool {
        let organization = self.organizations.get(&organization_id);
        organization.is_some_and(|organization| organization.members.contains_key(&user_id))
    }

    /// Ends all memberships of a user.
    pub(crate) fn leave_all(&mut self, user_id: Uuid) {
        for organization in self.organizations.values_mut() {
            organization.members.remove(&user_id);
        }
    }

    /// Changes what the server API cannot change.
    pub(crate) fn change_user(&mut self, id: Uuid, change: &UserChange) -> Result<Value, String> {
        let user = self.users.get_mut(&id).ok_or_else(|| format!("there is no user {id}"))?;
        if let Some(verified) = change.email_verified {
            user.email_verified_at = verified.then(clock::now);
        }
        user.profile_complete = change.profile_complete.unwrap_or(user.profile_complete);
        user.touch();
        Ok(user.view())
    }

    /// Signs a user in.
    pub(crate) fn sign_in(&mut self, new: NewSession) -> Result<Session, String> {
        let environment_id = self.id;
        let user = self.active_user(new.user_id)?;
        let session = Session::new(environment_id, new);
        user.sessions.push(session.clone());
        Ok(session)
    }

    /// Redeems an impersonation token, which works once.
    pub(crate) fn impersonate(&mut self, token: &str) -> Result<Session, String> {
        let impersonation = self.impersonations.remove(token).filter(|token| !token.is_expired());
        let impersonation = impersonation.ok_or("impersonation token: unknown, used or expired")?;
        let session = NewSession::of(impersonation.user_id);
        self.sign_in(NewSession { impersonated_by: Some(impersonation.actor_user_id), ..session })
    }

    /// The claims of a new token, but for the times: about the user of a session, or about a new user
    /// with a verified email address and a complete profile.
    pub(crate) fn claims(&mut self, mint: &Mint) -> Result<Value, String> {
        let mut login = match mint.session() {
            Some(id) => self.session_login(id)?,
            None => Login {
                user_id: ids::ordered().to_string(),
                email_verified: true,
                profile_complete: true,
                locale: None,
                organization: None,
                actor_id: None,
            },
        };
        mint.amend(&mut login);
        let mut claims = login.claims(mint.format(self.settings.claims));
        if mint.session().is_none() && login.actor_id.is_none() {
            // A session says whether it is impersonated; a token without one does not.
            claims.as_object_mut().expect("an object").remove("impersonating");
        }
        claims["iss"] = self.issuer.clone().into();
        claims["pid"] = self.id.to_string().into();
        Ok(claims)
    }

    fn session_login(&mut self, id: Uuid) -> Result<Login, String> {
        let over = || format!("there is no active session {id}");
        let find = |user: &User| user.sessions.iter().position(|session| session.id == id);
        let found = self.users.values_mut().find_map(|user| find(user).map(|index| (user, index)));
        let (user, index) = found.ok_or_else(over)?;
        let session = &mut user.sessions[index];
        if !session.is_active() {
            return Err(over());
        }
        session.last_used_at = clock::now();
        let actor_id = session.impersonated_by.map(|id| id.to_string());
        let organization = session.active_organization_id;
        Ok(Login {
            user_id: user.id.to_string(),
            email_verified: user.email_verified_at.is_some(),
            profile_complete: user.profile_complete,
            locale: user.locale().map(str::to_owned),
            organization: organization.map(|id| ActiveOrganization {
                id: id.to_string(),
                role: self.organizations.get(&id).and_then(|one| one.role_of(user.id)),
            }),
            actor_id,
        })
    }

    /// The claims of a session token that this issuer signed, is not expired, and whose user is not
    /// known to be banned or deleted.
    pub(crate) fn session_token_claims(&self, token: &str) -> Option<Map<String, Value>> {
        let (input, signature) = token.rsplit_once('.')?;
        let (header, payload) = input.split_once('.')?;
        let header: Value = decoded(header)?;
        let key = self.keys.find(header["kid"].as_str()?)?;
        if !key.published || !key.verifies(input, signature) {
            return None;
        }
        let claims: Map<String, Value> = decoded(payload)?;
        let now = clock::now().as_second();
        let current = claims.get("exp")?.as_i64()? > now && claims.get("iss")? == &self.issuer;
        let user_id: Option<Uuid> = claims.get("sub")?.as_str()?.parse().ok();
        let user = user_id.and_then(|id| self.users.get(&id));
        (current && user.is_none_or(|user| user.status() == "active")).then_some(claims)
    }

    /// A token of this template for the login of a session token, and when it expires.
    pub(crate) fn template_token(
        &self,
        template: &Template,
        session_token: &Map<String, Value>,
    ) -> Value {
        let now = clock::now();
        let expires_at = now.saturating_add(SignedDuration::from_secs(template.expires_in));
        let expires_at = expires_at.expect("checked when the template was set");
        let mut claims = template.claims.clone();
        if let Some(aud) = &template.aud {
            claims.insert("aud".to_owned(), aud.clone());
        }
        for name in STAMPED {
            let value = session_token.get(name).filter(|value| **value != Value::Bool(false));
            claims.extend(value.map(|value| (name.to_owned(), value.clone())));
        }
        claims.insert("iat".to_owned(), now.as_second().into());
        claims.insert("exp".to_owned(), expires_at.as_second().into());
        let token = self.keys.current().token(&Value::from(claims).to_string());
        json!({ "accessToken": token, "expiresAt": expires_at })
    }

    /// Sets a template.
    pub(crate) fn set_template(&mut self, name: &str, template: Template) -> Result<(), String> {
        let lifetime = SignedDuration::from_secs(template.expires_in);
        // A century more, so that it stays in range.
        let (now, century) = (clock::now(), SignedDuration::from_hours(876_000));
        if now.checked_add(lifetime).and_then(|end| end.checked_add(century)).is_err() {
            return Err(format!("expires_in: {} seconds is out of range", template.expires_in));
        }
        self.templates.insert(name.to_owned(), template);
        Ok(())
    }

    /// Adds an organization.
    pub(crate) fn add_organization(&mut self, new: NewOrganization) -> &Organization {
        let organization = Organization::new(new);
        self.organizations.entry(organization.id).or_insert(organization)
    }

    /// Makes a user a member of an organization.
    pub(crate) fn add_member(
        &mut self,
        organization_id: Uuid,
        new: NewMember,
    ) -> Result<Value, String> {
        self.active_user(new.user_id)?;
        let organization = self.organizations.get_mut(&organization_id);
        let organization =
            organization.ok_or_else(|| format!("there is no organization {organization_id}"))?;
        Ok(organization.join(new))
    }

    /// Ends a pending invitation.
    pub(crate) fn end_invitation(&mut self, id: Uuid, end: InvitationEnd) -> Result<Value, String> {
        let invitation = self.invitations.get_mut(&id);
        let invitation = invitation.filter(|invitation| invitation.status() == "PENDING");
        let invitation =
            invitation.ok_or_else(|| format!("there is no pending invitation {id}"))?;
        invitation.end(end);
        let (email, view) = (invitation.email.clone(), invitation.view());
        if end == InvitationEnd::Accepted && !self.knows(&email) {
            let mut user = User::new(self.id, Some(email), Metadata::default());
            user.email_verified_at = Some(user.created_at);
            self.users.insert(user.id, user);
        }
        Ok(view)
    }
}

/// A part of a token as JSON.
fn decoded<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// An environment as the control API shows it.
#[derive(Serialize)]
pub(crate) struct IssuerInfo {
    pub(crate) name: String,
    pub(crate) issuer: String,
    pub(crate) jwks_path: String,
    pub(crate) environment_id: Uuid,
    pub(crate) secret_key: String,
    pub(crate) kid: String,
    pub(crate) published: Vec<String>,
}
