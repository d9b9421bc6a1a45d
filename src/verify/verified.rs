//! The claims of a verified token, as results and the token cache keep them.

use std::sync::Arc;

use once_cell::race::OnceBox;

use super::Issuer;
use crate::error::{Challenge, Result};
use crate::json::Json;
use crate::keys::KeyId;
use crate::text::NulStr;
use crate::token::json::{self, Value};
use crate::token::{StringClaims, Times, ValidatedClaims};

/// The user has a verified email address: `email_verified` is `true`.
pub const REQUIRE_EMAIL_VERIFIED: u32 = 1;
/// All required profile fields are set: `profile_complete` is not `false`.
pub const REQUIRE_PROFILE_COMPLETE: u32 = 2;
/// No other party acts as the user.
pub const REQUIRE_NOT_IMPERSONATED: u32 = 4;
/// An organization is active.
pub const REQUIRE_ORGANIZATION: u32 = 8;

/// Texts of an [`Auth`](super::Auth), by their place in its spans.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Field {
    Claims,
    UserId,
    EnvironmentId,
    Issuer,
    Locale,
    OrganizationId,
    OrganizationRole,
    ActorId,
}

/// Where a text starts, and how long it is without the U+0000 behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) len: u32,
}

/// The claims of a token whose signature was verified.
///
/// Larger than a cache line, so that threads with different tokens do not write to the same one when
/// they count references. Aligned to one, each would take a slow path of the allocator.
pub(crate) struct Verified {
    /// The payload as signed, then the other texts, each followed by U+0000.
    text: String,
    /// Where each [`Field`] is in it.
    spans: [Option<Span>; 8],
    /// The `REQUIRE_` flags that this login meets.
    pub(crate) flags: u32,
    pub(super) names_email_verified: bool,
    pub(super) issuer: Arc<Issuer>,
    pub(super) key: KeyId,
    pub(crate) times: Times,
    pub(super) challenge: Option<Arc<Challenge>>,
    string_claims: StringClaims,
    /// Read at the first access. A lock could be held by a thread that a child
    /// made by `fork` does not have; this never blocks.
    strings: OnceBox<Strings>,
}

/// The top-level claims that are strings without U+0000.
struct Strings {
    /// Each name, and each value with U+0000 behind it.
    text: String,
    /// Name and value of each claim.
    claims: Vec<(Span, Span)>,
}

/// The approximate overhead of an allocation, in bytes.
const ALLOCATION: usize = 16;

impl Verified {
    pub(super) fn new(
        payload: &str,
        claims: &ValidatedClaims<'_>,
        issuer: Arc<Issuer>,
        key: KeyId,
        challenge: Option<Arc<Challenge>>,
    ) -> Self {
        let organization = claims.organization.as_ref();
        let fields = [
            Some(payload),
            Some(claims.user_id),
            Some(claims.environment_id),
            Some(issuer.name.as_str()),
            claims.locale,
            organization.map(|organization| &*organization.id),
            organization.and_then(|organization| organization.role.as_deref()),
            claims.actor_id.as_deref(),
        ];
        let size = fields.iter().flatten().map(|text| text.len() + 1).sum();
        let mut text = String::with_capacity(size);
        let spans = fields.map(|field| field.map(|field| append(&mut text, field)));
        let met = [
            (claims.email_verified == Some(true), REQUIRE_EMAIL_VERIFIED),
            (claims.profile_complete, REQUIRE_PROFILE_COMPLETE),
            (!claims.impersonating, REQUIRE_NOT_IMPERSONATED),
            (organization.is_some(), REQUIRE_ORGANIZATION),
        ];
        Verified {
            text,
            spans,
            flags: met.iter().filter(|(met, _)| *met).map(|(_, flag)| flag).sum(),
            names_email_verified: claims.email_verified.is_some(),
            issuer,
            key,
            times: claims.times,
            challenge,
            string_claims: claims.strings,
            strings: OnceBox::new(),
        }
    }

    /// Returns all texts, each followed by U+0000, one after the other: [`span`](Self::span) tells
    /// which is where.
    pub(crate) fn texts(&self) -> &str {
        &self.text
    }

    pub(crate) fn span(&self, field: Field) -> Option<Span> {
        self.spans.get(field as usize).copied().flatten()
    }

    pub(crate) fn text(&self, field: Field) -> Option<NulStr<'_>> {
        terminated(&self.text, self.span(field)?)
    }

    /// Whether this login meets what a `REQUIRE_` flag stands for.
    pub(crate) fn meets(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }

    /// See [`Auth::claims`](super::Auth::claims).
    pub(crate) fn claims(&self) -> Result<Json> {
        Json::parse(self.payload())
    }

    pub(super) fn str(&self, field: Field) -> Option<&str> {
        self.text(field).map(NulStr::as_str)
    }

    pub(super) fn payload(&self) -> &str {
        self.str(Field::Claims).unwrap_or_default()
    }

    pub(super) fn organization_id(&self) -> Option<&str> {
        self.str(Field::OrganizationId)
    }

    pub(super) fn organization_role(&self) -> Option<&str> {
        self.str(Field::OrganizationRole)
    }

    /// A top-level claim that is a string without U+0000.
    pub(crate) fn string(&self, name: &str) -> Option<NulStr<'_>> {
        let strings = self.strings.get_or_init(|| Box::new(self.read_strings()));
        let text = &strings.text;
        let is_it = |(known, _): &&(Span, Span)| part(text, *known, 0) == Some(name);
        let (_, value) = strings.claims.iter().find(is_it)?;
        terminated(text, *value)
    }

    fn read_strings(&self) -> Strings {
        let StringClaims { count, bytes } = self.string_claims;
        let mut strings = Strings {
            text: String::with_capacity(bytes as usize + 2 * count as usize),
            claims: Vec::with_capacity(count as usize),
        };
        // The payload was found strict before.
        let _ = json::object(self.payload(), |name, value| {
            if let Value::String(value) = value
                && !value.contains('\0')
            {
                let name = append(&mut strings.text, name);
                let value = append(&mut strings.text, &value);
                strings.claims.push((name, value));
            }
        });
        strings
    }

    /// About how many bytes the claims take, the string claims that may be read later included.
    pub(super) fn weight(&self) -> usize {
        let StringClaims { count, bytes } = self.string_claims;
        let strings = size_of::<Strings>()
            + bytes as usize
            + count as usize * (2 + size_of::<(Span, Span)>())
            + 3 * ALLOCATION;
        size_of::<Verified>() + self.text.capacity() + 2 * ALLOCATION + strings
    }
}

/// Appends a part and U+0000.
fn append(text: &mut String, part: &str) -> Span {
    // A token has at most 16 KiB, and so have its claims.
    let [start, len] = [text.len(), part.len()].map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    text.push_str(part);
    text.push('\0');
    Span { start, len }
}

fn part(text: &str, span: Span, more: usize) -> Option<&str> {
    let start = span.start as usize;
    text.get(start..start + span.len as usize + more)
}

fn terminated(text: &str, span: Span) -> Option<NulStr<'_>> {
    NulStr::new(part(text, span, 1)?)
}
