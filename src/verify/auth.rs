//! The identity in a verified token.

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

    /// Returns the user id, claim `sub`.
    pub fn user_id(&self) -> &str {
        self.field(Field::UserId)
    }

    /// Returns the id of the user's environment, claim `pid`.
    pub fn environment_id(&self) -> &str {
        self.field(Field::EnvironmentId)
    }

    /// Returns the configured issuer that signed the token, without trailing slashes.
    pub fn issuer(&self) -> &str {
        self.field(Field::Issuer)
    }

    /// Returns the user's preferred locale.
    pub fn locale(&self) -> Option<&str> {
        self.0.str(Field::Locale)
    }

    /// Returns the id of the active organization. `None` if none is active, or if the id contains U+0000.
    pub fn organization_id(&self) -> Option<&str> {
        self.0.organization_id()
    }

    /// Returns the user's role in the active organization, if the token names one.
    pub fn organization_role(&self) -> Option<&str> {
        self.0.organization_role()
    }

    /// Returns the id of the party that acts as the user: `sub` of `act` (RFC 8693 §4.1). `None` if there
    /// is none, or if the token does not name it: see [`impersonating`](Self::impersonating).
    pub fn actor_id(&self) -> Option<&str> {
        self.0.str(Field::ActorId)
    }

    /// Returns the `REQUIRE_` flags that this login meets.
    pub fn flags(&self) -> u32 {
        self.0.flags
    }

    /// Checks requirements against this login, for one route among many.
    ///
    /// Reads the claims only: neither `exp` nor a revocation is checked again.
    ///
    /// # Errors
    /// [`Status::Policy`](crate::Status::Policy), with the requirement that is not met.
    pub fn require(&self, requirements: &Requirements) -> Result<()> {
        requirements.require(&self.0)
    }

    /// Returns whether the user has a verified email address: claim `email_verified` is `true`.
    pub fn email_verified(&self) -> bool {
        self.0.meets(REQUIRE_EMAIL_VERIFIED)
    }

    /// Returns whether all required profile fields are set: claim `profile_complete` is not `false`.
    pub fn profile_complete(&self) -> bool {
        self.0.meets(REQUIRE_PROFILE_COMPLETE)
    }

    /// Returns whether another party acts as the user: `impersonating` is `true`, or `act` is present.
    pub fn impersonating(&self) -> bool {
        !self.0.meets(REQUIRE_NOT_IMPERSONATED)
    }

    /// Returns claim `iat` in Unix seconds.
    pub fn issued_at(&self) -> i64 {
        self.0.times.issued_at
    }

    /// Returns claim `exp` in Unix seconds.
    pub fn expires_at(&self) -> i64 {
        self.0.times.expires_at
    }

    /// Returns all claims, exactly as they were signed.
    pub fn claims_json(&self) -> &str {
        self.field(Field::Claims)
    }

    /// Returns a top-level string claim. `None` if it is absent, is not a string, or contains U+0000.
    pub fn claim_str(&self, name: &str) -> Option<&str> {
        self.0.string(name).map(NulStr::as_str)
    }

    /// Returns all claims, to be read by JSON pointer.
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
