//! The process-wide registry: verifiers with equal cache keys share one [`IssuerKeys`].
//!
//! Entries are weak references: an issuer goes with the last verifier that uses it, except for the few
//! used most recently. Each bucket is read and replaced as a whole, without a lock. So a child made
//! by `fork` finds every bucket as it was, even if another thread of the parent was changing it.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::ArcSwapOption;
use once_cell::race::OnceBox;

use super::cache_key::CacheKey;
use super::issuer_keys::{IssuerKeys, Sweep};
use crate::text::NulString;

/// Two levels of this many: with 100,000 issuers a bucket holds one or two of them.
const FANOUT: usize = 256;

/// How many issuers stay without a verifier. PHP creates a verifier for each request, and must not
/// fetch keys for each.
const RECENT: usize = 32;

/// Blocks of buckets are made when they are first used.
///
/// `OnceBox` never blocks: threads that meet make two values, and one is dropped.
struct Registry {
    blocks: [OnceBox<[Bucket; FANOUT]>; FANOUT],
    hasher: RandomState,
    recent: [ArcSwapOption<IssuerKeys>; RECENT],
    next_recent: AtomicUsize,
}

type Bucket = ArcSwapOption<Vec<Entry>>;

#[derive(Clone)]
struct Entry {
    key: Arc<CacheKey>,
    keys: Weak<IssuerKeys>,
}

/// The registry of the process.
fn registry() -> &'static Registry {
    static REGISTRY: OnceBox<Registry> = OnceBox::new();
    REGISTRY.get_or_init(|| Box::new(Registry::new()))
}

/// Returns the process's keys of `issuer`; verifiers that pass an equal key share them.
pub(crate) fn shared(issuer: &Arc<NulString>, key: CacheKey) -> Arc<IssuerKeys> {
    registry().shared(issuer, key)
}

/// Drops all fetched keys. Verifiers fetch them again; the results of fetches in flight are discarded.
pub(crate) fn clear() {
    registry().entries(|entry| entry.keys.upgrade()).iter().for_each(|keys| keys.clear());
}

impl Registry {
    fn new() -> Self {
        Registry {
            blocks: [const { OnceBox::new() }; FANOUT],
            hasher: RandomState::new(),
            recent: [const { ArcSwapOption::const_empty() }; RECENT],
            next_recent: AtomicUsize::new(0),
        }
    }

    fn bucket(&self, key: &CacheKey) -> Option<&Bucket> {
        let hash = self.hasher.hash_one(key) as usize;
        let block = self.blocks.get(hash % FANOUT)?;
        let block = block.get_or_init(|| Box::new([const { Bucket::const_empty() }; FANOUT]));
        block.get(hash / FANOUT % FANOUT)
    }

    fn shared(&'static self, issuer: &Arc<NulString>, key: CacheKey) -> Arc<IssuerKeys> {
        let keys = self.find_or_insert(issuer, key);
        self.keep(&keys);
        keys
    }

    /// Keeps these keys in place of those that were kept first.
    fn keep(&self, keys: &Arc<IssuerKeys>) {
        let is_kept = |slot: &ArcSwapOption<IssuerKeys>| {
            slot.load().as_ref().is_some_and(|kept| Arc::ptr_eq(kept, keys))
        };
        if !self.recent.iter().any(is_kept) {
            let next = self.next_recent.fetch_add(1, Ordering::Relaxed) % RECENT;
            if let Some(slot) = self.recent.get(next) {
                slot.store(Some(keys.clone()));
            }
        }
    }

    fn find_or_insert(&'static self, issuer: &Arc<NulString>, key: CacheKey) -> Arc<IssuerKeys> {
        let bucket = self.bucket(&key);
        let known = bucket.and_then(|bucket| find(bucket.load().as_deref()?, &key));
        if let Some(known) = known {
            return known;
        }
        let key = Arc::new(key);
        let made = Arc::new(IssuerKeys::fetched(issuer, key.clone(), self));
        let mut shared = made.clone();
        if let Some(bucket) = bucket {
            bucket.rcu(|entries| {
                let mut live = live(entries.as_deref());
                shared = find(&live, &key).unwrap_or_else(|| {
                    live.push(Entry { key: key.clone(), keys: Arc::downgrade(&made) });
                    made.clone()
                });
                Some(Arc::new(live))
            });
        }
        shared
    }

    fn entries<T>(&self, pick: impl Fn(&Entry) -> Option<T>) -> Vec<T> {
        let buckets = self.blocks.iter().filter_map(OnceBox::get).flatten();
        let entries = buckets.filter_map(|bucket| bucket.load_full());
        entries.flat_map(|entries| entries.iter().filter_map(&pick).collect::<Vec<_>>()).collect()
    }
}

impl Sweep for Registry {
    fn sweep(&self, key: &CacheKey) {
        if let Some(bucket) = self.bucket(key) {
            bucket.rcu(|entries| {
                let live = live(entries.as_deref());
                (!live.is_empty()).then(|| Arc::new(live))
            });
        }
    }
}

fn live(entries: Option<&Vec<Entry>>) -> Vec<Entry> {
    entries.into_iter().flatten().filter(|entry| entry.keys.strong_count() > 0).cloned().collect()
}

fn find(entries: &[Entry], key: &CacheKey) -> Option<Arc<IssuerKeys>> {
    entries.iter().filter(|entry| *entry.key == *key).find_map(|entry| entry.keys.upgrade())
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::cache_dir::KeyCacheDir;
    use super::super::cache_key::FetchedBy;
    use super::*;
    use crate::http::{Proxy, RootCertificates};

    fn key(url: &str) -> CacheKey {
        CacheKey {
            url: url.to_owned(),
            root_certificates: None,
            proxy: None,
            cache_dir: None,
            fetched_by: FetchedBy::Library,
        }
    }

    /// A registry of the test's own.
    fn registry() -> &'static Registry {
        Box::leak(Box::new(Registry::new()))
    }

    fn shared(registry: &'static Registry, key: CacheKey) -> Arc<IssuerKeys> {
        registry.shared(&Arc::new(NulString::new("https://acme.example")), key)
    }

    fn len(registry: &Registry) -> usize {
        registry.entries(|_| Some(())).len()
    }

    /// How many entries are copied when one is added or removed, at most.
    fn most_work(registry: &Registry) -> usize {
        let buckets = registry.blocks.iter().filter_map(OnceBox::get).flatten();
        buckets.map(|bucket| bucket.load().as_ref().map_or(0, |e| e.len())).max().unwrap_or(0)
    }

    #[test]
    fn equal_cache_keys_share_keys_and_others_do_not() {
        let tls = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/api/tls/");
        let read = |name| RootCertificates::read(format!("{tls}{name}").as_ref()).ok();
        let proxy = |url| Some(Proxy::parse(url).unwrap());
        let registry = registry();
        let base = || CacheKey {
            root_certificates: read("ca.pem"),
            proxy: proxy("http://proxy.example:3128"),
            ..key("https://acme.example/jwks.json")
        };
        let cache_dir = KeyCacheDir::prepare(env!("CARGO_MANIFEST_DIR").as_ref()).unwrap();
        let first = shared(registry, base());
        assert!(Arc::ptr_eq(&first, &shared(registry, base())));
        for other in [
            CacheKey { url: "https://acme.example/jwks.json/".to_owned(), ..base() },
            CacheKey { url: "https://Acme.example/jwks.json".to_owned(), ..base() },
            CacheKey { root_certificates: read("server.pem"), ..base() },
            CacheKey { root_certificates: None, ..base() },
            CacheKey { proxy: proxy("http://proxy.example:3129"), ..base() },
            CacheKey { proxy: proxy("http://name:secret@proxy.example:3128"), ..base() },
            CacheKey { proxy: None, ..base() },
            CacheKey { cache_dir: Some(cache_dir), ..base() },
            CacheKey { fetched_by: FetchedBy::Host, ..base() },
        ] {
            assert!(!Arc::ptr_eq(&first, &shared(registry, other.clone())), "{other:?}");
        }
    }

    #[test]
    fn an_issuer_no_verifier_uses_is_forgotten_but_for_the_most_recent() {
        let registry = registry();
        let url = |n: usize| key(&format!("https://acme.example/{n}"));
        let used = shared(registry, url(0));
        let freed = Arc::downgrade(&shared(registry, url(1)));
        for _ in 0..3 {
            let again = shared(registry, url(1));
            assert!(freed.upgrade().is_some_and(|keys| Arc::ptr_eq(&keys, &again)));
        }
        for n in 2..RECENT + 2 {
            shared(registry, url(n));
        }
        assert!(freed.upgrade().is_none());
        assert!(Arc::ptr_eq(&used, &shared(registry, url(0))), "a verifier uses it");
        drop(used);
        assert_eq!(len(registry), RECENT);
    }

    #[test]
    fn the_hundred_thousandth_issuer_costs_what_the_first_did() {
        let registry = registry();
        let url = |n: u32| key(&format!("https://issuer-{n}.example/jwks.json"));
        let all: Vec<_> = (0..100_000).map(|n| shared(registry, url(n))).collect();
        assert_eq!(len(registry), 100_000);
        let most = most_work(registry);
        assert!(most <= 20, "{most} entries are copied to add one");
        assert!(Arc::ptr_eq(&all[77_777], &shared(registry, url(77_777))));
        drop(all);
        assert_eq!(len(registry), RECENT);
        assert!(most_work(registry) <= 2);
    }

    #[test]
    fn threads_that_create_and_free_verifiers_share_keys_while_there_are_any() {
        let registry = registry();
        // So many that each is forgotten, and made again, all the time.
        let url = |n: usize| key(&format!("https://acme.example/{}", n % (2 * RECENT)));
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for n in 0..10_000 {
                        let first = shared(registry, url(n));
                        let second = shared(registry, url(n));
                        assert!(Arc::ptr_eq(&first, &second));
                    }
                });
            }
        });
        assert!(len(registry) <= RECENT);
    }
}
