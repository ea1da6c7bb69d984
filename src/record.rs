//! The record: all cells of one endpoint, as one snapshot.
//!
//! One cell is one line, so that a changed cell is one changed line of a diff. What is long or shared (the wording of
//! a gate, an effect's columns, the fields of a body) stands once per record in a legend. A legend's label depends on
//! its own content alone, so that one entry more or less leaves the other lines as they are.

mod labels;
mod rename;
mod text;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fault::{Fault, Reply};
use crate::findings;
use crate::observation::{Effect, Observation, RowChange};
use crate::yaml;

use labels::{enter, gate_labels};

pub(crate) use labels::{act_of, table_of};
pub(crate) use rename::{Axis, Rename};

/// All cells of one endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The method and the path.
    pub endpoint: String,
    /// The tables whose changes were not observed, though those of the others were.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unobserved: BTreeSet<String>,
    /// The wording of each gate by its label.
    #[serde(default)]
    pub gates: BTreeMap<String, String>,
    /// The effects by label: operation, table and a digest of the rest.
    #[serde(default)]
    pub effects: BTreeMap<String, RowChange>,
    /// The field paths of success bodies by label.
    #[serde(default)]
    pub shapes: BTreeMap<String, BTreeSet<String>>,
    /// The cells by target and actor, in the suite's order.
    // Most cells are like others, and share what they say; every row has the names of the same actors.
    #[serde(default)]
    pub cells: IndexMap<String, IndexMap<Arc<str>, Arc<Cell>>>,
    /// Observations that break an invariant.
    #[serde(default)]
    pub findings: Vec<String>,
}

/// One cell; the texts are labels of the record's legends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Cell {
    /// The HTTP status; none where there is a fault.
    pub status: Option<u16>,
    /// What came instead of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// The gate that refused, or where a redirect leads.
    pub gate: Option<String>,
    /// The identifiers that the response held.
    #[serde(default)]
    pub discloses: Vec<String>,
    /// The row changes.
    #[serde(default)]
    pub effects: Effects,
    /// What each follow-up request brought.
    #[serde(default)]
    pub probes: IndexMap<String, Reply>,
    /// The fields of the body.
    pub shape: Option<String>,
}

/// The row changes of a cell.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(try_from = "EffectsText", into = "EffectsText")]
pub enum Effects {
    /// The labels of the changes, none where nothing changed.
    Observed(Vec<String>),
    /// The database could not be observed.
    NotObserved,
}

impl Default for Effects {
    fn default() -> Self {
        Self::Observed(Vec::new())
    }
}

/// What a record says where the database could not be observed.
const NOT_OBSERVED: &str = "not observed";

/// The two forms of effects in a file: a list, or `not observed`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum EffectsText {
    Labels(Vec<String>),
    Text(String),
}

impl TryFrom<EffectsText> for Effects {
    type Error = String;

    fn try_from(text: EffectsText) -> Result<Self, String> {
        match text {
            EffectsText::Labels(labels) => Ok(Self::Observed(labels)),
            EffectsText::Text(text) if text == NOT_OBSERVED => Ok(Self::NotObserved),
            EffectsText::Text(text) => Err(format!(
                "`{text}` is neither a list of effects nor `{NOT_OBSERVED}`"
            )),
        }
    }
}

impl From<Effects> for EffectsText {
    fn from(effects: Effects) -> Self {
        match effects {
            Effects::Observed(labels) => Self::Labels(labels),
            Effects::NotObserved => Self::Text(NOT_OBSERVED.to_owned()),
        }
    }
}

/// What is known already and equal to `new`, or that.
fn shared<T: ?Sized + Eq + Hash>(known: &mut HashSet<Arc<T>>, new: Arc<T>) -> Arc<T> {
    if let Some(shared) = known.get(&new) {
        return Arc::clone(shared);
    }
    known.insert(Arc::clone(&new));
    new
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
        let mut record = Self {
            endpoint,
            ..Self::default()
        };
        let (mut names, mut known) = (HashSet::new(), HashSet::new());
        for (target, actor, observation) in observations {
            let cell = shared(&mut known, Arc::new(record.cell(&gates, observation)));
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

    fn cell(&mut self, gates: &BTreeMap<String, String>, observation: Observation) -> Cell {
        Cell {
            status: observation.status,
            fault: observation.fault,
            gate: observation.gate.and_then(|text| gates.get(&text).cloned()),
            discloses: observation.discloses.into_iter().collect(),
            effects: observation
                .effects
                .map_or(Effects::NotObserved, |effects| self.label_effects(effects)),
            probes: observation.probes,
            shape: observation.shape.map(|shape| self.label_shape(shape)),
        }
    }

    fn label_effects(&mut self, effects: Vec<Effect>) -> Effects {
        let mut labels: Vec<String> = effects
            .into_iter()
            .map(|effect| self.label_effect(effect))
            .collect();
        labels.sort();
        Effects::Observed(labels)
    }

    fn label_effect(&mut self, effect: Effect) -> String {
        let content = format!("{}\n{:?}", effect.change.row, effect.change.columns);
        let name = format!("{} {}", effect.operation.as_str(), effect.table);
        enter(&mut self.effects, &name, &content, effect.change)
    }

    fn label_shape(&mut self, shape: BTreeSet<String>) -> String {
        let content: Vec<&str> = shape.iter().map(String::as_str).collect();
        let content = content.join("\n");
        enter(&mut self.shapes, "body", &content, shape)
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
        let subject = format!(": {}", findings::subject(target, actor));
        self.findings
            .iter()
            .any(|finding| finding.contains(&subject))
    }

    /// The cell of that target and actor, if it was swept.
    #[must_use]
    pub fn cell_at(&self, target: &str, actor: &str) -> Option<&Cell> {
        self.cells.get(target)?.get(actor).map(|cell| &**cell)
    }

    /// The record with only the cells for which `keep` holds, and only what these use of the legends.
    #[must_use]
    pub fn retain(mut self, keep: impl Fn(&str, &str) -> bool) -> Self {
        for (target, row) in &mut self.cells {
            row.retain(|actor, _| keep(target, actor));
        }
        self.cells.retain(|_, row| !row.is_empty());
        self.drop_unused();
        self
    }

    fn drop_unused(&mut self) {
        let cells = self.cells.values().flat_map(IndexMap::values).cloned();
        let cells: HashSet<Arc<Cell>> = cells.collect();
        self.gates
            .retain(|label, _| cells.iter().any(|cell| cell.gate.as_ref() == Some(label)));
        self.shapes
            .retain(|label, _| cells.iter().any(|cell| cell.shape.as_ref() == Some(label)));
        self.effects
            .retain(|label, _| cells.iter().any(|cell| cell.effects.has(label)));
    }

    /// Reads a record.
    pub fn parse(text: &str) -> Result<Self, yaml::Error> {
        yaml::from_str(text)
    }
}

/// By what tells most cells apart.
impl Hash for Cell {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.status, &self.gate, &self.discloses, &self.shape).hash(state);
    }
}

impl Cell {
    /// Whether the service let the call through. A cell without an answer is neither allowed nor denied.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.status.is_some_and(|status| status < 400)
    }

    /// Whether the service refused the call.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.status.is_some_and(|status| status >= 400)
    }

    /// The status, or what came instead of one.
    #[must_use]
    pub fn verdict(&self) -> String {
        match (self.fault, self.status) {
            (Some(fault), _) => fault.to_string(),
            (None, Some(status)) => status.to_string(),
            (None, None) => "no status".to_owned(),
        }
    }
}

impl Effects {
    /// Whether the cell changed anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        matches!(self, Self::Observed(labels) if labels.is_empty())
    }

    /// Whether the database was observed.
    #[must_use]
    pub fn is_observed(&self) -> bool {
        matches!(self, Self::Observed(_))
    }

    fn has(&self, label: &str) -> bool {
        matches!(self, Self::Observed(labels) if labels.iter().any(|l| l == label))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observation::Operation;

    fn effect() -> Effect {
        let columns = vec![("models".to_owned(), "[] -> [\"pinned\"]".to_owned())];
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
            status: Some(200),
            discloses: BTreeSet::from(["target.key".to_owned()]),
            shape: Some(BTreeSet::from(["key".to_owned(), "models[]".to_owned()])),
            effects: Some(vec![effect()]),
            probes: IndexMap::from([("old key".to_owned(), Reply::Status(401))]),
            ..Observation::default()
        }
    }

    fn denied(gate: &str) -> Observation {
        Observation {
            status: Some(403),
            gate: Some(gate.to_owned()),
            effects: Some(Vec::new()),
            ..Observation::default()
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
        endpoint: POST /key/update
        gates:
          error-not-for: 'auth_error: {''error'': ''Not for <user_id>''}'
        effects:
          update Key 70a9:
            row: <target.token>
            columns:
              models: '[] -> ["pinned"]'
        shapes:
          body f6f9:
          - key
          - models[]
        cells:
          own key:
            admin: {status: 200, discloses: [target.key], effects: [update Key 70a9], probes: {old key: 401}, shape: body f6f9}
            nobody: {status: 403, gate: error-not-for}
        "#);
    }

    #[test]
    fn a_cell_without_an_answer_has_a_fault_in_place_of_its_status() {
        let fault = Observation {
            fault: Some(Fault::TimedOut),
            effects: Some(Vec::new()),
            probes: IndexMap::from([("old key".to_owned(), Reply::Fault(Fault::Closed))]),
            ..Observation::default()
        };
        let record = Record::build("POST /x".to_owned(), [("t", "a", fault)]);
        let text = record.to_yaml().unwrap();
        let line = "a: {fault: timed out, probes: {old key: connection closed}}";
        assert!(text.contains(line), "{text}");
        assert_eq!(Record::parse(&text).unwrap(), record);
        let cell = record.cell_at("t", "a").unwrap();
        assert!(!cell.is_allowed() && !cell.is_denied());
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
