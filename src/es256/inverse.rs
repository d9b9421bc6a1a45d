//! The inverse of a number modulo p or n, in variable time.
//!
//! Bernstein, Yang: "Fast constant-time gcd computation and modular inversion", TCHES 2019(3), in
//! the form of libsecp256k1's `modinv64` (doc/safegcd_implementation.md there): 62 divsteps at a
//! time on the lowest bits, then their combined effect on the whole numbers. Callers check the
//! result by a product.

use super::field::{Limbs, N, P};

const BITS: u32 = 62;
/// 741 divsteps are enough for 256 bits (the paper's theorem 11.2).
const MOST_ROUNDS: usize = 12;
const MASK: u64 = u64::MAX >> 2;

/// A signed number: the sum of limb i times 2^(62·i). All limbs but the last are in 0..2^62.
type Signed = [i64; 5];

/// The matrix of 62 divsteps, times 2^62.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// An odd modulus.
pub(super) struct Modulus {
    value: Signed,
    /// Its inverse modulo 2^62.
    inverse: u64,
}

pub(super) const MODULUS_N: Modulus = Modulus::new(&N);
pub(super) const MODULUS_P: Modulus = Modulus::new(&P);

impl Modulus {
    const fn new(value: &Limbs) -> Modulus {
        // Newton's iteration doubles the bits that are right; an odd number is its own inverse
        // modulo 8.
        let [low, ..] = *value;
        let (mut inverse, mut round) = (low, 0);
        while round < 5 {
            inverse = inverse.wrapping_mul(2u64.wrapping_sub(low.wrapping_mul(inverse)));
            round += 1;
        }
        Modulus { value: to_signed(value), inverse: inverse & MASK }
    }
}

const fn to_signed(limbs: &Limbs) -> Signed {
    let [a, b, c, d] = *limbs;
    [
        (a & MASK) as i64,
        ((a >> 62 | b << 2) & MASK) as i64,
        ((b >> 60 | c << 4) & MASK) as i64,
        ((c >> 58 | d << 6) & MASK) as i64,
        (d >> 56) as i64,
    ]
}

fn to_limbs(signed: &Signed) -> Limbs {
    let [a, b, c, d, e] = signed.map(|limb| limb as u64);
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}

/// Returns the inverse of `value` modulo the prime `modulus`; of 0 it is 0.
/// `secp256k1_modinv64_var`.
pub(super) fn inverse(value: &Limbs, modulus: &Modulus) -> Limbs {
    let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
    let (mut f, mut g) = (modulus.value, to_signed(value));
    let mut eta = -1;
    for _ in 0..MOST_ROUNDS {
        if g == [0; 5] {
            break;
        }
        let steps = divsteps(&mut eta, f[0] as u64, g[0] as u64);
        update_de(&mut d, &mut e, &steps, modulus);
        update_fg(&mut f, &mut g, &steps);
    }
    // f is now 1 or -1, or the modulus if the value was 0.
    normalize(&mut d, f[4] < 0, modulus);
    to_limbs(&d)
}

/// Performs 62 divsteps on the lowest bits of f and g. `secp256k1_modinv64_divsteps_62_var`.
fn divsteps(eta: &mut i64, mut f: u64, mut g: u64) -> Steps {
    let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
    let mut left = BITS;
    loop {
        let zeros = (g | u64::MAX << left).trailing_zeros();
        g >>= zeros;
        u <<= zeros;
        v <<= zeros;
        *eta -= i64::from(zeros);
        left -= zeros;
        if left == 0 {
            break;
        }
        if *eta < 0 {
            *eta = -*eta;
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // Adds the multiple of f that clears as many low bits of g as divsteps would without
        // another swap, at most 6: -1/f modulo 2^6 is f·(f² - 2).
        let bits = (*eta + 1).min(i64::from(left)).min(6);
        let mask = (1u64 << bits) - 1;
        let inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
        let w = g.wrapping_mul(inverse) & mask;
        g = g.wrapping_add(f.wrapping_mul(w));
        q = q.wrapping_add(u.wrapping_mul(w));
        r = r.wrapping_add(v.wrapping_mul(w));
    }
    Steps { u: u as i64, v: v as i64, q: q as i64, r: r as i64 }
}

/// Returns (a·x + b·y + c·z)/2^62, where the lowest 62 bits of the sum are 0.
fn combine(a: i64, x: &Signed, b: i64, y: &Signed, c: i64, z: &Signed) -> Signed {
    let product = |a: i64, b: i64| i128::from(a) * i128::from(b);
    let (mut out, mut carry) = ([0; 6], 0i128);
    for (out, (x, (y, z))) in out.iter_mut().zip(x.iter().zip(y.iter().zip(z))) {
        carry += product(a, *x) + product(b, *y) + product(c, *z);
        *out = (carry as u64 & MASK) as i64;
        carry >>= BITS;
    }
    let [_, low @ .., _] = out;
    let [b, c, d, e] = low;
    [b, c, d, e, carry as i64]
}

/// Applies the matrix to f and g. `secp256k1_modinv64_update_fg_62`.
fn update_fg(f: &mut Signed, g: &mut Signed, steps: &Steps) {
    let none = [0; 5];
    let next = combine(steps.u, f, steps.v, g, 0, &none);
    *g = combine(steps.q, f, steps.r, g, 0, &none);
    *f = next;
}

/// Applies the matrix to d and e modulo the modulus: both stay between minus two and one times it.
/// `secp256k1_modinv64_update_de_62`.
fn update_de(d: &mut Signed, e: &mut Signed, steps: &Steps, modulus: &Modulus) {
    let row = |a: i64, b: i64| {
        // The modulus is added as often as makes negative inputs positive, then as often as makes
        // the lowest 62 bits 0.
        let add = (d[4] >> 63 & a).wrapping_add(e[4] >> 63 & b);
        let low =
            (a as u64).wrapping_mul(d[0] as u64).wrapping_add((b as u64).wrapping_mul(e[0] as u64));
        let times = modulus.inverse.wrapping_mul(low).wrapping_add(add as u64) & MASK;
        combine(a, d, b, e, add - times as i64, &modulus.value)
    };
    let next = (row(steps.u, steps.v), row(steps.q, steps.r));
    (*d, *e) = next;
}

/// Brings d, negated if `negate`, between 0 and the modulus. `secp256k1_modinv64_normalize_62`.
fn normalize(d: &mut Signed, negate: bool, modulus: &Modulus) {
    let add = |d: &mut Signed, sign: i64, factor: i64| {
        let mut carry = 0;
        for (i, (limb, modulus)) in d.iter_mut().zip(modulus.value).enumerate() {
            carry += sign * *limb + factor * modulus;
            *limb = if i < 4 { carry & MASK as i64 } else { carry };
            carry >>= BITS;
        }
    };
    let below_zero = i64::from(d[4] < 0);
    add(d, 1, below_zero);
    if negate {
        add(d, -1, 0);
    }
    let below_zero = i64::from(d[4] < 0);
    add(d, 1, below_zero);
}
