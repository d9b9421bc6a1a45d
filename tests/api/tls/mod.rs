//! TLS: trusted certificates, and no request to a server without one.
//!
//! The certificates beside this file last until 2126; the CA's key is gone.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{HandshakeKind, ServerConfig, ServerConnection, Stream};
use torii::{Client, ClientOptions, Status, Verifier, VerifierOptions};

pub fn file(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests", "api", "tls", name].iter().collect()
}

/// A connection as the server saw it.
pub struct Visit {
    request: String,
    handshake: Option<HandshakeKind>,
}

/// A server that takes this number of connections, answers one request on each, and returns what it saw.
pub fn serve(connections: usize) -> (String, JoinHandle<Vec<Visit>>) {
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
                Visit { request: read, handshake: connection.handshake_kind() }
            })
            .collect()
    });
    (format!("https://localhost:{port}"), server)
}

#[test]
fn root_certificates_are_an_option() {
    let (url, server) = serve(1);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap().set_ca_file(file("ca.pem")).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    assert_eq!(client.allowed_origins().get().unwrap().len("/origins").unwrap(), 0);
    assert!(server.join().unwrap()[0].request.contains("Bearer sk_test_1"));
}

#[test]
fn an_untrusted_server_gets_no_request() {
    let (url, server) = serve(3);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.users().create("{}").unwrap_err();
    assert_eq!(error.status(), Status::Transport);
    assert_eq!(error.to_string(), "cannot connect: invalid peer certificate: UnknownIssuer");
    for visit in server.join().unwrap() {
        assert_eq!(visit.request, "", "not one byte of the request");
    }
}

#[test]
fn sessions_are_resumed() {
    let (url, server) = serve(3);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap().set_ca_file(file("ca.pem")).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    for _ in 0..3 {
        client.allowed_origins().get().unwrap();
    }
    let handshakes: Vec<_> = server.join().unwrap().iter().map(|v| v.handshake.unwrap()).collect();
    let resumed = HandshakeKind::Resumed;
    assert_eq!(handshakes, [HandshakeKind::Full, resumed, resumed]);
}

/// Runs in a child process, in which `SSL_CERT_FILE` names a file that may be removed.
#[test]
#[ignore = "run by the_environment_names_the_platforms_roots"]
fn trusting_the_environment() {
    let (url, server) = serve(5);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap();
    Client::new("sk_test_1", &options).unwrap().allowed_origins().get().unwrap();
    // The root certificates were loaded, once for the process.
    std::fs::remove_file(std::env::var("SSL_CERT_FILE").unwrap()).unwrap();
    for _ in 0..3 {
        Client::new("sk_test_1", &options).unwrap().allowed_origins().get().unwrap();
    }
    let mut options = VerifierOptions::new();
    options.set_background_refresh(false);
    let error = Verifier::new(&url, &options).unwrap().refresh().unwrap_err();
    assert_eq!(error.status(), Status::KeysUnavailable);
    assert!(server.join().unwrap()[4].request.starts_with("GET /"), "{error}");
}

/// Runs in a child process, in which other variables name root certificates.
#[test]
#[ignore = "run by no_other_variable_matters"]
fn not_trusting_the_environment() {
    let (url, server) = serve(1);
    let mut options = ClientOptions::new();
    options.set_api_url(&url).unwrap().set_max_retries(0).unwrap();
    let error = Client::new("sk_test_1", &options).unwrap().allowed_origins().get().unwrap_err();
    assert!(error.to_string().contains("certificate"), "{error}");
    assert_eq!(server.join().unwrap()[0].request, "");
}

#[track_caller]
fn assert_passes(test: &str, variables: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", test, "--nocapture"]);
    command.env_remove("SSL_CERT_FILE").env_remove("SSL_CERT_DIR");
    // No server listens there.
    for name in ["ALL_PROXY", "HTTPS_PROXY", "HTTP_PROXY", "all_proxy", "https_proxy", "http_proxy"]
    {
        command.env(name, "http://192.0.2.1:9");
    }
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 passed"), "{output:?}");
}

#[test]
fn the_environment_names_the_platforms_roots() {
    let copy = std::env::temp_dir().join(format!("torii-roots-{}.pem", std::process::id()));
    std::fs::copy(file("ca.pem"), &copy).unwrap();
    let variables = [("SSL_CERT_FILE", copy.to_str().unwrap())];
    assert_passes("tls::trusting_the_environment", &variables);
}

#[test]
fn no_other_variable_matters() {
    let path = file("ca.pem");
    let names = ["CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS", "AWS_CA_BUNDLE"];
    let variables = names.map(|name| (name, path.to_str().unwrap()));
    assert_passes("tls::not_trusting_the_environment", &variables);
}
