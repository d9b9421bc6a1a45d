//! With the feature `fips`, in place of `key_table`: no key has a table of multiples, since only the
//! validated module decides on signatures.

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::ParsedPublicKey;

/// How many keys of a set may have a table.
pub(super) const MOST_IN_SET: usize = 0;

/// Tables of keys in this process so far: none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableCounts {
    pub(crate) built: u64,
    pub(crate) discarded: u64,
}

pub(crate) fn table_counts() -> TableCounts {
    TableCounts { built: 0, discarded: 0 }
}

/// The table that a key does not have.
#[derive(Default)]
pub(super) struct KeyTable;

impl KeyTable {
    pub(super) fn is_begun(&self) -> bool {
        false
    }

    pub(super) fn accepts(&self, _: &Digest, _: &[u8]) -> Option<bool> {
        None
    }

    pub(super) fn advance(&self, _: &ParsedPublicKey, _: impl FnOnce() -> bool) {}

    pub(super) fn discard(&self) {}
}
