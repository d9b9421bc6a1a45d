//! Verifying with a table of multiples of the key, beside aws-lc and ring, in one run: `make bench`.
//!
//! Contenders take turns in short rounds on one thread, and the median round counts. For the cold
//! rows, 48 MiB are written before each verification, so that no cache holds a table.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark fails by panicking"
)]

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
use es256::{Table, accepts, self_test};
use torii::{Verifier, VerifierOptions};
use torii_emulator::{Emulator, Mint};

/// Signatures in a round.
const ROUND: usize = 16;
const ROUNDS: usize = 601;
const COLD_ROUNDS: usize = 101;
const SIGNATURES: usize = 1024;

struct Contender<'a> {
    name: &'static str,
    verify: Box<dyn Fn(usize) + 'a>,
    warm: Vec<f64>,
    cold: Vec<f64>,
}

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
    let mut contenders = [
        contender("aws-lc, UnparsedPublicKey", |n| {
            let (message, signature) = &signed[n % SIGNATURES];
            unparsed.verify(message, signature).unwrap();
        }),
        contender("aws-lc, ParsedPublicKey", |n| {
            let (message, signature) = &signed[n % SIGNATURES];
            parsed.verify_sig(message, signature).unwrap();
        }),
        contender("ring", |n| {
            let (message, signature) = &signed[n % SIGNATURES];
            ring.verify(message, signature).unwrap();
        }),
        contender("fixed base", |n| {
            let (message, signature) = &signed[n % SIGNATURES];
            let digest = digest(&SHA256, message);
            let digest = digest.as_ref().try_into().unwrap();
            assert!(accepts(&generator, &table, digest, signature));
        }),
        contender("Verifier, a new token", |n| {
            black_box(default.verify(&tokens[n % SIGNATURES]).unwrap());
        }),
        contender("Verifier with fixed_base, the same", |n| {
            black_box(fixed_base.verify(&fixed_base_tokens[n % SIGNATURES]).unwrap());
        }),
    ];
    for round in 0..ROUNDS {
        for contender in &mut contenders {
            let started = Instant::now();
            (0..ROUND).for_each(|n| (contender.verify)(round * ROUND + n));
            contender.warm.push(started.elapsed().as_secs_f64() / ROUND as f64);
        }
    }
    let mut memory = vec![0u8; 48 << 20];
    for round in 0..COLD_ROUNDS {
        for contender in &mut contenders {
            memory.fill(round as u8);
            black_box(&mut memory);
            let started = Instant::now();
            (contender.verify)(round);
            contender.cold.push(started.elapsed().as_secs_f64());
        }
    }
    report(&mut contenders);
}

fn contender<'a>(name: &'static str, verify: impl Fn(usize) + 'a) -> Contender<'a> {
    Contender { name, verify: Box::new(verify), warm: Vec::new(), cold: Vec::new() }
}

/// A verifier without a token cache, whose key has its table if it is to have one.
fn verifier(fixed_base: bool) -> (Verifier, Vec<String>) {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let mint = |n| issuer.mint(Mint::new().subject(&format!("user-{n}")));
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

fn report(contenders: &mut [Contender<'_>]) {
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let base = (median(&mut contenders[0].warm), median(&mut contenders[0].cold));
    println!("\n{:36} {:>8} {:>7} {:>9} {:>7}", "", "us", "ratio", "cold, us", "ratio");
    for contender in contenders {
        let (warm, cold) = (median(&mut contender.warm), median(&mut contender.cold));
        let (name, us) = (contender.name, 1e6);
        let ratios = (warm / base.0, cold / base.1);
        println!("{name:36} {:8.2} {:7.3} {:9.2} {:7.3}", warm * us, ratios.0, cold * us, ratios.1);
    }
}
