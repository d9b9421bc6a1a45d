//! One public key of an issuer.

use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::digest::{Digest, SHA256, digest};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use super::key_table::KeyTable;
use super::signature::Der;
use crate::crypto;
use crate::token::SIGNATURE;

/// Distinguishes a key from every other this process has seen.
pub(crate) type KeyId = u64;

/// A P-256 key that signs tokens.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) kid: String,
    /// Parsed once: aws-lc checks the point here, and not at each signature.
    public: ParsedPublicKey,
    /// The same, for signatures in DER.
    public_der: ParsedPublicKey,
    pub(super) table: KeyTable,
}

impl Key {
    /// Returns the key with this uncompressed point (SEC 1, section 2.3.3), or `None` if it does
    /// not lie on the curve.
    pub(crate) fn new(kid: String, point: &[u8]) -> Option<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (public, public_der) = crypto::with_thread_state(|| {
            let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()?;
            let public_der = ParsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).ok()?;
            Some((public, public_der))
        })?;
        Some(Key {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            kid,
            public,
            public_der,
            table: KeyTable::default(),
        })
    }

    /// Returns whether this is the same point under the same `kid`.
    pub(crate) fn same(&self, other: &Key) -> bool {
        self.kid == other.kid && self.public.as_ref() == other.public.as_ref()
    }

    /// Returns whether `signature` (r and s, 32 bytes each) is this key's over `message`: ES256,
    /// RFC 7518 section 3.4. aws-lc verifies it.
    ///
    /// Not through jsonwebtoken, which parses the key for each signature; it reads the keys of a
    /// set.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8; SIGNATURE]) -> bool {
        crypto::with_thread_state(|| {
            if cfg!(feature = "fips") {
                // The validated module counts only the call that also hashes as approved.
                let signature = Der::of_fixed(signature);
                return self.public_der.verify_sig(message, signature.as_bytes()).is_ok();
            }
            self.verify_digest(&digest(&SHA256, message), signature)
        })
    }

    /// Verifies a signature over what was hashed in a call of its own, for which aws-lc allocates less.
    fn verify_digest(&self, digest: &Digest, signature: &[u8; SIGNATURE]) -> bool {
        self.public_der.verify_digest_sig(digest, Der::of_fixed(signature).as_bytes()).is_ok()
    }

    /// As [`verify`](Self::verify), but with the key's table of multiples if it has one, and with
    /// building it. aws-lc decides about each signature that the table does not accept.
    /// `set_has_room` tells whether no more keys of the set than allowed have begun a table.
    pub(crate) fn verify_fixed_base(
        &self,
        message: &[u8],
        signature: &[u8; SIGNATURE],
        set_has_room: impl FnOnce() -> bool,
    ) -> bool {
        crypto::with_thread_state(|| {
            let digest = digest(&SHA256, message);
            let by_table = self.table.accepts(&digest, signature);
            if by_table == Some(true) {
                return true;
            }
            let valid = self.verify_digest(&digest, signature);
            match by_table {
                Some(_) if valid => self.table.discard(),
                None if valid => self.table.advance(&self.public, set_has_room),
                _ => {}
            }
            valid
        })
    }

    /// Returns whether the key has a table of multiples, or is getting one.
    pub(super) fn has_table(&self) -> bool {
        self.table.is_begun()
    }
}
