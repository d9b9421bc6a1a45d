//! The verified token cache: the same token comes again on every request for minutes.
//!
//! An entry says only that the signature was valid; all that time or configuration can change is
//! checked again at every hit. Only accepted tokens get in, so an attacker cannot fill the
//! cache.

use std::hash::{BuildHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use quick_cache::sync::Cache;
use quick_cache::{Equivalent, Weighter};

use super::verified::Verified;
use crate::fork::ForkLocal;

/// The size of an entry without the token and its claims, in bytes.
const OVERHEAD: usize = 200;

/// An entry of the size tokens usually have, for estimating how many there will be.
const USUAL: usize = 2_000;

/// The verified tokens of one verifier; a child made by `fork` starts with none.
pub(super) struct TokenCache(Option<ForkLocal<Table>>);

type Table = Cache<Token, Arc<Verified>, Bytes, Seeds>;

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

/// How much of a token is hashed, in bytes: the end of its signature, 92 bits that no two accepted
/// tokens share but by chance.
const END: usize = 16;

/// Finds a token's place in the table. Equality compares the whole token.
fn hash_end<H: Hasher>(token: &[u8], state: &mut H) {
    // An accepted token is longer, so what is shorter is not found.
    let end = token.last_chunk::<END>().copied().unwrap_or_default();
    state.write_u128(u128::from_ne_bytes(end));
}

/// Random numbers that decide where in the table a token has its place.
///
/// SipHash would be slower and is not needed: only the issuer makes tokens that get in, and no
/// client can choose the end of a signature.
#[derive(Clone)]
struct Seeds([u64; 2]);

impl Seeds {
    fn random() -> Self {
        let random = RandomState::new();
        Seeds([random.hash_one(0), random.hash_one(1)])
    }
}

impl BuildHasher for Seeds {
    type Hasher = Fold;

    fn build_hasher(&self) -> Fold {
        Fold { seeds: self.0, hash: 0 }
    }
}

/// Hashes one `u128`: both halves of the product of its seeded halves.
struct Fold {
    seeds: [u64; 2],
    hash: u64,
}

impl Hasher for Fold {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u128(u128::from(*byte)));
    }

    fn write_u128(&mut self, n: u128) {
        let [low, high] = self.seeds;
        let product = u128::from(self.hash ^ n as u64 ^ low) * u128::from((n >> 64) as u64 ^ high);
        self.hash = (product >> 64) as u64 ^ product as u64;
    }

    fn finish(&self) -> u64 {
        self.hash
    }
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
            move || Table::with(items, bytes as u64, Bytes, Seeds::random(), Default::default());
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

#[cfg(test)]
mod tests {
    use quick_cache::UnitWeighter;

    use super::*;

    fn token(start: &str) -> Vec<u8> {
        [start.as_bytes(), b"the end of a signature"].concat()
    }

    #[test]
    fn tokens_with_the_same_end_are_told_apart() {
        let table = Cache::with(
            10,
            10,
            UnitWeighter,
            Seeds([1, 2]),
            quick_cache::sync::DefaultLifecycle::default(),
        );
        table.insert(Token(token("one ").into()), 1);
        assert_eq!(table.get(&TokenRef(&token("one "))), Some(1));
        for other in ["two ", "one", "one  ", ""] {
            assert_eq!(table.get(&TokenRef(&token(other))), None, "{other:?}");
        }
        table.insert(Token(token("two ").into()), 2);
        assert_eq!(table.get(&TokenRef(&token("one "))), Some(1));
        assert_eq!(table.get(&TokenRef(&token("two "))), Some(2));
    }

    /// Else all tokens would share a place, or a token would not be found again.
    #[test]
    fn a_token_has_its_place_by_the_whole_of_its_end() {
        let seeds = Seeds::random();
        let base: [u8; END] = *b"0123456789abcdef";
        let place = |end: &[u8]| seeds.hash_one(TokenRef(end));
        assert_eq!(place(&base), seeds.hash_one(Token(base.into())));
        for at in 0..END {
            for bit in 0..8 {
                let mut other = base;
                other[at] ^= 1 << bit;
                assert_ne!(place(&other), place(&base), "bit {bit} of byte {at}");
            }
        }
        assert_ne!(place(&base), Seeds::random().hash_one(TokenRef(&base)), "seeded");
        assert_eq!(place(b"short"), place(&[0; END]), "no accepted token");
    }
}
