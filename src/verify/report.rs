//! One snapshot of a verifier's counters and keys, for statistics and for metrics.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Verifier;
use super::revocations::RevocationStats;
use crate::error::{Result, Status};
use crate::json::Json;
use crate::keys::{self, KeyStats, TableCounts};
use crate::text::NulString;

/// A snapshot of a verifier's counters and keys.
pub(super) struct Report {
    pub(super) accepted: u64,
    /// Accepted tokens that were in the token cache.
    pub(super) hits: u64,
    /// Refusals by status, without those that never occurred.
    pub(super) refused: Vec<(Status, u64)>,
    pub(super) cached_tokens: usize,
    pub(super) cache_bytes: u64,
    /// In the order of configuration.
    pub(super) issuers: Vec<IssuerReport>,
    pub(super) revocations: RevocationStats,
    pub(super) tables: TableCounts,
}

pub(super) struct IssuerReport {
    pub(super) name: Arc<NulString>,
    pub(super) keys: KeyStats,
}

impl Verifier {
    pub(super) fn report(&self) -> Report {
        let (cached_tokens, cache_bytes) = self.token_cache.size();
        let issuers = self.issuers.iter().map(|issuer| IssuerReport {
            name: issuer.name.clone(),
            keys: issuer.keys().stats(&self.key_options.lifetimes),
        });
        Report {
            accepted: self.stats.accepted(),
            hits: self.stats.hits(),
            refused: self.stats.refused().collect(),
            cached_tokens,
            cache_bytes,
            issuers: issuers.collect(),
            revocations: self.revocations.stats(),
            tables: keys::table_counts(),
        }
    }

    /// Returns statistics as JSON: `accepted`, `hits` of the token cache among them, `refused` by the
    /// name of the status, `cached_tokens`, `cache_bytes`, and for each of the `issuers` its `issuer`,
    /// `keys` in use, `skipped`, `key_age` in seconds, `due_in_ms`, `fetches` that ended, `failures`
    /// among them, `last_success` in seconds, `last_error` and `key_cache_dir`: sets `loaded` and
    /// `written`, writes that `failed`, files `ignored` by the reason, and `last_error`; `revocations`
    /// with its `entries` and its `file`: `entries`, `last_check` in seconds, `reads`, `failures` and
    /// `last_error`; `tables_built` and `tables_discarded` of [`VerifierOptions::set_fixed_base`](super::VerifierOptions::set_fixed_base).
    /// Fetches, files and tables are counted for the process; absent values are null.
    pub fn stats(&self) -> Result<Json> {
        Json::parse(&self.report().to_json().to_string())
    }
}

impl Report {
    fn to_json(&self) -> Value {
        let refused =
            self.refused.iter().map(|(status, n)| (status.name().to_owned(), (*n).into()));
        json!({
            "accepted": self.accepted,
            "hits": self.hits,
            "refused": refused.collect::<serde_json::Map<_, _>>(),
            "cached_tokens": self.cached_tokens,
            "cache_bytes": self.cache_bytes,
            "tables_built": self.tables.built,
            "tables_discarded": self.tables.discarded,
            "issuers": self.issuers.iter().map(IssuerReport::to_json).collect::<Vec<_>>(),
            "revocations": self.revocations.to_json(),
        })
    }
}

impl IssuerReport {
    fn to_json(&self) -> Value {
        let keys = &self.keys;
        let key_cache_dir = keys.cache_dir.as_ref().map(|events| {
            json!({
                "loaded": events.loaded,
                "written": events.written,
                "failed": events.failed,
                "ignored": events.ignored,
                "last_error": events.last_error,
            })
        });
        json!({
            "issuer": self.name.as_str(),
            "keys": keys.keys,
            "skipped": keys.skipped,
            "key_age": keys.age,
            "due_in_ms": keys.due_in,
            "fetches": keys.fetches,
            "failures": keys.failures,
            "last_success": keys.last_success,
            "last_error": keys.last_error,
            "key_cache_dir": key_cache_dir,
        })
    }
}
