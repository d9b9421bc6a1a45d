//! `torii doctor`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::rfc2822;
use serde_json::Value;
use torii_emulator::{Fault, FaultKind};

use crate::world::{Folder, NOBODY_LISTENS, World, json, text};

/// What came of a step: each of its findings, state and text.
fn step(findings: &Value, step: &str) -> Vec<(String, String)> {
    let of_step = findings.as_array().unwrap().iter().filter(|finding| finding["step"] == step);
    of_step.map(|finding| (text(&finding["state"]), text(&finding["text"]))).collect()
}

/// Its findings, as JSON, and how it ended.
#[track_caller]
fn examine(world: &World, arguments: &[&str]) -> (Value, i32) {
    let all = [&["doctor", "--json", "--timeout", "10"], arguments].concat();
    let ended = world.run(&all);
    let findings = json(&ended.stdout);
    let all = findings.as_array().unwrap();
    let broken = all.iter().filter(|finding| finding["state"] == "broken").count();
    assert_eq!(ended.code, i32::from(broken > 0), "{ended:?}");
    for finding in all.iter().filter(|finding| finding["state"] == "broken") {
        assert!(!text(&finding["advice"]).is_empty(), "what is broken can be mended: {finding}");
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
fn all_is_well() {
    let world = World::new();
    let shown = world.run(&["doctor"]).succeeds();
    let lines: Vec<_> = shown.lines().collect();
    let starts = [
        "ok       dns      an address, nothing to look up",
        "ok       connect  127.0.0.1:",
        "ok       tls      plain http, which does not leave this machine",
        "ok       keys     1 of 1 usable, in ",
        "ok       cache    keys are kept for 300 s, as the issuer says",
        "ok       api      answers with 401, without a key, in ",
        "ok       clock    ",
        "ok       key      the API takes the secret key",
    ];
    assert_eq!(lines.len(), starts.len(), "{shown}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{line}");
    }
    let named = world.issuer.url().replace("127.0.0.1", "localhost");
    let (findings, code) = examine(&world, &["--issuer", &named]);
    assert_eq!(code, 0);
    assert_step(&findings, "dns", "ok", "localhost is ");
}

#[test]
fn a_wrong_clock_is_found() {
    let world = World::new();
    for (ahead, state, said) in [
        (-600, "broken", "10 min ahead of the server's, more than a leeway of 30 s"),
        (600, "broken", "behind the server's, more than a leeway of 30 s"),
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
        // A second may pass meanwhile.
        assert!(found[0].1.contains(said) || ahead == -600, "{found:?}");
    }
    // What a cache has kept for a while is not what time it is now.
    let then = Timestamp::now() - Duration::from_secs(3_600);
    let date = rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
    let headers = [("date".to_owned(), date), ("age".to_owned(), "3600".to_owned())];
    world.issuer.fault(FaultKind::Replace { headers: headers.into(), body: None }, 1);
    assert_step(&examine(&world, &[]).0, "clock", "ok", "server's");
}

#[test]
fn trouble_with_the_issuer_is_found() {
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
        assert_step(&findings, "keys", "broken", said);
        assert_step(&findings, "key", "ok", "the API takes the secret key");
        world.emulator.clear_faults();
    }
    let mut keys = world.issuer.jwks();
    let mut second = keys["keys"][0].clone();
    second["kid"] = "second".into();
    second["use"] = "enc".into();
    keys["keys"].as_array_mut().unwrap().push(second);
    world.issuer.set_jwks_body(Some(&keys.to_string()));
    let (findings, code) = examine(&world, &[]);
    assert_eq!(code, 0, "a warning is not broken");
    assert_step(&findings, "keys", "ok", "1 of 2 usable");
    assert_step(&findings, "keys", "warning", "second: `use` is not sig");
}

#[test]
fn trouble_with_the_network_is_found() {
    let world = World::new();
    let (findings, _) = examine(&world, &["--issuer", NOBODY_LISTENS]);
    assert_step(&findings, "connect", "broken", "Connection refused");
    assert_step(&findings, "keys", "skipped", "there is no connection");
    assert_step(&findings, "api", "ok", "answers with 401");
    assert_step(&findings, "clock", "ok", "server's");

    let (findings, _) = examine(&world, &["--issuer", "https://nowhere.invalid"]);
    assert_step(&findings, "dns", "broken", "nowhere.invalid cannot be looked up: ");

    let (findings, _) = examine(&world, &["--api-url", NOBODY_LISTENS]);
    assert_step(&findings, "keys", "ok", "1 of 1 usable");
    assert_step(&findings, "api", "broken", "cannot connect: ");
    assert_step(&findings, "key", "skipped", "the API cannot be reached");

    let (findings, _) = examine(&world, &["--issuer", NOBODY_LISTENS, "--api-url", NOBODY_LISTENS]);
    assert_step(&findings, "clock", "skipped", "no server told its time");
}

#[test]
fn trouble_with_the_api_is_found() {
    let world = World::new();
    world.emulator.fault(Fault::on("/api/", FaultKind::status(503)).times(1));
    assert_step(&examine(&world, &[]).0, "api", "broken", "HTTP status 503");
    world.emulator.fault(Fault::on("/api/", FaultKind::Close { handled: false }).times(1));
    assert_step(&examine(&world, &[]).0, "api", "broken", "/api/server/v1/organizations?limit=1: ");
    let elsewhere = format!("{}/elsewhere", world.emulator.url());
    let (findings, _) = examine(&world, &["--api-url", &elsewhere]);
    assert_step(&findings, "api", "broken", "HTTP status 404, where 401 belongs");
}

#[test]
fn the_secret_key_is_tried_if_there_is_one() {
    let world = World::new();
    let (folder, key) = (Folder::new(), "sk_test_nobodys");
    let ended = world.torii(&["doctor"]).without("TORII_SECRET_KEY").run().succeeds();
    assert!(ended.ends_with("skipped  key      no secret key in $TORII_SECRET_KEY\n"), "{ended}");
    let ended = world.torii(&["doctor"]).env("TORII_SECRET_KEY", key).run();
    ended.fails(1, "1 thing is broken");
    assert!(ended.stdout.contains("HTTP status 401"), "{}", ended.stdout);
    assert!(!ended.stdout.contains(key), "{}", ended.stdout);
    let file = folder.file("key", &world.issuer.secret_key());
    let other = world.torii(&["doctor", "--secret-key-file", &file]).env("TORII_SECRET_KEY", key);
    assert_eq!(other.run().code, 0);
    let other = world.torii(&["doctor", "--secret-key-env", "OTHER"]).env("OTHER", key);
    assert_eq!(other.run().code, 1);
    world.emulator.fault(Fault::on("/api/server/v1/organizations", FaultKind::status(403)));
    let (findings, _) = examine(&world, &[]);
    assert_step(&findings, "api", "broken", "HTTP status 403, where 401 belongs");
    assert_step(&findings, "key", "broken", "HTTP status 403");
}
