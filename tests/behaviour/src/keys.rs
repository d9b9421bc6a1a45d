//! The key pairs of the corpus. They protect nothing, since they are published here.

use crate::draft::base64url;
use crate::es256::{self, Signature};
use crate::object::{Object, quoted};
use num_bigint::BigUint;

/// A P-256 key pair.
#[derive(Clone)]
pub struct Key {
    /// Its name in a key set.
    pub kid: String,
    /// The secret number.
    pub private: BigUint,
}

impl Key {
    /// A key pair with this name and secret number.
    pub fn new(kid: &str, private: BigUint) -> Self {
        let kid = kid.to_owned();
        Self { kid, private }
    }

    /// The same key pair under another name.
    pub fn named(self, kid: &str) -> Self {
        Self::new(kid, self.private)
    }

    /// The public half as a JWK, as torii publishes it.
    pub fn jwk(&self) -> Object {
        let (x, y) = es256::public(&self.private);
        Object::new(&[
            ("kty", r#""EC""#),
            ("crv", r#""P-256""#),
            ("alg", r#""ES256""#),
            ("use", r#""sig""#),
            ("kid", &quoted(&self.kid)),
            ("x", &quoted(&base64url(x))),
            ("y", &quoted(&base64url(y))),
        ])
    }

    /// The public point in its uncompressed form.
    pub fn point(&self) -> Vec<u8> {
        let (x, y) = es256::public(&self.private);
        [&[4], x.as_slice(), &y].concat()
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        es256::sign(&self.private, message)
    }
}

/// The key that signs unless a case says otherwise.
pub fn first() -> Key {
    let private = "c6d5d26358bd562c0b257dd1f8faad953514fd8308b1d1356b332ca2bf3f2b2a";
    Key::new("key-1", es256::number(private))
}

/// The second key of the same issuer.
pub fn second() -> Key {
    let private = "cbaac761562cba02163bb0aab3224d52c70322dc7001b9c0f6e7ddad671c5738";
    Key::new("key-2", es256::number(private))
}

/// A key of another issuer, under the same name as the first one's.
pub fn other_issuers() -> Key {
    let private = "a1c37ae36fddebc4542c1cdd56acd5dfeaae7ca0679ef754834a5e4aaccf2383";
    Key::new("key-1", es256::number(private))
}

/// A key that no issuer ever published, under the first one's name.
pub fn attackers() -> Key {
    let private = "852c95306dc14726292d6ad3b305225f786e9c4865fbc94c473248916bb9a385";
    Key::new("key-1", es256::number(private))
}

/// A key set of these keys.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a Object>) -> String {
    let keys: Vec<_> = keys.into_iter().map(Object::json).collect();
    format!("{{\"keys\":[{}]}}", keys.join(","))
}
