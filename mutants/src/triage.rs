//! The mutants that the pinned matrix does not notice, each with a reason why that is no gap.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// One mutant that may survive.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Triaged {
    /// Its name as `cargo mutants --list` prints it, without the line and column, which any edit above it moves.
    pub mutant: String,
    /// The line of source that it changes, so that a change of that line asks for the reason again.
    pub line: String,
    /// Why no cell can tell it apart, or why what it changes is not authorization.
    pub because: String,
}

impl Triaged {
    /// The file that it changes, from the repository's root.
    #[must_use]
    pub fn file(&self) -> &Path {
        Path::new(self.mutant.split(": ").next().unwrap_or_default())
    }
}

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// What `mutants/triage.yaml` lists.
pub fn read() -> Result<Vec<Triaged>, Box<dyn std::error::Error>> {
    let path = root().join("mutants/triage.yaml");
    let text = std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    serde_yaml::from_str(&text)
        .map_err(|error| format!("{} is not a triage: {error}", path.display()).into())
}

/// A mutant's name without its line and column: `src/a.rs:3:4: replace …` is `src/a.rs: replace …`.
#[must_use]
pub fn name(listed: &str) -> String {
    let Some((place, change)) = listed.split_once(": ") else {
        return listed.to_owned();
    };
    let file = place.split(':').next().unwrap_or(place);
    format!("{file}: {change}")
}

/// The line of source that a listed mutant changes, without the space around it.
pub fn line(listed: &str) -> Result<String, Box<dyn std::error::Error>> {
    let mut parts = listed.split(':');
    let (file, number) = (parts.next().unwrap_or_default(), parts.next());
    let number: usize = number.unwrap_or_default().parse()?;
    let source = std::fs::read_to_string(root().join(file))?;
    let line = number.checked_sub(1).and_then(|at| source.lines().nth(at));
    Ok(line.unwrap_or_default().trim().to_owned())
}

/// The names in a list of mutants, a line each.
#[must_use]
pub fn names(list: &str) -> BTreeSet<String> {
    list.lines().map(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_no_line_and_column() {
        let listed = "gateway/src/a.rs:12:9: replace a::b -> bool with true";
        assert_eq!(
            name(listed),
            "gateway/src/a.rs: replace a::b -> bool with true"
        );
        assert_eq!(name("no mutant"), "no mutant");
    }

    #[test]
    fn a_mutant_is_on_a_line_of_its_file() {
        let listed = "mutants/src/triage.rs:1:9: replace a::b -> bool with true";
        let first = "//! The mutants that the pinned matrix does not notice, each with a reason why that is no gap.";
        assert_eq!(line(listed).unwrap(), first);
        assert!(line("no mutant").is_err());
        assert_eq!(line("mutants/src/triage.rs:0:9: x").unwrap(), "");
    }
}
