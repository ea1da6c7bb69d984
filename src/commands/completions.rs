//! `authz-pin completions`: completions for a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use super::{Context, Failure, to_its_end};
use crate::exit::Exit;

/// What the help of `completions` ends with.
pub const EXAMPLES: &str = "\
Examples:
  authz-pin completions bash > ~/.local/share/bash-completion/completions/authz-pin
  authz-pin completions fish > ~/.config/fish/completions/authz-pin.fish";

/// Arguments of `completions`.
#[derive(Debug, Clone, Args)]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

/// Writes the completions of `command`.
pub fn run(
    args: &CompletionsArgs,
    mut command: Command,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    // The generator takes a failed write for a bug, so it writes to memory.
    let mut text = Vec::new();
    clap_complete::generate(args.shell, &mut command, "authz-pin", &mut text);
    to_its_end(context.out.write_all(&text))?;
    Ok(Exit::AsPinned)
}
