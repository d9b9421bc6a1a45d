//! Errors in the command line, in one line that contains no value, which could be a token.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory, Error};

use crate::Cli;
use crate::failure::Failure;

/// Prints requested help or the version; anything else is a failure.
pub(crate) fn answer(error: &Error) -> Result<(), Failure> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(error.print()?),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            error.print()?;
            Err(Failure::usage(format!("command: missing; see {} --help", path())))
        }
        _ => Err(Failure::usage(format!("{}; see {} --help", explain(error), path()))),
    }
}

fn explain(error: &Error) -> String {
    let argument = texts(error, ContextKind::InvalidArg).join(", ");
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let hint = match texts(error, ContextKind::SuggestedArg).first() {
                Some(known) => format!("; did you mean {known}?"),
                None => String::new(),
            };
            // Anything but an option is a value, and is not repeated.
            match argument.split('=').next().filter(|name| name.starts_with('-')) {
                Some(option) => format!("unknown option {option}{hint}"),
                None => "too many arguments".to_owned(),
            }
        }
        ErrorKind::InvalidSubcommand => {
            let word = texts(error, ContextKind::InvalidSubcommand).join("");
            let known = texts(error, ContextKind::SuggestedSubcommand);
            let looks_like_one = word.len() <= 24
                && word.bytes().all(|byte| byte == b'-' || byte.is_ascii_lowercase());
            match (looks_like_one, known.first()) {
                (true, Some(known)) => format!("unknown command {word}; did you mean {known}?"),
                (true, None) => format!("unknown command {word}"),
                (false, _) => "the first argument is not a command".to_owned(),
            }
        }
        ErrorKind::InvalidValue => match texts(error, ContextKind::ValidValue) {
            none if none.is_empty() => format!("{argument}: missing value"),
            known => format!("{argument}: unknown value (expected one of {})", known.join(", ")),
        },
        ErrorKind::ValueValidation => match error.source() {
            Some(why) => format!("{argument}: {why}"),
            None => format!("{argument}: invalid value"),
        },
        ErrorKind::TooManyValues => format!("{argument}: takes no value"),
        ErrorKind::MissingRequiredArgument => format!("missing argument: {argument}"),
        ErrorKind::ArgumentConflict => {
            let other = texts(error, ContextKind::PriorArg).join(", ");
            if argument == other || other.is_empty() {
                format!("{argument}: given twice")
            } else {
                format!("{argument}: cannot be used with {other}")
            }
        }
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        ErrorKind::MissingSubcommand => "command: missing".to_owned(),
        _ => "invalid arguments".to_owned(),
    }
}

fn texts(error: &Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}

/// The called command, as far as the arguments name one.
fn path() -> String {
    let (mut command, mut path) = (&Cli::command(), "torii".to_owned());
    for word in crate::arguments().iter().skip(1).map(|word| word.to_string_lossy()) {
        match command.find_subcommand(&*word) {
            Some(inner) => command = inner,
            None => break,
        }
        path = format!("{path} {word}");
    }
    path
}
