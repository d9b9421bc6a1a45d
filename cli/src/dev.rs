//! `torii dev`.

use std::env;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;

use clap::Args;
use serde_json::json;
use torii::{Client, ClientOptions, Json};

use crate::failure::{Class, Failure};
use crate::show;
use crate::terminal::{Style, line, print, styled};

/// Run a local torii for development.
///
/// Starts torii-emulator, creates a user and a token, and prints the settings for a program under
/// development. It runs until Ctrl-C. The emulator ends with it and keeps nothing.
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii dev --port 8099
  torii dev --json > torii.json &     # then: jq -r .issuer torii.json

torii-emulator is searched for in the folder of torii, then in $PATH.")]
pub(crate) struct Dev {
    /// The port on 127.0.0.1; 0: any free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The email address of the first user
    #[arg(long, default_value = "ada@example.com")]
    email: String,
    /// Print one line of JSON instead
    #[arg(long)]
    json: bool,
}

const EMULATOR: &str = "torii-emulator";

/// The lifetime of the first token in seconds: longer than torii's, to work without renewing it.
const TOKEN_LIFETIME: u32 = 4 * 3600;

impl Dev {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut emulator = Emulator::start(self.port)?;
        let world = World::new(&emulator.addresses, &self.email)?;
        if self.json {
            line(&world.json())?
        } else {
            print(&world.text())?
        }
        emulator.wait()
    }
}

/// The running emulator.
struct Emulator {
    child: Child,
    /// The emulator exits when this pipe closes, which happens even if this process is killed.
    _input: Option<ChildStdin>,
    addresses: Json,
}

impl Emulator {
    fn start(port: u16) -> Result<Self, Failure> {
        let program = find().ok_or_else(|| {
            machine(format!(
                "{EMULATOR}: found neither in the folder of torii nor in $PATH; in a checkout of \
                 libtorii, run cargo install --locked --path emulator"
            ))
        })?;
        let mut child = Command::new(&program)
            .args(["--until-stdin-closes", "--port", &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| machine(format!("cannot start {}: {error}", program.display())))?;
        let (input, stderr) = (child.stdin.take(), child.stderr.take());
        let mut addresses = String::new();
        if let Some(stdout) = &mut child.stdout {
            // After an error the line is empty, as it is if the emulator did not start.
            let _ = BufReader::new(stdout).read_line(&mut addresses);
        }
        let Ok(addresses) = Json::parse(&addresses) else {
            // It may have exited by itself.
            let _ = child.kill();
            let said = stderr.map(io::read_to_string).and_then(Result::ok).unwrap_or_default();
            let why = said.lines().next().unwrap_or("no message");
            let why = why.trim_start_matches("torii-emulator: ");
            return Err(machine(format!("{EMULATOR}: cannot start: {why}")));
        };
        // Forwards later messages.
        thread::spawn(move || stderr.map(|mut said| io::copy(&mut said, &mut io::stderr())));
        Ok(Emulator { child, _input: input, addresses })
    }

    /// Waits until it exits, which is an error: it runs until it is stopped.
    fn wait(&mut self) -> Result<(), Failure> {
        let how = self.child.wait().map_or_else(|error| error.to_string(), |how| how.to_string());
        Err(machine(format!("{EMULATOR}: exited: {how}")))
    }
}

fn machine(text: String) -> Failure {
    Failure::new(Class::Local, text)
}

/// Finds the emulator in this program's folder or in the path.
fn find() -> Option<PathBuf> {
    let name = format!("{EMULATOR}{}", env::consts::EXE_SUFFIX);
    let beside = env::current_exe().ok().and_then(|torii| Some(torii.parent()?.join(&name)));
    let path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<_> = env::split_paths(&path).map(|folder| folder.join(&name)).collect();
    beside.into_iter().chain(on_path).find(|program| program.is_file())
}

/// The settings for a program under development.
struct World {
    issuer: String,
    api_url: String,
    secret_key: String,
    user_id: String,
    email: String,
    session: String,
    token: String,
}

impl World {
    /// Creates a user who is signed in and has a verified email address.
    fn new(addresses: &Json, email: &str) -> Result<Self, Failure> {
        let api_url = member(addresses, "/url")?;
        let secret_key = member(addresses, "/secret_key")?;
        let mut options = ClientOptions::new();
        options.set_api_url(&api_url)?;
        let client = Client::new(&secret_key, &options)?;
        let user = json!({ "email": email, "firstName": "Ada", "lastName": "Lovelace" });
        let user_id = member(&client.users().create(user.to_string())?, "/id")?;
        let control = |method: &str, path: &str, body: serde_json::Value| {
            let path = format!("/_emulator/issuers/acme/{path}");
            client.request(method, &path, None, Some(&body.to_string()))
        };
        control("PATCH", &format!("users/{user_id}"), json!({ "email_verified": true }))?;
        let session = control("POST", "sessions", json!({ "user_id": user_id }))?;
        let session = member(&session, "/session/id")?;
        let token = json!({ "session": session, "expires_in": TOKEN_LIFETIME });
        let token = member(&control("POST", "tokens", token)?, "/token")?;
        let (issuer, email) = (member(addresses, "/issuer")?, email.to_owned());
        Ok(World { issuer, api_url, secret_key, user_id, email, session, token })
    }

    fn json(&self) -> String {
        let all = json!({
            "issuer": self.issuer,
            "apiUrl": self.api_url,
            "secretKey": self.secret_key,
            "userId": self.user_id,
            "email": self.email,
            "token": self.token,
        });
        all.to_string()
    }

    fn text(&self) -> String {
        let World { issuer, api_url, secret_key, user_id, email, session, token } = self;
        let lifetime = show::span(i64::from(TOKEN_LIFETIME));
        let facts = show::fields(
            [
                ("issuer", issuer.clone()),
                ("API", api_url.clone()),
                ("secret key", secret_key.clone()),
                ("first user", format!("{user_id}  {email}")),
                ("their token", format!("valid for {lifetime}, below")),
            ]
            .into_iter(),
        );
        let comment = |text: &str| styled(Style::Dim, text);
        format!(
            "\
{facts}
{for_a_shell}
export TORII_ISSUER={issuer}
export TORII_API_URL={api_url}
export TORII_SECRET_KEY={secret_key}
export TOKEN={token}

{then}
torii verify \"$TOKEN\"
torii users list
torii request POST /_emulator/issuers/acme/tokens --set session={session}

{until}
",
            for_a_shell = comment("# For another shell:"),
            then = comment("# Then, for example; the last command mints another token:"),
            until = comment("# Runs until Ctrl-C and keeps nothing."),
        )
    }
}

fn member(json: &Json, pointer: &str) -> Result<String, Failure> {
    let text = json.str(pointer).map(str::to_owned);
    text.ok_or_else(|| {
        machine(format!("{EMULATOR}: no {pointer} in its answer; is it the same version as torii?"))
    })
}
