//! The secret key in clear: only to this host itself, never through a proxy.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use torii::{Client, ClientOptions, Status, Verifier, VerifierOptions};

use crate::world::{World, head};

/// A proxy that counts its connections and answers none.
pub(crate) fn proxy() -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let accepted = Arc::new(AtomicU64::new(0));
    let counter = accepted.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            counter.fetch_add(1, Ordering::SeqCst);
            drop(stream);
        }
    });
    (url, accepted)
}

#[test]
fn the_proxy_is_not_used_for_this_host() {
    let (proxy, accepted) = proxy();
    for host in ["127.0.0.1", "localhost", "LOCALHOST"] {
        let world = World::new();
        let url = world.emulator.url().replace("127.0.0.1", host);
        let mut options = ClientOptions::new();
        options.set_api_url(&url).unwrap().set_proxy(&proxy).unwrap();
        let client = Client::new(&world.issuer.secret_key(), &options).unwrap();
        client.allowed_origins().get().unwrap();
    }
    assert_eq!(accepted.load(Ordering::SeqCst), 0);
}

#[test]
fn the_proxy_is_used_for_every_other_host() {
    let (proxy, accepted) = proxy();
    for (index, url) in [
        "https://api.torii.so",
        "http://127.0.0.1.:9",
        "http://localhost.:9",
        "http://127.1:9",
        "http://192.0.2.1:9",
    ]
    .into_iter()
    .enumerate()
    {
        let mut options = ClientOptions::new();
        options.set_api_url(url).unwrap().set_proxy(&proxy).unwrap();
        options.set_allow_http(true).set_max_retries(0).unwrap();
        let client = Client::new("sk_test_1", &options).unwrap();
        let error = client.allowed_origins().get().unwrap_err();
        assert_eq!((error.status(), error.unsent()), (Status::Transport, true), "{url} {error}");
        assert_eq!(accepted.load(Ordering::SeqCst), index as u64 + 1, "{url}");
    }
}

#[test]
fn a_proxy_that_answers_byte_by_byte_does_not_prolong_a_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            head(&mut stream);
            // Each byte comes well within the timeout, for much longer than the timeout.
            let answer = b"HTTP/1.1 200 OK\r\nx: ".iter().chain(&[b'x'; 1000]);
            for byte in answer {
                if stream.write_all(&[*byte]).is_err() {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
    });
    let mut options = ClientOptions::new();
    options.set_api_url("https://api.torii.so").unwrap().set_proxy(&proxy).unwrap();
    options.set_timeout_ms(1_000).unwrap().set_max_retries(0).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.allowed_origins().get().unwrap_err();
    assert_eq!((error.status(), error.unsent()), (Status::Timeout, true), "{error}");

    let mut options = VerifierOptions::new();
    options.set_proxy(&proxy).unwrap().set_fetch_timeout_ms(1_000).unwrap();
    let verifier = Verifier::new("https://acme.torii.so", &options).unwrap();
    let error = verifier.refresh().unwrap_err();
    assert_eq!(error.status(), Status::KeysUnavailable);
    assert!(error.to_string().ends_with(": timed out"), "{error}");
}

#[test]
fn only_this_host_as_written_may_be_http() {
    for url in ["http://127.0.0.1.:9", "http://localhost.:9", "http://127.1", "http://0x7f000001"] {
        let mut options = ClientOptions::new();
        options.set_api_url(url).unwrap();
        let error = Client::new("sk_test_1", &options).unwrap_err();
        assert_eq!(error.status(), Status::InvalidConfig, "{url}");
        assert!(error.to_string().contains("plain http"), "{error}");
    }
}

#[test]
fn localhost_is_either_loopback_address() {
    for address in ["127.0.0.1:0", "[::1]:0"] {
        let Ok(listener) = TcpListener::bind(address) else { continue };
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let server = thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            head(&mut stream);
            let body = r#"{"origins":[]}"#;
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        });
        let mut options = ClientOptions::new();
        options.set_api_url(&url).unwrap();
        Client::new("sk_test_1", &options).unwrap().allowed_origins().get().unwrap();
        server.join().unwrap();
    }
}
