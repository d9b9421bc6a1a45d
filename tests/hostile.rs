//! Good tokens, changed in every place.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests fail by panicking")]

use torii::{Status, Verifier, VerifierOptions};
use torii_behaviour::Input;

#[test]
fn no_changed_token_is_accepted() {
    let corpus = torii_behaviour::load();
    let case = corpus.cases.iter().find(|case| case.name == "good-minimal").unwrap();
    let mut options = VerifierOptions::new();
    options.set_jwks(corpus.key_sets[&case.key_set].jwks.expand().as_bytes()).unwrap();
    let verifier = Verifier::new(&case.options.issuer, &options).unwrap();
    let token = match &case.input {
        Input::Token(token) => token.expand().into_bytes(),
        Input::Header(_) => unreachable!(),
    };
    assert!(verifier.verify(&token).is_ok());

    let mut judged = 0;
    let mut refuse = |token: &[u8], what: &str| {
        let verdict = verifier.verify(token);
        assert!(verdict.is_err(), "{what}: accepted");
        let status = verdict.unwrap_err().status();
        assert!((100..150).contains(&(status as u32)), "{what}: {status:?}");
        judged += 1;
    };
    for at in 0..token.len() {
        let with = |byte: u8| {
            let mut changed = token.clone();
            changed[at] = byte;
            changed
        };
        // Another letter of the alphabet, what is none of it, a bit.
        for byte in [b'A', b'_', b'.', b'=', 0, 0xff, token[at] ^ 1] {
            if byte != token[at] {
                refuse(&with(byte), &format!("byte {at} made {byte:#x}"));
            }
        }
        refuse(&token[..at], &format!("cut at {at}"));
        let mut longer = token.clone();
        longer.insert(at, token[at]);
        // Before an equal byte and after it is the same place; either way one is too many.
        refuse(&longer, &format!("byte {at} doubled"));
        let mut shorter = token.clone();
        shorter.remove(at);
        refuse(&shorter, &format!("byte {at} left out"));
    }
    assert!(judged > 3_000, "{judged}");
    let stats = verifier.stats().unwrap();
    assert_eq!(stats.int("/verdicts").unwrap(), 1);
    assert_eq!(Status::Ok.name(), case.expect.status);
}
