//! Requirements that a valid token must meet.

use super::verified::{
    REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE, Verified,
};
use crate::error::{Error, Result, Status};
use crate::token::json::{self, Value};
use crate::token::{Pointer, decimal};

const ALL_FLAGS: u32 = REQUIRE_EMAIL_VERIFIED
    | REQUIRE_PROFILE_COMPLETE
    | REQUIRE_NOT_IMPERSONATED
    | REQUIRE_ORGANIZATION;

/// Requirements for every call of a verifier, for one call, or for a result.
///
/// A login meets them if it has all flags, all claims, and one of the organizations, where any are
/// named. A valid token that does not is refused with [`Status::Policy`].
#[derive(Clone, Debug, Default)]
pub struct Requirements {
    flags: u32,
    claims: Vec<RequiredClaim>,
    organizations: Vec<RequiredOrganization>,
}

#[derive(Clone, Debug)]
struct RequiredClaim {
    text: String,
    pointer: Pointer,
    value: Scalar,
}

#[derive(Clone, Debug)]
enum Scalar {
    Bool(bool),
    Number(String),
    String(String),
}

#[derive(Clone, Debug)]
struct RequiredOrganization {
    id: String,
    role: Option<String>,
}

impl Requirements {
    /// Returns requirements that every valid token meets.
    pub fn new() -> Self {
        Requirements::default()
    }

    /// Adds flags: a combination of the `REQUIRE_` constants.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `flags` is 0 or has an unknown bit.
    pub fn add_flags(&mut self, flags: u32) -> Result<&mut Self> {
        if flags == 0 || flags & !ALL_FLAGS != 0 {
            let why = "zero or unknown (expected a combination of REQUIRE flags)";
            return Err(Error::argument("flags", why));
        }
        self.flags |= flags;
        Ok(self)
    }

    /// Adds a claim: the value at the JSON pointer (RFC 6901) has to equal the JSON scalar `json`,
    /// or be an array that directly holds it.
    ///
    /// Strings are equal by their decoded bytes, without normalization; numbers by their exact
    /// decimal value.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `pointer` is empty or malformed, or `json` is not a string, a
    /// number or a boolean.
    pub fn add_claim(&mut self, pointer: &str, json: &str) -> Result<&mut Self> {
        let text = pointer.to_owned();
        let pointer = Pointer::parse(pointer).map_err(|why| Error::argument("pointer", why))?;
        let value = match json::value(json).map_err(|why| Error::argument("json", why))? {
            Value::Bool(value) => Scalar::Bool(value),
            Value::Number(number) if decimal::is_comparable(number) => {
                Scalar::Number(number.to_owned())
            }
            Value::Number(_) => return Err(Error::argument("json", "exponent out of range")),
            Value::String(text) => Scalar::String(text.into_owned()),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                let why = "not a scalar (expected a string, a number, true or false)";
                return Err(Error::argument("json", why));
            }
        };
        self.claims.push(RequiredClaim { text, pointer, value });
        Ok(self)
    }

    /// Adds an organization that may be active, and the role the user must have in it. Any of the
    /// added organizations suffices.
    ///
    /// A role is never required without its organization: anyone can create an organization and
    /// own it.
    ///
    /// # Errors
    /// [`Status::InvalidArgument`] if `id` or `role` is empty or contains U+0000.
    pub fn add_organization(&mut self, id: &str, role: Option<&str>) -> Result<&mut Self> {
        for (name, text) in [("id", Some(id)), ("role", role)] {
            match text {
                Some("") => return Err(Error::argument(name, "empty")),
                Some(text) if text.contains('\0') => {
                    return Err(Error::argument(name, "contains U+0000"));
                }
                _ => {}
            }
        }
        let role = role.map(str::to_owned);
        self.organizations.push(RequiredOrganization { id: id.to_owned(), role });
        Ok(self)
    }

    pub(super) fn with_flags_of(&self, other: &Requirements) -> Self {
        Requirements { flags: self.flags | other.flags, ..self.clone() }
    }

    /// See [`Auth::require`](super::Auth::require).
    pub(crate) fn require(&self, login: &Verified) -> Result<()> {
        self.check(login).map_err(|unmet| unmet.challenged_by(login.challenge.as_ref()))
    }

    #[inline]
    pub(super) fn check(&self, login: &Verified) -> Result<()> {
        let missing = self.flags & !login.flags;
        if missing != 0 {
            return Err(unmet_flag(missing, login));
        }
        if self.organizations.is_empty() && self.claims.is_empty() {
            return Ok(());
        }
        self.check_values(login)
    }

    fn check_values(&self, login: &Verified) -> Result<()> {
        if !self.organizations.is_empty() {
            self.check_organization(login)?;
        }
        self.claims.iter().try_for_each(|claim| claim.check(login))
    }

    fn check_organization(&self, login: &Verified) -> Result<()> {
        let refuse = |why| Err(Error::fixed(Status::Policy, "organization", why));
        let Some(id) = login.organization_id() else {
            return refuse("none is active");
        };
        let role = login.organization_role();
        let mut same = self.organizations.iter().filter(|required| required.id == id).peekable();
        if same.peek().is_none() {
            return refuse("not one of those required");
        }
        let suffices =
            |wanted: &RequiredOrganization| wanted.role.is_none() || wanted.role.as_deref() == role;
        if same.any(suffices) { Ok(()) } else { refuse("the user does not have the required role") }
    }
}

impl RequiredClaim {
    fn check(&self, login: &Verified) -> Result<()> {
        let why = match self.pointer.find(login.payload()) {
            None => "absent",
            Some(value) if self.value.is_in(&value) => return Ok(()),
            Some(_) => "not the required value",
        };
        let text = format!("claim `{}`: {why}", self.text.escape_debug());
        Err(Error::text(Status::Policy, text))
    }
}

impl Scalar {
    /// Whether this is the value, or an element of the array that the value is.
    fn is_in(&self, value: &Value<'_>) -> bool {
        let Value::Array(list) = value else {
            return self.equals(value);
        };
        let mut found = false;
        // The payload was found strict before.
        json::elements(list, |element| found |= self.equals(&element)).is_ok() && found
    }

    fn equals(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Scalar::Bool(wanted), Value::Bool(value)) => wanted == value,
            (Scalar::Number(wanted), Value::Number(value)) => decimal::equal(wanted, value),
            (Scalar::String(wanted), Value::String(value)) => wanted == value,
            _ => false,
        }
    }
}

#[cold]
fn unmet_flag(missing: u32, login: &Verified) -> Error {
    let (subject, why) = if missing & REQUIRE_EMAIL_VERIFIED != 0 {
        let why = if login.names_email_verified {
            "not true"
        } else {
            "absent (add it to the environment's default JWT template)"
        };
        ("claim `email_verified`", why)
    } else if missing & REQUIRE_PROFILE_COMPLETE != 0 {
        ("claim `profile_complete`", "false")
    } else if missing & REQUIRE_NOT_IMPERSONATED != 0 {
        ("claims `act` and `impersonating`", "the user is impersonated")
    } else {
        ("organization", "none is active")
    };
    Error::fixed(Status::Policy, subject, why)
}
