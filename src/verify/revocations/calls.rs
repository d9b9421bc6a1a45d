//! The revocations made by calls: one at a time, in any number of threads.
//!
//! Each bucket is read and replaced as a whole, without a lock, so a child made by `fork` finds every
//! bucket as it was, even if another thread of the parent was changing it. A call copies one bucket: at
//! most some dozens of entries.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;

use super::MAX_ENTRIES;
use super::list::User;

const BUCKETS: usize = 4_096;

type Bucket = ArcSwapOption<Vec<Entry>>;

pub(super) struct Calls {
    buckets: Box<[Bucket]>,
    /// Entries, those included that have ended and are still there.
    count: AtomicUsize,
}

#[derive(Clone)]
struct Entry {
    hash: u64,
    user: Arc<str>,
    before: i64,
    /// When it is dropped.
    ends_at: i64,
}

impl Entry {
    fn is_of(&self, user: User<'_>) -> bool {
        self.hash == user.hash && *self.user == *user.id
    }
}

impl Calls {
    pub(super) fn new() -> Self {
        let buckets = (0..BUCKETS).map(|_| Bucket::const_empty()).collect();
        Calls { buckets, count: AtomicUsize::new(0) }
    }

    fn bucket(&self, user: User<'_>) -> Option<&Bucket> {
        self.buckets.get(user.hash as usize % BUCKETS)
    }

    pub(super) fn find(&self, user: User<'_>) -> Option<i64> {
        let bucket = self.bucket(user)?.load();
        bucket.as_ref()?.iter().find(|entry| entry.is_of(user)).map(|entry| entry.before)
    }

    /// How many entries have not ended.
    pub(super) fn len(&self, now: i64) -> usize {
        let live = |bucket: &Bucket| {
            let bucket = bucket.load();
            bucket.as_ref().map_or(0, |list| list.iter().filter(|e| e.ends_at > now).count())
        };
        self.buckets.iter().map(live).sum()
    }

    /// Adds an entry, or moves that of the user to the later time. Returns false if there is no
    /// room.
    pub(super) fn insert(&self, user: User<'_>, before: i64, ends_at: i64, now: i64) -> bool {
        let Some(bucket) = self.bucket(user) else { return false };
        let known = self.find(user).is_some();
        let room = !known
            && (self.reserve() || {
                self.sweep(now);
                self.reserve()
            });
        if !room && !known {
            return false;
        }
        let new = Entry { hash: user.hash, user: user.id.into(), before, ends_at };
        let change = self.replace(bucket, |entries| {
            match entries.iter_mut().find(|entry| entry.is_of(user)) {
                Some(known) if known.before < before => *known = new.clone(),
                Some(_) => {}
                None => entries.push(new.clone()),
            }
            entries.retain(|entry| entry.ends_at > now);
        });
        self.add(change - isize::from(room));
        true
    }

    /// Drops the entries that have ended.
    fn sweep(&self, now: i64) {
        for bucket in &self.buckets {
            if bucket.load().is_some() {
                self.add(self.replace(bucket, |entries| entries.retain(|e| e.ends_at > now)));
            }
        }
    }

    /// Replaces a bucket, and returns by how many entries it has grown.
    fn replace(&self, bucket: &Bucket, change: impl Fn(&mut Vec<Entry>)) -> isize {
        let mut grown = 0;
        bucket.rcu(|old| {
            let mut entries = old.as_deref().cloned().unwrap_or_default();
            let before = entries.len();
            change(&mut entries);
            grown = entries.len().wrapping_sub(before).cast_signed();
            (!entries.is_empty()).then(|| Arc::new(entries))
        });
        grown
    }

    /// Counts an entry that is about to be added, if there is room for one.
    fn reserve(&self) -> bool {
        let more = |count| (count < MAX_ENTRIES).then_some(count + 1);
        self.count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn add(&self, change: isize) {
        // Wraps where the change is negative.
        self.count.fetch_add(change.cast_unsigned(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREVER: i64 = i64::MAX;

    fn insert(calls: &Calls, user: &str, before: i64, ends_at: i64, now: i64) -> bool {
        calls.insert(User::new(user), before, ends_at, now)
    }

    fn find(calls: &Calls, user: &str) -> Option<i64> {
        calls.find(User::new(user))
    }

    #[test]
    fn the_later_time_is_kept() {
        let calls = Calls::new();
        for (before, kept) in [(10, 10), (5, 10), (12, 12), (i64::MAX, i64::MAX), (13, i64::MAX)] {
            assert!(insert(&calls, "user", before, FOREVER, 0));
            assert_eq!(find(&calls, "user"), Some(kept));
        }
        assert_eq!(find(&calls, "other"), None);
        assert_eq!((calls.len(0), calls.count.load(Ordering::Relaxed)), (1, 1));
    }

    #[test]
    fn entries_that_have_ended_make_room() {
        let calls = Calls::new();
        for n in 0..MAX_ENTRIES {
            assert!(insert(&calls, &n.to_string(), 1, if n < 10 { 100 } else { FOREVER }, 0));
        }
        assert_eq!(calls.len(99), MAX_ENTRIES);
        assert!(!insert(&calls, "one more", 1, FOREVER, 99), "full");
        assert_eq!(find(&calls, "one more"), None);
        assert!(insert(&calls, "20", 2, FOREVER, 99), "a known user needs no room");
        assert_eq!(find(&calls, "20"), Some(2));
        assert_eq!(calls.len(100), MAX_ENTRIES - 10);
        for n in 0..10 {
            assert!(insert(&calls, &format!("new {n}"), 1, FOREVER, 100));
        }
        assert!(!insert(&calls, "one more", 1, FOREVER, 100));
        assert_eq!(find(&calls, "0"), None);
        assert_eq!(calls.count.load(Ordering::Relaxed), MAX_ENTRIES);
    }

    #[test]
    fn threads_lose_no_entry() {
        let calls = Calls::new();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let calls = &calls;
                scope.spawn(move || {
                    for n in 0..2_000 {
                        // Every user is revoked by two threads.
                        assert!(insert(
                            calls,
                            &(n + thread / 2 * 2_000).to_string(),
                            n,
                            FOREVER,
                            0
                        ));
                    }
                });
            }
        });
        assert_eq!((calls.len(0), calls.count.load(Ordering::Relaxed)), (4_000, 4_000));
        assert!((0..4_000).all(|n| find(&calls, &n.to_string()) == Some(n % 2_000)));
    }
}
