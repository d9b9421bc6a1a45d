//! TLS: which certificates are trusted. They are those of the library's tests.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, Stream};

use crate::world::{Torii, World, json};

fn file(name: &str) -> String {
    let path: PathBuf =
        [env!("CARGO_MANIFEST_DIR"), "..", "tests", "api", "tls", name].iter().collect();
    path.to_str().unwrap().to_owned()
}

/// Starts a server that answers every request with this body while the test runs.
fn serve(body: String) -> String {
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
    thread::spawn(move || {
        for socket in listener.incoming() {
            let mut socket = socket.unwrap();
            let mut connection = ServerConnection::new(config.clone()).unwrap();
            let mut stream = Stream::new(&mut connection, &mut socket);
            let mut read = String::new();
            let mut lines = BufReader::new(&mut stream);
            // A client that only connects, or rejects the certificate, closes the connection.
            while !read.ends_with("\r\n\r\n") && lines.read_line(&mut read).is_ok_and(|n| n > 0) {}
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    format!("https://localhost:{port}")
}

#[test]
fn a_certificate_authority_may_be_named() {
    let world = World::new();
    let url = serve(world.issuer.jwks().to_string());
    let token = world.issuer.mint(torii_emulator::Mint::new().claim("iss", url.as_str()));
    let ca = file("ca.pem");
    let verify = ["verify", "--issuer", &url, &token];
    Torii::new(&[&verify[..], &["--ca-file", &ca]].concat()).run().succeeds();
    let ended = Torii::new(&verify).run();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("certificate"), "{ended:?}");
    let list = ["allowed-origins", "get", "--json", "--api-url", &url];
    let torii =
        |arguments: &[&str]| Torii::new(arguments).env("TORII_SECRET_KEY", "sk_test_1").run();
    assert!(torii(&[&list[..], &["--ca-file", &ca]].concat()).json()["keys"].is_array());
    assert_eq!(torii(&[&list[..], &["--retries", "0"]].concat()).code, 6);
}

#[test]
fn doctor_tells_a_certificate_from_a_connection() {
    let world = World::new();
    let url = serve(world.issuer.jwks().to_string());
    let examine = |more: &[&str]| {
        let arguments = ["doctor", "--json", "--issuer", &url];
        let ended = world.run(&[&arguments[..], more].concat());
        let found = json(&ended.stdout);
        let of = |step: &str| found.as_array().unwrap().iter().find(|f| f["step"] == step).cloned();
        (ended.code, of("connect").unwrap()["state"].clone(), of("tls").unwrap())
    };
    let (code, connect, tls) = examine(&[]);
    assert_eq!((code, connect.as_str(), tls["state"].as_str()), (1, Some("ok"), Some("failed")));
    assert!(tls["text"].as_str().unwrap().contains("certificate"), "{tls}");
    assert!(tls["advice"].as_str().unwrap().contains("--ca-file"), "{tls}");
    let (code, _, tls) = examine(&["--ca-file", &file("ca.pem")]);
    assert_eq!((code, tls["state"].as_str()), (0, Some("ok")), "{tls}");
}
