//! `authz-pin list`: the plan's cells.

use authz_pin_suite::plan::PlannedCell;
use clap::Args;

use super::arguments::{Format, SuiteArgs};
use super::{Context, Failure, to_its_end};
use crate::exit::Exit;

/// What the help of `list` ends with.
pub const EXAMPLES: &str = "\
Examples:
  See what a filter selects:
    authz-pin list --filter '*/own*/owner'";

/// Arguments of `list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    #[command(flatten)]
    suite: SuiteArgs,
    /// The form of the result
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
}

/// Lists the cells that a check would sweep.
pub fn run(args: &ListArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let suite = args.suite.load()?;
    let plan = args.suite.plan(&suite, context.err)?;
    let cells: Vec<PlannedCell<'_>> = plan
        .into_iter()
        .flat_map(|endpoint| endpoint.cells)
        .collect();
    to_its_end(match args.format {
        Format::Human => cells
            .iter()
            .try_for_each(|cell| writeln!(context.out, "{cell}")),
        Format::Json => writeln!(context.out, "{}", serde_json::json!(cells)),
    })?;
    Ok(Exit::AsPinned)
}
