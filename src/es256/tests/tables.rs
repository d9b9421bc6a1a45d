//! Every entry, and the self-test.

use super::super::field::{from_bytes, sub};
use super::super::self_test::{SIGNATURES, STEPS, case, multiplier, step};
use super::super::table::{LAST_ROW, ROW, ROWS, Table, recode};
use super::{
    Key, Limbs, N, Random, complete, generator, less, minus, multiple, plus, power, quotient,
    small, times,
};

/// Compares each entry with the multiple that aws-lc computes.
fn check(table: &Table, private: &Limbs) {
    assert_eq!(table.entries.len(), (ROWS - 1) * ROW + LAST_ROW);
    for (index, entry) in table.entries.iter().enumerate() {
        let (row, j) = (index / ROW, index % ROW + 1);
        let k = times(&times(&power(7 * row), &small(j as u64)), private);
        let point = multiple(&k);
        let coordinate = |at: usize| from_bytes(point[at..at + 32].try_into().unwrap());
        assert_eq!(
            (entry.x.value(), entry.y.value()),
            (coordinate(1), coordinate(33)),
            "{j} {row}"
        );
    }
}

#[test]
fn every_entry_is_the_multiple_it_stands_for() {
    check(generator(), &small(1));
    for private in [Random(7).scalar(), small(2), sub(&N, &small(1))] {
        check(&Key::of(&private).table, &private);
    }
}

#[test]
fn a_table_takes_147968_bytes_in_whole_cache_lines() {
    let entries = &generator().entries;
    assert_eq!(size_of_val(entries.as_slice()), 147_968);
    assert_eq!(entries.capacity(), entries.len());
    assert_eq!(entries.as_ptr() as usize % 64, 0);
}

#[test]
fn only_uncompressed_points_of_the_curve_get_a_table() {
    let point = multiple(&small(5));
    assert!(Table::of_point(&point).is_some());
    let with = |at: usize, byte: u8| [&point[..at], &[byte], &point[at + 1..]].concat();
    for bad in [with(0, 2), with(0, 6), with(64, point[64] ^ 1), point[..64].to_vec(), vec![0]] {
        assert!(Table::of_point(&bad).is_none(), "{bad:02x?}");
    }
    assert!(Table::of_point(&[&point[..], &[0]].concat()).is_none());
}

#[test]
fn digits_stand_for_their_number() {
    let mut random = Random(3);
    let mut numbers: Vec<_> = (0..10_000).map(|_| random.scalar()).collect();
    numbers.extend((0..255).flat_map(|bit| [power(bit), minus(&power(bit))]));
    numbers.extend((0..200).flat_map(|n| [small(n), minus(&small(n))]));
    let half = quotient(&small(1), &small(2));
    numbers.extend([half, minus(&half), plus(&half, &small(1)), minus(&small(1))]);
    for number in numbers {
        let (digits, negative) = recode(&number);
        let mut sum = [0; 4];
        for (row, digit) in digits.iter().enumerate() {
            assert!((-63..=64).contains(digit));
            assert!(row < ROWS - 1 || (0..=LAST_ROW as i8).contains(digit));
            let part = times(&power(7 * row), &small(digit.unsigned_abs().into()));
            sum = plus(&sum, &if *digit < 0 { minus(&part) } else { part });
        }
        assert_eq!(if negative { minus(&sum) } else { sum }, number);
    }
}

#[test]
fn the_self_test_uses_every_entry_of_both_tables_with_both_signs() {
    for offset in [0, ROW / 2] {
        let mut used = vec![0; ROWS * ROW];
        let mut signs = [0; 2];
        for number in 0..SIGNATURES {
            let k = multiplier(number, offset);
            assert!(k != [0; 4] && less(&k, &N));
            let (digits, negative) = recode(&k);
            for (row, digit) in digits.iter().enumerate() {
                assert_ne!(*digit, 0);
                used[row * ROW + usize::from(digit.unsigned_abs()) - 1] += 1;
                signs[usize::from((*digit < 0) == negative)] += 1;
            }
        }
        assert!(used[..(ROWS - 1) * ROW].iter().all(|times| *times == 1));
        assert!(used[(ROWS - 1) * ROW..][..LAST_ROW].iter().all(|times| *times > 0));
        assert!(signs[0] > 1_000 && signs[1] > 1_000, "{signs:?}");
    }
}

#[test]
fn every_second_signature_of_the_self_test_is_altered_and_invalid() {
    let key = Key::of(&Random(16).scalar());
    for step in 0..STEPS {
        let (digest, signature, valid) = case(generator(), &key.table, step).unwrap();
        assert_eq!((valid, key.is_valid(&digest, &signature)), (step % 2 == 0, step % 2 == 0));
    }
}

fn passes(generator: &Table, key: &Key, table: &Table) -> bool {
    (0..STEPS).all(|n| step(generator, table, &key.public, n))
}

#[test]
fn the_self_test_accepts_right_tables_and_finds_a_wrong_bit_in_any_row() {
    let mut random = Random(11);
    let key = Key::of(&random.scalar());
    assert!(passes(generator(), &key, &key.table));
    let other = Key::of(&random.scalar());
    assert!(!passes(generator(), &key, &other.table), "the table of another key");
    assert!(!passes(&key.table, &key, &key.table), "the table of another generator");
    for row in 0..ROWS {
        let entries = if row + 1 == ROWS { LAST_ROW } else { ROW };
        let index = row * ROW + random.below(entries as u64) as usize;
        let (bit, which) = (random.below(256), random.below(2));
        let damage = |table: Table| {
            let mut table = complete(table);
            let entry = &mut table.entries[index];
            let flip = if which == 0 { &mut entry.x } else { &mut entry.y };
            *flip = flip.with_flipped(bit as u32);
            table
        };
        let damaged = damage(Table::of_point(&key.point).unwrap());
        assert!(!passes(generator(), &key, &damaged), "row {row} of the key's");
        if row % 6 == 0 {
            let damaged = damage(Table::of_generator());
            assert!(!passes(&damaged, &key, &key.table), "row {row} of the generator's");
        }
    }
}

/// An entry may be a point of the curve, and still the wrong one.
#[test]
fn the_self_test_finds_an_entry_in_the_wrong_place() {
    let key = Key::of(&small(77));
    let mut table = complete(Table::of_point(&key.point).unwrap());
    table.entries.swap(5 * ROW + 1, 9 * ROW + 60);
    assert!(!passes(generator(), &key, &table));
    let mut table = complete(Table::of_point(&key.point).unwrap());
    table.entries[36 * ROW + 7] = table.entries[36 * ROW + 7].negate();
    assert!(!passes(generator(), &key, &table));
    table.entries.pop();
    assert!(!passes(generator(), &key, &table), "an entry is missing");
}
