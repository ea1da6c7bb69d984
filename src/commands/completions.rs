//! `authz-pin completions`: completions for a shell.

use clap::{Args, Command};
use clap_complete::Shell;

use super::{Context, Failure};
use crate::exit::Exit;

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
    clap_complete::generate(args.shell, &mut command, "authz-pin", &mut context.out);
    Ok(Exit::AsPinned)
}
