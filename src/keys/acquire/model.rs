//! Threads that meet at an issuer's keys, in thousands of random orders.

use std::sync::atomic::AtomicUsize;

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::super::fetch::JwksResponse;
use super::tests::{options, response};
use super::*;
use crate::sync::model::{ORDERS, in_random_orders, together};

/// Longer than any fetch here.
const TIMEOUT: u64 = 600_000;

type Response = std::result::Result<JwksResponse<'static>, FetchError>;

/// Keys whose fetches are counted, and give other threads their turn.
fn keys(
    fetches: &Arc<AtomicUsize>,
    respond: impl Fn(usize, Duration) -> Response + Send + Sync + 'static,
) -> Arc<IssuerKeys> {
    let fetches = fetches.clone();
    IssuerKeys::fetched_by(Some(Box::new(move |_, time| {
        thread::yield_now();
        let number = fetches.fetch_add(1, Ordering::Relaxed);
        thread::yield_now();
        respond(number, time)
    })))
}

fn failed(timed_out: bool) -> Response {
    Err(FetchError { reason: "unreachable".to_owned(), timed_out })
}

/// A call that may wait for usable keys, and with this `kid` if there is one.
fn verify(keys: &Arc<IssuerKeys>, kid: Option<&str>, timeout: u64) -> Status {
    let options = options(false, timeout);
    let call = Call::begin(&options, true);
    let result = match kid {
        Some(kid) => keys.usable_with(kid, &call),
        None => keys.usable(&call),
    };
    result.map_or_else(|error| error.status(), |_| Status::Ok)
}

fn has(keys: &IssuerKeys, kid: &str) -> bool {
    keys.snapshot.load().as_ref().is_some_and(|snapshot| snapshot.set.find(kid).is_some())
}

#[test]
fn first_callers_share_one_fetch() {
    in_random_orders(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let keys = keys(&fetches, |_, _| Ok(response("a")));
        let statuses = together(3, move |_| verify(&keys, None, TIMEOUT));
        assert_eq!(statuses, [Status::Ok; 3]);
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_failure_is_shared_too() {
    in_random_orders(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let keys = keys(&fetches, |_, _| failed(false));
        let statuses = together(3, move |_| verify(&keys, None, TIMEOUT));
        assert_eq!(statuses, [Status::KeysUnavailable; 3]);
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn tokens_of_a_new_key_share_one_fetch() {
    in_random_orders(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let keys =
            keys(&fetches, |number, _| Ok(response(if number == 0 { "old" } else { "new" })));
        verify(&keys, None, TIMEOUT);
        let kids = ["new", "new", "unknown"];
        let statuses = together(3, move |n| verify(&keys, Some(kids[n]), TIMEOUT));
        assert_eq!(statuses, [Status::Ok, Status::Ok, Status::TokenKeyUnknown]);
        assert_eq!(fetches.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn keys_never_go_back() {
    in_random_orders(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let keys = keys(&fetches, |number, _| Ok(response(&number.to_string())));
        let watched = keys.clone();
        let refreshers: Vec<_> = (0..2)
            .map(|_| {
                let keys = keys.clone();
                thread::spawn(move || {
                    let options = options(false, TIMEOUT);
                    keys.refresh(Refresh::Any, &Call::begin(&options, true))
                })
            })
            .collect();
        let mut newest = 0;
        for _ in 0..4 {
            if let Some(number) = (0..2).find(|n| has(&watched, &n.to_string())) {
                assert!(number >= newest);
                newest = number;
            }
            thread::yield_now();
        }
        for refresher in refreshers {
            refresher.join().unwrap().unwrap();
        }
    });
}

#[test]
fn a_fetch_is_claimed_by_one_host_and_others_wait_for_it() {
    in_random_orders(|| {
        let keys = IssuerKeys::fetched_by(None);
        let waiting = keys.clone();
        let caller = thread::spawn(move || verify(&waiting, None, TIMEOUT));
        let hosts = keys.clone();
        let claims = together(2, move |_| match hosts.claim(&Lifetimes::default()) {
            Some(lease) if thread_rng().gen_bool(0.5) => {
                thread::yield_now();
                assert!(lease.complete(&response("a")).is_ok());
                (1, 1)
            }
            // Dropped: the fetch has failed.
            Some(_) => (1, 0),
            None => (0, 0),
        });
        let claimed: usize = claims.iter().map(|claim| claim.0).sum();
        let completed: usize = claims.iter().map(|claim| claim.1).sum();
        assert_eq!(claimed, 1, "nothing is fetched twice, nor during the backoff");
        let status = caller.join().unwrap();
        match completed {
            // The caller may have come before the claim.
            1 => assert!([Status::Ok, Status::KeysPending].contains(&status), "{status:?}"),
            _ => assert_ne!(status, Status::Ok),
        }
        assert_eq!(has(&keys, "a"), completed == 1);
    });
}

#[test]
fn two_issuers_never_get_each_others_keys() {
    in_random_orders(|| {
        let both = [(); 2].map(|()| IssuerKeys::fetched_by(None));
        let claimed = both.clone();
        let late = together(2, move |n| {
            let keys = &claimed[n];
            let Some(lease) = keys.claim(&Lifetimes::default()) else { return false };
            thread::yield_now();
            if n == 0 {
                // Its lease ends, and another host claims the next fetch.
                keys.clear();
                let next = keys.claim(&Lifetimes::default()).unwrap();
                thread::yield_now();
                assert!(lease.complete(&response("late")).is_err());
                thread::yield_now();
                assert!(next.complete(&response("0")).is_ok());
                return true;
            }
            assert!(lease.complete(&response("1")).is_ok());
            false
        });
        assert_eq!(late, [true, false]);
        for (n, keys) in both.iter().enumerate() {
            assert!(has(keys, &n.to_string()));
        }
    });
}

#[test]
fn clearing_during_a_fetch_discards_its_answer() {
    in_random_orders(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let keys = keys(&fetches, |number, _| Ok(response(&number.to_string())));
        let cleared = keys.clone();
        let clearing = thread::spawn(move || {
            let latest = FetchId::latest();
            cleared.clear();
            latest
        });
        let callers = keys.clone();
        assert_eq!(together(2, move |_| verify(&callers, None, TIMEOUT)), [Status::Ok; 2]);
        let latest = clearing.join().unwrap();
        let count = fetches.load(Ordering::Relaxed);
        assert!((1..=2).contains(&count), "{count} fetches");
        if let Some(snapshot) = &*keys.snapshot.load() {
            assert!(snapshot.id > latest, "the answer to a fetch that was cleared");
        }
    });
}

#[test]
fn a_waiter_leads_the_next_fetch_after_a_shorter_timeout() {
    let test = || {
        let fetches = Arc::new(AtomicUsize::new(0));
        // Only a fetch with much time reaches the issuer; that with little takes longer than it has.
        let keys = keys(&fetches, |_, time| {
            if time > Duration::from_secs(60) {
                return Ok(response("a"));
            }
            std::thread::sleep(time);
            failed(true)
        });
        let callers = keys.clone();
        let statuses = together(3, move |n| {
            let options = options(false, if n == 0 { 2 } else { TIMEOUT });
            let result = callers.usable(&Call::begin(&options, true));
            result.map_or_else(|error| error.status(), |_| Status::Ok)
        });
        let count = fetches.load(Ordering::Relaxed);
        match statuses[1] {
            Status::Ok => assert!(count <= 2 && has(&keys, "a"), "{count} fetches"),
            // The short fetch ended before the others came, and no caller waited for it.
            status => assert_eq!((status, count), (Status::KeysUnavailable, 1)),
        }
        assert_eq!(statuses[1], statuses[2]);
    };
    shuttle::check_random(test, ORDERS / 10);
}
