//! Sensitivity: what a change of the service could do that no cell of a suite would show.
//!
//! The records are asked questions, each about two things that a change could confuse: two actors, both sides of a gate, a
//! call that writes and one that is refused. A cell that tells them apart is the answer; where there is none is a gap.

mod alike;
mod calls;
mod grid;
mod pairs;
mod report;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use authz_pin_record::record::Record;
use authz_pin_suite::suite::ExplanationSpec;
use serde::Serialize;

use crate::share::Share;

use grid::Grid;
pub use report::{human, json};

/// The record of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The endpoint's name.
    pub endpoint: String,
    /// What it showed.
    pub record: Record,
}

/// What a question is about, the most telling first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Of an endpoint: does it give two actors different answers?
    Answers,
    /// Of a table that is written: is a call refused that would have written it?
    Table,
    /// Of a gate of an endpoint: is a call allowed that differs from one it stops in the actor or in the target only?
    Gate,
    /// Of two actors: does a cell tell them apart?
    Actors,
    /// Of an endpoint that is no reading one: does a call change a row?
    Effects,
    /// Of two targets of the same endpoint: does a cell tell them apart?
    Targets,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Answers,
        Self::Table,
        Self::Gate,
        Self::Actors,
        Self::Effects,
        Self::Targets,
    ];

    /// The kind as it is written.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Answers => "answers",
            Self::Table => "table",
            Self::Gate => "gate",
            Self::Actors => "actors",
            Self::Effects => "effects",
            Self::Targets => "targets",
        }
    }
}

/// A question that no cell answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What the question is about.
    pub kind: Kind,
    /// The words by which a suite names it.
    pub what: String,
    /// How many cells were asked.
    pub cells: usize,
    /// What these show.
    pub seen: String,
    /// What to add to the suite, so that one answers.
    pub add: String,
    /// Why the suite leaves it as it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// The answer to a question: the gap, where no cell gives one.
type Answer = Option<Gap>;

/// What the records of a suite would show, and what not.
#[derive(Debug, Default)]
pub struct Sensitivity {
    asked: BTreeMap<Kind, usize>,
    /// The questions that no cell answers, the most telling first.
    pub gaps: Vec<Gap>,
    /// Endpoints of which nobody knows what they write.
    pub unobserved: Vec<String>,
    /// Numbers of the explanations that explain no gap.
    pub idle: Vec<usize>,
}

/// How many questions there are of each answer.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All.
    pub questions: usize,
    /// Those that a cell answers.
    pub noticed: usize,
    /// Those that the suite says why no cell does.
    pub explained: usize,
    /// The others.
    pub open: usize,
}

impl Totals {
    /// How many of the questions that are not explained a cell answers.
    #[must_use]
    pub fn share(&self) -> Share {
        Share::new(self.noticed, self.noticed + self.open)
    }
}

impl Sensitivity {
    /// Asks the records of a suite everything.
    #[must_use]
    pub fn of(pinned: &[Pinned], explanations: &[ExplanationSpec]) -> Self {
        let grid = Grid::of(pinned);
        let mut asked = Self {
            unobserved: calls::unobserved(pinned),
            ..Self::default()
        };
        asked.hear(Kind::Answers, calls::answers(&grid));
        asked.hear(Kind::Table, calls::tables(&grid));
        asked.hear(Kind::Gate, calls::gates(&grid));
        asked.hear(Kind::Actors, pairs::actors(&grid));
        asked.hear(Kind::Effects, calls::effects(&grid));
        asked.hear(Kind::Targets, pairs::targets(&grid));
        // The sort is stable: equals stay in the suite's order.
        asked.gaps.sort_by_key(|gap| (gap.kind, Reverse(gap.cells)));
        asked.explain(explanations);
        asked
    }

    /// Counts the questions of a kind and keeps those without an answer.
    fn hear(&mut self, kind: Kind, gaps: impl IntoIterator<Item = Answer>) {
        for gap in gaps {
            *self.asked.entry(kind).or_default() += 1;
            self.gaps.extend(gap);
        }
    }

    fn explain(&mut self, explanations: &[ExplanationSpec]) {
        for (number, explanation) in explanations.iter().enumerate() {
            let mut gaps = self.gaps.iter_mut();
            let is_meant = |gap: &&mut Gap| gap.because.is_none() && gap.what == explanation.what;
            match gaps.find(is_meant) {
                Some(gap) => gap.because = Some(explanation.because.clone()),
                None => self.idle.push(number),
            }
        }
    }

    /// The gaps that are not explained.
    pub fn open(&self) -> impl Iterator<Item = &Gap> {
        self.gaps.iter().filter(|gap| gap.because.is_none())
    }

    /// The sums of each kind.
    #[must_use]
    pub fn kinds(&self) -> [(Kind, Totals); 6] {
        Kind::ALL.map(|kind| (kind, self.count(|other| other == kind)))
    }

    /// The sums over all kinds.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.count(|_| true)
    }

    fn count(&self, is_meant: impl Fn(Kind) -> bool) -> Totals {
        let asked = self.asked.iter().filter(|(kind, _)| is_meant(**kind));
        let questions = asked.map(|(_, count)| count).sum();
        let gaps = self.gaps.iter().filter(|gap| is_meant(gap.kind));
        let (explained, open): (Vec<_>, Vec<_>) = gaps.partition(|gap| gap.because.is_some());
        Totals {
            questions,
            noticed: questions - explained.len() - open.len(),
            explained: explained.len(),
            open: open.len(),
        }
    }
}
