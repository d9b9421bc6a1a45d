//! The verdicts that every binding gives, given by the crate itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use torii::{Auth, Error, Requirement, Verifier, VerifierOptions};
use torii_behaviour::{Case, Corpus, Input, KeySet};

fn options(corpus: &Corpus, case: &Case) -> VerifierOptions {
    let jwks = |name: &str| corpus.key_sets[name].jwks.expand();
    let told = &case.options;
    let mut options = VerifierOptions::new();
    options.set_jwks(jwks(&case.key_set).as_bytes()).unwrap();
    for further in &told.issuers {
        options.add_issuer(&further.issuer).unwrap();
        options.set_jwks(jwks(&further.key_set).as_bytes()).unwrap();
    }
    for audience in &told.audiences {
        options.add_audience(audience).unwrap();
    }
    if let Some(leeway) = told.leeway {
        options.set_leeway(leeway.try_into().unwrap()).unwrap();
    }
    for requirement in &told.require {
        options.require(match requirement.as_str() {
            "email_verified" => Requirement::EmailVerified,
            "profile_complete" => Requirement::ProfileComplete,
            "not_impersonated" => Requirement::NotImpersonated,
            other => panic!("{other}"),
        });
    }
    if let Some(now) = told.now {
        options.set_clock(move || now);
    }
    options
}

fn check(case: &Case, how: &str, verdict: Result<Auth, Error>) {
    let name = format!("{} {how}", case.name);
    let auth = match verdict {
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
    assert_eq!(auth.issued_at(), expected.issued_at, "{name}");
    assert_eq!(auth.expires_at(), expected.expires_at, "{name}");
    assert_eq!(auth.claims_json(), expected.claims_json.expand(), "{name}");
}

#[test]
fn every_case_gets_its_verdict_in_every_way_of_asking() {
    let corpus = torii_behaviour::load();
    for case in &corpus.cases {
        let mut options = options(&corpus, case);
        let cached = Verifier::new(&case.options.issuer, &options).unwrap();
        options.set_verdict_cache_bytes(0);
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
