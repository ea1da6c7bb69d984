//! `authz-pin explain ENDPOINT/TARGET/ACTOR`: everything that is known of one cell.

use authz_pin_suite::diagnostic::{did_you_mean, quoted};
use authz_pin_suite::plan::{Filter, PlannedCell, plan};
use authz_pin_suite::suite::{Endpoint, Suite};

use crate::commands::arguments::OwnServiceArgs;
use crate::commands::{Context, Failure, to_its_end};
use crate::exit::Exit;
use crate::explain::Explanation;

/// Explains the cell that `name` means.
pub(super) fn run(
    suite: &Suite,
    name: &str,
    as_json: bool,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let given = OwnServiceArgs::default().resolve(suite)?;
    let explanation = Explanation::of(suite, &find(suite, name)?, &given)?;
    to_its_end(if as_json {
        writeln!(context.out, "{}", serde_json::json!(explanation))
    } else {
        write!(context.out, "{explanation}")
    })?;
    Ok(Exit::AsPinned)
}

/// The cell of that name. Names of endpoints, targets and actors can hold slashes and blanks themselves, so that the name is
/// compared with all that there are.
fn find<'a>(suite: &'a Suite, name: &str) -> Result<PlannedCell<'a>, Failure> {
    let plan = plan(suite, &Filter::default());
    let cells = plan.iter().flat_map(|plan| &plan.cells);
    let mut cells = cells.filter(|cell| cell.to_string() == name);
    match (cells.next(), cells.next()) {
        (Some(cell), None) => Ok(*cell),
        (Some(cell), Some(other)) => Err(ambiguous(name, cell, other)),
        (None, _) => Err(unknown(suite, name)),
    }
}

fn ambiguous(name: &str, cell: &PlannedCell<'_>, other: &PlannedCell<'_>) -> Failure {
    let said = |cell: &PlannedCell<'_>| {
        let parts = [cell.endpoint, cell.target, cell.actor];
        parts.map(|part| quoted(part)).join(", ")
    };
    let message = format!("{} is the name of two cells", quoted(name));
    Failure::new(Exit::Usage, message).help(format!(
        "one is {}, and one {}: give an endpoint or a target another name",
        said(cell),
        said(other)
    ))
}

/// What of the name there is not: the endpoint, else the target, else the actor.
fn unknown(suite: &Suite, name: &str) -> Failure {
    let begins = |endpoint: &&Endpoint| below(name, &endpoint.name).is_some();
    let longest = suite.endpoints.iter().filter(begins);
    let Some(endpoint) = longest.max_by_key(|endpoint| endpoint.name.len()) else {
        let known = suite.endpoints.iter().map(|one| one.name.as_str());
        return no("endpoint", first(name), known);
    };
    let rest = below(name, &endpoint.name).unwrap_or_default();
    let targets = endpoint.spec.targets.iter().map(String::as_str);
    let begin = targets
        .clone()
        .filter(|target| below(rest, target).is_some());
    let Some(target) = begin.max_by_key(|target| target.len()) else {
        let (target, _) = rest.rsplit_once('/').unwrap_or((rest, ""));
        return no(
            &format!("target of {}", quoted(&endpoint.name)),
            target,
            targets,
        );
    };
    let actor = below(rest, target).unwrap_or_default();
    let actors = suite.world.actors.keys().map(String::as_str);
    if actors.clone().any(|known| known == actor) {
        let message = format!("{} makes no such call: {}", quoted(actor), quoted(name));
        return Failure::new(Exit::Usage, message)
            .help("`calls` in world.yaml says which calls an actor makes");
    }
    no("actor", actor, actors)
}

fn no<'a>(
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Failure {
    let help = did_you_mean(name, known);
    let help = help
        .unwrap_or_else(|| "`authz-pin list` shows the cells as ENDPOINT/TARGET/ACTOR".to_owned());
    Failure::new(Exit::Usage, format!("unknown {what} {}", quoted(name))).help(help)
}

/// What follows a name and a slash.
fn below<'n>(name: &'n str, begin: &str) -> Option<&'n str> {
    name.strip_prefix(begin)?.strip_prefix('/')
}

fn first(name: &str) -> &str {
    name.split_once('/').map_or(name, |(first, _)| first)
}
