//! Options of a client, and secrets it does not show.

use std::io::Write;
use std::net::TcpListener;
use std::thread;

use torii::{Client, ClientOptions, Status};

use crate::world::{World, head, header};

#[test]
fn options_have_bounds() {
    let mut options = ClientOptions::new();
    for (outcome, why) in [
        (
            options.set_api_url("api.torii.so").err(),
            "api_url: not an absolute URL, as in https://acme.torii.so",
        ),
        (options.set_timeout_ms(99).err(), "timeout: not within 100 to 600000 milliseconds"),
        (options.set_timeout_ms(600_001).err(), "timeout: not within 100 to 600000 milliseconds"),
        (
            options.set_connect_timeout_ms(60_001).err(),
            "connect timeout: not within 100 to 60000 milliseconds",
        ),
        (options.set_max_retries(11).err(), "max_retries: not within 0 to 10"),
        (
            options.set_user_agent_suffix("a\r\nb").err(),
            "user_agent_suffix: holds a character that is not visible ASCII",
        ),
        (
            options.set_proxy("socks5://p:1").err(),
            "proxy: not a URL, as in http://proxy.example:3128",
        ),
    ] {
        let error = outcome.unwrap();
        assert_eq!((error.status(), error.to_string().as_str()), (Status::InvalidArgument, why));
    }
    let error = options.set_ca_file("/nonexistent").unwrap_err();
    assert_eq!(error.status(), Status::InvalidConfig);

    options.set_api_url("http://api.example.com").unwrap();
    let error = Client::new("sk_test_1", &options).unwrap_err();
    assert_eq!(error.status(), Status::InvalidConfig);
    options.set_allow_http(true);
    assert!(Client::new("sk_test_1", &options).is_ok());
    let error = Client::new("pk_test_1", &options).unwrap_err();
    assert_eq!(error.to_string(), "secret_key: does not start with sk_");
}

#[test]
fn secrets_are_not_shown() {
    let mut options = ClientOptions::new();
    options.set_proxy("http://name:hunter2@proxy.example:3128").unwrap();
    let client = Client::new("sk_live_hunter3", &options).unwrap();
    let users = format!("{:?}", client.users().all(None));
    let shown = format!("{options:?} {client:?} {users}");
    assert!(shown.contains("proxy.example:3128") && shown.contains("https://api.torii.so"));
    assert!(!shown.contains("hunter"), "{shown}");
}

#[test]
fn the_user_agent_has_the_suffix() {
    let world = World::with(|options| {
        options.set_user_agent_suffix("shop/1.2").unwrap();
    });
    world.client.allowed_origins().get().unwrap();
    let name = concat!("libtorii/", env!("CARGO_PKG_VERSION"), " shop/1.2");
    assert_eq!(header(&world.sent(), "user-agent"), Some(name));
}

#[test]
fn connections_are_reused() {
    let world = World::new();
    for _ in 0..5 {
        world.user();
    }
    assert_eq!(world.emulator.open_connections(), 1);
}

#[test]
fn a_proxy_gets_a_connect_request() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://ada:secret@{}", listener.local_addr().unwrap());
    let asked = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let asked = head(&mut stream);
        stream.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").unwrap();
        asked
    });
    let mut options = ClientOptions::new();
    options.set_proxy(&proxy).unwrap().set_max_retries(0).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let error = client.users().create("{}").unwrap_err();
    assert_eq!(error.status(), Status::Transport, "{error}");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("CONNECT api.torii.so:443 HTTP/1.1\r\n"), "{asked}");
    assert!(asked.contains("Basic YWRhOnNlY3JldA=="), "{asked}");
    assert!(!asked.contains("sk_test_1"));
    assert!(!error.to_string().contains("secret"), "{error}");
}
