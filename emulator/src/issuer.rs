//! A handle to one issuer, for Rust tests.

use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::environment::{Environment, IssuerInfo};
use crate::fault::{Fault, FaultKind};
use crate::mint::Mint;
use crate::published::Spelling;
use crate::store::invitation::InvitationEnd;
use crate::store::organization::{NewMember, NewOrganization};
use crate::store::session::NewSession;
use crate::store::settings::Settings;
use crate::store::template::Template;
use crate::store::user::UserChange;
use crate::world::World;

/// One issuer of the emulator. Cheap to clone; it stays usable as long as the issuer exists, and
/// panics once [`Emulator::reset`](crate::Emulator::reset) has removed it.
#[derive(Clone)]
pub struct Issuer {
    world: Arc<World>,
    name: Arc<str>,
}

impl Issuer {
    pub(crate) fn new(world: Arc<World>, name: &str) -> Self {
        let issuer = Self { world, name: name.into() };
        issuer.info();
        issuer
    }

    /// Its name, the first segment of its paths.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The issuer URL, the `iss` of its tokens.
    #[must_use]
    pub fn url(&self) -> String {
        self.info().issuer
    }

    /// Where its key set is served.
    #[must_use]
    pub fn jwks_url(&self) -> String {
        format!("{}{}", self.world.base(), self.jwks_path())
    }

    /// The path of [`jwks_url`](Self::jwks_url).
    #[must_use]
    pub fn jwks_path(&self) -> String {
        self.info().jwks_path
    }

    /// The environment id, the `pid` of its tokens.
    #[must_use]
    pub fn environment_id(&self) -> String {
        self.info().environment_id.to_string()
    }

    /// The secret key of its environment, for the server API.
    #[must_use]
    pub fn secret_key(&self) -> String {
        self.info().secret_key
    }

    /// The name of the key that signs.
    #[must_use]
    pub fn kid(&self) -> String {
        self.info().kid
    }

    /// The names of the keys in the key set, oldest first.
    #[must_use]
    pub fn published(&self) -> Vec<String> {
        self.info().published
    }

    /// A new token.
    #[must_use]
    pub fn mint(&self, mint: Mint) -> String {
        self.world.mint(&self.name, &mint).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Signs a user in: the session's id. [`Mint::for_session`] makes tokens for it.
    ///
    /// # Panics
    /// If there is no such user, or not an active one.
    #[must_use]
    pub fn sign_in(&self, new: NewSession) -> Uuid {
        let session = self.with(|environment| environment.sign_in(new));
        session.unwrap_or_else(|error| panic!("{error}")).id
    }

    /// Signs in with an impersonation token, which works once: the session's id.
    ///
    /// # Panics
    /// If the token is unknown, used or expired.
    #[must_use]
    pub fn impersonate(&self, token: &str) -> Uuid {
        let session = self.with(|environment| environment.impersonate(token));
        session.unwrap_or_else(|error| panic!("{error}")).id
    }

    /// Changes what the server API cannot change.
    ///
    /// # Panics
    /// If there is no such user.
    pub fn change_user(&self, user_id: Uuid, change: &UserChange) {
        let user = self.with(|environment| environment.change_user(user_id, change));
        user.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Adds an organization. Returns its id.
    #[must_use]
    pub fn create_organization(&self, new: NewOrganization) -> Uuid {
        self.with(|environment| environment.add_organization(new).id)
    }

    /// Makes a user a member of an organization, or gives them another role.
    ///
    /// # Panics
    /// If there is no such organization, or no such active user.
    pub fn add_member(&self, organization_id: Uuid, new: NewMember) {
        let member = self.with(|environment| environment.add_member(organization_id, new));
        member.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Ends a pending invitation.
    ///
    /// # Panics
    /// If there is none with that id.
    pub fn end_invitation(&self, id: Uuid, end: InvitationEnd) {
        let invitation = self.with(|environment| environment.end_invitation(id, end));
        invitation.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Replaces the settings of the environment.
    pub fn set_settings(&self, settings: Settings) {
        self.with(|environment| environment.settings = settings);
    }

    /// The current key's signature over any text, as a token's third part: for tokens that [`Mint`]
    /// cannot describe.
    #[must_use]
    pub fn sign(&self, input: &str) -> String {
        self.with(|environment| environment.keys.current().sign(input))
    }

    /// Publishes a new key and signs with it from now on. Returns its name.
    pub fn rotate(&self) -> String {
        self.with(|environment| environment.keys.add(None, true))
    }

    /// Publishes a new key without signing with it. Returns its name.
    pub fn publish_key(&self) -> String {
        self.with(|environment| environment.keys.add(None, false))
    }

    /// Takes a key out of the key set; it can still sign. False if it was not in it.
    pub fn remove_key(&self, kid: &str) -> bool {
        self.with(|environment| environment.keys.unpublish(kid))
    }

    /// Serves `body` as the key set; `None` serves the real one again.
    pub fn set_jwks_body(&self, body: Option<&str>) {
        self.with(|environment| environment.jwks.body = body.map(Value::from));
    }

    /// The key set as it would be served without [`set_jwks_body`](Self::set_jwks_body).
    #[must_use]
    pub fn jwks(&self) -> Value {
        self.with(|environment| environment.keys.jwks())
    }

    /// Serves the key set with `Cache-Control: public, max-age=SECONDS`, or without that header.
    pub fn set_max_age(&self, seconds: Option<u64>) {
        self.set_cache_control(
            seconds.map(|seconds| format!("public, max-age={seconds}")).as_deref(),
        );
    }

    /// Serves the key set with this `Cache-Control` header, or without one.
    pub fn set_cache_control(&self, value: Option<&str>) {
        self.with(|environment| environment.jwks.cache_control = value.map(str::to_owned));
    }

    /// Sets whether the key set has an `ETag`, and is answered with 304 if the request has it.
    pub fn set_etag(&self, on: bool) {
        self.with(|environment| environment.jwks.etag = on);
    }

    /// Serves the key set with `Age: SECONDS` (RFC 9111 §5.1), or without that header.
    pub fn set_age(&self, seconds: Option<u64>) {
        self.with(|environment| environment.jwks.age = seconds);
    }

    /// Where its OpenID Connect discovery document is served.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        format!("{}/.well-known/openid-configuration", self.url())
    }

    /// Serves `body` as the discovery document; `None` serves the real one again.
    pub fn set_discovery_body(&self, body: Option<&str>) {
        self.with(|environment| environment.discovery.body = body.map(Value::from));
    }

    /// Spells the members of the discovery document in this way.
    pub fn set_discovery_spelling(&self, spelling: Spelling) {
        self.with(|environment| environment.discovery.spelling = spelling);
    }

    /// Sets a named JWT template. Its tokens are issued by
    /// `POST /_torii/auth/session/token?template=NAME`.
    ///
    /// # Panics
    /// If its lifetime is out of range.
    pub fn set_template(&self, name: &str, template: Template) {
        let set = self.with(|environment| environment.set_template(name, template));
        set.unwrap_or_else(|error| panic!("{error}"));
    }

    /// Adds a fault to the key set, for `times` requests or until the faults are cleared.
    pub fn fault(&self, kind: FaultKind, times: impl Into<Option<u64>>) {
        let fault = Fault::on(&self.jwks_path(), kind);
        let fault = match times.into() {
            Some(times) => fault.times(times),
            None => fault,
        };
        self.world.faults.add(fault).unwrap_or_else(|error| panic!("{error}"));
    }

    /// Returns the number of requests for the key set.
    #[must_use]
    pub fn jwks_requests(&self) -> u64 {
        self.world.log.count(&self.jwks_path())
    }

    pub(crate) fn info(&self) -> IssuerInfo {
        self.with(|environment| environment.info())
    }

    fn with<R>(&self, f: impl FnOnce(&mut Environment) -> R) -> R {
        let result = self.world.with(&self.name, f);
        result.unwrap_or_else(|| panic!("there is no issuer named {:?}", self.name))
    }
}
