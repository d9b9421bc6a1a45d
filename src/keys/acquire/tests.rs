//! Fetches that a test answers itself, on real threads; under the model, only what it shares with
//! them.

#![cfg_attr(feature = "model", allow(dead_code, unused_imports, reason = "for real threads"))]

use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::cache_dir::KeyCacheDir;
use super::super::cache_file::CacheFile;
use super::super::cache_key::{CacheKey, FetchedBy};
use super::super::call::KeyOptions;
use super::super::fetch::JwksResponse;
use super::super::freshness::CacheHeaders;
use super::*;
use crate::clock::since_1970;
use crate::sync::NO_THREADS;
use crate::text::NulString;

/// The point that generates the group P-256 lies in: it makes a usable key.
const X: &str = "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY";
const Y: &str = "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU";

pub(super) fn key_set(kid: &str) -> Vec<u8> {
    format!(r#"{{"keys":[{{"kty":"EC","crv":"P-256","kid":"{kid}","x":"{X}","y":"{Y}"}}]}}"#).into()
}

pub(super) fn response(kid: &str) -> JwksResponse<'static> {
    let headers = CacheHeaders::default();
    JwksResponse { status: 200, body: key_set(kid).into(), etag: None, headers }
}

pub(super) fn options(background: bool, timeout: u64) -> KeyOptions {
    let timeout = Duration::from_millis(timeout);
    KeyOptions { lifetimes: Lifetimes::default(), background, timeout }
}

fn status<T>(result: &Result<T>) -> Status {
    result.as_ref().map_or_else(Error::status, |_| Status::Ok)
}

#[cfg_attr(not(feature = "model"), test)]
fn without_a_thread_a_background_fetch_has_failed() {
    let keys = IssuerKeys::fetched_by(Some(Box::new(|_, _| Ok(response("a")))));
    let options = options(true, 5_000);
    NO_THREADS.set(true);
    let error = keys.usable(&Call::begin(&options, false)).err().unwrap();
    NO_THREADS.set(false);
    assert_eq!(error.status(), Status::KeysUnavailable);
    assert_eq!(error.issuer(), Some("http://localhost"));
    assert!(error.to_string().contains(": cannot start a thread: "), "{error}");
    assert!(error.retry_after().is_some());
    let stats = keys.stats(&options.lifetimes);
    assert_eq!((stats.fetches, stats.failures), (1, 1));
}

#[cfg_attr(not(feature = "model"), test)]
fn a_kid_missed_in_the_cooldown_is_fetched_in_the_background_at_its_end() {
    let fetches = Arc::new(AtomicUsize::new(0));
    let counted = fetches.clone();
    let keys = IssuerKeys::fetched_by(Some(Box::new(move |_, _| {
        let number = counted.fetch_add(1, Ordering::SeqCst);
        Ok(response(if number < 2 { "old" } else { "new" }))
    })));
    let options = options(true, 5_000);
    let find = |kid, started| {
        let mut call = Call::begin(&options, true);
        call.started += started;
        status(&keys.usable_with(kid, &call))
    };
    assert_eq!(find("old", 0), Status::Ok);
    assert_eq!(find("new", 0), Status::TokenKeyUnknown, "looked up");
    assert_eq!(find("new", 0), Status::TokenKeyUnknown, "in the cooldown");
    assert_eq!(find("old", 29_000), Status::Ok);
    assert_eq!(fetches.load(Ordering::SeqCst), 2);
    // A call for any key finds the fetch due, and does not wait for it.
    assert_eq!(find("old", 31_000), Status::Ok);
    await_until(|| keys.stats(&options.lifetimes).fetches == 3);
    assert_eq!(find("new", 0), Status::Ok);
    assert_eq!(fetches.load(Ordering::SeqCst), 3);
}

#[cfg_attr(not(feature = "model"), test)]
fn a_waiter_with_time_left_leads_the_next_fetch() {
    // The fetch that is cut short is the first one, or one for an unknown `kid`.
    for kid in ["first", "second"] {
        let keys = IssuerKeys::fetched_by(Some(Box::new(move |_, time| {
            let Some(keys) = FOLLOWED.take() else { return Ok(response(kid)) };
            // The leader: its time is up when another call follows.
            await_until(|| keys.shared.get().lock().fetch.is_followed());
            std::thread::sleep(time + Duration::from_millis(1));
            Err(FetchError { reason: "no answer".to_owned(), timed_out: true })
        })));
        if kid == "second" {
            keys.claim(&Lifetimes::default()).unwrap().complete(&response("first")).ok().unwrap();
        }
        let verify = |timeout| {
            let options = options(false, timeout);
            status(&keys.usable_with(kid, &Call::begin(&options, true)))
        };
        std::thread::scope(|scope| {
            let leader = scope.spawn(|| {
                FOLLOWED.set(Some(keys.clone()));
                verify(100)
            });
            await_until(|| keys.shared.get().lock().fetch.in_flight(monotonic()));
            assert_eq!(verify(600_000), Status::Ok);
            leader.join().unwrap();
        });
        assert_eq!(keys.stats(&Lifetimes::default()).failures, 1);
    }
}

thread_local! {
    /// On the leader's thread: the keys whose fetch it leads.
    static FOLLOWED: std::cell::RefCell<Option<Arc<IssuerKeys>>> =
        const { std::cell::RefCell::new(None) };
}

fn await_until(holds: impl Fn() -> bool) {
    let start = std::time::Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(60), "it never came to that");
        std::thread::yield_now();
    }
}

#[cfg_attr(not(feature = "model"), test)]
fn a_304_renews_only_the_set_whose_etag_the_lease_carries() {
    let keys = IssuerKeys::fetched_by(None);
    let lifetimes = Lifetimes { fixed: Some(0), max_stale: 60_000 };
    let not_modified = || JwksResponse { status: 304, body: (&[][..]).into(), ..response("") };
    // Without keys there is no `ETag`, and with keys that had none there is none either.
    assert!(keys.claim(&lifetimes).unwrap().complete(&not_modified()).is_err());
    keys.clear();
    assert!(keys.claim(&lifetimes).unwrap().complete(&response("a")).is_ok());
    assert!(keys.claim(&lifetimes).unwrap().complete(&not_modified()).is_err());
    keys.clear();
    let tagged = |etag: &'static str| JwksResponse { etag: Some(etag.into()), ..response("a") };
    assert!(keys.claim(&lifetimes).unwrap().complete(&tagged("\"1\"")).is_ok());
    let lease = keys.claim(&lifetimes).unwrap();
    assert_eq!(lease.etag(), Some("\"1\""));
    // Other keys take the place of these while the host asks.
    keys.clear();
    assert!(keys.claim(&lifetimes).unwrap().complete(&tagged("\"2\"")).is_ok());
    assert!(lease.complete(&not_modified()).is_err());
    let lease = keys.claim(&lifetimes).unwrap();
    assert_eq!(lease.etag(), Some("\"2\""));
    assert!(lease.complete(&not_modified()).is_ok());
    assert_eq!(keys.claim(&lifetimes).unwrap().etag(), Some("\"2\""));
}

/// The clock by which keys age in memory begins with the machine, and files are older than that.
#[cfg(unix)]
#[cfg_attr(not(feature = "model"), test)]
fn keys_may_be_older_than_the_machine_runs() {
    const AGE: Millis = 29 * 86_400_000;
    let folder = std::env::temp_dir().join(format!("torii-old-keys-{}", std::process::id()));
    let directory = KeyCacheDir::prepare(&folder).unwrap();
    let key = CacheKey {
        url: "https://old.example/jwks.json".to_owned(),
        root_certificates: None,
        proxy: None,
        cache_dir: Some(directory.clone()),
        fetched_by: FetchedBy::Library,
    };
    let (now, body) = (since_1970(), key_set("a"));
    let file = CacheFile { url: &key.url, requested_at: now - AGE, max_age: None, body: &body };
    directory.write(&key.file_name(), &file, now, 0).unwrap();
    let issuer = Arc::new(NulString::new("https://old.example"));
    let keys = super::super::registry::shared(&issuer, key);
    std::fs::remove_dir_all(&folder).unwrap();
    let stats = |max_stale| keys.stats(&Lifetimes { max_stale, ..Lifetimes::default() });
    let (usable, too_old) = (stats(AGE + 86_400_000), stats(AGE - 86_400_000));
    assert!(usable.age.is_some_and(|seconds| seconds >= AGE / 1_000), "{:?}", usable.age);
    assert_eq!((usable.keys, usable.due_in, too_old.keys), (1, Some(0), 0));
}
