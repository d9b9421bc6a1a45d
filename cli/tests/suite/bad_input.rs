//! What makes no sense is said in one line, which repeats nothing that could be a token or a key.

use crate::world::{Folder, NOBODY, Torii, World};

#[test]
fn the_command_line() {
    let world = World::new();
    let token = world.token();
    let id = NOBODY;
    let cases: &[(&[&str], &str)] = &[
        (&["verfy"], "there is no command verfy, but there is verify; see torii --help"),
        (&["quux"], "there is no command quux; see torii --help"),
        (&[&token], "the first argument is no command; see torii --help"),
        (&["users", "lst"], "there is no command lst, but there is list; see torii users --help"),
        (&["verify", "a", "b"], "one argument too many; see torii verify --help"),
        (&["verify", &token, &token], "one argument too many; see torii verify --help"),
        (&["verify", "--issuer"], "--issuer <URL> lacks its value; see torii verify --help"),
        (&["verify", "--requir", "x"], "there is no option --requir, but there is --require"),
        (
            &["verify", "--require", &token],
            "--require <CLAIM> is none of email-verified, profile-complete, not-impersonated",
        ),
        (&["verify", "--leeway", "301", "a"], "--leeway <SECONDS>: 301 is not in 0..=300"),
        (&["verify", "--leeway", "x", "a"], "--leeway <SECONDS>: invalid digit found in string"),
        (&["verify", "--timeout", "0", "a"], "--timeout <SECONDS>: 0 is not in 1..=60"),
        (&["verify", "--audience", "", "a"], "audience: empty"),
        (&["verify", "--issuer", "acme.torii.so", "a"], "issuer: not an absolute URL"),
        (
            &["verify", "--issuer", "http://acme.torii.so", "a"],
            "issuer: plain http to a host other than this one; use https",
        ),
        (
            &["verify", "--jwks", "/nonexistent", "a"],
            "the key set from /nonexistent: No such file or directory",
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
            "--jwks has the keys of one issuer: name only one",
        ),
        (&["decode", "a", "b"], "one argument too many; see torii decode --help"),
        (&["keys", "--issuer", "https://acme.torii.so?x"], "issuer: holds a query"),
        (&["doctor", "--issuer", "ftp://acme.torii.so"], "issuer: neither https nor http"),
        (&["doctor", "--api-url", "nowhere"], "api_url: not an absolute URL"),
        (&["users", "get"], "what is missing: <USER_ID>; see torii users get --help"),
        (&["users", "get", "../admin"], "user_id: not a UUID"),
        (&["users", "get", &token], "user_id: not a UUID"),
        (&["users", "update", id], "name the fields: --set, --set-json, --null or --body"),
        (
            &["users", "update", id, "--set", "secretname"],
            "--set <NAME=TEXT>: not of the form NAME=TEXT",
        ),
        (&["users", "update", id, "--set", "=x"], "--set <NAME=TEXT>: a name is empty"),
        (
            &["users", "update", id, "--set-json", "a={secret"],
            "--set-json <NAME=JSON>: not JSON after the `=` (line 1, column 2)",
        ),
        (&["users", "update", id, "--null", "a=b"], "--null <NAME>: takes a name alone"),
        (&["users", "update", id, "--set", "a=1", "--null", "a"], "field a: set twice"),
        (&["users", "update", id, "--set", "a=1", "--set", "a.b=1"], "field a: set twice"),
        (&["users", "update", id, "--set", "a=1", "--body", "-"], "does not go with"),
        (
            &["users", "update", id, "--body", "/nonexistent"],
            "the body from /nonexistent: No such file or directory",
        ),
        (&["users", "update", id, "--body", "-"], "body: not a JSON object"),
        (&["users", "list", "--limit", "101"], "--limit <N>: 101 is not in 1..=100"),
        (
            &["users", "list", "--body", "/non\n\u{1b}existent"],
            "the body from /non\\u{a}\\u{1b}existent: No such file or directory",
        ),
        (&["users", "list", "--cursor", "x"], "cursor: not a UUID"),
        (&["users", "list", "--all", "--limit", "3"], "does not go with"),
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
        (&["invitations", "create"], "name the fields: "),
        (&["invitations", "resend", "x"], "invitation_id: not a UUID"),
        (&["invitations", "revoke", "x"], "invitation_id: not a UUID"),
        (&["invitations", "update-metadata", "x", "--null", "a"], "invitation_id: not a UUID"),
        (&["impersonation", "create-token", "x", "--null", "a"], "user_id: not a UUID"),
        (&["impersonation", "create-token", id], "name the fields: "),
        (&["allowed-origins", "set"], "what is missing: <ORIGINS>..."),
        (&["allowed-origins", "set", "a", "--none"], "does not go with"),
        (&["request", "GET", "/x", "--set", "a=b"], "body: not for GET"),
        (&["completions", "sh"], "<SHELL> is none of bash, "),
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
fn an_environment_without_anything() {
    Torii::new(&["verify", "a"])
        .run()
        .fails(2, "what is missing: --issuer <URL>; see torii verify --help");
    Torii::new(&["keys"]).run().fails(2, "what is missing: --issuer <URL>; see torii keys --help");
    Torii::new(&["doctor"])
        .run()
        .fails(2, "what is missing: --issuer <URL>; see torii doctor --help");
    let ended = Torii::new(&["users", "list"]).run();
    ended.fails(
        2,
        "no secret key: put it into $TORII_SECRET_KEY, or name a file with --secret-key-file",
    );
}

#[test]
fn no_command_at_all() {
    for arguments in [&[][..], &["users"]] {
        let output = Torii::new(arguments).0.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(stderr.contains("Commands:"), "{stderr}");
    }
}

#[test]
fn files_that_are_no_text() {
    let (world, folder) = (World::new(), Folder::new());
    let path = folder.path().join("binary");
    std::fs::write(&path, b"\xff").unwrap();
    let path = path.to_str().unwrap();
    let ended = world.run(&["users", "create", "--body", path]);
    ended.fails(2, &format!("the body from {path}: not UTF-8"));
    let folder = folder.path().to_str().unwrap();
    let ended = world.run(&["keys", "--jwks", folder]);
    assert_eq!(ended.code, 2, "{ended:?}");
}
