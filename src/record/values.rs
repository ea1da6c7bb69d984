//! The legend of values: as with headers, what most answers of a record have in common stands once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::common::{COMMON, Common, Own, common_of};
use super::labels;
use super::value::Value;
use super::{Cell, Record};

/// The values of an answer by the paths of its fields.
pub type Values = BTreeMap<String, Value>;
/// Values by label.
pub(super) type Legend = BTreeMap<String, Values>;
/// The values of an answer, one by one.
pub(super) type Fields = BTreeSet<(String, Value)>;

/// The entries of what answers have in common.
pub(super) fn legend(common: &Common<(String, Value)>) -> Legend {
    let entries = common.entries();
    let entries = entries.map(|(label, fields)| (label, fields.iter().cloned().collect()));
    entries.collect()
}

/// Enters in what an answer is not like the others, and gives its label.
pub(super) fn enter_own(
    common: &Common<(String, Value)>,
    legend: &mut Legend,
    status: Option<u16>,
    fields: Fields,
) -> Option<String> {
    let Own { besides, missing } = common.own(status, fields);
    let missing = missing.into_iter().map(|(path, _)| (path, Value::absent()));
    let mut own: Values = missing.collect();
    own.extend(besides);
    (!own.is_empty()).then(|| enter(legend, own))
}

/// Enters what some cells show of their own.
pub(super) fn enter(legend: &mut Legend, own: Values) -> String {
    let content = format!("{own:?}");
    labels::enter(legend, |digest| format!("values {digest}"), &content, own)
}

impl Record {
    /// The values that a cell's answer shows; none where it shows no body, or where values are not recorded. A label that the
    /// legend does not explain stands for itself.
    #[must_use]
    pub fn values_of(&self, cell: &Cell) -> Option<Values> {
        let legend = self.values.as_ref()?;
        cell.shape.as_ref()?;
        let labels = cell.status().map(|it| [COMMON.to_owned(), common_of(it)]);
        let common = labels.into_iter().flatten();
        let common = common.filter_map(|label| legend.get(&label));
        let common = common.flatten();
        let mut values: Values = common
            .map(|(path, value)| (path.clone(), value.clone()))
            .collect();
        if let Some(label) = &cell.values {
            let own = legend.get(label).cloned();
            values.extend(own.unwrap_or_else(|| [(label.clone(), Value::absent())].into()));
            values.retain(|path, value| path == label || !value.is_absent());
        }
        Some(values)
    }

    /// The entries of the legend that stand for what some cell has.
    pub(crate) fn used_values(&self) -> BTreeSet<String> {
        let mut used = BTreeSet::new();
        for (_, _, cell) in self.iter().filter(|(_, _, cell)| cell.shape.is_some()) {
            used.extend(cell.values.clone());
            used.extend(cell.status().map(common_of));
            used.extend(cell.status().map(|_| COMMON.to_owned()));
        }
        used
    }

    /// Finds anew what the answers have in common, when some of the cells are gone.
    pub(super) fn share_values(&mut self) {
        let mut kinds = BTreeMap::new();
        for (_, _, cell) in self.iter() {
            let Some(values) = self.values_of(cell) else {
                continue;
            };
            let kind = (cell.status(), cell.values.clone());
            let (count, _) = kinds
                .entry(kind)
                .or_insert_with(|| (0, values.into_iter().collect::<Fields>()));
            *count += 1;
        }
        let Some(legend) = &mut self.values else {
            return;
        };
        let answers = kinds.iter();
        let common =
            Common::of(answers.map(|((status, _), (count, fields))| (*status, *count, fields)));
        *legend = self::legend(&common);
        let mut labels = BTreeMap::new();
        for (kind, (_, fields)) in kinds {
            let label = enter_own(&common, legend, kind.0, fields);
            labels.insert(kind, label);
        }
        for cell in self.cells.values_mut().flat_map(|row| row.values_mut()) {
            let label = labels.get(&(cell.status(), cell.values.clone()));
            let label = label.filter(|_| cell.shape.is_some());
            if let Some(label) = label.filter(|label| **label != cell.values) {
                Arc::make_mut(cell).values.clone_from(label);
            }
        }
    }
}
