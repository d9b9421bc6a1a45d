//! Threads that meet at a file, in thousands of random orders.

use std::sync::atomic::AtomicUsize;

use shuttle::thread;

use super::tests::{blocking, found, has, make_old, watched};
use super::*;
use crate::sync::model::{in_random_orders, together};

/// A file whose content is the number of times it was read, and whose checks give other threads their
/// turn.
fn counting(reads: &Arc<AtomicUsize>) -> Arc<WatchedFile> {
    let file = watched(reads, |number| {
        thread::yield_now();
        let found = found(&number.to_string());
        thread::yield_now();
        found
    });
    make_old(&file);
    file
}

#[test]
fn calls_with_an_old_list_share_one_check() {
    in_random_orders(|| {
        let reads = Arc::new(AtomicUsize::new(0));
        let file = counting(&reads);
        let results = together(3, move |_| {
            let kept = file.keep_current(&blocking(), || 0);
            (kept, has(&file, "0"))
        });
        assert_eq!(results, [const { (Ok(()), true) }; 3]);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn verifiers_made_at_once_each_check() {
    in_random_orders(|| {
        let reads = Arc::new(AtomicUsize::new(0));
        let file = counting(&reads);
        let seen = together(3, move |_| {
            assert_eq!(file.check(&blocking(), 0), Ok(()));
            (0..3).find(|number| has(&file, &number.to_string())).unwrap()
        });
        assert_eq!(reads.load(Ordering::Relaxed), 3);
        assert!(seen.contains(&2), "the last check counts: {seen:?}");
    });
}

#[test]
fn a_write_before_a_check_is_seen_after_it() {
    in_random_orders(|| {
        let content = Arc::new(AtomicUsize::new(0));
        let written = content.clone();
        let file = watched(&Arc::new(AtomicUsize::new(0)), move |_| {
            thread::yield_now();
            let content = content.load(Ordering::SeqCst);
            thread::yield_now();
            found(&content.to_string())
        });
        make_old(&file);
        let watcher = file.clone();
        let caller = thread::spawn(move || watcher.keep_current(&blocking(), || 0));
        together(2, move |_| {
            let version = written.fetch_add(1, Ordering::SeqCst) + 1;
            assert_eq!(file.check(&blocking(), 0), Ok(()));
            assert!((version..=2).any(|version| has(&file, &version.to_string())));
        });
        assert_eq!(caller.join().unwrap(), Ok(()));
    });
}

#[test]
fn a_thread_that_checks_and_calls_that_wait_for_it() {
    in_random_orders(|| {
        let reads = Arc::new(AtomicUsize::new(0));
        let file = counting(&reads);
        let nowait = Terms { may_wait: false, background: true, ..blocking() };
        let callers = file.clone();
        let kept = together(3, move |n| {
            if n == 0 {
                return callers.keep_current(&nowait, || 0);
            }
            let kept = callers.keep_current(&blocking(), || 0);
            assert!(has(&callers, "0"));
            kept
        });
        assert!([Ok(()), Err(Outdated::Pending)].contains(&kept[0]));
        assert_eq!(kept[1..], [const { Ok(()) }; 2]);
        assert_eq!(reads.load(Ordering::Relaxed), 1);
    });
}
