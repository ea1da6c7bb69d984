//! Questions about the calls of an endpoint: what stops them, and what they write.

use std::collections::{BTreeSet, HashSet};

use authz_pin_record::record::{Cell, EffectLabel, Record};
use authz_pin_suite::suite::Method;
use indexmap::IndexMap;

use super::grid::{Grid, Row, rows};
use super::{Answer, Gap, Kind, Pinned};

/// Endpoints of which nobody knows what they write.
pub(super) fn unobserved(pinned: &[Pinned]) -> Vec<String> {
    let unobserved = pinned.iter().filter(|pinned| !is_observed(pinned));
    unobserved.map(|pinned| pinned.endpoint.clone()).collect()
}

fn is_observed(pinned: &Pinned) -> bool {
    rows(pinned).any(|row| row.has(|cell| cell.effects.is_observed()))
}

/// Of each endpoint: does it give two actors different answers?
pub(super) fn answers(grid: &Grid<'_>) -> impl Iterator<Item = Answer> {
    grid.pinned.iter().map(move |pinned| {
        let is_uniform = rows(pinned).all(Row::is_uniform);
        is_uniform.then(|| uniform(grid, pinned))
    })
}

fn uniform(grid: &Grid<'_>, pinned: &Pinned) -> Gap {
    let endpoint = &pinned.endpoint;
    let missing = if rows(pinned).any(|row| row.has(Cell::is_let_through)) {
        "refused"
    } else {
        "allowed"
    };
    let example = grid.to_borrow(pinned, |row| !row.is_uniform());
    let example = such_as(example, "tells actors apart");
    Gap {
        kind: Kind::Answers,
        what: format!("answers of {endpoint}"),
        cells: pinned.record.iter().count(),
        seen: "every actor got the same answer".to_owned(),
        add: format!(
            "an actor or a target with which a call of `{endpoint}` is {missing}{example}"
        ),
        because: None,
    }
}

/// A target that another endpoint has.
fn such_as(row: Option<Row<'_>>, there: &str) -> String {
    row.map(|row| {
        format!(
            ", such as `{}`, upon which `{}` {there}",
            row.target,
            row.endpoint()
        )
    })
    .unwrap_or_default()
}

/// Of each gate of an endpoint: is a call allowed that differs from one it stops in the actor or in the target only?
pub(super) fn gates(grid: &Grid<'_>) -> impl Iterator<Item = Answer> {
    grid.pinned.iter().flat_map(move |pinned| {
        let allowed = Allowed::of(&pinned.record);
        let question = move |(gate, stopped): (&str, Vec<At<'_>>)| {
            let is_seen = stopped.iter().any(|at| allowed.is_beside(at));
            (!is_seen).then(|| one_sided(grid, pinned, gate, &stopped))
        };
        stopped(&pinned.record).into_iter().map(question)
    })
}

/// A target and an actor.
type At<'a> = (&'a str, &'a str);

/// The cells that each gate stops.
fn stopped(record: &Record) -> IndexMap<&str, Vec<At<'_>>> {
    let mut stopped = IndexMap::<_, Vec<_>>::new();
    for (target, actor, cell) in record.iter().filter(|(_, _, cell)| cell.is_denied()) {
        if let Some(gate) = &cell.gate {
            let cells = stopped.entry(gate.as_str()).or_default();
            cells.push((target, actor));
        }
    }
    stopped
}

/// Upon what and to whom an endpoint allows a call.
struct Allowed<'a> {
    targets: HashSet<&'a str>,
    actors: HashSet<&'a str>,
}

impl<'a> Allowed<'a> {
    fn of(record: &'a Record) -> Self {
        let allowed = record.iter().filter(|(_, _, cell)| cell.is_let_through());
        let (targets, actors) = allowed.map(|(target, actor, _)| (target, actor)).unzip();
        Self { targets, actors }
    }

    fn is_beside(&self, (target, actor): &At<'_>) -> bool {
        self.targets.contains(target) || self.actors.contains(actor)
    }
}

fn one_sided(grid: &Grid<'_>, pinned: &Pinned, gate: &str, stopped: &[At<'_>]) -> Gap {
    let endpoint = &pinned.endpoint;
    let (target, actor) = stopped.first().copied().unwrap_or_default();
    let is_allowed = |row: Row<'_>| row.cell(actor).is_some_and(Cell::is_let_through);
    let example = grid.to_borrow(pinned, is_allowed);
    let example = such_as(example, &format!("allows `{actor}`"));
    let (allowed, add) = if rows(pinned).any(|row| row.has(Cell::is_let_through)) {
        (
            "every call that is allowed differs from them in the actor and in the target",
            format!(
                "an actor that is allowed upon `{target}`, or a target upon which `{actor}` is"
            ),
        )
    } else {
        (
            "no call of the endpoint is allowed",
            format!(
                "a target, an actor or other parameters with which a call of `{endpoint}` is allowed"
            ),
        )
    };
    Gap {
        kind: Kind::Gate,
        what: format!("gate {gate} of {endpoint}"),
        cells: stopped.len(),
        seen: format!("it stops {} cells, and {allowed}", stopped.len()),
        add: add + &example,
        because: None,
    }
}

/// Of each table that is written: is a call refused that would have written it?
pub(super) fn tables(grid: &Grid<'_>) -> impl Iterator<Item = Answer> {
    let mut tables = IndexMap::<&str, Written<'_>>::new();
    for row in grid.rows() {
        for (_, cell) in row.cells() {
            for table in written(cell) {
                tables.entry(table).or_default().add(table, row, cell);
            }
        }
    }
    let question = move |(table, written): (&str, Written<'_>)| {
        (!written.is_guarded).then(|| unguarded(grid, table, &written))
    };
    tables.into_iter().map(question)
}

/// How a table is written.
#[derive(Default)]
struct Written<'a> {
    cells: usize,
    is_guarded: bool,
    first: Option<Row<'a>>,
}

impl<'a> Written<'a> {
    fn add(&mut self, table: &str, row: Row<'a>, cell: &Cell) {
        let is_observed = !row.pinned.record.unobserved.contains(table);
        let is_watched =
            |cell: &Cell| is_observed && cell.is_denied() && cell.effects.is_observed();
        self.cells += 1;
        self.first.get_or_insert(row);
        self.is_guarded |= cell.is_let_through() && row.has(is_watched);
    }
}

/// The tables that a cell writes, each once.
fn written(cell: &Cell) -> BTreeSet<&str> {
    cell.effects
        .labels()
        .iter()
        .map(EffectLabel::table)
        .collect()
}

fn unguarded(grid: &Grid<'_>, table: &str, written: &Written<'_>) -> Gap {
    let add = |row: Row<'_>| {
        let example = grid.to_borrow(row.pinned, |row| row.has(Cell::is_denied));
        let example = such_as(example, "refuses somebody");
        let (endpoint, target) = (row.endpoint(), row.target);
        format!(
            "an actor that `{endpoint}` refuses upon `{target}`, or a target upon which it refuses one{example}"
        )
    };
    Gap {
        kind: Kind::Table,
        what: format!("table {table}"),
        cells: written.cells,
        seen: format!(
            "{} cells write it, and none is refused where another actor writes it",
            written.cells
        ),
        add: written.first.map(add).unwrap_or_default(),
        because: None,
    }
}

/// Of each endpoint that is no reading one, and whose effects were observed: does a call change a row?
pub(super) fn effects(grid: &Grid<'_>) -> impl Iterator<Item = Answer> {
    let asked = grid.pinned.iter().filter(|pinned| {
        let method = pinned.record.endpoint.split(' ').next();
        let method = method.map(|name| Method::try_from(name.to_owned()));
        let only_reads = matches!(method, Some(Ok(method)) if method.is_safe());
        !only_reads && is_observed(pinned)
    });
    asked.map(|pinned| {
        let wrote = |cell: &Cell| !written(cell).is_empty();
        let has_effect = rows(pinned).any(|row| row.has(wrote));
        (!has_effect).then(|| without_effect(pinned))
    })
}

fn without_effect(pinned: &Pinned) -> Gap {
    let endpoint = &pinned.endpoint;
    let add = if rows(pinned).any(|row| row.has(Cell::is_let_through)) {
        format!(
            "a target that `{endpoint}` changes, or, if it only reads, say so in `sensitivity.explained`"
        )
    } else {
        format!("an actor or a target with which a call of `{endpoint}` is allowed")
    };
    Gap {
        kind: Kind::Effects,
        what: format!("effects of {endpoint}"),
        cells: pinned.record.iter().count(),
        seen: format!("no call of `{}` changed a row", pinned.record.endpoint),
        add,
        because: None,
    }
}
