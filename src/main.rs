//! The command line: parse, call, map to an exit code.

use authz_pin::commands::{Context, Failure, check, clean, completions, list, record, serve};
use authz_pin::exit::Exit;
use authz_pin::service::Launch;
use authz_pin::terminal::{self, Color};
use clap::{CommandFactory, Parser, Subcommand};

#[cfg(feature = "gateway")]
mod gateway;

/// Pins what an HTTP service really does about authorization.
///
/// Sweeps every actor x target x endpoint of a suite against the running service and its PostgreSQL, and compares what
/// it saw (status, gate, disclosures, row changes, credentials that still work) with the snapshots. Without a command
/// it checks.
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, max_term_width = 120)]
#[command(
    after_help = "Exit codes: 0 as pinned, 1 drift, 2 usage or invalid suite, 3 service or database not reachable, \
    4 nothing selected, 5 observation not stable, 70 a bug in the tool."
)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    check: check::CheckArgs,
    /// When to use colours
    #[arg(long, value_enum, default_value_t, global = true)]
    color: Color,
}

#[derive(Subcommand)]
enum Command {
    /// Sweep, compare with the snapshots, write `.snap.new` beside what differs, report (the default)
    Check(check::CheckArgs),
    /// Sweep twice with different symbols, refuse what is not stable, accept
    Record(record::RecordArgs),
    /// List the cells that a check would sweep
    List(list::ListArgs),
    /// Start the suite's default service, to try things on
    Serve(serve::ServeArgs),
    /// Undo what a dead run left in a database, and remove the journal
    Clean(clean::CleanArgs),
    /// Write completions for a shell
    Completions(completions::CompletionsArgs),
}

fn main() -> Exit {
    let cli = Cli::parse();
    let color = cli.color;
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(color, &format!("error: cannot start: {error}"), Exit::Bug),
    };
    match runtime.block_on(run(cli)) {
        Ok(exit) => exit,
        Err(failure) => report(color, &failure.to_string(), failure.exit),
    }
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let mut out = terminal::stdout(cli.color);
    let launchers = launchers();
    let launchers: Vec<&dyn Launch> = launchers.iter().map(AsRef::as_ref).collect();
    let mut context = Context {
        out: &mut out,
        launchers: &launchers,
    };
    match cli.command.unwrap_or(Command::Check(cli.check)) {
        Command::Check(args) => check::run(&args, &mut context).await,
        Command::Record(args) => record::run(&args, &mut context).await,
        Command::List(args) => list::run(&args, &mut context),
        Command::Serve(args) => serve::run(&args, &mut context).await,
        Command::Clean(args) => clean::run(&args, &mut context).await,
        Command::Completions(args) => completions::run(&args, Cli::command(), &mut context),
    }
}

fn launchers() -> Vec<Box<dyn Launch>> {
    vec![
        #[cfg(feature = "gateway")]
        Box::new(gateway::ReferenceGateway),
    ]
}

fn report(color: Color, message: &str, exit: Exit) -> Exit {
    use std::io::Write;
    // Where standard error is closed there is nobody to tell; the exit code still says it.
    let _ = writeln!(terminal::stderr(color), "{message}");
    exit
}
