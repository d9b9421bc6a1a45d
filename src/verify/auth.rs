//! What a valid token says.

use std::fmt;
use std::sync::Arc;

use super::requirements::Requirements;
use super::verified::{
    Field, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_PROFILE_COMPLETE, Verified,
};
use crate::error::Result;
use crate::json::Json;
use crate::text::NulStr;

/// The user a token was issued to, as the issuer signed it.
///
/// Cheap to clone and to send to other threads; it does not change and outlives the verifier.
#[derive(Clone)]
pub struct Auth(pub(crate) Arc<Verified>);

impl Auth {
    fn field(&self, field: Field) -> &str {
        self.0.str(field).unwrap_or_default()
    }

    /// The user: `sub`.
    pub fn user_id(&self) -> &str {
        self.field(Field::UserId)
    }

    /// The environment the user belongs to: `pid`.
    pub fn environment_id(&self) -> &str {
        self.field(Field::EnvironmentId)
    }

    /// The configured issuer the token is of, without trailing slashes.
    pub fn issuer(&self) -> &str {
        self.field(Field::Issuer)
    }

    /// The locale the user prefers.
    pub fn locale(&self) -> Option<&str> {
        self.0.str(Field::Locale)
    }

    /// The organization that is active. `None` if there is none, or if its id contains U+0000.
    pub fn organization_id(&self) -> Option<&str> {
        self.0.organization_id()
    }

    /// The role of the user in that organization, if the token names one.
    pub fn organization_role(&self) -> Option<&str> {
        self.0.organization_role()
    }

    /// Who acts as the user: `sub` of `act` (RFC 8693 §4.1). `None` if there is no such party, or if the token
    /// does not say who; [`impersonating`](Self::impersonating) tells the two apart.
    pub fn actor_id(&self) -> Option<&str> {
        self.0.str(Field::ActorId)
    }

    /// The `REQUIRE_` flags that this login meets.
    pub fn flags(&self) -> u32 {
        self.0.flags
    }

    /// Checks requirements for one route among many: of this login, after it was verified.
    ///
    /// Reads the claims only: neither `exp` nor a revocation is checked again.
    ///
    /// # Errors
    /// [`Status::Policy`](crate::Status::Policy), with the requirement that is not met.
    pub fn require(&self, requirements: &Requirements) -> Result<()> {
        requirements.require(&self.0)
    }

    /// Whether the user has a verified email address: only when the token says `true`.
    pub fn email_verified(&self) -> bool {
        self.0.meets(REQUIRE_EMAIL_VERIFIED)
    }

    /// Whether all required profile fields are set: unless the token says `false`.
    pub fn profile_complete(&self) -> bool {
        self.0.meets(REQUIRE_PROFILE_COMPLETE)
    }

    /// Whether another party acts as the user: `impersonating` is `true`, or there is an `act`.
    pub fn impersonating(&self) -> bool {
        !self.0.meets(REQUIRE_NOT_IMPERSONATED)
    }

    /// `iat`, in Unix seconds.
    pub fn issued_at(&self) -> i64 {
        self.0.times.issued_at
    }

    /// `exp`, in Unix seconds.
    pub fn expires_at(&self) -> i64 {
        self.0.times.expires_at
    }

    /// All claims, exactly as they were signed.
    pub fn claims_json(&self) -> &str {
        self.field(Field::Claims)
    }

    /// A top-level claim that is a string. `None` when it is absent, no string, or holds U+0000.
    pub fn claim_str(&self, name: &str) -> Option<&str> {
        self.0.string(name).map(NulStr::as_str)
    }

    /// All claims, to be read by JSON pointer.
    pub fn claims(&self) -> Result<Json> {
        self.0.claims()
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth")
            .field("user_id", &self.user_id())
            .field("environment_id", &self.environment_id())
            .field("issuer", &self.issuer())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}
