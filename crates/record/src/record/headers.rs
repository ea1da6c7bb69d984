//! The legend of headers: what most answers have, what most of a status have besides, and what is left of a cell.
//!
//! Answers of one status are mostly alike in their headers, so that most cells have none of their own.

use std::collections::{BTreeMap, BTreeSet};

use super::common::{Common, Own, Shared, of_status};
use super::labels::enter;
use super::{Cell, Record};

/// Headers that lead a client elsewhere whose status is a success.
pub const LEADING: [&str; 5] = [
    "refresh",
    "hx-redirect",
    "hx-location",
    "x-redirect",
    "x-inertia-location",
];
/// What stands before the place to which a body leads.
pub const BODY_LEADS: &str = "body leads to";

/// Whether a line of headers says where a client goes.
#[must_use]
pub fn is_leading(line: &str) -> bool {
    let line = line.strip_prefix(WITHOUT).unwrap_or(line);
    let name = line.split_once(':').map_or(line, |(name, _)| name);
    LEADING.contains(&name) || name == BODY_LEADS
}

/// What stands before a line that is common and that a cell has not: no header's name has a space in it.
const WITHOUT: &str = "without ";

/// The headers of cells, as far as they are shared.
const HEADERS: Shared = Shared {
    sort: |cell| Some((cell.status(), cell.headers.clone())),
    label: |cell| &mut cell.headers,
};

/// The lines of headers by label.
pub(super) type Legend = BTreeMap<String, BTreeSet<String>>;

/// The entries of what answers have in common.
pub(super) fn legend(common: &Common<String>) -> Legend {
    let entries = common.entries();
    entries
        .map(|(label, lines)| (label, lines.clone()))
        .collect()
}

/// Enters in what an answer is not like the others, and gives its label.
pub(super) fn enter_own(
    common: &Common<String>,
    legend: &mut Legend,
    status: Option<u16>,
    lines: BTreeSet<String>,
) -> Option<String> {
    let Own { besides, missing } = common.own(status, lines);
    let missing = missing.iter().map(|line| format!("{WITHOUT}{line}"));
    let own: BTreeSet<String> = besides.into_iter().chain(missing).collect();
    (!own.is_empty()).then(|| enter_headers(legend, own))
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
        if self.headers.is_empty() && cell.headers.is_none() {
            return BTreeSet::new();
        }
        let common = of_status(&self.headers, cell.status());
        let mut lines: BTreeSet<String> = common.flatten().cloned().collect();
        let Some(label) = &cell.headers else {
            return lines;
        };
        let Some(own) = self.headers.get(label) else {
            lines.insert(label.clone());
            return lines;
        };
        for line in own {
            match line.strip_prefix(WITHOUT) {
                // One that is not there cannot be missing: an edited file says all the same that it is.
                Some(missing) if lines.remove(missing) => {}
                _ => drop(lines.insert(line.clone())),
            }
        }
        lines
    }

    /// The entries of the legend that stand for what some cell has.
    pub(crate) fn used_headers(&self) -> BTreeSet<String> {
        self.used_of(HEADERS)
    }

    /// Finds anew what the answers have in common, when some of the cells are gone; or takes what another legend has for it.
    pub(super) fn share_headers(&mut self, other: Option<&Legend>) {
        if self.headers.is_empty() && other.is_none_or(Legend::is_empty) {
            return;
        }
        let sorts = self.sorts(HEADERS, |cell| self.headers_of(cell));
        let common = sorts.common_as(other, Clone::clone);
        self.headers = legend(&common);
        let labels =
            sorts.labels(|status, lines| enter_own(&common, &mut self.headers, status, lines));
        self.relabel(HEADERS, &labels);
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

    fn four() -> Record {
        record(&[
            ("a", answer(200, &["vary: cookie", "x-page"])),
            ("b", answer(200, &["vary: cookie", "x-page", "x-owner"])),
            ("c", answer(200, &["vary: cookie"])),
            ("d", answer(403, &["vary: cookie", "x-why"])),
        ])
    }

    #[test]
    fn what_answers_share_stands_once() {
        insta::assert_snapshot!(four().to_yaml().unwrap(), @"
        format: 2
        endpoint: GET /x
        headers:
          common:
          - 'vary: cookie'
          common 200:
          - x-page
          common 403:
          - x-why
          headers 3b2b:
          - x-owner
          headers fe44:
          - without x-page
        cells:
          t:
            a: {allowed: 200}
            b: {allowed: 200, headers: headers 3b2b}
            c: {allowed: 200, headers: headers fe44}
            d: {denied: 403}
        ");
        assert_eq!(Record::parse(&four().to_yaml().unwrap()).unwrap(), four());
    }

    #[test]
    fn another_actor_changes_no_line_of_the_others() {
        let more = record(&[
            ("a", answer(200, &["vary: cookie", "x-page"])),
            ("b", answer(200, &["vary: cookie", "x-page", "x-owner"])),
            ("c", answer(200, &["vary: cookie"])),
            ("d", answer(403, &["vary: cookie", "x-why"])),
            ("e", answer(401, &["x-other"])),
            ("f", answer(200, &["vary: cookie", "x-page"])),
        ]);
        for actor in ["a", "b", "c", "d"] {
            assert_eq!(more.cell_at("t", actor), four().cell_at("t", actor));
        }
    }

    #[test]
    fn a_part_of_a_record_is_as_if_only_that_had_been_swept() {
        let part = four().retain(|_, actor| actor != "a");
        let swept = record(&[
            ("b", answer(200, &["vary: cookie", "x-page", "x-owner"])),
            ("c", answer(200, &["vary: cookie"])),
            ("d", answer(403, &["vary: cookie", "x-why"])),
        ]);
        assert_eq!(part, swept);
    }

    #[test]
    fn what_is_common_and_what_is_not_is_what_was_seen() {
        let record = four();
        let lines = |actor: &str| {
            let lines = record.headers_of(record.cell_at("t", actor).unwrap());
            lines.into_iter().collect::<Vec<_>>().join(", ")
        };
        assert_eq!(
            ["a", "b", "c", "d"].map(lines),
            [
                "vary: cookie, x-page",
                "vary: cookie, x-owner, x-page",
                "vary: cookie",
                "vary: cookie, x-why"
            ]
        );
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
