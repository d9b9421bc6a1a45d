//! What a good token says.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use once_cell::race::OnceBox;

use super::{Issuer, Requirement};
use crate::error::{Error, Result, Status};
use crate::json::Json;
use crate::keys::KeyId;
use crate::text::NulStr;
use crate::token::json::{self, Value};
use crate::token::{Times, ValidatedClaims};

/// The user a token was issued to, as the issuer signed it.
///
/// Cheap to clone and to send to other threads; it does not change and outlives the verifier.
#[derive(Clone)]
pub struct Auth(pub(crate) Arc<Verified>);

/// Texts of an [`Auth`].
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    UserId,
    EnvironmentId,
    Issuer,
    Locale,
    Claims,
}

/// The claims of a token whose signature was checked.
///
/// Aligned to a cache line, so that threads with different tokens do not write to the same one when
/// they count references.
#[repr(align(64))]
pub(crate) struct Verified {
    /// The payload as signed, then user id, environment id and locale, each followed by U+0000.
    text: String,
    payload: Range<usize>,
    user_id: Range<usize>,
    environment_id: Range<usize>,
    locale: Option<Range<usize>>,
    pub(super) issuer: Arc<Issuer>,
    pub(super) key: KeyId,
    pub(super) times: Times,
    email_verified: bool,
    profile_complete: bool,
    impersonating: bool,
    /// String claims by name, read when the first of them is asked for.
    strings: OnceBox<Vec<(String, String)>>,
}

/// What is kept of [`ValidatedClaims`] claims besides the payload they borrow from.
pub(super) struct OwnedClaims {
    user_id: String,
    environment_id: String,
    locale: Option<String>,
    times: Times,
    email_verified: bool,
    profile_complete: bool,
    impersonating: bool,
}

impl From<ValidatedClaims<'_>> for OwnedClaims {
    fn from(claims: ValidatedClaims<'_>) -> Self {
        OwnedClaims {
            user_id: claims.user_id.to_owned(),
            environment_id: claims.environment_id.to_owned(),
            locale: claims.locale.map(str::to_owned),
            times: claims.times,
            email_verified: claims.email_verified,
            profile_complete: claims.profile_complete,
            impersonating: claims.impersonating,
        }
    }
}

impl Verified {
    pub(super) fn meets(&self, requirement: Requirement) -> Result<()> {
        let (met, subject, why) = match requirement {
            Requirement::EmailVerified => {
                (self.email_verified, "claim `email_verified`", "has to be true")
            }
            Requirement::ProfileComplete => {
                (self.profile_complete, "claim `profile_complete`", "must not be false")
            }
            Requirement::NotImpersonated => {
                (!self.impersonating, "claim `impersonating`", "must not be true")
            }
        };
        if met { Ok(()) } else { Err(Error::fixed(Status::Policy, subject, why)) }
    }

    pub(super) fn new(payload: String, kept: OwnedClaims, issuer: Arc<Issuer>, key: KeyId) -> Self {
        let mut text = payload;
        let payload = 0..terminate(&mut text);
        let mut append = |part: &str| {
            let start = text.len();
            text.push_str(part);
            start..terminate(&mut text)
        };
        Verified {
            payload,
            user_id: append(&kept.user_id),
            environment_id: append(&kept.environment_id),
            locale: kept.locale.as_deref().map(append),
            text,
            issuer,
            key,
            times: kept.times,
            email_verified: kept.email_verified,
            profile_complete: kept.profile_complete,
            impersonating: kept.impersonating,
            strings: OnceBox::new(),
        }
    }

    pub(crate) fn text(&self, field: Field) -> Option<NulStr<'_>> {
        let range = match field {
            Field::Issuer => return Some(self.issuer.name.borrow()),
            Field::UserId => &self.user_id,
            Field::EnvironmentId => &self.environment_id,
            Field::Locale => self.locale.as_ref()?,
            Field::Claims => &self.payload,
        };
        NulStr::new(self.text.get(range.clone())?)
    }

    /// A top-level claim that is a string without U+0000.
    pub(crate) fn string(&self, name: &str) -> Option<NulStr<'_>> {
        let strings = self.strings.get_or_init(|| Box::new(self.read_strings()));
        let (_, value) = strings.iter().find(|(known, _)| known == name)?;
        NulStr::new(value)
    }

    fn read_strings(&self) -> Vec<(String, String)> {
        let mut strings = Vec::new();
        let payload = self.text(Field::Claims).map_or("", NulStr::as_str);
        // The payload was found strict before it was signed for; there is nothing to refuse.
        let _ = json::object(payload, |name, value| {
            if let Value::String(value) = value
                && !value.contains('\0')
            {
                strings.push((name.to_owned(), format!("{value}\0")));
            }
        });
        strings
    }

    /// About how many bytes the claims take, what may be read later included.
    pub(super) fn weight(&self) -> usize {
        size_of::<Verified>() + self.text.capacity() + self.payload.len()
    }
}

/// Ends the last part with U+0000; returns where it ends, that included.
fn terminate(text: &mut String) -> usize {
    text.push('\0');
    text.len()
}

impl Auth {
    fn field(&self, field: Field) -> &str {
        self.0.text(field).map_or("", NulStr::as_str)
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
        self.0.text(Field::Locale).map(NulStr::as_str)
    }

    /// Asks for something more of this token alone, as [`VerifierOptions::require`] does of all.
    ///
    /// # Errors
    /// [`Status::Policy`], with the claim that does not say so.
    ///
    /// [`VerifierOptions::require`]: crate::VerifierOptions::require
    pub fn meets(&self, requirement: Requirement) -> Result<()> {
        self.0.meets(requirement)
    }

    /// Whether the user has a verified email address: only when the token says `true`.
    pub fn email_verified(&self) -> bool {
        self.0.email_verified
    }

    /// Whether all required profile fields are set: unless the token says `false`.
    pub fn profile_complete(&self) -> bool {
        self.0.profile_complete
    }

    /// Whether somebody else is acting as the user.
    pub fn impersonating(&self) -> bool {
        self.0.impersonating
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
        Json::parse(self.claims_json())
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
