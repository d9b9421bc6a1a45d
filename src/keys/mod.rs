//! An issuer's keys: reading a key set, how long it is used, who fetches it, and the registry by
//! which the verifiers of the process share it.

mod cache_dir;
mod cache_file;
pub(crate) mod fetch;
mod fetch_state;
mod freshness;
mod issuer_keys;
pub(crate) mod jwks;
mod key;
#[cfg_attr(feature = "fips", path = "no_key_table.rs")]
mod key_table;
mod lease;
mod registry;
mod signature;

pub(crate) use cache_dir::{CacheDirStats, KeyCacheDir};
pub(crate) use fetch::jwks_url;
pub(crate) use freshness::Lifetimes;
pub(crate) use issuer_keys::{Call, IssuerKeys, KeyOptions, KeyStats, Refresh};
pub(crate) use jwks::KeySet;
pub(crate) use key::KeyId;
pub(crate) use key_table::{TableCounts, table_counts};
pub use lease::KeyFetch;
pub(crate) use registry::{CacheKey, FetchedBy, clear, shared};
