//! An issuer's keys: reading a key set, how long it is used, who fetches it, and the registry by
//! which the verifiers of the process share it.

mod acquire;
mod cache_dir;
mod cache_file;
mod cache_key;
mod call;
pub(crate) mod fetch;
mod fetch_id;
mod fetch_state;
mod freshness;
mod issuer_keys;
pub(crate) mod jwks;
mod key;
mod key_file;
mod key_stats;
#[cfg_attr(feature = "fips", path = "no_key_table.rs")]
mod key_table;
mod lease;
mod progress;
mod registry;
mod signature;
mod snapshot;

pub(crate) use acquire::Refresh;
pub(crate) use cache_dir::{CacheDirStats, KeyCacheDir};
pub(crate) use cache_key::{CacheKey, FetchedBy};
pub(crate) use call::{Call, KeyOptions};
pub(crate) use fetch::jwks_url;
pub(crate) use freshness::Lifetimes;
pub(crate) use issuer_keys::IssuerKeys;
pub(crate) use jwks::KeySet;
pub(crate) use key::KeyId;
pub(crate) use key_stats::KeyStats;
pub(crate) use key_table::{TableCounts, table_counts};
pub use lease::KeyFetch;
pub(crate) use registry::{clear, shared};
