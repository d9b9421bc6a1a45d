//! Standard output and standard error: colour, where it is wanted, and notes.

use std::io::{IsTerminal, Write, stderr, stdout};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::failure::Failure;

/// What a text means.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Doubtful,
    Bad,
    Faint,
}

/// Prints text, as it is.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    wait_no_more();
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

/// Prints a line, as it is.
pub(crate) fn line(text: &str) -> Result<(), Failure> {
    print(&format!("{text}\n"))
}

/// Text in the colour of its meaning, when standard output is a terminal and nobody minds.
pub(crate) fn tone(tone: Tone, text: &str) -> String {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
    if set("NO_COLOR") || dumb || !stdout().is_terminal() {
        return text.to_owned();
    }
    let code = match tone {
        Tone::Good => 32,
        Tone::Doubtful => 33,
        Tone::Bad => 31,
        Tone::Faint => 2,
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// Text somebody else wrote, with nothing in it that a terminal would obey.
pub(crate) fn tame(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_unicode().to_string() } else { c.into() };
    text.chars().map(escaped).collect()
}

/// Says something on standard error, in one line whatever is in it.
pub(crate) fn note(text: &str) {
    wait_no_more();
    // If nobody listens there, nobody can be told.
    let _ = writeln!(stderr(), "torii: {}", tame(text));
}

/// Whether the terminal shows that something is waited for.
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

/// Says on standard error, when that is a terminal, what is waited for, if it takes long. Whatever is
/// printed next takes the place of it.
pub(crate) fn wait_for(what: &'static str) {
    if !stderr().is_terminal() {
        return;
    }
    *waiting() = Waiting::NotYetShown;
    thread::spawn(move || {
        thread::sleep(PATIENCE);
        let mut waiting = waiting();
        if *waiting == Waiting::NotYetShown {
            let _ = write!(stderr(), "waiting for {what} …");
            *waiting = Waiting::Shown;
        }
    });
}

/// How long nobody wonders.
const PATIENCE: Duration = Duration::from_secs(1);

fn wait_no_more() {
    let mut waiting = waiting();
    if *waiting == Waiting::Shown {
        wipe_line();
    }
    *waiting = Waiting::No;
}

fn wipe_line() {
    // Back to its start, and nothing on it.
    let _ = write!(stderr(), "\r\x1b[K");
}

/// A count on standard error that goes on as long as this lives, when that is a terminal.
pub(crate) struct Progress {
    wanted: bool,
    shown: bool,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Progress { wanted: stderr().is_terminal(), shown: false }
    }

    /// As [`new`](Self::new), of what is printed meanwhile: on a terminal that is seen as it is.
    pub(crate) fn of_printing() -> Self {
        Progress { wanted: stderr().is_terminal() && !stdout().is_terminal(), shown: false }
    }

    /// So many so far. Said now and then, not for each.
    pub(crate) fn at(&mut self, count: usize) {
        if self.wanted && count.is_multiple_of(100) {
            wait_no_more();
            self.shown = true;
            let _ = write!(stderr(), "\r{count} read …");
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown {
            wipe_line();
        }
    }
}
