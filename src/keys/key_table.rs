//! The table of multiples of a key: whether it has one, and building it.
//!
//! A table is built in slices, one for each new token, on the thread that verifies it: a row, or a
//! step of the self-test. So a call that must not wait takes part like any other. One thread at a time builds; the others verify without the table meanwhile.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};

use aws_lc_rs::digest::Digest;
use aws_lc_rs::signature::ParsedPublicKey;
use once_cell::race::OnceBox;

use crate::es256::{Table, accepts, self_test};
use crate::fork::ForkLocal;

/// After how many new tokens under a key building its table pays.
const WORTHWHILE: u32 = 16;

/// How many keys of a set may have a table.
pub(super) const MOST_IN_SET: usize = 4;

/// How many keys of the process may have a table.
const MOST_IN_PROCESS: usize = 64;

/// The table of the curve's generator, which all keys share. `OnceBox` never blocks: threads that
/// meet build two, and one is dropped.
static GENERATOR: OnceBox<Table> = OnceBox::new();

static IN_PROCESS: Places = Places(AtomicUsize::new(0));
static BUILT: AtomicU64 = AtomicU64::new(0);
static DISCARDED: AtomicU64 = AtomicU64::new(0);

/// Tables of keys in this process so far.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TableCounts {
    /// Those that passed the self-test.
    pub(crate) built: u64,
    /// Those that disagreed with aws-lc, in the self-test or later, and are no longer used.
    pub(crate) discarded: u64,
}

/// Returns how many tables were built and discarded.
pub(crate) fn table_counts() -> TableCounts {
    TableCounts {
        built: BUILT.load(Ordering::Relaxed),
        discarded: DISCARDED.load(Ordering::Relaxed),
    }
}

/// How many keys have a table, or are getting one.
struct Places(AtomicUsize);

impl Places {
    /// Takes a place if one is free.
    fn take(&self) -> bool {
        let free = self.0.fetch_add(1, Ordering::SeqCst) < MOST_IN_PROCESS;
        if !free {
            self.give_back();
        }
        free
    }

    fn give_back(&self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The table of one key, if it has one.
pub(super) struct KeyTable {
    places: &'static Places,
    /// New tokens accepted so far, until the table is begun.
    accepted: AtomicU32,
    begun: AtomicBool,
    discarded: AtomicBool,
    /// `None` within once the table is built or discarded. A child of `fork` starts again.
    build: OnceBox<ForkLocal<Mutex<Option<Build>>>>,
    table: OnceBox<Table>,
}

/// A table that is being built.
struct Build {
    /// The generator's, if it is not there yet.
    generator: Table,
    key: Table,
    tested: usize,
}

enum Slice {
    Unfinished,
    Finished,
    Failed,
}

impl Default for KeyTable {
    fn default() -> KeyTable {
        KeyTable {
            places: &IN_PROCESS,
            accepted: AtomicU32::default(),
            begun: AtomicBool::default(),
            discarded: AtomicBool::default(),
            build: OnceBox::default(),
            table: OnceBox::default(),
        }
    }
}

impl KeyTable {
    /// Returns whether the key has a table, or is getting one.
    pub(super) fn is_begun(&self) -> bool {
        self.begun.load(Ordering::SeqCst)
    }

    /// Returns whether the table accepts the signature; `None` if there is no table.
    pub(super) fn accepts(&self, digest: &Digest, signature: &[u8]) -> Option<bool> {
        let table = self.table.get().filter(|_| !self.is_discarded())?;
        let (digest, signature) = (digest.as_ref().try_into().ok()?, signature.try_into().ok()?);
        Some(accepts(GENERATOR.get()?, table, digest, signature))
    }

    fn is_discarded(&self) -> bool {
        self.discarded.load(Ordering::Relaxed)
    }

    /// Counts a new token, and does a slice of the work if the table is being built. `set_has_room`
    /// tells whether no more keys than allowed have begun a table, this one included.
    pub(super) fn advance(&self, public: &ParsedPublicKey, set_has_room: impl FnOnce() -> bool) {
        if self.is_discarded() {
            return;
        }
        let Some(build) = self.build.get() else {
            let accepted = self.accepted.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
            if accepted.is_multiple_of(WORTHWHILE) && self.begin(set_has_room) {
                let point = public.as_ref().to_vec();
                let build = move || Mutex::new(Build::new(&point));
                self.build.get_or_init(|| Box::new(ForkLocal::new(build)));
            }
            return;
        };
        let build = build.get();
        // If the lock is taken, its holder does the work.
        let Ok(mut guard) = build.try_lock() else { return };
        let Some(mut build) = guard.take() else { return };
        match build.slice(public) {
            Slice::Unfinished => *guard = Some(build),
            Slice::Finished => {
                if self.table.set(Box::new(build.key)).is_ok() {
                    BUILT.fetch_add(1, Ordering::Relaxed);
                }
            }
            Slice::Failed => self.discard(),
        }
    }

    /// Takes one of the places for tables, of the set and of the process.
    fn begin(&self, set_has_room: impl FnOnce() -> bool) -> bool {
        if self.begun.swap(true, Ordering::SeqCst) {
            return false;
        }
        let begin = set_has_room() && self.places.take();
        if !begin {
            self.begun.store(false, Ordering::SeqCst);
        }
        begin
    }

    /// Stops using the table, since it disagreed with aws-lc.
    #[cold]
    pub(super) fn discard(&self) {
        if !self.discarded.swap(true, Ordering::Relaxed) {
            DISCARDED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for KeyTable {
    fn drop(&mut self) {
        if *self.begun.get_mut() {
            self.places.give_back();
        }
    }
}

impl Build {
    fn new(point: &[u8]) -> Option<Build> {
        let key = Table::of_point(point)?;
        Some(Build { generator: Table::of_generator(), key, tested: 0 })
    }

    fn slice(&mut self, public: &ParsedPublicKey) -> Slice {
        let Some(generator) = GENERATOR.get() else {
            self.generator.add_row();
            if self.generator.is_complete() {
                let table = std::mem::replace(&mut self.generator, Table::of_generator());
                let _ = GENERATOR.set(Box::new(table));
            }
            return Slice::Unfinished;
        };
        if !self.key.is_complete() {
            self.key.add_row();
            return Slice::Unfinished;
        }
        if !self_test::step(generator, &self.key, public, self.tested) {
            return Slice::Failed;
        }
        self.tested += 1;
        if self.tested < self_test::STEPS { Slice::Unfinished } else { Slice::Finished }
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use aws_lc_rs::rand::SystemRandom;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING as SIGNING, EcdsaKeyPair, KeyPair};

    use super::super::jwks::KeySet;
    use super::super::key::Key;
    use super::*;

    /// A key pair, and its public key in a set of which it is the only one.
    struct Signer {
        pair: EcdsaKeyPair,
        set: KeySet,
    }

    impl Signer {
        fn new() -> Signer {
            Signer::with_places(&IN_PROCESS)
        }

        fn with_places(places: &'static Places) -> Signer {
            let pair = EcdsaKeyPair::generate(&SIGNING).unwrap();
            let mut key = Signer::key(&pair, "a");
            key.table.places = places;
            Signer { pair, set: KeySet::of_keys([key]) }
        }

        fn key(pair: &EcdsaKeyPair, kid: &str) -> Key {
            Key::new(kid.to_owned(), pair.public_key().as_ref()).unwrap()
        }

        fn table(&self) -> &KeyTable {
            &self.set.find("a").unwrap().table
        }

        /// Has the key verify a new signature, altered if not `valid`.
        fn verify(&self, n: usize, valid: bool) {
            let message = format!("message {n}");
            let signature = self.pair.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            let mut signature: [u8; 64] = signature.as_ref().try_into().unwrap();
            signature[n % 64] ^= u8::from(!valid);
            let key = self.set.find("a").unwrap();
            let has_room = || self.set.has_room_for_tables();
            let accepted = key.verify_fixed_base(message.as_bytes(), &signature, has_room);
            assert_eq!(accepted, valid, "signature {n}");
            assert_eq!(key.verify(message.as_bytes(), &signature), valid);
        }

        /// Returns what the table alone says about a valid signature.
        fn by_table(&self) -> Option<bool> {
            let signature = self.pair.sign(&SystemRandom::new(), b"message").unwrap();
            self.table().accepts(&digest(&SHA256, b"message"), signature.as_ref())
        }
    }

    /// More tokens than building a table takes: rows of two tables and a self-test.
    const ENOUGH: usize = 240;

    #[test]
    fn a_table_is_built_after_sixteen_valid_tokens_and_then_used() {
        let signer = Signer::new();
        for n in 0..15 {
            signer.verify(n, true);
        }
        (0..ENOUGH).for_each(|n| signer.verify(n, false));
        assert!(!signer.table().is_begun(), "only tokens that are valid count");
        signer.verify(15, true);
        assert!(signer.table().is_begun());
        assert_eq!(signer.by_table(), None, "not finished");
        (0..ENOUGH).for_each(|n| signer.verify(n, false));
        assert_eq!(signer.by_table(), None, "only tokens that are valid do a slice");
        let before = table_counts().built;
        (0..ENOUGH).for_each(|n| signer.verify(n, true));
        assert_eq!(signer.by_table(), Some(true));
        assert!(table_counts().built > before);
        let build = signer.table().build.get().unwrap();
        assert!(build.get().lock().unwrap().is_none(), "the memory for building is freed");
        (0..ENOUGH).for_each(|n| signer.verify(n, n % 3 == 0));
        assert!(!signer.table().is_discarded());
    }

    #[test]
    fn threads_build_a_table_together() {
        let signer = Signer::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let signer = &signer;
                scope.spawn(move || (0..ENOUGH).for_each(|n| signer.verify(n, n % 8 != thread)));
            }
        });
        (0..ENOUGH).for_each(|n| signer.verify(n, true));
        assert_eq!(signer.by_table(), Some(true));
        assert!(!signer.table().is_discarded());
    }

    #[test]
    fn a_table_that_fails_its_self_test_is_not_used() {
        let signer = Signer::new();
        (0..16).for_each(|n| signer.verify(n, true));
        let other = EcdsaKeyPair::generate(&SIGNING).unwrap();
        {
            let build = signer.table().build.get().unwrap().get();
            let mut build = build.lock().unwrap();
            build.as_mut().unwrap().key = Table::of_point(other.public_key().as_ref()).unwrap();
        }
        let before = table_counts().discarded;
        (0..2 * ENOUGH).for_each(|n| signer.verify(n, n % 2 == 0));
        assert!(signer.table().is_discarded());
        assert!(table_counts().discarded > before);
        assert_eq!(signer.by_table(), None);
        assert!(signer.table().table.get().is_none());
    }

    /// Memory may change after the self-test.
    #[test]
    fn a_table_that_misses_a_valid_signature_is_discarded() {
        let (signer, other) = (Signer::new(), Signer::new());
        (0..ENOUGH).for_each(|n| other.verify(n, true));
        assert_eq!(other.by_table(), Some(true));
        let mut wrong = Table::of_point(other.pair.public_key().as_ref()).unwrap();
        while !wrong.is_complete() {
            wrong.add_row();
        }
        assert!(signer.table().table.set(Box::new(wrong)).is_ok());
        assert_eq!(signer.by_table(), Some(false));
        signer.verify(0, false);
        assert!(!signer.table().is_discarded(), "aws-lc refuses the signature too");
        let before = table_counts().discarded;
        signer.verify(0, true);
        assert_eq!(signer.by_table(), None);
        assert!(table_counts().discarded > before);
        (0..ENOUGH).for_each(|n| signer.verify(n, n % 2 == 0));
        assert_eq!(signer.by_table(), None);
    }

    #[test]
    fn four_keys_of_a_set_get_a_table() {
        let pairs: Vec<_> = (0..6).map(|_| EcdsaKeyPair::generate(&SIGNING).unwrap()).collect();
        let kid = |n: usize| format!("key {n}");
        let keys = pairs.iter().enumerate().map(|(n, pair)| Signer::key(pair, &kid(n)));
        let set = KeySet::of_keys(keys);
        for (n, pair) in pairs.iter().enumerate() {
            let signature = pair.sign(&SystemRandom::new(), b"message").unwrap();
            let signature = signature.as_ref().try_into().unwrap();
            for _ in 0..ENOUGH {
                let key = set.find(&kid(n)).unwrap();
                let has_room = || set.has_room_for_tables();
                assert!(key.verify_fixed_base(b"message", signature, has_room));
            }
        }
        let built = |n: &usize| set.find(&kid(*n)).unwrap().table.table.get().is_some();
        assert_eq!((0..6).filter(built).collect::<Vec<_>>(), [0, 1, 2, 3]);
        assert_eq!((0..6).filter(|n| set.find(&kid(*n)).unwrap().has_table()).count(), 4);
    }

    #[test]
    fn sixty_four_keys_of_a_process_get_a_table() {
        let places: &Places = Box::leak(Box::new(Places(AtomicUsize::new(0))));
        let mut signers: Vec<_> = (0..66).map(|_| Signer::with_places(places)).collect();
        for signer in &signers {
            (0..16).for_each(|n| signer.verify(n, true));
        }
        let begun = |signers: &[Signer]| signers.iter().filter(|s| s.table().is_begun()).count();
        assert_eq!((begun(&signers[..64]), begun(&signers[64..])), (64, 0));
        let last = signers.pop().unwrap();
        (0..ENOUGH).for_each(|n| last.verify(n, true));
        assert!(!last.table().is_begun());
        assert_eq!(last.by_table(), None);
        // A table goes with its key, so that another key may have one.
        signers.remove(0);
        (0..ENOUGH).for_each(|n| last.verify(n, true));
        assert_eq!(last.by_table(), Some(true));
        (0..ENOUGH).for_each(|n| signers[63].verify(n, true));
        assert!(!signers[63].table().is_begun());
        drop((signers, last));
        assert_eq!(places.0.load(Ordering::SeqCst), 0);
    }
}
