//! `torii`: judges tokens, looks at keys, finds what is wrong, and manages users.

mod api;
mod completions;
mod decode;
mod dev;
mod doctor;
mod failure;
mod input;
mod issuer;
mod keys;
mod man;
mod show;
mod terminal;
mod usage;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Failure;

/// Trust torii's logins, and manage their users, from the command line
#[derive(Parser)]
#[command(name = "torii", version, after_help = AFTER_HELP, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const AFTER_HELP: &str = "\
Environment:
  TORII_ISSUER      stands in for --issuer
  TORII_API_URL     stands in for --api-url
  TORII_SECRET_KEY  the secret key; it is never an argument
  NO_COLOR          no colour, if it holds anything

Exit status:
  0  good: the token, the keys, the call
  1  the token is bad (a server answers 401); of doctor: something has to be done
  2  the command line, a file it names or a variable makes no sense
  3  the token is good, but does not meet --require (403)
  4  the issuer's keys cannot be had, so nothing is known of the token (503)
  5  the API refused
  6  the API could not be reached, took too long, or was not understood
  7  this machine will not: a program is missing, a port is taken, a disk is full
  70 a defect of torii itself

Errors are one line on standard error, and repeat no token and no key.";

#[derive(Subcommand)]
enum Command {
    Verify(verify::Verify),
    Decode(decode::Decode),
    Keys(keys::Keys),
    Doctor(doctor::Doctor),
    #[command(flatten)]
    Api(api::Command),
    Dev(dev::Dev),
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
            Command::Completions(completions) => completions.run(),
            Command::Man(man) => man.run(),
        }
    }
}

fn main() -> ExitCode {
    let outcome = match Cli::try_parse() {
        Ok(cli) => cli.command.run(),
        Err(error) => usage::answer(&error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.code())
        }
    }
}
