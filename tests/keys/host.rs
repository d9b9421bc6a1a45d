//! Callers that do no I/O, and hosts that fetch by themselves.

use std::time::Instant;

use torii::{Status, VerifierOptions};
use torii_emulator::{FaultKind, Mint};

use crate::{LONG, Stage, await_fetches, fetches, options, seconds, status, verifier};

/// For a host that fetches by itself.
fn host_options() -> VerifierOptions {
    let mut options = options();
    options.set_background_refresh(false);
    options
}

#[test]
fn nowait_says_that_keys_are_pending_and_has_them_fetched() {
    let stage = Stage::take();
    let issuer = stage.issuer("nowait");
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    issuer.fault(FaultKind::Hang { ms: None }, Some(1));
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    assert_eq!(
        status(verifier.authenticate_nowait(format!("Bearer {token}"))),
        Status::KeysPending
    );
    assert_eq!(fetches(&verifier), 0, "nobody waited for the fetch that hangs");
    await_fetches(&verifier, 1);
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysUnavailable);
    seconds(2);
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    await_fetches(&verifier, 2);
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
}

#[test]
fn refresh_on_another_thread_answers_what_nowait_could_not() {
    let stage = Stage::take();
    let issuer = stage.issuer("parked");
    let verifier = verifier(&issuer, &host_options());
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    assert_eq!(issuer.jwks_requests(), 0, "nothing is fetched behind the host's back");
    verifier.refresh().unwrap();
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);

    issuer.rotate();
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    verifier.refresh().unwrap();
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
    assert_eq!(issuer.jwks_requests(), 2);

    let unknown = crate::of_unknown_key(&issuer);
    assert_eq!(status(verifier.verify_nowait(&unknown)), Status::TokenKeyUnknown);
}

/// Otherwise a host that asks again after each refresh would ask all the time.
#[test]
fn refresh_waits_for_another_hosts_fetch_however_young_the_keys_are() {
    let stage = Stage::take();
    let issuer = stage.issuer("two-hosts");
    let [first, second] = [verifier(&issuer, &host_options()), verifier(&issuer, &host_options())];
    first.refresh().unwrap();
    issuer.rotate();
    let token = issuer.mint(Mint::new());
    assert_eq!(status(first.verify_nowait(&token)), Status::KeysPending);
    issuer.fault(FaultKind::Delay { ms: 200 }, Some(1));
    std::thread::scope(|scope| {
        scope.spawn(|| first.refresh().unwrap());
        let start = Instant::now();
        while issuer.jwks_requests() < 2 {
            assert!(start.elapsed() < LONG, "the first host never asked");
            std::thread::yield_now();
        }
        assert_eq!(status(second.verify_nowait(&token)), Status::KeysPending);
        second.refresh().unwrap();
        assert_eq!(status(second.verify_nowait(&token)), Status::Ok);
    });
    assert_eq!(issuer.jwks_requests(), 2);
}

fn due_in_ms(verifier: &torii::Verifier) -> i64 {
    verifier.stats().unwrap().int("/issuers/0/due_in_ms").unwrap()
}

#[test]
fn a_host_with_a_timer_is_told_when_keys_are_due() {
    let stage = Stage::take();
    let issuer = stage.issuer("timer");
    let verifier = verifier(&issuer, &host_options());
    assert_eq!(due_in_ms(&verifier), 0);
    let jwks = issuer.jwks().to_string();
    let fetch = verifier.claim_fetch().unwrap();
    fetch.done(200, jwks.as_bytes(), None, Some(100)).unwrap();
    // 80 % of what the issuer says.
    assert!((79_000..=80_000).contains(&due_in_ms(&verifier)));
    seconds(79);
    assert!((1..=1_000).contains(&due_in_ms(&verifier)));
    seconds(1);
    assert_eq!(due_in_ms(&verifier), 0);
    verifier.claim_fetch().unwrap().failed().unwrap();
    assert!((1..=1_250).contains(&due_in_ms(&verifier)), "the pause after a failure");
    seconds(2);
    assert_eq!(due_in_ms(&verifier), 0);
    verifier.refresh().unwrap();
    assert!(due_in_ms(&verifier) > 0);
    assert_eq!(status(verifier.verify_nowait(crate::of_unknown_key(&issuer))), Status::KeysPending);
    assert_eq!(due_in_ms(&verifier), 0, "a key was missed");

    let mut offline = host_options();
    offline.set_jwks(jwks.as_bytes()).unwrap();
    let stats = torii::Verifier::new(&issuer.url(), &offline).unwrap().stats().unwrap();
    assert!(stats.is_null("/issuers/0/due_in_ms"));
}

#[test]
fn a_fetch_is_one_hosts_to_do() {
    let stage = Stage::take();
    let issuer = stage.issuer("claimed");
    let verifier = verifier(&issuer, &host_options());
    let token = issuer.mint(Mint::new());
    let fetch = verifier.claim_fetch().unwrap();
    assert_eq!(fetch.url(), issuer.jwks_url());
    assert_eq!(fetch.etag(), None);
    assert!(verifier.claim_fetch().is_none());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    fetch.done(200, issuer.jwks().to_string().as_bytes(), Some("\"1\""), Some(120)).unwrap();
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
    assert_eq!(issuer.jwks_requests(), 0);
    assert!(verifier.claim_fetch().is_none());
    let error = fetch.done(200, b"", None, None).unwrap_err();
    assert_eq!(error.to_string(), "verifier: no fetch is claimed");

    seconds(97);
    let fetch = verifier.claim_fetch().unwrap();
    assert_eq!(fetch.etag(), Some("\"1\""));
    fetch.done(304, b"", None, None).unwrap();
    assert!(verifier.claim_fetch().is_none());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
}

#[test]
fn what_a_host_brings_is_judged_like_any_answer() {
    let stage = Stage::take();
    let issuer = stage.issuer("judged");
    let verifier = verifier(&issuer, &host_options());
    let reason = |status: u16, body: &[u8]| {
        seconds(120);
        let fetch = verifier.claim_fetch().unwrap();
        fetch.done(status, body, None, None).unwrap_err().to_string()
    };
    let url = issuer.jwks_url();
    assert_eq!(reason(500, b""), format!("the keys at {url} cannot be had: HTTP status 500"));
    assert!(reason(302, b"").ends_with("HTTP status 302, which is not followed"));
    assert!(reason(304, b"").ends_with("HTTP status 304, which is not followed"));
    assert!(reason(200, b"{\"keys\":[]}").ends_with("not a usable key set: no usable key"));
    assert!(reason(200, b"[]").ends_with("not a usable key set: not a JSON object"));
    seconds(120);
    verifier.claim_fetch().unwrap().failed().unwrap();
    assert!(verifier.claim_fetch().is_none(), "the pause after a failure is the host's too");
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysUnavailable);
}

#[test]
fn a_key_missed_by_a_host_is_due_once_in_thirty_seconds() {
    let stage = Stage::take();
    let issuer = stage.issuer("missed");
    let verifier = verifier(&issuer, &host_options());
    verifier.refresh().unwrap();
    assert!(verifier.claim_fetch().is_none());
    let unknown = crate::of_unknown_key(&issuer);
    assert_eq!(status(verifier.verify_nowait(&unknown)), Status::KeysPending);
    let fetch = verifier.claim_fetch().unwrap();
    fetch.done(200, issuer.jwks().to_string().as_bytes(), None, None).unwrap();
    assert_eq!(status(verifier.verify_nowait(&unknown)), Status::TokenKeyUnknown);
    assert!(verifier.claim_fetch().is_none());
    seconds(30);
    assert_eq!(status(verifier.verify_nowait(&unknown)), Status::KeysPending);
    assert!(verifier.claim_fetch().is_some());
}

#[test]
fn a_claim_that_is_never_released_times_out() {
    let stage = Stage::take();
    let issuer = stage.issuer("lost");
    let verifier = verifier(&issuer, &host_options());
    let lost = verifier.claim_fetch().unwrap();
    seconds(29);
    assert!(verifier.claim_fetch().is_none());
    seconds(1);
    assert!(verifier.claim_fetch().is_none(), "it counts as failed, and failures are paused");
    let error = verifier.verify_nowait(issuer.mint(Mint::new())).unwrap_err();
    assert!(error.to_string().ends_with("a fetch was begun and never ended"), "{error}");
    seconds(2);
    let fetch = verifier.claim_fetch().unwrap();
    let body = issuer.jwks().to_string();
    let error = lost.done(200, body.as_bytes(), None, None).unwrap_err();
    assert!(error.to_string().ends_with("took too long and counts as failed"), "{error}");
    fetch.done(200, body.as_bytes(), None, None).unwrap();
    assert_eq!(status(verifier.verify_nowait(issuer.mint(Mint::new()))), Status::Ok);
}

#[test]
fn a_claim_that_is_dropped_has_failed() {
    let stage = Stage::take();
    let issuer = stage.issuer("dropped");
    let verifier = verifier(&issuer, &host_options());
    drop(verifier.claim_fetch().unwrap());
    drop(verifier);
    let again = crate::verifier(&issuer, &host_options());
    assert_eq!(fetches(&again), 1);
    assert!(again.claim_fetch().is_none());
    seconds(2);
    assert!(again.claim_fetch().is_some());
}

#[test]
fn callers_who_may_wait_wait_for_the_host() {
    let stage = Stage::take();
    let issuer = stage.issuer("host-first");
    let verifier = verifier(&issuer, &host_options());
    let token = issuer.mint(Mint::new());
    let fetch = verifier.claim_fetch().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| status(verifier.verify(&token)));
        fetch.done(200, issuer.jwks().to_string().as_bytes(), None, None).unwrap();
        assert_eq!(waiting.join().unwrap(), Status::Ok);
    });
    assert_eq!(issuer.jwks_requests(), 0);
}
