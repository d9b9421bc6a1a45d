//! Chance, for pauses that must not fall together.

use std::hash::{BuildHasher, RandomState};

/// Any number in 0..1.
pub(crate) fn jitter() -> f64 {
    (RandomState::new().hash_one(0) >> 11) as f64 / (1u64 << 53) as f64
}
