//! Identifiers and secrets.

use aws_lc_rs::rand;
use uuid::Uuid;

/// A new version 7 UUID: ordered by creation, as torii's user ids are.
pub(crate) fn ordered() -> Uuid {
    Uuid::now_v7()
}

/// A new random UUID.
pub(crate) fn random() -> Uuid {
    Uuid::new_v4()
}

/// A new secret: the prefix and 32 random letters.
pub(crate) fn secret(prefix: &str) -> String {
    const LETTERS: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let mut bytes = [0; 32];
    rand::fill(&mut bytes).expect("the system's random numbers");
    let letters = bytes.map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
    letters.iter().fold(prefix.to_owned(), |secret, letter| secret + &letter.to_string())
}
