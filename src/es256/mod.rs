//! ES256 (RFC 7518 section 3.4) with tables of multiples of the generator and of a key, so that
//! verifying a signature takes additions only and no doublings.
//!
//! [`accepts`] answers "valid" or "not decided", never "invalid": a caller asks another
//! implementation about any signature that is not accepted. All inputs are public, so time and
//! memory accesses may depend on them. Nothing here signs, or takes a secret.
//!
//! Field arithmetic is fiat-crypto's, which is generated from a proof of its correctness.

mod field;
mod inverse;
mod point;
pub(crate) mod self_test;
mod table;
mod verify;

pub(crate) use table::Table;
pub(crate) use verify::accepts;

#[cfg(test)]
mod tests;
