//! Input: tokens, bodies, secret keys.

use std::fs;
use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::terminal;

/// The longest input, in bytes: more than any token, body or key set.
const LIMIT: u64 = 16 << 20;

const SCHEME: &str = "Bearer ";

/// Reads a token from the argument, or from standard input if the argument is `-` or absent. Trims
/// whitespace.
pub(crate) fn token(argument: Option<&str>) -> Result<String, Failure> {
    let text = match argument {
        Some(text) if text != "-" => text.to_owned(),
        // Verification rejects what is not UTF-8.
        _ => String::from_utf8_lossy(&standard_input("token")?).into_owned(),
    };
    Ok(text.trim_matches([' ', '\t', '\r', '\n']).to_owned())
}

/// Whether this is the value of an `Authorization` header rather than a bare token.
pub(crate) fn is_header(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// Returns the token without a leading `Bearer`.
pub(crate) fn without_scheme(text: &str) -> &str {
    if is_header(text) { text.get(SCHEME.len()..).unwrap_or_default().trim_start() } else { text }
}

/// Reads a file, or standard input if the path is `-`. `what` names the input in messages.
pub(crate) fn file(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes = match path == Path::new("-") {
        true => standard_input(what)?,
        false => fs::read(path).map_err(|error| unreadable(path, what, &error.to_string()))?,
    };
    String::from_utf8(bytes).map_err(|_| unreadable(path, what, "not UTF-8"))
}

fn standard_input(what: &str) -> Result<Vec<u8>, Failure> {
    if stdin().is_terminal() {
        terminal::note(&format!("reading {what} from the terminal (end with Ctrl-D)"));
    }
    let mut bytes = Vec::new();
    let refuse = |why| Failure::usage(format!("{what} from standard input: {why}"));
    match stdin().lock().take(LIMIT + 1).read_to_end(&mut bytes) {
        Err(error) => Err(refuse(error.to_string())),
        Ok(read) if read as u64 > LIMIT => Err(refuse(format!("longer than {LIMIT} bytes"))),
        Ok(_) => Ok(bytes),
    }
}

fn unreadable(path: &Path, what: &str, why: &str) -> Failure {
    Failure::usage(format!("{what} from {}: {why}", path.display()))
}

/// The source of the secret key.
#[derive(Args)]
#[command(next_help_heading = "Secret key")]
pub(crate) struct SecretKey {
    /// Read the secret key from this environment variable [default: TORII_SECRET_KEY]
    #[arg(long, value_name = "NAME", value_parser = variable, conflicts_with = "secret_key_file")]
    secret_key_env: Option<String>,
    /// Read the secret key from this file, which should be readable only by you
    #[arg(long, value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
}

/// Accepts the name of a variable. Refuses the key itself, which the process list would show.
fn variable(name: &str) -> Result<String, String> {
    let known = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    if name.is_empty() || name.starts_with("sk_") || !name.bytes().all(known) {
        return Err("not the name of a variable (expected a name such as TORII_SECRET_KEY, never the key itself)".to_owned());
    }
    Ok(name.to_owned())
}

impl SecretKey {
    /// Returns the key, if there is one.
    ///
    /// # Errors
    /// If the options name a source that has no key.
    pub(crate) fn find(&self) -> Result<Option<String>, Failure> {
        if let Some(path) = &self.secret_key_file {
            warn_if_readable(path);
            return Ok(Some(file(path, "secret key")?.trim().to_owned()));
        }
        let name = self.secret_key_env.as_deref();
        let key = std::env::var(name.unwrap_or("TORII_SECRET_KEY"));
        match (key, name) {
            (Ok(key), _) if !key.is_empty() => Ok(Some(key)),
            (_, None) => Ok(None),
            (_, Some(name)) => {
                Err(Failure::usage(format!("secret key: ${name} is unset or empty")))
            }
        }
    }

    /// Returns the key, or an error if there is none.
    pub(crate) fn get(&self) -> Result<String, Failure> {
        let missing = "secret key: missing (set $TORII_SECRET_KEY or use --secret-key-file)";
        self.find()?.ok_or(Failure::usage(missing))
    }
}

/// Warns if other users can read the file. Only a warning: secrets mounted into a container often
/// have such a mode.
#[cfg(unix)]
fn warn_if_readable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(data) = fs::metadata(path) else { return };
    let mode = data.permissions().mode() & 0o777;
    if data.is_file() && mode & 0o044 != 0 {
        let name = path.display();
        terminal::note(&format!(
            "{name}: readable by other users (mode {mode:04o}); run chmod 600"
        ));
    }
}

#[cfg(not(unix))]
fn warn_if_readable(_: &Path) {}
