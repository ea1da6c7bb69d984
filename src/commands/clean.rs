//! `authz-pin clean`: undo what a dead run left.

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{Context, Failure};
use crate::database::Database;
use crate::exit::Exit;
use crate::journal;

/// What the help of `clean` ends with.
pub const EXAMPLES: &str = "\
Every run does this by itself before it starts; `clean` is for when no other run follows.

Examples:
  authz-pin clean --database-url postgres://USER:PASSWORD@localhost/DATABASE";

/// Arguments of `clean`.
#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// The service's PostgreSQL, as `postgres://USER:PASSWORD@HOST/DATABASE`
    #[arg(
        long,
        env = "AUTHZ_PIN_DATABASE_URL",
        value_name = "URL",
        hide_env_values = true
    )]
    database_url: SecretString,
}

/// Undoes what dead runs left and removes the journal if no run is alive.
pub async fn run(args: &CleanArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    // Undoing needs no schema of the service: the journal knows the tables.
    let mut database = Database::connect(args.database_url.expose_secret(), "public").await?;
    if !database.has_schema("authz_pin").await? {
        writeln!(context.out, "nothing to clean: the database has no journal")?;
        return Ok(Exit::AsPinned);
    }
    let leftovers = journal::clean(&mut database).await?;
    for leftover in &leftovers {
        writeln!(
            context.out,
            "left alone: a row of `{}` that a run had to undo an {} of, and that somebody else changed",
            leftover.tbl, leftover.op
        )?;
    }
    if leftovers.is_empty() {
        writeln!(context.out, "clean")?;
        return Ok(Exit::AsPinned);
    }
    Err(Failure::new(
        Exit::Unreachable,
        format!("{} rows could not be restored", leftovers.len()),
    ))
}
