//! Requirements and options of a verifier: arguments that are refused, and messages. The results for
//! tokens are in `tests/behaviour`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

use torii::{
    Auth, Check, Error, REQUIRE_EMAIL_VERIFIED, REQUIRE_NOT_IMPERSONATED, REQUIRE_ORGANIZATION,
    REQUIRE_PROFILE_COMPLETE, Requirements, Result, Status, Verifier, VerifierOptions,
};
use torii_behaviour::{Corpus, Input};

const ISSUER: &str = "https://acme.torii.so";

fn invalid<T>(result: Result<T>) -> String {
    match result {
        Ok(_) => panic!("accepted"),
        Err(error) => {
            assert_eq!(error.status(), Status::InvalidArgument, "{error}");
            error.to_string()
        }
    }
}

fn options(corpus: &Corpus) -> VerifierOptions {
    let mut options = VerifierOptions::new();
    options.set_jwks(corpus.key_sets["main"].jwks.expand().as_bytes()).unwrap();
    options
}

fn token(corpus: &Corpus, name: &str) -> String {
    let case = corpus.cases.iter().find(|case| case.name == name).unwrap();
    let Input::Token(token) = &case.input else { panic!("{name}: a header") };
    token.expand()
}

fn login(corpus: &Corpus, name: &str) -> Auth {
    let mut options = options(corpus);
    options.set_legacy_organization(true);
    Verifier::new(ISSUER, &options).unwrap().verify(token(corpus, name)).unwrap()
}

fn unmet(auth: &Auth, add: impl Fn(&mut Requirements)) -> String {
    let mut requirements = Requirements::new();
    assert!(auth.require(&requirements).is_ok());
    add(&mut requirements);
    let error = auth.require(&requirements).unwrap_err();
    assert_eq!(error.status(), Status::Policy);
    error.to_string()
}

#[test]
fn flags_are_known_and_not_zero() {
    let mut requirements = Requirements::new();
    let why = "flags: zero or unknown (expected a combination of REQUIRE flags)";
    for flags in [0, 16, 17, u32::MAX, 1 << 31] {
        assert_eq!(invalid(requirements.add_flags(flags)), why);
        assert_eq!(invalid(VerifierOptions::new().require(flags)), why);
    }
    let all = REQUIRE_EMAIL_VERIFIED
        | REQUIRE_PROFILE_COMPLETE
        | REQUIRE_NOT_IMPERSONATED
        | REQUIRE_ORGANIZATION;
    assert_eq!(all, 15);
    assert!(requirements.add_flags(all).is_ok());
}

#[test]
fn a_claim_is_a_pointer_and_a_scalar() {
    let mut requirements = Requirements::new();
    for pointer in ["", "plan", "plan/x", "/~", "/a~2b"] {
        let message = invalid(requirements.add_claim(pointer, "1"));
        assert!(message.starts_with("pointer: "), "{message}");
    }
    for json in ["", "null", "[]", "[1]", "{}", r#"{"a":1}"#, "pro", "1 2", "1e999", "NaN", "\"a"] {
        let message = invalid(requirements.add_claim("/plan", json));
        assert!(message.starts_with("json: "), "{json}: {message}");
    }
    invalid(requirements.add_claim("/plan", "1e-99999999999999999999"));
    let corpus = torii_behaviour::load();
    let auth = login(&corpus, "good-minimal");
    assert!(auth.require(&requirements).is_ok(), "what was refused was not added");
    for json in ["true", "false", " 1 ", "-1.5e-3", r#""""#, r#""pro""#] {
        requirements.add_claim("/plan", json).unwrap();
    }
}

#[test]
fn an_organization_has_an_id() {
    let mut requirements = Requirements::new();
    assert_eq!(invalid(requirements.add_organization("", None)), "id: empty");
    assert_eq!(invalid(requirements.add_organization("", Some("admin"))), "id: empty");
    assert_eq!(invalid(requirements.add_organization("acme", Some(""))), "role: empty");
    assert_eq!(invalid(requirements.add_organization("a\0b", None)), "id: contains U+0000");
    assert_eq!(invalid(requirements.add_organization("a", Some("\0"))), "role: contains U+0000");
}

#[test]
fn a_refusal_names_the_requirement() {
    let corpus = torii_behaviour::load();
    let flag = |name: &str, flag: u32| {
        unmet(&login(&corpus, name), |r| {
            r.add_flags(flag).unwrap();
        })
    };
    assert_eq!(
        flag("good-minimal", REQUIRE_EMAIL_VERIFIED),
        "claim `email_verified`: absent (add it to the environment's default JWT template)"
    );
    for name in ["email-verified-false", "email-verified-null", "email-verified-string-true"] {
        assert_eq!(flag(name, REQUIRE_EMAIL_VERIFIED), "claim `email_verified`: not true");
    }
    assert_eq!(
        flag("profile-complete-false", REQUIRE_PROFILE_COMPLETE),
        "claim `profile_complete`: false"
    );
    for name in ["act-object", "act-empty-object", "impersonating-true"] {
        assert_eq!(
            flag(name, REQUIRE_NOT_IMPERSONATED),
            "claims `act` and `impersonating`: the user is impersonated"
        );
    }
    assert_eq!(flag("good-minimal", REQUIRE_ORGANIZATION), "organization: none is active");

    let organization = |name: &str, role| {
        unmet(&login(&corpus, name), |r| {
            r.add_organization("acme", role).unwrap();
        })
    };
    assert_eq!(organization("good-minimal", None), "organization: none is active");
    assert_eq!(
        organization("organization-string", None),
        "organization: not one of those required"
    );
    assert_eq!(
        organization("organization-older", Some("owner")),
        "organization: the user does not have the required role"
    );

    let claim = |pointer: &str| {
        unmet(&login(&corpus, "good-minimal"), |r| {
            r.add_claim(pointer, "1").unwrap();
        })
    };
    assert_eq!(claim("/plan"), "claim `/plan`: absent");
    assert_eq!(claim("/sub"), "claim `/sub`: not the required value");
    assert_eq!(claim("/a\nb"), r"claim `/a\nb`: absent");
}

#[test]
fn requirements_of_a_call_are_checked_at_every_hit_and_do_not_stay() {
    let corpus = torii_behaviour::load();
    let verifier = Verifier::new(ISSUER, &options(&corpus)).unwrap();
    let token = token(&corpus, "good-minimal");
    let mut requirements = Requirements::new();
    requirements.add_flags(REQUIRE_ORGANIZATION).unwrap();
    let status = |requirements| {
        let outcome = verifier.check(token.as_bytes(), Check::default(), requirements);
        outcome.map_or_else(|error: Error| error.status(), |_| Status::Ok)
    };
    for _ in 0..2 {
        assert_eq!(status(Some(&requirements)), Status::Policy);
        assert_eq!(status(None), Status::Ok);
    }
    let stats = verifier.stats().unwrap();
    assert_eq!(stats.int("/accepted").unwrap(), 2);
    assert_eq!(stats.int("/hits").unwrap(), 2, "a token that lacks only those of a call is kept");
    assert_eq!(stats.int("/refused/TORII_ERR_POLICY").unwrap(), 2);
}

#[test]
fn flags_stay_when_requirements_are_set() {
    let corpus = torii_behaviour::load();
    let mut options = options(&corpus);
    options.require(REQUIRE_EMAIL_VERIFIED).unwrap();
    let mut organization = Requirements::new();
    organization.add_flags(REQUIRE_ORGANIZATION).unwrap();
    options.set_requirements(&organization);
    let message = |options: &VerifierOptions, name: &str| {
        let verifier = Verifier::new(ISSUER, options).unwrap();
        verifier.verify(token(&corpus, name)).map(drop).map_err(|error| error.to_string())
    };
    assert!(message(&options, "organization-string").unwrap_err().contains("email_verified"));
    assert!(message(&options, "email-verified-true").unwrap_err().contains("organization"));
    // Another call of set_requirements replaces the one before.
    options.set_requirements(&Requirements::new());
    assert_eq!(message(&options, "email-verified-true"), Ok(()));
    assert!(message(&options, "good-minimal").is_err());
}

#[test]
fn audiences_are_configured_or_ignored() {
    let mut options = VerifierOptions::new();
    options.set_ignore_audience(true).add_audience("api").unwrap();
    let error = Verifier::new(ISSUER, &options).unwrap_err();
    assert_eq!(error.status(), Status::InvalidConfig);
    assert!(error.to_string().starts_with("audience: both configured and ignored"), "{error}");
    assert!(Verifier::new(ISSUER, options.set_ignore_audience(false)).is_ok());
}

#[test]
fn keys_belong_to_the_issuer_they_were_given_for() {
    let corpus = torii_behaviour::load();
    let jwks = |name: &str| corpus.key_sets[name].jwks.expand();
    let case = corpus.cases.iter().find(|case| !case.options.issuers.is_empty()).unwrap();
    let further = &case.options.issuers[0];
    let keys = |options: &VerifierOptions| {
        let stats = Verifier::new(ISSUER, options).unwrap().stats().unwrap();
        [0, 1].map(|n| stats.int(&format!("/issuers/{n}/keys")).unwrap_or(-1))
    };
    let own = corpus.key_sets["main"].usable as i64;
    // In this order, set_jwks once gave the further issuer the verifier's own keys.
    let mut options = VerifierOptions::new();
    options.add_issuer(&further.issuer).unwrap();
    options.set_jwks(jwks("main").as_bytes()).unwrap();
    assert_eq!(keys(&options), [own, 0]);
    let mut options = VerifierOptions::new();
    options.add_issuer_jwks(&further.issuer, jwks(&further.key_set).as_bytes()).unwrap();
    assert_eq!(keys(&options), [0, corpus.key_sets[&further.key_set].usable as i64]);
    invalid(options.add_issuer_jwks("not a URL", jwks("main").as_bytes()));
    invalid(options.add_issuer_jwks("https://other.torii.so", b"{}"));
    assert!(keys(&options)[1] > 0, "what was refused was not added");
}

#[test]
fn a_challenge_carries_realm_and_resource_metadata() {
    let corpus = torii_behaviour::load();
    let mut options = options(&corpus);
    options.set_realm("the api").unwrap();
    options.set_resource_metadata("https://api.example/.well-known/x").unwrap();
    let verifier = Verifier::new(ISSUER, &options).unwrap();
    let rest = "resource_metadata=\"https://api.example/.well-known/x\"";
    let challenge = |error: Error| error.www_authenticate().unwrap();
    assert_eq!(
        challenge(verifier.authenticate("Basic x").unwrap_err()),
        format!("Bearer realm=\"the api\", {rest}")
    );
    assert_eq!(
        challenge(verifier.verify("a.b.c").unwrap_err()),
        format!("Bearer realm=\"the api\", error=\"invalid_token\", {rest}")
    );
    let mut requirements = Requirements::new();
    requirements.add_flags(REQUIRE_ORGANIZATION).unwrap();
    let auth = verifier.verify(token(&corpus, "good-minimal")).unwrap();
    drop(verifier);
    assert_eq!(
        challenge(auth.require(&requirements).unwrap_err()),
        format!("Bearer realm=\"the api\", error=\"insufficient_scope\", {rest}")
    );
}

#[test]
fn a_challenge_is_visible_ascii() {
    let mut options = VerifierOptions::new();
    for text in ["", "a\"b", "a\\b", "a\nb", "a\tb", "\u{e4}", "a\u{7f}", "a\0b"] {
        assert!(invalid(options.set_realm(text)).starts_with("realm: "), "{text:?}");
        let message = invalid(options.set_resource_metadata(text));
        assert!(message.starts_with("resource_metadata: "), "{text:?}");
    }
    invalid(options.set_resource_metadata("https://api.example/a b"));
    options.set_realm("!#[]^`{}~ 'x'").unwrap();
}

#[test]
fn numbers_have_a_range() {
    let mut options = VerifierOptions::new();
    assert!(options.set_leeway_seconds(300).is_ok());
    assert_eq!(invalid(options.set_leeway_seconds(301)), "leeway: not within 0 to 300 seconds");
    invalid(options.set_key_lifetime_seconds(0));
    invalid(options.set_max_stale_seconds(2_592_001));
    invalid(options.set_fetch_timeout_ms(99));
    invalid(options.set_proxy("proxy.example"));
    options.set_max_lifetime_seconds(u32::MAX).set_proxy("http://proxy.example:3128").unwrap();
}
