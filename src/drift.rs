//! Drift: how a record differs from its snapshot.

use similar::{ChangeTag, TextDiff};

use crate::record::Record;

/// How an endpoint's record compares to its snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// They are the same.
    None,
    /// There is no snapshot yet.
    New,
    /// They differ.
    Changed {
        /// The lines that differ with some around them, as a unified diff.
        diff: String,
        /// The cells that differ, as `target/actor`.
        cells: Vec<String>,
    },
}

/// Compares a record's text with its snapshot's.
#[must_use]
pub fn between(old: Option<&str>, new: &str) -> Drift {
    match old {
        None => Drift::New,
        Some(old) if old.trim_end() == new.trim_end() => Drift::None,
        Some(old) => Drift::Changed {
            diff: unified(old, new),
            cells: changed_cells(old, new),
        },
    }
}

fn unified(old: &str, new: &str) -> String {
    let diff = TextDiff::from_lines(old.trim_end(), new.trim_end());
    let mut out = String::new();
    for hunk in diff.unified_diff().context_radius(1).iter_hunks() {
        for change in hunk.iter_changes() {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            out.push(sign);
            out.push_str(change.value().trim_end_matches('\n'));
            out.push('\n');
        }
    }
    out
}

/// The cells whose lines differ. A snapshot that cannot be read as a record has no cells to compare.
fn changed_cells(old: &str, new: &str) -> Vec<String> {
    let (Ok(old), Ok(new)) = (Record::parse(old), Record::parse(new)) else {
        return Vec::new();
    };
    let gone = old
        .iter()
        .filter(|(target, actor, _)| new.cell_at(target, actor).is_none());
    let changed = new
        .iter()
        .filter(|(target, actor, cell)| old.cell_at(target, actor) != Some(*cell));
    changed
        .chain(gone)
        .map(|(target, actor, _)| format!("{target}/{actor}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str =
        "endpoint: POST /x\ncells:\n  t:\n    a: {status: 403}\n    b: {status: 200}\n";

    #[test]
    fn a_flipped_cell_is_one_changed_line() {
        let Drift::Changed { diff, cells } = between(Some(OLD), &OLD.replace("403", "200")) else {
            panic!("no drift")
        };
        assert_eq!(
            diff,
            "   t:\n-    a: {status: 403}\n+    a: {status: 200}\n     b: {status: 200}\n"
        );
        assert_eq!(cells, ["t/a"]);
    }

    #[test]
    fn a_missing_last_line_end_is_no_drift() {
        assert_eq!(between(Some(OLD.trim_end()), OLD), Drift::None);
        assert_eq!(between(None, OLD), Drift::New);
    }
}
