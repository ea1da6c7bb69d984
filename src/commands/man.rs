//! `authz-pin man`: manual pages.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use authz_pin_suite::file;
use clap::{Args, Command};
use clap_mangen::Man;

use super::{Context, Failure, to_its_end};
use crate::exit::Exit;

/// What the help of `man` ends with.
pub const EXAMPLES: &str = "\
Examples:
  authz-pin man | man -l -
  authz-pin man --out ~/.local/share/man/man1";

/// Arguments of `man`.
#[derive(Debug, Clone, Args)]
pub struct ManArgs {
    /// Write the page of each command into a file of this folder, over what is there; without it the tool's own is printed
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// Prints the manual page of `command`, or writes those of its commands as well into a folder.
pub fn run(
    args: &ManArgs,
    mut command: Command,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    // Names of pages and their titles, such as authz-pin-check(1).
    command.build();
    let Some(folder) = &args.out else {
        let text = page(&command, "authz-pin")?;
        to_its_end(context.out.write_all(&text))?;
        return Ok(Exit::AsPinned);
    };
    written(folder, "authz-pin", &command, context)?;
    for command in command.get_subcommands().filter(|one| !one.is_hide_set()) {
        let name = format!("authz-pin-{}", command.get_name());
        written(folder, &name, command, context)?;
    }
    Ok(Exit::AsPinned)
}

fn page(command: &Command, name: &str) -> Result<Vec<u8>, Failure> {
    let mut text = Vec::new();
    let rendered = Man::new(command.clone()).title(name).render(&mut text);
    let bug = |error| Failure::because(Exit::Bug, format!("cannot make the page `{name}`"), error);
    rendered.map_err(bug)?;
    Ok(text)
}

fn written(
    folder: &Path,
    name: &str,
    command: &Command,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let path = folder.join(format!("{name}.1"));
    let text = page(command, name)?;
    file::write(&path, |file| file.write_all(&text)).map_err(Failure::file("write", &path))?;
    super::written(writeln!(context.out, "wrote {}", path.display()))
}
