//! The program.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::client::{get, text};

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_torii-emulator"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts it and reads its one line.
fn started(arguments: &[&str]) -> (Child, Value) {
    let mut child = program(arguments).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    (child, serde_json::from_str(&line).unwrap())
}

fn fails(arguments: &[&str]) -> String {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    assert_eq!((status.code(), stdout), (Some(2), Vec::new()));
    String::from_utf8(stderr).unwrap()
}

#[test]
fn says_where_it_is_and_ends_with_its_input() {
    let (mut child, line) = started(&["--port", "0", "--until-stdin-closes"]);
    assert_eq!(line["pid"], child.id());
    assert_eq!(text(&line["control"]), format!("{}/_emulator", text(&line["url"])));
    let card = get(&format!("{}/issuers/acme", text(&line["control"]))).json();
    for member in ["issuer", "environment_id", "secret_key"] {
        assert_eq!(card[member], line[member]);
    }
    drop(child.stdin.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let mut rest = String::new();
    child.stdout.unwrap().read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[cfg(unix)]
#[test]
fn ends_well_on_signals_and_not_with_its_input() {
    for signal in ["-TERM", "-INT"] {
        let (mut child, line) = started(&[]);
        drop(child.stdin.take());
        assert_eq!(get(&format!("{}/issuers/acme", text(&line["control"]))).status, 200);
        let kill = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        assert_eq!(child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

#[test]
fn explains_what_is_wrong_with_its_arguments() {
    assert!(fails(&["--prot", "0"]).contains("unknown argument \"--prot\""));
    assert!(fails(&["--port"]).contains("--port: missing value"));
    assert!(fails(&["--port", "70000"]).contains("\"70000\""));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    assert!(fails(&["--port", &port]).contains(&format!("port {port}")));
}

#[test]
fn has_a_help() {
    let help = program(&["--help"]).output().unwrap();
    assert!(help.status.success());
    assert!(String::from_utf8(help.stdout).unwrap().contains("--until-stdin-closes"));
}
