//! Failures of the network and of the API.

use torii_emulator::{Fault, FaultKind, Mint, Settings};

use crate::world::{NOBODY, NOBODY_LISTENS, Torii, World};

/// Every command that calls the API, with its arguments.
fn commands() -> Vec<Vec<&'static str>> {
    let id = NOBODY;
    let lines = [
        "users list",
        "users list --all",
        "users get ID",
        "users create",
        "users update ID --null a",
        "users update-metadata ID --null a",
        "users delete ID",
        "users ban ID",
        "users unban ID",
        "users organizations ID",
        "sessions list ID",
        "sessions revoke ID ID",
        "sessions revoke-all ID",
        "organizations list",
        "organizations get ID",
        "organizations members ID",
        "organizations update-metadata ID --null a",
        "organizations update-member-metadata ID ID --null a",
        "invitations list",
        "invitations get ID",
        "invitations create --null a",
        "invitations resend ID",
        "invitations revoke ID",
        "invitations update-metadata ID --null a",
        "impersonation create-token ID --null a",
        "allowed-origins get",
        "allowed-origins set --none",
        "request GET /x",
    ];
    let words =
        |line: &'static str| line.split(' ').map(|word| if word == "ID" { id } else { word });
    lines.into_iter().map(|line| words(line).collect()).collect()
}

#[test]
fn a_refused_connection_is_reported_by_every_command() {
    for command in commands() {
        let ended =
            Torii::new(&[&command[..], &["--retries", "0", "--api-url", NOBODY_LISTENS]].concat())
                .env("TORII_SECRET_KEY", "sk_test_1")
                .run();
        assert_eq!(ended.code, 6, "{command:?} {ended:?}");
        assert!(ended.stderr.starts_with("torii: cannot connect: "), "{ended:?}");
        assert!(ended.stdout.is_empty() || ended.stdout == "[", "{ended:?}");
    }
}

#[test]
fn an_unknown_host_is_reported() {
    let ended = Torii::new(&[
        "users",
        "list",
        "--retries",
        "0",
        "--timeout",
        "3",
        "--api-url",
        "https://nowhere.invalid",
    ])
    .env("TORII_SECRET_KEY", "sk_test_1")
    .run();
    assert_eq!(ended.code, 6, "{ended:?}");
    let ended =
        Torii::new(&["keys", "--timeout", "3", "--issuer", "https://nowhere.invalid"]).run();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("https://nowhere.invalid/_torii/.well-known/jwks.json"));
}

#[test]
fn keys_of_an_issuer_that_is_down_are_unavailable() {
    let token = World::new().issuer.mint(Mint::new().claim("iss", NOBODY_LISTENS));
    let ended = Torii::new(&["verify", "--issuer", NOBODY_LISTENS, &token]).run();
    assert_eq!(ended.code, 4, "{ended:?}");
    assert!(ended.stderr.contains("Connection refused"), "{ended:?}");
}

#[test]
fn every_command_reports_the_error_of_the_api() {
    let world = World::new();
    for command in commands() {
        let problem = r#"{"detail":"not today","code":"closed","supportId":"s-1"}"#;
        let kind = FaultKind::Status {
            status: 503,
            headers: Default::default(),
            body: problem.to_owned(),
            handled: false,
        };
        world.emulator.fault(Fault::on("/", kind));
        let ended = world.run(&[&command[..], &["--retries", "0"]].concat());
        ended.fails(5, "not today (HTTP status 503, code closed, support id s-1)");
        world.emulator.clear_faults();
    }
}

#[test]
fn idempotent_calls_are_retried() {
    let world = World::new();
    let user = world.user();
    for status in [502, 503, 504] {
        world.emulator.fault(Fault::on("/api/", FaultKind::status(status)).times(2));
        world.run(&["users", "get", &user]).succeeds();
    }
    assert_eq!(world.emulator.count("/api/"), 9);
    world.emulator.clear_requests();
    world.emulator.fault(Fault::on("/api/", FaultKind::status(503)).times(1));
    world.run(&["users", "create"]).fails(5, "torii 503 Service Unavailable (HTTP status 503)");
    assert_eq!(world.emulator.count("/api/"), 1, "sent once");
}

#[test]
fn a_rate_limit_shows_when_to_retry() {
    let world = World::new();
    let settings = Settings { invitation_quota: Some(0), retry_after: 7, ..Settings::default() };
    world.issuer.set_settings(settings);
    let ended = world.run(&["invitations", "create", "--set", "email=a@example.com"]);
    assert_eq!(ended.code, 5);
    assert!(ended.stderr.contains("(HTTP status 429, "), "{ended:?}");
    assert!(ended.stderr.ends_with(", retry in 7 s)\n"), "{ended:?}");
}

#[test]
fn a_call_has_a_timeout() {
    let world = World::new();
    world.emulator.fault(Fault::on("/api/", FaultKind::hang()));
    let ended = world.run(&["users", "list", "--timeout", "1"]);
    ended.fails(6, "no answer within 1000 ms");
}

#[test]
fn an_invalid_answer_is_reported() {
    let world = World::new();
    let path = "/api/server/v1/";
    world.emulator.fault(Fault::on(path, FaultKind::body("<html>")).times(1));
    let ended = world.run(&["users", "list"]);
    ended.fails(6, "torii 200 OK: not JSON (line 1, column 1) (HTTP status 200)");
    for command in [
        &["users", "list"][..],
        &["users", "list", "--all"],
        &["sessions", "list", NOBODY],
        &["users", "get", NOBODY],
    ] {
        let kind = FaultKind::Status {
            status: 200,
            headers: Default::default(),
            body: "7".to_owned(),
            handled: false,
        };
        world.emulator.fault(Fault::on(path, kind).times(1));
        assert_eq!(world.run(command).code, 6, "{command:?}");
    }
}

#[test]
fn keys_are_fetched_through_a_proxy() {
    // Not a proxy, but it records what a proxy would get.
    let world = World::new();
    let proxy = world.emulator.url();
    let issuer = "http://acme.invalid";
    let token = world.issuer.mint(Mint::new().claim("iss", issuer));
    for command in [&["verify", &token][..], &["keys"]] {
        world.emulator.clear_requests();
        let options = ["--allow-http", "--issuer", issuer, "--proxy", proxy];
        let ended = Torii::new(&[command, &options].concat()).run();
        assert_eq!(ended.code, 4, "{ended:?}");
        assert_eq!(world.emulator.requests().len(), 1, "{ended:?}");
    }
}
