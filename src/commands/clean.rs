//! `authz-pin clean`: undo what a dead run left.

use std::sync::{Mutex, PoisonError};

use authz_pin_database::base::Base;
use authz_pin_database::{DatabaseError, Which, connect};
use clap::Args;
use secrecy::SecretString;

use super::arguments::{DATABASE_PREFIX, DatabaseUrls};
use super::{Context, Failure, nothing_left, told, written};
use crate::exit::Exit;

/// What the help of `clean` ends with.
pub const EXAMPLES: &str = "\
Every run does this by itself before it starts; `clean` is for when no other run follows.

Examples:
  authz-pin clean --database-url postgres://USER:PASSWORD@localhost/DATABASE
  authz-pin clean --database-url sqlite:data/app.db
  Of a service with several databases:
    authz-pin clean --database-url postgres://... --database-url audit=postgres://...";

/// Arguments of `clean`.
#[derive(Debug, Clone, Args)]
pub struct CleanArgs {
    /// The service's database, as `postgres://USER:PASSWORD@HOST/DATABASE` or `sqlite:FILE`. NAME=URL gives another of its databases, by any name; can be repeated
    #[arg(
        long,
        env = "AUTHZ_PIN_DATABASE_URL",
        value_name = "[NAME=]URL",
        required = true,
        hide_env_values = true
    )]
    database_url: Vec<SecretString>,
}

/// Undoes what dead runs left and removes the journal if no run is alive, in each of the databases. One that fails keeps the
/// others from nothing.
pub async fn run(args: &CleanArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let names = names_in_environment();
    let urls = DatabaseUrls::read(&args.database_url, names.iter())?;
    let urls = urls.in_order();
    if urls.is_empty() {
        let failure = Failure::new(Exit::Usage, "no database was given");
        return Err(failure.help("give one with --database-url"));
    }
    let mut failed = Ok(Exit::AsPinned);
    for (which, url) in urls {
        if let Err(failure) = clean_one(&which, url, context).await
            && let Err(before) = std::mem::replace(&mut failed, Err(failure))
        {
            told(writeln!(context.err, "{before}"))?;
        }
    }
    failed
}

/// The names of databases that the environment has URLs of: there is no suite that would say which there are.
fn names_in_environment() -> Vec<String> {
    let variables = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let names =
        variables.filter_map(|name| Some(name.strip_prefix(DATABASE_PREFIX)?.to_lowercase()));
    names.collect()
}

async fn clean_one(
    which: &Which,
    url: &SecretString,
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let mut base = connect(which, url).await?;
    let said = clean(base.as_mut(), context).await?;
    written(writeln!(context.out, "{}", which.said(said)))
}

/// Cleans a database; gives what is to be said of it.
async fn clean(base: &mut dyn Base, context: &mut Context<'_>) -> Result<&'static str, Failure> {
    let which = base.which().clone();
    let of = |error: DatabaseError| error.of(&which);
    if !base.has_journal().await.map_err(of)? {
        return Ok("nothing to clean: the database has no journal");
    }
    let err = Mutex::new(&mut *context.err);
    let tell = |text: &str| {
        // That nobody could be told is no reason to stop.
        let mut err = err.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(err, "{text}");
    };
    let (leftovers, stays) = base.clean(&tell).await.map_err(of)?;
    nothing_left(&leftovers)?;
    if let Some(stays) = stays {
        return Err(
            Failure::new(Exit::Unreachable, stays).help("end that session and run `clean` again")
        );
    }
    // A run whose connection the server has not yet missed looks alive as well.
    Ok(if base.has_journal().await.map_err(of)? {
        "clean, but for a run that is under way: with its end the journal goes"
    } else {
        "clean"
    })
}
