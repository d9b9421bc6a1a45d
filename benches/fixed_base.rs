//! Verifying with a table of multiples of the key, beside aws-lc and ring, in one run: `make bench`.
//!
//! Contenders take turns as in the benchmark `verify`: with warm caches, then with cold ones, which
//! hold no table.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::multiple_unsafe_ops_per_block,
    reason = "a benchmark fails by panicking"
)]

#[allow(dead_code, reason = "only a part of it is used here")]
#[path = "verify/contest.rs"]
mod contest;
#[allow(dead_code, unused_imports, reason = "its own tests are elsewhere")]
#[path = "../src/es256/mod.rs"]
mod es256;

use std::hint::black_box;
use std::time::Instant;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    ParsedPublicKey, UnparsedPublicKey,
};
use contest::Contest;
use es256::{Table, accepts, self_test};
use torii::{Verifier, VerifierOptions};
use torii_emulator::{Emulator, Mint};

const SIGNATURES: usize = 1024;

const BARE: &str = "aws-lc, UnparsedPublicKey";

fn main() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    let signed: Vec<(Vec<u8>, [u8; 64])> = (0..SIGNATURES)
        .map(|n| {
            let message = format!("{n:0420}").into_bytes();
            let signature = pair.sign(&SystemRandom::new(), &message).unwrap();
            (message, signature.as_ref().try_into().unwrap())
        })
        .collect();
    let unparsed = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).unwrap();
    let ring = {
        use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
    };
    let generator = build(Table::of_generator());
    let table = build(Table::of_point(point).unwrap());
    let steps = slowest(0..self_test::STEPS, |step| {
        assert!(self_test::step(&generator, &table, &parsed, step));
    });
    println!("self-test: {} steps, {steps}", self_test::STEPS);

    let (default, tokens) = verifier(false);
    let (fixed_base, fixed_base_tokens) = verifier(true);
    let mut contest = Contest::new();
    contest.add(BARE, |n| {
        let (message, signature) = &signed[n % SIGNATURES];
        unparsed.verify(message, signature).unwrap();
    });
    contest.add("aws-lc, ParsedPublicKey", |n| {
        let (message, signature) = &signed[n % SIGNATURES];
        parsed.verify_sig(message, signature).unwrap();
    });
    contest.add("ring", |n| {
        let (message, signature) = &signed[n % SIGNATURES];
        ring.verify(message, signature).unwrap();
    });
    contest.add("fixed base", |n| {
        let (message, signature) = &signed[n % SIGNATURES];
        let digest = digest(&SHA256, message);
        let digest = digest.as_ref().try_into().unwrap();
        assert!(accepts(&generator, &table, digest, signature));
    });
    contest.add("Verifier, a new token", |n| {
        black_box(default.verify(&tokens[n % SIGNATURES]).unwrap());
    });
    contest.add("Verifier with fixed_base, the same", |n| {
        black_box(fixed_base.verify(&fixed_base_tokens[n % SIGNATURES]).unwrap());
    });
    println!();
    contest.run(BARE);
    contest.run_cold(BARE);
}

/// A verifier without a token cache, whose key has its table if it is to have one.
fn verifier(fixed_base: bool) -> (Verifier, Vec<String>) {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let mint = |n| issuer.mint(Mint::new().subject(&format!("user-{n}")).expires_in(86_400));
    let tokens: Vec<String> = (0..SIGNATURES).map(mint).collect();
    let mut options = VerifierOptions::new();
    options.set_jwks(issuer.jwks().to_string().as_bytes()).unwrap();
    options.set_token_cache_bytes(0).set_fixed_base(fixed_base).unwrap();
    let verifier = Verifier::new(&issuer.url(), &options).unwrap();
    let slices = slowest(0..300, |n| drop(verifier.verify(&tokens[n]).unwrap()));
    println!("the first 300 new tokens, fixed_base {fixed_base}: {slices}");
    assert_eq!(verifier.stats().unwrap().int("/tables_built").unwrap(), i64::from(fixed_base));
    (verifier, tokens)
}

fn build(mut table: Table) -> Table {
    let mut rows = 0;
    let mut times = Vec::new();
    while !table.is_complete() {
        let started = Instant::now();
        table.add_row();
        times.push(started.elapsed());
        rows += 1;
    }
    times.sort();
    let sum: f64 = times.iter().map(|time| time.as_secs_f64()).sum();
    println!("a table: {rows} rows, {:.3} ms, median {:?}", sum * 1e3, times[rows / 2]);
    table
}

fn slowest(numbers: std::ops::Range<usize>, work: impl Fn(usize)) -> String {
    let time = |n| {
        let started = Instant::now();
        work(n);
        started.elapsed()
    };
    let mut times: Vec<_> = numbers.map(time).collect();
    times.sort();
    let at = |share: usize| times[(times.len() - 1) * share / 100];
    format!("median {:?}, 95 % below {:?}, slowest {:?}", at(50), at(95), at(100))
}
