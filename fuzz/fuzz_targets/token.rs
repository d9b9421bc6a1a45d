//! Any token or header gives a result, never a panic, and only tokens that are known to be valid are
//! accepted.

#![no_main]

use std::collections::HashSet;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use torii::{Status, Verifier, VerifierOptions};
use torii_behaviour::Input;

struct Known {
    verifier: Verifier,
    good: HashSet<String>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let corpus = torii_behaviour::load();
    let case = corpus.cases.iter().find(|case| case.name == "good-minimal").expect("the case");
    let mut options = VerifierOptions::new();
    options.set_jwks(corpus.key_sets[&case.key_set].jwks.expand().as_bytes()).expect("keys");
    let verifier = Verifier::new(&case.options.issuer, &options).expect("a verifier");
    let tokens = corpus.cases.iter().filter_map(|case| match &case.input {
        Input::Token(token) => Some(token.expand()),
        Input::Header(header) => header.expand().split_whitespace().nth(1).map(str::to_owned),
    });
    let good = tokens.filter(|token| verifier.verify(token).is_ok()).collect();
    Known { verifier, good }
});

fuzz_target!(|data: &[u8]| {
    let result = KNOWN.verifier.verify(data);
    if let Ok(auth) = &result {
        let token = str::from_utf8(data).expect("a valid token is text");
        assert!(KNOWN.good.contains(token), "{auth:?}");
    }
    let again = KNOWN.verifier.verify_nowait(data);
    let status =
        |result: &torii::Result<_>| result.as_ref().map_or_else(|e| e.status(), |_| Status::Ok);
    assert_eq!(status(&result), status(&again));
    drop(KNOWN.verifier.authenticate(data));
});
