//! The verified token cache: the same token comes again on every request for minutes.
//!
//! An entry says no more than that the signature was right; whatever time or configuration can
//! change is checked again at every hit. Only accepted tokens get in, so a stranger cannot fill the
//! cache.

use std::hash::{Hash, Hasher, RandomState};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::auth::Verified;
use crate::fork::ForkLocal;

/// What an entry takes besides the token and its claims, in bytes.
const OVERHEAD: usize = 200;

/// An entry of the size tokens usually have, for estimating how many there will be.
const USUAL: usize = 2_000;

/// The verified tokens of one verifier; a child made by `fork` starts with none.
pub(super) struct TokenCache(Option<ForkLocal<Table>>);

type Table = Cache<Token, Arc<Verified>, Bytes, RandomState>;

#[derive(Clone)]
struct Bytes;

impl Weighter<Token, Arc<Verified>> for Bytes {
    fn weight(&self, token: &Token, verified: &Arc<Verified>) -> u64 {
        (token.0.len() + verified.weight() + OVERHEAD) as u64
    }
}

#[derive(Clone, PartialEq, Eq)]
struct Token(Box<[u8]>);

#[derive(PartialEq, Eq)]
struct TokenRef<'a>(&'a [u8]);

/// The end of a token is its signature, which no two valid tokens share: it is enough to tell them
/// apart in the table. Whether a token is the one that was verified is decided by all of it.
fn hash_end<H: Hasher>(token: &[u8], state: &mut H) {
    token.get(token.len().saturating_sub(32)..).unwrap_or(token).hash(state);
}

impl Hash for Token {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(&self.0, state);
    }
}

impl Hash for TokenRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        hash_end(self.0, state);
    }
}

impl Equivalent<Token> for TokenRef<'_> {
    fn equivalent(&self, token: &Token) -> bool {
        *self.0 == *token.0
    }
}

impl TokenCache {
    pub(super) fn new(bytes: usize) -> Self {
        let items = (bytes / USUAL).max(1);
        let make =
            move || Table::with(items, bytes as u64, Bytes, RandomState::new(), Default::default());
        TokenCache((bytes > 0).then(|| ForkLocal::new(make)))
    }

    pub(super) fn get(&self, token: &[u8]) -> Option<Arc<Verified>> {
        self.0.as_ref()?.get().get(&TokenRef(token))
    }

    pub(super) fn insert(&self, token: Box<[u8]>, verified: Arc<Verified>) {
        if let Some(cache) = &self.0 {
            cache.get().insert(Token(token), verified);
        }
    }

    pub(super) fn remove(&self, token: &[u8]) {
        if let Some(cache) = &self.0 {
            cache.get().remove(&TokenRef(token));
        }
    }

    /// How many tokens there are, and how many bytes they take.
    pub(super) fn size(&self) -> (usize, u64) {
        self.0.as_ref().map_or((0, 0), |cache| {
            let cache = cache.get();
            (cache.len(), cache.weight())
        })
    }
}
