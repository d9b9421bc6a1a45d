//! Over TLS: whom the client trusts, and that nobody else gets to see the secret key.
//!
//! The certificates beside this file last until 2126; the CA's key is gone.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};
use torii::{Client, ClientOptions, Status};

pub fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "api", "tls", name].iter().collect()
}

/// A server that takes so many connections, answers one request on each, and tells what it read.
pub fn serve(connections: usize) -> (String, JoinHandle<Vec<String>>) {
    let certificates = CertificateDer::pem_file_iter(file("server.pem")).unwrap();
    let certificates = certificates.collect::<Result<Vec<_>, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(file("server.key")).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        (0..connections)
            .map(|_| {
                let (mut socket, _) = listener.accept().unwrap();
                let mut connection = ServerConnection::new(config.clone()).unwrap();
                let mut stream = Stream::new(&mut connection, &mut socket);
                let mut read = String::new();
                let mut lines = BufReader::new(&mut stream);
                // A client that does not trust this server says so and leaves.
                while !read.ends_with("\r\n\r\n") && lines.read_line(&mut read).is_ok_and(|n| n > 0)
                {
                }
                let body = r#"{"origins":[]}"#;
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                drop(stream.write_all(format!("{head}{body}").as_bytes()));
                read
            })
            .collect()
    });
    (format!("https://localhost:{port}"), server)
}

#[test]
fn authorities_are_an_option() {
    let (url, server) = serve(1);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap().set_ca_file(file("ca.pem")).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    assert_eq!(client.allowed_origins().get().unwrap().len("/origins").unwrap(), 0);
    assert!(server.join().unwrap()[0].contains("Bearer sk_test_1"));
}

#[test]
fn a_server_nobody_vouches_for_learns_nothing() {
    let (url, server) = serve(3);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.users().create("{}").unwrap_err();
    assert_eq!(error.status(), Status::Transport);
    assert!(error.to_string().starts_with("cannot connect: "), "{error}");
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(server.join().unwrap(), ["", "", ""], "not one byte of the request");
}
