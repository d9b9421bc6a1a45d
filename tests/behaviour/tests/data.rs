//! The data files are complete, sound, and what the definitions say.

use std::collections::BTreeSet;
use torii_behaviour::{Case, Corpus, generate, load, path};

#[test]
fn the_files_are_up_to_date() {
    for (name, text) in generate() {
        let on_disk = std::fs::read_to_string(path(name)).unwrap_or_default();
        assert!(on_disk == text, "{name}: run `cargo run -p torii-behaviour --bin generate`");
    }
}

#[test]
fn names_are_unique_and_kebab_case() {
    let corpus = load();
    let webhooks = corpus.webhooks.iter().map(|webhook| &webhook.name);
    let names: BTreeSet<_> = corpus.cases.iter().map(|case| &case.name).chain(webhooks).collect();
    assert_eq!(corpus.cases.len() + corpus.webhooks.len(), names.len());
    for name in names.into_iter().chain(corpus.key_sets.keys()) {
        let words = name.split('-');
        let is_word = |word: &str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(words.into_iter().all(is_word), "{name}");
    }
}

#[test]
fn every_status_of_a_token_has_a_case() {
    let Corpus { cases, .. } = load();
    assert!(cases.len() >= 150);
    let found: BTreeSet<_> = cases.iter().map(|case| case.expect.status.as_str()).collect();
    let expected = BTreeSet::from([
        "TORII_OK",
        "TORII_ERR_TOKEN_MISSING",
        "TORII_ERR_TOKEN_SCHEME",
        "TORII_ERR_TOKEN_MALFORMED",
        "TORII_ERR_TOKEN_TOO_LARGE",
        "TORII_ERR_TOKEN_ALGORITHM",
        "TORII_ERR_TOKEN_KEY_UNKNOWN",
        "TORII_ERR_TOKEN_SIGNATURE",
        "TORII_ERR_TOKEN_EXPIRED",
        "TORII_ERR_TOKEN_NOT_YET_VALID",
        "TORII_ERR_TOKEN_ISSUER",
        "TORII_ERR_TOKEN_AUDIENCE",
        "TORII_ERR_TOKEN_CLAIM",
        "TORII_ERR_TOKEN_LIFETIME",
        "TORII_ERR_POLICY",
    ]);
    assert_eq!(expected, found);
}

#[test]
fn cases_name_key_sets_that_can_be_used() {
    let corpus = load();
    for Case { name, key_set, options, .. } in &corpus.cases {
        let further = options.issuers.iter().map(|issuer| &issuer.key_set);
        for key_set in further.chain([key_set]) {
            let usable = corpus.key_sets.get(key_set).map(|set| set.usable);
            assert!(usable > Some(0), "{name}: {key_set}");
        }
    }
}

#[test]
fn only_accepted_tokens_say_who_it_is() {
    for Case { name, expect, .. } in load().cases {
        assert_eq!(expect.status == "TORII_OK", expect.auth.is_some(), "{name}");
    }
}

#[test]
fn every_status_of_a_webhook_has_a_case() {
    let corpus = load();
    let found: BTreeSet<_> = corpus.webhooks.iter().map(|webhook| webhook.expect.status.as_str()).collect();
    let expected = BTreeSet::from([
        "TORII_OK",
        "TORII_ERR_INVALID_ARGUMENT",
        "TORII_ERR_INVALID_CONFIG",
        "TORII_ERR_WEBHOOK_HEADER",
        "TORII_ERR_WEBHOOK_SIGNATURE",
        "TORII_ERR_WEBHOOK_TIMESTAMP",
    ]);
    assert_eq!(expected, found);
    for webhook in &corpus.webhooks {
        let accepted = webhook.expect.status == "TORII_OK";
        assert_eq!(accepted, webhook.expect.secret_index.is_some() && webhook.expect.sent_at.is_some(), "{}", webhook.name);
    }
}
