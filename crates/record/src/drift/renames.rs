//! Actors and targets that have another name, recognised by their cells.

use std::borrow::Cow;
use std::collections::HashMap;

use indexmap::IndexSet;

use super::cell::{Side, of_cell};
use super::{Drift, Kind};
use crate::findings::{Finding, Kind as Broken};
use crate::record::{Axis, Cell, CellId, Record, Rename};

/// What has another name, and the older record under the new names.
pub(super) struct Renames<'a> {
    pub(super) drifts: Vec<Drift>,
    pub(super) old: Cow<'a, Record>,
}

impl<'a> Renames<'a> {
    pub(super) fn between(old: &'a Record, new: &Record) -> Self {
        let mut renames = Self {
            drifts: Vec::new(),
            old: Cow::Borrowed(old),
        };
        // Cells are compared where the other name is known: what was recognised helps with the rest.
        for axis in [Axis::Actor, Axis::Target, Axis::Actor] {
            renames.find(axis, new);
        }
        renames
    }

    fn find(&mut self, axis: Axis, new: &Record) {
        for (was, is) in pairs_of(&self.old, new, axis) {
            let rename = Rename {
                axis,
                was: &was,
                is: &is,
            };
            let mut renamed = self.old.renamed(rename);
            renamed.findings = findings_under(rename, &self.old.findings, &new.findings);
            self.old = Cow::Owned(renamed);
            self.drifts.push(Drift::renamed(axis.as_str(), &was, &is));
        }
    }
}

impl Drift {
    /// That something has another name.
    #[must_use]
    pub fn renamed(what: &str, was: &str, is: &str) -> Self {
        let [was, is] = [was, is].map(|name| format!("{what} {name}"));
        Self::of_record(Kind::Renamed, was, is)
    }
}

/// The older record under the names that its actors and targets have in the newer one, where they can be recognised.
#[must_use]
pub fn under_new_names(old: &Record, new: &Record) -> Record {
    Renames::between(old, new).old.into_owned()
}

/// How many cells of two records say the same, whatever their actors and targets are called.
#[must_use]
pub fn likeness(old: &Record, new: &Record) -> Likeness {
    let old = under_new_names(old, new);
    let places = |record: &Record| -> IndexSet<(String, String)> {
        let cells = record.iter();
        cells
            .map(|(target, actor, _)| (target.to_owned(), actor.to_owned()))
            .collect()
    };
    let all = &places(&old) | &places(new);
    let alike = all.iter().filter(|(target, actor)| {
        let cells = [&old, new].map(|record| record.cell_at(target, actor));
        is_alike([&old, new], cells)
    });
    Likeness::new(alike.count(), all.len())
}

/// So many of so many cells say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Likeness {
    alike: usize,
    of: usize,
}

impl Likeness {
    fn new(alike: usize, of: usize) -> Self {
        Self { alike, of }
    }

    /// Whether all say the same, and there are any.
    #[must_use]
    pub fn is_whole(self) -> bool {
        self.of > 0 && self.alike == self.of
    }

    /// Whether at least that part of them says the same, and any does.
    #[must_use]
    pub fn is_at_least(self, part: usize, of: usize) -> bool {
        self.alike > 0 && self.alike * of >= self.of * part
    }
}

impl PartialOrd for Likeness {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        (self.alike * other.of).partial_cmp(&(other.alike * self.of))
    }
}

/// Which of the old ones is which of the new ones: those that are more alike than any other pair that either of them is
/// in. Where two are equally alike, nothing is guessed.
pub fn pairs<T: PartialOrd>(
    olds: usize,
    news: usize,
    alike: impl Fn(usize, usize) -> Option<T>,
) -> Vec<(usize, usize)> {
    let places = (0..olds).flat_map(|old| (0..news).map(move |new| (old, new)));
    let all: Vec<((usize, usize), T)> = places
        .filter_map(|(old, new)| Some(((old, new), alike(old, new)?)))
        .collect();
    let is_best = |((old, new), own): &&((usize, usize), T)| {
        let mut rivals = all.iter().filter(|((other, another), _)| {
            (other == old || another == new) && (other, another) != (old, new)
        });
        rivals.all(|(_, rival)| own > rival)
    };
    all.iter().filter(is_best).map(|(pair, _)| *pair).collect()
}

/// How many in four cells of an actor or a target have to say the same.
const PART: (usize, usize) = (3, 4);

fn pairs_of(old: &Record, new: &Record, axis: Axis) -> Vec<(String, String)> {
    let (before, after) = (names(old, axis), names(new, axis));
    let [gone, come] = [(&before, &after), (&after, &before)].map(|(these, others)| {
        let only = these.iter().filter(|name| !others.contains(*name));
        only.cloned().collect::<Vec<String>>()
    });
    if gone.is_empty() || come.is_empty() {
        return Vec::new();
    }
    let other = match axis {
        Axis::Actor => Axis::Target,
        Axis::Target => Axis::Actor,
    };
    let across: Vec<String> = (&names(old, other) & &names(new, other))
        .into_iter()
        .collect();
    let (gone_lines, come_lines) = (lines(old, axis, &gone), lines(new, axis, &come));
    let alike = |one: usize, another: usize| {
        let likeness = gone_lines
            .get(one)?
            .alike(come_lines.get(another)?, &across);
        likeness.is_at_least(PART.0, PART.1).then_some(likeness)
    };
    let pairs = pairs(gone.len(), come.len(), alike).into_iter();
    pairs
        .filter_map(|(one, another)| Some((gone.get(one)?.clone(), come.get(another)?.clone())))
        .collect()
}

fn names(record: &Record, axis: Axis) -> IndexSet<String> {
    let cells = record.iter();
    cells
        .map(|(target, actor, _)| match axis {
            Axis::Actor => actor.to_owned(),
            Axis::Target => target.to_owned(),
        })
        .collect()
}

/// A row or a column, of a record in which the name that it has is one that nothing else can have.
struct Line {
    record: Record,
    axis: Axis,
}

/// No name of a suite: a control character.
const NOBODY: &str = "\u{1}";

fn lines(record: &Record, axis: Axis, names: &[String]) -> Vec<Line> {
    let line = |name: &String| {
        let rename = Rename {
            axis,
            was: name,
            is: NOBODY,
        };
        Line {
            record: record.renamed(rename),
            axis,
        }
    };
    names.iter().map(line).collect()
}

impl Line {
    fn cell(&self, across: &str) -> Option<&Cell> {
        match self.axis {
            Axis::Actor => self.record.cell_at(across, NOBODY),
            Axis::Target => self.record.cell_at(NOBODY, across),
        }
    }

    fn alike(&self, other: &Self, across: &[String]) -> Likeness {
        let cells = across
            .iter()
            .map(|name| [self.cell(name), other.cell(name)]);
        let cells = cells.filter(|[one, other]| one.is_some() || other.is_some());
        let cells: Vec<_> = cells.collect();
        let records = [&self.record, &other.record];
        let alike = cells.iter().filter(|cells| is_alike(records, **cells));
        Likeness::new(alike.count(), cells.len())
    }
}

/// Whether two cells say the same.
fn is_alike([old, new]: [&Record; 2], cells: [Option<&Cell>; 2]) -> bool {
    let [Some(before), Some(after)] = cells else {
        return false;
    };
    let side = |record, cell| Side { record, cell };
    of_cell(("", ""), &side(old, before), &side(new, after)).is_empty()
}

/// The older findings under the new name. A list in one of them can be in another order then, so what the newer record says
/// stands for the one with the same words.
fn findings_under(rename: Rename<'_>, old: &[Finding], new: &[Finding]) -> Vec<Finding> {
    let known: HashMap<Key, &Finding> = new.iter().map(|finding| (key(finding), finding)).collect();
    let finding = |finding: &Finding| {
        let renamed = finding_under(rename, finding);
        if renamed == *finding {
            return renamed;
        }
        let known = known.get(&key(&renamed));
        known.map_or(renamed, |known| (*known).clone())
    };
    old.iter().map(finding).collect()
}

/// The kind of a finding, the cell that it is about, and its words in alphabetical order.
type Key = (Broken, Option<CellId>, Vec<String>);

fn key(finding: &Finding) -> Key {
    let words = finding.detail.split([' ', ',']);
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    words.sort();
    (finding.kind, finding.cell.clone(), words)
}

fn finding_under(rename: Rename<'_>, finding: &Finding) -> Finding {
    let cell = finding.cell.as_ref().map(|cell| CellId {
        target: rename.name(Axis::Target, &cell.target).to_owned(),
        actor: rename.name(Axis::Actor, &cell.actor).to_owned(),
    });
    Finding {
        kind: finding.kind,
        cell,
        detail: match rename.axis {
            Axis::Actor => words_under(rename, &finding.detail),
            Axis::Target => finding.detail.clone(),
        },
    }
}

/// A text in which a whole word is another one.
fn words_under(rename: Rename<'_>, text: &str) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        out.push_str(if word == rename.was { rename.is } else { word });
        let end = after.find(is_word).unwrap_or(after.len());
        let (between, next) = after.split_at(end);
        out.push_str(between);
        rest = next;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::between;
    use super::*;

    const OLD: &str = "format: 2\nendpoint: PUT /x
gates:
  no: 'auth_error: No'
effects:
  update T 51f0:
    row: <b.id>
    columns: {by: {old: <b.id>, new: <c.id>}}
shapes:
  body 12ab:
  - id
cells:
  t:
    a: {denied: 403, gate: no}
    b: {allowed: 200, discloses: [b.id, c.id], effects: [update T 51f0], shape: body 12ab}
    c: {allowed: 200, discloses: [b.id], shape: body 12ab}
  u:
    a: {denied: 404, gate: no}
    b: {allowed: 200}
    c: {denied: 404, gate: no}
findings:
- {kind: other-tenant-disclosed, target: t, actor: b, detail: 'of x was shown b.id, c.id'}
- {kind: inversion, target: t, actor: a, detail: 'is denied (403) where allowed: b, c'}
";

    fn drifts(new: &str) -> Vec<String> {
        let [old, new] = [OLD, new].map(|text| Record::parse(text).unwrap());
        let drifts = between(&old, &new).into_iter();
        drifts
            .map(|drift| format!("{}: {} -> {}", drift.kind.id(), drift.was, drift.is))
            .collect()
    }

    /// The record as the tool writes it where `b` is called `z`.
    fn of_z() -> String {
        let rename = Rename {
            axis: Axis::Actor,
            was: "b",
            is: "z",
        };
        let record = Record::parse(OLD).unwrap().renamed(rename);
        let text = record.to_yaml().unwrap();
        text.replace(
            "actor: b, detail: 'of x was shown b.id, c.id'",
            "actor: z, detail: 'of x was shown c.id, z.id'",
        )
        .replace("allowed: b, c", "allowed: z, c")
    }

    #[test]
    fn a_new_name_is_in_every_identifier_and_nothing_else_differs() {
        let new = of_z();
        for part in [
            "z: {allowed: 200, discloses: [c.id, z.id]",
            "row: <z.id>",
            "by: {old: <z.id>, new: <c.id>}",
        ] {
            assert!(new.contains(part), "{part} is not in\n{new}");
        }
        assert_eq!(drifts(&new), ["renamed: actor b -> actor z"]);
    }

    #[test]
    fn what_differs_beside_a_name_is_told_under_the_new_one() {
        let denied = "    c: {denied: 404, gate: \"no\"}";
        let new = of_z();
        assert!(new.contains(denied), "{new}");
        let new = new.replace(denied, "    c: {allowed: 200}");
        let expected = [
            "widened: 404 auth_error: No -> 200",
            "renamed: actor b -> actor z",
        ];
        assert_eq!(drifts(&new), expected);
    }

    #[test]
    fn an_actor_and_a_target_with_other_names_are_two_differences() {
        let new = of_z()
            .replace("  t:\n", "  v:\n")
            .replace("target: t,", "target: v,");
        let expected = [
            "renamed: actor b -> actor z",
            "renamed: target t -> target v",
        ];
        assert_eq!(drifts(&new), expected);
    }

    #[test]
    fn where_less_than_three_in_four_cells_say_the_same_it_is_somebody_else() {
        let new = OLD.replace("    a: {denied: 404", "    d: {denied: 405");
        let new = new.replace("    a: {denied: 403", "    d: {denied: 403");
        let is_rename = |drift: &String| drift.starts_with("renamed");
        assert!(!drifts(&new).iter().any(is_rename), "{:?}", drifts(&new));
    }

    #[test]
    fn only_a_pair_that_is_more_alike_than_any_other_is_one() {
        let alike = |scores: [[u8; 2]; 2]| {
            pairs(2, 2, |old, new| {
                Some(scores[old][new]).filter(|score| *score > 0)
            })
        };
        assert_eq!(alike([[9, 0], [0, 9]]), [(0, 0), (1, 1)]);
        assert_eq!(alike([[9, 8], [8, 9]]), [(0, 0), (1, 1)]);
        assert_eq!(alike([[9, 9], [0, 0]]), []);
        assert_eq!(alike([[9, 9], [0, 9]]), []);
        assert_eq!(alike([[8, 9], [0, 8]]), [(0, 1)]);
    }
}
