//! How fast tokens are verified, beside bare cryptography, other libraries and an earlier commit of
//! this one, in one run: `make bench`.
//!
//! `TORII_BENCH_LIBRARY` is the shared library, `TORII_BENCH_EARLIER` one to compare with. Contenders
//! take turns in short rounds on a pinned thread, so that other load on the machine affects all
//! of them alike.

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

use std::env;
use std::hint::black_box;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, ParsedPublicKey, UnparsedPublicKey};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use c::Library;
use contest::Contest;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use torii::{REVOKE_ALL, Verifier, VerifierOptions};
use torii_emulator::{Emulator, Issuer, Mint};

/// How many distinct tokens take turns, and how many of them in one turn.
const DISTINCT: usize = 1_000;
const NEW: usize = 120;

/// New tokens before the first that is timed, after which a verifier is as in a process that has run
/// for a while: the token cache has grown, and the tables are built (the generator's, that of the key
/// and the self-test take up to 202 tokens, a slice each).
const UNTIMED: usize = 240;

/// How many calls make a round of [`fastest_known`].
const CALLS: usize = 10_000;

/// How long tokens live, in seconds: longer than the benchmark takes on a busy machine.
const LIFETIME: i64 = 86_400;

/// Entries of each list of revocations: as many as it can have.
const REVOKED: usize = 100_000;

const BARE: &str = "bare P-256, aws-lc UnparsedPublicKey";

fn main() {
    keep_freed_memory();
    let load =
        |variable, earlier| env::var(variable).ok().map(|path| Library::load(&path, earlier));
    let library = load("TORII_BENCH_LIBRARY", false).expect("TORII_BENCH_LIBRARY: a libtorii.so");
    let libraries: Vec<_> =
        [Some(library), load("TORII_BENCH_EARLIER", true)].into_iter().flatten().collect();
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    let mint = |n| issuer.mint(Mint::new().subject(&format!("user-{n}")).expires_in(LIFETIME));
    let tokens: Vec<String> = (0..DISTINCT).map(mint).collect();
    println!("token: {} bytes\n", tokens[0].len());

    let mut contest = Contest::new();
    bare_crypto(&mut contest, &issuer, &tokens);
    peer(&mut contest, &issuer, &tokens);
    for library in libraries.iter().copied() {
        new_tokens(&mut contest, library, &issuer, &tokens);
    }
    rust(&mut contest, &issuer, &tokens);
    for library in libraries.iter().copied() {
        known_tokens(&mut contest, library, &issuer, &tokens);
    }
    contest.run_cold(BARE);
    for library in libraries.iter().copied() {
        refusals(&mut contest, library, &issuer, &tokens);
    }
    contest.run(BARE);

    let mut contest = Contest::new();
    new_tokens(&mut contest, library, &issuer, &tokens);
    known_tokens(&mut contest, library, &issuer, &tokens);
    contest.run_threads(2);
    fastest_known(library, &issuer, &tokens);

    outliers::run(&emulator);
}

/// Has the allocator keep what is freed, as in a process that has run for long. Else each turn with a
/// new verifier also times the kernel's first write to each page.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: only sets parameters of the allocator, before there are other threads.
    unsafe {
        libc::mallopt(libc::M_TRIM_THRESHOLD, i32::MAX);
        libc::mallopt(libc::M_MMAP_THRESHOLD, 32 << 20);
    }
}

fn coordinate(issuer: &Issuer, name: &str) -> String {
    issuer.jwks()["keys"][0][name].as_str().unwrap().to_owned()
}

fn bare_crypto<'a>(contest: &mut Contest<'a>, issuer: &Issuer, tokens: &[String]) {
    let mut point = vec![4];
    for name in ["x", "y"] {
        point.extend(URL_SAFE_NO_PAD.decode(coordinate(issuer, name)).unwrap());
    }
    let parts = || -> Vec<(Vec<u8>, Vec<u8>)> {
        let part = |token: &String| {
            let (message, signature) = token.rsplit_once('.').unwrap();
            (message.into(), URL_SAFE_NO_PAD.decode(signature).unwrap())
        };
        tokens.iter().map(part).collect()
    };
    let (tokens, key) = (parts(), UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point.clone()));
    contest.add(BARE, move |n| {
        let (message, signature) = &tokens[n % tokens.len()];
        key.verify(message, signature).unwrap();
    });
    let key = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).unwrap();
    let tokens = parts();
    contest.add("bare P-256, aws-lc ParsedPublicKey", move |n| {
        let (message, signature) = &tokens[n % tokens.len()];
        key.verify_sig(message, signature).unwrap();
    });
    let tokens = parts();
    let key =
        ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point);
    contest.add("bare P-256, ring", move |n| {
        let (message, signature) = &tokens[n % tokens.len()];
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

/// Every token is seen for the first time: after one turn of them, the verifier is a new one.
fn new_tokens<'a>(
    contest: &mut Contest<'a>,
    library: &'static Library,
    issuer: &'a Issuer,
    tokens: &'a [String],
) {
    let prepare = move |fixed_base: bool| -> Box<dyn FnMut(usize) + 'a> {
        let verifier = library.verifier(issuer, fixed_base).unwrap();
        let (untimed, timed) = tokens.split_at(UNTIMED);
        untimed.iter().for_each(|token| verifier.verify(token));
        Box::new(move |n| verifier.verify(&timed[n]))
    };
    contest.add_with(library.earlier, "new token", NEW, move || prepare(false));
    if library.verifier(issuer, true).is_some() {
        let name = "new token, fixed_base";
        contest.add_with(library.earlier, name, NEW, move || prepare(true));
    }
}

fn known_tokens<'a>(
    contest: &mut Contest<'a>,
    library: &'static Library,
    issuer: &Issuer,
    tokens: &'a [String],
) {
    let own = library.verifier(issuer, false).unwrap();
    let name = "known token, with torii_auth_free";
    contest.add_of(library.earlier, name, move |n| own.verify(&tokens[n % 2]));
    let own = library.verifier(issuer, false).unwrap();
    let name = "known token, torii_verify_into";
    contest.add_of(library.earlier, name, move |n| own.verify_into(&tokens[n % 2]));
}

/// Prints the least time of a known token in a plain loop: what is left when no other program takes
/// the processor or its caches meanwhile.
fn fastest_known(library: &'static Library, issuer: &Issuer, tokens: &[String]) {
    let verifier = library.verifier(issuer, false).unwrap();
    let round = || {
        let start = contest::processor_time();
        for _ in 0..CALLS / 2 {
            verifier.verify(&tokens[0]);
            verifier.verify(&tokens[1]);
        }
        (contest::processor_time() - start).as_secs_f64() / CALLS as f64
    };
    let fastest = (0..1_001).map(|_| round()).fold(f64::INFINITY, f64::min);
    let title = "\nknown token, with torii_auth_free, fastest of 1001 rounds";
    println!("{title}: {:.1} ns", fastest * 1e9);
}

fn rust<'a>(contest: &mut Contest<'a>, issuer: &Issuer, tokens: &'a [String]) {
    let mut options = VerifierOptions::new();
    options.set_jwks(issuer.jwks().to_string().as_bytes()).unwrap();
    let own = Verifier::new(&issuer.url(), &options).unwrap();
    contest.add("known token, Rust", move |n| {
        black_box(own.verify(&tokens[n % 2]).unwrap());
    });
    let own = Verifier::new(&issuer.url(), &options).unwrap();
    let others = (0..REVOKED).map(|n| format!(r#"{{"sub":"other-{n}","before":"all"}}"#));
    let list = format!(r#"{{"revoked":[{}]}}"#, others.collect::<Vec<_>>().join(","));
    own.set_revocations_json(list.as_bytes()).unwrap();
    (0..REVOKED).for_each(|n| own.revoke(&format!("other-{n}"), REVOKE_ALL).unwrap());
    contest.add("known token, Rust, two lists of 100,000 revocations", move |n| {
        black_box(own.verify(&tokens[n % 2]).unwrap());
    });
}

fn refusals<'a>(
    contest: &mut Contest<'a>,
    library: &'static Library,
    issuer: &Issuer,
    tokens: &[String],
) {
    let (head, signature) = tokens[0].rsplit_once('.').unwrap();
    let forged = format!("{head}.{}", tokens[1].rsplit_once('.').unwrap().1);
    let junk = [
        ("malformed", format!("{head}={signature}.{signature}")),
        ("wrong alg", issuer.mint(Mint::new().alg("HS256"))),
        ("unknown kid", issuer.mint(Mint::new().kid("never-published"))),
        ("bad signature", forged),
    ];
    for (name, token) in junk {
        for (with_err, how) in [(false, ""), (true, ", with err")] {
            let own = library.verifier(issuer, false).unwrap();
            let (name, token) = (format!("refused: {name}{how}"), token.clone());
            contest.add_of(library.earlier, &name, move |_| own.refuse(&token, with_err));
        }
    }
}
