//! How long a call may take.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use torii::{Client, ClientOptions, Status};
use torii_emulator::{Fault, FaultKind};

use crate::world::{API, World};

fn hasty() -> World {
    World::with(|options| {
        options.set_timeout_ms(2_000).unwrap().set_max_retries(10).unwrap();
    })
}

/// A socket's timeout is counted in ticks of the kernel, up to 10 ms, of which the first is under way
/// and so is shorter; what is left of a deadline is rounded to milliseconds first.
const ROUNDING: Duration = Duration::from_millis(10 + 1);

/// The call used the time it had. Without the deadline it would not have ended: the fault lasts longer.
fn assert_in_time(start: Instant) {
    let elapsed = start.elapsed();
    assert!(elapsed + ROUNDING >= Duration::from_secs(2), "{elapsed:?}");
}

#[test]
fn no_answer_comes() {
    let world = hasty();
    world.emulator.fault(Fault::on(API, FaultKind::Hang { ms: None }));
    let start = Instant::now();
    let error = world.client.users().list(0, None, None).unwrap_err();
    assert_in_time(start);
    assert_eq!(error.status(), Status::Timeout);
    assert_eq!(error.to_string(), "no answer within 2000 ms");
    assert_eq!(world.emulator.count(API), 1);
    world.emulator.clear_faults();
    // On a busy machine the next call may need more time, too.
    let mut outcomes = (0..60).map(|_| world.client.users().list(0, None, None));
    let done = outcomes.find(|outcome| !matches!(outcome, Err(e) if e.status() == Status::Timeout));
    done.expect("time for a call").unwrap();
}

#[test]
fn the_answer_trickles() {
    let world = hasty();
    world.emulator.fault(Fault::on(API, FaultKind::Drip { ms: 500, bytes: 1 }));
    let start = Instant::now();
    let error = world.client.users().list(0, None, None).unwrap_err();
    assert_in_time(start);
    assert_eq!(error.status(), Status::Timeout);
}

#[test]
fn pauses_are_part_of_it() {
    let world = hasty();
    world.emulator.fault(Fault::on(API, FaultKind::status(503)));
    let error = world.client.users().list(0, None, None).unwrap_err();
    assert_eq!(error.http_status(), Some(503), "the last thing that is known");
    // There would be 11 attempts.
    assert!((1..=6).contains(&world.emulator.count(API)));
}

#[test]
fn connecting_has_a_time_of_its_own() {
    // A proxy that takes the connection and says nothing.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = ClientOptions::new();
    options.set_proxy(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    options.set_connect_timeout_ms(100).unwrap().set_max_retries(1).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    // The time for the call would end with another status.
    let error = client.users().create("{}").unwrap_err();
    assert_eq!(error.status(), Status::Transport, "{error}");
    drop(listener);
}
