//! What is wrong with a command line, in one line that repeats no value: it could be a token.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error};

use crate::Cli;
use crate::failure::Failure;

/// Prints help that was asked for; anything else is a failure.
pub(crate) fn answer(error: &Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(error.print()?),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.print()?;
            Err(Failure::usage(format!("name a command; {} --help", path())))
        }
        _ => Err(Failure::usage(format!("{}; see {} --help", explain(error), path()))),
    }
}

fn explain(error: &Error) -> String {
    let argument = texts(error, ContextKind::InvalidArg).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let hint = match texts(error, ContextKind::SuggestedArg).first() {
                Some(known) => format!(", but there is {known}"),
                None => String::new(),
            };
            // What is no option is a value.
            match argument.split('=').next().filter(|name| name.starts_with('-')) {
                Some(option) => format!("there is no option {option}{hint}"),
                None => "one argument too many".to_owned(),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let word = texts(error, ContextKind::InvalidSubcommand).join("");
            let known = texts(error, ContextKind::SuggestedSubcommand);
            let looks_like_one = word.len() <= 24
                && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
            match (looks_like_one, known.first()) {
                (true, Some(known)) => format!("there is no command {word}, but there is {known}"),
                (true, None) => format!("there is no command {word}"),
                (false, _) => "the first argument is no command".to_owned(),
            }
        }
        ErrorKind::InvalidValue => match texts(error, ContextKind::ValidValue) {
            none if none.is_empty() => format!("{argument} lacks its value"),
            known => format!("{argument} is none of {}", known.join(", ")),
        },
        ErrorKind::ValueValidation => match error.source() {
            Some(why) => format!("{argument}: {why}"),
            None => format!("{argument} makes no sense"),
        },
        ErrorKind::MissingRequiredArgument => format!("what is missing: {argument}"),
        ErrorKind::ArgumentConflict => {
            let other = texts(error, ContextKind::PriorArg).join(", ");
            if argument == other || other.is_empty() {
                format!("{argument} is there twice")
            } else {
                format!("{argument} does not go with {other}")
            }
        }
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        ErrorKind::MissingSubcommand => "name a command".to_owned(),
        _ => "the arguments make no sense".to_owned(),
    }
}

fn texts(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The command that was called, as far as there is one.
fn path() -> String {
    let (mut command, mut path) = (&Cli::command(), "torii".to_owned());
    for word in std::env::args().skip(1) {
        match command.find_subcommand(&word) {
            Some(inner) => command = inner,
            None => break,
        }
        path = format!("{path} {word}");
    }
    path
}
