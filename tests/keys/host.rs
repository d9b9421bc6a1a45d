//! Callers that perform no I/O, and hosts that fetch with their own HTTP client.

use torii::{KeyFetch, Result, Status};
use torii_emulator::{FaultKind, Issuer, Mint};

use crate::{
    Stage, await_fetches, await_until, fetches, of_unknown_key, options, seconds, status, verifier,
    with_timeout, without_threads,
};

/// The issuer's answer reaches the fetch.
fn answer(mut fetch: KeyFetch, issuer: &Issuer) -> Result<()> {
    fetch.done(200, issuer.jwks().to_string().as_bytes(), None, None, None)
}

#[test]
fn nowait_says_that_keys_are_pending_and_has_them_fetched() {
    let stage = Stage::take();
    let issuer = stage.issuer("nowait");
    let [short_timeout, long_timeout] =
        [with_timeout(400), options()].map(|options| verifier(&issuer, &options));
    let token = issuer.mint(Mint::new());
    issuer.fault(FaultKind::Hang { ms: None }, Some(1));
    let error = short_timeout.verify_nowait(&token).unwrap_err();
    assert_eq!(error.status(), Status::KeysPending);
    assert_eq!(error.issuer(), Some(&*issuer.url()));
    await_fetches(&short_timeout, 1);
    let error = short_timeout.authenticate_nowait(format!("Bearer {token}")).unwrap_err();
    assert_eq!(error.status(), Status::KeysUnavailable);
    assert_eq!(error.issuer(), Some(&*issuer.url()));
    seconds(2);
    assert_eq!(status(long_timeout.verify_nowait(&token)), Status::KeysPending);
    await_fetches(&long_timeout, 2);
    assert_eq!(status(long_timeout.verify_nowait(&token)), Status::Ok);
}

#[test]
fn refresh_on_another_thread_answers_what_nowait_could_not() {
    let stage = Stage::take();
    let issuer = stage.issuer("parked");
    let verifier = verifier(&issuer, &without_threads());
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
    assert_eq!(status(verifier.verify_nowait(of_unknown_key(&issuer))), Status::TokenKeyUnknown);
}

/// Otherwise a host that asks again after each refresh would ask all the time.
#[test]
fn refresh_waits_for_another_verifiers_fetch_however_fresh_the_keys_are() {
    let stage = Stage::take();
    let issuer = stage.issuer("two-hosts");
    let [first, second] = [(); 2].map(|()| verifier(&issuer, &without_threads()));
    first.refresh().unwrap();
    issuer.rotate();
    let token = issuer.mint(Mint::new());
    assert_eq!(status(first.verify_nowait(&token)), Status::KeysPending);
    issuer.fault(FaultKind::Delay { ms: 200 }, Some(1));
    std::thread::scope(|scope| {
        scope.spawn(|| first.refresh().unwrap());
        await_until("the first host asks", || issuer.jwks_requests() == 2);
        second.refresh().unwrap();
        assert_eq!(status(second.verify_nowait(&token)), Status::Ok);
    });
    assert_eq!(issuer.jwks_requests(), 2);
}

#[test]
fn a_host_with_a_timer_is_told_when_keys_are_due() {
    let stage = Stage::take();
    let issuer = stage.issuer("timer");
    let verifier = verifier(&issuer, &options());
    let due = || verifier.due_in_ms().unwrap();
    assert_eq!(due(), 0);
    let jwks = issuer.jwks().to_string();
    let mut fetch = verifier.claim_fetch().unwrap();
    assert!(due() <= 30_000 && due() > 0, "the lease");
    fetch.done(200, jwks.as_bytes(), None, Some(1_000), Some(500)).unwrap();
    // 80 % of the lifetime that `Age` leaves of `max-age`.
    assert!(due() <= 400_000 && due() > 200_000);
    seconds(400);
    assert_eq!(due(), 0);
    drop(verifier.claim_fetch().unwrap());
    assert!(due() <= 1_250, "the backoff after a failure");
    seconds(2);
    assert_eq!(due(), 0);
    answer(verifier.claim_fetch().unwrap(), &issuer).unwrap();
    assert!(due() > 0);
    assert_eq!(status(verifier.verify_nowait(of_unknown_key(&issuer))), Status::KeysPending);
    assert_eq!(due(), 0, "a `kid` is to be looked up");
    assert_eq!(issuer.jwks_requests(), 0);
}

#[test]
fn a_fetch_is_claimed_by_one_host_and_done_once() {
    let stage = Stage::take();
    let issuer = stage.issuer("claimed");
    let verifier = verifier(&issuer, &without_threads());
    let token = issuer.mint(Mint::new());
    let mut fetch = verifier.claim_fetch().unwrap();
    assert_eq!((fetch.url(), fetch.etag()), (&*issuer.jwks_url(), None));
    assert!(verifier.claim_fetch().is_none());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
    let jwks = issuer.jwks().to_string();
    fetch.done(200, jwks.as_bytes(), Some("\"1\""), Some(120), None).unwrap();
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
    assert!(verifier.claim_fetch().is_none());
    let error = fetch.done(200, b"", None, None, None).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert_eq!((fetch.url(), fetch.etag()), (&*issuer.jwks_url(), None), "valid as long as it is");

    seconds(97);
    let mut fetch = verifier.claim_fetch().unwrap();
    assert_eq!(fetch.etag(), Some("\"1\""));
    fetch.done(304, b"", None, None, None).unwrap();
    assert!(verifier.claim_fetch().is_none());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
    assert_eq!(issuer.jwks_requests(), 0);
}

/// The keys of one issuer must never become those of another: a token that A signs in B's name
/// would be accepted.
#[test]
fn a_late_answer_never_reaches_another_issuer() {
    let stage = Stage::take();
    let (a, b) = (stage.issuer("late-a"), stage.issuer("late-b"));
    let mut options = without_threads();
    options.add_issuer(&b.url()).unwrap();
    let verifier = verifier(&a, &options);
    let forged = a.mint(Mint::new().claim("iss", b.url()));

    let late = verifier.claim_fetch().unwrap();
    assert_eq!(late.url(), a.jwks_url());
    seconds(31);
    let claimed = verifier.claim_fetch().unwrap();
    assert_eq!(claimed.url(), b.jwks_url());
    assert_eq!(status(answer(late, &a)), Status::KeysUnavailable);
    assert_eq!(status(verifier.verify_nowait(&forged)), Status::KeysPending, "nothing is stored");
    answer(claimed, &b).unwrap();
    assert_eq!(status(verifier.verify_nowait(b.mint(Mint::new()))), Status::Ok);
    assert_eq!(status(verifier.verify_nowait(&forged)), Status::KeysPending, "a `kid` to look up");
    let claimed = verifier.claim_fetch().unwrap();
    assert_eq!(claimed.url(), b.jwks_url());
    answer(claimed, &b).unwrap();
    assert_eq!(status(verifier.verify_nowait(&forged)), Status::TokenKeyUnknown);
    seconds(2);
    assert_eq!(verifier.claim_fetch().unwrap().url(), a.jwks_url());
}

#[test]
fn a_late_answer_never_reaches_a_later_fetch() {
    let stage = Stage::take();
    let issuer = stage.issuer("later");
    let verifier = verifier(&issuer, &without_threads());
    let token = issuer.mint(Mint::new());
    // Late because the lease has ended, or because the keys were cleared meanwhile.
    for cleared in [false, true] {
        let lost = verifier.claim_fetch().unwrap();
        if cleared {
            torii::clear_jwks_cache();
        } else {
            seconds(20);
            assert!(verifier.claim_fetch().is_none());
            seconds(10);
            assert!(verifier.claim_fetch().is_none(), "it counts as failed, and backs off");
            let error = verifier.verify_nowait(&token).unwrap_err();
            assert!(error.to_string().ends_with("a fetch never ended"), "{error}");
            seconds(2);
        }
        let next = verifier.claim_fetch().unwrap();
        let error = answer(lost, &issuer).unwrap_err();
        assert_eq!(error.status(), Status::KeysUnavailable);
        assert_eq!(error.issuer(), Some(&*issuer.url()));
        assert!(error.to_string().ends_with("the answer is late; nothing was stored"), "{error}");
        assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysPending);
        answer(next, &issuer).unwrap();
        assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
        torii::clear_jwks_cache();
    }
}

#[test]
fn unusable_answers_leave_the_keys_as_they_are() {
    let stage = Stage::take();
    let issuer = stage.issuer("unusable");
    let verifier = verifier(&issuer, &without_threads());
    let reason = |status: u16, body: &[u8]| {
        seconds(120);
        let mut fetch = verifier.claim_fetch().unwrap();
        fetch.done(status, body, None, None, None).unwrap_err().to_string()
    };
    let url = issuer.jwks_url();
    assert_eq!(
        reason(500, b""),
        format!("cannot fetch keys from {url}: HTTP status 500 (expected 200)")
    );
    assert!(reason(302, b"").ends_with("302 (expected 200; redirects are not followed)"));
    assert!(reason(304, b"").ends_with("304 (expected 200; redirects are not followed)"));
    assert!(reason(200, b"{\"keys\":[]}").ends_with("not a usable key set: no usable key"));
    assert!(reason(200, b"[]").ends_with("not a usable key set: not a JSON object"));
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify_nowait(&token)), Status::KeysUnavailable);
    seconds(120);
    answer(verifier.claim_fetch().unwrap(), &issuer).unwrap();
    seconds(301);
    assert!(reason(200, b"{}").ends_with("not a usable key set: no `keys` array"));
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok, "stale");
}

#[test]
fn a_key_missed_by_a_host_is_due_once_in_thirty_seconds() {
    let stage = Stage::take();
    let issuer = stage.issuer("missed-by-host");
    let verifier = verifier(&issuer, &without_threads());
    answer(verifier.claim_fetch().unwrap(), &issuer).unwrap();
    assert!(verifier.claim_fetch().is_none());
    let unknown = of_unknown_key(&issuer);
    assert_eq!(status(verifier.verify_nowait(&unknown)), Status::KeysPending);
    answer(verifier.claim_fetch().unwrap(), &issuer).unwrap();
    assert_eq!(status(verifier.verify_nowait(&unknown)), Status::TokenKeyUnknown);
    assert!(verifier.claim_fetch().is_none());
    seconds(30);
    assert!(verifier.claim_fetch().is_some(), "due without another token");
}

#[test]
fn a_fetch_that_is_dropped_has_failed() {
    let stage = Stage::take();
    let issuer = stage.issuer("dropped");
    let verifier = verifier(&issuer, &without_threads());
    drop(verifier.claim_fetch().unwrap());
    assert_eq!(fetches(&verifier), 1);
    assert!(verifier.claim_fetch().is_none());
    seconds(2);
    assert!(verifier.claim_fetch().is_some());
}

#[test]
fn a_fetch_may_outlive_its_verifier() {
    let stage = Stage::take();
    let issuer = stage.issuer("outlived");
    let first = verifier(&issuer, &without_threads());
    let fetch = first.claim_fetch().unwrap();
    drop(first);
    let second = verifier(&issuer, &without_threads());
    assert!(second.claim_fetch().is_none(), "it is claimed");
    answer(fetch, &issuer).unwrap();
    assert_eq!(status(second.verify_nowait(issuer.mint(Mint::new()))), Status::Ok);
}

#[test]
fn callers_who_may_wait_wait_for_the_host_and_never_fetch() {
    let stage = Stage::take();
    let issuer = stage.issuer("host-first");
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    let fetch = verifier.claim_fetch().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| status(verifier.verify(&token)));
        answer(fetch, &issuer).unwrap();
        assert_eq!(waiting.join().unwrap(), Status::Ok);
    });
    verifier.refresh_due(None).unwrap();
    // The host can claim the fetch that is due now.
    seconds(301);
    assert_eq!(status(verifier.verify(&token)), Status::KeysPending);
    assert_eq!(status(verifier.verify(of_unknown_key(&issuer))), Status::KeysPending);
    assert_eq!(status(verifier.refresh()), Status::KeysPending);
    assert_eq!(status(verifier.refresh_due(Some(&issuer.url()))), Status::KeysPending);
    assert_eq!(issuer.jwks_requests(), 0);
    drop(verifier.claim_fetch().unwrap());
    assert_eq!(status(verifier.verify(&token)), Status::Ok, "stale");
}

#[test]
fn keys_of_hosts_and_keys_of_the_library_do_not_mix() {
    let stage = Stage::take();
    let (issuer, impostor) = (stage.issuer("mixed"), stage.issuer("impostor"));
    let [host, library] = [(); 2].map(|()| verifier(&issuer, &without_threads()));
    library.refresh().unwrap();
    let token = issuer.mint(Mint::new());
    assert_eq!(status(host.verify_nowait(&token)), Status::Ok, "both are the library's yet");
    let fetch: KeyFetch = host.claim_fetch().unwrap();
    assert_eq!(status(host.verify_nowait(&token)), Status::KeysPending);
    answer(fetch, &impostor).unwrap();
    assert_eq!(status(host.verify_nowait(&token)), Status::KeysPending, "a `kid` to look up");
    assert_eq!(status(library.verify_nowait(&token)), Status::Ok);
    let forged = impostor.mint(Mint::new().claim("iss", issuer.url()));
    assert_eq!(status(host.verify_nowait(&forged)), Status::Ok);
    assert_eq!(status(library.verify(&forged)), Status::TokenKeyUnknown);

    let second = verifier(&issuer, &without_threads());
    let fetch = second.claim_fetch().expect("the `kid` that the other host missed");
    assert_eq!(status(second.verify_nowait(&forged)), Status::Ok, "hosts share keys");
    answer(fetch, &issuer).unwrap();
    assert_eq!(status(host.verify_nowait(&token)), Status::Ok);
}
