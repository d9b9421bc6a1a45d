//! Machines on which no thread can be started.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use torii::{Client, ClientOptions, Status, Verifier, VerifierOptions};

/// Runs in a child process, whose memory is limited once it has said so.
#[test]
#[ignore = "run by a_thread_that_cannot_start_is_an_error"]
fn child() {
    let mut options = ClientOptions::new();
    options.set_api_url("https://api.example").unwrap().set_max_retries(0).unwrap();
    let client = Client::new("sk_test_1", &options).unwrap();
    let mut options = VerifierOptions::new();
    options.set_background_refresh(false);
    let verifier = Verifier::new("https://acme.example", &options).unwrap();
    println!("\nready");
    assert_eq!(std::io::stdin().read(&mut [0]).unwrap(), 1);

    let error = client.allowed_origins().get().unwrap_err();
    assert_eq!((error.status(), error.unsent()), (Status::Transport, true), "{error}");
    let why = "cannot start a thread to resolve the host name";
    assert!(error.to_string().contains(why), "{error}");
    let error = verifier.refresh().unwrap_err();
    assert_eq!(error.status(), Status::KeysUnavailable, "{error}");
    assert!(error.to_string().contains(why), "{error}");
}

#[test]
fn a_thread_that_cannot_start_is_an_error() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "threads::child", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim() != "ready" {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the child has ended");
    }
    // No room for another stack. A limit on threads would not bind root.
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
    let size = status.lines().find_map(|line| line.strip_prefix("VmSize:")).unwrap();
    let size: u64 = size.trim().strip_suffix(" kB").unwrap().parse().unwrap();
    let limit = Command::new("prlimit")
        .args(["--pid", &child.id().to_string(), &format!("--as={}", (size + 512) * 1024)])
        .status()
        .unwrap();
    assert!(limit.success());
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    let mut errors = String::new();
    child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert!(child.wait().unwrap().success(), "{rest}{errors}");
    assert_eq!(errors, "");
}
