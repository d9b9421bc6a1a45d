//! The tables and aws-lc, side by side.

use std::env;

use super::{Key, Limbs, N, Random, from_signature, minus, sub, to_bytes};

/// How many signatures each key verifies.
const PER_KEY: u64 = 12_800;

/// `TORII_ES256_SIGNATURES` sets how many signatures are compared, 102,400 by default;
/// `TORII_ES256_SEED` which ones.
#[test]
fn the_tables_and_aws_lc_agree_on_valid_and_invalid_signatures() {
    let number = |name: &str| env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let count = number("TORII_ES256_SIGNATURES").unwrap_or(8 * PER_KEY);
    let mut random = Random(number("TORII_ES256_SEED").unwrap_or(1));
    let (mut done, mut valid) = (0, 0);
    while done < count {
        let key = Key::of(&random.scalar());
        // A few signatures, each in several variants: aws-lc makes none here, since signing draws
        // random numbers, and runs with the same seed should be the same.
        for _ in 0..PER_KEY / 4 {
            let (digest, signature) =
                key.signature(&multiplier(&mut random), &multiplier(&mut random));
            assert!(key.is_valid(&digest, &signature));
            valid += 1;
            for _ in 0..3 {
                let (digest, signature) = altered(&mut random, &digest, &signature);
                valid += u64::from(key.is_valid(&digest, &signature));
            }
        }
        done += PER_KEY;
        if done % (100 * PER_KEY) == 0 {
            println!("{done} signatures, {valid} of them valid");
        }
    }
    println!("{done} signatures, {valid} of them valid");
    assert!(valid > done / 4 && valid < done / 2, "{valid} of {done}");
}

/// A random number, often one of few bits or long runs of equal bits.
fn multiplier(random: &mut Random) -> Limbs {
    loop {
        let mut value = match random.below(8) {
            0 => {
                let (bit, mut value) = (random.below(256), [0; 4]);
                value[bit as usize / 64] = 1 << (bit % 64);
                value
            }
            1 => [(); 4].map(|()| [0, u64::MAX, random.next()][random.below(3) as usize]),
            _ => random.scalar(),
        };
        if random.below(16) == 0 {
            value = [random.below(200), 0, 0, 0];
        }
        if super::less(&value, &N) && value != [0; 4] {
            return if random.below(2) == 0 { value } else { minus(&value) };
        }
    }
}

/// The digest or the signature is another one, which may be valid too.
fn altered(random: &mut Random, digest: &[u8; 32], signature: &[u8; 64]) -> ([u8; 32], [u8; 64]) {
    let (mut digest, mut signature) = (*digest, *signature);
    let (r, s) = from_signature(&signature);
    let at = if random.below(2) == 0 { 0 } else { 32 };
    let part = if at == 0 { r } else { s };
    let other = match random.below(10) {
        0 => {
            digest[random.below(32) as usize] ^= 1 << random.below(8);
            part
        }
        1 => {
            digest = to_bytes(&random.limbs());
            part
        }
        // -s is valid.
        2 => minus(&part),
        3 => random.scalar(),
        4 => {
            if at == 0 {
                s
            } else {
                r
            }
        }
        5 => sub(&N, &[random.below(4), 0, 0, 0]),
        6 => [random.below(4), 0, 0, 0],
        _ => {
            let bit = random.below(256) as usize;
            let mut part = part;
            part[bit / 64] ^= 1 << (bit % 64);
            part
        }
    };
    signature[at..at + 32].copy_from_slice(&to_bytes(&other));
    (digest, signature)
}
