//! Color, progress, and closed pipes.

use std::fs::File;
use std::process::{Command, Stdio};

use torii_emulator::{Fault, FaultKind};

use crate::world::{TORII, World};

/// The output of a command on a terminal.
fn on_a_terminal(world: &World, line: &str, environment: &[(&str, &str)]) -> String {
    let mut script = Command::new("script");
    let line = line.replace("torii", "\"$TORII\"");
    script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null());
    script.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("TERM", "xterm");
    script.env("TORII", TORII);
    script.env("TORII_ISSUER", world.issuer.url()).env("TORII_API_URL", world.emulator.url());
    script.env("TORII_SECRET_KEY", world.issuer.secret_key()).env("TOKEN", world.token());
    let output = script.envs(environment.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn color_is_for_terminals_without_no_color() {
    let world = World::new();
    for line in ["torii verify \"$TOKEN\"", "torii doctor", "torii decode \"$TOKEN\"", "torii keys"]
    {
        assert!(on_a_terminal(&world, line, &[]).contains("\x1b["), "{line}");
        for plain in [("NO_COLOR", "1"), ("TERM", "dumb")] {
            let shown = on_a_terminal(&world, line, &[plain]);
            assert!(!shown.contains('\x1b'), "{line} {plain:?} {shown:?}");
        }
        // An empty variable does not count: https://no-color.org
        assert!(on_a_terminal(&world, line, &[("NO_COLOR", "")]).contains("\x1b["), "{line}");
        let piped = on_a_terminal(&world, &format!("{line} | cat"), &[]);
        assert!(!piped.contains('\x1b'), "{line} {piped:?}");
    }
    let help = on_a_terminal(&world, "torii verify --help", &[("NO_COLOR", "1")]);
    assert!(!help.contains('\x1b'), "{help:?}");
}

#[test]
fn progress_is_for_terminals() {
    let world = World::new();
    for number in 0..120 {
        world.organization(&format!("Engine {number}"));
    }
    let (json, table) = ("torii organizations list --all --json", "torii organizations list --all");
    for line in [table, &format!("{json} > /dev/null")] {
        let shown = on_a_terminal(&world, line, &[]);
        assert!(shown.starts_with("\r100 read …\r\x1b[K"), "{line} {shown:?}");
    }
    for line in [json, &format!("{table} 2>&1 | cat"), &format!("{json} 2>&1 > /dev/null | cat")] {
        let shown = on_a_terminal(&world, line, &[]);
        assert!(!shown.contains("read …"), "{line} {shown:?}");
    }
}

#[test]
fn a_long_wait_is_shown_on_terminals() {
    let world = World::new();
    let slow = || world.emulator.fault(Fault::on("/", FaultKind::Delay { ms: 1_500 }).times(1));
    for (line, what) in [
        ("torii verify \"$TOKEN\"", "waiting for the issuer …\r\x1b[K"),
        ("torii keys", "waiting for the issuer …\r\x1b[K"),
        ("torii users list", "waiting for the API …\r\x1b[K"),
    ] {
        slow();
        let shown = on_a_terminal(&world, line, &[]);
        assert!(shown.starts_with(what), "{shown:?}");
        assert!(!on_a_terminal(&world, line, &[]).contains("waiting"), "{line}");
    }
    slow();
    assert!(!on_a_terminal(&world, "torii users list 2>&1 | cat", &[]).contains("waiting"));
}

#[test]
fn a_closed_pipe_is_not_an_error() {
    let world = World::new();
    world.user();
    let token = world.token();
    for arguments in [
        &["users", "list", "--all", "--json"][..],
        &["users", "list"],
        &["verify", &token],
        &["decode", &token],
        &["keys"],
        &["doctor"],
        &["completions", "bash"],
        &["--help"],
    ] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut torii = world.torii(arguments);
        let output = torii.0.stdout(writer).stderr(Stdio::piped()).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "", "{arguments:?}");
    }
    // The exit status is still the result.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut torii = world.torii(&["verify", "--json", "a.b.c"]);
    assert_eq!(torii.0.stdout(writer).output().unwrap().status.code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error() {
    let world = World::new();
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = world.torii(&["users", "list"]).0.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(7));
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "torii: cannot write: No space left on device (os error 28)\n");
}
