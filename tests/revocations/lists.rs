//! Revocations by calls and by JSON.

use std::sync::atomic::AtomicI64;

use torii::REVOKE_ALL;

use super::*;

fn json(entries: &[(&str, i64)]) -> Vec<u8> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(user, before)| format!("{{\"sub\":\"{user}\",\"before\":{before}}}"))
        .collect();
    format!("{{\"revoked\":[{}]}}", entries.join(",")).into()
}

#[test]
fn a_call_refuses_the_tokens_issued_up_to_a_moment() {
    let stage = Stage::take();
    let mut options = stage.options();
    options.set_leeway_seconds(30).unwrap();
    let verifier = stage.verifier(&options);
    let tokens = [-31, -30, 30, 31].map(|after| stage.token("user", NOW - 100 + after));
    let other = stage.token("user_2", NOW - 200);
    for token in &tokens {
        assert_eq!(verify(&verifier, token), Status::Ok);
    }
    verifier.revoke("user", NOW - 100).unwrap();
    let refused = Status::TokenRevoked;
    for expected in [refused, refused, refused, Status::Ok].iter().zip(&tokens) {
        let (expected, token) = expected;
        // In the token cache, not in it, and without waiting.
        assert_eq!(verify(&verifier, token), *expected);
        assert_eq!(status(verifier.verify_nowait(token)), *expected);
        assert_eq!(status(verifier.authenticate(format!("Bearer {token}"))), *expected);
        let fresh = stage.verifier(&options);
        fresh.revoke("user", NOW - 100).unwrap();
        assert_eq!(verify(&fresh, token), *expected);
        assert_eq!(stat(&fresh, "/cached_tokens"), i64::from(*expected == Status::Ok));
    }
    assert_eq!(verify(&verifier, &other), Status::Ok);
    let error = verifier.verify(&tokens[0]).unwrap_err();
    assert_eq!(error.to_string(), "claim `sub`: the tokens of this user were revoked after `iat`");
    assert_eq!(error.public_message(), "The access token is invalid");
    assert!(error.www_authenticate().unwrap().contains("error=\"invalid_token\""));
    assert_eq!(stat(&verifier, "/refused/TORII_ERR_TOKEN_REVOKED"), 10);
}

#[test]
fn of_several_calls_the_latest_time_counts() {
    let stage = Stage::take();
    let verifier = stage.verifier(&stage.options());
    let [early, late] = [NOW - 20, NOW - 10].map(|issued_at| stage.token("user", issued_at));
    let results = || [&early, &late].map(|token| verify(&verifier, token));
    for (before, expected) in [
        (NOW - 21, [Status::Ok, Status::Ok]),
        (NOW - 20, [Status::TokenRevoked, Status::Ok]),
        (0, [Status::TokenRevoked, Status::Ok]),
        (NOW - 10, [Status::TokenRevoked; 2]),
        (NOW - 20, [Status::TokenRevoked; 2]),
    ] {
        verifier.revoke("user", before).unwrap();
        assert_eq!(results(), expected, "{before}");
    }
    assert_eq!(stat(&verifier, "/revocations/entries"), 1);
}

#[test]
fn all_tokens_may_be_revoked_future_ones_included() {
    let stage = Stage::take();
    let mut options = stage.options();
    options.set_max_lifetime_seconds(2_000_000);
    let verifier = stage.verifier(&options);
    let token = stage.token("user", NOW);
    verifier.revoke("user", REVOKE_ALL).unwrap();
    verifier.revoke("user", NOW - 1_000).unwrap();
    assert_eq!(verify(&verifier, &token), Status::TokenRevoked);
    let verifier = stage.verifier(&options);
    verifier.set_revocations_json(br#"{"revoked":[{"sub":"user","before":"all"}]}"#).unwrap();
    assert_eq!(verify(&verifier, &token), Status::TokenRevoked);
}

#[test]
fn the_actor_is_revoked_too_for_every_issuer() {
    let stage = Stage::take();
    let globex = issuer();
    let mut options = stage.options();
    options.add_issuer_jwks(&globex.url(), globex.jwks().to_string().as_bytes()).unwrap();
    let verifier = stage.verifier(&options);
    let acts = |issuer: &Issuer| {
        let act = serde_json::json!({ "sub": "support" });
        issuer.mint(mint("user", NOW - 10).claim("act", act))
    };
    let tokens = [acts(&stage.issuer), acts(&globex)];
    for token in &tokens {
        assert_eq!(verify(&verifier, token), Status::Ok);
    }
    verifier.set_revocations_json(&json(&[("support", NOW - 10)])).unwrap();
    for token in &tokens {
        let error = verifier.verify(token).unwrap_err();
        assert_eq!(error.status(), Status::TokenRevoked);
        assert!(error.to_string().starts_with("claim `act`: "), "{error}");
    }
    assert_eq!(verify(&verifier, &stage.token("user", NOW - 10)), Status::Ok);
    verifier.revoke("user", NOW - 10).unwrap();
    assert_eq!(verify(&verifier, &globex.mint(mint("user", NOW - 10))), Status::TokenRevoked);
}

#[test]
fn json_replaces_json_and_nothing_else() {
    let stage = Stage::take();
    let verifier = stage.verifier(&stage.options());
    let users = ["a", "b", "c"];
    let tokens = users.map(|user| stage.token(user, NOW - 10));
    let revoked = || {
        let results = tokens.iter().map(|token| verify(&verifier, token));
        users
            .into_iter()
            .zip(results)
            .filter(|(_, v)| *v == Status::TokenRevoked)
            .map(|(user, _)| user)
            .collect::<String>()
    };
    assert_eq!(revoked(), "");
    verifier.revoke("a", NOW).unwrap();
    verifier.set_revocations_json(&json(&[("a", NOW), ("b", NOW)])).unwrap();
    assert_eq!((revoked().as_str(), stat(&verifier, "/revocations/entries")), ("ab", 3));
    verifier.set_revocations_json(&json(&[("b", NOW - 11), ("c", NOW)])).unwrap();
    assert_eq!(revoked(), "ac");
    for invalid in ["", "[]", "{}", r#"{"revoked":[{"sub":"a"}]}"#, r#"{"revoked":[]} x"#] {
        let error = verifier.set_revocations_json(invalid.as_bytes()).unwrap_err();
        assert_eq!(error.status(), Status::InvalidArgument);
        assert!(error.to_string().starts_with("json: line 1, column "), "{error}");
        assert_eq!(revoked(), "ac");
    }
    verifier.set_revocations_json(&json(&[])).unwrap();
    assert_eq!((revoked().as_str(), stat(&verifier, "/revocations/entries")), ("a", 1));
}

#[test]
fn a_revoked_token_is_invalid_before_it_is_forbidden() {
    let stage = Stage::take();
    let mut options = stage.options();
    options.require(torii::REQUIRE_ORGANIZATION).unwrap();
    let verifier = stage.verifier(&options);
    let token = stage.token("user", NOW - 10);
    assert_eq!(verify(&verifier, &token), Status::Policy);
    verifier.revoke("user", NOW).unwrap();
    assert_eq!(verify(&verifier, &token), Status::TokenRevoked);
    let expired = stage.issuer.mint(mint("user", NOW - 10).claim("exp", NOW - 1));
    assert_eq!(verify(&verifier, &expired), Status::TokenExpired);
    let forged = stage.issuer.mint(mint("user", NOW - 10).forged());
    assert_eq!(verify(&verifier, &forged), Status::TokenSignature);
}

#[test]
fn arguments_are_checked() {
    let stage = Stage::take();
    let verifier = stage.verifier(&stage.options());
    for (user, before, why) in [
        ("", NOW, "user_id: an empty user id"),
        ("a\0b", NOW, "user_id: a user id with U+0000"),
        ("user", -1, "issued_before: a negative time (expected Unix seconds)"),
        ("user", i64::MIN, "issued_before: a negative time (expected Unix seconds)"),
        (
            "user",
            NOW + 86_401,
            "issued_before: a time more than a day ahead (expected Unix seconds)",
        ),
        (
            "user",
            NOW * 1_000,
            "issued_before: a time more than a day ahead (expected Unix seconds)",
        ),
        (
            "user",
            REVOKE_ALL - 1,
            "issued_before: a time more than a day ahead (expected Unix seconds)",
        ),
    ] {
        let error = verifier.revoke(user, before).unwrap_err();
        assert_eq!((error.status(), error.to_string().as_str()), (Status::InvalidArgument, why));
    }
    for before in [0, NOW + 86_400, REVOKE_ALL] {
        assert_eq!(status(verifier.revoke("user", before)), Status::Ok);
    }
}

#[test]
fn an_entry_of_a_call_ends_a_day_after_the_last_token_it_could_revoke() {
    let stage = Stage::take();
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = now.clone();
    let mut options = stage.options();
    options.set_leeway_seconds(30).unwrap().set_max_lifetime_seconds(600);
    options.set_clock(move || clock.load(Ordering::Relaxed));
    let verifier = stage.verifier(&options);
    verifier.revoke("user", NOW).unwrap();
    // The token that lives longest: from the last moment that is revoked.
    let token = stage.issuer.mint(mint("user", NOW + 30).claim("exp", NOW + 630));
    now.store(NOW + 659, Ordering::Relaxed);
    assert_eq!(verify(&verifier, &token), Status::TokenRevoked);
    assert_eq!(stat(&verifier, "/revocations/entries"), 1);
    now.store(NOW + 660, Ordering::Relaxed);
    assert_eq!(verify(&verifier, &token), Status::TokenExpired);
    now.store(NOW + 660 + 86_399, Ordering::Relaxed);
    assert_eq!(stat(&verifier, "/revocations/entries"), 1);
    now.store(NOW + 660 + 86_400, Ordering::Relaxed);
    assert_eq!(stat(&verifier, "/revocations/entries"), 0);
}

#[test]
fn a_clock_that_is_ahead_for_a_moment_lifts_no_ban() {
    let stage = Stage::take();
    let now = Arc::new(AtomicI64::new(NOW));
    let clock = now.clone();
    let mut options = stage.options();
    options.set_max_lifetime_seconds(2_000_000).set_clock(move || clock.load(Ordering::Relaxed));
    let verifier = stage.verifier(&options);
    let token = stage.token("user", NOW);
    verifier.revoke("user", NOW).unwrap();
    now.store(NOW + 2_000_000 + 86_000, Ordering::Relaxed);
    // A call drops entries that have ended and are stored together with its own.
    verifier.revoke("user", NOW - 1).unwrap();
    now.store(NOW, Ordering::Relaxed);
    assert_eq!(verify(&verifier, &token), Status::TokenRevoked);
}

#[test]
fn at_most_a_hundred_thousand_users_are_revoked_by_calls() {
    let stage = Stage::take();
    let verifier = stage.verifier(&stage.options());
    for n in 0..100_000 {
        verifier.revoke(&format!("user_{n}"), NOW).unwrap();
    }
    let error = verifier.revoke("one more", NOW).unwrap_err();
    assert_eq!(error.to_string(), "revocations: more than 100000 entries");
    assert_eq!(error.status(), Status::InvalidArgument);
    assert_eq!(verify(&verifier, &stage.token("one more", NOW)), Status::Ok);
    assert_eq!(verify(&verifier, &stage.token("user_99999", NOW)), Status::TokenRevoked);
    verifier.set_revocations_json(&json(&[("one more", NOW)])).unwrap();
    assert_eq!(verify(&verifier, &stage.token("one more", NOW)), Status::TokenRevoked);
    assert_eq!(stat(&verifier, "/revocations/entries"), 100_001);
}
