//! The legend of values: as with headers, what most answers of a record have in common stands once.

use std::collections::{BTreeMap, BTreeSet};

use super::common::{Common, Own, Shared, of_status};
use super::labels;
use super::value::Value;
use super::{Cell, Record};

/// The values of an answer by the paths of its fields.
pub type Values = BTreeMap<String, Value>;
/// Values by label.
pub(super) type Legend = BTreeMap<String, Values>;
/// The values of cells that have a body, as far as they are shared.
const VALUES: Shared = Shared {
    sort: |cell| {
        cell.shape
            .as_ref()
            .map(|_| (cell.status(), cell.values.clone()))
    },
    label: |cell| &mut cell.values,
};

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
        let common = of_status(legend, cell.status()).flatten();
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
        self.used_of(VALUES)
    }

    /// Finds anew what the answers have in common, when some of the cells are gone; or takes what another legend has for it.
    pub(super) fn share_values(&mut self, other: Option<&Legend>) {
        let fields = |cell: &Cell| self.values_of(cell).into_iter().flatten().collect();
        let sorts = self.sorts(VALUES, fields);
        let Some(legend) = &mut self.values else {
            return;
        };
        let common = sorts.common_as(other, |values| values.clone().into_iter().collect());
        *legend = self::legend(&common);
        let labels = sorts.labels(|status, fields| enter_own(&common, legend, status, fields));
        self.relabel(VALUES, &labels);
    }
}
