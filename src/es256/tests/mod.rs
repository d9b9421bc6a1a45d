//! Tests of ES256 with tables. The reference is aws-lc, which has its own arithmetic.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

mod arithmetic;
mod differential;
mod edges;
pub(super) mod fault;
mod faults;
mod tables;
mod vectors;

use std::sync::OnceLock;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};

use super::field::{Limbs, N, Scalar, add, from_bytes, less, sub, to_bytes};
use super::inverse::{MODULUS_N, inverse};
use super::self_test::signature;
use super::table::Table;
use super::verify::accepts;

/// A key and its table.
struct Key {
    point: Vec<u8>,
    public: ParsedPublicKey,
    table: Table,
}

impl Key {
    fn new(point: &[u8]) -> Key {
        Key {
            point: point.to_vec(),
            public: ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap(),
            table: complete(Table::of_point(point).unwrap()),
        }
    }

    /// The public key of a private one.
    fn of(private: &Limbs) -> Key {
        Key::new(&multiple(private))
    }

    /// Returns whether aws-lc accepts the signature.
    fn reference(&self, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let digest = Digest::import_less_safe(digest, &SHA256).unwrap();
        self.public.verify_digest_sig(&digest, signature).is_ok()
    }

    /// Returns whether the signature is valid, on which the tables and aws-lc have to agree.
    fn is_valid(&self, digest: &[u8; 32], signature: &[u8; 64]) -> bool {
        let accepted = accepts(generator(), &self.table, digest, signature);
        let reference = self.reference(digest, signature);
        assert_eq!(accepted, reference, "{:02x?} {digest:02x?} {signature:02x?}", self.point);
        accepted
    }

    /// Returns a digest and a signature with these multipliers.
    fn signature(&self, u1: &Limbs, u2: &Limbs) -> ([u8; 32], [u8; 64]) {
        signature(generator(), u1, &self.table, u2).unwrap()
    }
}

fn complete(mut table: Table) -> Table {
    while !table.is_complete() {
        table.add_row();
    }
    table
}

fn generator() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(|| complete(Table::of_generator()))
}

/// Returns the uncompressed point k·G, computed by aws-lc.
fn multiple(k: &Limbs) -> Vec<u8> {
    let key = PrivateKey::from_private_key(&ECDH_P256, &to_bytes(k)).unwrap();
    key.compute_public_key().unwrap().as_ref().to_vec()
}

/// Returns r and s.
fn from_signature(signature: &[u8; 64]) -> (Limbs, Limbs) {
    let half = |at: usize| from_bytes(signature[at..at + 32].try_into().unwrap());
    (half(0), half(32))
}

/// Returns a small number.
fn small(value: u64) -> Limbs {
    [value, 0, 0, 0]
}

/// Returns 2^bit.
fn power(bit: usize) -> Limbs {
    let mut limbs = [0; 4];
    limbs[bit / 64] = 1 << (bit % 64);
    limbs
}

/// Returns a·b modulo n.
fn times(a: &Limbs, b: &Limbs) -> Limbs {
    Scalar::new(a).mul(&Scalar::new(b)).value()
}

/// Returns a + b modulo n.
fn plus(a: &Limbs, b: &Limbs) -> Limbs {
    let missing = sub(&N, b);
    if less(a, &missing) { add(a, b) } else { sub(a, &missing) }
}

/// Returns -a modulo n.
fn minus(a: &Limbs) -> Limbs {
    if *a == [0; 4] { *a } else { sub(&N, a) }
}

/// Returns a/b modulo n.
fn quotient(a: &Limbs, b: &Limbs) -> Limbs {
    times(a, &inverse(b, &MODULUS_N))
}

/// Numbers that look random: Steele, Lea, Flood: "Fast splittable pseudorandom number generators",
/// 2014.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn limbs(&mut self) -> Limbs {
        [(); 4].map(|()| self.next())
    }

    /// A number in 1..n.
    fn scalar(&mut self) -> Limbs {
        loop {
            let limbs = self.limbs();
            if limbs != [0; 4] && less(&limbs, &N) {
                return limbs;
            }
        }
    }
}
