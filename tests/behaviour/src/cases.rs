//! The cases, one file a topic.

mod accepted;
mod audience;
mod authenticate;
mod claims;
mod header;
mod impersonation;
mod issuer;
mod key_sets;
mod kid;
mod lifetime;
mod organization;
mod payload;
mod policy;
mod precedence;
mod requirements;
mod sdks;
mod shape;
mod signature;
mod times;

use crate::keys::{self, Key, jwks};
use crate::object::Object;
use crate::{Corpus, KeySet};

const MISSING: &str = "TORII_ERR_TOKEN_MISSING";
const SCHEME: &str = "TORII_ERR_TOKEN_SCHEME";
const MALFORMED: &str = "TORII_ERR_TOKEN_MALFORMED";
const TOO_LARGE: &str = "TORII_ERR_TOKEN_TOO_LARGE";
const ALGORITHM: &str = "TORII_ERR_TOKEN_ALGORITHM";
const KEY_UNKNOWN: &str = "TORII_ERR_TOKEN_KEY_UNKNOWN";
const SIGNATURE: &str = "TORII_ERR_TOKEN_SIGNATURE";
const EXPIRED: &str = "TORII_ERR_TOKEN_EXPIRED";
const NOT_YET_VALID: &str = "TORII_ERR_TOKEN_NOT_YET_VALID";
const WRONG_ISSUER: &str = "TORII_ERR_TOKEN_ISSUER";
const AUDIENCE: &str = "TORII_ERR_TOKEN_AUDIENCE";
const CLAIM: &str = "TORII_ERR_TOKEN_CLAIM";
const LIFETIME: &str = "TORII_ERR_TOKEN_LIFETIME";
const POLICY: &str = "TORII_ERR_POLICY";

/// Everything.
pub fn corpus() -> Corpus {
    let mut corpus = Corpus::default();
    let main = [keys::first(), keys::second()].map(|key| key.jwk());
    corpus.keys("main", "Two keys as torii publishes them.", jwks(&main), 2, 0);
    for add in [
        accepted::add,
        shape::add,
        header::add,
        kid::add,
        signature::add,
        payload::add,
        claims::add,
        times::add,
        issuer::add,
        audience::add,
        lifetime::add,
        impersonation::add,
        organization::add,
        policy::add,
        requirements::add,
        key_sets::add,
        precedence::add,
        sdks::add,
        authenticate::add,
    ] {
        add(&mut corpus);
    }
    corpus.webhooks = crate::webhooks::cases();
    corpus
}

impl Corpus {
    fn keys(&mut self, name: &str, about: &str, jwks: String, usable: usize, skipped: usize) {
        let (about, jwks) = (about.to_owned(), jwks.into());
        let set = KeySet { about, jwks, usable, skipped };
        let before = self.key_sets.insert(name.to_owned(), set);
        assert!(before.is_none(), "two key sets are named {name}");
    }
}

/// A key that is published next to a usable one, in the cases about what a key set may hold.
fn odd() -> Key {
    keys::second().named("odd")
}

/// A key set with a usable key and this entry.
fn beside_a_usable_key(entry: &Object) -> String {
    jwks([&keys::first().jwk(), entry])
}

/// Arrays in arrays, nested this deep.
fn nested(depth: usize) -> String {
    "[".repeat(depth) + &"]".repeat(depth)
}
