//! How fast tokens are verified, beside bare cryptography and a peer, in one run: `make bench`.
//!
//! Contenders take turns in short rounds on a pinned thread, and the median round counts, so that
//! whatever else the machine does falls on all of them alike.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::multiple_unsafe_ops_per_block,
    reason = "a benchmark fails by panicking"
)]

#[path = "verify/c.rs"]
mod c;
#[path = "verify/contest.rs"]
mod contest;
#[path = "verify/outliers.rs"]
mod outliers;

use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use contest::Contest;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use torii::{Verifier, VerifierOptions};
use torii_emulator::{Emulator, Issuer, Mint};

/// How many distinct tokens take turns.
const DISTINCT: usize = 1_000;

fn main() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let tokens: Vec<String> =
        (0..DISTINCT).map(|n| issuer.mint(Mint::new().subject(&format!("user-{n}")))).collect();
    println!("token: {} bytes\n", tokens[0].len());

    let mut contest = Contest::new();
    bare_crypto(&mut contest, &issuer, &tokens);
    cold(&mut contest, &issuer, &tokens);
    peer(&mut contest, &issuer, &tokens);
    hits(&mut contest, &issuer, &tokens);
    refusals(&mut contest, &issuer, &tokens);
    contest.run("bare P-256 verify");

    let mut contest = Contest::new();
    cold(&mut contest, &issuer, &tokens);
    hits(&mut contest, &issuer, &tokens);
    contest.run_threads(2);

    outliers::run(&emulator);
}

fn offline(issuer: &Issuer) -> VerifierOptions {
    let mut options = VerifierOptions::new();
    options.set_jwks(issuer.jwks().to_string().as_bytes()).unwrap();
    options
}

fn verifier(issuer: &Issuer) -> Verifier {
    Verifier::new(&issuer.url(), &offline(issuer)).unwrap()
}

fn coordinate(issuer: &Issuer, name: &str) -> String {
    issuer.jwks()["keys"][0][name].as_str().unwrap().to_owned()
}

fn bare_crypto<'a>(contest: &mut Contest<'a>, issuer: &Issuer, tokens: &[String]) {
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(coordinate(issuer, name)).unwrap());
    }
    let parts: Vec<(Vec<u8>, Vec<u8>)> = tokens
        .iter()
        .map(|token| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            (message.into(), URL_SAFE_NO_PAD.decode(signature).unwrap())
        })
        .collect();
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
    contest.add("bare P-256 verify", move |n| {
        let (message, signature) = &parts[n % parts.len()];
        key.verify(message, signature).unwrap();
    });
}

fn peer(contest: &mut Contest<'_>, issuer: &Issuer, tokens: &[String]) {
    let key = DecodingKey::from_ec_components(&coordinate(issuer, "x"), &coordinate(issuer, "y"))
        .unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[issuer.url()]);
    validation.validate_aud = false;
    let tokens = tokens.to_vec();
    contest.add("jsonwebtoken::decode", move |n| {
        let token = &tokens[n % tokens.len()];
        let data = jsonwebtoken::decode::<serde_json::Value>(token, &key, &validation);
        black_box(data.unwrap());
    });
}

/// Every token is seen for the first time: after one round of them, the verifier is a new one.
fn cold<'a>(contest: &mut Contest<'a>, issuer: &Issuer, tokens: &'a [String]) {
    let (url, options) = (issuer.url(), offline(issuer));
    contest.add_with("cold: distinct tokens", move || {
        let verifier = Verifier::new(&url, &options).unwrap();
        let mut next = 0;
        Box::new(move |_| {
            black_box(verifier.verify(&tokens[next]).unwrap());
            next += 1;
        })
    });
}

fn hits<'a>(contest: &mut Contest<'a>, issuer: &Issuer, tokens: &'a [String]) {
    let own = verifier(issuer);
    contest.add("hit: Rust", move |n| {
        black_box(own.verify(&tokens[n % 2]).unwrap());
    });
    let own = verifier(issuer);
    contest.add("hit: Rust, nowait", move |n| {
        black_box(own.verify_nowait(&tokens[n % 2]).unwrap());
    });
    let own = c::Verifier::new(issuer);
    contest.add("hit: C ABI with free", move |n| own.verify(&tokens[n % 2]));
}

fn refusals<'a>(contest: &mut Contest<'a>, issuer: &Issuer, tokens: &[String]) {
    let (head, signature) = tokens[0].rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tokens[1].rsplit_once('.').unwrap().1);
    let junk = [
        ("malformed", format!("{head}={signature}.{signature}")),
        ("wrong alg", issuer.mint(Mint::new().alg("HS256"))),
        ("unknown kid", issuer.mint(Mint::new().kid("never-published"))),
        ("bad signature", forged),
    ];
    for (name, token) in junk {
        let own = c::Verifier::new(issuer);
        let junk = token.clone();
        contest.add(&format!("refused: {name}"), move |_| own.refuse(&junk, false));
        let own = c::Verifier::new(issuer);
        contest.add(&format!("refused: {name}, with err"), move |_| own.refuse(&token, true));
    }
}
