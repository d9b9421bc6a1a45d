//! The key cache directory: `--key-cache`.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use serde_json::Value;
use torii_emulator::FaultKind;

use crate::world::{Folder, World, text};

/// The directory, and the only file of keys in it.
fn cache(folder: &Folder) -> (String, impl Fn() -> PathBuf) {
    let directory = folder.path().join("keys");
    let name = directory.to_str().unwrap().to_owned();
    (name, move || {
        let mut files: Vec<_> =
            fs::read_dir(&directory).unwrap().map(|f| f.unwrap().path()).collect();
        files.retain(|path| !path.ends_with(".lock"));
        assert_eq!(files.len(), 1, "{files:?}");
        files[0].clone()
    })
}

#[test]
fn verify_starts_with_the_keys_of_an_earlier_run() {
    let (world, folder) = (World::new(), Folder::new());
    let (directory, file) = cache(&folder);
    for _ in 0..3 {
        world.run(&["verify", "--key-cache", &directory, &world.token()]).succeeds();
    }
    assert_eq!(world.issuer.jwks_requests(), 1);
    world.issuer.fault(FaultKind::status(503), None);
    world.run(&["verify", "--key-cache", &directory, &world.token()]).succeeds();
    assert_eq!(world.run(&["verify", &world.token()]).code, 4);
    // A damaged file is ignored.
    fs::write(file(), "damaged").unwrap();
    assert_eq!(world.run(&["verify", "--key-cache", &directory, &world.token()]).code, 4);
    let missing = folder.path().join("a/b");
    let missing = missing.to_str().unwrap();
    world.run(&["verify", "--key-cache", missing, &world.token()]).fails(
        2,
        &format!("key cache directory `{missing}`: cannot create it: No such file or directory (os error 2)"),
    );
}

#[test]
fn keys_shows_the_file_and_changes_nothing() {
    let (world, folder) = (World::new(), Folder::new());
    let (directory, file) = cache(&folder);
    let show = || world.run(&["keys", "--key-cache", &directory]);
    let line = |shown: &str| {
        let found = shown.lines().find_map(|line| line.strip_prefix("key cache  "));
        found.unwrap_or_else(|| panic!("{shown}")).to_owned()
    };
    let said = line(&show().succeeds());
    assert!(said.starts_with("ignored: key cache directory `"), "{said}");
    assert!(!fs::exists(&directory).unwrap(), "created");
    fs::create_dir(&directory).unwrap();
    assert!(line(&show().succeeds()).starts_with("no file "));

    world.run(&["verify", "--key-cache", &directory, &world.token()]).succeeds();
    let before = fs::read(file()).unwrap();
    let said = line(&show().succeeds());
    let end = format!(" s old, lifetime 300 s, used without a fetch: {}", file().display());
    assert!(said.starts_with("1 of 1 usable, ") && said.ends_with(&end), "{said}");
    let read = &world.json(&["keys", "--key-cache", &directory])["keyCache"];
    assert_eq!((&read["state"], &read["lifetime"]), (&"used".into(), &300.into()));

    // An issuer that is down.
    world.issuer.fault(FaultKind::status(503), None);
    let ended = show();
    assert_eq!(ended.code, 4);
    assert!(line(&ended.stdout).starts_with("1 of 1 usable, "), "{ended:?}");
    let ended = world.run(&["keys", "--json", "--key-cache", &directory]);
    assert_eq!(crate::world::json(&ended.stdout)["keyCache"]["usable"], 1);
    assert_eq!(fs::read(file()).unwrap(), before);

    fs::set_permissions(file(), fs::Permissions::from_mode(0o666)).unwrap();
    let ended = world.run(&["keys", "--json", "--key-cache", &directory]);
    let read = &crate::world::json(&ended.stdout)["keyCache"];
    assert_eq!(read["state"], "ignored");
    assert!(text(&read["why"]).ends_with("writable by group or others (mode 0666)"), "{read}");
    world
        .run(&["keys", "--jwks", "-", "--key-cache", &directory])
        .fails(2, "--jwks <FILE>: cannot be used with --key-cache <DIR>; see torii keys --help");
}

#[test]
fn doctor_checks_the_file_and_the_revocations_file() {
    let (world, folder) = (World::new(), Folder::new());
    let (directory, file) = cache(&folder);
    let finding = |code: i32, arguments: &[&str], step: &str| {
        let ended = world.run(&[&["doctor", "--json"], arguments].concat());
        assert_eq!(ended.code, code, "{ended:?}");
        let findings = crate::world::json(&ended.stdout);
        let found = findings.as_array().unwrap().iter().find(|finding| finding["step"] == step);
        let finding = found.unwrap_or(&Value::Null);
        (text(&finding["state"]), text(&finding["text"]))
    };
    let check = |code, step| finding(code, &["--key-cache", &directory], step);
    fs::create_dir(&directory).unwrap();
    let (state, said) = check(0, "key cache");
    assert_eq!(state, "skipped");
    assert!(said.starts_with("no file "), "{said}");
    world.run(&["verify", "--key-cache", &directory, &world.token()]).succeeds();
    let (state, said) = check(0, "key cache");
    assert_eq!(state, "ok");
    assert!(said.starts_with("1 of 1 usable, ") && said.contains("used without a fetch"), "{said}");
    fs::write(file(), "damaged").unwrap();
    let (state, said) = check(1, "key cache");
    assert_eq!(state, "failed");
    assert!(said.contains(": truncated, changed, or not written by this library"), "{said}");

    let list = folder.file("revoked.json", r#"{"revoked":[{"sub":"user-1","before":"all"}]}"#);
    let (state, said) = finding(0, &["--revocations", &list], "revoked");
    assert_eq!((state.as_str(), said), ("ok", format!("{list} can be used")));
    let list = folder.file("wrong.json", r#"{"revoked":[{"sub":"user-1"}]}"#);
    let (state, said) = finding(1, &["--revocations", &list], "revoked");
    assert_eq!(state, "failed");
    assert!(said.contains(&list), "{said}");
}

/// The lines of the watch, without their times.
fn watched(stdout: &str) -> Vec<String> {
    let without_time = |line: &str| line.split_once("Z  ").unwrap().1.to_owned();
    stdout.lines().map(without_time).collect()
}

#[test]
fn watch_prints_what_changes() {
    let world = World::new();
    let kid = world.issuer.kid();
    let good = world.issuer.jwks();
    let (mut two, mut unusable) = (good.clone(), good.clone());
    let mut second = good["keys"][0].clone();
    second["kid"] = "second\u{1b}".into();
    two["keys"].as_array_mut().unwrap().push(second);
    unusable["keys"][0]["use"] = "enc".into();
    let mut changed = two.clone();
    changed["keys"][1]["use"] = "enc".into();
    for fault in [
        FaultKind::Delay { ms: 0 },
        FaultKind::Delay { ms: 0 },
        FaultKind::status(503),
        FaultKind::status(503),
        FaultKind::body(&two.to_string()),
        FaultKind::body(&changed.to_string()),
        FaultKind::Delay { ms: 0 },
        FaultKind::body(&unusable.to_string()),
        FaultKind::status(404),
    ] {
        world.issuer.fault(fault, Some(1));
    }
    let ended = world.run(&["keys", "--watch", "--interval", "0", "--count", "9"]);
    let url = world.issuer.jwks_url();
    let cannot = format!("cannot fetch keys from {url}: HTTP status 404");
    ended.fails(4, &cannot);
    let lines = watched(&ended.stdout);
    let starts = [
        "keys       1 of 1 usable, age 0 s, lifetime 300 s (the issuer's max-age)".to_owned(),
        format!("added      {kid}  used"),
        format!(
            "error      cannot fetch keys from {url}: HTTP status 503; the last fetch that succeeded was "
        ),
        "keys       2 of 2 usable".to_owned(),
        "added      second\\u{1b}  used".to_owned(),
        "changed    second\\u{1b}  skipped: `use` is not sig".to_owned(),
        "removed    second\\u{1b}".to_owned(),
        format!(
            "error      {url}: not a usable key set: no usable key; the last fetch that succeeded was "
        ),
        format!("error      {cannot}; the last fetch that succeeded was "),
    ];
    assert_eq!(lines.len(), starts.len(), "{lines:#?}");
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(&start), "{line} {start}");
    }
    assert_eq!(world.issuer.jwks_requests(), 9);
}

#[test]
fn watch_shows_the_key_cache_directory_and_prints_json() {
    let (world, folder) = (World::new(), Folder::new());
    let (directory, file) = cache(&folder);
    world.run(&["verify", "--key-cache", &directory, &world.token()]).succeeds();
    let watch = |more: &[&str]| {
        let arguments =
            ["keys", "--watch", "--interval", "0", "--count", "3", "--key-cache", &directory];
        world.run(&[&arguments[..], more].concat())
    };
    let lines = watched(&watch(&[]).succeeds());
    let of_cache: Vec<_> = lines.iter().filter(|line| line.starts_with("key cache  ")).collect();
    assert_eq!(of_cache.len(), 1, "{lines:?}");
    assert!(of_cache[0].contains("  1 of 1 usable, "), "{lines:?}");

    fs::write(file(), "damaged").unwrap();
    world.issuer.fault(FaultKind::status(503), None);
    let ended = watch(&["--json"]);
    assert_eq!(ended.code, 4);
    let events: Vec<Value> = ended.stdout.lines().map(crate::world::json).collect();
    let names: Vec<_> = events.iter().map(|event| text(&event["event"])).collect();
    assert_eq!(names, ["error", "keyCache"]);
    assert!(events.iter().all(|event| event["time"].as_i64().is_some_and(|at| at > 0)));
    assert_eq!(events[0]["lastSuccess"], Value::Null);
    assert_eq!(events[1]["keyCache"]["state"], "ignored");

    for option in [&["--interval", "1"][..], &["--count", "1"]] {
        let ended = world.run(&[&["keys"], option].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
    }
}

/// Without --count it ends when its reader has gone.
#[test]
fn watch_ends_with_its_reader() {
    let world = World::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut torii = world.torii(&["keys", "--watch", "--interval", "0"]);
    let output = torii.0.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr.len()), (Some(0), 0), "{output:?}");
}
