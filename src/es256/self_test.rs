//! Comparing a new table with aws-lc, so that a defect in the tables, or in how a compiler or a
//! processor treats this code, is found before any token is verified with it.

use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::ParsedPublicKey;

use super::field::{Limbs, N, Scalar, add, reduce, sub, to_bytes};
use super::inverse::{MODULUS_N, inverse};
use super::point::to_affine;
use super::table::{LAST_ROW, ROW, ROWS, Table};
use super::verify::{accepts, sum};

/// How many signatures a self-test makes. Together they use every entry of both tables.
pub(super) const SIGNATURES: usize = ROW;

/// How many steps a self-test has: one for each signature, and one for what an altered bit makes of
/// it.
pub(crate) const STEPS: usize = 2 * SIGNATURES;

/// Performs one step of the self-test, and returns whether both the tables and aws-lc decide as they
/// should.
pub(crate) fn step(generator: &Table, key: &Table, public: &ParsedPublicKey, step: usize) -> bool {
    let Some((digest, signature, valid)) = case(generator, key, step) else { return false };
    let imported = Digest::import_less_safe(&digest, &SHA256);
    let aws_lc = imported.and_then(|digest| public.verify_digest_sig(&digest, &signature));
    aws_lc.is_ok() == valid && accepts(generator, key, &digest, &signature) == valid
}

/// Returns a digest, a signature, and whether it is valid: every second one has an altered bit.
pub(super) fn case(
    generator: &Table,
    key: &Table,
    step: usize,
) -> Option<([u8; 32], [u8; 64], bool)> {
    let (number, valid) = (step / 2, step.is_multiple_of(2));
    let (a, b) = (multiplier(number, ROW / 2), multiplier(number, 0));
    let (mut digest, mut signature) = signature(generator, &a, key, &b)?;
    if !valid {
        // One bit of the digest, r or s.
        let byte = digest.iter_mut().chain(&mut signature).nth(number * 3 / 2)?;
        *byte ^= 1 << (number % 8);
    }
    Some((digest, signature, valid))
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

/// Returns a multiplier whose digits are other ones for each signature, so that the signatures use
/// each entry once. All digits but the last are negative, except those that can only be positive.
/// For every second signature all signs are turned.
pub(super) fn multiplier(number: usize, offset: usize) -> Limbs {
    let mut value = [((number + 1) % LAST_ROW + 1) as u64, 0, 0, 0];
    for row in 0..ROWS - 1 {
        let digit = [((number + row + offset) % ROW + 1) as u64, 0, 0, 0];
        let [a, b, c, d] = value;
        value = [a << 7, b << 7 | a >> 57, c << 7 | b >> 57, d << 7 | c >> 57];
        let positive = digit == [ROW as u64, 0, 0, 0];
        value = if positive { add(&value, &digit) } else { sub(&value, &digit) };
    }
    if number.is_multiple_of(2) { value } else { sub(&N, &value) }
}
