//! Looks that a test answers itself, on real threads; under the model, only what it shares with
//! them.

#![cfg_attr(feature = "model", allow(dead_code, unused_imports, reason = "for real threads"))]

use std::sync::atomic::AtomicUsize;
use std::sync::mpsc;
use std::thread;

use super::super::list::Builder;
use super::*;
use crate::sync::NO_THREADS;

/// Longer than anything here takes, on the busiest machine.
pub(super) const LONG: Duration = Duration::from_secs(600);

/// A list that revokes the tokens of this user.
pub(super) fn found(user: &str) -> Result<Found, String> {
    let mut builder = Builder::default();
    assert!(builder.push(user, 1));
    Ok(Found::Changed(builder.finish(), None))
}

pub(super) fn has(file: &WatchedFile, user: &str) -> bool {
    file.find(User::new(user)).is_some()
}

/// A file whose checks are counted.
pub(super) fn watched(
    reads: &Arc<AtomicUsize>,
    read: impl Fn(usize) -> Result<Found, String> + Send + Sync + 'static,
) -> Arc<WatchedFile> {
    let reads = reads.clone();
    let read = move |_: &Path, _: Option<&Seen>, _| read(reads.fetch_add(1, Ordering::SeqCst));
    WatchedFile::with(PathBuf::from("revoked.json"), Box::new(read))
}

/// A call that starts when the last check is this old.
fn after(file: &WatchedFile, age: Millis) -> Terms {
    let now = file.checked_at.load(Ordering::SeqCst) + age;
    Terms { started: now, now, may_wait: true, background: false, timeout: LONG }
}

pub(super) fn blocking() -> Terms {
    let now = monotonic();
    Terms { started: now, now, may_wait: true, background: false, timeout: LONG }
}

/// Makes the list too old for any call.
pub(super) fn make_old(file: &WatchedFile) {
    file.checked_at.store(0, Ordering::SeqCst);
    file.tried_at.store(0, Ordering::SeqCst);
}

fn until(holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG);
        thread::yield_now();
    }
}

fn keep_current(file: &Arc<WatchedFile>, terms: Terms) -> Result<(), Outdated> {
    file.keep_current(&terms, || 0)
}

#[cfg_attr(not(feature = "model"), test)]
fn a_call_that_may_wait_checks_once_a_second() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file = watched(&reads, |number| found(&number.to_string()));
    file.check(&blocking(), 0).unwrap();
    for (age, count) in [(0, 1), (999, 1), (1_000, 2), (999, 2), (86_400_000, 3)] {
        assert_eq!(keep_current(&file, after(&file, age)), Ok(()));
        assert_eq!(reads.load(Ordering::SeqCst), count, "{age}");
        assert!(has(&file, &(count - 1).to_string()));
    }
}

#[cfg_attr(not(feature = "model"), test)]
fn a_call_that_may_not_wait_uses_no_list_older_than_five_seconds() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file = watched(&reads, |_| found("user"));
    file.check(&blocking(), 0).unwrap();
    for (age, expected) in
        [(999, Ok(())), (1_000, Ok(())), (4_999, Ok(())), (5_000, Err(Outdated::Pending))]
    {
        let terms = Terms { may_wait: false, ..after(&file, age) };
        assert_eq!(keep_current(&file, terms), expected, "{age}");
    }
    assert_eq!(reads.load(Ordering::SeqCst), 1);
}

#[cfg_attr(not(feature = "model"), test)]
fn time_spent_on_keys_counts_for_the_age_of_the_list() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file = watched(&reads, |number| found(&number.to_string()));
    file.check(&blocking(), 0).unwrap();
    let Terms { started, .. } = after(&file, 0);
    let waited = |age| Terms { started, ..after(&file, age) };
    let nowait = Terms { may_wait: false, ..waited(5_000) };
    assert_eq!(keep_current(&file, nowait), Err(Outdated::Pending));
    assert_eq!(keep_current(&file, waited(1_000)), Ok(()));
    assert!(has(&file, "1"), "the call has checked");
    let nowait = Terms { may_wait: false, background: true, ..waited(60_000) };
    assert_eq!(keep_current(&file, nowait), Err(Outdated::Pending));
    until(|| has(&file, "2"));
}

#[cfg_attr(not(feature = "model"), test)]
fn a_call_waits_for_a_check_until_its_deadline_or_briefly() {
    let terms =
        |timeout| Terms { started: 10_000, timeout: Duration::from_millis(timeout), ..blocking() };
    for (timeout, checking_since, until) in [
        (5_000, 10_000, 15_000),
        (5_000, 13_000, 15_000),
        (5_000, 8_000, 13_000),
        (5_000, 15_000, 16_000),
        (200, 10_200, 10_400),
        (0, 10_000, 10_000),
    ] {
        assert_eq!(terms(timeout).waits_until(checking_since), until, "{timeout} {checking_since}");
    }
}

#[cfg_attr(not(feature = "model"), test)]
fn refresh_due_checks_once_a_second_and_a_new_verifier_at_once() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file = watched(&reads, |_| found("user"));
    file.check(&blocking(), 0).unwrap();
    file.check_if_due(&after(&file, 999), 0);
    assert_eq!(reads.load(Ordering::SeqCst), 1);
    file.check_if_due(&after(&file, 1_000), 0);
    assert_eq!(reads.load(Ordering::SeqCst), 2);
    file.check(&after(&file, 0), 0).unwrap();
    assert_eq!(reads.load(Ordering::SeqCst), 3);
}

#[cfg_attr(not(feature = "model"), test)]
fn a_check_in_flight_is_waited_for_only_if_the_list_is_old() {
    let reads = Arc::new(AtomicUsize::new(0));
    let ((entered, has_entered), (open, gate)) = (mpsc::channel(), mpsc::channel::<()>());
    let gate = std::sync::Mutex::new(gate);
    let file = watched(&reads, move |number| {
        if number == 1 {
            entered.send(()).unwrap();
            gate.lock().unwrap().recv().unwrap();
        }
        found(if number == 0 { "old" } else { "new" })
    });
    file.check(&blocking(), 0).unwrap();
    thread::scope(|scope| {
        let leader = scope.spawn(|| keep_current(&file, after(&file, 1_000)));
        has_entered.recv().unwrap();
        // Others go on with the list they have,
        assert_eq!(keep_current(&file, after(&file, 1_999)), Ok(()));
        assert!(has(&file, "old"));
        // unless it is too old: then they wait as long as they may.
        let short = Terms { timeout: Duration::ZERO, ..after(&file, 2_000) };
        assert_eq!(keep_current(&file, short), Err(Outdated::TimedOut));
        assert_eq!(file.check(&short, 0), Err("not read within 0 ms".to_owned()));
        assert!(file.due_in() > 0, "a timer does not spin");
        let nowait = Terms { may_wait: false, background: true, ..after(&file, 5_000) };
        assert_eq!(keep_current(&file, nowait), Err(Outdated::Pending));
        let long = after(&file, 2_000);
        let follower = scope.spawn({
            let file = &file;
            move || (keep_current(file, long), has(file, "new"))
        });
        // The check in flight may have missed what this one is for.
        let maker = scope.spawn(|| file.check(&blocking(), 0));
        assert_eq!(reads.load(Ordering::SeqCst), 2);
        open.send(()).unwrap();
        assert_eq!(leader.join().unwrap(), Ok(()));
        assert_eq!(follower.join().unwrap(), (Ok(()), true));
        assert_eq!(maker.join().unwrap(), Ok(()));
        assert!(reads.load(Ordering::SeqCst) >= 3);
    });
}

#[cfg_attr(not(feature = "model"), test)]
fn without_a_thread_a_background_check_has_failed() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file = watched(&reads, |_| found("user"));
    file.check(&blocking(), 0).unwrap();
    make_old(&file);
    let nowait = Terms { may_wait: false, background: true, ..blocking() };
    NO_THREADS.set(true);
    for _ in 0..10 {
        assert_eq!(keep_current(&file, nowait), Err(Outdated::Pending));
    }
    NO_THREADS.set(false);
    let stats = file.stats();
    assert_eq!((stats.failures, reads.load(Ordering::SeqCst)), (1, 1), "one attempt a second");
    assert!(stats.last_error.is_some_and(|why| why.starts_with("cannot start a thread: ")));
    assert_eq!(keep_current(&file, blocking()), Ok(()));
    assert_eq!(file.stats().last_error, None);
}

#[cfg_attr(not(feature = "model"), test)]
fn a_check_that_panics_has_failed() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file =
        watched(&reads, |number| if number == 0 { panic!("on purpose") } else { found("user") });
    make_old(&file);
    let call = std::panic::AssertUnwindSafe(|| keep_current(&file, blocking()));
    assert!(std::panic::catch_unwind(call).is_err());
    let stats = file.stats();
    assert_eq!((stats.failures, stats.last_error.as_deref()), (1, Some("the check was abandoned")));
    assert_eq!(keep_current(&file, blocking()), Ok(()));
    assert!(has(&file, "user"));
}

#[cfg_attr(not(feature = "model"), test)]
fn a_failed_check_leaves_the_list() {
    let reads = Arc::new(AtomicUsize::new(0));
    let file = watched(&reads, |number| match number {
        0 => found("user"),
        1 => Err("unreadable".to_owned()),
        _ => Ok(Found::Unchanged),
    });
    file.check(&blocking(), 0).unwrap();
    assert_eq!(file.check(&blocking(), 0), Err("unreadable".to_owned()));
    let stats = file.stats();
    assert_eq!((stats.entries, stats.reads, stats.failures), (1, 1, 1));
    assert_eq!(stats.last_error.as_deref(), Some("unreadable"));
    assert_eq!(keep_current(&file, after(&file, 0)), Ok(()), "it was checked");
    file.check(&blocking(), 0).unwrap();
    let stats = file.stats();
    assert_eq!((stats.entries, stats.reads, stats.failures, stats.last_error), (1, 1, 1, None));
}
