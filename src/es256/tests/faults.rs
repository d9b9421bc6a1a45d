//! A computation or a table that goes wrong never makes an invalid signature valid.

use super::super::inverse::{MODULUS_N, inverse};
use super::super::table::{ROW, recode};
use super::super::verify::multipliers_by;
use super::fault::with_fault;
use super::{Key, Random, accepts, from_signature, generator, quotient};

/// How many operations a verification has, at least.
const OPERATIONS: u32 = 900;

#[test]
fn a_wrong_bit_in_a_result_never_makes_a_signature_valid() {
    let mut random = Random(21);
    let key = Key::of(&random.scalar());
    let (mut faults, mut missed) = (0, 0);
    for round in 0..6 {
        let (digest, valid) = key.signature(&random.scalar(), &random.scalar());
        let (mut altered, mut bad) = (digest, valid);
        match round % 3 {
            0 => altered[random.below(32) as usize] ^= 1 << random.below(8),
            1 => bad[random.below(32) as usize] ^= 1 << random.below(8),
            _ => bad[32 + random.below(32) as usize] ^= 1 << random.below(8),
        }
        assert!(!key.is_valid(&altered, &bad));
        let mut index = 0;
        loop {
            let bit = random.below(256) as u32;
            let verify = || accepts(generator(), &key.table, &altered, &bad);
            let (accepted, happened) = with_fault(index, bit, verify);
            assert!(!accepted, "bit {bit} of operation {index}");
            if !happened {
                break;
            }
            let verify = || accepts(generator(), &key.table, &digest, &valid);
            missed += u32::from(!with_fault(index, bit, verify).0);
            index += 1;
        }
        assert!(index > OPERATIONS, "{index} operations");
        faults += index;
    }
    println!("{faults} faults, {missed} valid signatures not accepted");
    assert!(missed > faults * 9 / 10, "{missed} of {faults}: the faults have an effect");
}

/// The inverse is only a proposal: one that is wrong gives no multipliers.
#[test]
fn a_wrong_bit_in_the_inverse_gives_no_multipliers() {
    let mut random = Random(24);
    for _ in 0..4 {
        let [e, r, s] = [(); 3].map(|()| random.scalar());
        let right = inverse(&s, &MODULUS_N);
        assert!(multipliers_by(&right, &e, &r, &s).is_some());
        for bit in 0..256 {
            let mut wrong = right;
            wrong[bit / 64] ^= 1 << (bit % 64);
            assert_eq!(multipliers_by(&wrong, &e, &r, &s), None, "bit {bit}");
        }
    }
}

#[test]
fn a_wrong_bit_in_a_used_entry_makes_no_signature_valid() {
    let mut random = Random(22);
    let mut key = Key::of(&random.scalar());
    for _ in 0..4 {
        let (digest, valid) = key.signature(&random.scalar(), &random.scalar());
        let mut bad = valid;
        bad[random.below(64) as usize] ^= 1 << random.below(8);
        let (r, s) = from_signature(&valid);
        let (digits, _) = recode(&quotient(&r, &s));
        for (row, digit) in digits.iter().enumerate().filter(|(_, digit)| **digit != 0) {
            let index = row * ROW + usize::from(digit.unsigned_abs()) - 1;
            for _ in 0..4 {
                let right = key.table.entries[index];
                let bit = random.below(256) as u32;
                let entry = &mut key.table.entries[index];
                if random.below(2) == 0 {
                    entry.x = entry.x.with_flipped(bit);
                } else {
                    entry.y = entry.y.with_flipped(bit);
                }
                assert!(!accepts(generator(), &key.table, &digest, &bad), "row {row}, bit {bit}");
                assert!(!accepts(generator(), &key.table, &digest, &valid), "row {row}, bit {bit}");
                key.table.entries[index] = right;
            }
        }
        assert!(key.is_valid(&digest, &valid));
    }
}

/// Wrong entries may cancel each other out; a valid point then is not the one of the signature.
#[test]
fn the_point_of_another_key_makes_no_signature_valid() {
    let mut random = Random(23);
    let (key, other) = (Key::of(&random.scalar()), Key::of(&random.scalar()));
    let (digest, valid) = key.signature(&random.scalar(), &random.scalar());
    assert!(!accepts(generator(), &other.table, &digest, &valid));
    assert!(!accepts(&other.table, &key.table, &digest, &valid));
    assert!(accepts(generator(), &key.table, &digest, &valid));
}

#[test]
fn a_table_that_is_not_complete_accepts_nothing() {
    let mut random = Random(24);
    let mut key = Key::of(&random.scalar());
    let (digest, valid) = key.signature(&random.scalar(), &random.scalar());
    assert!(key.is_valid(&digest, &valid));
    key.table.entries.truncate(ROW * 20);
    assert!(!accepts(generator(), &key.table, &digest, &valid));
    assert!(!accepts(&key.table, generator(), &digest, &valid));
}
