//! The legend of headers: what all answers have in common, what those of a status have besides, and what is left of a cell.
//!
//! Answers of one status are mostly alike in their headers, so that most cells have none of their own; and another actor or
//! target changes the entries of its status at most, but for cells whose answers are like no others.

use std::collections::{BTreeMap, BTreeSet};

use super::labels::enter;
use super::{Cell, Record};

/// The entry of what all answers have.
const COMMON: &str = "common";

/// The entry of what all answers of a status have besides.
fn common_of(status: u16) -> String {
    format!("{COMMON} {status}")
}

/// The lines of headers by label.
pub(super) type Legend = BTreeMap<String, BTreeSet<String>>;

/// What answers have in common.
#[derive(Default)]
pub(super) struct Shared {
    all: BTreeSet<String>,
    by_status: BTreeMap<u16, BTreeSet<String>>,
}

impl Shared {
    /// Of answers by their status. What came instead of an answer shares nothing.
    pub(super) fn of<'a>(
        answers: impl Iterator<Item = (Option<u16>, &'a BTreeSet<String>)>,
    ) -> Self {
        let mut by_status = BTreeMap::<u16, BTreeSet<String>>::new();
        for (status, lines) in answers.filter_map(|(status, lines)| Some((status?, lines))) {
            let known = by_status.entry(status).or_insert_with(|| lines.clone());
            known.retain(|line| lines.contains(line));
        }
        let mut sets = by_status.values();
        let mut all = sets.next().cloned().unwrap_or_default();
        for lines in sets {
            all.retain(|line| lines.contains(line));
        }
        for lines in by_status.values_mut() {
            lines.retain(|line| !all.contains(line));
        }
        Self { all, by_status }
    }

    /// The entries that are not empty.
    pub(super) fn legend(&self) -> Legend {
        let by_status = self.by_status.iter();
        let by_status = by_status.map(|(status, lines)| (common_of(*status), lines.clone()));
        let entries = std::iter::once((COMMON.to_owned(), self.all.clone())).chain(by_status);
        entries.filter(|(_, lines)| !lines.is_empty()).collect()
    }

    /// Enters what an answer has of its own, and gives its label.
    pub(super) fn enter_own(
        &self,
        legend: &mut Legend,
        status: Option<u16>,
        mut lines: BTreeSet<String>,
    ) -> Option<String> {
        if let Some(status) = status {
            let of_status = self.by_status.get(&status);
            lines.retain(|line| {
                !self.all.contains(line) && of_status.is_none_or(|lines| !lines.contains(line))
            });
        }
        (!lines.is_empty()).then(|| enter_headers(legend, lines))
    }
}

/// Enters lines that some cells have of their own.
fn enter_headers(legend: &mut Legend, lines: BTreeSet<String>) -> String {
    let content: Vec<&str> = lines.iter().map(String::as_str).collect();
    let content = content.join("\n");
    enter(
        legend,
        |digest| format!("headers {digest}"),
        &content,
        lines,
    )
}

impl Record {
    /// What the headers of a cell's answer say. A label that the legend does not explain stands for itself.
    #[must_use]
    pub fn headers_of(&self, cell: &Cell) -> BTreeSet<String> {
        let entries = cell
            .status()
            .map(|status| [COMMON.to_owned(), common_of(status)]);
        let common = entries.into_iter().flatten();
        let common = common.filter_map(|label| self.headers.get(&label));
        let mut lines: BTreeSet<String> = common.flatten().cloned().collect();
        if let Some(label) = &cell.headers {
            match self.headers.get(label) {
                Some(own) => lines.extend(own.iter().cloned()),
                None => drop(lines.insert(label.clone())),
            }
        }
        lines
    }

    /// The entries of the legend that stand for what some cell has.
    pub(crate) fn used_headers(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for (_, _, cell) in self.iter() {
            used.extend(cell.headers.clone());
            used.extend(cell.status().map(common_of));
            used.extend(cell.status().map(|_| COMMON.to_owned()));
        }
        used
    }

    /// Finds anew what the answers have in common, when some of the cells are gone.
    pub(super) fn share_headers(&mut self) {
        if self.headers.is_empty() {
            return;
        }
        let mut kinds = BTreeMap::new();
        for (_, _, cell) in self.iter() {
            let kind = (cell.status(), cell.headers.clone());
            kinds.entry(kind).or_insert_with(|| self.headers_of(cell));
        }
        let answers = kinds.iter().map(|((status, _), lines)| (*status, lines));
        let shared = Shared::of(answers);
        let mut legend = shared.legend();
        let mut labels = BTreeMap::new();
        for (kind, lines) in kinds {
            let label = shared.enter_own(&mut legend, kind.0, lines);
            labels.insert(kind, label);
        }
        self.headers = legend;
        for cell in self.cells.values_mut().flat_map(|row| row.values_mut()) {
            let label = labels.get(&(cell.status(), cell.headers.clone()));
            if let Some(label) = label.filter(|label| **label != cell.headers) {
                std::sync::Arc::make_mut(cell).headers.clone_from(label);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Fault, Reply};
    use crate::observation::Observation;

    fn answer(status: u16, lines: &[&str]) -> Observation {
        Observation {
            headers: lines.iter().map(|line| (*line).to_owned()).collect(),
            effects: Some(Vec::new()),
            ..Observation::of(Reply::Status(status))
        }
    }

    fn record(cells: &[(&str, Observation)]) -> Record {
        let cells = cells.iter().map(|(actor, it)| ("t", *actor, it.clone()));
        Record::build("GET /x".to_owned(), cells)
    }

    fn three() -> Record {
        record(&[
            ("a", answer(200, &["vary: cookie", "x-page"])),
            ("b", answer(200, &["vary: cookie", "x-page", "x-owner"])),
            ("c", answer(403, &["vary: cookie", "x-why"])),
        ])
    }

    #[test]
    fn what_answers_share_stands_once() {
        insta::assert_snapshot!(three().to_yaml().unwrap(), @r"
        format: 2
        endpoint: GET /x
        headers:
          common:
          - 'vary: cookie'
          common 200:
          - x-page
          common 403:
          - x-why
          headers 83bf:
          - x-owner
        cells:
          t:
            a: {allowed: 200}
            b: {allowed: 200, headers: headers 83bf}
            c: {denied: 403}
        ");
        assert_eq!(Record::parse(&three().to_yaml().unwrap()).unwrap(), three());
    }

    #[test]
    fn another_actor_changes_no_line_of_the_others() {
        let more = record(&[
            ("a", answer(200, &["vary: cookie", "x-page"])),
            ("b", answer(200, &["vary: cookie", "x-page", "x-owner"])),
            ("c", answer(403, &["vary: cookie", "x-why"])),
            ("d", answer(401, &["x-other"])),
        ]);
        for actor in ["a", "b", "c"] {
            assert_eq!(more.cell_at("t", actor), three().cell_at("t", actor));
        }
    }

    #[test]
    fn a_part_of_a_record_is_as_if_only_that_had_been_swept() {
        let part = three().retain(|_, actor| actor != "a");
        let swept = record(&[
            ("b", answer(200, &["vary: cookie", "x-page", "x-owner"])),
            ("c", answer(403, &["vary: cookie", "x-why"])),
        ]);
        assert_eq!(part, swept);
    }

    #[test]
    fn what_came_instead_of_an_answer_shares_no_header() {
        let record = record(&[
            ("a", answer(200, &["x-page"])),
            ("b", Observation::of(Reply::Fault(Fault::TimedOut))),
        ]);
        let fault = record.cell_at("t", "b").unwrap();
        assert_eq!(record.headers_of(fault), BTreeSet::new());
        assert_eq!(fault.headers, None);
    }
}
