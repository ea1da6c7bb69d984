//! The record: all cells of one endpoint, as one snapshot.
//!
//! One cell is one line, so that a changed cell is one changed line of a diff. What is long or shared (the wording of
//! a gate, an effect's columns, the fields of a body) stands once per record in a legend. A legend's label depends on
//! its own content alone, so that one entry more or less leaves the other lines as they are.

mod aspect;
mod cell;
mod common;
mod format;
pub mod format1;
mod headers;
mod labels;
mod probed;
mod rename;
mod text;
mod unprinted;
mod value;
mod values;
mod verdict;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::Hash;
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Reply};
use crate::findings::Finding;
use crate::observation::{Effect, Observation, RowChange};

use common::Common;
use labels::{enter_also, enter_effect, enter_shape, gate_labels};
use values::Fields;

pub use aspect::Visitor;
pub use cell::{Cell, CellId, Effects};
pub use format::{FORMAT, Format, ReadError, admit};
pub use headers::{BODY_LEADS, LEADING, is_leading};
pub use labels::EffectLabel;
pub use probed::Probed;
pub(crate) use rename::{Axis, Rename};
pub use unprinted::{Masked, Unprinted};
pub use value::{Count, Scalar, Value};
pub use values::Values;
pub use verdict::{Decision, Rule, Verdict};

/// All cells of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The number of the format, before all else.
    pub format: Format,
    /// The method and the path.
    pub endpoint: String,
    /// The tables whose changes were not observed, though those of the others were.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unobserved: BTreeSet<String>,
    /// The wording of each gate by its label.
    #[serde(default)]
    pub gates: BTreeMap<String, String>,
    /// What the headers of answers say, a line each: what all have, what those of a status have besides, and by label what is
    /// left.
    #[serde(default)]
    pub headers: BTreeMap<String, BTreeSet<String>>,
    /// What refusals tell besides, by label: the values of their other fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub also: BTreeMap<String, BTreeMap<String, String>>,
    /// The effects by label: operation, table and a digest of the rest.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, RowChange>")]
    pub effects: BTreeMap<EffectLabel, RowChange>,
    /// What successes and redirects show in their fields: what all have, what those of a status have besides, and by label what
    /// is left. Where values are not recorded there is nothing, not even an empty map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<BTreeMap<String, Values>>,
    /// The field paths of the bodies of successes and redirects by label.
    #[serde(default)]
    pub shapes: BTreeMap<String, BTreeSet<String>>,
    /// The cells by target and actor, in the suite's order.
    // Most cells are like others, and share what they say; every row has the names of the same actors.
    #[serde(default)]
    pub cells: IndexMap<String, IndexMap<Arc<str>, Arc<Cell>>>,
    /// Observations that break an invariant.
    #[serde(default)]
    pub findings: Vec<Finding>,
}

/// What is known already and equal to `new`, or that.
fn shared<T: ?Sized + Eq + Hash>(known: &mut HashSet<Arc<T>>, new: Arc<T>) -> Arc<T> {
    if let Some(shared) = known.get(&new) {
        return Arc::clone(shared);
    }
    known.insert(Arc::clone(&new));
    new
}

/// What the answers of a record have in common.
struct InCommon {
    headers: Common<String>,
    values: Common<(String, Value)>,
}

/// The values of an answer that has a body, one by one.
fn fields_of(observation: &Observation) -> Option<Fields> {
    observation.shape.as_ref()?;
    let values = observation.values.clone()?;
    Some(values.into_iter().collect())
}

impl Record {
    /// Builds the record of an endpoint from its observations, in the suite's order.
    #[must_use]
    pub fn build<'a>(
        endpoint: String,
        observations: impl IntoIterator<Item = (&'a str, &'a str, Observation)>,
    ) -> Self {
        let observations: Vec<_> = observations.into_iter().collect();
        let gates = gate_labels(
            observations
                .iter()
                .filter_map(|(_, _, o)| o.gate.as_deref()),
        );
        let answers = observations.iter();
        let common = Common::of(answers.map(|(_, _, it)| (it.status(), 1, &it.headers)));
        let values = observations.iter().map(|(_, _, it)| fields_of(it));
        let values: Vec<_> = values.collect();
        let shown = observations.iter().zip(&values);
        let shown =
            shown.filter_map(|((_, _, it), fields)| Some((it.status(), 1, fields.as_ref()?)));
        let common = InCommon {
            headers: common,
            values: Common::of(shown),
        };
        let is_shown = observations.iter().any(|(_, _, it)| it.values.is_some());
        let mut record = Self {
            endpoint,
            headers: headers::legend(&common.headers),
            values: is_shown.then(|| values::legend(&common.values)),
            ..Self::default()
        };
        let (mut names, mut known) = (HashSet::new(), HashSet::new());
        for ((target, actor, observation), fields) in observations.into_iter().zip(values) {
            let cell = record.cell(&gates, &common, (observation, fields));
            let cell = shared(&mut known, Arc::new(cell));
            let actor: Arc<str> = shared(&mut names, actor.into());
            record
                .cells
                .entry(target.to_owned())
                .or_default()
                .insert(actor, cell);
        }
        record.gates = gates
            .into_iter()
            .map(|(text, label)| (label, text))
            .collect();
        record
    }

    fn cell(
        &mut self,
        gates: &BTreeMap<String, String>,
        common: &InCommon,
        (observation, fields): (Observation, Option<Fields>),
    ) -> Cell {
        let status = observation.status();
        // Without an answer, the connection ended before there was one.
        let none = || Decision::by_status(Reply::Fault(Fault::Closed));
        let has_more = !observation.also.is_empty();
        Cell {
            decision: observation.decision.unwrap_or_else(none),
            gate: observation.gate.and_then(|text| gates.get(&text).cloned()),
            headers: headers::enter_own(
                &common.headers,
                &mut self.headers,
                status,
                observation.headers,
            ),
            also: has_more.then(|| enter_also(&mut self.also, observation.also)),
            discloses: observation.discloses.into_iter().collect(),
            effects: observation
                .effects
                .map_or(Effects::NotObserved, |effects| self.label_effects(effects)),
            probes: observation.probes,
            values: fields.and_then(|fields| {
                let legend = self.values.get_or_insert_default();
                values::enter_own(&common.values, legend, status, fields)
            }),
            shape: observation
                .shape
                .map(|shape| enter_shape(&mut self.shapes, shape)),
        }
    }

    fn label_effects(&mut self, effects: Vec<Effect>) -> Effects {
        let label = |effect: Effect| {
            let act = (effect.operation, effect.table.as_str());
            enter_effect(&mut self.effects, act, effect.change)
        };
        let mut labels: Vec<EffectLabel> = effects.into_iter().map(label).collect();
        labels.sort();
        Effects::Observed(labels)
    }

    /// The cells in order, as (target, actor, cell).
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str, &Cell)> {
        self.cells.iter().flat_map(|(target, row)| {
            row.iter()
                .map(move |(actor, cell)| (target.as_str(), &**actor, &**cell))
        })
    }

    /// How many cells have effects that were not observed.
    #[must_use]
    pub fn not_observed(&self) -> usize {
        let unseen = self
            .iter()
            .filter(|(_, _, cell)| !cell.effects.is_observed());
        unseen.count()
    }

    /// Whether a finding is about the cell.
    #[must_use]
    pub fn has_finding(&self, target: &str, actor: &str) -> bool {
        self.findings
            .iter()
            .any(|finding| finding.is_about(target, actor))
    }

    /// The cell of that target and actor, if it was swept.
    #[must_use]
    pub fn cell_at(&self, target: &str, actor: &str) -> Option<&Cell> {
        self.cells.get(target)?.get(actor).map(|cell| &**cell)
    }

    /// The wording of a cell's gate. A label that the legend does not explain stands for itself.
    #[must_use]
    pub fn gate_of<'r>(&'r self, cell: &'r Cell) -> Option<&'r str> {
        let label = cell.gate.as_ref()?;
        Some(self.gates.get(label).unwrap_or(label))
    }

    /// What a cell's refusal tells besides. A label that the legend does not explain stands for itself.
    #[must_use]
    pub fn also_of(&self, cell: &Cell) -> BTreeMap<String, String> {
        let Some(label) = &cell.also else {
            return BTreeMap::new();
        };
        let fields = self.also.get(label).cloned();
        fields.unwrap_or_else(|| BTreeMap::from([(label.clone(), String::new())]))
    }

    /// The record with only the cells for which `keep` holds, and only what these use of the legends.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&str, &str) -> bool) -> Self {
        for (target, row) in &mut self.cells {
            row.retain(|actor, _| keep(target, actor));
        }
        self.cells.retain(|_, row| !row.is_empty());
        self.share_headers(None);
        self.share_values(None);
        self.drop_unused();
        self
    }

    /// The same with what answers have in common as in another record: one that has other answers has more or less in common,
    /// and lines of cells that are as they were would differ.
    #[must_use]
    pub(crate) fn in_terms_of(mut self, other: &Self) -> Self {
        self.share_headers(Some(&other.headers));
        if let Some(values) = &other.values {
            self.share_values(Some(values));
        }
        self
    }

    fn drop_unused(&mut self) {
        let used = Used::by(self.cells.values().flat_map(IndexMap::values));
        self.gates.retain(|label, _| used.gates.contains(label));
        self.also.retain(|label, _| used.also.contains(label));
        self.shapes.retain(|label, _| used.shapes.contains(label));
        self.effects.retain(|label, _| used.effects.contains(label));
    }

    /// The labels of the legends that cells have.
    pub(crate) fn used(&self) -> Used<'_> {
        Used::by(self.cells.values().flat_map(IndexMap::values))
    }

    /// The fields of a cell's body.
    #[must_use]
    pub fn shape_of(&self, cell: &Cell) -> Option<&BTreeSet<String>> {
        self.shapes.get(cell.shape.as_ref()?)
    }
}

/// Labels that cells have, but for those of headers.
#[derive(Default)]
pub(crate) struct Used<'r> {
    pub(crate) gates: BTreeSet<&'r String>,
    pub(crate) also: BTreeSet<&'r String>,
    pub(crate) shapes: BTreeSet<&'r String>,
    pub(crate) effects: BTreeSet<&'r EffectLabel>,
}

impl<'r> Used<'r> {
    fn by(cells: impl IntoIterator<Item = &'r Arc<Cell>>) -> Self {
        let mut used = Self::default();
        for cell in cells {
            used.gates.extend(&cell.gate);
            used.also.extend(&cell.also);
            used.shapes.extend(&cell.shape);
            used.effects.extend(cell.effects.labels());
        }
        used
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::{ColumnChange, Operation};

    fn effect() -> Effect {
        let columns = vec![(
            "models".to_owned(),
            ColumnChange::Changed {
                old: "[]".to_owned(),
                new: "[\"pinned\"]".to_owned(),
            },
        )];
        let change = RowChange {
            row: "<target.token>".to_owned(),
            columns,
        };
        Effect {
            operation: Operation::Update,
            table: "Key".to_owned(),
            change,
        }
    }

    fn allowed() -> Observation {
        Observation {
            discloses: BTreeSet::from(["target.key".to_owned()]),
            shape: Some(BTreeSet::from(["key".to_owned(), "models[]".to_owned()])),
            effects: Some(vec![effect()]),
            probes: IndexMap::from([("old key".to_owned(), Reply::Status(401).into())]),
            ..Observation::of(Reply::Status(200))
        }
    }

    fn denied(gate: &str) -> Observation {
        Observation {
            gate: Some(gate.to_owned()),
            effects: Some(Vec::new()),
            ..Observation::of(Reply::Status(403))
        }
    }

    fn record() -> Record {
        let cells = [
            ("own key", "admin", allowed()),
            (
                "own key",
                "nobody",
                denied("auth_error: {'error': 'Not for <user_id>'}"),
            ),
        ];
        Record::build("POST /key/update".to_owned(), cells)
    }

    #[test]
    fn a_cell_is_one_line_and_what_is_long_stands_in_a_legend() {
        insta::assert_snapshot!(record().to_yaml().unwrap(), @r#"
        format: 2
        endpoint: POST /key/update
        gates:
          error-not-for: 'auth_error: {''error'': ''Not for <user_id>''}'
        effects:
          update Key 70a9:
            row: <target.token>
            columns:
              models: {old: '[]', new: '["pinned"]'}
        shapes:
          body f6f9:
          - key
          - models[]
        cells:
          own key:
            admin: {allowed: 200, discloses: [target.key], effects: [update Key 70a9], probes: {old key: 401}, shape: body f6f9}
            nobody: {denied: 403, gate: error-not-for}
        "#);
    }

    #[test]
    fn a_cell_without_an_answer_has_a_fault_in_place_of_its_status() {
        let fault = Observation {
            effects: Some(Vec::new()),
            probes: IndexMap::from([("old key".to_owned(), Reply::Fault(Fault::Closed).into())]),
            ..Observation::of(Reply::Fault(Fault::TimedOut))
        };
        let record = Record::build("POST /x".to_owned(), [("t", "a", fault)]);
        let text = record.to_yaml().unwrap();
        let line = "a: {fault: timed out, probes: {old key: connection closed}}";
        assert!(text.contains(line), "{text}");
        assert_eq!(Record::parse(&text).unwrap(), record);
        let cell = record.cell_at("t", "a").unwrap();
        assert!(!cell.is_let_through() && !cell.is_denied());
    }

    #[test]
    fn a_record_reads_back_as_it_was_written() {
        assert_eq!(
            Record::parse(&record().to_yaml().unwrap()).unwrap(),
            record()
        );
    }

    #[test]
    fn effects_that_were_not_observed_are_never_silently_empty() {
        let unseen = Observation {
            effects: None,
            ..allowed()
        };
        let record = Record::build("POST /x".to_owned(), [("t", "a", unseen)]);
        let text = record.to_yaml().unwrap();
        assert!(text.contains("effects: not observed"), "{text}");
        assert_eq!(Record::parse(&text).unwrap(), record);
    }

    #[test]
    fn a_narrowed_record_keeps_only_the_legends_that_it_uses() {
        let narrow = record().retain(|_, actor| actor == "nobody");
        assert_eq!(
            (
                narrow.gates.len(),
                narrow.effects.len(),
                narrow.shapes.len()
            ),
            (1, 0, 0)
        );
    }
}
