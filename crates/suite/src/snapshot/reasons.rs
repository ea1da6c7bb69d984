//! Why something was accepted, and for how long: what a snapshot's header keeps of it.

use std::str::FromStr;

use chrono::{NaiveDate, Utc};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use authz_pin_record::findings::Finding;
use authz_pin_record::text::plain;

/// Why a widening or a finding was accepted; kept under `info`, never compared.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct Reason {
    /// The day, as `2026-11-25`.
    #[serde(default)]
    pub when: String,
    /// What was accepted of a widening, a line for each group of cells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drift: Vec<String>,
    /// The finding that was accepted, by its kind and its cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finding: Option<String>,
    /// The cells of the finding: the actors by target.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub cells: IndexMap<String, Vec<String>>,
    /// In the words of whoever accepted it.
    #[serde(default)]
    pub reason: String,
    /// The last day on which it counts; without one it always does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What somebody says who accepts something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Why.
    pub reason: String,
    /// The last day on which that counts.
    pub until: Option<Day>,
}

/// A day, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(NaiveDate);

impl Day {
    /// The day that it is.
    #[must_use]
    pub fn today() -> Self {
        Self(Utc::now().date_naive())
    }
}

impl FromStr for Day {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d");
        day.map(Self)
            .map_err(|_| "expected a day such as 2027-01-31")
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}", self.0.format("%Y-%m-%d"))
    }
}

impl Said {
    /// Why this drift was accepted, today.
    #[must_use]
    pub fn of_drift(&self, drift: Vec<String>) -> Reason {
        Reason {
            drift,
            ..self.now()
        }
    }

    /// Why a finding was accepted in these cells, today.
    #[must_use]
    pub fn of_finding(&self, finding: &str, cells: IndexMap<String, Vec<String>>) -> Reason {
        Reason {
            finding: Some(finding.to_owned()),
            cells,
            ..self.now()
        }
    }

    /// The same reason again, with other words or until another day.
    #[must_use]
    pub fn again(&self, old: &Reason) -> Reason {
        Reason {
            drift: old.drift.clone(),
            finding: old.finding.clone(),
            cells: old.cells.clone(),
            ..self.now()
        }
    }

    fn now(&self) -> Reason {
        Reason {
            when: Day::today().to_string(),
            reason: self.reason.clone(),
            until: self.until.map(|day| day.to_string()),
            ..Reason::default()
        }
    }
}

impl Reason {
    /// A reason as it stands in a header, where a person may have written it.
    #[must_use]
    pub(super) fn read(json: &Json) -> Self {
        let read = serde_json::from_value(json.clone());
        read.unwrap_or_else(|_| Self {
            reason: json.to_string(),
            until: json.get("until").map(plain),
            ..Self::default()
        })
    }

    /// Whether it is about a finding in its cell.
    #[must_use]
    pub fn is_about(&self, finding: &Finding) -> bool {
        let is_there = match &finding.cell {
            Some(cell) => {
                let actors = self.cells.get(&cell.target);
                actors.is_some_and(|actors| actors.contains(&cell.actor))
            }
            None => self.cells.is_empty(),
        };
        is_there && self.finding.as_ref() == Some(&finding.cause())
    }

    /// Whether it no longer counts. What is no day is over: nobody can say when it would be.
    #[must_use]
    pub fn is_over(&self, today: Day) -> bool {
        let until = self.until.as_ref();
        until.is_some_and(|until| until.parse::<Day>().map_or(true, |until| until < today))
    }

    /// What it is about, a line for each thing.
    #[must_use]
    pub fn about(&self) -> Vec<String> {
        let cells = authz_pin_record::drift::line(&self.cells);
        let finding = self.finding.iter().map(|finding| {
            let end = if cells.is_empty() { "" } else { "  " };
            format!("{finding}{end}{cells}")
        });
        self.drift.iter().cloned().chain(finding).collect()
    }
}

/// The reason that counts for a finding: the last one that was given.
#[must_use]
pub fn latest<'a>(reasons: &'a [Reason], finding: &Finding) -> Option<&'a Reason> {
    reasons.iter().rfind(|reason| reason.is_about(finding))
}

/// The reasons that are over and were not given again, of what still stands: a finding that is gone needs none.
#[must_use]
pub fn over(reasons: &[Reason], findings: &[Finding], today: Day) -> Vec<Reason> {
    let stands = |(at, reason): (usize, &Reason)| {
        if reason.finding.is_some() {
            return findings.iter().any(|finding| {
                let latest = latest(reasons, finding);
                latest.is_some_and(|latest| std::ptr::eq(latest, reason))
            });
        }
        let is_again = |later: &Reason| !later.drift.is_empty() && later.drift == reason.drift;
        !reasons.iter().skip(at + 1).any(is_again)
    };
    let all = reasons.iter().enumerate();
    let over = all.filter(|(at, reason)| reason.is_over(today) && stands((*at, *reason)));
    over.map(|(_, reason)| reason.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_record::findings::Kind;
    use serde_json::json;

    fn finding(actor: &str, detail: &str) -> Finding {
        Finding::of_cell(Kind::Inversion, ("t", actor), detail.to_owned())
    }

    fn reason(until: &str) -> Reason {
        Reason::read(&json!({
            "when": "2026-01-02", "finding": "inversion: is denied (403)", "cells": {"t": ["x"]}, "until": until,
        }))
    }

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    #[test]
    fn a_reason_counts_on_its_last_day_and_not_on_the_next_one() {
        let reason = reason("2026-02-01");
        assert!(!reason.is_over(day("2026-02-01")));
        assert!(reason.is_over(day("2026-02-02")));
    }

    #[test]
    fn what_is_no_day_is_over() {
        for until in ["soon", "", "2026-02-30"] {
            assert!(reason(until).is_over(day("2026-02-02")), "{until}");
        }
        let odd = Reason::read(&json!({"drift": "widened", "until": 2027}));
        assert!(odd.is_over(day("2026-02-02")));
        assert!(!Reason::read(&json!("as planned")).is_over(day("2026-02-02")));
    }

    #[test]
    fn only_the_last_reason_for_what_still_stands_is_told() {
        let today = day("2026-03-01");
        let (old, new) = (reason("2026-02-01"), reason("2026-12-01"));
        let findings = [finding("x", "is denied (403)")];
        let one = std::slice::from_ref(&old);
        assert_eq!(over(one, &findings, today), one);
        assert_eq!(over(one, &[], today), []);
        assert_eq!(over(&[old.clone(), new.clone()], &findings, today), []);
        assert_eq!(over(&[new, old.clone()], &findings, today), [old]);
        let drift = |until: &str| Reason {
            drift: vec!["widened t: x".to_owned()],
            until: Some(until.to_owned()),
            ..Reason::default()
        };
        let reasons = [drift("2026-02-01"), drift("2026-12-01")];
        assert_eq!(over(&reasons[..1], &[], today), reasons[..1]);
        assert_eq!(over(&reasons, &[], today), []);
    }

    #[test]
    fn a_reason_is_about_its_cells_alone() {
        let reason = reason("2026-02-01");
        assert!(reason.is_about(&finding("x", "is denied (403)")));
        assert!(!reason.is_about(&finding("y", "is denied (403)")));
        assert!(!reason.is_about(&finding("x", "is denied (401)")));
    }
}
