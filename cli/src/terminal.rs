//! Standard output and standard error: text, color, notes and progress.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;

/// The meaning of a text, shown as a color.
#[derive(Clone, Copy)]
pub(crate) enum Style {
    Success,
    Warning,
    Error,
    Dim,
}

/// Prints text unchanged.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    end_wait();
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a line unchanged.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n"))
}

/// Returns the text in the color of its style if standard output is a terminal and color is not
/// turned off.
pub(crate) fn styled(style: Style, text: &str) -> String {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if set("NO_COLOR") || dumb || !stdout().is_terminal() {
        return text.to_owned();
    }
    let code = match style {
        Style::Success => 32,
        Style::Warning => 33,
        Style::Error => 31,
        Style::Dim => 2,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Escapes control characters, so that foreign text cannot control the terminal.
pub(crate) fn escape(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.into() };
    text.chars().map(escaped).collect()
}

/// Prints one line on standard error, escaped.
pub(crate) fn note(text: &str) {
    end_wait();
    // There is no other place to report that standard error is closed.
    let _ = writeln!(stderr(), "torii: {}", escape(text));
}

/// Whether the terminal shows a message about a wait.
static WAITING: Mutex<Waiting> = Mutex::new(Waiting::No);

#[derive(PartialEq, Eq)]
enum Waiting {
    No,
    NotYetShown,
    Shown,
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Shows on standard error, if it is a terminal, what the program waits for, once that takes longer
/// than [`WAIT_MESSAGE_AFTER`]. The next output replaces the message.
pub(crate) fn wait_for(what: &'static str) {
    if !stderr().is_terminal() {
        return;
    }
    *waiting() = Waiting::NotYetShown;
    thread::spawn(move || {
        thread::sleep(WAIT_MESSAGE_AFTER);
        let mut waiting = waiting();
        if *waiting == Waiting::NotYetShown {
            let _ = write!(stderr(), "waiting for {what} …");
            *waiting = Waiting::Shown;
        }
    });
}

/// How long a wait may take without a message.
const WAIT_MESSAGE_AFTER: Duration = Duration::from_secs(1);

fn end_wait() {
    let mut waiting = waiting();
    if *waiting == Waiting::Shown {
        clear_line();
    }
    *waiting = Waiting::No;
}

fn clear_line() {
    // Carriage return, then erase to the end of the line.
    let _ = write!(stderr(), "\r\x1b[K");
}

/// A counter on standard error, if it is a terminal. Dropping it clears the line.
pub(crate) struct Progress {
    enabled: bool,
    shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { enabled: stderr().is_terminal(), shown: false }
    }

    /// As [`new`](Self::new), but disabled if standard output, which shows the items themselves, is
    /// a terminal.
    pub(crate) fn of_printing() -> Self {
        Progress { enabled: stderr().is_terminal() && !stdout().is_terminal(), shown: false }
    }

    /// Updates the counter, at every hundredth item.
    pub(crate) fn at(&mut self, count: usize) {
        if self.enabled && count.is_multiple_of(100) {
            end_wait();
            self.shown = true;
            let _ = write!(stderr(), "\r{count} read …");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            clear_line();
        }
    }
}
