//! `torii doctor`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::{Value, json};
use torii_emulator::{Fault, FaultKind, Spelling};

use crate::world::{self, Folder, NOBODY_LISTENS, World, text};

/// The state and the text of each finding of a step.
fn step(findings: &Value, step: &str) -> Vec<(String, String)> {
    let of_step = findings.as_array().unwrap().iter().filter(|finding| finding["step"] == step);
    of_step.map(|finding| (text(&finding["state"]), text(&finding["text"]))).collect()
}

/// Its findings, as JSON, and its exit status.
#[track_caller]
fn examine(world: &World, arguments: &[&str]) -> (Value, i32) {
    let all = [&["doctor", "--json", "--timeout", "10"], arguments].concat();
    let ended = world.run(&all);
    let findings = world::json(&ended.stdout);
    let all = findings.as_array().unwrap();
    let failed = all.iter().filter(|finding| finding["state"] == "failed").count();
    assert_eq!(ended.code, i32::from(failed > 0), "{ended:?}");
    for finding in all.iter().filter(|finding| finding["state"] == "failed") {
        assert!(!text(&finding["advice"]).is_empty(), "a failed check has advice: {finding}");
    }
    (findings, ended.code)
}

#[track_caller]
fn assert_step(findings: &Value, name: &str, state: &str, said: &str) {
    let found = step(findings, name);
    let fits = found.iter().any(|(is, text)| is == state && text.contains(said));
    assert!(fits, "no {state} {name}: {said}\nin {findings:#}");
}

#[test]
fn a_healthy_environment_is_ok() {
    let world = World::new();
    let shown = world.run(&["doctor"]).succeeds();
    let lines: Vec<_> = shown.lines().collect();
    let starts = [
        "ok       dns        an address, no name to resolve",
        "ok       connect    127.0.0.1:",
        "ok       tls        plain http to this machine",
        "ok       keys       1 of 1 usable, in ",
        "ok       cache      keys are cached for 300 s (the issuer's max-age)",
        "ok       discovery  issuer and key URL are the configured ones",
        "ok       api        answers a request without a key with 401, in ",
        "ok       clock      ",
        "ok       key        the API accepts the secret key",
    ];
    assert_eq!(lines.len(), starts.len(), "{shown}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let named = world.issuer.url().replace("127.0.0.1", "localhost");
    let (findings, code) = examine(&world, &["--issuer", &named]);
    assert_eq!(code, 1, "the discovery document has the issuer by its address");
    assert_step(&findings, "dns", "ok", "localhost is ");
}

#[test]
fn a_wrong_clock_is_reported() {
    let world = World::new();
    for (ahead, state, said) in [
        (-600, "failed", "10 min ahead of the server's, more than the default leeway of 30 s"),
        (600, "failed", "behind the server's, more than the default leeway of 30 s"),
        (20, "warning", "s behind the server's"),
        (0, "ok", "server's"),
    ] {
        let then = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
        let then = Timestamp::from_second(then.unwrap() + ahead).unwrap();
        let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
        world.issuer.fault(FaultKind::header("date", &date), 1);
        let (findings, _) = examine(&world, &[]);
        let found = step(&findings, "clock");
        assert_eq!(found[0].0, state, "{found:?}");
        // A second may pass during the request.
        assert!(found[0].1.contains(said) || ahead == -600, "{found:?}");
    }
    // An answer from a cache has the time at which it was stored.
    let then = Timestamp::now() - Duration::from_secs(3_600);
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
    let headers = [("date".to_owned(), date), ("age".to_owned(), "3600".to_owned())];
    world.issuer.fault(FaultKind::Replace { headers: headers.into(), body: None }, 1);
    assert_step(&examine(&world, &[]).0, "clock", "ok", "server's");
}

#[test]
fn a_failing_issuer_is_reported() {
    let world = World::new();
    for (fault, said) in [
        (FaultKind::status(404), "HTTP status 404"),
        (FaultKind::redirect("/x"), "HTTP status 302"),
        (FaultKind::status(503), "HTTP status 503"),
        (FaultKind::body("not JSON"), "not a usable key set: not a JSON object"),
        (FaultKind::hang(), "no answer within 10000 ms"),
    ] {
        world.issuer.fault(fault, 1);
        let (findings, code) = examine(&world, &[]);
        assert_eq!(code, 1);
        assert_step(&findings, "keys", "failed", said);
        assert_step(&findings, "key", "ok", "the API accepts the secret key");
        world.emulator.clear_faults();
    }
    let mut keys = world.issuer.jwks();
    let mut second = keys["keys"][0].clone();
    second["kid"] = "second".into();
    second["use"] = "enc".into();
    keys["keys"].as_array_mut().unwrap().push(second);
    world.issuer.set_jwks_body(Some(&keys.to_string()));
    let (findings, code) = examine(&world, &[]);
    assert_eq!(code, 0, "a warning is not a failure");
    assert_step(&findings, "keys", "ok", "1 of 2 usable");
    assert_step(&findings, "keys", "warning", "second: `use` is not sig");
}

#[test]
fn a_failing_network_is_reported() {
    let world = World::new();
    let (findings, _) = examine(&world, &["--issuer", NOBODY_LISTENS]);
    assert_step(&findings, "connect", "failed", "Connection refused");
    assert_step(&findings, "keys", "skipped", "no connection");
    assert_step(&findings, "api", "ok", "answers a request without a key with 401");
    assert_step(&findings, "clock", "ok", "server's");

    let (findings, _) = examine(&world, &["--issuer", "https://nowhere.invalid"]);
    assert_step(&findings, "dns", "failed", "nowhere.invalid: cannot resolve: ");

    let (findings, _) = examine(&world, &["--api-url", NOBODY_LISTENS]);
    assert_step(&findings, "keys", "ok", "1 of 1 usable");
    assert_step(&findings, "api", "failed", "cannot connect: ");
    assert_step(&findings, "key", "skipped", "the API is unreachable");

    let (findings, _) = examine(&world, &["--issuer", NOBODY_LISTENS, "--api-url", NOBODY_LISTENS]);
    assert_step(&findings, "clock", "skipped", "no server sent its time");
}

#[test]
fn a_failing_api_is_reported() {
    let world = World::new();
    world.emulator.fault(Fault::on("/api/", FaultKind::status(503)).times(1));
    assert_step(&examine(&world, &[]).0, "api", "failed", "HTTP status 503");
    world.emulator.fault(Fault::on("/api/", FaultKind::Close { handled: false }).times(1));
    assert_step(&examine(&world, &[]).0, "api", "failed", "/api/server/v1/organizations?limit=1: ");
    let elsewhere = format!("{}/elsewhere", world.emulator.url());
    let (findings, _) = examine(&world, &["--api-url", &elsewhere]);
    assert_step(&findings, "api", "failed", "HTTP status 404 (expected 401)");
}

#[test]
fn the_secret_key_is_checked_if_there_is_one() {
    let world = World::new();
    let (folder, key) = (Folder::new(), "sk_test_nobodys");
    let ended = world.torii(&["doctor"]).without("TORII_SECRET_KEY").run().succeeds();
    assert!(ended.ends_with("skipped  key        no secret key in $TORII_SECRET_KEY\n"), "{ended}");
    let ended = world.torii(&["doctor"]).env("TORII_SECRET_KEY", key).run();
    ended.fails(1, "1 check failed");
    assert!(ended.stdout.contains("HTTP status 401"), "{}", ended.stdout);
    assert!(!ended.stdout.contains(key), "{}", ended.stdout);
    let file = folder.file("key", &world.issuer.secret_key());
    let other = world.torii(&["doctor", "--secret-key-file", &file]).env("TORII_SECRET_KEY", key);
    assert_eq!(other.run().code, 0);
    let other = world.torii(&["doctor", "--secret-key-env", "OTHER"]).env("OTHER", key);
    assert_eq!(other.run().code, 1);
    world.emulator.fault(Fault::on("/api/server/v1/organizations", FaultKind::status(403)));
    let (findings, _) = examine(&world, &[]);
    assert_step(&findings, "api", "failed", "HTTP status 403 (expected 401)");
    assert_step(&findings, "key", "failed", "HTTP status 403");
}

#[test]
fn the_discovery_document_is_compared_with_the_configuration() {
    let world = World::new();
    let same = "issuer and key URL are the configured ones";
    for spelling in [Spelling::SnakeCase, Spelling::CamelCase] {
        world.issuer.set_discovery_spelling(spelling);
        assert_step(&examine(&world, &[]).0, "discovery", "ok", same);
    }
    let slash = format!("{}/", world.issuer.url());
    assert_step(&examine(&world, &["--issuer", &slash]).0, "discovery", "ok", same);

    let (issuer, jwks_url) = (world.issuer.url(), world.issuer.jwks_url());
    let serve = |document: Value| world.issuer.set_discovery_body(Some(&document.to_string()));
    serve(json!({ "issuer": "https://torii.example.com", "jwks_uri": jwks_url }));
    let (findings, code) = examine(&world, &[]);
    assert_eq!(code, 1);
    let other = format!("other issuer: `https://torii.example.com` (expected `{issuer}`)");
    assert_step(&findings, "discovery", "failed", &other);
    serve(json!({ "issuer": issuer }));
    assert_step(
        &examine(&world, &[]).0,
        "discovery",
        "warning",
        "other key URL: missing (expected",
    );
    for member in ["jwks_uri", "jwksUri"] {
        serve(json!({ "issuer": slash, member: "https://torii.example.com/jwks" }));
        let (findings, code) = examine(&world, &[]);
        assert_eq!(code, 0, "a warning is not a failure");
        let other =
            format!("other key URL: `https://torii.example.com/jwks` (expected `{jwks_url}`)");
        assert_step(&findings, "discovery", "warning", &other);
    }
}

#[test]
fn a_discovery_document_that_is_not_served_is_not_a_failure() {
    let world = World::new();
    let url = world.issuer.discovery_url();
    let path = "/acme/.well-known/";
    let html = FaultKind::body("<html>");
    for (kind, why) in [
        (FaultKind::status(404), "HTTP status 404"),
        (FaultKind::status(403), "HTTP status 403"),
        (html, "the answer is not a discovery document"),
        (FaultKind::body("{}"), "the answer is not a discovery document"),
    ] {
        world.emulator.fault(Fault::on(path, kind).times(1));
        let (findings, code) = examine(&world, &[]);
        assert_eq!(code, 0, "{findings}");
        let text = format!("not served at {url} ({why}); a proxy of /_torii and older servers");
        assert_step(&findings, "discovery", "skipped", &text);
    }
    for (kind, why) in
        [(FaultKind::status(503), "HTTP status 503"), (FaultKind::Close { handled: false }, &*url)]
    {
        world.emulator.fault(Fault::on(path, kind).times(1));
        let (findings, code) = examine(&world, &[]);
        assert_eq!(code, 0, "{findings}");
        assert_step(&findings, "discovery", "warning", why);
    }
}
