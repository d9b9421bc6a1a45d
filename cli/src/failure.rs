//! Errors and their exit statuses.

use std::fmt;
use std::io;

use torii::{Error, Status};

/// The class of an error: the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    /// A closed pipe, such as `| head`, is not an error.
    ClosedPipe = 0,
    /// The token is invalid, or a check of `torii doctor` failed.
    Invalid = 1,
    Usage = 2,
    Policy = 3,
    Keys = 4,
    Api = 5,
    Unreachable = 6,
    Local = 7,
    Internal = 70,
}

/// Why a command failed, in one line that contains no token and no key.
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

    /// Whether standard error should show it.
    pub(crate) fn is_error(&self) -> bool {
        self.class != Class::ClosedPipe
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A failure to write to standard output.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        let class = match error.kind() {
            io::ErrorKind::BrokenPipe => Class::ClosedPipe,
            _ => Class::Local,
        };
        Failure::new(class, format!("cannot write: {error}"))
    }
}

#[cfg(feature = "gate")]
impl From<torii_gate::Error> for Failure {
    fn from(error: torii_gate::Error) -> Self {
        let class = match error {
            torii_gate::Error::Config(_) => Class::Usage,
            torii_gate::Error::Local(_) => Class::Local,
        };
        Failure::new(class, error.to_string())
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let status = error.status();
        let class = match status {
            Status::InvalidArgument | Status::InvalidConfig => Class::Usage,
            Status::Policy => Class::Policy,
            Status::KeysUnavailable | Status::KeysPending => Class::Keys,
            Status::Api => Class::Api,
            Status::Transport | Status::Timeout | Status::Response => Class::Unreachable,
            token if token.http() == 401 => Class::Invalid,
            _ => Class::Internal,
        };
        let mut text = match class {
            Class::Invalid => format!("invalid token: {error} ({})", status.name()),
            Class::Policy => {
                format!("valid token, requirement not met: {error} ({})", status.name())
            }
            _ => error.to_string(),
        };
        let named = |name, value: Option<&str>| Some(format!("{name} {}", value?));
        let details: Vec<_> = [
            error.http_status().map(|status| format!("HTTP status {status}")),
            named("code", error.code()),
            named("support id", error.support_id()),
            error.retry_after().map(|seconds| format!("retry in {seconds} s")),
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
