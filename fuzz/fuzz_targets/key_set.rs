//! Any answer of an issuer gives keys or a reason, never a panic, and never more than 64 keys.

#![no_main]

use libfuzzer_sys::fuzz_target;
use torii::{Verifier, VerifierOptions};

fuzz_target!(|data: &[u8]| {
    let mut options = VerifierOptions::new();
    if options.set_jwks(data).is_ok() {
        let verifier = Verifier::new("https://acme.torii.so", &options).expect("a verifier");
        let stats = verifier.stats().expect("statistics");
        assert!((1..=64).contains(&stats.int("/issuers/0/keys").expect("a count")));
    }
});
