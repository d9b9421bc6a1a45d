//! Points of P-256. Formulas are named as in the Explicit-Formulas Database, "XYZZ coordinates for
//! short Weierstrass curves" (hyperelliptic.org/EFD/g1p/auto-shortw-xyzz.html).

use super::field::{Fe, Limbs, P, less};
use super::inverse::{MODULUS_P, inverse};

/// b of the curve y² = x³ - 3x + b (SP 800-186 section 3.2.1.3).
const B: Fe = Fe::new(&[
    0x3bce_3c3e_27d2_604b,
    0x651d_06b0_cc53_b0f6,
    0xb3eb_bd55_7698_86bc,
    0x5ac6_35d8_aa3a_93e7,
]);

/// The most pairs that [`add_pairs`] adds.
pub(super) const MOST_PAIRS: usize = 37;

/// A point that is not infinity. It fills one cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Affine {
    pub(super) x: Fe,
    pub(super) y: Fe,
}

/// The point x = X/ZZ, y = Y/ZZZ, where ZZ³ = ZZZ²; infinity if ZZ = 0.
#[derive(Clone, Copy)]
pub(super) struct Xyzz {
    pub(super) x: Fe,
    pub(super) y: Fe,
    pub(super) zz: Fe,
    pub(super) zzz: Fe,
}

impl Affine {
    /// The base point of the curve (SP 800-186 section 3.2.1.3).
    pub(super) const G: Affine = Affine {
        x: Fe::new(&[
            0xf4a1_3945_d898_c296,
            0x7703_7d81_2deb_33a0,
            0xf8bc_e6e5_63a4_40f2,
            0x6b17_d1f2_e12c_4247,
        ]),
        y: Fe::new(&[
            0xcbb6_4068_37bf_51f5,
            0x2bce_3357_6b31_5ece,
            0x8ee7_eb4a_7c0f_9e16,
            0x4fe3_42e2_fe1a_7f9b,
        ]),
    };

    /// Returns the point with these coordinates if it is on the curve.
    pub(super) fn new(x: &Limbs, y: &Limbs) -> Option<Affine> {
        let below = less(x, &P) && less(y, &P);
        let point = below.then(|| Affine { x: Fe::new(x), y: Fe::new(y) })?;
        Xyzz::from(&point).is_on_curve().then_some(point)
    }

    pub(super) fn negate(&self) -> Affine {
        Affine { x: self.x, y: self.y.negate() }
    }

    /// `mdbl-2008-s-1` with a = -3: 5M + 2S. No point has y = 0, since the order is odd.
    pub(super) fn double(&self) -> Xyzz {
        let u = self.y.add(&self.y);
        let v = u.square();
        let w = u.mul(&v);
        let s = self.x.mul(&v);
        let xx = self.x.square().sub(&Fe::ONE);
        let m = xx.add(&xx).add(&xx);
        let x = m.square().sub(&s).sub(&s);
        let y = m.mul(&s.sub(&x)).sub(&w.mul(&self.y));
        Xyzz { x, y, zz: v, zzz: w }
    }
}

impl Xyzz {
    pub(super) const INFINITY: Xyzz =
        Xyzz { x: Fe::ZERO, y: Fe::ZERO, zz: Fe::ZERO, zzz: Fe::ZERO };

    pub(super) fn from(point: &Affine) -> Xyzz {
        Xyzz { x: point.x, y: point.y, zz: Fe::ONE, zzz: Fe::ONE }
    }

    /// Adds a point: `madd-2008-s`, 8M + 2S, and what it leaves out: infinity, equal points, and
    /// opposite ones.
    #[inline]
    pub(super) fn add(&self, other: &Affine) -> Xyzz {
        if self.zz.is_zero() {
            return Xyzz::from(other);
        }
        let p = other.x.mul(&self.zz).sub(&self.x);
        let r = other.y.mul(&self.zzz).sub(&self.y);
        if p.is_zero() {
            return if r.is_zero() { other.double() } else { Xyzz::INFINITY };
        }
        let pp = p.square();
        let ppp = p.mul(&pp);
        let q = self.x.mul(&pp);
        let x = r.square().sub(&ppp).sub(&q).sub(&q);
        let y = r.mul(&q.sub(&x)).sub(&self.y.mul(&ppp));
        Xyzz { x, y, zz: self.zz.mul(&pp), zzz: self.zzz.mul(&ppp) }
    }

    /// Returns whether the coordinates are a point of the curve, and not infinity: ZZ ≠ 0,
    /// ZZ³ = ZZZ², and Y² = X³ - 3·X·ZZ² + b·ZZ³, which is the curve's equation times ZZ³.
    pub(super) fn is_on_curve(&self) -> bool {
        let zz2 = self.zz.square();
        let zz3 = zz2.mul(&self.zz);
        let xzz2 = self.x.mul(&zz2);
        let right = self.x.square().mul(&self.x).add(&B.mul(&zz3));
        let right = right.sub(&xzz2).sub(&xzz2).sub(&xzz2);
        !self.zz.is_zero() && zz3 == self.zzz.square() && self.y.square() == right
    }
}

/// Returns the affine form of points of which none is infinity, with one inversion: Montgomery,
/// "Speeding the Pollard and elliptic curve methods of factorization", 1987, section 10.3.1.
pub(super) fn to_affine(points: &[Xyzz]) -> Vec<Affine> {
    let mut product = Fe::ONE;
    let mut products = Vec::with_capacity(points.len());
    for point in points {
        products.push(product);
        product = product.mul(&point.zzz);
    }
    let mut inverted = Fe::new(&inverse(&product.value(), &MODULUS_P));
    let mut affine = Vec::with_capacity(points.len());
    for (point, product) in points.iter().zip(&products).rev() {
        // 1/ZZZ, then 1/Z = ZZ/ZZZ.
        let zzz = inverted.mul(product);
        inverted = inverted.mul(&point.zzz);
        let z = point.zz.mul(&zzz);
        affine.push(Affine { x: point.x.mul(&z.square()), y: point.y.mul(&zzz) });
    }
    affine.reverse();
    affine
}

/// Replaces points at the front by sums of two, and returns how many points are left: half of them,
/// rounded up, with the same sum. If two points of a pair have the same x, which no formula for
/// distinct points can add, all points stay.
///
/// Affine addition (Hankerson, Menezes, Vanstone: "Guide to Elliptic Curve Cryptography", section
/// 3.1.2) with one inversion for all pairs: 5M + 1S each.
pub(super) fn add_pairs(points: &mut [Affine]) -> usize {
    let all = points.len();
    let (left, right) = points.split_at_mut(all.div_ceil(2));
    let mut total = Fe::ONE;
    // For each pair, the product of the differences before it, and its own.
    let mut steps = [(Fe::ONE, Fe::ONE); MOST_PAIRS];
    for ((a, b), step) in left.iter().zip(&*right).zip(&mut steps) {
        let difference = b.x.sub(&a.x);
        *step = (total, difference);
        total = total.mul(&difference);
    }
    if total.is_zero() {
        return all;
    }
    let mut inverted = Fe::new(&inverse(&total.value(), &MODULUS_P));
    for ((a, b), (product, difference)) in left.iter_mut().zip(&*right).zip(&steps).rev() {
        let slope = b.y.sub(&a.y).mul(&inverted.mul(product));
        inverted = inverted.mul(difference);
        let x = slope.square().sub(&a.x).sub(&b.x);
        let y = slope.mul(&a.x.sub(&x)).sub(&a.y);
        *a = Affine { x, y };
    }
    left.len()
}
