//! The claims of a torii token (RFC 7519 §4) and the rules they obey.

use std::borrow::Cow;

use super::json::{self, Value};
use super::malformed;
use crate::error::{Error, Result, Status};

/// Numbers from here on are not distinct from the next integer in every language.
const LIMIT: f64 = 9_007_199_254_740_992.0; // 2^53

/// The claims that have a meaning here, as they stand in a payload that is strict JSON.
#[derive(Default)]
pub(crate) struct Claims<'a> {
    iss: Option<Value<'a>>,
    sub: Option<Value<'a>>,
    pid: Option<Value<'a>>,
    exp: Option<Value<'a>>,
    iat: Option<Value<'a>>,
    nbf: Option<Value<'a>>,
    aud: Option<Value<'a>>,
    locale: Option<Value<'a>>,
    email_verified: Option<Value<'a>>,
    profile_complete: Option<Value<'a>>,
    impersonating: Option<Value<'a>>,
    act: Option<Value<'a>>,
    o: Option<Value<'a>>,
    org_id: Option<Value<'a>>,
    org_role: Option<Value<'a>>,
    strings: StringClaims,
}

/// How many top-level members are strings, and how many bytes their names and values take.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct StringClaims {
    pub(crate) count: u32,
    pub(crate) bytes: u32,
}

/// Claims of the right types. No text holds U+0000, where C would see it end too early.
pub(crate) struct ValidatedClaims<'a> {
    pub(crate) user_id: &'a str,
    pub(crate) environment_id: &'a str,
    pub(crate) locale: Option<&'a str>,
    /// `None` if the claim is absent.
    pub(crate) email_verified: Option<bool>,
    pub(crate) profile_complete: bool,
    pub(crate) impersonating: bool,
    /// The id of the party that acts as the user, if the token names it.
    pub(crate) actor_id: Option<Cow<'a, str>>,
    pub(crate) organization: Option<Organization<'a>>,
    pub(crate) times: Times,
    pub(crate) strings: StringClaims,
}

/// The organization that is active.
pub(crate) struct Organization<'a> {
    pub(crate) id: Cow<'a, str>,
    pub(crate) role: Option<Cow<'a, str>>,
}

/// Whom a token has to be issued for.
#[derive(Clone, Debug)]
pub(crate) enum Audience {
    /// No audience is configured: a token that names one is for someone else (RFC 7519 §4.1.3).
    Unnamed,
    /// One of these.
    AnyOf(Vec<String>),
    /// `aud` is not read.
    Ignored,
}

/// When a token holds, in Unix seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Times {
    /// `exp`, rounded down.
    pub(crate) expires_at: i64,
    /// `iat`, rounded down.
    pub(crate) issued_at: i64,
    /// `iat` and `nbf`, rounded up: the first whole second that is not before them.
    issued_by: i64,
    not_before: Option<i64>,
    /// `exp` - `iat`, rounded up.
    lifetime: i64,
}

impl<'a> Claims<'a> {
    /// Reads a payload, which has to be one strict JSON object.
    pub(crate) fn read(payload: &'a str) -> Result<Self> {
        let mut claims = Claims::default();
        json::finite_object(payload, |name, value| {
            if let Value::String(text) = &value {
                claims.strings.count += 1;
                claims.strings.bytes += u32::try_from(name.len() + text.len()).unwrap_or(u32::MAX);
            }
            let claim = match name {
                "iss" => &mut claims.iss,
                "sub" => &mut claims.sub,
                "pid" => &mut claims.pid,
                "exp" => &mut claims.exp,
                "iat" => &mut claims.iat,
                "nbf" => &mut claims.nbf,
                "aud" => &mut claims.aud,
                "locale" => &mut claims.locale,
                "email_verified" => &mut claims.email_verified,
                "profile_complete" => &mut claims.profile_complete,
                "impersonating" => &mut claims.impersonating,
                "act" => &mut claims.act,
                "o" => &mut claims.o,
                "org_id" => &mut claims.org_id,
                "org_role" => &mut claims.org_role,
                _ => return,
            };
            *claim = Some(value);
        })
        .map_err(|fault| malformed("token payload", fault))?;
        Ok(claims)
    }

    /// The issuer the token claims to be of, without trailing slashes.
    pub(crate) fn issuer(&self) -> Option<&str> {
        match &self.iss {
            Some(Value::String(issuer)) => Some(issuer.trim_end_matches('/')),
            _ => None,
        }
    }

    /// Checks the types of all claims but `aud`, whose rule depends on the configuration.
    /// `legacy_organization`: whether `org_id` and `org_role` are read.
    pub(crate) fn check(&'a self, legacy_organization: bool) -> Result<ValidatedClaims<'a>> {
        let iat = number("claim `iat`", self.iat.as_ref())?.ok_or(missing("claim `iat`"))?;
        let exp = expiry(self.exp.as_ref())?;
        let flag = match self.impersonating {
            Some(Value::Bool(impersonating)) => impersonating,
            None => false,
            Some(_) => return Err(claim("claim `impersonating`", "not a boolean")),
        };
        let (acted_for, actor_id) = self.actor()?;
        let organization = match legacy_organization {
            true => self.legacy_organization()?,
            false => self.organization(),
        };
        Ok(ValidatedClaims {
            user_id: identifier("claim `sub`", self.sub.as_ref())?,
            environment_id: identifier("claim `pid`", self.pid.as_ref())?,
            times: Times {
                expires_at: exp.floor() as i64,
                issued_at: iat.floor() as i64,
                issued_by: iat.ceil() as i64,
                not_before: number("claim `nbf`", self.nbf.as_ref())?.map(|nbf| nbf.ceil() as i64),
                lifetime: (exp - iat).ceil() as i64,
            },
            locale: match &self.locale {
                Some(Value::String(locale)) if !locale.contains('\0') => Some(locale),
                _ => None,
            },
            email_verified: self.email_verified.as_ref().map(|value| *value == Value::Bool(true)),
            profile_complete: self.profile_complete != Some(Value::Bool(false)),
            impersonating: flag || acted_for,
            actor_id,
            organization,
            strings: self.strings,
        })
    }

    /// Whether `act` (RFC 8693 §4.1) says that someone acts as the user, and who.
    fn actor(&'a self) -> Result<(bool, Option<Cow<'a, str>>)> {
        match &self.act {
            None | Some(Value::Null) => Ok((false, None)),
            Some(Value::String(actor)) => Ok((true, usable(Cow::Borrowed(actor)))),
            Some(Value::Object(act)) => {
                Ok((true, string(json::member(act, "sub")).and_then(usable)))
            }
            Some(_) => Err(claim("claim `act`", "neither an object nor a string")),
        }
    }

    /// The organization that `o` names: its id, or an object with the id and the role.
    fn organization(&'a self) -> Option<Organization<'a>> {
        match &self.o {
            Some(Value::String(id)) => {
                Some(Organization { id: usable(Cow::Borrowed(id))?, role: None })
            }
            Some(Value::Object(o)) => {
                let id = string(json::member(o, "id")).and_then(usable)?;
                let role = match (json::member(o, "rol"), json::member(o, "role")) {
                    (Some(rol), Some(role)) if rol != role => None,
                    (rol, role) => string(rol.or(role)).and_then(usable),
                };
                Some(Organization { id, role })
            }
            _ => None,
        }
    }

    /// As [`organization`](Self::organization); where there is no `o`, `org_id` names it. `org_role`
    /// is the role unless `o` is an object, which has a role of its own.
    fn legacy_organization(&'a self) -> Result<Option<Organization<'a>>> {
        let text = |value: &'a Option<Value<'a>>| match value {
            Some(Value::String(text)) if !text.is_empty() => Some(Cow::Borrowed(&**text)),
            _ => None,
        };
        let current = match &self.o {
            Some(Value::Object(o)) => string(json::member(o, "id")).filter(|id| !id.is_empty()),
            _ => text(&self.o),
        };
        let (legacy, role) = (text(&self.org_id), || text(&self.org_role).and_then(usable));
        if current.is_some() && legacy.is_some() && current != legacy {
            return Err(claim("claims `o` and `org_id`", "they name different organizations"));
        }
        Ok(match &self.o {
            None => legacy.and_then(usable).map(|id| Organization { id, role: role() }),
            Some(Value::Object(_)) => self.organization(),
            Some(_) => self.organization().map(|o| Organization { role: role(), ..o }),
        })
    }

    /// Checks that `aud` (RFC 7519 §4.1.3) names the audience.
    pub(crate) fn check_audience(&self, audience: &Audience) -> Result<()> {
        let audiences = match (audience, &self.aud) {
            (Audience::Ignored, _) | (Audience::Unnamed, None) => return Ok(()),
            (Audience::Unnamed, Some(_)) => {
                return Err(Error::fixed(
                    Status::TokenAudience,
                    "claim `aud`",
                    "present, but the verifier has no audience (add one, or ignore the claim)",
                ));
            }
            (Audience::AnyOf(audiences), _) => audiences,
        };
        let wanted = |aud: &str| audiences.iter().any(|audience| audience == aud);
        let named = match &self.aud {
            Some(Value::String(aud)) => wanted(aud),
            Some(Value::Array(list)) => {
                let (mut any, mut strings) = (false, true);
                json::elements(list, |element| match element {
                    Value::String(aud) => any |= wanted(&aud),
                    _ => strings = false,
                })
                .map_err(|fault| malformed("token payload", fault))?;
                any && strings
            }
            _ => false,
        };
        if named {
            return Ok(());
        }
        Err(Error::fixed(
            Status::TokenAudience,
            "claim `aud`",
            "names none of the configured audiences",
        ))
    }
}

impl Times {
    /// Whether the token holds at `now`, with `leeway` seconds of difference between clocks.
    pub(crate) fn check(&self, now: i64, leeway: i64) -> Result<()> {
        if self.expires_at <= now.saturating_sub(leeway) {
            return Err(Error::expired(now.saturating_sub(self.expires_at)));
        }
        let latest = now.saturating_add(leeway);
        if self.issued_by > latest {
            return Err(Error::early("iat", self.issued_by.saturating_sub(now)));
        }
        match self.not_before {
            Some(nbf) if nbf > latest => Err(Error::early("nbf", nbf.saturating_sub(now))),
            _ => Ok(()),
        }
    }

    /// Checks that the token lives no longer than `max` seconds; 0 sets no limit.
    pub(crate) fn check_lifetime(&self, max: i64) -> Result<()> {
        if max == 0 || self.lifetime <= max {
            return Ok(());
        }
        let lifetime = self.lifetime;
        let text = format!("claim `exp`: {lifetime} s after `iat` (expected at most {max} s)");
        Err(Error::text(Status::TokenLifetime, text))
    }
}

/// A string that C reads to its end, and that is not empty.
fn usable(text: Cow<'_, str>) -> Option<Cow<'_, str>> {
    (!text.is_empty() && !text.contains('\0')).then_some(text)
}

fn string(value: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    match value {
        Some(Value::String(text)) => Some(text),
        _ => None,
    }
}

const fn claim(subject: &'static str, why: &'static str) -> Error {
    Error::fixed(Status::TokenClaim, subject, why)
}

const fn missing(subject: &'static str) -> Error {
    claim(subject, "missing")
}

/// U+0000 is refused because C would read the text only up to there.
fn identifier<'a>(subject: &'static str, value: Option<&'a Value<'a>>) -> Result<&'a str> {
    match value {
        Some(Value::String(text)) if text.is_empty() => Err(claim(subject, "empty")),
        Some(Value::String(text)) if text.contains('\0') => Err(claim(subject, "holds U+0000")),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(claim(subject, "not a string")),
        None => Err(missing(subject)),
    }
}

fn expiry(value: Option<&Value<'_>>) -> Result<f64> {
    let exp = number("claim `exp`", value)?.ok_or(missing("claim `exp`"))?;
    if exp <= 0.0 {
        return Err(claim("claim `exp`", "not after 1970"));
    }
    Ok(exp)
}

/// The nearest double of a JSON number. Most are integers of a few digits, which take less to read.
fn double(number: &str) -> Option<f64> {
    const EXACT: usize = 15;
    let short = if number.len() <= EXACT { number.parse::<i64>().ok() } else { None };
    short.map(|integer| integer as f64).or_else(|| number.parse().ok())
}

/// A NumericDate (RFC 7519 §2).
fn number(subject: &'static str, value: Option<&Value<'_>>) -> Result<Option<f64>> {
    match value {
        Some(Value::Number(text)) => match double(text) {
            Some(number) if number.abs() < LIMIT => Ok(Some(number)),
            _ => Err(claim(subject, "out of range")),
        },
        Some(Value::String(_)) => Err(claim(subject, "a string, not a number")),
        Some(_) => Err(claim(subject, "not a number")),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_the_doubles_they_were_before() {
        for text in [
            "0",
            "-0",
            "1",
            "-1",
            "1795661759",
            "99999999999999",
            "-99999999999999",
            "999999999999999",
            "9007199254740991",
            "-9007199254740993",
            "1e3",
            "1.5",
            "-2.5e-1",
        ] {
            assert_eq!(double(text), text.parse().ok(), "{text}");
        }
    }

    fn times(payload: &str) -> Result<Times> {
        Claims::read(payload)?.check(false).map(|checked| checked.times)
    }

    fn status(result: Result<()>) -> Status {
        result.map_or_else(|error| error.status(), |()| Status::Ok)
    }

    #[test]
    fn times_are_checked_at_their_edges() {
        let times = times(r#"{"sub":"u","pid":"e","exp":1000.9,"iat":500.5,"nbf":600}"#).unwrap();
        assert_eq!((times.expires_at, times.issued_at), (1000, 500));
        let at = |now, leeway| status(times.check(now, leeway));
        assert_eq!(at(999, 0), Status::Ok);
        assert_eq!(at(1000, 0), Status::TokenExpired);
        assert_eq!(at(1029, 30), Status::Ok);
        assert_eq!(at(1030, 30), Status::TokenExpired);
        assert_eq!(at(600, 0), Status::Ok);
        assert_eq!(at(599, 0), Status::TokenNotYetValid);
        assert_eq!(at(570, 30), Status::Ok);
        assert_eq!(at(i64::MIN, 300), Status::TokenNotYetValid);
        assert_eq!(at(i64::MAX, 300), Status::TokenExpired);
    }

    #[test]
    fn a_fraction_of_a_second_counts() {
        let times = times(r#"{"sub":"u","pid":"e","exp":1000,"iat":500.5}"#).unwrap();
        assert_eq!(status(times.check(500, 0)), Status::TokenNotYetValid);
        assert_eq!(status(times.check(501, 0)), Status::Ok);
    }

    #[test]
    fn a_lifetime_is_measured_to_the_fraction() {
        let limited = |exp: &str, iat: &str, max| {
            let payload = format!(r#"{{"sub":"u","pid":"e","exp":{exp},"iat":{iat}}}"#);
            times(&payload).unwrap().check_lifetime(max)
        };
        assert_eq!(status(limited("4600", "1000", 3600)), Status::Ok);
        assert_eq!(status(limited("4600.5", "1000.5", 3600)), Status::Ok);
        assert_eq!(status(limited("4600.5", "1000", 3600)), Status::TokenLifetime);
        assert_eq!(status(limited("4600", "999.5", 3600)), Status::TokenLifetime);
        assert_eq!(status(limited("9007199254740991", "-9007199254740991", 0)), Status::Ok);
        let message = limited("4601", "1000", 3600).unwrap_err().to_string();
        assert_eq!(message, "claim `exp`: 3601 s after `iat` (expected at most 3600 s)");
    }

    #[test]
    fn messages_say_which_claim_and_by_how_much() {
        let times = times(r#"{"sub":"u","pid":"e","exp":1000,"iat":500,"nbf":700}"#).unwrap();
        let message = |now| times.check(now, 30).unwrap_err().to_string();
        assert_eq!(message(1042), "claim `exp`: expired 42 s ago");
        assert_eq!(message(400), "claim `iat`: 100 s in the future");
        assert_eq!(message(600), "claim `nbf`: 100 s in the future");
    }
}
