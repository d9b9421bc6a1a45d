//! An issuer's keys: reading them, when they are good, who fetches them, and the one cache of
//! them in the process.

mod cache;
pub(crate) mod fetch;
pub(crate) mod jwks;
mod key;
mod life;
mod source;
mod sync;

pub(crate) use cache::{clear, shared};
pub(crate) use fetch::Answer;
pub(crate) use jwks::KeySet;
pub(crate) use key::KeyId;
pub(crate) use life::{MAX_STALE, Policy};
pub(crate) use source::{Claim, FetchOptions, Source, begun};
