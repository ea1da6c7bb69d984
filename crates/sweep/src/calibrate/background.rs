//! Rules for what the service writes by itself.

use authz_pin_suite::suite::{SuiteFile, Together};

use super::{Rule, shown};
use crate::sweep::{Own, Proposed};

/// A column, or columns that are meant together only.
pub(super) fn together(columns: &[String]) -> Together {
    match columns {
        [column] => Together::One(column.clone()),
        columns => Together::All(columns.to_vec()),
    }
}

/// The rules for what the service writes by itself, each with the reason. There is none for what calls write as well, since it
/// would rule their effects out.
#[must_use]
pub fn background(file: &SuiteFile, proposed: &[Proposed]) -> Vec<(Rule, String)> {
    let rules = proposed.iter().filter(|one| !one.is_effect);
    let rules = rules.map(|one| Rule::Background(one.what.clone()));
    // They are about no endpoint.
    let rules = rules.filter(|rule| !rule.is_in(file, ""));
    rules
        .map(|rule| {
            (
                rule,
                "the service wrote it while nothing was called".to_owned(),
            )
        })
        .collect()
}

/// What the service writes by itself, for a person who can say so in the suite.
#[must_use]
pub fn told(file: &SuiteFile, proposed: &[Proposed]) -> String {
    let mut out = String::new();
    for one in proposed {
        let (key, names) = match &one.what {
            Own::Table(table) => ("tables", std::slice::from_ref(table)),
            Own::Columns(columns) => ("columns", columns.as_slice()),
        };
        let what = format!("background: {key}: [{}]", names.join(", "));
        let because = format!(
            "the service wrote it while nothing was called, and {} such changes, which no call repeated, are in no record",
            one.changes
        );
        let line = if one.is_effect {
            format!(
                "not proposed {what}: {because}; but calls write it as well, and the rule would drop these effects"
            )
        } else {
            format!("proposed {what}: {because}")
        };
        out.extend([line.as_str(), "\n"]);
    }
    let rules = background(file, proposed);
    if !rules.is_empty() {
        let help = "  = help: add to suite.yaml, or let `record --calibrate` do it:\n";
        out.extend([help, &shown(&rules)]);
    }
    out
}
