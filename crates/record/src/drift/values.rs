//! In which direction the values of a success went.

use std::collections::BTreeSet;

use indexmap::IndexMap;

use super::cell::Found;
use super::{Kind, Part};
use crate::record::{Value, Values};

/// What else is known of two answers whose values differ.
#[derive(Default)]
pub(super) struct Besides {
    /// The fields that both have.
    pub(super) kept: BTreeSet<String>,
    /// The symbols that are not disclosed any more.
    pub(super) gone: BTreeSet<String>,
    /// The symbols that were not disclosed.
    pub(super) come: BTreeSet<String>,
}

impl Besides {
    /// What differs between the values of two answers, a drift for each kind.
    pub(super) fn between(&self, old: &Values, new: &Values) -> Vec<Found> {
        let absent = Value::absent();
        let paths: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
        let mut found: IndexMap<Kind, Vec<Part>> = IndexMap::new();
        for path in paths {
            let [was, is] = [old, new].map(|values| values.get(path).unwrap_or(&absent));
            for kind in self.kinds(path, was, is) {
                let parts = found.entry(kind).or_default();
                parts.extend(parts_of(kind, path, was, is));
            }
        }
        found.into_iter().map(Found::of_parts).collect()
    }

    fn kinds(&self, path: &str, was: &Value, is: &Value) -> Vec<Kind> {
        let mut kinds = kinds(was, is, self.kept.contains(path));
        // That a value names somebody else is told by what is disclosed.
        let is_disclosed = was.names_one_of(&self.gone) || is.names_one_of(&self.come);
        kinds.retain(|kind| *kind != Kind::ValueChanged || !is_disclosed);
        kinds
    }
}

/// What was at a path and what is; of a list each sort of items that came or went.
fn parts_of(kind: Kind, path: &str, was: &Value, is: &Value) -> Vec<Part> {
    let line = |value: &Value| format!("{path}: {value}");
    match kind {
        Kind::ListShowsMore => {
            let come = is.items_besides(was);
            come.iter()
                .map(|items| (String::new(), line(items)))
                .collect()
        }
        Kind::ListShowsLess => {
            let gone = was.items_besides(is);
            gone.iter()
                .map(|items| (line(items), String::new()))
                .collect()
        }
        _ => vec![(line(was), line(is))],
    }
}

/// How a value that is another one is called: what is shown weighs more than what is hidden.
fn kinds(was: &Value, is: &Value, is_kept: bool) -> Vec<Kind> {
    if was == is {
        return Vec::new();
    }
    let (before, after) = (was.sorts(), is.sorts());
    if !before.is_empty() || !after.is_empty() {
        let comes = (!after.is_subset(&before)).then_some(Kind::ListShowsMore);
        let goes = (!before.is_subset(&after)).then_some(Kind::ListShowsLess);
        let kinds: Vec<Kind> = comes.into_iter().chain(goes).collect();
        return if kinds.is_empty() {
            vec![Kind::ValueChanged]
        } else {
            kinds
        };
    }
    let kind = match (was.tells(), is.tells()) {
        (false, true) => Kind::ValueShown,
        (true, false) => Kind::ValueHidden,
        // That a field came without a value is told by the shape.
        (false, false) if !is_kept => return Vec::new(),
        _ if is.turns_a_flag_of(was) => Kind::FlagTurned,
        _ => Kind::ValueChanged,
    };
    vec![kind]
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn kind(was: serde_json::Value, is: serde_json::Value) -> String {
        let is_kept = ![&was, &is].iter().any(|value| **value == json!("<none>"));
        let besides = Besides {
            kept: is_kept.then(|| "at".to_owned()).into_iter().collect(),
            come: ["owner.mail".to_owned()].into(),
            ..Besides::default()
        };
        let values =
            |value: serde_json::Value| serde_json::from_value(json!({"at": value})).unwrap();
        let found = besides.between(&values(was), &values(is));
        let kinds: Vec<String> = found.iter().map(|found| found.kind.id()).collect();
        kinds.join(" ")
    }

    #[test]
    fn a_value_is_shown_hidden_turned_or_another_one() {
        assert_eq!(kind(json!(null), json!(120_000)), "value-shown");
        assert_eq!(kind(json!("<none>"), json!("admin")), "value-shown");
        assert_eq!(kind(json!(""), json!("x")), "value-shown");
        assert_eq!(kind(json!("x"), json!(null)), "value-hidden");
        assert_eq!(kind(json!(false), json!(true)), "flag-turned");
        assert_eq!(kind(json!([false, true]), json!(true)), "value-changed");
        assert_eq!(kind(json!("member"), json!("admin")), "value-changed");
        assert_eq!(kind(json!(null), json!("")), "value-changed");
        assert_eq!(kind(json!("<none>"), json!(null)), "");
        assert_eq!(kind(json!(1), json!(1)), "");
        assert_eq!(kind(json!("x"), json!("by <owner.mail>")), "");
        assert_eq!(kind(json!("x"), json!("by <owner.name>")), "value-changed");
        assert_eq!(kind(json!(null), json!("by <owner.mail>")), "value-shown");
    }

    #[test]
    fn a_list_shows_more_where_a_sort_comes() {
        let own = json!({"target": 1});
        let all = json!({"target": 1, "unknown": "some"});
        assert_eq!(kind(own.clone(), all.clone()), "list-shows-more");
        assert_eq!(kind(all.clone(), own.clone()), "list-shows-less");
        assert_eq!(kind(json!("[]"), own.clone()), "list-shows-more");
        assert_eq!(kind(own.clone(), json!("[]")), "list-shows-less");
        assert_eq!(
            kind(own.clone(), json!({"owner": 1})),
            "list-shows-more list-shows-less"
        );
        assert_eq!(kind(own, json!({"target": 2})), "value-changed");
    }
}
