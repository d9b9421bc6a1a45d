//! Metrics: their counts, against the issuer's own log, and how they combine several issuers.

use std::thread;

use torii::{REQUIRE_ORGANIZATION, Requirements, Status, Verifier};
use torii_emulator::{FaultKind, Mint};

use crate::{Stage, of_unknown_key, options, seconds, status, verifier, without_threads};

/// The value of this sample: a name and its labels.
fn value(verifier: &Verifier, sample: &str) -> Option<f64> {
    let text = verifier.metrics();
    let mut values = text.lines().filter_map(|line| line.strip_prefix(sample)?.strip_prefix(' '));
    let value = values.next().map(|value| value.parse().unwrap());
    assert_eq!(values.next(), None, "{sample} is there twice");
    value
}

fn count(verifier: &Verifier, sample: &str) -> u64 {
    value(verifier, sample).unwrap_or_else(|| panic!("no {sample}")) as u64
}

fn tokens(verifier: &Verifier, status: Status) -> u64 {
    count(verifier, &format!("torii_tokens_total{{status=\"{}\"}}", status.name()))
}

fn fetches(verifier: &Verifier, outcome: &str) -> u64 {
    count(verifier, &format!("torii_key_fetches_total{{outcome=\"{outcome}\"}}"))
}

#[test]
fn fetches_are_those_the_issuers_saw() {
    let stage = Stage::take();
    let (one, two) = (stage.issuer("metrics-log-1"), stage.issuer("metrics-log-2"));
    let mut both = options();
    both.add_issuer(&two.url()).unwrap();
    let verifier = verifier(&one, &both);
    let logged = || one.jwks_requests() + two.jwks_requests();
    let counted = || (fetches(&verifier, "success"), fetches(&verifier, "failure"));
    assert_eq!(counted(), (0, 0));

    one.fault(FaultKind::status(503), Some(1));
    two.fault(FaultKind::body("no key set"), Some(1));
    for issuer in [&one, &two] {
        let token = issuer.mint(Mint::new());
        assert_eq!(status(verifier.verify(&token)), Status::KeysUnavailable);
        assert_eq!(status(verifier.verify(&token)), Status::KeysUnavailable, "backing off");
    }
    assert_eq!((counted(), logged()), ((0, 2), 2));
    for round in 1..=4 {
        seconds(60);
        assert_eq!(status(verifier.verify(of_unknown_key(&one))), Status::TokenKeyUnknown);
        verifier.refresh_due(Some(&two.url())).unwrap();
        assert!(verifier.verify(one.mint(Mint::new())).is_ok());
        assert!(verifier.verify(two.mint(Mint::new())).is_ok());
        let (success, failure) = counted();
        assert_eq!((success + failure, failure), (logged(), 2), "round {round}");
    }
    assert!(one.jwks_requests() > two.jwks_requests(), "the unknown keys were looked up");
    seconds(2);
    two.fault(FaultKind::status(500), Some(1));
    assert_eq!(status(verifier.refresh()), Status::KeysUnavailable);
    let (success, failure) = counted();
    assert_eq!((success + failure, failure), (logged(), 3));
}

#[test]
fn every_verification_is_counted_once() {
    let stage = Stage::take();
    let issuer = stage.issuer("metrics-tokens");
    let verifier = verifier(&issuer, &options());
    verifier.refresh().unwrap();
    let mut organization = Requirements::new();
    organization.add_flags(REQUIRE_ORGANIZATION).unwrap();
    let good = issuer.mint(Mint::new());
    let bad = [
        ("a.b".to_owned(), Status::TokenMalformed),
        ("a".repeat(20_000), Status::TokenTooLarge),
        (issuer.mint(Mint::new().alg("HS256")), Status::TokenAlgorithm),
        (issuer.mint(Mint::new().forged()), Status::TokenSignature),
        (issuer.mint(Mint::new().now_offset(-5_000)), Status::TokenExpired),
        (issuer.mint(Mint::new().now_offset(5_000)), Status::TokenNotYetValid),
        (issuer.mint(Mint::new().claim("iss", "https://x.example")), Status::TokenIssuer),
        (issuer.mint(Mint::new().claim("aud", "app")), Status::TokenAudience),
        (issuer.mint(Mint::new().without("sub")), Status::TokenClaim),
    ];
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..50 {
                    assert_eq!(status(verifier.verify(&good)), Status::Ok);
                    for (token, expected) in &bad {
                        assert_eq!(status(verifier.verify(token)), *expected);
                    }
                    assert_eq!(status(verifier.authenticate("")), Status::TokenMissing);
                    assert_eq!(status(verifier.authenticate("Basic x")), Status::TokenScheme);
                    let check = torii::Check::default();
                    let unmet = verifier.check(good.as_bytes(), check, Some(&organization));
                    assert_eq!(status(unmet), Status::Policy);
                }
            });
        }
    });
    let others = [Status::TokenMissing, Status::TokenScheme, Status::Policy, Status::Ok];
    for status in bad.iter().map(|(_, status)| *status).chain(others) {
        assert_eq!(tokens(&verifier, status), 400, "{status:?}");
    }
    for status in [Status::KeysPending, Status::TokenRevoked, Status::KeysUnavailable] {
        assert_eq!(tokens(&verifier, status), 0, "{status:?}");
    }
    let text = verifier.metrics();
    let series = text.lines().filter(|line| line.starts_with("torii_tokens_total{"));
    let sum =
        series.map(|line| line.rsplit_once(' ').unwrap().1.parse::<u64>().unwrap()).sum::<u64>();
    assert_eq!(sum, 8 * 50 * (bad.len() as u64 + 4));
    let hits = count(&verifier, "torii_token_cache_hits_total");
    assert!((1..=400).contains(&hits), "{hits} accepted tokens were in the cache");
    assert_eq!(count(&verifier, "torii_token_cache_entries"), 1);
    assert!(count(&verifier, "torii_token_cache_bytes") as usize > good.len());
}

#[test]
fn issuers_are_combined_unless_the_label_is_wanted() {
    let stage = Stage::take();
    let (one, two) = (stage.issuer("metrics-one"), stage.issuer("metrics-two"));
    let given = stage.issuer("metrics-given");
    let mut several = without_threads();
    several.add_issuer(&two.url()).unwrap();
    several.add_issuer_jwks(&given.url(), given.jwks().to_string().as_bytes()).unwrap();
    let combined = verifier(&one, &several);
    let labelled = verifier(&one, several.set_metrics_issuer_label(true));
    let of = |issuer: &str, name: &str, label: &str| {
        let issuer = stage.emulator.issuer(issuer).url();
        value(&labelled, &format!("{name}{{issuer=\"{issuer}\"{label}}}"))
    };

    // The keys of one are fetched at once, those of the other 100 seconds later.
    one.set_max_age(Some(1_000));
    combined.refresh_due(Some(&one.url())).unwrap();
    assert_eq!(count(&combined, "torii_issuers_without_keys"), 1);
    assert_eq!(of("metrics-one", "torii_issuers_without_keys", ""), Some(0.0));
    assert_eq!(of("metrics-two", "torii_issuers_without_keys", ""), Some(1.0));
    assert_eq!(of("metrics-two", "torii_key_age_seconds", ""), None);
    assert_eq!(value(&combined, "torii_key_due_seconds"), Some(0.0), "of the one without keys");
    seconds(100);
    two.fault(FaultKind::status(503), Some(1));
    assert_eq!(status(combined.refresh_due(Some(&two.url()))), Status::KeysUnavailable);
    assert_eq!(count(&combined, "torii_issuers_failing"), 1);
    assert_eq!(of("metrics-two", "torii_issuers_failing", ""), Some(1.0));
    assert_eq!(of("metrics-one", "torii_issuers_failing", ""), Some(0.0));
    seconds(2);
    two.publish_key();
    combined.refresh_due(Some(&two.url())).unwrap();

    assert_eq!(count(&combined, "torii_issuers"), 3);
    assert_eq!(count(&combined, "torii_issuers_failing"), 0);
    assert_eq!(count(&combined, "torii_keys"), 4);
    assert_eq!(of("metrics-two", "torii_keys", ""), Some(2.0));
    let succeeded = ",outcome=\"success\"";
    assert_eq!(fetches(&combined, "success"), 2);
    assert_eq!(of("metrics-one", "torii_key_fetches_total", succeeded), Some(1.0));
    assert_eq!(of("metrics-two", "torii_key_fetches_total", succeeded), Some(1.0));
    assert_eq!(of("metrics-two", "torii_key_fetches_total", ",outcome=\"failure\""), Some(1.0));
    assert_eq!(of("metrics-given", "torii_key_fetches_total", succeeded), Some(0.0));

    // The oldest counts, and the one that is due first. Given keys neither age nor are due.
    for name in ["torii_key_age_seconds", "torii_key_last_success_age_seconds"] {
        let (oldest, old) = (value(&combined, name).unwrap(), of("metrics-one", name, "").unwrap());
        let young = of("metrics-two", name, "").unwrap();
        assert!(oldest >= 102.0 && old >= oldest && young + 102.0 <= old, "{oldest} {old} {young}");
        assert_eq!(of("metrics-given", name, ""), None);
    }
    let name = "torii_key_due_seconds";
    let (first, second) =
        (of("metrics-two", name, "").unwrap(), of("metrics-one", name, "").unwrap());
    assert!(first <= 240.0 && second > 400.0, "{first} {second}");
    assert!(value(&combined, name).is_some_and(|due| due >= first && due <= 240.0));
    assert_eq!(of("metrics-given", name, ""), None);

    assert!(!combined.metrics().contains(&one.url()) && !combined.metrics().contains("issuer="));
    for name in ["torii_issuers ", "torii_keys ", "torii_key_age_seconds "] {
        assert!(!labelled.metrics().contains(&format!("\n{name}")), "{name}is not combined");
    }
}

#[test]
fn keys_that_are_too_old_are_none() {
    let stage = Stage::take();
    let issuer = stage.issuer("metrics-old");
    let verifier = verifier(&issuer, &without_threads());
    verifier.refresh().unwrap();
    seconds(86_000);
    assert_eq!(count(&verifier, "torii_keys"), 1);
    assert_eq!(count(&verifier, "torii_issuers_without_keys"), 0);
    seconds(1_000);
    assert_eq!(count(&verifier, "torii_keys"), 0);
    assert_eq!(count(&verifier, "torii_issuers_without_keys"), 1);
    assert!(count(&verifier, "torii_key_age_seconds") >= 87_000);
}
