//! Cases outside the matrix: how often, how long, and who shares what.

use std::sync::Barrier;
use std::thread;

use torii::{Status, Verifier};
use torii_emulator::{FaultKind, Mint};

use crate::{
    Stage, await_fetches, fetches, of_unknown_key, options, seconds, status, verifier,
    without_threads,
};

#[test]
fn many_first_users_share_one_fetch() {
    let stage = Stage::take();
    let issuer = stage.issuer("first-users");
    issuer.fault(FaultKind::Delay { ms: 100 }, None);
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    let start = Barrier::new(32);
    thread::scope(|scope| {
        for _ in 0..32 {
            scope.spawn(|| {
                start.wait();
                assert_eq!(status(verifier.verify(&token)), Status::Ok);
            });
        }
    });
    assert_eq!(issuer.jwks_requests(), 1);
}

#[test]
fn many_tokens_of_a_new_key_share_one_fetch() {
    let stage = Stage::take();
    let issuer = stage.issuer("new-key");
    let verifier = verifier(&issuer, &options());
    verifier.refresh().unwrap();
    issuer.rotate();
    issuer.fault(FaultKind::Delay { ms: 100 }, None);
    let tokens: Vec<_> = (0..32).map(|_| issuer.mint(Mint::new())).collect();
    let start = Barrier::new(tokens.len());
    thread::scope(|scope| {
        for token in &tokens {
            let (start, verifier) = (&start, &verifier);
            scope.spawn(move || {
                start.wait();
                assert_eq!(status(verifier.verify(token)), Status::Ok);
            });
        }
    });
    assert_eq!(issuer.jwks_requests(), 2);
}

#[test]
fn an_issuer_that_is_down_is_asked_once_in_each_pause() {
    let stage = Stage::take();
    let issuer = stage.issuer("down");
    issuer.fault(FaultKind::status(500), None);
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    // The backoff, with the most that jitter adds.
    for (asked, pause) in [1, 2, 4, 8, 16, 32, 60, 60].into_iter().enumerate() {
        // The shortest backoff is 0.75 s.
        for _ in 0..3 {
            let error = verifier.verify(&token).unwrap_err();
            assert_eq!(error.status(), Status::KeysUnavailable);
            let text = error.to_string();
            assert!(text.starts_with(&format!("cannot fetch keys from {}: ", issuer.jwks_url())));
            assert!(text.ends_with(": HTTP status 500 (expected 200)"), "{text}");
            assert_eq!(error.issuer(), Some(&*issuer.url()));
            let retry_after = error.retry_after().unwrap();
            assert!((1..=pause + pause / 4 + 1).contains(&retry_after), "{retry_after} s");
        }
        assert_eq!(issuer.jwks_requests(), asked as u64 + 1);
        seconds(pause + pause / 4 + 1);
    }
    stage.emulator.clear_faults();
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
}

#[test]
fn ten_thousand_unknown_kids_cost_one_fetch_in_thirty_seconds() {
    let stage = Stage::take();
    let issuer = stage.issuer("flood");
    let verifier = verifier(&issuer, &options());
    let good = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&good)), Status::Ok);
    let signature = good.rsplit('.').next().unwrap();
    let payload = good.split('.').nth(1).unwrap();
    for round in 0..3 {
        for n in 0..10_000 / 3 {
            let header = format!(r#"{{"alg":"ES256","kid":"{round}-{n}"}}"#);
            let header = base64url(header.as_bytes());
            let token = format!("{header}.{payload}.{signature}");
            assert_eq!(status(verifier.verify(&token)), Status::TokenKeyUnknown);
        }
        assert_eq!(issuer.jwks_requests(), 2 + round);
        assert_eq!(status(verifier.verify(&good)), Status::Ok);
        seconds(30);
    }
}

#[test]
fn an_outage_costs_unknown_kids_no_more_than_the_pauses_allow() {
    let stage = Stage::take();
    let issuer = stage.issuer("flood-in-an-outage");
    let verifier = verifier(&issuer, &options());
    let good = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&good)), Status::Ok);
    issuer.fault(FaultKind::Reset { handled: false }, None);
    for _ in 0..200 {
        // It may be of a new key; no caller can know.
        assert_eq!(status(verifier.verify(of_unknown_key(&issuer))), Status::KeysUnavailable);
        assert_eq!(status(verifier.verify(&good)), Status::Ok);
    }
    assert_eq!(issuer.jwks_requests(), 2);
}

#[test]
fn issuers_do_not_share_budgets() {
    let stage = Stage::take();
    let (one, other) = (stage.issuer("budget-one"), stage.issuer("budget-other"));
    let mut options = options();
    options.add_issuer(&other.url()).unwrap();
    let verifier = verifier(&one, &options);
    for issuer in [&one, &other] {
        assert_eq!(status(verifier.verify(issuer.mint(Mint::new()))), Status::Ok);
        assert_eq!(status(verifier.verify(of_unknown_key(issuer))), Status::TokenKeyUnknown);
        assert_eq!(issuer.jwks_requests(), 2);
    }
    other.rotate();
    one.fault(FaultKind::status(500), None);
    seconds(301);
    assert_eq!(status(verifier.verify(other.mint(Mint::new()))), Status::Ok);
    assert_eq!(status(verifier.verify(one.mint(Mint::new()))), Status::Ok, "stale");
}

#[test]
fn one_issuers_key_does_not_sign_for_another() {
    let stage = Stage::take();
    let (one, other) = (stage.issuer("signs-one"), stage.issuer("signs-other"));
    let mut options = options();
    options.add_issuer(&other.url()).unwrap();
    let verifier = verifier(&one, &options);
    let crossed = one.mint(Mint::new().claim("iss", other.url()));
    assert_eq!(status(verifier.verify(crossed)), Status::TokenKeyUnknown);
    let crossed = one.mint(Mint::new().claim("iss", other.url()).kid(&other.kid()));
    assert_eq!(status(verifier.verify(crossed)), Status::TokenSignature);
}

#[test]
fn keys_stay_in_use_through_an_outage_but_not_forever() {
    let stage = Stage::take();
    let issuer = stage.issuer("outage");
    let token = issuer.mint(Mint::new().expires_in(1_000_000));
    let mut options = without_threads();
    let lenient = verifier(&issuer, &options);
    options.set_max_stale_seconds(0).unwrap();
    let strict = verifier(&issuer, &options);
    assert_eq!(status(lenient.verify(&token)), Status::Ok);
    assert_eq!(status(strict.verify(&token)), Status::Ok);

    issuer.fault(FaultKind::status(503), None);
    seconds(301);
    assert_eq!(status(lenient.verify(&token)), Status::Ok);
    assert_eq!(status(strict.verify(&token)), Status::KeysUnavailable);
    // 30 s before the end, which may pass meanwhile.
    seconds(24 * 3600 - 301 - 30);
    assert_eq!(status(lenient.verify(&token)), Status::Ok);
    seconds(31);
    assert_eq!(status(lenient.verify(&token)), Status::KeysUnavailable);
    assert_eq!(status(lenient.verify_nowait(&token)), Status::KeysUnavailable);
    stage.emulator.clear_faults();
    seconds(120);
    assert_eq!(status(lenient.verify(&token)), Status::Ok);
}

#[test]
fn the_issuer_says_how_long_keys_last_within_bounds() {
    let stage = Stage::take();
    for (max_age, lifetime) in [(0, 60), (60, 60), (600, 600), (86_400, 3_600)] {
        let issuer = stage.issuer(&format!("max-age-{max_age}"));
        issuer.set_max_age(Some(max_age));
        let mut options = options();
        options.set_background_refresh(false);
        let verifier = verifier(&issuer, &options);
        let token = issuer.mint(Mint::new().expires_in(1_000_000));
        assert_eq!(status(verifier.verify(&token)), Status::Ok);
        // 30 s before the end, which may pass meanwhile.
        seconds(lifetime - 30);
        assert_eq!(status(verifier.verify(&token)), Status::Ok);
        assert_eq!(issuer.jwks_requests(), 1, "{max_age}");
        seconds(31);
        assert_eq!(status(verifier.verify(&token)), Status::Ok);
        assert_eq!(issuer.jwks_requests(), 2, "{max_age}");
    }
}

#[test]
fn a_renewal_asks_only_for_changes() {
    let stage = Stage::take();
    let issuer = stage.issuer("etag");
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    seconds(301);
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    let requests = stage.emulator.requests();
    let asked: Vec<_> = requests.iter().filter(|r| r.path == issuer.jwks_path()).collect();
    let tag = |n: usize| asked[n].headers.iter().find(|(name, _)| name == "if-none-match");
    assert_eq!(asked.len(), 2);
    assert!(tag(0).is_none());
    assert!(tag(1).is_some());
    // It counts as a success: the keys are fresh again.
    seconds(200);
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    assert_eq!(issuer.jwks_requests(), 2);
}

#[test]
fn keys_are_shared_in_the_process_by_their_exact_url() {
    let stage = Stage::take();
    let issuer = stage.issuer("shared");
    let token = issuer.mint(Mint::new());
    // One verifier after the other, as in PHP: keys outlive each.
    for _ in 0..3 {
        assert_eq!(status(verifier(&issuer, &options()).verify(&token)), Status::Ok);
    }
    assert_eq!(issuer.jwks_requests(), 1);

    let twin = stage.issuer("sha-red");
    assert_eq!(status(verifier(&twin, &options()).verify(&token)), Status::TokenIssuer);
    let forged = issuer.mint(Mint::new().claim("iss", twin.url()));
    assert_eq!(status(verifier(&twin, &options()).verify(forged)), Status::TokenKeyUnknown);

    torii::clear_jwks_cache();
    assert_eq!(status(verifier(&issuer, &options()).verify(&token)), Status::Ok);
    assert_eq!(issuer.jwks_requests(), 2);
}

#[test]
fn a_foreign_token_causes_no_fetch() {
    let stage = Stage::take();
    let issuer = stage.issuer("home");
    let verifier = verifier(&issuer, &options());
    let foreign = stage.issuer("abroad").mint(Mint::new());
    assert_eq!(status(verifier.verify(foreign)), Status::TokenIssuer);
    let other_algorithm = issuer.mint(Mint::new().alg("none"));
    assert_eq!(status(verifier.verify(other_algorithm)), Status::TokenAlgorithm);
    assert_eq!(issuer.jwks_requests(), 0);
}

#[test]
fn nothing_is_asked_ahead_of_time_where_no_thread_may_be_started() {
    let stage = Stage::take();
    let issuer = stage.issuer("no-threads");
    let options = without_threads();
    let verifier = verifier(&issuer, &options);
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    seconds(255);
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    assert_eq!(issuer.jwks_requests(), 1);
    // A foreground call finds the issuer down once in each backoff.
    issuer.fault(FaultKind::status(500), None);
    seconds(50);
    for _ in 0..5 {
        assert_eq!(status(verifier.verify(&token)), Status::Ok);
    }
    assert_eq!(fetches(&verifier), 2);
}

#[test]
fn sixty_four_threads_with_valid_and_invalid_tokens() {
    let stage = Stage::take();
    let issuer = stage.issuer("crowd");
    let verifier = verifier(&issuer, &options());
    let tokens = [
        (issuer.mint(Mint::new()), Status::Ok),
        (issuer.mint(Mint::new().subject("another")), Status::Ok),
        (issuer.mint(Mint::new().expires_in(-100)), Status::TokenExpired),
        (issuer.mint(Mint::new().forged()), Status::TokenSignature),
        (issuer.mint(Mint::new().without("sub")), Status::TokenClaim),
        (issuer.mint(Mint::new().alg("HS256")), Status::TokenAlgorithm),
        ("a.b.c".to_owned(), Status::TokenMalformed),
    ];
    thread::scope(|scope| {
        for thread in 0..64 {
            let (tokens, verifier) = (&tokens, &verifier);
            scope.spawn(move || {
                for n in 0..2_000 {
                    let (token, expected) = &tokens[(n + thread) % tokens.len()];
                    assert_eq!(status(verifier.verify(token)), *expected);
                }
            });
        }
    });
    assert_eq!(issuer.jwks_requests(), 1);
    let stats = verifier.stats().unwrap();
    let refused = |status: Status| stats.int(&format!("/refused/{}", status.name())).unwrap();
    let bad = [
        Status::TokenExpired,
        Status::TokenSignature,
        Status::TokenClaim,
        Status::TokenAlgorithm,
        Status::TokenMalformed,
    ];
    let total = stats.int("/accepted").unwrap() + bad.into_iter().map(refused).sum::<i64>();
    assert_eq!(total, 64 * 2_000);
}

#[test]
fn refresh_warms_up_and_is_not_a_storm() {
    let stage = Stage::take();
    let issuer = stage.issuer("warm");
    issuer.set_etag(false);
    let verifier = verifier(&issuer, &options());
    for _ in 0..50 {
        verifier.refresh().unwrap();
    }
    assert_eq!(issuer.jwks_requests(), 1);
    seconds(2);
    verifier.refresh().unwrap();
    assert_eq!(issuer.jwks_requests(), 2);
    assert_eq!(status(verifier.verify_nowait(issuer.mint(Mint::new()))), Status::Ok);

    seconds(2);
    issuer.fault(FaultKind::Truncate { bytes: None }, None);
    for _ in 0..50 {
        assert_eq!(status(verifier.refresh()), Status::KeysUnavailable);
    }
    assert_eq!(issuer.jwks_requests(), 3);
}

#[test]
fn a_background_refresh_is_one_fetch() {
    let stage = Stage::take();
    let issuer = stage.issuer("ahead-once");
    let verifier = verifier(&issuer, &options());
    let token = issuer.mint(Mint::new());
    assert_eq!(status(verifier.verify(&token)), Status::Ok);
    issuer.fault(FaultKind::Delay { ms: 100 }, None);
    seconds(255);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..200 {
                    assert_eq!(status(verifier.verify(&token)), Status::Ok);
                }
            });
        }
    });
    await_fetches(&verifier, 2);
    assert_eq!(issuer.jwks_requests(), 2);
}

#[test]
fn an_unreachable_issuer_is_not_an_invalid_token() {
    let stage = Stage::take();
    let gone = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let verifier = Verifier::new(&gone, &options()).unwrap();
    let token = stage.issuer("gone").mint(Mint::new().claim("iss", &*gone));
    let error = verifier.verify(&token).unwrap_err();
    assert_eq!(error.status(), Status::KeysUnavailable);
    assert!(error.to_string().contains("refused"), "{error}");
}

fn base64url(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes)
}
