//! The file of one issuer's keys in the key cache directory.
//!
//! Its times are Unix times: the clock by which keys age in memory starts at boot.

use std::sync::Arc;

use super::cache_dir::KeyCacheDir;
use super::cache_file::{CacheFile, Ignored};
use super::cache_key::CacheKey;
use super::freshness::Fetched;
use super::jwks::KeySet;
use crate::clock::{Millis, exactly, monotonic, since_1970};

/// Where the keys of one cache key are kept for the next process.
pub(super) struct KeyFile {
    directory: KeyCacheDir,
    name: String,
    url: String,
}

impl KeyFile {
    /// Returns `None` if the cache key has no directory.
    pub(super) fn of(key: &CacheKey) -> Option<Self> {
        let directory = key.cache_dir.clone()?;
        Some(KeyFile { directory, name: key.file_name(), url: key.url.clone() })
    }

    /// Reads the keys and the time at which they would have been fetched by this process. Keys that
    /// `known` holds as well keep their ids. `None`: no file.
    pub(super) fn read(
        &self,
        known: Option<&KeySet>,
    ) -> Result<Option<(Arc<KeySet>, Fetched)>, Ignored> {
        let now = monotonic();
        let keys = self.directory.read(&self.name, &self.url, since_1970(), known)?;
        Ok(keys.map(|keys| {
            let sent_at = now.saturating_sub(keys.age);
            (Arc::new(keys.set), Fetched { sent_at, headers: keys.headers })
        }))
    }

    /// Writes the text of keys, unless the file has newer ones. Waits for other processes until
    /// `deadline`.
    pub(super) fn write(
        &self,
        fetched: Fetched,
        body: &[u8],
        deadline: Millis,
    ) -> Result<(), String> {
        let now = since_1970();
        let age = monotonic().saturating_sub(fetched.sent_at) + fetched.headers.age();
        let file = CacheFile {
            url: &self.url,
            requested_at: now.saturating_sub(age),
            max_age: fetched.headers.max_age,
            body,
        };
        self.directory.write(&self.name, &file, now, deadline.saturating_sub(exactly()))
    }
}
