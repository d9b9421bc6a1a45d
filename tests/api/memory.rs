//! Copies of the secret key in memory, as another process sees them.

#![cfg(target_os = "linux")]

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use torii::{Client, ClientOptions};
use zeroize::Zeroizing;

use crate::tls;
use crate::world::World;

/// Runs in a child process: makes requests with the key from its standard input.
#[test]
#[ignore = "run by the other tests"]
fn child() {
    let mut input = File::open("/dev/stdin").unwrap();
    let mut key = Zeroizing::new(vec![0; 128]);
    let length = input.read(&mut key).unwrap();
    let mut options = ClientOptions::new();
    options.set_api_url(&std::env::var("TEST_API_URL").unwrap()).unwrap();
    options.set_ca_file(tls::file("ca.pem")).unwrap();
    let client = Client::new(str::from_utf8(&key[..length]).unwrap(), &options).unwrap();
    drop(key);
    client.allowed_origins().get().unwrap();
    let mut next = || {
        println!("\nstep");
        assert_eq!(input.read(&mut [0]).unwrap(), 1);
    };
    next();
    drop(client);
    next();
}

struct Process {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Process {
    fn start(url: &str, key: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "memory::child", "--nocapture"])
            .env("TEST_API_URL", url)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(key.as_bytes()).unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Process { child, input, output }
    }

    fn await_step(&mut self) {
        let mut line = String::new();
        while line.trim() != "step" {
            line.clear();
            assert_ne!(self.output.read_line(&mut line).unwrap(), 0, "the child has ended");
        }
    }

    /// How often the text is in the writable memory of the process.
    fn copies(&self, text: &str) -> usize {
        let folder = format!("/proc/{}", self.child.id());
        let mut memory = File::open(format!("{folder}/mem")).unwrap();
        let maps = std::fs::read_to_string(format!("{folder}/maps")).unwrap();
        let writable = maps.lines().filter(|line| line.contains(" rw"));
        writable
            .map(|line| {
                let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
                let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
                let mut bytes = vec![0; (end - start) as usize];
                memory.seek(SeekFrom::Start(start)).unwrap();
                // Some kinds of mapping cannot be read.
                if memory.read_exact(&mut bytes).is_err() {
                    return 0;
                }
                bytes.windows(text.len()).filter(|window| *window == text.as_bytes()).count()
            })
            .sum()
    }
}

#[track_caller]
fn assert_wiped(url: &str, key: &str) {
    let mut process = Process::start(url, key);
    process.await_step();
    assert_eq!(process.copies(key), 1, "the header, while there is a client");
    process.input.write_all(b"\n").unwrap();
    process.await_step();
    assert_eq!(process.copies(key), 0, "without a client");
    process.input.write_all(b"\n").unwrap();
    // Until it closes, or it could not write.
    process.output.read_to_end(&mut Vec::new()).unwrap();
    assert!(process.child.wait().unwrap().success());
}

#[test]
fn the_secret_key_is_wiped() {
    let world = World::new();
    assert_wiped(world.emulator.url(), &world.issuer.secret_key());
}

#[test]
fn the_secret_key_is_wiped_after_tls() {
    let (url, server) = tls::serve(1);
    assert_wiped(&url, "sk_test_of_a_client_that_uses_tls");
    server.join().unwrap();
}
