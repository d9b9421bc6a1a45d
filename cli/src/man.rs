//! `torii man`: man pages, generated from the help texts.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Command, CommandFactory};
use clap_mangen::Man as Page;

use crate::Cli;
use crate::failure::{Class, Failure};

/// Write torii.1 and a page for each command into a folder
#[derive(Args)]
#[command(hide = true)]
pub(crate) struct Man {
    /// An existing folder
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let mut torii = Cli::command().disable_help_subcommand(true);
        torii.build();
        write(&torii, &self.folder).map_err(|error| {
            Failure::new(Class::Local, format!("{}: {error}", self.folder.display()))
        })
    }
}

fn write(command: &Command, folder: &Path) -> io::Result<()> {
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        write(inner, folder)?;
    }
    let page = Page::new(command.clone());
    let mut parts = Vec::new();
    page.render_name_section(&mut parts)?;
    page.render_synopsis_section(&mut parts)?;
    page.render_description_section(&mut parts)?;
    page.render_options_section(&mut parts)?;
    if command.has_subcommands() {
        page.render_subcommands_section(&mut parts)?;
    }
    let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let name = page.get_filename();
    let mut text = title(name.trim_end_matches(".1"));
    // Each part repeats this definition.
    text.push_str(&String::from_utf8_lossy(&parts).replace(APOSTROPHE, ""));
    text.push_str(&sections(&after));
    if command.get_name() != "torii" {
        text.push_str(".SH SEE ALSO\n\\fBtorii\\fR(1)\n");
    }
    fs::write(folder.join(name), text)
}

/// The definition of the apostrophe at the start of each part.
const APOSTROPHE: &str = ".ie \\n(.g .ds Aq \\(aq\n.el .ds Aq '\n";

/// The title line of a page. It has no date, so that builds are reproducible.
fn title(name: &str) -> String {
    let (name, version) = (roff(&name.to_uppercase()), env!("CARGO_PKG_VERSION"));
    format!("{APOSTROPHE}.TH \"{name}\" 1 \"\" \"torii {version}\" \"User Commands\"\n")
}

/// Converts the text after the options: blocks with a heading become sections, others notes.
fn sections(help: &str) -> String {
    let (mut sections, mut notes) = (String::new(), Vec::new());
    for block in help.split("\n\n").filter(|block| !block.is_empty()) {
        match block.split_once(":\n  ") {
            Some((heading, lines)) => {
                let heading = heading.to_uppercase();
                let lines = roff(lines).replace("\n  ", "\n");
                sections.push_str(&format!(".SH \"{heading}\"\n.nf\n{lines}\n.fi\n"));
            }
            None => notes.push(roff(block)),
        }
    }
    if !notes.is_empty() {
        sections.push_str(&format!(".SH NOTES\n{}\n", notes.join("\n.PP\n")));
    }
    sections
}

/// Escapes text for roff.
fn roff(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
    let line =
        |line: &str| if line.starts_with('.') { format!("\\&{line}") } else { line.to_owned() };
    escaped.lines().map(line).collect::<Vec<_>>().join("\n")
}
