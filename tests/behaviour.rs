//! The cases that every binding runs, run against the crate itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;

use torii::{
    Auth, Check, Error, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_PROFILE_COMPLETE,
    Requirements, Verifier, VerifierOptions, Webhook,
};
use torii_behaviour::{Case, Corpus, Input, KeySet};

/// The flags of `require`.
fn required(case: &Case) -> Option<u32> {
    let flag = |requirement: &String| match requirement.as_str() {
        "email_verified" => REQUIRE_EMAIL_VERIFIED,
        "profile_complete" => REQUIRE_PROFILE_COMPLETE,
        "not_impersonated" => REQUIRE_NOT_IMPERSONATED,
        other => panic!("{other}"),
    };
    case.options.require.iter().map(flag).reduce(|all, flag| all | flag)
}

fn requirements(case: &Case) -> Option<Requirements> {
    let told = case.options.requirements.as_ref()?;
    let mut requirements = Requirements::new();
    if told.flags != 0 {
        requirements.add_flags(told.flags).unwrap();
    }
    for claim in &told.claims {
        requirements.add_claim(&claim.pointer, &claim.json).unwrap();
    }
    for organization in &told.organizations {
        requirements.add_organization(&organization.id, organization.role.as_deref()).unwrap();
    }
    Some(requirements)
}

fn jwks(corpus: &Corpus, name: &str) -> VerifierOptions {
    let mut options = VerifierOptions::new();
    options.set_jwks(corpus.key_sets[name].jwks.expand().as_bytes()).unwrap();
    options
}

fn options(corpus: &Corpus, case: &Case) -> VerifierOptions {
    configure(jwks(corpus, &case.key_set), corpus, case)
}

/// Sets all options of a case but its keys.
fn configure(mut options: VerifierOptions, corpus: &Corpus, case: &Case) -> VerifierOptions {
    let jwks = |name: &str| corpus.key_sets[name].jwks.expand();
    let told = &case.options;
    for further in &told.issuers {
        options.add_issuer_jwks(&further.issuer, jwks(&further.key_set).as_bytes()).unwrap();
    }
    for audience in &told.audiences {
        options.add_audience(audience).unwrap();
    }
    if let Some(leeway) = told.leeway {
        options.set_leeway_seconds(leeway.try_into().unwrap()).unwrap();
    }
    if let Some(seconds) = told.max_lifetime_seconds {
        options.set_max_lifetime_seconds(seconds.try_into().unwrap());
    }
    options.set_ignore_audience(told.ignore_audience);
    options.set_legacy_organization(told.legacy_organization);
    if let Some(flags) = required(case) {
        options.require(flags).unwrap();
    }
    if let Some(requirements) = requirements(case) {
        options.set_requirements(&requirements);
    }
    if let Some(now) = told.now {
        options.set_clock(move || now);
    }
    options
}

fn check(case: &Case, how: &str, result: Result<Auth, Error>) {
    let name = format!("{} {how}", case.name);
    let auth = match result {
        Ok(auth) => auth,
        Err(error) => {
            assert_eq!(error.status().name(), case.expect.status, "{name}: {error}");
            return;
        }
    };
    assert_eq!("TORII_OK", case.expect.status, "{name}");
    let expected = case.expect.auth.as_ref().unwrap();
    assert_eq!(auth.user_id(), expected.user_id, "{name}");
    assert_eq!(auth.environment_id(), expected.environment_id, "{name}");
    assert_eq!(auth.issuer(), expected.issuer, "{name}");
    assert_eq!(auth.locale(), expected.locale.as_deref(), "{name}");
    assert_eq!(auth.email_verified(), expected.email_verified, "{name}");
    assert_eq!(auth.profile_complete(), expected.profile_complete, "{name}");
    assert_eq!(auth.impersonating(), expected.impersonating, "{name}");
    assert_eq!(auth.actor_id(), expected.actor_id.as_deref(), "{name}");
    assert_eq!(auth.organization_id(), expected.organization_id.as_deref(), "{name}");
    assert_eq!(auth.organization_role(), expected.organization_role.as_deref(), "{name}");
    assert_eq!(auth.flags(), expected.flags, "{name}");
    assert_eq!(auth.issued_at(), expected.issued_at, "{name}");
    assert_eq!(auth.expires_at(), expected.expires_at, "{name}");
    assert_eq!(auth.claims_json(), expected.claims_json.expand(), "{name}");
}

#[test]
fn every_case_gets_its_result_from_every_function() {
    let corpus = torii_behaviour::load();
    for case in &corpus.cases {
        let mut options = options(&corpus, case);
        let cached = Verifier::new(&case.options.issuer, &options).unwrap();
        options.set_token_cache_bytes(0);
        let uncached = Verifier::new(&case.options.issuer, &options).unwrap();
        match &case.input {
            Input::Token(token) => {
                let token = token.expand();
                check(case, "at first", cached.verify(&token));
                check(case, "again", cached.verify(&token));
                check(case, "without waiting", cached.verify_nowait(&token));
                check(case, "without a cache", uncached.verify(&token));
            }
            Input::Header(header) => {
                let header = header.expand();
                check(case, "at first", cached.authenticate(&header));
                check(case, "again", cached.authenticate(&header));
                check(case, "without waiting", cached.authenticate_nowait(&header));
                check(case, "without a cache", uncached.authenticate(&header));
            }
        }
    }
    println!("{} cases", corpus.cases.len());
}

/// Cases with the same key set share its keys, so that their tables get built.
#[test]
fn every_case_gets_its_result_with_fixed_base() {
    let corpus = torii_behaviour::load();
    let mut key_sets = BTreeMap::new();
    for round in ["at first", "while tables are built", "with tables"] {
        for case in &corpus.cases {
            let shared = key_sets.entry(&case.key_set).or_insert_with(|| {
                let mut options = jwks(&corpus, &case.key_set);
                options.set_fixed_base(true).unwrap().set_token_cache_bytes(0);
                options
            });
            let options = configure(shared.clone(), &corpus, case);
            let verifier = Verifier::new(&case.options.issuer, &options).unwrap();
            match &case.input {
                Input::Token(token) => check(case, round, verifier.verify(token.expand())),
                Input::Header(header) => {
                    check(case, round, verifier.authenticate(header.expand()));
                }
            }
            let stats = verifier.stats().unwrap();
            let tables = stats.int("/tables_built").unwrap();
            assert!(round != "with tables" || tables > 0, "no table was built");
            assert_eq!(stats.int("/tables_discarded").unwrap(), 0);
        }
    }
}

#[test]
fn requirements_hold_for_a_verifier_a_call_or_a_result() {
    let corpus = torii_behaviour::load();
    let (mut met, mut unmet) = (0, 0);
    for case in &corpus.cases {
        let mut all = requirements(case).unwrap_or_default();
        if let Some(flags) = required(case) {
            all.add_flags(flags).unwrap();
        } else if case.options.requirements.is_none() {
            continue;
        }
        let Input::Token(token) = &case.input else { continue };
        let token = token.expand();
        let mut lenient = case.clone();
        lenient.options.require.clear();
        lenient.options.requirements = None;
        let verifier = Verifier::new(&case.options.issuer, &options(&corpus, &lenient)).unwrap();
        let call = || verifier.check(token.as_bytes(), Check::default(), Some(&all));
        check(case, "with requirements of the call", call());
        let Ok(auth) = verifier.verify(&token) else { continue };
        check(case, "with requirements of the call, at a hit", call());
        let asked = auth.require(&all).map(|()| auth.clone());
        if asked.is_ok() {
            met += 1
        } else {
            unmet += 1
        }
        check(case, "asked of the result", asked);
        assert!(verifier.verify(&token).is_ok(), "{}: the next call is free of them", case.name);
    }
    assert!(met > 20 && unmet > 30, "{met} met, {unmet} not");
}

#[test]
fn every_key_set_is_read_as_told() {
    for (name, set) in torii_behaviour::load().key_sets {
        let KeySet { jwks, usable, skipped, .. } = set;
        let mut options = VerifierOptions::new();
        match options.set_jwks(jwks.expand().as_bytes()) {
            Err(_) => assert_eq!(usable, 0, "{name}"),
            Ok(_) => {
                let verifier = Verifier::new("https://acme.torii.so", &options).unwrap();
                let stats = verifier.stats().unwrap();
                assert_eq!(stats.int("/issuers/0/keys").unwrap(), usable as i64, "{name}");
                assert_eq!(stats.int("/issuers/0/skipped").unwrap(), skipped as i64, "{name}");
            }
        }
    }
}

#[test]
fn every_webhook_gets_its_result() {
    let corpus = torii_behaviour::load();
    for case in &corpus.webhooks {
        let [id, timestamp, signature] =
            [&case.id, &case.timestamp, &case.signature].map(|text| text.expand());
        let digits = case.body_hex.as_bytes().chunks(2).map(|pair| str::from_utf8(pair).unwrap());
        let body: Vec<u8> = digits.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
        let verify = || {
            let mut secrets = case.secrets.iter();
            let mut webhook = Webhook::new(secrets.next().map_or("", String::as_str))?;
            for secret in secrets {
                webhook.add_secret(secret)?;
            }
            webhook.set_tolerance_seconds(case.tolerance as u32)?;
            let [id, timestamp, signature] = [&id, &timestamp, &signature].map(|s| s.as_bytes());
            webhook.verify(id, timestamp, signature, &body, case.now)
        };
        match verify() {
            Ok(sent_at) => {
                assert_eq!("TORII_OK", case.expect.status, "{}", case.name);
                assert_eq!(Some(sent_at), case.expect.sent_at, "{}", case.name);
            }
            Err(error) => {
                assert_eq!(error.status().name(), case.expect.status, "{}: {error}", case.name);
                let message = error.to_string();
                let mut secrets = case.secrets.iter().filter(|secret| secret.len() > 8);
                assert!(!secrets.any(|secret| message.contains(&secret[6..])), "{message}");
            }
        }
    }
    println!("{} webhooks", corpus.webhooks.len());
}
