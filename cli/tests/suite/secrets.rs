//! The secret key comes from the environment or a file, and goes only to the API.

use crate::world::{Folder, Torii, World};

const LIST: &[&str] = &["users", "list"];

#[test]
fn the_key_is_never_an_argument() {
    let world = World::new();
    let key = world.issuer.secret_key();
    for arguments in [
        vec!["users", "list", "--secret-key", &key],
        vec!["users", "list", "--secret-key-env", &key],
        vec!["users", "list", &key],
        vec!["doctor", "--secret-key-env", &key],
        vec![&key],
    ] {
        let ended = world.run(&arguments);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(!ended.stderr.contains(&key), "{ended:?}");
    }
    let with_equals = format!("--secret-key={key}");
    let ended = world.run(&["users", "list", &with_equals]);
    assert_eq!(ended.code, 2);
    assert!(!ended.stderr.contains(&key), "{ended:?}");
}

#[test]
fn another_variable_may_hold_the_key() {
    let world = World::new();
    let torii = |name| {
        let arguments = [LIST, &["--secret-key-env", name]].concat();
        world.torii(&arguments).without("TORII_SECRET_KEY")
    };
    torii("MINE").env("MINE", &world.issuer.secret_key()).run().succeeds();
    torii("MINE").run().fails(2, "secret key: $MINE is unset or empty");
    torii("MINE").env("MINE", "").run().fails(2, "secret key: $MINE is unset or empty");
    let why = "--secret-key-env <NAME>: not the name of a variable \
        (expected a name such as TORII_SECRET_KEY, never the key itself); \
        see torii users list --help";
    torii("no name").run().fails(2, why);
}

#[cfg(unix)]
#[test]
fn a_file_may_hold_the_key_and_others_should_not_read_it() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let (world, folder) = (World::new(), Folder::new());
    let file = folder.file("key", &format!("{}\n", world.issuer.secret_key()));
    let arguments = [LIST, &["--secret-key-file", &file]].concat();
    let torii = || world.torii(&arguments).without("TORII_SECRET_KEY");
    set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    torii().run().succeeds();
    set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
    let ended = torii().run();
    assert_eq!(ended.code, 0);
    let warning = format!("torii: {file}: readable by other users (mode 0644); run chmod 600\n");
    assert_eq!(ended.stderr, warning);
    let arguments = [LIST, &["--secret-key-file", "/nonexistent"]].concat();
    world
        .run(&arguments)
        .fails(2, "secret key from /nonexistent: No such file or directory (os error 2)");
}

#[test]
fn an_invalid_key_is_named() {
    let world = World::new();
    let with = |key: &str| world.torii(LIST).env("TORII_SECRET_KEY", key).run();
    with("pk_test_1").fails(2, "secret_key: does not start with sk_");
    with("sk_test 1").fails(2, "secret_key: holds a character that is not visible ASCII");
    let ended = with("sk_test_nobodys");
    assert_eq!(ended.code, 5);
    assert!(ended.stderr.contains("HTTP status 401"), "{ended:?}");
}

/// Any user of the machine can list its processes.
#[cfg(target_os = "linux")]
#[test]
fn the_process_list_does_not_show_the_key() {
    use torii_emulator::{Fault, FaultKind};
    let world = World::new();
    world.emulator.fault(Fault::on("/api/", FaultKind::hang()));
    let mut torii: Torii = world.torii(LIST);
    let mut child = torii.0.spawn().unwrap();
    assert!(world.emulator.wait_for("/api/", 1, std::time::Duration::from_secs(120)));
    let line = std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(!String::from_utf8_lossy(&line).contains("sk_"));
}
