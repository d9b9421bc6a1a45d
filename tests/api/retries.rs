//! Which calls are retried, and after which failures.

use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use torii::{Client, ClientOptions, Error, Status};
use torii_emulator::{Fault, FaultKind};

use crate::loopback::proxy;
use crate::world::{API, NOBODY, World, head};

type Operation = fn(&Client) -> Result<(), Error>;

/// Idempotent operations, and the others.
const IDEMPOTENT: [(&str, Operation); 21] = [
    ("users list", |c| c.users().list(0, None, None).map(drop)),
    ("users get", |c| c.users().get(NOBODY).map(drop)),
    ("users update", |c| c.users().update(NOBODY, "{}").map(drop)),
    ("users update metadata", |c| c.users().update_metadata(NOBODY, "{}").map(drop)),
    ("users delete", |c| c.users().delete(NOBODY)),
    ("users ban", |c| c.users().ban(NOBODY).map(drop)),
    ("users unban", |c| c.users().unban(NOBODY).map(drop)),
    ("users list organizations", |c| c.users().list_organizations(NOBODY, 0, None).map(drop)),
    ("sessions list", |c| c.sessions().list_for_user(NOBODY).map(drop)),
    ("sessions revoke all", |c| c.sessions().revoke_all_for_user(NOBODY)),
    ("sessions revoke", |c| c.sessions().revoke(NOBODY, NOBODY)),
    ("organizations list", |c| c.organizations().list(0, None, None).map(drop)),
    ("organizations get", |c| c.organizations().get(NOBODY).map(drop)),
    ("organizations members", |c| c.organizations().list_members(NOBODY, 0, None).map(drop)),
    ("organizations metadata", |c| c.organizations().update_metadata(NOBODY, "{}").map(drop)),
    ("members metadata", |c| {
        c.organizations().update_member_metadata(NOBODY, NOBODY, "{}").map(drop)
    }),
    ("invitations list", |c| c.invitations().list(0, None, &[], None).map(drop)),
    ("invitations get", |c| c.invitations().get(NOBODY).map(drop)),
    ("invitations metadata", |c| c.invitations().update_metadata(NOBODY, "{}").map(drop)),
    ("origins get", |c| c.allowed_origins().get().map(drop)),
    ("origins set", |c| c.allowed_origins().set("{}").map(drop)),
];
const ONCE: [(&str, Operation); 5] = [
    ("users create", |c| c.users().create("{}").map(drop)),
    ("invitations create", |c| c.invitations().create("{}").map(drop)),
    ("invitations resend", |c| c.invitations().resend(NOBODY).map(drop)),
    ("invitations revoke", |c| c.invitations().revoke(NOBODY)),
    ("impersonation", |c| c.impersonation().create_token(NOBODY, "{}").map(drop)),
];

fn busy(status: u16, retry_after: Option<&str>) -> FaultKind {
    let headers = retry_after.map(|after| ("retry-after".to_owned(), after.to_owned()));
    let headers: BTreeMap<_, _> = headers.into_iter().collect();
    FaultKind::Status { status, headers, body: String::new(), handled: false }
}

/// How many requests an operation makes when all of them fail like this.
fn requests(fault: FaultKind, operation: Operation) -> u64 {
    let world = World::new();
    world.emulator.fault(Fault::on(API, fault));
    operation(&world.client).unwrap_err();
    world.emulator.count(API)
}

#[test]
fn idempotent_calls_are_retried() {
    for (name, operation) in IDEMPOTENT {
        assert_eq!(requests(busy(503, None), operation), 3, "{name}");
    }
}

#[test]
fn other_calls_are_never_sent_twice() {
    for (name, operation) in ONCE {
        for fault in [
            busy(503, Some("0")),
            busy(429, Some("0")),
            FaultKind::Reset { handled: true },
            FaultKind::Close { handled: false },
        ] {
            assert_eq!(requests(fault, operation), 1, "{name}");
        }
    }
}

#[test]
fn only_transient_failures_are_retried() {
    let get: Operation = |c| c.allowed_origins().get().map(drop);
    let past = httpdate(SystemTime::UNIX_EPOCH);
    for (fault, attempts) in [
        (busy(502, None), 3),
        (busy(504, None), 3),
        (busy(429, Some("0")), 3),
        (busy(429, Some(&past)), 3),
        (busy(429, None), 1),
        (busy(429, Some("soon")), 1),
        (busy(429, Some("-1")), 1),
        (busy(500, Some("0")), 1),
        (busy(404, Some("0")), 1),
        (busy(302, Some("0")), 1),
        (FaultKind::Reset { handled: false }, 3),
        (FaultKind::Close { handled: true }, 3),
        (FaultKind::body("no JSON"), 1),
        (FaultKind::Truncate { bytes: None }, 1),
    ] {
        assert_eq!(requests(fault.clone(), get), attempts, "{fault:?}");
    }
}

#[test]
fn a_retry_can_succeed() {
    let world = World::new();
    for fault in [busy(503, None), FaultKind::Reset { handled: true }] {
        world.emulator.fault(Fault::on(API, fault).times(2));
        world.client.allowed_origins().get().unwrap();
    }
    assert_eq!(world.emulator.count(API), 6);
}

#[test]
fn the_number_of_retries_is_an_option() {
    for retries in [0, 1, 4] {
        let world = World::with(|options| {
            options.set_max_retries(retries).unwrap();
        });
        world.emulator.fault(Fault::on(API, busy(503, None)));
        world.client.allowed_origins().get().unwrap_err();
        assert_eq!(world.emulator.count(API), u64::from(retries) + 1);
    }
}

#[test]
fn retry_after_is_honored() {
    let world = World::new();
    world.emulator.fault(Fault::on(API, busy(429, Some("1"))).times(1));
    let start = Instant::now();
    world.client.allowed_origins().get().unwrap();
    assert!(start.elapsed() >= Duration::from_secs(1));
    assert_eq!(world.emulator.count(API), 2);

    // A date, farther ahead than the call may take.
    let date = httpdate(SystemTime::now() + Duration::from_secs(3600));
    world.emulator.fault(Fault::on(API, busy(503, Some(&date))));
    let error = world.client.allowed_origins().get().unwrap_err();
    assert!((3_000..=3_600).contains(&error.retry_after().unwrap()), "{:?}", error.retry_after());
    assert_eq!(world.emulator.count(API), 3);
}

#[test]
fn only_after_a_lost_connection_403_means_deleted() {
    for fault in [FaultKind::Reset { handled: true }, FaultKind::Close { handled: true }] {
        let world = World::new();
        let id = world.user();
        world.emulator.fault(Fault::on(API, fault).times(1));
        world.client.users().delete(&id).unwrap();
        assert_eq!(world.emulator.count(API), 2);
        let error = world.client.users().delete(&id).unwrap_err();
        assert_eq!(error.http_status(), Some(403), "a call of its own");
    }
    // No other answer hides a refusal, and no other call takes 403 for success.
    let world = World::new();
    let stranger = world.stranger();
    for status in [429, 502, 503, 504] {
        world.emulator.clear_requests();
        world.emulator.fault(Fault::on(API, busy(status, Some("0"))).times(1));
        let error = world.client.users().delete(&stranger).unwrap_err();
        assert_eq!(error.http_status(), Some(403), "after {status}");
        assert_eq!(world.emulator.count(API), 2);
    }
    world.emulator.fault(Fault::on(API, busy(502, None)).times(1));
    let error = world.client.sessions().revoke_all_for_user(&stranger).unwrap_err();
    assert_eq!(error.http_status(), Some(403));
}

#[test]
fn unsent_calls_are_retried() {
    // The proxy hangs up: there never is a connection to the API.
    let (proxy, accepted) = proxy();
    let mut options = ClientOptions::new();
    options.set_proxy(&proxy).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    for (name, operation) in ONCE {
        let before = accepted.load(Ordering::SeqCst);
        let error = operation(&client).unwrap_err();
        assert_eq!(error.status(), Status::Transport, "{name} {error}");
        assert!(error.unsent(), "{name}");
        assert_eq!(accepted.load(Ordering::SeqCst) - before, 3, "{name}");
    }
}

#[test]
fn an_error_tells_whether_anything_was_sent() {
    for (fault, status) in [
        (FaultKind::Reset { handled: false }, Status::Transport),
        (FaultKind::Close { handled: true }, Status::Transport),
        (FaultKind::Hang { ms: None }, Status::Timeout),
        (FaultKind::Drip { ms: 200, bytes: 1 }, Status::Timeout),
        (busy(503, None), Status::Api),
        (busy(401, None), Status::Api),
        (FaultKind::body("no JSON"), Status::Response),
    ] {
        let world = World::with(|options| {
            if status == Status::Timeout {
                options.set_timeout_ms(2_000).unwrap();
            }
        });
        world.emulator.fault(Fault::on(API, fault.clone()));
        let error = world.client.users().create("{}").unwrap_err();
        assert_eq!((error.status(), error.unsent()), (status, false), "{fault:?}");
    }
    // The proxy never answers, so that time is up before anything is sent.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = ClientOptions::new();
    options.set_proxy(&format!("http://{}", silent.local_addr().unwrap())).unwrap();
    options.set_timeout_ms(200).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.users().create("{}").unwrap_err();
    assert_eq!((error.status(), error.unsent()), (Status::Timeout, true), "{error}");
}

#[test]
fn one_attempt_that_was_sent_is_enough() {
    // The first connection is lost after the request; then no server listens any more.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut options = ClientOptions::new();
    options.set_api_url(&format!("http://{}", listener.local_addr().unwrap())).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        head(&mut stream);
    });
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.allowed_origins().get().unwrap_err();
    server.join().unwrap();
    assert!(error.to_string().starts_with("cannot connect: "), "{error}");
    assert_eq!((error.status(), error.unsent()), (Status::Transport, false));
}

#[test]
fn of_custom_requests_only_get_is_retried() {
    let world = World::new();
    world.emulator.fault(Fault::on("/", busy(503, None)));
    for (method, attempts) in [("GET", 3), ("POST", 1), ("PUT", 1), ("PATCH", 1), ("DELETE", 1)] {
        world.emulator.clear_requests();
        world.client.request(method, "/new", None, None).unwrap_err();
        assert_eq!(world.emulator.count("/"), attempts, "{method}");
    }
}

fn httpdate(time: SystemTime) -> String {
    httpdate::fmt_http_date(time)
}
