//! When keys are due, and what a thread pool does about it.

use std::thread;

use torii::{Status, Verifier};
use torii_emulator::{FaultKind, Issuer, Mint};

use crate::server::Server;
use crate::{Stage, of_unknown_key, options, seconds, status, verifier, without_threads};

#[test]
fn refresh_due_fetches_what_is_due_and_nothing_else() {
    let stage = Stage::take();
    let issuer = stage.issuer("due");
    let verifier = verifier(&issuer, &without_threads());
    let refresh = || status(verifier.refresh_due(Some(&issuer.url())));
    let token = issuer.mint(Mint::new().expires_in(10_000));

    assert_eq!((verifier.due_in_ms(), refresh()), (Some(0), Status::Ok));
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
    for _ in 0..10 {
        assert_eq!(refresh(), Status::Ok);
    }
    assert_eq!(issuer.jwks_requests(), 1, "fresh");

    seconds(245);
    assert_eq!((verifier.due_in_ms(), refresh()), (Some(0), Status::Ok));
    assert_eq!(issuer.jwks_requests(), 2, "80 % of the lifetime");

    seconds(310);
    issuer.fault(FaultKind::status(500), None);
    assert_eq!(refresh(), Status::KeysUnavailable, "it fetched, and failed");
    for _ in 0..10 {
        assert_eq!(refresh(), Status::Ok, "backing off");
    }
    assert_eq!(issuer.jwks_requests(), 3);
    assert!(verifier.due_in_ms().is_some_and(|due| due <= 1_250));
    stage.emulator.clear_faults();
    seconds(2);
    assert_eq!((verifier.due_in_ms(), refresh()), (Some(0), Status::Ok));
    assert_eq!(issuer.jwks_requests(), 4);
    assert!(verifier.due_in_ms().is_some_and(|due| due > 100_000));
}

#[test]
fn a_kid_missed_in_the_cooldown_is_due_at_its_end() {
    let stage = Stage::take();
    let issuer = stage.issuer("missed");
    let verifier = verifier(&issuer, &without_threads());
    let refresh = || status(verifier.refresh_due(None));
    verifier.refresh().unwrap();
    // An unknown `kid` starts the cooldown, then the issuer rotates.
    assert_eq!(status(verifier.verify_nowait(of_unknown_key(&issuer))), Status::KeysPending);
    assert_eq!((verifier.due_in_ms(), refresh()), (Some(0), Status::Ok));
    assert_eq!(issuer.jwks_requests(), 2);
    issuer.rotate();
    let token = issuer.mint(Mint::new());
    assert!(verifier.due_in_ms().is_some_and(|due| due > 60_000));
    for _ in 0..10 {
        assert_eq!(status(verifier.verify_nowait(&token)), Status::TokenKeyUnknown);
        assert_eq!(status(verifier.verify(&token)), Status::TokenKeyUnknown);
        assert_eq!(refresh(), Status::Ok, "cooling down");
    }
    assert_eq!(issuer.jwks_requests(), 2);
    assert!(verifier.due_in_ms().is_some_and(|due| due > 1_000 && due <= 30_000));
    seconds(30);
    assert_eq!((verifier.due_in_ms(), refresh()), (Some(0), Status::Ok));
    assert_eq!(issuer.jwks_requests(), 3);
    assert_eq!(status(verifier.verify_nowait(&token)), Status::Ok);
    assert!(verifier.due_in_ms().is_some_and(|due| due > 60_000));
}

/// Event loops under attack: three verifiers of three issuers each, and every request
/// that has to wait gets its refresh.
#[test]
fn unknown_kids_make_one_issuer_fetch_once_in_thirty_seconds() {
    let stage = Stage::take();
    let issuers: Vec<_> =
        ["one", "two", "three"].map(|n| stage.issuer(&format!("kids-{n}"))).into();
    let verifiers: Vec<_> = (0..3)
        .map(|first: usize| {
            let mut options = without_threads();
            options.add_issuer(&issuers[(first + 1) % 3].url()).unwrap();
            options.add_issuer(&issuers[(first + 2) % 3].url()).unwrap();
            verifier(&issuers[first], &options)
        })
        .collect();
    verifiers.iter().for_each(|verifier| verifier.refresh().unwrap());
    let requests = || issuers.iter().map(Issuer::jwks_requests).collect::<Vec<_>>();
    let before = requests();
    for round in 1..=3 {
        for verifier in verifiers.iter().cycle().take(30) {
            let token = of_unknown_key(&issuers[1]);
            if let Err(error) = verifier.verify_nowait(&token)
                && error.status() == Status::KeysPending
            {
                assert_eq!(error.issuer(), Some(&*issuers[1].url()));
                verifier.refresh_due(error.issuer()).unwrap();
            }
            assert_eq!(status(verifier.verify(&token)), Status::TokenKeyUnknown);
        }
        assert_eq!(requests(), [before[0], before[1] + round, before[2]]);
        seconds(30);
    }
}

#[test]
fn refresh_due_waits_for_the_fetch_in_flight() {
    let stage = Stage::take();
    let issuer = stage.issuer("in-flight");
    let server = Server::start(&issuer, "");
    let token = issuer.mint(Mint::new().claim("iss", server.url()));
    let [first, second] =
        [(); 2].map(|()| Verifier::new(server.url(), &without_threads()).unwrap());
    thread::scope(|scope| {
        let leader = scope.spawn(|| first.refresh_due(None).unwrap());
        server.await_requests(1);
        let follower = scope.spawn(|| {
            second.refresh_due(None).unwrap();
            status(second.verify_nowait(&token))
        });
        assert_eq!(status(second.verify_nowait(&token)), Status::KeysPending);
        server.answer(1);
        leader.join().unwrap();
        assert_eq!(follower.join().unwrap(), Status::Ok);
    });
    assert_eq!(server.requests(), 1);
}

#[test]
fn only_configured_issuers_can_be_refreshed() {
    let stage = Stage::take();
    let (issuer, other) = (stage.issuer("named"), stage.issuer("not-named"));
    let verifier = verifier(&issuer, &without_threads());
    let error = verifier.refresh_due(Some(&other.url())).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
    assert!(error.to_string().starts_with("issuer: "), "{error}");
    assert_eq!(status(verifier.refresh_due(Some(""))), Status::InvalidArgument);
    assert_eq!((issuer.jwks_requests(), other.jwks_requests()), (0, 0));
    verifier.refresh_due(Some(&format!("{}/", issuer.url()))).unwrap();
    assert_eq!(issuer.jwks_requests(), 1);
}

#[test]
fn the_first_issuer_that_is_due_counts() {
    let stage = Stage::take();
    let (one, two, three) = (stage.issuer("min-1"), stage.issuer("min-2"), stage.issuer("min-3"));
    one.set_max_age(Some(600));
    two.set_max_age(Some(100));
    let mut options = without_threads();
    options.add_issuer(&two.url()).unwrap();
    options.add_issuer_jwks(&three.url(), three.jwks().to_string().as_bytes()).unwrap();
    let both = verifier(&one, &options);
    assert_eq!(both.due_in_ms(), Some(0));
    both.refresh_due(Some(&one.url())).unwrap();
    assert_eq!(both.due_in_ms(), Some(0), "the other has no keys");
    both.refresh_due(Some(&two.url())).unwrap();
    assert!(both.due_in_ms().is_some_and(|due| due <= 80_000 && due > 10_000));

    let mut given = without_threads();
    given.set_jwks(one.jwks().to_string().as_bytes()).unwrap();
    let given = verifier(&one, &given);
    assert_eq!(given.due_in_ms(), None, "given keys never age");
    given.refresh_due(None).unwrap();
    given.refresh().unwrap();
    assert!(given.stats().unwrap().is_null("/issuers/0/due_in_ms"));
    assert_eq!(one.jwks_requests(), 1);
}

#[test]
fn stats_tell_the_last_success_and_the_last_error() {
    let stage = Stage::take();
    let issuer = stage.issuer("stats");
    let verifier = verifier(&issuer, &options());
    let stats = || verifier.stats().unwrap();
    assert!(stats().is_null("/issuers/0/last_success"));
    assert!(stats().is_null("/issuers/0/last_error"));
    verifier.refresh().unwrap();
    seconds(100);
    let since = stats().int("/issuers/0/last_success").unwrap();
    assert!((100..400).contains(&since), "{since}");
    issuer.fault(FaultKind::status(503), Some(1));
    assert_eq!(status(verifier.refresh()), Status::KeysUnavailable);
    assert_eq!(stats().str("/issuers/0/last_error"), Some("HTTP status 503 (expected 200)"));
    assert_eq!(stats().int("/issuers/0/fetches").unwrap(), 2);
    assert_eq!(stats().int("/issuers/0/failures").unwrap(), 1);
    assert!(stats().int("/issuers/0/last_success").unwrap() >= 100);
    seconds(5);
    verifier.refresh().unwrap();
    assert!(stats().is_null("/issuers/0/last_error"), "the last fetch succeeded");
}
