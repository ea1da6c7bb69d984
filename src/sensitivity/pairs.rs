//! Questions about two actors, and about two targets.

use super::grid::{Grid, Row, pairs};
use super::{Answer, Gap, Kind};

/// Of each two actors that met the same target: does a cell tell them apart?
pub(super) fn actors(grid: &Grid<'_>) -> Vec<Answer> {
    let actors: Vec<&str> = grid.actors.iter().copied().collect();
    let question = |(one, other): (&str, &str)| {
        let rows = grid.rows();
        let cells = rows.filter_map(|row| row.is_alike_for(one, other));
        asked(cells, |cells| actors_alike(grid, one, other, cells))
    };
    pairs(&actors).filter_map(question).collect()
}

fn actors_alike(grid: &Grid<'_>, one: &str, other: &str, cells: usize) -> Gap {
    let example = grid.most_telling().map(|row| {
        let (endpoint, target, answers) = (row.endpoint(), row.target, row.answers());
        format!(", say on `{endpoint}`, where `{target}` shows {answers} different answers")
    });
    let example = example.unwrap_or_default();
    Gap {
        kind: Kind::Actors,
        what: named(Kind::Actors, one, other),
        cells,
        seen: format!("both got the same answers upon {}", targets_of(cells)),
        add: format!("a target that is only `{one}`'s{example}, or leave one of both out"),
        because: None,
    }
}

fn targets_of(cells: usize) -> String {
    match cells {
        1 => "the one target that both met".to_owned(),
        _ => format!("all {cells} targets"),
    }
}

/// Of each two targets of the same endpoint: does a cell tell them apart?
pub(super) fn targets(grid: &Grid<'_>) -> Vec<Answer> {
    let targets = grid.targets.iter();
    let targets = targets.map(|(target, rows)| (*target, rows.as_slice()));
    let targets: Vec<Rows<'_>> = targets.collect();
    let question = |((one, rows), (other, others)): (Rows<'_>, Rows<'_>)| {
        let cells = beside(rows, others).flat_map(|(row, beside)| are_alike(row, beside));
        asked(cells, |cells| targets_alike(one, other, cells))
    };
    pairs(&targets).filter_map(question).collect()
}

/// A target with its rows.
type Rows<'a> = (&'a str, &'a [Row<'a>]);

/// The rows of two targets that belong to the same endpoint.
fn beside<'a>(
    rows: &'a [Row<'a>],
    others: &'a [Row<'a>],
) -> impl Iterator<Item = (Row<'a>, Row<'a>)> {
    rows.iter().filter_map(|row| {
        let mut others = others.iter();
        let other = others.find(|other| other.endpoint() == row.endpoint())?;
        Some((*row, *other))
    })
}

/// Of each actor that met both, whether it was answered alike.
fn are_alike<'a>(row: Row<'a>, beside: Row<'a>) -> impl Iterator<Item = bool> {
    row.cells()
        .filter_map(move |(actor, cell)| Some(cell == beside.cell(actor)?))
}

fn targets_alike(one: &str, other: &str, cells: usize) -> Gap {
    Gap {
        kind: Kind::Targets,
        what: named(Kind::Targets, one, other),
        cells,
        seen: format!(
            "nobody was answered otherwise upon the one than upon the other, in all {cells} cells"
        ),
        add: "both to an endpoint or an actor for whom they differ, or leave one of both out"
            .to_owned(),
        because: None,
    }
}

/// In the order of the alphabet, whatever that of the suite is.
fn named(kind: Kind, one: &str, other: &str) -> String {
    format!("{} {} ~ {}", kind.as_str(), one.min(other), one.max(other))
}

/// The answer to a question about cells that could all be alike; where there is no cell there is no question.
fn asked(cells: impl Iterator<Item = bool>, gap: impl FnOnce(usize) -> Gap) -> Option<Answer> {
    let mut count = 0;
    for is_alike in cells {
        if !is_alike {
            return Some(None);
        }
        count += 1;
    }
    (count > 0).then(|| Some(gap(count)))
}
