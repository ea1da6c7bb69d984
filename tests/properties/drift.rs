//! Drift: whatever differs between two records is of some kind, and nothing is where nothing differs.

use std::sync::Arc;

use authz_pin::drift::{Comparison, between, compare};
use authz_pin::fault::{Fault, Reply};
use authz_pin::findings::{Finding, Kind};
use authz_pin::observation::{Operation, RowChange};
use authz_pin::record::{Cell, Decision, EffectLabel, Effects, Record};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::record::record;
use super::support::{cases, text};

/// One change of a record somewhere.
#[derive(Debug, Clone)]
struct Mutation {
    what: What,
    at: Index,
    text: String,
}

#[derive(Debug, Clone, Copy)]
enum What {
    Endpoint,
    Status,
    Rule,
    Part,
    Fault,
    Gate,
    Headers,
    Also,
    Discloses,
    Effects,
    NotObserved,
    Probe,
    Shape,
    RemoveCell,
    AddCell,
    MoveCell,
    MoveTarget,
    GateLegend,
    HeaderLegend,
    AlsoLegend,
    AlsoField,
    EffectLegend,
    ShapeLegend,
    NewLegend,
    AddFinding,
    MoveFinding,
    Reverse,
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let what = select(vec![
        What::Endpoint,
        What::Status,
        What::Rule,
        What::Part,
        What::Fault,
        What::Gate,
        What::Headers,
        What::Also,
        What::Discloses,
        What::Effects,
        What::NotObserved,
        What::Probe,
        What::Shape,
        What::RemoveCell,
        What::AddCell,
        What::MoveCell,
        What::MoveTarget,
        What::GateLegend,
        What::HeaderLegend,
        What::AlsoLegend,
        What::AlsoField,
        What::EffectLegend,
        What::ShapeLegend,
        What::NewLegend,
        What::AddFinding,
        What::MoveFinding,
        What::Reverse,
    ]);
    (what, any::<Index>(), text()).prop_map(|(what, at, text)| Mutation { what, at, text })
}

fn of(reply: Reply) -> Decision {
    Decision::by_status(reply)
}

impl Mutation {
    fn apply(&self, record: &mut Record) {
        let text = self.text.clone();
        match self.what {
            What::Endpoint => record.endpoint = text,
            What::AddFinding => record.findings.push(Finding {
                kind: Kind::StatusDiffers,
                cell: None,
                detail: text,
            }),
            What::MoveFinding => record.findings.reverse(),
            What::MoveTarget => record.cells.reverse(),
            What::GateLegend => {
                if let Some(gate) = self.nth(record.gates.values_mut()) {
                    *gate = text;
                }
            }
            What::HeaderLegend => {
                if let Some(lines) = self.nth(record.headers.values_mut()) {
                    lines.insert(text);
                }
            }
            What::AlsoLegend => {
                if let Some(fields) = self.nth(record.also.values_mut()) {
                    fields.insert(text.clone(), text);
                }
            }
            What::AlsoField => {
                let fields = record
                    .also
                    .values_mut()
                    .flat_map(|fields| fields.values_mut());
                if let Some(value) = self.nth(fields) {
                    *value = text;
                }
            }
            What::ShapeLegend => {
                if let Some(fields) = self.nth(record.shapes.values_mut()) {
                    fields.insert(text);
                }
            }
            What::EffectLegend => {
                if let Some(change) = self.nth(record.effects.values_mut()) {
                    change.row.push_str(&text);
                }
            }
            What::NewLegend => drop(record.gates.insert(text.clone(), text)),
            What::RemoveCell | What::AddCell | What::MoveCell => self.apply_to_row(record),
            _ => {
                let cells = record.cells.values_mut().flat_map(|row| row.values_mut());
                if let Some(cell) = self.nth(cells) {
                    self.apply_to_cell(Arc::make_mut(cell));
                }
            }
        }
    }

    fn apply_to_row(&self, record: &mut Record) {
        let Some(row) = self.nth(record.cells.values_mut()) else {
            return;
        };
        match self.what {
            What::RemoveCell => drop(row.pop()),
            What::AddCell => drop(row.insert(
                self.text.as_str().into(),
                Cell::new(of(Reply::Status(200))).into(),
            )),
            _ => row.reverse(),
        }
    }

    fn apply_to_cell(&self, cell: &mut Cell) {
        let text = self.text.clone();
        match self.what {
            What::Status => {
                let status = if text.is_empty() { 200 } else { 403 };
                cell.decision = of(Reply::Status(status));
            }
            What::Rule => {
                let status = cell.status().unwrap_or(200);
                cell.decision = Decision::by_rule(text, cell.verdict(), status);
            }
            What::Part => {
                let status = cell.status().unwrap_or(200);
                let decision = Decision::by_rule("parts".to_owned(), cell.verdict(), status);
                cell.decision = decision.but_for([text]);
            }
            What::Fault => cell.decision = of(Reply::Fault(Fault::TimedOut)),
            What::Gate => cell.gate = Some(text).filter(|text| text.len() % 2 == 0),
            What::Also => cell.also = Some(text).filter(|text| text.len() % 2 == 0),
            What::Discloses => cell.discloses.push(text),
            What::Effects => {
                let label = EffectLabel::new(Operation::Delete, &text, "1a2b");
                cell.effects = Effects::Observed(vec![label]);
            }
            What::NotObserved => cell.effects = Effects::NotObserved,
            What::Probe => drop(cell.probes.insert(text, Reply::Status(200).into())),
            What::Headers => cell.headers = Some(text).filter(|text| text.len() % 2 == 0),
            What::Shape => cell.shape = Some(text).filter(|text| text.len() % 2 == 0),
            _ => {
                cell.discloses.reverse();
                cell.probes.reverse();
            }
        }
    }

    fn nth<T>(&self, items: impl Iterator<Item = T>) -> Option<T> {
        let mut items: Vec<T> = items.collect();
        (!items.is_empty()).then(|| items.swap_remove(self.at.index(items.len())))
    }
}

/// A record in which legends are used: what cells refer to is explained, as in records that the tool writes.
fn used() -> impl Strategy<Value = Record> {
    record().prop_map(|mut record| {
        let cells: Vec<Cell> = record.iter().map(|(_, _, cell)| cell.clone()).collect();
        for cell in cells {
            record
                .gates
                .extend(cell.gate.map(|gate| (gate.clone(), format!("says {gate}"))));
            let fields = |also: &String| [(also.clone(), "x".to_owned())].into();
            record
                .also
                .extend(cell.also.map(|also| (also.clone(), fields(&also))));
            record
                .headers
                .extend(cell.headers.map(|it| (it.clone(), [it].into())));
            record
                .shapes
                .extend(cell.shape.map(|shape| (shape.clone(), [shape].into())));
            if let Effects::Observed(labels) = cell.effects {
                let row = |label: EffectLabel| {
                    (
                        label.clone(),
                        RowChange {
                            row: label.to_string(),
                            columns: Vec::new(),
                        },
                    )
                };
                record.effects.extend(labels.into_iter().map(row));
            }
        }
        record
    })
}

proptest! {
    #![proptest_config(cases(400))]

    #[test]
    fn a_record_has_not_drifted_from_itself(record in used()) {
        prop_assert_eq!(between(&record, &record), []);
    }

    #[test]
    fn every_difference_is_of_some_kind(old in used(), mutations in prop::collection::vec(mutation(), 1..3)) {
        let mut new = old.clone();
        for mutation in &mutations {
            mutation.apply(&mut new);
        }
        prop_assume!(old != Record::default() && new != Record::default());
        let differs = old.to_yaml().unwrap() != new.to_yaml().unwrap();
        let drifts = between(&old, &new);
        prop_assert_eq!(differs, !drifts.is_empty(), "{:?}\n{:#?}", mutations, drifts);
    }

    #[test]
    fn no_difference_is_counted_twice(old in used(), mutation in mutation()) {
        let mut new = old.clone();
        mutation.apply(&mut new);
        let drifts = between(&old, &new);
        for (at, drift) in drifts.iter().enumerate() {
            let again = drifts.iter().skip(at + 1).any(|other| {
                (other.kind, &other.target, &other.actor, &other.is) == (drift.kind, &drift.target, &drift.actor, &drift.is)
                    && !drift.kind.is_about_findings()
            });
            prop_assert!(!again, "{:#?}", drifts);
        }
    }

    #[test]
    fn texts_that_differ_have_drifted_whatever_they_are(old in used(), junk in text()) {
        let text = old.to_yaml().unwrap();
        let other = format!("{text}# {}\n{junk}", "note");
        match compare(Some(&text), &other) {
            Comparison::Changed { drifts, .. } => prop_assert!(!drifts.is_empty()),
            Comparison::Same => prop_assert_eq!(text.trim_end(), other.trim_end()),
            Comparison::New => prop_assert!(false),
        }
    }
}
