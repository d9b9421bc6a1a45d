//! `torii dev`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::world::{Folder, TORII, Torii, json, text};

/// The emulator's program, beside `torii`: built unless a build of all has put it there.
pub fn emulator() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let program = Path::new(TORII).with_file_name("torii-emulator");
        if !program.is_file() {
            let mut build = Command::new(env!("CARGO"));
            build.args(["build", "--quiet", "--locked", "-p", "torii-emulator"]);
            build.current_dir(env!("CARGO_MANIFEST_DIR"));
            assert!(build.status().unwrap().success());
        }
        program
    })
}

/// A running `torii dev`, which is killed with the test.
pub struct Dev {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
}

impl Dev {
    pub fn start(arguments: &[&str]) -> Self {
        emulator();
        Dev::of(Torii::new(&[&["dev"], arguments].concat()))
    }

    fn of(mut torii: Torii) -> Self {
        let mut child = torii.0.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Dev { child, lines }
    }

    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }

    fn signal(&mut self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().unwrap().success());
        let deadline = Instant::now() + Duration::from_secs(120);
        while self.child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline, "{name} does not end it");
            thread::yield_now();
        }
    }
}

impl Drop for Dev {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether a server listens there, polled until it is as expected or the time is up.
fn listens(url: &str, expected: bool) -> bool {
    let address = url.strip_prefix("http://").unwrap();
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        let is = TcpStream::connect(address).is_ok();
        if is == expected || Instant::now() > deadline {
            return is;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

fn torii(world: &Value, arguments: &[&str]) -> Torii {
    Torii::new(arguments)
        .env("TORII_ISSUER", &text(&world["issuer"]))
        .env("TORII_API_URL", &text(&world["apiUrl"]))
        .env("TORII_SECRET_KEY", &text(&world["secretKey"]))
}

#[test]
fn its_settings_work() {
    let mut dev = Dev::start(&["--json", "--email", "grace@example.com"]);
    let world = json(&dev.line());
    let verified = torii(&world, &["verify", "--json", "--require", "email-verified"]);
    let verified = verified.reading(text(&world["token"]).as_bytes()).json();
    assert_eq!(verified["userId"], world["userId"]);
    let lifetime = verified["expiresAt"].as_i64().unwrap() - verified["issuedAt"].as_i64().unwrap();
    assert_eq!(lifetime, 4 * 3_600);
    let user = torii(&world, &["users", "get", "--json", &text(&world["userId"])]).run().json();
    assert_eq!(user["email"], "grace@example.com");
    torii(&world, &["doctor"]).run().succeeds();
}

#[test]
fn its_output_can_be_pasted_into_a_shell() {
    let mut dev = Dev::start(&[]);
    let mut printed = String::new();
    while !printed.contains("# Runs until Ctrl-C") {
        let line = dev.line();
        assert_ne!(line, "", "it has ended: {printed}");
        printed.push_str(&line);
    }
    let script = printed.split("# For another shell:\n").nth(1).unwrap();
    let folder = Path::new(TORII).parent().unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let mut shell = Command::new("bash");
    shell.args(["-euo", "pipefail", "-c", script]).env_clear().env("PATH", path);
    let output = shell.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said} {}", String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("valid\n") && said.contains("ada@example.com"), "{said}");
    let token = json(said.lines().last().unwrap());
    assert_eq!(text(&token["token"]).split('.').count(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn the_emulator_ends_with_it_in_every_way() {
    emulator();
    for signal in ["-INT", "-TERM", "-KILL"] {
        // A shell has what it starts in the background ignore Ctrl-C; these tests may be such.
        let dev = ["--default-signal=INT,TERM", TORII, "dev", "--json"];
        let mut dev = Dev::of(Torii::by("env", &dev));
        let url = text(&json(&dev.line())["apiUrl"]);
        assert!(listens(&url, true));
        dev.signal(signal);
        assert!(!listens(&url, false), "{signal}");
    }
}

#[test]
fn a_reader_that_leaves_ends_it() {
    emulator();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = Torii::new(&["dev"]).0.stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn the_port_may_be_chosen() {
    emulator();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let ended = Torii::new(&["dev", "--port", &port.to_string()]).run();
    let why = format!("torii-emulator: cannot start: cannot listen on port {port} of 127.0.0.1: ");
    assert_eq!(ended.code, 7);
    assert!(ended.stderr.starts_with(&format!("torii: {why}")), "{ended:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn an_emulator_that_exits_is_an_error() {
    let mut dev = Dev::start(&["--json"]);
    let url = text(&json(&dev.line())["apiUrl"]);
    let (parent, mut killed) = (format!("PPid:\t{}\n", dev.child.id()), 0);
    for process in fs::read_dir("/proc").unwrap() {
        let process = process.unwrap();
        let status = fs::read_to_string(process.path().join("status")).unwrap_or_default();
        if status.contains(&parent) {
            let id = process.file_name();
            assert!(Command::new("kill").arg(id).status().unwrap().success());
            killed += 1;
        }
    }
    assert_eq!(killed, 1);
    assert_eq!(dev.child.wait().unwrap().code(), Some(7));
    let mut said = String::new();
    dev.child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!(said, "torii: torii-emulator: exited: exit status: 0\n");
    assert!(!listens(&url, false));
}

/// A copy of the program in a folder of its own.
#[cfg(unix)]
fn elsewhere(folder: &Folder, arguments: &[&str]) -> Torii {
    let copy = folder.path().join("torii");
    if !copy.is_file() {
        fs::hard_link(TORII, &copy).or_else(|_| fs::copy(TORII, &copy).map(drop)).unwrap();
    }
    let mut torii = Torii(Command::new(&copy));
    torii.0.args(arguments).env_clear().env("PATH", "");
    torii.0.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    torii
}

#[cfg(unix)]
#[test]
fn the_emulator_is_searched_in_its_folder_and_in_the_path() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    elsewhere(&folder, &["dev"]).run().fails(
        7,
        "torii-emulator: found neither in the folder of torii nor in $PATH; in a checkout of \
         libtorii, run cargo install --locked --path emulator",
    );
    let path = emulator().parent().unwrap().to_str().unwrap();
    let mut dev = Dev::of(elsewhere(&folder, &["dev", "--json"]).env("PATH", path));
    assert!(dev.line().starts_with('{'));
    drop(dev);

    let fake = folder.file("torii-emulator", "#!/bin/sh\necho nonsense\n");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).unwrap();
    let ended = elsewhere(&folder, &["dev"]).env("PATH", path).run();
    ended.fails(7, "torii-emulator: cannot start: no message");
    folder.file("torii-emulator", "#!/bin/sh\necho '{}'\ncat >/dev/null\n");
    let ended = elsewhere(&folder, &["dev"]).env("PATH", "/bin:/usr/bin").run();
    ended.fails(7, "torii-emulator: no /url in its answer; is it the same version as torii?");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o644)).unwrap();
    let ended = elsewhere(&folder, &["dev"]).run();
    assert_eq!(ended.code, 7, "{ended:?}");
    assert!(ended.stderr.contains("Permission denied"), "{ended:?}");
}

#[test]
fn an_invalid_email_address_is_refused() {
    emulator();
    let ended = Torii::new(&["dev", "--email", "nobody"]).run();
    assert_eq!(ended.code, 5, "{ended:?}");
    assert!(ended.stderr.contains("code invalid_email"), "{ended:?}");
}
