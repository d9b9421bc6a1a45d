//! Numbers and points.

use super::super::field::{Fe, N, P, Scalar, from_bytes, less, reduce, sub, to_bytes};
use super::super::inverse::{MODULUS_N, MODULUS_P, inverse};
use super::super::point::{Affine, Xyzz, add_pairs, to_affine};
use super::{Random, multiple, power, small};

#[test]
fn bytes_and_comparisons_are_those_of_numbers() {
    let bytes: [u8; 32] = std::array::from_fn(|i| i as u8);
    let limbs = from_bytes(&bytes);
    assert_eq!(limbs[3], 0x0001_0203_0405_0607);
    assert_eq!(to_bytes(&limbs), bytes);
    assert!(less(&N, &P) && !less(&P, &N) && !less(&N, &N));
    assert!(less(&[u64::MAX, 0, 0, 0], &[0, 1, 0, 0]));
    assert_eq!(reduce(&N), [0; 4]);
    assert_eq!(reduce(&sub(&N, &small(1))), sub(&N, &small(1)));
}

#[test]
fn an_inverse_times_its_number_is_one() {
    let mut random = Random(1);
    let mut values: Vec<_> = (0..10_000).map(|_| random.scalar()).collect();
    values.extend((0..255).flat_map(|bit| {
        let near = [power(bit), sub(&power(bit), &small(1)), sub(&N, &power(bit))];
        near.into_iter().filter(|value| *value != [0; 4])
    }));
    values.extend((1..100).flat_map(|value| [small(value), sub(&N, &small(value))]));
    for value in values {
        let scalar = Scalar::new(&value).mul(&Scalar::new(&inverse(&value, &MODULUS_N)));
        assert_eq!(scalar.value(), small(1), "{value:x?}");
        let element = Fe::new(&value).mul(&Fe::new(&inverse(&value, &MODULUS_P)));
        assert_eq!(element.value(), small(1), "{value:x?}");
    }
    assert_eq!(inverse(&[0; 4], &MODULUS_N), [0; 4]);
    assert_eq!(inverse(&sub(&P, &small(1)), &MODULUS_P), sub(&P, &small(1)));
}

/// j·G for j = 1, 2, …
fn points(count: u64) -> Vec<Affine> {
    let point = |j| {
        let point = multiple(&small(j));
        let coordinate = |at: usize| from_bytes(point[at..at + 32].try_into().unwrap());
        Affine::new(&coordinate(1), &coordinate(33)).unwrap()
    };
    (1..=count).map(point).collect()
}

fn same(a: &Xyzz, b: &Affine) -> bool {
    let a = to_affine(&[*a])[0];
    a.x == b.x && a.y == b.y
}

#[test]
fn addition_is_complete() {
    let points = points(40);
    let (one, two) = (&points[0], &points[1]);
    let sum = points.iter().take(8).fold(Xyzz::INFINITY, |sum, point| sum.add(point));
    assert!(same(&sum, &points[35]), "1 + 2 + … + 8 = 36");
    assert!(same(&Xyzz::from(one).add(one), two));
    assert!(same(&one.double().add(two), &points[3]), "equal points in different coordinates");
    let infinity = one.double().add(&two.negate());
    assert!(infinity.zz.is_zero() && !infinity.is_on_curve());
    assert!(same(&infinity.add(two), two));
}

#[test]
fn pairs_have_the_sum_of_their_points() {
    let points = points(55);
    for count in 0..=10 {
        let mut some = points[..count].to_vec();
        let left = add_pairs(&mut some);
        assert_eq!(left, count.div_ceil(2));
        let sum = some[..left].iter().fold(Xyzz::INFINITY, |sum, point| sum.add(point));
        assert!(count == 0 || same(&sum, &points[count * (count + 1) / 2 - 1]), "{count}");
    }
    for other in [points[0], points[0].negate()] {
        let mut some = [points[0], points[1], other, points[3]];
        assert_eq!(add_pairs(&mut some), 4, "a pair with the same x");
        assert!(some[0].y == points[0].y && some[3].y == points[3].y);
    }
}

#[test]
fn only_points_of_the_curve_are_points() {
    let good = points(1)[0];
    let (x, y) = (good.x.value(), good.y.value());
    assert!(Affine::new(&x, &sub(&P, &y)).is_some());
    assert!(Affine::new(&x, &sub(&y, &small(1))).is_none());
    assert!(Affine::new(&[0; 4], &[0; 4]).is_none());
    assert!(Affine::new(&P, &y).is_none());
    let mut point = good.double();
    assert!(point.is_on_curve());
    point.zzz = point.zzz.negate();
    point.y = point.y.negate();
    assert!(point.is_on_curve(), "the same point");
    point.zz = point.zz.add(&Fe::ONE);
    assert!(!point.is_on_curve());
    let two = Fe::ONE.add(&Fe::ONE);
    let scaled = Xyzz { zz: two, ..Xyzz::from(&good) };
    assert!(!scaled.is_on_curve(), "ZZ³ is not ZZZ²");
}
