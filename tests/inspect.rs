//! Looking at an issuer, its keys and the API.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "this is a test")]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use torii::inspect::{self, IssuerReport, KeySetReport, Outcome};
use torii::{ClientOptions, Status, VerifierOptions};
use torii_emulator::{Emulator, Fault, FaultKind, Spelling};

fn look(issuer: &str) -> IssuerReport {
    look_within(60_000, issuer)
}

fn look_within(ms: u32, issuer: &str) -> IssuerReport {
    inspect::issuer(issuer, VerifierOptions::new().set_fetch_timeout_ms(ms).unwrap()).unwrap()
}

/// An issuer without a server: no test can take this port, and no service has used it for decades.
const NOBODY: &str = "http://127.0.0.1:1";

#[test]
fn an_issuer_is_seen_as_a_verifier_sees_it() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    issuer.set_max_age(Some(7));
    let report = look(&format!("{}/", issuer.url()));
    assert_eq!(report.visit.url, issuer.jwks_url());
    let Outcome::Answered { http_status, date: Some(date), age: None } = report.visit.outcome
    else {
        panic!("{report:?}");
    };
    assert_eq!(http_status, 200);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    assert!(now.abs_diff(u64::try_from(date).unwrap()) <= 120, "{date} at {now}");
    assert_eq!((report.max_age, report.lifetime), (Some(7), Duration::from_secs(60)));
    let keys = report.key_set.unwrap();
    assert_eq!((keys.refused, keys.usable(), keys.keys.len()), (None, 1, 1));
    assert_eq!(keys.keys[0].kid, Some(issuer.kid()));
    assert_eq!(keys.keys[0].alg.as_deref(), Some("ES256"));
}

#[test]
fn failures_are_distinct() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let refused = look(NOBODY);
    assert!(matches!(refused.visit.outcome, Outcome::NotConnected(_)), "{refused:?}");
    assert!(refused.key_set.is_none());

    issuer.fault(FaultKind::hang(), 1);
    let silent = look_within(1_000, &issuer.url());
    let Outcome::NoAnswer(why) = silent.visit.outcome else { panic!("{:?}", silent.visit) };
    assert_eq!(why, "no answer within 1000 ms");

    issuer.fault(FaultKind::redirect("/elsewhere"), 1);
    let moved = look(&issuer.url());
    let outcome = moved.visit.outcome;
    assert!(matches!(outcome, Outcome::Answered { http_status: 302, .. }), "{outcome:?}");
    assert!(moved.key_set.is_none());

    issuer.fault(FaultKind::header("age", "90"), 1);
    let cached = look(&issuer.url()).visit.outcome;
    assert!(matches!(cached, Outcome::Answered { age: Some(90), .. }), "{cached:?}");

    let error = inspect::issuer("acme.torii.so", &VerifierOptions::new()).unwrap_err();
    assert_eq!(error.status(), Status::InvalidArgument);
}

#[test]
fn the_api_is_seen_without_a_key() {
    let emulator = Emulator::start();
    let mut options = ClientOptions::new();
    options.set_api_url(emulator.url()).unwrap();
    let outcome = inspect::api(&options).unwrap().outcome;
    assert!(matches!(outcome, Outcome::Answered { http_status: 401, .. }), "{outcome:?}");
    assert!(emulator.requests()[0].headers.iter().all(|(name, _)| name != "authorization"));

    emulator.fault(Fault::on("/api/", FaultKind::Close { handled: false }).times(1));
    let outcome = inspect::api(&options).unwrap().outcome;
    assert!(matches!(outcome, Outcome::NoAnswer(_)), "{outcome:?}");
    options.set_api_url(NOBODY).unwrap();
    let outcome = inspect::api(&options).unwrap().outcome;
    assert!(matches!(outcome, Outcome::NotConnected(_)), "{outcome:?}");
}

/// The report follows the rules of verifiers.
#[test]
fn every_key_set_of_the_corpus_is_counted_alike() {
    let corpus = torii_behaviour::load();
    for (name, set) in &corpus.key_sets {
        let report = KeySetReport::read(set.jwks.expand().as_bytes());
        assert_eq!(report.usable(), set.usable, "{name}");
        assert_eq!(report.refused.is_some(), set.usable == 0, "{name}");
        if report.refused.is_none() {
            assert_eq!(report.keys.len() - report.usable(), set.skipped, "{name}");
        }
    }
}

#[test]
fn the_problem_of_a_key_is_named() {
    let emulator = Emulator::start();
    let good = emulator.issuer("acme").jwks()["keys"][0].clone();
    let skipped = |member: &str, value: &str| {
        let mut key = good.clone();
        key[member] = serde_json::from_str(value).unwrap();
        let set = serde_json::json!({ "keys": [key] }).to_string();
        let report = KeySetReport::read(set.as_bytes());
        assert_eq!(report.refused, Some("no usable key"));
        report.keys[0].skipped.unwrap()
    };
    for (member, value, why) in [
        ("kty", r#""RSA""#, "`kty` is not EC"),
        ("crv", r#""P-384""#, "`crv` is not P-256"),
        ("alg", r#""ES384""#, "`alg` is not ES256"),
        ("use", r#""enc""#, "`use` is not sig"),
        ("key_ops", r#"["sign"]"#, "`key_ops` does not name verify"),
        ("kid", r#""""#, "`kid` is not of 1 to 256 bytes"),
        ("kid", "1", "a member of the wrong type"),
        ("x", r#""AAAA""#, "`x` and `y` are not a point of P-256"),
        ("d", r#""AAAA""#, "`d`: a private key, which is not secret any more"),
    ] {
        assert_eq!(skipped(member, value), why);
    }
    let twice = serde_json::json!({ "keys": [good, good, 1] }).to_string();
    let report = KeySetReport::read(twice.as_bytes());
    let reasons: Vec<_> = report.keys.iter().filter_map(|key| key.skipped).collect();
    let same = "another usable key has the same `kid`";
    assert_eq!(reasons, [same, same, "not a JSON object"]);
    assert_eq!(KeySetReport::read(b"[]").refused, Some("not a JSON object"));
}

#[test]
fn a_discovery_document_is_read_in_both_spellings() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let look = || {
        let options = VerifierOptions::new();
        inspect::discovery(&format!("{}/", issuer.url()), &options).unwrap()
    };
    for spelling in [Spelling::SnakeCase, Spelling::CamelCase] {
        issuer.set_discovery_spelling(spelling);
        let report = look();
        assert_eq!(report.visit.url, issuer.discovery_url());
        assert_eq!((&report.issuer, &report.jwks_url), (&issuer.url(), &issuer.jwks_url()));
        let document = report.document.unwrap();
        assert_eq!(document.issuer, Some(issuer.url()));
        assert_eq!(document.jwks_uri, Some(issuer.jwks_url()));
    }
    issuer.set_discovery_body(Some(r#"{"issuer":7,"jwksUri":"b","jwks_uri":"a"}"#));
    let document = look().document.unwrap();
    assert_eq!((document.issuer, document.jwks_uri.as_deref()), (None, Some("a")));
    issuer.set_discovery_body(Some("[]"));
    assert!(look().document.is_none());
    emulator.fault(Fault::on("/acme/", FaultKind::status(404)).times(1));
    let missing = look();
    assert!(matches!(missing.visit.outcome, Outcome::Answered { http_status: 404, .. }));
    assert!(missing.document.is_none());
    let silent = inspect::discovery(NOBODY, &VerifierOptions::new()).unwrap();
    assert!(matches!(silent.visit.outcome, Outcome::NotConnected(_)), "{silent:?}");
}
