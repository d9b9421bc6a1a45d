//! The log: lines on standard error. None contains a token or a claim.

use std::io::{Write, stderr};

/// Writes a line.
pub(crate) fn line(text: &str) {
    // If standard error is closed there is no place to say so.
    let _ = writeln!(stderr(), "torii gate: {text}");
}
