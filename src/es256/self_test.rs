//! Comparing a new table with aws-lc, so that a defect in the tables, or in how a compiler or a
//! processor treats this code, is found before any token is verified with it.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::ParsedPublicKey;

use super::field::{Limbs, N, Scalar, add, reduce, sub, to_bytes};
use super::inverse::{MODULUS_N, inverse};
use super::point::to_affine;
use super::table::{LAST_ROW, ROW, ROWS, Table};
use super::verify::{accepts, sum};

/// How many steps a self-test has. Together they use every entry of both tables.
pub(crate) const STEPS: usize = ROW;

/// Performs one step of the self-test: makes a signature, alters it, and returns whether the tables
/// and aws-lc agree on both.
pub(crate) fn step(generator: &Table, key: &Table, public: &ParsedPublicKey, step: usize) -> bool {
    let (a, b) = (multiplier(step, ROW / 2), multiplier(step, 0));
    let Some((digest, signature)) = signature(generator, &a, key, &b) else { return false };
    let agree = |digest: &[u8; 32], signature: &[u8; 64], valid: bool| {
        let imported = Digest::import_less_safe(digest, &SHA256);
        let aws_lc = imported.and_then(|digest| public.verify_digest_sig(&digest, signature));
        aws_lc.is_ok() == valid && accepts(generator, key, digest, signature) == valid
    };
    if !agree(&digest, &signature, true) {
        return false;
    }
    // One bit of the digest, r or s.
    let (mut digest, mut signature) = (digest, signature);
    let altered = digest.iter_mut().chain(&mut signature).nth(step * 3 / 2);
    altered.into_iter().for_each(|byte| *byte ^= 1 << (step % 8));
    agree(&digest, &signature, false)
}

/// Returns a digest and a signature with the multipliers u1 = a and u2 = b.
///
/// A signature needs no private key if its digest may be chosen: with R = a·G + b·Q, it is
/// r = x(R) and s = r/b for the digest e = a·s (Brown: "Generic Groups, Collision Resistance, and
/// ECDSA", 2005). R comes from the tables: aws-lc accepts the signature only if R is right.
pub(crate) fn signature(
    generator: &Table,
    a: &Limbs,
    key: &Table,
    b: &Limbs,
) -> Option<([u8; 32], [u8; 64])> {
    let point = to_affine(&[sum(generator, a, key, b)?]).pop()?;
    let r = reduce(&point.x.value());
    let s = Scalar::new(&r).mul(&Scalar::new(&inverse(b, &MODULUS_N)));
    let e = Scalar::new(a).mul(&s);
    let mut signature = [0; 64];
    let (first, second) = signature.split_at_mut(32);
    first.copy_from_slice(&to_bytes(&r));
    second.copy_from_slice(&to_bytes(&s.value()));
    Some((to_bytes(&e.value()), signature))
}

/// Returns a multiplier whose digits are other ones in each step, so that the steps use each entry
/// once. All digits but the last are negative, except those that can only be positive. In every
/// second step all signs are turned.
pub(super) fn multiplier(step: usize, offset: usize) -> Limbs {
    let mut value = [((step + 1) % LAST_ROW + 1) as u64, 0, 0, 0];
    for row in 0..ROWS - 1 {
        let digit = [((step + row + offset) % ROW + 1) as u64, 0, 0, 0];
        let [a, b, c, d] = value;
        value = [a << 7, b << 7 | a >> 57, c << 7 | b >> 57, d << 7 | c >> 57];
        let positive = digit == [ROW as u64, 0, 0, 0];
        value = if positive { add(&value, &digit) } else { sub(&value, &digit) };
    }
    if step.is_multiple_of(2) { value } else { sub(&N, &value) }
}
