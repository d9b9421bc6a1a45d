//! The files that verifiers of the process watch: one for each path.
//!
//! A list may take megabytes, and there may be a verifier for each tenant, or, in PHP, for each
//! request.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};

use arc_swap::{ArcSwap, ArcSwapOption};
use once_cell::race::OnceBox;

use super::watch::WatchedFile;

/// How many files stay without a verifier.
const RECENT: usize = 4;

struct Registry {
    files: ArcSwap<Vec<Weak<WatchedFile>>>,
    recent: [ArcSwapOption<WatchedFile>; RECENT],
    next_recent: AtomicUsize,
}

/// Returns the process's watched file of this path. The caller checks it.
pub(super) fn shared(path: &Path) -> std::io::Result<Arc<WatchedFile>> {
    // `OnceBox` never blocks, so a child of `fork` cannot hang here.
    static REGISTRY: OnceBox<Registry> = OnceBox::new();
    let registry = REGISTRY.get_or_init(|| {
        Box::new(Registry {
            files: ArcSwap::default(),
            recent: [const { ArcSwapOption::const_empty() }; RECENT],
            next_recent: AtomicUsize::new(0),
        })
    });
    // The working directory may change later.
    let file = registry.find_or_insert(&std::path::absolute(path)?);
    registry.keep(&file);
    Ok(file)
}

impl Registry {
    fn find_or_insert(&self, path: &Path) -> Arc<WatchedFile> {
        let find = |files: &[Weak<WatchedFile>]| {
            files.iter().filter_map(Weak::upgrade).find(|file| file.path() == path)
        };
        if let Some(file) = find(&self.files.load()) {
            return file;
        }
        let made = WatchedFile::new(path.to_owned());
        let mut shared = made.clone();
        self.files.rcu(|files| {
            let mut files: Vec<_> =
                files.iter().filter(|file| file.strong_count() > 0).cloned().collect();
            shared = find(&files).unwrap_or_else(|| {
                files.push(Arc::downgrade(&made));
                made.clone()
            });
            files
        });
        shared
    }

    /// Keeps this file in place of the one that was kept first.
    fn keep(&self, file: &Arc<WatchedFile>) {
        let is_kept = |slot: &ArcSwapOption<WatchedFile>| {
            slot.load().as_ref().is_some_and(|kept| Arc::ptr_eq(kept, file))
        };
        if !self.recent.iter().any(is_kept) {
            let next = self.next_recent.fetch_add(1, Ordering::Relaxed) % RECENT;
            if let Some(slot) = self.recent.get(next) {
                slot.store(Some(file.clone()));
            }
        }
    }
}
