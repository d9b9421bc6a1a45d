//! `torii`: verifies tokens, shows keys, diagnoses problems, and manages users.

mod api;
mod completions;
mod decode;
mod dev;
mod doctor;
mod failure;
mod input;
mod issuer;
mod key_facts;
mod keys;
mod man;
mod show;
mod terminal;
mod usage;
mod verify;
mod watch;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Verify torii access tokens and manage users from the command line
#[derive(Parser)]
#[command(name = "torii", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Environment:
  TORII_ISSUER      default for --issuer
  TORII_API_URL     default for --api-url
  TORII_SECRET_KEY  the secret key, which is never an argument
  NO_COLOR          turns color off unless empty

Exit status:
  0  success: the token is valid, the keys are usable, the call succeeded
  1  invalid token (HTTP 401); for doctor: a check failed
  2  invalid command line, file or environment variable
  3  valid token that does not meet a requirement (HTTP 403)
  4  signing keys unavailable; the token could not be verified (HTTP 503)
  5  the API returned an error
  6  the API is unreachable, timed out, or sent an invalid response
  7  local error: a missing program, a port in use, a full disk
  70 internal error of torii

An error is one line on standard error. It contains no token and no key.";

#[derive(Subcommand)]
enum Command {
    Verify(verify::Verify),
    Decode(decode::Decode),
    Keys(keys::Keys),
    Doctor(doctor::Doctor),
    #[command(flatten)]
    Api(api::Command),
    Dev(dev::Dev),
    #[cfg(feature = "gate")]
    Gate(Box<torii_gate::Options>),
    Completions(completions::Completions),
    Man(man::Man),
}

impl Command {
    fn run(self) -> Result<(), Failure> {
        match self {
            Command::Verify(verify) => verify.run(),
            Command::Decode(decode) => decode.run(),
            Command::Keys(keys) => keys.run(),
            Command::Doctor(doctor) => doctor.run(),
            Command::Api(command) => command.run(),
            Command::Dev(dev) => dev.run(),
            #[cfg(feature = "gate")]
            Command::Gate(options) => Ok(options.run()?),
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}

/// The arguments, the program first. Called as `torii-gate`, which a link is, this is `torii gate`.
fn arguments() -> Vec<OsString> {
    let mut arguments: Vec<_> = std::env::args_os().collect();
    let name = arguments.first().and_then(|program| Path::new(program).file_stem());
    if cfg!(feature = "gate") && name.is_some_and(|name| name == "torii-gate") {
        arguments.insert(1, "gate".into());
    }
    arguments
}

fn main() -> ExitCode {
    let outcome = match Cli::try_parse_from(arguments()) {
        Ok(cli) => cli.command.run(),
        Err(error) => usage::answer(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_error() {
                terminal::note(&failure.to_string());
            }
            ExitCode::from(failure.code())
        }
    }
}
