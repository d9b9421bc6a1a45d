//! What is read: tokens, bodies, secret keys.

use std::fs;
use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::failure::Failure;
use crate::terminal;

/// More than any token, body or key set.
const LIMIT: u64 = 16 << 20;

const SCHEME: &str = "Bearer ";

/// Reads a token that is an argument, or with `-` or nothing from standard input. Blanks around it
/// are not of it.
pub(crate) fn token(argument: Option<&str>) -> Result<String, Failure> {
    let text = match argument {
        Some(text) if text != "-" => text.to_owned(),
        // What is no text is no token either, and is judged like any other.
        _ => String::from_utf8_lossy(&standard_input("the token")?).into_owned(),
    };
    Ok(text.trim_matches([' ', '\t', '\r', '\n']).to_owned())
}

/// Whether this is the value of an `Authorization` header, and not the token alone.
pub(crate) fn is_header(text: &str) -> bool {
    text.get(..SCHEME.len()).is_some_and(|start| start.eq_ignore_ascii_case(SCHEME))
}

/// The token in what may be the value of a header.
pub(crate) fn without_scheme(text: &str) -> &str {
    if is_header(text) { text.get(SCHEME.len()..).unwrap_or_default().trim_start() } else { text }
}

/// Reads a file, or with `-` standard input. `what` it is is for messages.
pub(crate) fn file(path: &Path, what: &str) -> Result<String, Failure> {
    let bytes = match path == Path::new("-") {
        true => standard_input(what)?,
        false => fs::read(path).map_err(|error| unreadable(path, what, &error.to_string()))?,
    };
    String::from_utf8(bytes).map_err(|_| unreadable(path, what, "not UTF-8"))
}

fn standard_input(what: &str) -> Result<Vec<u8>, Failure> {
    if stdin().is_terminal() {
        terminal::note(&format!("reading {what} from the terminal, up to Ctrl-D"));
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

/// Where the secret key comes from.
#[derive(Args)]
#[command(next_help_heading = "Secret key")]
pub(crate) struct SecretKey {
    /// The variable that holds the secret key [default: TORII_SECRET_KEY]
    #[arg(long, value_name = "NAME", value_parser = variable, conflicts_with = "secret_key_file")]
    secret_key_env: Option<String>,
    /// The file that holds the secret key, and should be readable for you alone
    #[arg(long, value_name = "FILE")]
    secret_key_file: Option<PathBuf>,
}

/// A name, and not the key itself, which is then known to everybody who sees the processes.
fn variable(name: &str) -> Result<String, String> {
    let known = |byte: u8| byte == b'_' || byte.is_ascii_alphanumeric();
    if name.is_empty() || name.starts_with("sk_") || !name.bytes().all(known) {
        return Err("takes the name of a variable, not the key".to_owned());
    }
    Ok(name.to_owned())
}

impl SecretKey {
    /// The key, when there is one; an error when it was said where it is and it is not there.
    pub(crate) fn find(&self) -> Result<Option<String>, Failure> {
        if let Some(path) = &self.secret_key_file {
            warn_of_readers(path);
            return Ok(Some(file(path, "the secret key")?.trim().to_owned()));
        }
        let name = self.secret_key_env.as_deref();
        let key = std::env::var(name.unwrap_or("TORII_SECRET_KEY"));
        match (key, name) {
            (Ok(key), _) if !key.is_empty() => Ok(Some(key)),
            (_, None) => Ok(None),
            (_, Some(name)) => Err(Failure::usage(format!("there is nothing in ${name}"))),
        }
    }

    /// The key.
    pub(crate) fn get(&self) -> Result<String, Failure> {
        let where_to = "no secret key: put it into $TORII_SECRET_KEY, or name a file with \
            --secret-key-file";
        self.find()?.ok_or(Failure::usage(where_to))
    }
}

/// Says so if others can read the file. No more than that: in a container everybody is root, and
/// mounted secrets are like this.
#[cfg(unix)]
fn warn_of_readers(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let Ok(data) = fs::metadata(path) else { return };
    let mode = data.permissions().mode() & 0o777;
    if data.is_file() && mode & 0o044 != 0 {
        let name = path.display();
        terminal::note(&format!(
            "others can read {name} (mode {mode:04o}): chmod 600 keeps it to you"
        ));
    }
}

#[cfg(not(unix))]
fn warn_of_readers(_: &Path) {}
