//! A torii, and the program under test.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::Value;
use torii_emulator::{
    Emulator, Issuer, Mint, NewMember, NewOrganization, NewSession, Request, Uuid,
};

pub const TORII: &str = env!("CARGO_BIN_EXE_torii");

/// A UUID that no user has.
pub const NOBODY: &str = "0191d3c0-0000-7000-8000-000000000000";

/// A run of the program that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    /// It ended with this status and this one line on standard error.
    #[track_caller]
    pub fn fails(&self, code: i32, line: &str) {
        assert_eq!((self.code, self.stderr.trim_end()), (code, format!("torii: {line}").as_str()));
    }

    /// Returns the output; the exit status is 0 and standard error is empty.
    #[track_caller]
    pub fn succeeds(self) -> String {
        assert_eq!((self.code, self.stderr.as_str()), (0, ""), "{}", self.stdout);
        self.stdout
    }

    /// Returns the output, which is JSON; the exit status is 0.
    #[track_caller]
    pub fn json(self) -> Value {
        json(&self.succeeds())
    }
}

#[track_caller]
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// A run of the program, with nothing of this environment but the path.
pub struct Torii(pub Command);

impl Torii {
    pub fn new(arguments: &[&str]) -> Self {
        Torii::by(TORII, arguments)
    }

    /// As [`Torii::new`], by way of a program that becomes it.
    pub fn by(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Torii(command)
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.0.env_remove(name);
        self
    }

    pub fn run(self) -> Ended {
        self.reading(b"")
    }

    /// Runs it with this on its standard input.
    #[track_caller]
    pub fn reading(mut self, input: &[u8]) -> Ended {
        let mut child = self.0.stdin(Stdio::piped()).spawn().unwrap();
        let (mut stdin, input) = (child.stdin.take().unwrap(), input.to_vec());
        // It need not read all of it, or any.
        let writer = thread::spawn(move || drop(stdin.write_all(&input)));
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        self.ended(output)
    }

    /// Checks that hold for every exit status.
    #[track_caller]
    fn ended(&self, Output { status, stdout, stderr }: Output) -> Ended {
        let (stdout, stderr) =
            (String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap());
        let secrets = self.0.get_envs().filter_map(|(_, value)| value?.to_str());
        let arguments = self.0.get_args().filter_map(|argument| argument.to_str());
        for text in secrets.chain(arguments) {
            let secret = text.starts_with("sk_") || text.starts_with("eyJ");
            assert!(!secret || !stderr.contains(text), "a secret is repeated: {stderr}");
        }
        assert!(stderr.lines().all(|line| line.starts_with("torii: ")), "{stderr}");
        let ended = Ended { code: status.code().expect("no signal"), stdout, stderr };
        assert!(ended.code == 0 || !ended.stderr.is_empty(), "it says why: {ended:?}");
        ended
    }
}

pub struct World {
    pub emulator: Emulator,
    pub issuer: Issuer,
}

impl World {
    pub fn new() -> Self {
        let emulator = Emulator::start();
        let issuer = emulator.issuer("acme");
        World { emulator, issuer }
    }

    /// The program, told where this torii is by its environment.
    pub fn torii(&self, arguments: &[&str]) -> Torii {
        Torii::new(arguments)
            .env("TORII_ISSUER", &self.issuer.url())
            .env("TORII_API_URL", self.emulator.url())
            .env("TORII_SECRET_KEY", &self.issuer.secret_key())
    }

    #[track_caller]
    pub fn run(&self, arguments: &[&str]) -> Ended {
        self.torii(arguments).run()
    }

    /// Its answer, as JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        self.torii(&[arguments, &["--json"]].concat()).run().json()
    }

    pub fn token(&self) -> String {
        self.issuer.mint(Mint::new())
    }

    /// A user without anything; the log is empty afterwards.
    pub fn user(&self) -> String {
        let id = text(&self.json(&["users", "create"])["id"]);
        self.emulator.clear_requests();
        id
    }

    pub fn session(&self, user_id: &str) -> String {
        self.issuer.sign_in(NewSession::of(uuid(user_id))).to_string()
    }

    pub fn organization(&self, name: &str) -> String {
        let new = NewOrganization { name: name.to_owned(), ..NewOrganization::default() };
        self.issuer.create_organization(new).to_string()
    }

    pub fn join(&self, organization_id: &str, user_id: &str) {
        let role = "org:member".to_owned();
        let new = NewMember { user_id: uuid(user_id), role, role_name: None };
        self.issuer.add_member(uuid(organization_id), new);
    }

    /// The one request since the log was empty, which it is again afterwards.
    #[track_caller]
    pub fn sent(&self) -> Request {
        let mut requests = self.emulator.requests();
        assert_eq!(requests.len(), 1, "{requests:?}");
        self.emulator.clear_requests();
        requests.remove(0)
    }

    /// Checks the one request since the log was empty.
    #[track_caller]
    pub fn assert_sent(&self, line: &str, body: &str) {
        let sent = self.sent();
        let query = if sent.query.is_empty() { String::new() } else { format!("?{}", sent.query) };
        let path = sent.path.replace("/api/server/v1", "~");
        assert_eq!(
            (format!("{} {path}{query}", sent.method).as_str(), sent.body.as_str()),
            (line, body)
        );
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("not a text: {value}")).to_owned()
}

pub fn uuid(text: &str) -> Uuid {
    text.parse().unwrap()
}

/// A URL without a server: of a port that no test can take, and that no service has used for decades.
pub const NOBODY_LISTENS: &str = "http://127.0.0.1:1";

/// A folder of the test's own, gone with it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// A file in it.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A file that stays disturbs no other test.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
