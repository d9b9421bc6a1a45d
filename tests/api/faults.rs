//! Failures between the client and the API.

use std::net::TcpListener;

use torii::{Client, ClientOptions, Error, Json, Status};
use torii_emulator::{Fault, FaultKind};

use crate::world::{API, World};

const LIMIT: usize = 16 * 1024 * 1024;

/// The outcome of a call without retries, and the number of requests.
fn once(fault: FaultKind) -> (Result<Json, Error>, u64) {
    let world = World::with(|options| {
        options.set_max_retries(0).unwrap().set_timeout_ms(120_000).unwrap();
    });
    world.emulator.fault(Fault::on(API, fault));
    let outcome = world.client.allowed_origins().get();
    (outcome, world.emulator.count(API))
}

#[track_caller]
fn assert_fails(fault: FaultKind, status: Status, message: &str) {
    let (outcome, requests) = once(fault);
    let error = outcome.unwrap_err();
    assert_eq!((error.status(), requests), (status, 1), "{error}");
    assert!(error.to_string().starts_with(message), "{error}");
}

#[track_caller]
fn assert_accepted(fault: FaultKind) {
    let (outcome, requests) = once(fault);
    assert_eq!((outcome.unwrap().len("/origins").unwrap(), requests), (0, 1));
}

#[test]
fn a_refused_connection_is_a_transport_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.users().create("{}").unwrap_err();
    assert_eq!((error.status(), error.http_status()), (Status::Transport, None));
    assert!(error.to_string().starts_with("cannot connect: "), "{error}");
    assert_eq!(error.body(), None);
}

#[test]
fn a_lost_connection_is_a_transport_error() {
    for handled in [false, true] {
        assert_fails(FaultKind::Reset { handled }, Status::Transport, "no answer: ");
        assert_fails(FaultKind::Close { handled }, Status::Transport, "no answer: ");
    }
}

#[test]
fn an_answer_that_is_not_http_is_a_transport_error() {
    let text = "220 mail.example ESMTP\r\n".to_owned();
    assert_fails(FaultKind::Raw { text }, Status::Transport, "no answer: ");
}

#[test]
fn a_truncated_answer_is_a_response_error() {
    assert_fails(FaultKind::Truncate { bytes: None }, Status::Response, "torii 200 OK: cut off: ");
    let text = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"ori".to_owned();
    assert_fails(FaultKind::Raw { text }, Status::Response, "torii 200 OK: cut off: ");
    // A refusal without its body is still a refusal.
    let text = "HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\n{".to_owned();
    assert_fails(FaultKind::Raw { text }, Status::Api, "torii 404 Not Found");
}

#[test]
fn an_answer_that_is_not_json_is_a_response_error() {
    let not_json = "torii 200 OK: not JSON (line 1, column ";
    assert_fails(FaultKind::body("<html>sign in</html>"), Status::Response, not_json);
    assert_fails(FaultKind::body(""), Status::Response, not_json);
    assert_fails(FaultKind::body("{} {}"), Status::Response, not_json);
    let text = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n\"\u{80}\"".to_owned();
    assert_fails(FaultKind::Raw { text }, Status::Response, "torii 200 OK: ");
    let (outcome, _) = once(FaultKind::body("<html>sign in</html>"));
    let error = outcome.unwrap_err();
    assert_eq!((error.http_status(), error.body()), (Some(200), Some("<html>sign in</html>")));
}

#[test]
fn an_answer_that_is_too_long_is_a_response_error() {
    assert_accepted(FaultKind::Oversize { bytes: LIMIT });
    assert_fails(
        FaultKind::Oversize { bytes: LIMIT + 1 },
        Status::Response,
        "torii 200 OK: longer than 16777216 bytes",
    );
}

#[test]
fn unusual_but_valid_answers_are_accepted() {
    assert_accepted(FaultKind::header("content-type", "text/plain"));
    assert_accepted(FaultKind::Chunked { bytes: 3 });
    assert_accepted(FaultKind::Drip { ms: 1, bytes: 5 });
    assert_accepted(FaultKind::HangUp);
    for status in [102, 103, 199] {
        assert_accepted(FaultKind::Informational { status });
    }
    let text = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n\
        HTTP/1.1 206 Partial Content\r\ncontent-length: 14\r\n\r\n{\"origins\":[]}";
    assert_accepted(FaultKind::Raw { text: text.to_owned() });
}

#[test]
fn a_closed_connection_is_not_reused() {
    let world = World::new();
    for _ in 0..20 {
        world.emulator.fault(Fault::on(API, FaultKind::HangUp).times(1));
        world.client.users().create("{}").unwrap();
        while world.emulator.open_connections() > 0 {
            std::thread::yield_now();
        }
    }
    assert_eq!(world.emulator.accepted_connections(), 20);
}
