//! The request log and the counters.

use std::thread;
use std::time::Duration;

use torii_emulator::{Emulator, Mint};

use crate::client::{Service, get, send};

const SOON: Duration = Duration::from_secs(10);

#[test]
fn requests_are_remembered_as_they_came() {
    let service = Service::start();
    let url = format!("{}/api/server/v1/users/search?limit=1&x=%20y", service.emulator.url());
    send("POST", &url, &[("x-test", "yes")], Some("{}")).unwrap();
    let requests = service.emulator.requests();
    let [request] = &requests[..] else { panic!("{requests:?}") };
    assert_eq!((request.method.as_str(), request.body.as_str()), ("POST", "{}"));
    assert_eq!(request.path, "/api/server/v1/users/search");
    assert_eq!(request.query, "limit=1&x=%20y");
    assert!(request.headers.contains(&("x-test".to_owned(), "yes".to_owned())));
    assert_eq!(request.connection, 1);
}

#[test]
fn requests_are_counted_by_their_path() {
    let emulator = Emulator::start();
    let (acme, other) = (emulator.issuer("acme"), emulator.create_issuer("other"));
    for url in [acme.jwks_url(), acme.jwks_url(), other.jwks_url()] {
        get(&url);
    }
    assert_eq!((acme.jwks_requests(), other.jwks_requests()), (2, 1));
    assert_eq!((emulator.count("/"), emulator.count("/acme/")), (3, 2));
    emulator.clear_requests();
    assert_eq!((emulator.count("/"), emulator.requests().len()), (0, 0));
}

#[test]
fn only_the_last_thousand_requests_are_remembered_but_all_are_counted() {
    let emulator = Emulator::start();
    let agent = ureq::agent();
    for number in 0..1001 {
        let url = format!("{}?{number}", emulator.issuer("acme").jwks_url());
        agent.get(&url).call().unwrap().body_mut().read_to_string().unwrap();
    }
    let requests = emulator.requests();
    assert_eq!((emulator.count("/"), requests.len()), (1001, 1000));
    assert_eq!((requests[0].query.as_str(), requests[999].query.as_str()), ("1", "1000"));
    assert!(requests.iter().all(|request| request.connection == 1), "one connection for all");
}

#[test]
fn one_can_wait_for_requests() {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    assert!(!emulator.wait_for("/acme/", 1, Duration::ZERO));
    thread::scope(|scope| {
        let waits = scope.spawn(|| emulator.wait_for("/acme/", 2, SOON));
        get(&issuer.jwks_url());
        get(&issuer.jwks_url());
        assert!(waits.join().unwrap());
    });
}

#[test]
fn connections_are_counted_but_not_those_of_the_control_api() {
    let service = Service::start();
    let emulator = &service.emulator;
    let stream =
        std::net::TcpStream::connect(emulator.url().trim_start_matches("http://")).unwrap();
    let seen = service.control("GET", "/requests", None).json();
    assert_eq!(seen["connections"], serde_json::json!({ "accepted": 1, "open": 1 }));
    assert_eq!(emulator.requests().len(), 0);
    drop(stream);
    let agent = ureq::agent();
    for _ in 0..3 {
        agent.get(service.acme.jwks_url()).call().unwrap().body_mut().read_to_string().unwrap();
    }
    assert_eq!(emulator.accepted_connections(), 2);
    emulator.clear_requests();
    assert_eq!(emulator.accepted_connections(), 0);
}

#[test]
fn a_reset_leaves_nothing_but_the_default_issuer() {
    let service = Service::start();
    let (emulator, acme) = (&service.emulator, &service.acme);
    let other = emulator.create_issuer("other");
    let kept = (acme.environment_id(), acme.secret_key());
    let kid = acme.kid();
    acme.set_max_age(None);
    acme.fault(torii_emulator::FaultKind::hang(), None);
    let user = service.user(serde_json::json!({}));
    service.expect(400, "POST", "/users/search", serde_json::json!({ "statuses": null }));
    assert_eq!(emulator.violations().len(), 1);
    emulator.reset();
    assert_eq!((acme.environment_id(), acme.secret_key()), kept);
    assert_ne!(acme.kid(), kid);
    assert_eq!(emulator.requests().len() + emulator.violations().len(), 0);
    service.expect(404, "GET", &format!("/users/{user}"), None);
    assert_eq!(get(&acme.jwks_url()).header("cache-control"), Some("public, max-age=300"));
    assert!(std::panic::catch_unwind(|| other.mint(Mint::new())).is_err());
}
