//! The page that shows the table: `docs/replays.md`, made from the table and the pins.

use std::fmt::Write as _;
use std::path::Path;

use indexmap::IndexMap;

use crate::flips::parts;
use crate::releases::look_up;
use crate::run::Failure;
use crate::table::{Between, Replay, Table, read_pins};

/// The page, below the project's root.
pub const FILE: &str = "docs/replays.md";

const INTRODUCTION: &str = "\
# Regression replays

LiteLLM's key handlers had authorization bugs, and fixed them. Would the suite have noticed? Each replay answers for one
of them: a patch in `replays/` brings the bug back into the reference gateway, and the suite is swept on it. Exactly the
cells that the replay's `.cells` file names have to differ from their snapshots, no more and no fewer.

```sh
cargo run -p replay
cargo run -p replay -- --only update-owner
cargo run -p replay -- --bless
```

The first command replays everything, the second one replay, and the third pins what it sees and writes this page
(`--page` writes it alone, without replaying). The patches are applied in a temporary git worktree of HEAD, which is
removed afterwards; the working tree is not touched. HEAD has to be green before the first replay, and again after the
last.

*Between* names two releases of which the first has the bug and the second the fix; the packages of both were read.
Where it says *none*, the oldest release that was read, 1.83.0, has the fix already, unless a remark says otherwise.
What stands here about earlier releases is what the sources say.

";

/// The page of the project at `root`.
pub fn page(root: &Path) -> Result<String, Failure> {
    let table = Table::read(root)?;
    let mut page = INTRODUCTION.to_owned();
    page.push_str("| replay | between | cells | endpoints |\n|---|---|---|---|\n");
    let mut sections = String::new();
    for (id, replay) in &table.replays {
        let pins = read_pins(root, id)?;
        page.push_str(&row(id, replay, &pins));
        sections.push_str(&section(id, replay, &pins));
        if let Some(between) = &replay.between {
            sections.push_str(&evidence(root, between, &pins)?);
        }
    }
    Ok(page + &sections)
}

fn row(id: &str, replay: &Replay, pins: &[String]) -> String {
    let between = match &replay.between {
        Some(Between { without, with }) => format!("{without} and {with}"),
        None => "none".to_owned(),
    };
    let endpoints = kinds(pins).len();
    let cells = pins.len();
    format!("| [{id}](#{id}) | {between} | {cells} | {endpoints} |\n")
}

fn section(id: &str, replay: &Replay, pins: &[String]) -> String {
    let mut section = format!("\n## {id}\n\n{}\n", replay.wrong.trim());
    if let Some(remark) = &replay.remark {
        let _ = write!(section, "\n{}\n", remark.trim());
    }
    section.push('\n');
    for source in &replay.sources {
        let _ = writeln!(section, "- {source}");
    }
    let _ = writeln!(
        section,
        "\nThe patch: `replays/{id}.patch`. The cells: `replays/{id}.cells`\n"
    );
    for (endpoint, kinds) in kinds(pins) {
        let kinds = kinds
            .iter()
            .map(|(kind, count)| format!("{count} x {kind}"));
        let kinds = kinds.collect::<Vec<_>>().join("; ");
        let _ = writeln!(section, "- `{endpoint}`: {kinds}");
    }
    section
}

/// What the records of the two releases say about the cells, so far as they have them.
fn evidence(root: &Path, between: &Between, pins: &[String]) -> Result<String, Failure> {
    let Between { without, with } = between;
    let [old, new] = [without, with].map(|release| look_up(root, release, pins));
    let (old, new) = (old?, new?);
    let recorded = old.recorded();
    if recorded == 0 {
        let text =
            "\nThe [records of the releases](litellm-releases.md) do not have these cells.\n";
        return Ok(text.to_owned());
    }
    let mut text = format!(
        "\nIn the [records of the releases](litellm-releases.md), of {recorded} cells whose status flips, {} have the \
         replay's status in {without}, and {} the pinned one in {with}.",
        old.replayed, new.fixed
    );
    if old.otherwise > 0 {
        let _ = write!(
            text,
            " {} have neither status in {without}, which has further bugs on the way.",
            old.otherwise
        );
    }
    if old.unrecorded > 0 {
        let _ = write!(text, " Those records do not have {} more.", old.unrecorded);
    }
    text.push('\n');
    Ok(text)
}

/// How often which kind of flip is pinned, by endpoint.
fn kinds(pins: &[String]) -> IndexMap<&str, IndexMap<&str, usize>> {
    let mut kinds: IndexMap<&str, IndexMap<&str, usize>> = IndexMap::new();
    for (cell, kind) in pins.iter().filter_map(|pin| parts(pin)) {
        let endpoint = cell.split('/').next().unwrap_or(cell);
        *kinds.entry(endpoint).or_default().entry(kind).or_default() += 1;
    }
    kinds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_are_counted_by_endpoint_and_kind() {
        let pins = [
            "x/t/a: 403 -> 200",
            "x/t/b: 403 -> 200",
            "y/t/a: 200 -> 500",
        ];
        let pins = pins.map(str::to_owned);
        let kinds = kinds(&pins);
        assert_eq!(kinds["x"]["403 -> 200"], 2);
        assert_eq!(kinds["y"]["200 -> 500"], 1);
    }
}
