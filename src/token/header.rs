//! The JOSE header of a token (RFC 7515 §4).

use std::borrow::Cow;
use std::sync::Arc;

use arc_swap::{ArcSwapOption, Guard};

use super::json::{self, Value};
use super::{MAX_KID, Token, malformed};
use crate::error::{Error, Result, Status};

/// Reads the JOSE header (RFC 7515 §4) and returns the `kid`.
///
/// `jwk`, `jku`, `x5u`, `x5c` and whatever else it holds are never looked at.
pub(super) fn read(header: &str) -> Result<String> {
    let (mut alg, mut kid, mut crit) = (None, None, false);
    json::finite_object(header, |name, value| match name {
        "alg" => alg = Some(value),
        "kid" => kid = Some(value),
        "crit" => crit = true,
        _ => {}
    })
    .map_err(|fault| malformed("token header", fault))?;
    if crit {
        return Err(malformed("token header", "`crit` names extensions that are not understood"));
    }
    if !matches!(&alg, Some(Value::String(alg)) if alg == "ES256") {
        return Err(Error::fixed(Status::TokenAlgorithm, "token header", "`alg` is not ES256"));
    }
    match kid {
        Some(Value::String(kid)) if (1..=MAX_KID).contains(&kid.len()) => Ok(Cow::into_owned(kid)),
        Some(_) => Err(malformed("token header", "`kid` is not a string of 1 to 256 bytes")),
        None => Err(malformed("token header", "no `kid`")),
    }
}

/// Headers of accepted tokens, and what was read in them: all tokens of a key have the same one.
///
/// Each has its place by its text, and the last one stays there. So keys of several issuers, or a
/// key and its successor, are known side by side.
#[derive(Default)]
pub(crate) struct KnownHeaders([ArcSwapOption<Known>; PLACES]);

const PLACES: usize = 4;

/// The longest header that is kept, in characters.
const LONGEST: usize = 512;

pub(super) struct Known {
    /// As it is in the token.
    encoded: Box<[u8]>,
    kid: String,
}

/// The `kid` of a token.
pub(super) enum Kid {
    Known(Guard<Option<Arc<Known>>>),
    Read(String),
}

impl KnownHeaders {
    /// Returns the `kid` of a header, as in the token, if the header is known.
    pub(super) fn find(&self, encoded: &[u8]) -> Option<Kid> {
        let known = self.place(encoded)?.load();
        let same = known.as_ref().is_some_and(|known| *known.encoded == *encoded);
        same.then_some(Kid::Known(known))
    }

    /// Keeps the header of a token that was accepted.
    pub(crate) fn keep(&self, token: &Token<'_>) {
        if let Kid::Read(kid) = &token.kid
            && token.header.len() <= LONGEST
            && let Some(place) = self.place(token.header)
        {
            place.store(Some(Arc::new(Known { encoded: token.header.into(), kid: kid.clone() })));
        }
    }

    fn place(&self, encoded: &[u8]) -> Option<&ArcSwapOption<Known>> {
        let (eights, _) = encoded.as_chunks::<8>();
        let mix = eights.iter().fold(0, |mix, eight| mix ^ u64::from_ne_bytes(*eight));
        // Fibonacci hashing (Knuth, TAOCP 3, 6.4): the highest bits depend on all.
        let place = mix.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACES.ilog2());
        self.0.get(place as usize)
    }
}

impl Kid {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Kid::Known(known) => known.as_ref().map_or("", |known| &known.kid),
            Kid::Read(kid) => kid,
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn token(header: &str) -> String {
        let signature = URL_SAFE_NO_PAD.encode([1; 64]);
        format!("{}.{}.{signature}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("{}"))
    }

    fn of_kid(kid: &str) -> String {
        token(&format!(r#"{{"alg":"ES256","kid":"{kid}","typ":"JWT"}}"#))
    }

    /// Returns the `kid`, and whether the header was known.
    fn parse(token: &str, known: &KnownHeaders) -> Result<(String, bool)> {
        let token = Token::parse(token.as_bytes(), known)?;
        Ok((token.kid().to_owned(), matches!(token.kid, Kid::Known(_))))
    }

    fn keep(token: &str, known: &KnownHeaders) {
        known.keep(&Token::parse(token.as_bytes(), known).unwrap());
    }

    #[test]
    fn the_header_of_an_accepted_token_is_known() {
        let known = KnownHeaders::default();
        let (one, other) = (of_kid("one"), of_kid("other"));
        assert_eq!(parse(&one, &known).unwrap(), ("one".to_owned(), false));
        assert_eq!(parse(&one, &known).unwrap(), ("one".to_owned(), false), "not kept");
        keep(&one, &known);
        assert_eq!(parse(&one, &known).unwrap(), ("one".to_owned(), true));
        assert_eq!(parse(&other, &known).unwrap(), ("other".to_owned(), false));
        // The rest of a token is still read.
        let shorter = &one[..one.len() - 4];
        assert_eq!(parse(shorter, &known).unwrap_err().status(), Status::TokenSignature);
        let no_text = one.replace(".e30.", ".e3.");
        assert_eq!(parse(&no_text, &known).unwrap_err().status(), Status::TokenMalformed);
    }

    #[test]
    fn several_headers_are_known_side_by_side_and_the_last_one_stays() {
        let known = KnownHeaders::default();
        let tokens: Vec<_> = (0..100).map(|n| of_kid(&format!("key {n}"))).collect();
        for (n, token) in tokens.iter().enumerate() {
            keep(token, &known);
            assert_eq!(parse(token, &known).unwrap(), (format!("key {n}"), true));
        }
        let left = tokens.iter().filter(|token| parse(token, &known).unwrap().1).count();
        assert_eq!(left, PLACES, "each place has one");
        for (n, token) in tokens.iter().enumerate() {
            assert_eq!(parse(token, &known).unwrap().0, format!("key {n}"));
        }
    }

    #[test]
    fn long_headers_are_not_kept() {
        let known = KnownHeaders::default();
        for (len, kept) in [(352, true), (353, false), (9_000, false)] {
            let header = format!(r#"{{"alg":"ES256","kid":"k","x":"{}"}}"#, "x".repeat(len));
            keep(&token(&header), &known);
            assert_eq!(parse(&token(&header), &known).unwrap().1, kept, "{len}");
        }
    }

    /// A header that differs in one character from a known one is read.
    #[test]
    fn only_the_same_header_is_known() {
        let (known, none) = (KnownHeaders::default(), KnownHeaders::default());
        let good = of_kid("0123456789abcdef");
        keep(&good, &known);
        let mut taken = 0;
        for at in 0..good.find('.').unwrap() {
            for character in "AEQgw048_-=.".chars() {
                let mut other = good.clone();
                other.replace_range(at..at + 1, &character.to_string());
                let (expected, found) = (parse(&other, &none), parse(&other, &known));
                let verdict = |result: Result<(String, bool)>| match result {
                    Ok((kid, _)) => kid,
                    Err(error) => error.to_string(),
                };
                taken += usize::from(expected.is_ok());
                assert_eq!(verdict(found), verdict(expected), "{other}");
            }
        }
        assert!(taken > 100, "{taken}");
    }
}
