//! For any digest and signature, the tables agree with aws-lc.

#![no_main]

use std::sync::LazyLock;

use aws_lc_rs::agreement::{ECDH_P256, PrivateKey};
use aws_lc_rs::digest::{Digest, SHA256};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey};
use libfuzzer_sys::fuzz_target;

#[allow(dead_code, reason = "only a part is fuzzed")]
#[path = "../../src/es256/mod.rs"]
mod es256;

use es256::{Table, accepts, self_test::signature};

struct Key {
    table: Table,
    public: ParsedPublicKey,
}

static GENERATOR: LazyLock<Table> = LazyLock::new(|| complete(Table::of_generator()));
static KEYS: LazyLock<Vec<Key>> = LazyLock::new(|| {
    // Private keys 1, 2, 64·2^7, and one without a pattern.
    let mut private = [[0; 32]; 4];
    private[0][31] = 1;
    private[1][31] = 2;
    private[2][30] = 0x20;
    private[3] = *b"an unused private key: 32 bytes.";
    private.iter().map(key).collect()
});

fn complete(mut table: Table) -> Table {
    while !table.is_complete() {
        table.add_row();
    }
    table
}

fn key(private: &[u8; 32]) -> Key {
    let private = PrivateKey::from_private_key(&ECDH_P256, private).expect("a private key");
    let point = private.compute_public_key().expect("its public key");
    let public = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.as_ref()).expect("a point");
    Key { table: complete(Table::of_point(point.as_ref()).expect("a point")), public }
}

/// A number below 2^255.
fn number(bytes: &[u8]) -> [u64; 4] {
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().zip(bytes.chunks(8)) {
        *limb = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
    }
    limbs[3] &= u64::MAX >> 1;
    limbs
}

// Two multipliers, of which a valid signature is made, and what is changed about it. If both are
// zero, so is the signature, and what follows is the digest and the signature as they are.
fuzz_target!(|data: &[u8]| {
    let Some((head, change)) = data.split_first_chunk::<65>() else { return };
    let key = &KEYS[usize::from(head[0]) % KEYS.len()];
    let (u1, u2) = (number(&head[1..33]), number(&head[33..]));
    let made = signature(&GENERATOR, &u1, &key.table, &u2).expect("complete tables");
    let (mut digest, mut signature) = made;
    for (byte, change) in digest.iter_mut().chain(&mut signature).zip(change) {
        *byte ^= change;
    }
    let imported = Digest::import_less_safe(&digest, &SHA256).expect("32 bytes");
    let valid = key.public.verify_digest_sig(&imported, &signature).is_ok();
    assert_eq!(accepts(&GENERATOR, &key.table, &digest, &signature), valid);
});
