//! Two processes, eight threads each, and an API that fails one time in twenty: nothing is lost,
//! nothing is sent twice that must not be, and no descriptor stays open.
//!
//! `TORII_LOAD_CALLS` is how many calls each thread makes: 250, unless it says otherwise.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "this is a test"
)]

mod compare;
mod record;
mod worker;

use std::process::{Command, Stdio};
use std::time::Instant;

use torii_emulator::{Emulator, Fault, FaultKind};

/// Environment variables: the API's address, the secret key, and the worker's name.
const ORDERS: [&str; 3] = ["TORII_LOAD_URL", "TORII_LOAD_KEY", "TORII_LOAD_NAME"];

fn main() {
    let calls = std::env::var("TORII_LOAD_CALLS");
    let calls = calls.map_or(250, |calls| calls.parse().expect("a number"));
    match ORDERS.map(|name| std::env::var(name).ok()) {
        [Some(url), Some(key), Some(name)] => print!("{}", worker::work(&url, &key, &name, calls)),
        _ => stage(calls),
    }
}

/// Plays the API, has two processes call it, and compares what both sides know.
fn stage(calls: u32) {
    let emulator = Emulator::start();
    let key = emulator.issuer("acme").secret_key();
    for (seed, kind) in (1..).zip([
        FaultKind::Reset { handled: false },
        FaultKind::Reset { handled: true },
        FaultKind::Close { handled: true },
        status(503, None, true),
        status(429, Some("0"), false),
    ]) {
        emulator.fault(Fault::on("/api/", kind).probability(0.01, seed));
    }
    let start = Instant::now();
    let workers = ["a", "b"].map(|name| {
        Command::new(std::env::current_exe().unwrap())
            .envs(ORDERS.into_iter().zip([emulator.url(), &key, name]))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    });
    let mut record = record::Record::default();
    for worker in workers {
        let output = worker.wait_with_output().unwrap();
        assert!(output.status.success(), "a worker failed");
        record.read(std::str::from_utf8(&output.stdout).unwrap());
    }
    let seconds = start.elapsed().as_secs_f64();
    emulator.clear_faults();
    assert_eq!(record.calls, 2 * u64::from(worker::THREADS) * u64::from(calls));
    compare::compare(&emulator, &key, &record);
    println!(
        "{} calls in {seconds:.1} s: {} failed, {} users created, none lost, none twice",
        record.calls,
        record.failed,
        record.created.len()
    );
}

fn status(status: u16, retry_after: Option<&str>, handled: bool) -> FaultKind {
    let headers = retry_after.map(|after| ("retry-after".to_owned(), after.to_owned()));
    FaultKind::Status {
        status,
        headers: headers.into_iter().collect(),
        body: String::new(),
        handled,
    }
}
