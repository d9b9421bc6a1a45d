//! A compact JWS (RFC 7515 §7.1) and its claims: strict parsing and claim rules.
//!
//! Pure: no I/O, no clock of its own, no key. The order of the checks is fixed, so that a token
//! with several faults gets the same answer everywhere.

mod base64url;
mod claims;
pub(crate) mod decimal;
mod header;
pub(crate) mod json;
mod pointer;

pub(crate) use base64url::decode as decode_base64url;
use base64url::decode_64;
pub(crate) use claims::{Audience, Claims, StringClaims, Times, ValidatedClaims};
use header::Kid;
pub(crate) use header::KnownHeaders;
pub(crate) use pointer::Pointer;

use crate::error::{Error, Result, Status};

/// The longest token that is looked at, in bytes.
pub(crate) const MAX_TOKEN: usize = 16 * 1024;

/// The longest `kid`, in bytes.
pub(crate) const MAX_KID: usize = 256;

/// An ES256 signature (RFC 7518 §3.4): r and s, 32 bytes each.
pub(crate) const SIGNATURE: usize = 64;

/// A token whose form is right; nothing in it can be trusted yet.
pub(crate) struct Token<'a> {
    /// The signing input: header and payload as they were sent (RFC 7515 §5.2).
    pub(crate) signed: &'a [u8],
    /// The signature: r and s.
    pub(crate) signature: [u8; SIGNATURE],
    header: &'a [u8],
    kid: Kid,
    /// The payload, decoded: strict JSON only once its claims have been read.
    pub(crate) payload: String,
}

impl<'a> Token<'a> {
    /// Takes the token apart: size, form, header. The payload's JSON is left to [`Claims::read`].
    /// A header that is one of `known` is not read again.
    pub(crate) fn parse(token: &'a [u8], known: &KnownHeaders) -> Result<Self> {
        size(token)?;
        let (header, payload, signature, signed) = split(token)?;
        let found = match known.find(header) {
            Some(kid) => Ok(kid),
            None => Err(decode("token header", header)?),
        };
        let payload = decode("token payload", payload)?;
        let fixed = decode_64(signature);
        if fixed.is_none() {
            decode("token signature", signature)?;
        }
        let kid = match found {
            Ok(kid) => kid,
            Err(header) => Kid::Read(header::read(&text("token header", header)?)?),
        };
        let Some(signature) = fixed else {
            return Err(Error::fixed(
                Status::TokenSignature,
                "token signature",
                "not the 64 bytes of an ES256 signature",
            ));
        };
        let payload = text("token payload", payload)?;
        Ok(Token { signed, signature, header, kid, payload })
    }

    pub(crate) fn kid(&self) -> &str {
        self.kid.as_str()
    }
}

/// Refuses what is too short or too long to be looked at.
pub(crate) fn size(token: &[u8]) -> Result<()> {
    if token.is_empty() {
        return Err(Error::fixed(Status::TokenMissing, "token", "empty"));
    }
    if token.len() > MAX_TOKEN {
        return Err(Error::fixed(Status::TokenTooLarge, "token", "longer than 16384 bytes"));
    }
    Ok(())
}

/// The token in the value of an `Authorization` header (RFC 6750 §2.1, RFC 9110 §11.4): the scheme
/// in any case, then blanks, then the token.
pub(crate) fn bearer(header: &[u8]) -> Result<&[u8]> {
    let value = trim(header);
    if value.is_empty() {
        return Err(Error::fixed(Status::TokenMissing, "header", "empty"));
    }
    let end = value.iter().position(is_blank).unwrap_or(value.len());
    let (scheme, token) = value.split_at_checked(end).unwrap_or((value, &[]));
    if !scheme.eq_ignore_ascii_case(b"bearer") {
        return Err(Error::fixed(
            Status::TokenScheme,
            "header",
            "not of the form `Bearer <token>`",
        ));
    }
    let token = trim(token);
    if token.is_empty() {
        return Err(Error::fixed(Status::TokenMissing, "header", "no token after `Bearer`"));
    }
    Ok(token)
}

fn is_blank(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = bytes
        && is_blank(first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && is_blank(last)
    {
        bytes = rest;
    }
    bytes
}

type Parts<'a> = (&'a [u8], &'a [u8], &'a [u8], &'a [u8]);

fn split(token: &[u8]) -> Result<Parts<'_>> {
    let three = || {
        let mut dots = memchr::memchr_iter(b'.', token);
        let (first, second) = (dots.next()?, dots.next()?);
        if dots.next().is_some() {
            return None;
        }
        let header = token.get(..first)?;
        let payload = token.get(first + 1..second)?;
        Some((header, payload, token.get(second + 1..)?, token.get(..second)?))
    };
    three().ok_or(malformed("token", "not three parts separated by dots"))
}

fn decode(part: &'static str, encoded: &[u8]) -> Result<Vec<u8>> {
    decode_base64url(encoded).ok_or(malformed(part, "not canonical base64url"))
}

fn text(part: &'static str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|_| malformed(part, "not UTF-8"))
}

pub(crate) const fn malformed(part: &'static str, why: &'static str) -> Error {
    Error::fixed(Status::TokenMalformed, part, why)
}
