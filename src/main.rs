//! The command line: parse, call, map to an exit code.

use std::panic::{AssertUnwindSafe, PanicHookInfo};

use authz_pin::commands::{
    Context, Failure, accept, check, clean, completions, coverage, diff, explain, init, list, man,
    migrate, pending_snapshots, record, reject, review, schema, sensitivity, serve,
};
use authz_pin::exit::Exit;
use authz_pin::service::{self, Launch};
use authz_pin::terminal::{self, Color};
use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, CommandFactory, FromArgMatches, Parser, Subcommand};

#[cfg(feature = "gateway")]
mod gateway;

#[cfg(feature = "allocator")]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const EXIT_CODES: &str = "\
Exit codes:
  0   everything is as pinned
  1   something differs from its snapshot, or has none yet, or is not swept, or would not be noticed
  2   the command line or the suite is not valid, or the database does not look like one for tests
  3   the service or its database cannot be reached, or refuses to work
  4   nothing is selected, or nothing waits for review
  5   two sweeps of the same service differ
  6   inconclusive: what was answered does not say enough
  70  a bug in authz-pin
  74  the result cannot be written, or the terminal or the working directory cannot be used
  130 interrupted, and what was done is undone";

/// Pins what an HTTP service really does about authorization.
///
/// Sweeps every actor x target x endpoint of a suite against the running service and its PostgreSQL, and compares what
/// it saw (status, gate, disclosures, row changes, credentials that still work) with the snapshots. Without a command
/// it checks.
#[derive(Parser)]
#[command(version, max_term_width = 120, after_help = EXIT_CODES)]
#[command(override_usage = "authz-pin [OPTIONS] [SUITE]\n       authz-pin [OPTIONS] <COMMAND>")]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    check: check::CheckArgs,
    /// When to use colours
    #[arg(
        long,
        value_enum,
        default_value_t,
        global = true,
        help_heading = "Output"
    )]
    color: Color,
    /// Say on standard error what is done; twice, each request too. `AUTHZ_PIN_LOG` has a filter instead, such as `authz_pin::sweep=debug`
    #[arg(
        long,
        short,
        action = clap::ArgAction::Count,
        global = true,
        help_heading = "Output"
    )]
    verbose: u8,
}

#[derive(Subcommand)]
enum Command {
    /// Sweep, compare with the snapshots, write `.snap.new` beside what differs, report [default]
    #[command(after_help = check::EXAMPLES)]
    Check(check::CheckArgs),
    /// Sweep twice with different symbols, refuse what is not stable, accept
    #[command(after_help = record::EXAMPLES)]
    Record(record::RecordArgs),
    /// Review what differs at a terminal, worst first: accept, reject or skip
    #[command(after_help = review::EXAMPLES)]
    Review(review::ReviewArgs),
    /// Accept what differs; a widening takes a reason
    #[command(after_help = accept::EXAMPLES)]
    Accept(accept::AcceptArgs),
    /// Reject what differs: keep the snapshots as they are
    #[command(after_help = reject::EXAMPLES)]
    Reject(reject::RejectArgs),
    /// List the snapshots that wait for review
    #[command(after_help = pending_snapshots::EXAMPLES)]
    PendingSnapshots(pending_snapshots::PendingSnapshotsArgs),
    /// Write a suite to start from, from an OpenAPI document or recorded calls
    #[command(after_help = init::EXAMPLES)]
    Init(init::InitArgs),
    /// List the cells that a check would sweep
    #[command(after_help = list::EXAMPLES)]
    List(list::ListArgs),
    /// Compare the operations of the service's OpenAPI document with the suite
    #[command(after_help = coverage::EXAMPLES)]
    Coverage(coverage::CoverageArgs),
    /// Find what a change of the service could do that no snapshot would show
    #[command(after_help = sensitivity::EXAMPLES)]
    Sensitivity(sensitivity::SensitivityArgs),
    /// Classify the drift between two snapshots or folders of them
    #[command(after_help = diff::EXAMPLES)]
    Diff(diff::DiffArgs),
    /// Rewrite records of an older format, and keep what they say
    #[command(after_help = migrate::EXAMPLES)]
    Migrate(migrate::MigrateArgs),
    /// Explain a kind of drift or of finding
    #[command(after_help = explain::EXAMPLES)]
    Explain(explain::ExplainArgs),
    /// Start the suite's default service, to try things on
    #[command(after_help = serve::EXAMPLES)]
    Serve(serve::ServeArgs),
    /// Undo what a dead run left in a database, and remove the journal
    #[command(after_help = clean::EXAMPLES)]
    Clean(clean::CleanArgs),
    /// Print the JSON Schemas of a suite's files, for editors
    #[command(after_help = schema::EXAMPLES)]
    Schema(schema::SchemaArgs),
    /// Write manual pages
    #[command(after_help = man::EXAMPLES)]
    Man(man::ManArgs),
    /// Write completions for a shell
    #[command(after_help = completions::EXAMPLES)]
    Completions(completions::CompletionsArgs),
}

fn main() -> Exit {
    let cli = parse();
    let color = cli.color;
    std::panic::set_hook(Box::new(move |panic| {
        report(color, &bug(panic), Exit::Bug);
    }));
    no_panic(|| start(cli))
}

/// The options of `check` can do without its name, but not stand before that of another command, where nobody would
/// read them.
fn parse() -> Cli {
    let mut command = Cli::command();
    let matches = command.get_matches_mut();
    if let Some(message) = misplaced(&command, &matches) {
        command.error(ErrorKind::ArgumentConflict, message).exit();
    }
    Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.format(&mut command).exit())
}

fn misplaced(command: &clap::Command, matches: &ArgMatches) -> Option<String> {
    let name = matches.subcommand_name()?;
    let given = |arg: &&Arg| {
        let source = matches.value_source(arg.get_id().as_str());
        !arg.is_global_set() && source == Some(ValueSource::CommandLine)
    };
    let arg = command.get_arguments().find(given)?;
    Some(format!("'{arg}' has to come after the command '{name}'"))
}

fn start(cli: Cli) -> Exit {
    let color = cli.color;
    let filter = std::env::var(terminal::LOG).ok();
    if let Err(error) = terminal::log(color, cli.verbose, filter.as_deref()) {
        let message = format!("error: {} is not a filter: {error}", terminal::LOG);
        return report(color, &message, Exit::Usage);
    }
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return report(color, &format!("error: cannot start: {error}"), Exit::Bug),
    };
    match runtime.block_on(run(cli)) {
        Ok(exit) => exit,
        Err(failure) => report(color, &failure.to_string(), failure.exit),
    }
}

/// A panic unwinds, so that what was started ends, and is a bug of ours whatever caused it.
fn no_panic(work: impl FnOnce() -> Exit) -> Exit {
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug)
}

/// What is said of a panic: where it was, since there is no better way to find it.
fn bug(panic: &PanicHookInfo<'_>) -> String {
    let what = panic.payload_as_str().unwrap_or("no message");
    let place = panic.location().map(ToString::to_string);
    format!(
        "error: a bug in authz-pin {}: {what}\n --> {}\n  = help: please report it with this message and the command",
        env!("CARGO_PKG_VERSION"),
        place.as_deref().unwrap_or("unknown place")
    )
}

async fn run(cli: Cli) -> Result<Exit, Failure> {
    let mut out = terminal::stdout(cli.color);
    let mut err = terminal::stderr(cli.color);
    let launchers = launchers();
    let launchers: Vec<&dyn Launch> = launchers.iter().map(AsRef::as_ref).collect();
    let mut context = Context {
        out: &mut out,
        err: &mut err,
        width: terminal::width(),
        launchers: &launchers,
    };
    match cli.command.unwrap_or(Command::Check(cli.check)) {
        Command::Check(args) => check::run(&args, &mut context).await,
        Command::Record(args) => record::run(&args, &mut context).await,
        Command::Review(args) => review::run(&args, &mut context),
        Command::Accept(args) => accept::run(&args, &mut context),
        Command::Reject(args) => reject::run(&args, &mut context),
        Command::PendingSnapshots(args) => pending_snapshots::run(&args, &mut context),
        Command::Init(args) => init::run(&args, &mut context).await,
        Command::Schema(args) => schema::run(&args, &mut context),
        Command::Man(args) => man::run(&args, Cli::command(), &mut context),
        Command::List(args) => list::run(&args, &mut context),
        Command::Coverage(args) => coverage::run(&args, &mut context).await,
        Command::Sensitivity(args) => sensitivity::run(&args, &mut context),
        Command::Diff(args) => diff::run(&args, &mut context),
        Command::Migrate(args) => migrate::run(&args, &mut context),
        Command::Explain(args) => explain::run(&args, &mut context),
        Command::Serve(args) => serve::run(&args, &mut context).await,
        Command::Clean(args) => clean::run(&args, &mut context).await,
        Command::Completions(args) => completions::run(&args, Cli::command(), &mut context),
    }
}

fn launchers() -> Vec<Box<dyn Launch>> {
    vec![
        #[cfg(feature = "gateway")]
        Box::new(gateway::ReferenceGateway),
        Box::new(service::Command),
    ]
}

fn report(color: Color, message: &str, exit: Exit) -> Exit {
    use std::io::Write;
    // Where standard error is closed there is nobody to tell; the exit code still says it.
    let _ = writeln!(terminal::stderr(color), "{message}");
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_a_bug_of_the_tool_and_says_where_it_was() {
        use std::sync::{Arc, Mutex};

        let said = Arc::new(Mutex::new(String::new()));
        let heard = Arc::clone(&said);
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| *heard.lock().unwrap() = bug(panic)));
        let exit = no_panic(|| panic!("the cat is on the mat"));
        std::panic::set_hook(before);

        assert_eq!(exit, Exit::Bug);
        assert_eq!(Exit::Bug as u8, 70);
        let said = said.lock().unwrap();
        assert!(said.starts_with("error: a bug in authz-pin 0"), "{said}");
        assert!(
            said.contains(": the cat is on the mat\n --> src/main.rs:"),
            "{said}"
        );
        assert!(said.contains("\n  = help: please report it"), "{said}");
    }

    #[test]
    fn what_does_not_panic_keeps_its_exit_code() {
        assert_eq!(no_panic(|| Exit::Drift), Exit::Drift);
    }
}
