//! One public key of an issuer.

use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::crypto::aws_lc;
use jsonwebtoken::{Algorithm, DecodingKey};

/// Tells one key from every other this process has seen.
pub(crate) type KeyId = u64;

/// A P-256 key that signs tokens.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) kid: String,
    point: DecodingKey,
}

impl Key {
    /// `point` is the key's point, known to lie on the curve.
    pub(crate) fn new(kid: String, point: DecodingKey) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Key { id: NEXT.fetch_add(1, Ordering::Relaxed), kid, point }
    }

    /// Whether this is the same key, under the same name.
    pub(crate) fn same(&self, other: &Key) -> bool {
        let bytes = |key: &Key| key.point.try_get_as_bytes().map(<[u8]>::to_vec).ok();
        self.kid == other.kid && bytes(self) == bytes(other)
    }

    /// Whether `signature` (r and s, 32 bytes each) is this key's over `message`: ES256,
    /// RFC 7518 §3.4. The backend is named, not looked up, so that nothing else in the process
    /// can put another in its place.
    pub(crate) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        (aws_lc::DEFAULT_PROVIDER.verifier_factory)(&Algorithm::ES256, &self.point)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}
