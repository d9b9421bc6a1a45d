//! How a command ends when it does not end well.

use std::fmt;
use std::io;

use torii::{Error, Status};

use crate::terminal;

/// What kind of trouble it is: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// Nobody reads what is printed, which is no trouble at all.
    Unread = 0,
    /// The answer is no.
    No = 1,
    Usage = 2,
    Policy = 3,
    Keys = 4,
    Refused = 5,
    Unreached = 6,
    Machine = 7,
    Defect = 70,
}

/// Why a command failed, in one line that repeats no token and no key.
#[derive(Debug)]
pub(crate) struct Failure {
    class: Class,
    text: String,
}

impl Failure {
    pub(crate) fn new(class: Class, text: impl Into<String>) -> Self {
        Failure { class, text: text.into() }
    }

    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Failure::new(Class::Usage, text)
    }

    pub(crate) fn code(&self) -> u8 {
        self.class as u8
    }

    /// Says it on standard error.
    pub(crate) fn tell(&self) {
        if self.class != Class::Unread {
            terminal::note(&self.text);
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A failure to print.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let class = match error.kind() {
            io::ErrorKind::BrokenPipe => Class::Unread,
            _ => Class::Machine,
        };
        Failure::new(class, format!("cannot write: {error}"))
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = error.status();
        let class = match status {
            Status::InvalidArgument | Status::InvalidConfig => Class::Usage,
            Status::Policy => Class::Policy,
            Status::KeysUnavailable | Status::KeysPending => Class::Keys,
            Status::Api => Class::Refused,
            Status::Transport | Status::Timeout | Status::Response => Class::Unreached,
            token if token.http() == 401 => Class::No,
            _ => Class::Defect,
        };
        let mut text = match class {
            Class::No => format!("bad token: {error} ({})", status.name()),
            Class::Policy => format!("good token, but not enough: {error} ({})", status.name()),
            _ => error.to_string(),
        };
        let told = |name, value: Option<&str>| Some(format!("{name} {}", value?));
        let details: Vec<_> = [
            error.http_status().map(|status| format!("HTTP status {status}")),
            told("code", error.code()),
            told("support id", error.support_id()),
            error.retry_after().map(|seconds| format!("try again in {seconds} s")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !details.is_empty() {
            text = format!("{text} ({})", details.join(", "));
        }
        Failure::new(class, text)
    }
}
