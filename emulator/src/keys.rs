//! The ES256 keys of one issuer.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::ids;

/// One P-256 key pair and the name it is published under.
pub(crate) struct Key {
    pub(crate) kid: String,
    pub(crate) published: bool,
    pair: EcdsaKeyPair,
}

impl Key {
    /// A new published key; without a name it gets a random one.
    pub(crate) fn generate(kid: Option<String>) -> Self {
        Self {
            kid: kid.unwrap_or_else(|| ids::random().to_string()),
            published: true,
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
                .expect("a new P-256 key"),
        }
    }

    /// The signature over `input`, as the third part of a token.
    pub(crate) fn sign(&self, input: &str) -> String {
        let signature =
            self.pair.sign(&SystemRandom::new(), input.as_bytes()).expect("a signature");
        URL_SAFE_NO_PAD.encode(signature)
    }

    /// Whether this key made the signature over `input`.
    pub(crate) fn verifies(&self, input: &str, signature: &str) -> bool {
        let Ok(signature) = URL_SAFE_NO_PAD.decode(signature) else { return false };
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.pair.public_key());
        key.verify(input.as_bytes(), &signature).is_ok()
    }

    /// A token with this payload.
    pub(crate) fn token(&self, payload: &str) -> String {
        let header = json!({ "alg": "ES256", "typ": "JWT", "kid": self.kid }).to_string();
        let parts = [header.as_str(), payload].map(|part| URL_SAFE_NO_PAD.encode(part));
        let input = parts.join(".");
        format!("{input}.{}", self.sign(&input))
    }

    /// The public key as a JWK.
    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        json!({
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y),
        })
    }
}

/// All the keys an issuer ever had, and which one signs.
pub(crate) struct KeyRing {
    keys: Vec<Key>,
    current: usize,
}

impl KeyRing {
    /// A ring with one published key that signs.
    pub(crate) fn new() -> Self {
        Self { keys: vec![Key::generate(None)], current: 0 }
    }

    /// The key that signs.
    pub(crate) fn current(&self) -> &Key {
        &self.keys[self.current]
    }

    /// The newest key with that name, published or not.
    pub(crate) fn find(&self, kid: &str) -> Option<&Key> {
        self.keys.iter().rev().find(|key| key.kid == kid)
    }

    /// Publishes a new key, and with `sign` also signs with it from now on. Returns its name.
    pub(crate) fn add(&mut self, kid: Option<String>, sign: bool) -> String {
        self.keys.push(Key::generate(kid));
        let newest = self.keys.len() - 1;
        if sign {
            self.current = newest;
        }
        self.keys[newest].kid.clone()
    }

    /// Takes the keys with that name out of the key set; they can still sign. False if none was in it.
    pub(crate) fn unpublish(&mut self, kid: &str) -> bool {
        let mut found = false;
        for key in self.keys.iter_mut().filter(|key| key.published && key.kid == kid) {
            key.published = false;
            found = true;
        }
        found
    }

    /// The names of the published keys, oldest first.
    pub(crate) fn published(&self) -> Vec<&str> {
        self.keys.iter().filter(|key| key.published).map(|key| key.kid.as_str()).collect()
    }

    /// The published keys as a JWKS document.
    pub(crate) fn jwks(&self) -> Value {
        let keys: Vec<Value> = self.keys.iter().filter(|key| key.published).map(Key::jwk).collect();
        json!({ "keys": keys })
    }
}
