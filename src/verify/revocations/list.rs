//! An immutable list of revocations: JSON, or the content of the file.
//!
//! Three allocations, regardless of the number of entries: the call that drops the last reference to a
//! replaced list may be one that verifies a token.

use std::hash::{BuildHasher, RandomState};

use once_cell::race::OnceBox;

use super::MAX_ENTRIES;

/// A user's id, hashed once for all lists.
#[derive(Clone, Copy)]
pub(super) struct User<'a> {
    pub(super) id: &'a str,
    pub(super) hash: u64,
}

impl<'a> User<'a> {
    pub(super) fn new(id: &'a str) -> Self {
        // `OnceBox` never blocks, so a child of `fork` cannot hang here.
        static HASHER: OnceBox<RandomState> = OnceBox::new();
        let hasher = HASHER.get_or_init(|| Box::new(RandomState::new()));
        User { id, hash: hasher.hash_one(id) }
    }
}

/// The moment up to which the tokens of each user are revoked.
pub(super) struct List {
    /// The ids of the users, one after the other.
    ids: Box<str>,
    /// In the order of their hashes.
    entries: Box<[Entry]>,
    /// Where each bucket begins among the entries: as many buckets as entries, and the end.
    starts: Box<[u32]>,
}

#[derive(Clone, Copy)]
struct Entry {
    hash: u64,
    before: i64,
    start: u32,
    len: u32,
}

impl List {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn find(&self, user: User<'_>) -> Option<i64> {
        let bucket = bucket(user.hash, self.entries.len());
        let [start, end] = [self.starts.get(bucket)?, self.starts.get(bucket + 1)?];
        let entries = self.entries.get(*start as usize..*end as usize)?;
        let is_it = |entry: &&Entry| entry.hash == user.hash && id(&self.ids, entry) == user.id;
        entries.iter().find(is_it).map(|entry| entry.before)
    }
}

/// The bucket of a hash. Of two hashes, the larger one is in no earlier bucket.
fn bucket(hash: u64, buckets: usize) -> usize {
    ((u128::from(hash) * buckets as u128) >> 64) as usize
}

fn id<'a>(ids: &'a str, entry: &Entry) -> &'a str {
    let start = entry.start as usize;
    ids.get(start..start + entry.len as usize).unwrap_or_default()
}

/// Collects the entries of a [`List`].
#[derive(Default)]
pub(super) struct Builder {
    ids: String,
    entries: Vec<Entry>,
}

impl Builder {
    /// Adds an entry. Returns false if the list is full.
    pub(super) fn push(&mut self, user: &str, before: i64) -> bool {
        let [start, len] = [self.ids.len(), user.len()].map(u32::try_from);
        let (Ok(start), Ok(len)) = (start, len) else { return false };
        if self.entries.len() == MAX_ENTRIES {
            return false;
        }
        self.ids.push_str(user);
        self.entries.push(Entry { hash: User::new(user).hash, before, start, len });
        true
    }

    /// Of several entries for one user, the latest time counts.
    pub(super) fn finish(self) -> List {
        let Builder { ids, mut entries } = self;
        entries.sort_unstable_by(|a, b| {
            let order = a.hash.cmp(&b.hash).then_with(|| id(&ids, a).cmp(id(&ids, b)));
            order.then(b.before.cmp(&a.before))
        });
        entries.dedup_by(|next, kept| next.hash == kept.hash && id(&ids, next) == id(&ids, kept));
        let mut starts = Vec::with_capacity(entries.len() + 1);
        for (index, entry) in (0..).zip(&entries) {
            let begun = starts.len();
            starts.resize(begun.max(bucket(entry.hash, entries.len()) + 1), index);
        }
        starts.resize(entries.len() + 1, u32::try_from(entries.len()).unwrap_or(u32::MAX));
        List { ids: ids.into(), entries: entries.into(), starts: starts.into() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: impl IntoIterator<Item = (String, i64)>) -> List {
        let mut builder = Builder::default();
        for (user, before) in entries {
            assert!(builder.push(&user, before));
        }
        builder.finish()
    }

    fn find(list: &List, user: &str) -> Option<i64> {
        list.find(User::new(user))
    }

    #[test]
    fn every_entry_is_found_and_nothing_else() {
        for count in [0, 1, 2, 3, 100, 10_000] {
            let list = list((0..count).map(|n| (format!("user_{n}"), n)));
            assert_eq!(list.len(), count as usize);
            for n in 0..count {
                assert_eq!(find(&list, &format!("user_{n}")), Some(n));
            }
            for other in ["", "user_", &format!("user_{count}"), "user_-1"] {
                assert_eq!(find(&list, other), None, "{other} of {count}");
            }
        }
    }

    #[test]
    fn of_several_entries_the_latest_time_counts() {
        let times = [5, 9, 9, -3, i64::MIN, 7];
        let list = list(times.map(|before| ("twice".to_owned(), before)));
        assert_eq!((list.len(), find(&list, "twice")), (1, Some(9)));
    }

    #[test]
    fn one_entry_more_than_the_limit_is_refused() {
        let mut builder = Builder::default();
        for n in 0..MAX_ENTRIES {
            assert!(builder.push(&n.to_string(), 0));
        }
        assert!(!builder.push("0", 0));
        let list = builder.finish();
        assert_eq!(list.len(), MAX_ENTRIES);
        assert!((0..MAX_ENTRIES).all(|n| find(&list, &n.to_string()).is_some()));
    }
}
