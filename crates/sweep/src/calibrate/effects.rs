//! What two sweeps show differently of rows, column by column, and the rule for it.

use std::collections::BTreeSet;

use authz_pin_record::observation::{ColumnChange, RowChange};
use authz_pin_record::record::{Cell, Record};
use authz_pin_record::text::{is_uuid, plain};
use indexmap::IndexMap;
use serde_json::{Map, Value as Json};

use super::{Found, Rule, Twice};

impl Twice<'_> {
    /// The changes that differ, by operation and table.
    pub(super) fn of_effects(&self) -> Vec<Found> {
        let was = effects(self.pair.first, self.first);
        let is = effects(self.pair.second, self.second);
        let names: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        let none = Vec::new();
        let of = |name: &&String| {
            let [was, is] = [&was, &is].map(|effects| effects.get(*name).unwrap_or(&none));
            of_table(name, was, is)
        };
        names.iter().flat_map(of).collect()
    }
}

/// The row changes of a cell by operation and table.
fn effects<'a>(record: &'a Record, cell: &'a Cell) -> IndexMap<String, Vec<&'a RowChange>> {
    let mut found = IndexMap::<String, Vec<&RowChange>>::new();
    for label in cell.effects.labels() {
        let changes = found.entry(label.act()).or_default();
        changes.extend(record.effects.get(label));
    }
    found
}

/// What differs between the changes of one kind to one table. As many of them are the same ones.
fn of_table(name: &str, was: &[&RowChange], is: &[&RowChange]) -> Vec<Found> {
    if was.len() != is.len() {
        let count = |changes: &[&RowChange]| format!("{} rows", changes.len());
        return vec![(name.to_owned(), count(was), count(is), None)];
    }
    let is_new = |change: &&&RowChange| !was.contains(*change);
    let is_gone = |change: &&&RowChange| !is.contains(*change);
    let gone = was.iter().filter(is_gone);
    let pairs = gone.zip(is.iter().filter(is_new));
    pairs.flat_map(|(was, is)| of_row(name, was, is)).collect()
}

fn of_row(name: &str, was: &RowChange, is: &RowChange) -> Vec<Found> {
    let table = name.split_once(' ').map_or(name, |(_, table)| table);
    let columns = was.columns.iter().chain(&is.columns);
    let names: BTreeSet<&String> = columns.map(|(column, _)| column).collect();
    let mut found = Vec::new();
    for column in names {
        match (was.column(column), is.column(column)) {
            (Some(was), Some(is)) if was != is => {
                found.extend(of_column(name, table, column, was, is));
            }
            (Some(_), Some(_)) => {}
            (was, is) => {
                let text = |change: Option<&ColumnChange>| {
                    change.map_or_else(|| "not set".to_owned(), ToString::to_string)
                };
                let [was, is] = [was, is].map(text);
                found.push((format!("{name}.{column}"), was, is, None));
            }
        }
    }
    // A key that a column explains is steady with it.
    if found.is_empty() && was.row != is.row {
        found.push((format!("{name} key"), was.row.clone(), is.row.clone(), None));
    }
    found
}

/// The column as a whole, or those members of its JSON object that differ.
fn of_column(
    name: &str,
    table: &str,
    column: &str,
    was: &ColumnChange,
    is: &ColumnChange,
) -> Vec<Found> {
    let members = members(was, is);
    if members.is_empty() {
        let rule = column_rule(format!("{table}.{column}"), was.written(), is.written());
        return vec![(
            format!("{name}.{column}"),
            was.to_string(),
            is.to_string(),
            Some(rule),
        )];
    }
    let found = members.into_iter().map(|(member, was, is)| {
        let rule = column_rule(format!("{table}.{column}.{member}"), &was, &is);
        (format!("{name}.{column}.{member}"), was, is, Some(rule))
    });
    found.collect()
}

/// The members in which JSON objects differ that have the same ones; none where they are not such.
fn members(was: &ColumnChange, is: &ColumnChange) -> Vec<(String, String, String)> {
    let (Some(was), Some(is)) = (objects(was), objects(is)) else {
        return Vec::new();
    };
    if was.len() != is.len() {
        return Vec::new();
    }
    let mut found = IndexMap::<String, (String, String)>::new();
    for (was, is) in was.iter().zip(&is) {
        if !was.keys().eq(is.keys()) {
            return Vec::new();
        }
        let differs = was
            .iter()
            .filter(|(member, value)| is.get(*member) != Some(*value));
        for (member, value) in differs {
            let other = is.get(member).unwrap_or(&Json::Null);
            found
                .entry(member.clone())
                .or_insert_with(|| (plain(value), plain(other)));
        }
    }
    found
        .into_iter()
        .map(|(member, (was, is))| (member, was, is))
        .collect()
}

/// The object that was set, or those that were changed: one side can be no object.
fn objects(change: &ColumnChange) -> Option<Vec<Map<String, Json>>> {
    let parse = |text: &String| serde_json::from_str::<Map<String, Json>>(text).ok();
    let all: Vec<_> = match change {
        ColumnChange::Set(new) => parse(new).into_iter().collect(),
        ColumnChange::Changed { old, new } => [old, new].into_iter().filter_map(parse).collect(),
    };
    Some(all).filter(|all| !all.is_empty())
}

fn column_rule(key: String, was: &str, is: &str) -> Rule {
    let both = |is_it: fn(&str) -> bool| is_it(was) && is_it(is);
    let name = match () {
        () if both(is_moment) => "<timestamp>",
        () if both(is_uuid) => "<uuid>",
        () if both(is_number) => "<number>",
        () => "<unstable>",
    };
    Rule::Column {
        key,
        name: name.to_owned(),
    }
}

fn is_number(text: &str) -> bool {
    text.parse::<f64>().is_ok()
}

fn is_moment(text: &str) -> bool {
    let digits = |range| {
        text.get(range)
            .is_some_and(|part: &str| part.bytes().all(|b| b.is_ascii_digit()))
    };
    let is = |at: usize, wanted: &[u8]| {
        text.as_bytes()
            .get(at)
            .is_some_and(|byte| wanted.contains(byte))
    };
    digits(0..4) && is(4, b"-") && digits(5..7) && is(7, b"-") && digits(8..10) && is(10, b"T ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_unstable_by_its_members() {
        let set = |text: &str| ColumnChange::Set(text.to_owned());
        let changed = |new: &str| ColumnChange::Changed {
            old: r#"{"n": 1}"#.to_owned(),
            new: new.to_owned(),
        };
        let found = members(
            &set(r#"{"a": 1, "at": "x"}"#),
            &set(r#"{"a": 1, "at": "y"}"#),
        );
        assert_eq!(found, [("at".to_owned(), "x".to_owned(), "y".to_owned())]);
        let updated = members(&changed(r#"{"n": 2}"#), &changed(r#"{"n": 3}"#));
        assert_eq!(updated, [("n".to_owned(), "2".to_owned(), "3".to_owned())]);
        assert_eq!(members(&set(r#"{"a": 1}"#), &set(r#"{"b": 1}"#)), []);
        assert_eq!(members(&set("1"), &set("2")), []);
    }

    #[test]
    fn the_name_of_a_value_says_what_it_is() {
        let name = |was: &str, is: &str| match column_rule(String::new(), was, is) {
            Rule::Column { name, .. } => name,
            _ => String::new(),
        };
        assert_eq!(
            name("2026-01-31T12:00:00", "2026-01-31 12:00:01"),
            "<timestamp>"
        );
        assert_eq!(name("2", "3"), "<number>");
        assert_eq!(name("a", "1"), "<unstable>");
        let [one, other] = [
            "2b1d0a9e-1111-4222-8333-444455556666",
            "2b1d0a9e-1111-4222-8333-444455556667",
        ];
        assert_eq!(name(one, other), "<uuid>");
    }
}
