//! Verifying a signature (FIPS 186-5 section 6.4.2).

use super::field::{Fe, Limbs, N, P, Scalar, add, from_bytes, less, reduce, sub};
use super::inverse::{MODULUS_N, inverse};
use super::point::Xyzz;
use super::table::{Addends, Table};

/// Returns true only if `signature` (r and s) is valid for the SHA-256 `digest` and the key of the
/// table `key`. False says nothing about it.
pub(crate) fn accepts(
    generator: &Table,
    key: &Table,
    digest: &[u8; 32],
    signature: &[u8; 64],
) -> bool {
    accept(generator, key, digest, signature).is_some()
}

fn accept(generator: &Table, key: &Table, digest: &[u8; 32], signature: &[u8; 64]) -> Option<()> {
    let (r, s) = signature.split_first_chunk::<32>()?;
    let (r, s) = (from_bytes(r), from_bytes(s.try_into().ok()?));
    let (u1, u2) = multipliers(&reduce(&from_bytes(digest)), &r, &s)?;
    let point = sum(generator, &u1, key, &u2)?;
    (point.is_on_curve() && has_x(&point, &r)).then_some(())
}

/// Returns u1 = e/s and u2 = r/s modulo n, checked by u1·s = e and u2·s = r. `None` if r or s is
/// not in 1..n.
fn multipliers(e: &Limbs, r: &Limbs, s: &Limbs) -> Option<(Limbs, Limbs)> {
    let in_range = |value: &Limbs| *value != [0; 4] && less(value, &N);
    let inverted = (in_range(r) && in_range(s)).then(|| inverse(s, &MODULUS_N))?;
    multipliers_by(&inverted, e, r, s)
}

/// As [`multipliers`], by what is said to be 1/s.
pub(super) fn multipliers_by(
    inverted: &Limbs,
    e: &Limbs,
    r: &Limbs,
    s: &Limbs,
) -> Option<(Limbs, Limbs)> {
    let inverted = less(inverted, &N).then(|| Scalar::new(inverted))?;
    let [e, r, s] = [e, r, s].map(Scalar::new);
    let (u1, u2) = (e.mul(&inverted), r.mul(&inverted));
    (u1.mul(&s) == e && u2.mul(&s) == r).then(|| (u1.value(), u2.value()))
}

/// Returns u1·G + u2·Q. `None` if a table lacks an entry.
pub(super) fn sum(generator: &Table, u1: &Limbs, key: &Table, u2: &Limbs) -> Option<Xyzz> {
    let mut addends = Addends::new();
    generator.gather(u1, &mut addends)?;
    key.gather(u2, &mut addends)?;
    Some(addends.sum())
}

/// Returns whether the x-coordinate of the point is r modulo n: r or, if that is below p, r + n.
fn has_x(point: &Xyzz, r: &Limbs) -> bool {
    let is_x = |x: &Limbs| Fe::new(x).mul(&point.zz) == point.x;
    is_x(r) || (less(r, &sub(&P, &N)) && is_x(&add(r, &N)))
}
