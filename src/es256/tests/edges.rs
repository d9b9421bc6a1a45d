//! Keys, multipliers and signatures for which formulas and comparisons have their exceptions.

use super::super::field::{Fe, P, from_bytes, reduce};
use super::super::point::{Affine, to_affine};
use super::super::verify::sum;
use super::{
    Key, Limbs, N, Random, Table, add, complete, from_signature, generator, less, minus, multiple,
    plus, power, quotient, signature, small, sub, times, to_bytes,
};

fn join(r: &Limbs, s: &Limbs) -> [u8; 64] {
    [to_bytes(r), to_bytes(s)].concat().try_into().unwrap()
}

/// Multipliers of few digits, and those next to where a digit, a sign or a limb changes.
fn sparse() -> Vec<Limbs> {
    let mut all: Vec<_> = [1, 2, 3, 63, 64, 65, 127, 128, 129, 8192].map(small).to_vec();
    all.extend([63, 64, 128, 191, 192, 245, 252, 254, 255].map(power));
    let half = quotient(&small(1), &small(2));
    all.extend([half, plus(&half, &minus(&small(1)))]);
    all.extend(all.clone().iter().map(minus));
    all
}

#[test]
fn sparse_multipliers_and_keys_near_the_generator() {
    let multipliers = sparse();
    let mut privates: Vec<Limbs> = [1, 2, 3, 63, 64, 65, 128].map(small).to_vec();
    privates.extend([1, 2, 17, 35, 36].map(|row| power(7 * row)));
    privates.extend(
        [(5, 3), (64, 20), (33, 35), (8, 36)].map(|(j, row)| times(&small(j), &power(7 * row))),
    );
    privates.extend(privates.clone().iter().map(minus));
    privates.push(Random(5).scalar());
    let (mut valid, mut infinite) = (0, 0);
    let mut random = Random(15);
    for private in &privates {
        let key = Key::of(private);
        for u1 in multipliers.iter().chain([&[0; 4]]) {
            for u2 in multipliers.iter() {
                let is_infinite = plus(u1, &times(u2, private)) == [0; 4];
                if !is_infinite && random.below(6) > 0 {
                    continue;
                }
                let (digest, signature) = key.signature(u1, u2);
                if is_infinite {
                    // The sum is infinity.
                    assert!(!key.is_valid(&digest, &signature));
                    infinite += 1;
                } else {
                    assert!(key.is_valid(&digest, &signature), "{private:x?} {u1:x?} {u2:x?}");
                    valid += 1;
                }
            }
        }
    }
    assert!(valid > 5_000 && infinite > 100, "{valid} {infinite}");
}

/// Signatures for which u1·G + u2·Q is infinity, with any r and s.
#[test]
fn infinity_is_not_a_signature() {
    let mut random = Random(6);
    for private in [small(1), minus(&small(1)), power(7), random.scalar()] {
        let key = Key::of(&private);
        for n in 0..50 {
            let r = if n == 0 { small(1) } else { random.scalar() };
            let s = random.scalar();
            let digest = to_bytes(&minus(&times(&r, &private)));
            assert!(!key.is_valid(&digest, &join(&r, &s)));
        }
    }
}

/// u1·G and u2·Q are the same point, so that partial sums meet, or are opposite but for 2G.
#[test]
fn sums_that_double() {
    let mut random = Random(8);
    for private in [small(1), small(64), minus(&power(70)), random.scalar(), random.scalar()] {
        let key = Key::of(&private);
        for _ in 0..50 {
            let u2 = random.scalar();
            let same = times(&u2, &private);
            for u1 in [same, plus(&minus(&same), &small(2))] {
                let (digest, signature) = key.signature(&u1, &u2);
                assert!(key.is_valid(&digest, &signature));
            }
        }
    }
}

/// Returns the points with this x, if there are any: p is 3 modulo 4, so a root is a power.
fn lift(x: &Limbs) -> Option<Affine> {
    let element = Fe::new(x);
    let three = Fe::ONE.add(&Fe::ONE).add(&Fe::ONE);
    let b = Affine::G
        .y
        .square()
        .sub(&Affine::G.x.square().mul(&Affine::G.x))
        .add(&three.mul(&Affine::G.x));
    let square = element.square().mul(&element).sub(&three.mul(&element)).add(&b);
    // (p + 1)/4
    let exponent: Limbs = [0, 0x4000_0000, 0x4000_0000_0000_0000, 0x3fff_ffff_c000_0000];
    let mut root = Fe::ONE;
    for bit in (0..256).rev() {
        root = root.square();
        if exponent[bit / 64] >> (bit % 64) & 1 == 1 {
            root = root.mul(&square);
        }
    }
    Affine::new(x, &root.value())
}

/// Returns a key and a signature whose point R is this one: Q = (R - u1·G)/u2.
fn with_point(point: &Affine, u1: &Limbs, u2: &Limbs) -> (Key, [u8; 32], [u8; 64]) {
    let bytes = |point: &Affine| {
        [&[4][..], &to_bytes(&point.x.value()), &to_bytes(&point.y.value())].concat()
    };
    let table = complete(Table::of_point(&bytes(point)).unwrap());
    let (a, b) = (quotient(&minus(u1), u2), quotient(&small(1), u2));
    let public = to_affine(&[sum(generator(), &a, &table, &b).unwrap()])[0];
    let key = Key::new(&bytes(&public));
    let (digest, signature) = signature(generator(), u1, &key.table, u2).unwrap();
    (key, digest, signature)
}

/// x of R is near 0, n and p; where it is n or more, r is x - n.
#[test]
fn r_near_zero_n_p_and_p_minus_n() {
    let gap = sub(&P, &N);
    let centers = [small(0), N, P, gap, sub(&N, &gap), power(255), power(128)];
    let mut random = Random(9);
    let (mut tried, mut wrapped) = (0, 0);
    for center in &centers {
        for distance in 0..24 {
            let distance = small(distance);
            for x in [add(center, &distance), sub(center, &distance)] {
                let Some(point) = less(&x, &P).then(|| lift(&x)).flatten() else { continue };
                let (key, digest, signature) =
                    with_point(&point, &random.scalar(), &random.scalar());
                let (r, s) = from_signature(&signature);
                assert_eq!(r, if less(&x, &N) { x } else { sub(&x, &N) });
                assert_eq!(key.is_valid(&digest, &signature), r != [0; 4], "{x:x?}");
                tried += 1;
                if !less(&x, &N) {
                    wrapped += 1;
                    // x itself is out of range.
                    assert!(!key.is_valid(&digest, &join(&x, &s)));
                }
                // Another number whose remainder is r.
                for other in [add(&r, &N), add(&r, &P), sub(&r, &N), plus(&r, &gap), minus(&r)] {
                    if other != r {
                        key.is_valid(&digest, &join(&other, &s));
                    }
                }
            }
        }
    }
    assert!(tried > 100 && wrapped > 20, "{tried} {wrapped}");
}

/// The point has x = r + n with r + n >= p: no x is as large, so r does not stand for another.
#[test]
fn r_plus_n_is_tried_below_p_only() {
    let gap = sub(&P, &N);
    let mut random = Random(10);
    for x in 0..40 {
        // With r = x + p - n, r + n is x modulo p.
        let Some(point) = lift(&small(x)) else { continue };
        let r = add(&small(x), &gap);
        let (u1, u2) = (random.scalar(), random.scalar());
        let (key, ..) = with_point(&point, &u1, &u2);
        let s = quotient(&r, &u2);
        assert!(!key.is_valid(&to_bytes(&times(&u1, &s)), &join(&r, &s)));
        let (r, s) = (small(x), quotient(&small(x), &u2));
        assert_eq!(key.is_valid(&to_bytes(&times(&u1, &s)), &join(&r, &s)), x != 0);
    }
}

#[test]
fn r_and_s_out_of_range_are_refused() {
    let mut random = Random(12);
    let key = Key::of(&random.scalar());
    let (digest, valid) = key.signature(&random.scalar(), &random.scalar());
    let (r, s) = from_signature(&valid);
    assert!(key.is_valid(&digest, &valid));
    assert!(key.is_valid(&digest, &join(&r, &minus(&s))), "-s is as valid as s");
    let edge = |center: &Limbs| {
        let center = *center;
        (0..5).flat_map(move |n| [add(&center, &small(n)), sub(&center, &small(n))])
    };
    let edges: Vec<_> =
        [small(0), N, P, sub(&P, &N), [u64::MAX; 4]].iter().flat_map(edge).collect();
    for edge in &edges {
        assert!(!key.is_valid(&digest, &join(edge, &s)));
        assert!(!key.is_valid(&digest, &join(&r, edge)));
        for other in &edges {
            key.is_valid(&digest, &join(edge, other));
        }
    }
}

/// Returns x of k·G modulo n.
fn r_of(k: &Limbs) -> Limbs {
    reduce(&from_bytes(multiple(k)[1..33].try_into().unwrap()))
}

#[test]
fn s_near_zero_and_n() {
    let mut random = Random(13);
    let private = random.scalar();
    let key = Key::of(&private);
    for n in 1..20 {
        for s in [small(n), sub(&N, &small(n))] {
            // A signature has k·s = e + r·d.
            let k = random.scalar();
            let r = r_of(&k);
            let e = plus(&times(&k, &s), &minus(&times(&r, &private)));
            assert!(key.is_valid(&to_bytes(&e), &join(&r, &s)));
        }
    }
}

/// Digests are numbers modulo n.
#[test]
fn digests_near_zero_and_n() {
    let mut random = Random(14);
    let private = random.scalar();
    let key = Key::of(&private);
    for n in 0..20 {
        for e in [small(n), sub(&N, &small(n + 1))] {
            let k = random.scalar();
            let r = r_of(&k);
            let s = quotient(&plus(&e, &times(&r, &private)), &k);
            assert!(key.is_valid(&to_bytes(&e), &join(&r, &s)));
            assert!(!key.is_valid(&to_bytes(&add(&e, &small(1))), &join(&r, &s)));
            let above = add(&e, &N);
            assert_eq!(key.is_valid(&to_bytes(&above), &join(&r, &s)), less(&e, &above));
        }
    }
}
