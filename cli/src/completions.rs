//! `torii completions`.

use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;

use crate::Cli;
use crate::failure::Failure;
use crate::terminal::print;

/// Print shell completions
#[derive(Args)]
#[command(after_help = "\
Examples:
  torii completions bash > ~/.local/share/bash-completion/completions/torii
  torii completions zsh > \"${fpath[1]}/_torii\"
  torii completions fish > ~/.config/fish/completions/torii.fish")]
pub(crate) struct Completions {
    /// The shell
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (all, mut script) = (Cli::command(), Vec::new());
        let shown = all.get_subcommands().filter(|command| !command.is_hide_set()).cloned();
        let mut command = Command::new("torii").version("").subcommands(shown);
        clap_complete::generate(self.shell, &mut command, "torii", &mut script);
        print(&String::from_utf8_lossy(&script))
    }
}
