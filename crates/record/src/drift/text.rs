//! A record's text beside its snapshot's.

use indexmap::IndexMap;
use similar::{ChangeTag, TextDiff};

use super::{Drift, Kind, between, under_new_names};
use crate::kinds::Level;
use crate::record::{CellId, Record};

/// How an endpoint's record compares to its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Comparison {
    /// They are the same.
    Same,
    /// There is no snapshot yet.
    New,
    /// They differ.
    Changed {
        /// The lines that differ with one around them.
        diff: String,
        /// What the differences mean, worst first.
        drifts: Vec<Drift>,
    },
}

/// Compares a record's text with its snapshot's.
#[must_use]
pub fn compare(old: Option<&str>, new: &str) -> Comparison {
    match old {
        None => Comparison::New,
        Some(old) if old.trim_end() == new.trim_end() => Comparison::Same,
        Some(old) => differing(old, new),
    }
}

/// What differs in texts that are not the same.
fn differing(old: &str, new: &str) -> Comparison {
    let (was, is) = match both(old, new) {
        Ok(records) => records,
        Err(unreadable) => {
            return Comparison::Changed {
                diff: unified(old, new),
                drifts: vec![*unreadable],
            };
        }
    };
    let drifts = meant(&was, &is);
    let is_renamed = drifts.iter().any(|drift| drift.kind == Kind::Renamed);
    let renamed = is_renamed.then(|| under_new_names(&was, &is));
    let was = renamed.as_ref().unwrap_or(&was);
    let text = renamed.as_ref().and_then(|renamed| renamed.to_yaml().ok());
    let old = text.as_deref().unwrap_or(old);
    let in_terms = in_terms(was, &is).map(|new| unified(old, &new));
    let in_terms = in_terms.filter(|diff| !diff.is_empty());
    Comparison::Changed {
        diff: in_terms.unwrap_or_else(|| unified(old, new)),
        drifts,
    }
}

/// The newer record with what answers have in common as the older one has it, where that is another thing.
fn in_terms(old: &Record, new: &Record) -> Option<String> {
    let as_old = new.clone().in_terms_of(old);
    (as_old != *new).then(|| as_old.to_yaml().ok()).flatten()
}

/// The records of two texts, or the one drift that says which text is none.
fn both(old: &str, new: &str) -> Result<(Record, Record), Box<Drift>> {
    let read = |text| {
        Record::parse(text).map_err(|error| {
            let why = error.to_string();
            Box::new(Drift::of_record(Kind::Unreadable, String::new(), why))
        })
    };
    Ok((read(old)?, read(new)?))
}

/// What two records mean whose texts differ: every difference is of some kind.
fn meant(old: &Record, new: &Record) -> Vec<Drift> {
    let drifts = between(old, new);
    if drifts.is_empty() {
        let is = "the same record, written otherwise".to_owned();
        return vec![Drift::of_record(Kind::LayoutChanged, String::new(), is)];
    }
    drifts
}

impl Comparison {
    /// The same with the weights that a suite gives.
    #[must_use]
    pub fn weighed(self, levels: &IndexMap<String, Level>) -> Self {
        match self {
            Self::Changed { diff, drifts } => {
                let drifts = drifts.into_iter().map(|drift| drift.weighed(levels));
                Self::Changed {
                    diff,
                    drifts: drifts.collect(),
                }
            }
            other => other,
        }
    }

    /// The same of an endpoint that had another name: that alone is a difference.
    #[must_use]
    pub fn renamed(self, was: &str, is: &str) -> Self {
        let (diff, mut drifts) = match self {
            Self::New => return Self::New,
            Self::Same => (String::new(), Vec::new()),
            Self::Changed { diff, drifts } => (diff, drifts),
        };
        drifts.push(Drift::renamed("endpoint", was, is));
        drifts.sort_by_key(|drift| drift.kind);
        Self::Changed { diff, drifts }
    }

    /// The cells that differ, each once and in the order of the drifts. A finding can come or go for
    /// a cell that is as it was, since it compares cells.
    #[must_use]
    pub fn cells(&self) -> Vec<CellId> {
        let Self::Changed { drifts, .. } = self else {
            return Vec::new();
        };
        let of_cells = drifts
            .iter()
            .filter(|drift| !drift.kind.is_about_findings());
        let cells = of_cells
            .filter_map(|drift| Some(CellId::new(drift.target.as_ref()?, drift.actor.as_ref()?)));
        cells
            .collect::<indexmap::IndexSet<_>>()
            .into_iter()
            .collect()
    }
}

/// The lines that differ with one around them, each hunk under the target that it begins in.
fn unified(old: &str, new: &str) -> String {
    // A last line without its end is another line where more follow.
    let [before, after] = [old, new].map(|text| format!("{}\n", text.trim_end()));
    let diff = TextDiff::from_lines(&before, &after);
    let lines: Vec<&str> = old.lines().collect();
    let mut unified = diff.unified_diff();
    let hunk = |hunk: similar::udiff::UnifiedDiffHunk<'_, '_, '_, str>| {
        let start = hunk.ops().first().map_or(0, |op| op.old_range().start);
        let changes: String = hunk.iter_changes().map(line).collect();
        format!("@@ {}\n{changes}", place(&lines, start))
    };
    unified.context_radius(1).iter_hunks().map(hunk).collect()
}

/// The nearest heading above a line: a target, or a section.
fn place<'a>(lines: &[&'a str], line: usize) -> &'a str {
    let is_heading = |line: &&&str| {
        line.ends_with(':') && line.find(|c| c != ' ').is_some_and(|indent| indent <= 2)
    };
    let above = lines.iter().take(line + 1).rev().find(is_heading);
    above.map_or("", |line| line.trim().trim_end_matches(':'))
}

fn line(change: similar::Change<&str>) -> String {
    let sign = match change.tag() {
        ChangeTag::Delete => '-',
        ChangeTag::Insert => '+',
        ChangeTag::Equal => ' ',
    };
    format!("{sign}{}\n", change.value().trim_end_matches('\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "format: 2\nendpoint: GET /x
gates:
  no: No
cells:
  t:
    a: {denied: 403, gate: no}
    b: {allowed: 200, shape: body 12ab}
    c: {allowed: 200}
  u:
    a: {denied: 403, gate: no}
    b: {allowed: 200}
";

    fn changed(old: &str, new: &str) -> (String, Vec<Drift>, Vec<CellId>) {
        let comparison = compare(Some(old), new);
        let cells = comparison.cells();
        match comparison {
            Comparison::Changed { diff, drifts } => (diff, drifts, cells),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_diff_has_the_lines_that_differ_under_their_target() {
        let (u, flipped) = OLD.split_once("  u:").unwrap();
        let flipped = flipped.replace("{denied: 403, gate: no}", "{allowed: 200}");
        let new = format!("{u}  u:{flipped}findings:\n- {{kind: inversion, detail: x}}\n");
        let (diff, ..) = changed(OLD, &new);
        assert_eq!(
            diff,
            "@@ u\n   u:\n-    a: {denied: 403, gate: no}\n+    a: {allowed: 200}\n     b: {allowed: 200}\n\
             +findings:\n+- {kind: inversion, detail: x}\n"
        );
        let (diff, ..) = changed(
            OLD,
            &OLD.replace("    c: {allowed: 200}", "    c: {allowed: 201}"),
        );
        assert!(diff.starts_with("@@ t\n     b:"), "{diff}");
        let long = OLD.replace("    b: {allowed: 200}", "    b:\n      allowed: 200");
        let (diff, ..) = changed(
            &long,
            &long.replace("      allowed: 200\n", "      allowed: 201\n"),
        );
        assert!(diff.starts_with("@@ u\n     b:\n-"), "{diff}");
        let (diff, ..) = changed(OLD, &OLD.replace("GET", "PUT"));
        assert!(
            diff.starts_with("@@ \n format: 2\n-endpoint: GET"),
            "{diff}"
        );
    }

    #[test]
    fn the_cells_that_differ_are_named_once_and_those_of_findings_not() {
        let new = OLD.replace(
            "    c: {allowed: 200}",
            "    c: {allowed: 201, discloses: [c.id]}",
        );
        let new = format!(
            "{new}findings:\n- {{kind: inversion, target: t, actor: a, detail: 'is denied where allowed: b'}}\n"
        );
        let (_, drifts, cells) = changed(OLD, &new);
        assert_eq!(drifts.len(), 3);
        assert_eq!(cells, [CellId::new("t", "c")]);
        assert_eq!(compare(Some(OLD), OLD).cells(), []);
    }

    #[test]
    fn where_more_answers_have_another_value_the_lines_of_the_others_stay() {
        let old = "format: 2\nendpoint: GET /x\nvalues:\n  common:\n    role: user\n  values 1a2b:\n    role: admin\nshapes:\n  body 12ab:\n  - role\ncells:\n  t:\n    \
                   a: {allowed: 200, values: values 1a2b, shape: body 12ab}\n    b: {allowed: 200, shape: body 12ab}\n    c: {allowed: 200, shape: body 12ab}\n    \
                   d: {denied: 403}\n    e: {denied: 403}\n";
        let labelled = |text: &str| {
            let record = Record::parse(text).unwrap();
            record.retain(|_, _| true).to_yaml().unwrap()
        };
        let admin = "{allowed: 200, values: values 1a2b, shape: body 12ab}";
        let new = labelled(&old.replace("{denied: 403}", admin));
        assert!(new.contains("common:\n    role: admin"), "{new}");
        let (diff, drifts, _) = changed(&labelled(old), &new);
        assert_eq!(drifts.len(), 2);
        let lines = diff.lines().filter(|line| line.starts_with(['-', '+']));
        assert_eq!(lines.count(), 4, "{diff}");
    }

    #[test]
    fn in_the_terms_of_another_record_every_cell_says_what_it_said() {
        let lines = |line: fn(usize) -> String| (0..9).map(line).collect::<String>();
        let cells = lines(|at| format!("    a{at}: {{allowed: 200, values: values {at}{at}}}\n"));
        let legend = lines(|at| format!("  values {at}{at}:\n    role: {}\n", at % 3));
        let written = |common: &str| {
            let text = format!(
                "format: 2\nendpoint: GET /x\nvalues:\n{common}{legend}cells:\n  t:\n{cells}"
            );
            Record::parse(&text).unwrap()
        };
        let said = |record: &Record| {
            let cells = record.cells.values().flat_map(IndexMap::values);
            cells.map(|cell| record.values_of(cell)).collect::<Vec<_>>()
        };
        let (old, new) = (
            written("  common:\n    team: red\n"),
            written("").retain(|_, _| true),
        );
        let as_old = new.clone().in_terms_of(&old);
        assert_eq!(said(&as_old), said(&new));
        assert_ne!(as_old.to_yaml().unwrap(), new.to_yaml().unwrap());
    }

    #[test]
    fn a_body_without_fields_is_another_than_none() {
        let with_legend = OLD.replace("cells:", "shapes:\n  body 12ab: []\ncells:");
        let without = with_legend.replace(", shape: body 12ab", "");
        let (_, drifts, _) = changed(&with_legend, &without);
        let drift = drifts.first().unwrap();
        assert_eq!(
            (drift.kind, &*drift.was, &*drift.is),
            (Kind::ShapeChanged, "a body", "no body")
        );
    }

    #[test]
    fn what_is_no_record_is_one_drift_that_says_so() {
        for (old, new) in [(OLD, "no record"), ("no record", OLD)] {
            let (_, drifts, cells) = changed(old, new);
            assert_eq!(
                drifts.iter().map(|drift| drift.kind).collect::<Vec<_>>(),
                [Kind::Unreadable]
            );
            assert_eq!(cells, []);
        }
    }

    #[test]
    fn a_suites_weight_is_that_of_the_drifts() {
        let levels = IndexMap::from([("narrowed".to_owned(), Level::Deny)]);
        let new = OLD.replace("    c: {allowed: 200}", "    c: {denied: 403, gate: no}");
        let weighed = |comparison: Comparison| match comparison.weighed(&levels) {
            Comparison::Changed { drifts, .. } => drifts.iter().map(|drift| drift.level).collect(),
            _ => Vec::new(),
        };
        assert_eq!(weighed(compare(Some(OLD), &new)), [Level::Deny]);
        assert_eq!(weighed(compare(Some(&new), OLD)), [Level::Deny]);
        let other = OLD.replace("    c: {allowed: 200}", "    c: {allowed: 201}");
        assert_eq!(weighed(compare(Some(OLD), &other)), [Level::Warn]);
    }
}
