//! `authz-pin clean`: undo what a dead run left.

use std::cell::RefCell;

use clap::Args;
use secrecy::{ExposeSecret, SecretString};

use super::{Context, Failure, nothing_left};
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
    let err = RefCell::new(&mut *context.err);
    let tell = |text: &str| {
        // That nobody could be told is no reason to stop.
        let _ = writeln!(err.borrow_mut(), "{text}");
    };
    let (leftovers, stays) = journal::clean(&mut database, &tell).await?;
    nothing_left(&leftovers)?;
    if let Some(stays) = stays {
        return Err(
            Failure::new(Exit::Unreachable, stays).help("end that session and run `clean` again")
        );
    }
    // A run whose connection the server has not yet missed looks alive as well.
    let text = if database.has_schema("authz_pin").await? {
        "clean, but for a run that is under way: with its end the journal goes"
    } else {
        "clean"
    };
    writeln!(context.out, "{text}")?;
    Ok(Exit::AsPinned)
}
