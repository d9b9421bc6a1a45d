//! Numbers modulo p, the prime of P-256's field, and modulo n, the order of its group
//! (FIPS 186-5 and SP 800-186 section 3.2.1.3). The products are those of fiat-crypto: Erbsen,
//! Philipoom, Gross, Sloan, Chlipala: "Simple High-Level Code for Cryptographic Arithmetic - With
//! Proofs, Without Compromises", IEEE S&P 2019.

use fiat_crypto::p256_64::{
    fiat_p256_add, fiat_p256_from_montgomery, fiat_p256_montgomery_domain_field_element as FeLimbs,
    fiat_p256_mul, fiat_p256_non_montgomery_domain_field_element as PlainFe, fiat_p256_opp,
    fiat_p256_square, fiat_p256_sub, fiat_p256_to_montgomery,
};
use fiat_crypto::p256_scalar_64::{
    fiat_p256_scalar_from_montgomery,
    fiat_p256_scalar_montgomery_domain_field_element as ScalarLimbs, fiat_p256_scalar_mul,
    fiat_p256_scalar_non_montgomery_domain_field_element as PlainScalar,
    fiat_p256_scalar_to_montgomery,
};

/// A number below 2^256, its lowest 64 bits first.
pub(super) type Limbs = [u64; 4];

pub(super) const P: Limbs =
    [0xffff_ffff_ffff_ffff, 0x0000_0000_ffff_ffff, 0, 0xffff_ffff_0000_0001];

pub(super) const N: Limbs =
    [0xf3b9_cac2_fc63_2551, 0xbce6_faad_a717_9e84, 0xffff_ffff_ffff_ffff, 0xffff_ffff_0000_0000];

/// Reads a number that begins with its highest byte (SEC 1 section 2.3.8).
pub(super) fn from_bytes(bytes: &[u8; 32]) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(bytes.chunks_exact(8)) {
        *limb = chunk.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
    }
    limbs
}

/// Writes what [`from_bytes`] reads.
pub(super) fn to_bytes(limbs: &Limbs) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_exact_mut(8).zip(limbs.iter().rev()) {
        chunk.copy_from_slice(&limb.to_be_bytes());
    }
    bytes
}

/// Returns whether `a` is less than `b`.
pub(super) fn less(a: &Limbs, b: &Limbs) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

/// Returns a + b modulo 2^256.
pub(super) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    let (mut sum, mut carry) = ([0; 4], false);
    for (sum, (a, b)) in sum.iter_mut().zip(a.iter().zip(b)) {
        let (partial, first) = a.overflowing_add(*b);
        let (total, second) = partial.overflowing_add(u64::from(carry));
        (*sum, carry) = (total, first || second);
    }
    sum
}

/// Returns a - b modulo 2^256.
pub(super) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    let (mut difference, mut borrow) = ([0; 4], false);
    for (difference, (a, b)) in difference.iter_mut().zip(a.iter().zip(b)) {
        let (partial, first) = a.overflowing_sub(*b);
        let (total, second) = partial.overflowing_sub(u64::from(borrow));
        (*difference, borrow) = (total, first || second);
    }
    difference
}

/// Returns a modulo n. One subtraction suffices, since n > 2^255.
pub(super) fn reduce(a: &Limbs) -> Limbs {
    if less(a, &N) { *a } else { sub(a, &N) }
}

/// A number modulo p, in Montgomery form and fully reduced.
#[derive(Clone, Copy)]
pub(super) struct Fe(FeLimbs);

impl Fe {
    pub(super) const ZERO: Fe = Fe(FeLimbs([0; 4]));
    pub(super) const ONE: Fe = Fe::new(&[1, 0, 0, 0]);

    /// Takes a number below p.
    pub(super) const fn new(value: &Limbs) -> Fe {
        let mut out = FeLimbs([0; 4]);
        fiat_p256_to_montgomery(&mut out, &PlainFe(*value));
        Fe(out)
    }

    pub(super) fn value(&self) -> Limbs {
        let mut out = PlainFe([0; 4]);
        fiat_p256_from_montgomery(&mut out, &self.0);
        out.0
    }

    /// Returns what an operation of fiat-crypto writes.
    #[inline]
    fn computed(operation: impl FnOnce(&mut FeLimbs)) -> Fe {
        let mut out = FeLimbs([0; 4]);
        operation(&mut out);
        #[cfg(test)]
        super::tests::fault::inject(&mut out.0);
        Fe(out)
    }

    #[inline]
    pub(super) fn mul(&self, other: &Fe) -> Fe {
        Fe::computed(|out| fiat_p256_mul(out, &self.0, &other.0))
    }

    #[inline]
    pub(super) fn square(&self) -> Fe {
        Fe::computed(|out| fiat_p256_square(out, &self.0))
    }

    #[inline]
    pub(super) fn add(&self, other: &Fe) -> Fe {
        Fe::computed(|out| fiat_p256_add(out, &self.0, &other.0))
    }

    #[inline]
    pub(super) fn sub(&self, other: &Fe) -> Fe {
        Fe::computed(|out| fiat_p256_sub(out, &self.0, &other.0))
    }

    #[inline]
    pub(super) fn negate(&self) -> Fe {
        Fe::computed(|out| fiat_p256_opp(out, &self.0))
    }

    /// The element with one bit turned, which is no longer reduced if it is the wrong one.
    #[cfg(test)]
    pub(super) fn with_flipped(&self, bit: u32) -> Fe {
        let mut limbs = self.0.0;
        limbs[bit as usize / 64] ^= 1 << (bit % 64);
        Fe(FeLimbs(limbs))
    }

    pub(super) fn is_zero(&self) -> bool {
        self.0.0 == [0; 4]
    }
}

impl PartialEq for Fe {
    fn eq(&self, other: &Fe) -> bool {
        self.0.0 == other.0.0
    }
}

/// A number modulo n, in Montgomery form and fully reduced.
#[derive(Clone, Copy)]
pub(super) struct Scalar(ScalarLimbs);

impl Scalar {
    /// Takes a number below n.
    pub(super) fn new(value: &Limbs) -> Scalar {
        let mut out = ScalarLimbs([0; 4]);
        fiat_p256_scalar_to_montgomery(&mut out, &PlainScalar(*value));
        Scalar(out)
    }

    pub(super) fn value(&self) -> Limbs {
        let mut out = PlainScalar([0; 4]);
        fiat_p256_scalar_from_montgomery(&mut out, &self.0);
        out.0
    }

    pub(super) fn mul(&self, other: &Scalar) -> Scalar {
        let mut out = ScalarLimbs([0; 4]);
        fiat_p256_scalar_mul(&mut out, &self.0, &other.0);
        #[cfg(test)]
        super::tests::fault::inject(&mut out.0);
        Scalar(out)
    }
}

impl PartialEq for Scalar {
    fn eq(&self, other: &Scalar) -> bool {
        self.0.0 == other.0.0
    }
}
