//! Threads that meet at a source, in thousands of random orders.

use std::sync::atomic::{AtomicUsize, Ordering};

use shuttle::rand::{Rng, thread_rng};
use shuttle::thread;

use super::super::fetch::Reply;
use super::super::life::MAX_STALE;
use super::*;

const ORDERS: usize = 5_000;
const POLICY: Policy = Policy { lifetime: None, max_stale: MAX_STALE };
const WAITS: FetchOptions =
    FetchOptions { may_wait: true, background: false, timeout: Duration::from_secs(5) };

/// The point that generates the group P-256 lies in: a fitting key as good as any.
const X: &str = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
const Y: &str = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";

fn key_set(kid: &str) -> Vec<u8> {
    format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{X}","y":"{Y}"}}]}}"#).into()
}

/// A source whose fetches are counted and give other threads their turn.
fn source(
    fetches: &Arc<AtomicUsize>,
    reply: impl Fn(usize) -> std::result::Result<Reply, String> + Send + Sync + 'static,
) -> Arc<Source> {
    let fetches = fetches.clone();
    Arc::new(Source::new(
        "http://localhost/jwks.json",
        Box::new(move |_, _| {
            thread::yield_now();
            let number = fetches.fetch_add(1, Ordering::Relaxed);
            thread::yield_now();
            reply(number)
        }),
    ))
}

fn good(kid: &str) -> std::result::Result<Reply, String> {
    Ok(Reply { status: 200, body: key_set(kid), etag: None, max_age: None })
}

fn in_every_order(test: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(test, ORDERS);
}

#[test]
fn first_users_share_one_fetch() {
    in_every_order(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = source(&fetches, |_| good("a"));
        let users: Vec<_> = (0..3)
            .map(|_| {
                let source = source.clone();
                thread::spawn(move || source.usable(monotonic(), &POLICY, &WAITS).is_ok())
            })
            .collect();
        assert!(users.into_iter().all(|user| user.join().unwrap()));
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn a_failure_is_everybodys() {
    in_every_order(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = source(&fetches, |_| Err("down".to_owned()));
        let users: Vec<_> = (0..3)
            .map(|_| {
                let source = source.clone();
                thread::spawn(move || {
                    let verdict = source.usable(monotonic(), &POLICY, &WAITS);
                    verdict.err().map(|error| error.status())
                })
            })
            .collect();
        for user in users {
            assert_eq!(user.join().unwrap(), Some(Status::KeysUnavailable));
        }
        assert_eq!(fetches.load(Ordering::Relaxed), 1);
    });
}

#[test]
fn tokens_of_a_new_key_share_one_fetch() {
    in_every_order(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = source(&fetches, |number| good(if number == 0 { "old" } else { "new" }));
        source.usable(monotonic(), &POLICY, &WAITS).unwrap();
        let users: Vec<_> = ["new", "new", "unknown"]
            .map(|kid| {
                let source = source.clone();
                let since = begun();
                thread::spawn(move || {
                    let verdict = source.usable_with(kid, since, &POLICY, &WAITS);
                    verdict.map_or_else(|error| error.status(), |_| Status::Ok)
                })
            })
            .into();
        let verdicts: Vec<_> = users.into_iter().map(|user| user.join().unwrap()).collect();
        assert_eq!(verdicts, [Status::Ok, Status::Ok, Status::TokenKeyUnknown]);
        assert_eq!(fetches.load(Ordering::Relaxed), 2);
    });
}

#[test]
fn nobody_sees_keys_go_back() {
    in_every_order(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = source(&fetches, |number| good(&number.to_string()));
        let refreshers: Vec<_> = (0..2)
            .map(|_| {
                let source = source.clone();
                thread::spawn(move || source.refresh(&POLICY, &WAITS))
            })
            .collect();
        let mut newest = 0;
        for _ in 0..4 {
            if let Some(held) = &*source.held.load() {
                let number = (0..2).find(|n| held.set.find(&n.to_string()).is_some()).unwrap();
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
fn a_fetch_is_one_hosts_and_others_wait_for_it() {
    in_every_order(|| {
        let fetches = Arc::new(AtomicUsize::new(0));
        let source = source(&fetches, |_| good("a"));
        let hosts: Vec<_> = (0..2)
            .map(|_| {
                let source = source.clone();
                thread::spawn(move || match source.claim_for_host(&POLICY) {
                    Some(claim) if thread_rng().gen_bool(0.5) => {
                        let body = key_set("a");
                        let answer = Answer { status: 200, body: &body, etag: None, max_age: None };
                        claim.settle(&answer).unwrap();
                        (1, 1)
                    }
                    // Dropped: the fetch has failed.
                    Some(_) => (1, 0),
                    None => (0, 0),
                })
            })
            .collect();
        let verdict = source.usable(monotonic(), &POLICY, &WAITS);
        let (claimed, settled) = hosts
            .into_iter()
            .map(|host| host.join().unwrap())
            .fold((0, 0), |(a, b), (c, d)| (a + c, b + d));
        let own = fetches.load(Ordering::Relaxed);
        assert!(claimed + own <= 1, "nothing is fetched twice, nor in the pause after a failure");
        assert_eq!(verdict.is_ok(), settled + own == 1);
    });
}
