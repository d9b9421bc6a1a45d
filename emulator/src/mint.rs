//! Tokens, valid and invalid.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use crate::claims::{
    ActiveOrganization, ClaimFormat, ImpersonationClaims, Login, OrganizationClaims,
};
use crate::clock;

/// Which key signs a token. The `kid` in its header stays the issuer's current one unless it is
/// replaced with [`Mint::kid`].
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Signer {
    /// The issuer's current key.
    #[default]
    Current,
    /// Another key of the issuer, by name, published or not; its name is also the default `kid`.
    Kid(String),
    /// The current key of another issuer.
    Issuer(String),
    /// A key that was never published.
    Forged,
    /// No key: the third part stays empty.
    None,
}

/// Describes a token. By default every verifier has to accept it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mint {
    claims: Map<String, Value>,
    without: Vec<String>,
    header: Map<String, Value>,
    without_header: Vec<String>,
    raw_header: Option<String>,
    raw_payload: Option<String>,
    expires_in: Option<i64>,
    now_offset: i64,
    signer: Signer,
    session: Option<Uuid>,
    actor: Option<String>,
    organization: Option<ActiveOrganization>,
    stamped_only: Option<bool>,
    impersonation_claims: Option<ImpersonationClaims>,
    organization_claims: Option<OrganizationClaims>,
}

impl Mint {
    /// Describes a token for a new user, valid for 300 seconds from now.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a claim, replacing the default one.
    #[must_use]
    pub fn claim(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.claims.insert(name.to_owned(), value.into());
        self
    }

    /// Sets `sub`.
    #[must_use]
    pub fn subject(self, user_id: &str) -> Self {
        self.claim("sub", user_id)
    }

    /// Leaves a claim out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.without.push(name.to_owned());
        self
    }

    /// Sets a header member, replacing the default one.
    #[must_use]
    pub fn header(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.header.insert(name.to_owned(), value.into());
        self
    }

    /// Leaves a header member out.
    #[must_use]
    pub fn without_header(mut self, name: &str) -> Self {
        self.without_header.push(name.to_owned());
        self
    }

    /// Writes another `alg` into the header. The signature stays an ES256 one.
    #[must_use]
    pub fn alg(self, alg: &str) -> Self {
        self.header("alg", alg)
    }

    /// Writes another `kid` into the header. The signing key stays the same.
    #[must_use]
    pub fn kid(self, kid: &str) -> Self {
        self.header("kid", kid)
    }

    /// The exact text of the header, JSON or not.
    #[must_use]
    pub fn raw_header(mut self, text: &str) -> Self {
        self.raw_header = Some(text.to_owned());
        self
    }

    /// The exact text of the payload, JSON or not.
    #[must_use]
    pub fn raw_payload(mut self, text: &str) -> Self {
        self.raw_payload = Some(text.to_owned());
        self
    }

    /// Seconds from `iat` to `exp`; negative for a token that has expired.
    #[must_use]
    pub fn expires_in(mut self, seconds: i64) -> Self {
        self.expires_in = Some(seconds);
        self
    }

    /// Moves the clock that `iat` and `exp` are taken from; negative is the past.
    #[must_use]
    pub fn now_offset(mut self, seconds: i64) -> Self {
        self.now_offset = seconds;
        self
    }

    /// Chooses the signing key.
    #[must_use]
    pub fn signed_by(mut self, signer: Signer) -> Self {
        self.signer = signer;
        self
    }

    /// A token for a session, with the claims of its user.
    #[must_use]
    pub fn for_session(mut self, id: Uuid) -> Self {
        self.session = Some(id);
        self
    }

    /// A login on behalf of the user by an impersonator with this id.
    #[must_use]
    pub fn impersonated_by(mut self, actor_id: &str) -> Self {
        self.actor = Some(actor_id.to_owned());
        self
    }

    /// A login with this active organization and, if there is one, this role in it.
    #[must_use]
    pub fn in_organization(mut self, id: &str, role: Option<&str>) -> Self {
        let role = role.map(str::to_owned);
        self.organization = Some(ActiveOrganization { id: id.to_owned(), role });
        self
    }

    /// Whether claims are left out that torii's documentation does not list as stamped; by default
    /// as in the environment's settings.
    #[must_use]
    pub fn stamped_only(mut self, on: bool) -> Self {
        self.stamped_only = Some(on);
        self
    }

    /// How impersonation is marked; by default as in the environment's settings.
    #[must_use]
    pub fn impersonation_claims(mut self, claims: ImpersonationClaims) -> Self {
        self.impersonation_claims = Some(claims);
        self
    }

    /// How the active organization is named; by default as in the environment's settings.
    #[must_use]
    pub fn organization_claims(mut self, claims: OrganizationClaims) -> Self {
        self.organization_claims = Some(claims);
        self
    }

    /// Signs with a key that was never published, under the current key's `kid`.
    #[must_use]
    pub fn forged(self) -> Self {
        self.signed_by(Signer::Forged)
    }

    /// The session that the token is for, if any.
    pub(crate) fn session(&self) -> Option<Uuid> {
        self.session
    }

    /// Sets what this token says differently about a login.
    pub(crate) fn amend(&self, login: &mut Login) {
        if let Some(actor) = &self.actor {
            login.actor_id = Some(actor.clone());
        }
        if let Some(organization) = &self.organization {
            login.organization = Some(organization.clone());
        }
    }

    /// The format of this token's claims, where the environment has another one.
    pub(crate) fn format(&self, environment: ClaimFormat) -> ClaimFormat {
        ClaimFormat {
            stamped_only: self.stamped_only.unwrap_or(environment.stamped_only),
            impersonation: self.impersonation_claims.unwrap_or(environment.impersonation),
            organization: self.organization_claims.unwrap_or(environment.organization),
        }
    }

    /// Returns the signing key.
    pub(crate) fn signer(&self) -> &Signer {
        &self.signer
    }

    /// The first two parts of the token, ready to be signed. `claims` are the issuer's own.
    pub(crate) fn signing_input(&self, kid: &str, claims: Value) -> String {
        let header = self.raw_header.clone().unwrap_or_else(|| self.header_text(kid));
        let payload = self.raw_payload.clone().unwrap_or_else(|| self.payload_text(claims));
        format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
    }

    fn header_text(&self, kid: &str) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": kid });
        changed(header, &self.header, &self.without_header).to_string()
    }

    fn payload_text(&self, claims: Value) -> String {
        let now = clock::now().as_second() + self.now_offset;
        let times = json!({ "iat": now, "exp": now + self.expires_in.unwrap_or(300) });
        let times = times.as_object().expect("an object");
        let claims = changed(claims, times, &[]);
        changed(claims, &self.claims, &self.without).to_string()
    }
}

/// The object with some members set and some left out.
fn changed(mut object: Value, set: &Map<String, Value>, without: &[String]) -> Value {
    let members = object.as_object_mut().expect("an object");
    members.extend(set.clone());
    for name in without {
        members.remove(name);
    }
    object
}
