//! What two sweeps show differently of a success, path by path, and the rule for it.

use std::collections::BTreeSet;

use authz_pin_record::record::{Scalar, Value};

use super::refusal::json_path;
use super::{Found, Rule, Twice, shape};

impl Twice<'_> {
    /// The values that differ, by their paths. What follows from another verdict, or from a field that comes and goes, is
    /// told by these.
    pub(super) fn of_values(&self) -> Vec<Found> {
        if self.first.decision != self.second.decision {
            return Vec::new();
        }
        let was = self.pair.first.values_of(self.first).unwrap_or_default();
        let is = self.pair.second.values_of(self.second).unwrap_or_default();
        let paths: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let differ = paths.into_iter();
        let differ = differ.filter(|path| was.get(*path) != is.get(*path));
        let fields = [
            shape(self.pair.first, self.first),
            shape(self.pair.second, self.second),
        ];
        let is_moved = |path: &&String| fields[0].contains(*path) != fields[1].contains(*path);
        differ
            .filter(|path| !is_moved(path))
            .map(|path| self.of_value(path, [was.get(path), is.get(path)]))
            .collect()
    }

    fn of_value(&self, path: &str, [was, is]: [Option<&Value>; 2]) -> Found {
        let text =
            |value: Option<&Value>| value.map_or("not there".to_owned(), ToString::to_string);
        let both = was.zip(is).filter(|(was, is)| is_steadied(was, is));
        let rule = both
            .zip(json_path(path))
            .map(|((was, is), at)| Rule::Value {
                at,
                name: kind_of(was, is).to_owned(),
                endpoint: self.pair.endpoint.to_owned(),
            });
        (format!("value {path}"), text(was), text(is), rule)
    }
}

/// Whether a kind can stand for both: it says that there is a value, and nothing of the items of a list.
fn is_steadied(was: &Value, is: &Value) -> bool {
    let has_items = [was, is]
        .iter()
        .any(|value| matches!(value, Value::Items(_)));
    let has_null = |value: &Value| value.scalars().contains(&Scalar::Null);
    !has_items && has_null(was) == has_null(is)
}

/// What stands for a flag that varies.
pub(super) const FLAG: &str = "<flag>";

/// What stands for a value that varies, by what it is.
fn kind_of(was: &Value, is: &Value) -> &'static str {
    let both = |is_it: fn(&Value) -> bool| is_it(was) && is_it(is);
    if both(|value| matches!(value, Value::One(Scalar::Number(_)))) {
        "<number>"
    } else if both(|value| matches!(value, Value::One(Scalar::Text(_)))) {
        "<text>"
    } else if both(Value::has_flag) {
        FLAG
    } else {
        "<unstable>"
    }
}
