//! Why the gate did not start, or ended.

use std::fmt;

/// An error, in one line that contains no secret.
#[derive(Debug)]
pub enum Error {
    /// An option, a variable, or a line of the file is invalid.
    Config(String),
    /// The machine refuses: an address in use, no threads.
    Local(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Config(text) | Error::Local(text) => f.write_str(text),
        }
    }
}

impl std::error::Error for Error {}
