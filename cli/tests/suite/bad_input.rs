//! Invalid input: one line of error, without anything that could be a token or a key.

use crate::world::{Folder, NOBODY, Torii, World};

#[test]
fn an_invalid_command_line_is_one_line_of_error() {
    let world = World::new();
    let token = world.token();
    let id = NOBODY;
    let cases: &[(&[&str], &str)] = &[
        (&["verfy"], "unknown command verfy; did you mean verify?; see torii --help"),
        (&["quux"], "unknown command quux; see torii --help"),
        (&[&token], "the first argument is not a command; see torii --help"),
        (&["users", "lst"], "unknown command lst; did you mean list?; see torii users --help"),
        (&["verify", "a", "b"], "too many arguments; see torii verify --help"),
        (&["verify", &token, &token], "too many arguments; see torii verify --help"),
        (&["verify", "--issuer"], "--issuer <URL>: missing value; see torii verify --help"),
        (&["verify", "--json=x", "a"], "--json: takes no value; see torii verify --help"),
        (&["verify", "--requir", "x"], "unknown option --requir; did you mean --require?"),
        (
            &["verify", "--require", &token],
            "--require <CLAIM>: unknown value (expected one of email-verified, profile-complete, not-impersonated, organization)",
        ),
        (&["verify", "--leeway", "301", "a"], "--leeway <SECONDS>: 301 is not in 0..=300"),
        (&["verify", "--leeway", "x", "a"], "--leeway <SECONDS>: invalid digit found in string"),
        (&["verify", "--timeout", "0", "a"], "--timeout <SECONDS>: 0 is not in 1..=60"),
        (&["verify", "--audience", "", "a"], "audience: empty"),
        (
            &["verify", "--audience", "a", "--ignore-audience", "a"],
            "cannot be used with --ignore-audience",
        ),
        (
            &["verify", "--max-lifetime", "0", "a"],
            "--max-lifetime <SECONDS>: 0 is not in 1..=4294967295",
        ),
        (&["verify", "--proxy", "socks5://proxy.example", "a"], "proxy: "),
        (&["keys", "--proxy", "no proxy"], "proxy: "),
        (&["verify", "--issuer", "acme.torii.so", "a"], "issuer: not an absolute URL"),
        (
            &["verify", "--issuer", "http://acme.torii.so", "a"],
            "issuer: plain http to a host other than this one; use https",
        ),
        (
            &["verify", "--jwks", "/nonexistent", "a"],
            "key set from /nonexistent: No such file or directory",
        ),
        (
            &["verify", "--ca-file", "/nonexistent", "a"],
            "CA file `/nonexistent`: No such file or directory",
        ),
        (&["verify", "--ca-file", "/dev/null", "a"], "CA file `/dev/null`: no certificate in it"),
        (
            &[
                "verify",
                "--issuer",
                "https://a.example",
                "--issuer",
                "https://b.example",
                "--jwks",
                "/dev/null",
                "a",
            ],
            "--jwks: given with several issuers (expected one",
        ),
        (&["decode", "a", "b"], "too many arguments; see torii decode --help"),
        (&["keys", "--issuer", "https://acme.torii.so?x"], "issuer: holds a query"),
        (&["doctor", "--issuer", "ftp://acme.torii.so"], "issuer: neither https nor http"),
        (&["doctor", "--api-url", "nowhere"], "api_url: not an absolute URL"),
        (&["users", "get"], "missing argument: <USER_ID>; see torii users get --help"),
        (&["users", "get", "../admin"], "user_id: not a UUID"),
        (&["users", "get", &token], "user_id: not a UUID"),
        (
            &["users", "update", id],
            "body: no fields (expected --set, --set-json, --null or --body)",
        ),
        (
            &["users", "update", id, "--set", "secretname"],
            "--set <NAME=TEXT>: invalid (expected NAME=TEXT)",
        ),
        (&["users", "update", id, "--set", "=x"], "--set <NAME=TEXT>: empty name"),
        (
            &["users", "update", id, "--set-json", "a={secret"],
            "--set-json <NAME=JSON>: not JSON after the `=` (line 1, column 2)",
        ),
        (
            &["users", "update", id, "--null", "a=b"],
            "--null <NAME>: contains a value (expected a name)",
        ),
        (&["users", "update", id, "--set", "a=1", "--null", "a"], "field a: set twice"),
        (&["users", "update", id, "--set", "a=1", "--set", "a.b=1"], "field a: set twice"),
        (&["users", "update", id, "--set", "a=1", "--body", "-"], "cannot be used with"),
        (
            &["users", "update", id, "--body", "/nonexistent"],
            "body from /nonexistent: No such file or directory",
        ),
        (&["users", "update", id, "--body", "-"], "body: not a JSON object"),
        (&["users", "list", "--limit", "101"], "--limit <N>: 101 is not in 1..=100"),
        (
            &["users", "list", "--body", "/non\n\u{1b}existent"],
            "body from /non\\u{a}\\u{1b}existent: No such file or directory",
        ),
        (&["users", "list", "--cursor", "x"], "cursor: not a UUID"),
        (&["users", "list", "--all", "--limit", "3"], "cannot be used with"),
        (&["users", "list", "--retries", "11"], "--retries <TIMES>: 11 is not in 0..=10"),
        (
            &["users", "list", "--api-url", "http://api.torii.so"],
            "api_url: plain http to a host other than this one",
        ),
        (&["sessions", "revoke", id, "x"], "session_id: not a UUID"),
        (&["sessions", "revoke", "x", id], "user_id: not a UUID"),
        (&["sessions", "list", "x"], "user_id: not a UUID"),
        (&["sessions", "revoke-all", "x"], "user_id: not a UUID"),
        (&["organizations", "get", "x"], "organization_id: not a UUID"),
        (&["organizations", "members", "x"], "organization_id: not a UUID"),
        (&["organizations", "update-metadata", "x", "--null", "a"], "organization_id: not a UUID"),
        (
            &["organizations", "update-member-metadata", id, "x", "--null", "a"],
            "user_id: not a UUID",
        ),
        (&["invitations", "get", "x"], "invitation_id: not a UUID"),
        (&["invitations", "create"], "body: no fields ("),
        (&["invitations", "resend", "x"], "invitation_id: not a UUID"),
        (&["invitations", "revoke", "x"], "invitation_id: not a UUID"),
        (&["invitations", "update-metadata", "x", "--null", "a"], "invitation_id: not a UUID"),
        (&["impersonation", "create-token", "x", "--null", "a"], "user_id: not a UUID"),
        (&["impersonation", "create-token", id], "body: no fields ("),
        (&["allowed-origins", "set"], "missing argument: <ORIGINS>..."),
        (&["allowed-origins", "set", "a", "--none"], "cannot be used with"),
        (&["request", "GET", "/x", "--set", "a=b"], "body: not for GET"),
        (&["completions", "sh"], "<SHELL>: unknown value (expected one of bash, "),
        (&["dev", "--port", "70000"], "--port <PORT>: 70000 is not in 0..=65535"),
    ];
    for (arguments, line) in cases {
        let ended = world.run(arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?} {ended:?}");
        assert!(ended.stderr.contains(line), "{arguments:?} {ended:?}");
        assert_eq!(ended.stderr.lines().count(), 1, "{ended:?}");
        assert!(!ended.stderr.contains("secret"), "{ended:?}");
    }
    assert_eq!(world.emulator.requests().len(), 0, "nothing was sent");
}

#[test]
fn required_settings_are_named() {
    Torii::new(&["verify", "a"])
        .run()
        .fails(2, "missing argument: --issuer <URL>; see torii verify --help");
    Torii::new(&["keys"]).run().fails(2, "missing argument: --issuer <URL>; see torii keys --help");
    Torii::new(&["doctor"])
        .run()
        .fails(2, "missing argument: --issuer <URL>; see torii doctor --help");
    let ended = Torii::new(&["users", "list"]).run();
    ended.fails(2, "secret key: missing (set $TORII_SECRET_KEY or use --secret-key-file)");
}

#[test]
fn a_missing_command_prints_the_help() {
    for arguments in [&[][..], &["users"]] {
        let output = Torii::new(arguments).0.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("Commands:"), "{stderr}");
    }
}

#[test]
fn a_file_has_to_be_text() {
    let (world, folder) = (World::new(), Folder::new());
    let path = folder.path().join("binary");
    std::fs::write(&path, b"\xff").unwrap();
    let path = path.to_str().unwrap();
    let ended = world.run(&["users", "create", "--body", path]);
    ended.fails(2, &format!("body from {path}: not UTF-8"));
    let folder = folder.path().to_str().unwrap();
    let ended = world.run(&["keys", "--jwks", folder]);
    assert_eq!(ended.code, 2, "{ended:?}");
}
