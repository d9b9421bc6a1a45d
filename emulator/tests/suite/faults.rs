//! Faults, seen on the bare connection.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;
use torii_emulator::{Emulator, Fault, FaultKind, Issuer};

use crate::client::{Service, get, ids, send};

/// How long something may take that is expected to happen at once.
const SOON: Duration = Duration::from_secs(120);

/// Connects and asks for a path, leaving the connection open.
fn ask(emulator: &Emulator, path: &str) -> TcpStream {
    let mut stream = TcpStream::connect(emulator.url().trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    stream
}

/// Reads until the connection is closed in order.
fn heard(mut stream: TcpStream) -> String {
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

/// One answer with a JSON body, of a connection that stays open.
fn heard_one(mut stream: TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"}]}") {
        stream.read_exact(&mut byte).unwrap();
        bytes.extend_from_slice(&byte);
    }
    String::from_utf8(bytes).unwrap()
}

/// Returns the answer of an emulator while this fault is in force.
fn struck(kind: FaultKind) -> (String, String) {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    issuer.fault(kind, None);
    (heard(ask(&emulator, &issuer.jwks_path())), issuer.jwks().to_string())
}

fn split(answer: &str) -> (&str, &str) {
    answer.split_once("\r\n\r\n").unwrap()
}

fn started() -> (Emulator, Issuer) {
    let emulator = Emulator::start();
    let issuer = emulator.issuer("acme");
    (emulator, issuer)
}

#[test]
fn a_delay_comes_before_the_answer() {
    let (_emulator, issuer) = started();
    issuer.fault(FaultKind::Delay { ms: 200 }, 1);
    let asked = Instant::now();
    assert_eq!(get(&issuer.jwks_url()).status, 200);
    assert!(asked.elapsed() >= Duration::from_millis(200));
}

#[test]
fn a_hanging_request_ends_when_the_faults_are_cleared() {
    let (emulator, issuer) = started();
    issuer.fault(FaultKind::hang(), None);
    let mut stream = ask(&emulator, &issuer.jwks_path());
    assert!(emulator.wait_for(&issuer.jwks_path(), 1, SOON));
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let silence = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(silence.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{silence}");
    emulator.clear_faults();
    stream.set_read_timeout(Some(SOON)).unwrap();
    assert_eq!(heard(stream), "");
    assert_eq!(get(&issuer.jwks_url()).status, 200);
}

#[test]
fn a_hanging_request_may_end_by_itself() {
    let (answer, _) = struck(FaultKind::Hang { ms: Some(50) });
    assert_eq!(answer, "");
}

#[test]
fn a_held_request_is_handled_once_it_is_released() {
    let (emulator, issuer) = started();
    issuer.fault(FaultKind::hold(), 1);
    let stream = ask(&emulator, &issuer.jwks_path());
    assert!(emulator.wait_for(&issuer.jwks_path(), 1, SOON));
    let new = issuer.rotate();
    assert_eq!(emulator.release("/other"), 0);
    assert_eq!(emulator.release(&issuer.jwks_path()), 1);
    assert_eq!(emulator.release(""), 0, "it is not held any more");
    let answer = heard_one(stream);
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(&new), "{answer}");
}

#[test]
fn a_held_answer_is_the_one_from_before_it_was_held() {
    let (emulator, issuer) = started();
    issuer.fault(FaultKind::hold_answer(), 1);
    let old = issuer.kid();
    let stream = ask(&emulator, &issuer.jwks_path());
    assert!(emulator.wait_for(&issuer.jwks_path(), 1, SOON));
    // The second request is answered while the first one is held, and after it was handled.
    let now = get(&issuer.jwks_url());
    assert_eq!(now.status, 200);
    let new = issuer.rotate();
    assert_eq!(emulator.release("/acme/"), 1);
    let answer = heard_one(stream);
    assert!(answer.contains(&old) && !answer.contains(&new), "{answer}");
}

#[test]
fn an_answer_of_the_api_can_be_held_by_the_control_api() {
    let service = Service::start();
    let fault = json!({ "path": "/api/", "fault": { "kind": "hold", "handled": true } });
    assert_eq!(service.control("POST", "/faults", Some(&fault.to_string())).status, 204);
    std::thread::scope(|scope| {
        let created = scope.spawn(|| service.call("POST", "/users", json!({})));
        assert!(service.emulator.wait_for("/api/", 1, SOON));
        let release = |body| service.control("POST", "/faults/release", Some(body)).json();
        assert_eq!(release(r#"{"path":"/acme/"}"#), json!({ "released": 0 }));
        assert!(!created.is_finished());
        assert_eq!(release("{}"), json!({ "released": 1 }));
        assert_eq!(created.join().unwrap().status, 201);
    });
    assert_eq!(service.control("POST", "/faults/release", Some(r#"{"paht":"/"}"#)).status, 400);
}

#[test]
fn a_held_request_ends_without_an_answer_when_the_faults_are_cleared() {
    for kind in [FaultKind::hold(), FaultKind::hold_answer()] {
        let (emulator, issuer) = started();
        issuer.fault(kind, None);
        let stream = ask(&emulator, &issuer.jwks_path());
        assert!(emulator.wait_for(&issuer.jwks_path(), 1, SOON));
        emulator.clear_faults();
        assert_eq!(heard(stream), "");
    }
}

#[test]
fn an_emulator_can_stop_while_a_request_hangs() {
    let (emulator, issuer) = started();
    issuer.fault(FaultKind::hang(), None);
    let stream = ask(&emulator, &issuer.jwks_path());
    assert!(emulator.wait_for(&issuer.jwks_path(), 1, SOON));
    drop(emulator);
    assert_eq!(heard(stream), "");
}

#[test]
fn a_status_comes_with_headers_and_a_body() {
    let (_emulator, issuer) = started();
    let kind = FaultKind::Status {
        status: 503,
        headers: [("retry-after".to_owned(), "7".to_owned())].into(),
        body: "later".to_owned(),
        handled: false,
    };
    issuer.fault(kind, 2);
    for _ in 0..2 {
        let answer = get(&issuer.jwks_url());
        assert_eq!((answer.status, answer.body.as_str()), (503, "later"));
        assert_eq!(answer.header("retry-after"), Some("7"));
    }
    assert_eq!(get(&issuer.jwks_url()).status, 200);
    issuer.fault(FaultKind::redirect("http://127.0.0.1:9/"), 1);
    let answer = get(&issuer.jwks_url());
    assert_eq!((answer.status, answer.header("location")), (302, Some("http://127.0.0.1:9/")));
}

#[test]
fn parts_of_the_answer_can_be_replaced() {
    let (_emulator, issuer) = started();
    issuer.fault(FaultKind::body("<html>"), 1);
    let answer = get(&issuer.jwks_url());
    assert_eq!((answer.status, answer.body.as_str()), (200, "<html>"));
    issuer.fault(FaultKind::header("content-type", "text/plain"), 1);
    let answer = get(&issuer.jwks_url());
    assert_eq!(answer.header("content-type"), Some("text/plain"));
    assert_eq!(answer.json(), issuer.jwks());
}

#[test]
fn an_oversized_body_is_still_the_same_json() {
    let (_emulator, issuer) = started();
    issuer.fault(FaultKind::Oversize { bytes: 1 << 20 }, 1);
    let answer = get(&issuer.jwks_url());
    assert_eq!(answer.body.len(), 1 << 20);
    assert_eq!(answer.json(), issuer.jwks());
}

#[test]
fn a_truncated_body_is_shorter_than_announced() {
    for (bytes, sent) in [(Some(5), 5), (None, 104)] {
        let (answer, jwks) = struck(FaultKind::Truncate { bytes });
        let (head, body) = split(&answer);
        assert!(head.contains(&format!("content-length: {}\r\n", jwks.len())), "{head}");
        assert_eq!(body, &jwks[..sent]);
    }
}

#[test]
fn a_dripping_body_arrives_whole() {
    let asked = Instant::now();
    let (answer, jwks) = struck(FaultKind::Drip { ms: 20, bytes: 20 });
    assert_eq!(split(&answer).1, jwks);
    assert!(asked.elapsed() >= Duration::from_millis(20) * 10);
}

#[test]
fn a_chunked_body_is_framed_as_such() {
    let (answer, jwks) = struck(FaultKind::Chunked { bytes: 200 });
    let (head, body) = split(&answer);
    assert!(
        head.contains("transfer-encoding: chunked") && !head.contains("content-length"),
        "{head}"
    );
    let (first, rest) = jwks.split_at(200);
    assert_eq!(body, format!("c8\r\n{first}\r\n{:x}\r\n{rest}\r\n0\r\n\r\n", rest.len()));
    let (_emulator, issuer) = started();
    issuer.fault(FaultKind::Chunked { bytes: 1 }, 1);
    assert_eq!(get(&issuer.jwks_url()).json(), issuer.jwks());
}

#[test]
fn an_informational_answer_comes_before_the_real_one() {
    let (answer, jwks) = struck(FaultKind::Informational { status: 103 });
    let (informational, real) = split(&answer);
    assert!(informational.starts_with("HTTP/1.1 103 "), "{informational}");
    assert!(real.starts_with("HTTP/1.1 200 "), "{real}");
    assert_eq!(split(real).1, jwks);
}

#[test]
fn the_connection_can_close_unannounced_after_the_answer() {
    let (answer, jwks) = struck(FaultKind::HangUp);
    let (head, body) = split(&answer);
    assert!(!head.contains("connection"), "{head}");
    assert_eq!(body, jwks);
}

#[test]
fn anything_can_be_said_instead_of_http() {
    assert_eq!(struck(FaultKind::Raw { text: "220 smtp\r\n".to_owned() }).0, "220 smtp\r\n");
    assert_eq!(struck(FaultKind::Close { handled: false }).0, "");
}

#[test]
fn a_reset_is_a_reset() {
    let (emulator, issuer) = started();
    issuer.fault(FaultKind::Reset { handled: false }, 1);
    let mut stream = ask(&emulator, &issuer.jwks_path());
    let error = stream.read(&mut [0; 1]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn a_request_can_take_effect_although_its_answer_is_lost() {
    let service = Service::start();
    let status = |handled| FaultKind::Status {
        status: 500,
        headers: [].into(),
        body: String::new(),
        handled,
    };
    let users = || ids(&service.expect(200, "POST", "/users/search", None)).len();
    let create = || service.try_call(&service.acme, "POST", "/users", Some(json!({})));
    for (handled, created) in [(true, 1), (false, 0)] {
        let before = users();
        for (kind, answered) in [
            (FaultKind::Reset { handled }, false),
            (FaultKind::Close { handled }, false),
            (status(handled), true),
        ] {
            service.emulator.fault(Fault::on("/api/server/v1/users", kind).times(1));
            assert_eq!(create().is_ok_and(|answer| answer.status == 500), answered);
        }
        assert_eq!(users() - before, 3 * created);
    }
}

#[test]
fn faults_are_for_some_requests_only() {
    let (emulator, issuer) = started();
    let other = emulator.create_issuer("other");
    emulator.fault(Fault::on("/acme/", FaultKind::status(500)).method("get"));
    emulator.fault(Fault::on("/acme/", FaultKind::status(501)));
    let ask = |method, issuer: &Issuer| send(method, &issuer.jwks_url(), &[], None).unwrap().status;
    assert_eq!(ask("GET", &issuer), 500, "the oldest fault that fits strikes");
    assert_eq!(ask("POST", &issuer), 501);
    assert_eq!(ask("GET", &other), 200);
    emulator.clear_faults();
    assert_eq!(ask("GET", &issuer), 200);
}

#[test]
fn a_probability_is_met_and_repeatable() {
    let (emulator, issuer) = started();
    let strikes = |seed| -> Vec<bool> {
        emulator.fault(Fault::on("/acme/", FaultKind::status(500)).probability(0.3, seed));
        let strikes = (0..100).map(|_| get(&issuer.jwks_url()).status == 500).collect();
        emulator.clear_faults();
        strikes
    };
    let first = strikes(1);
    assert_eq!(first, strikes(1));
    assert_ne!(first, strikes(2));
    let count = first.iter().filter(|struck| **struck).count();
    assert!((15..=45).contains(&count), "{count} of 100");
}

#[test]
#[should_panic(expected = "cannot have the status 99")]
fn an_impossible_status_is_refused() {
    Emulator::start().fault(Fault::on("/", FaultKind::status(99)));
}

#[test]
#[should_panic(expected = "not a header")]
fn an_impossible_header_is_refused() {
    Emulator::start().fault(Fault::on("/", FaultKind::header("a b", "c")));
}
