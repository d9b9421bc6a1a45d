//! One public key of an issuer.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use crate::crypto;

/// Distinguishes a key from every other this process has seen.
pub(crate) type KeyId = u64;

/// A P-256 key that signs tokens.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) kid: String,
    /// Parsed once: aws-lc checks the point here, and not at each signature.
    public: ParsedPublicKey,
}

impl Key {
    /// Returns the key with this uncompressed point (SEC 1, section 2.3.3), or `None` if it does
    /// not lie on the curve.
    pub(crate) fn new(kid: String, point: &[u8]) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let parse = || ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok();
        let public = crypto::with_thread_state(parse)?;
        Some(Key { id: NEXT.fetch_add(1, Ordering::Relaxed), kid, public })
    }

    /// Returns whether this is the same point under the same `kid`.
    pub(crate) fn same(&self, other: &Key) -> bool {
        self.kid == other.kid && self.public.as_ref() == other.public.as_ref()
    }

    /// Returns whether `signature` (r and s, 32 bytes each) is this key's over `message`: ES256,
    /// RFC 7518 section 3.4. aws-lc verifies it.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        crypto::with_thread_state(|| self.public.verify_sig(message, signature).is_ok())
    }
}
