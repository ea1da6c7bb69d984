//! Prints the file map: what each file of the tool is for, by the first sentence of its documentation.
//!
//! ```sh
//! cargo run --example file_map > FILES.md
//! ```

#![allow(dead_code, reason = "a test has the map by this file")]

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The layers, the lowest first; each stands on those above it here.
const LAYERS: [&str; 7] = [
    "crates/record",
    "crates/suite",
    "crates/database",
    "crates/sweep",
    "",
    "gateway",
    "replay",
];

const HEAD: &str = "\
# Files

What each file is for, by the first sentence of its documentation, layer by layer, the lowest first.
`cargo run --example file_map > FILES.md` writes this page.
";

fn main() -> io::Result<()> {
    io::stdout().write_all(map()?.as_bytes())
}

/// The map of the project.
pub(crate) fn map() -> io::Result<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut text = HEAD.to_owned();
    for layer in LAYERS {
        let folder = root.join(layer);
        let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
        let [name, description] = ["name", "description"].map(|key| value(&manifest, key));
        let head = format!("\n## {name}\n\n{description}.\n\n");
        text.extend([head.as_str(), "| file | what it is for |\n|---|---|\n"]);
        for file in sources(&folder.join("src"))? {
            let path = file.strip_prefix(root).unwrap_or(&file).display();
            let row = format!("| `{path}` | {} |\n", purpose(&file)?);
            text.push_str(&row);
        }
    }
    Ok(text)
}

/// What a manifest has for a key of its package.
fn value(manifest: &str, key: &str) -> String {
    let package = manifest.split("[package]").nth(1).unwrap_or_default();
    let start = format!("{key} = \"");
    let line = package.lines().find_map(|line| line.strip_prefix(&start));
    line.unwrap_or_default().trim_end_matches('"').to_owned()
}

/// The files that are compiled, each before those below it. What tests a file stands with it and is not listed.
fn sources(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    entries.sort_by_key(|entry| (entry.with_extension(""), entry.is_dir()));
    let mut files = Vec::new();
    for entry in entries {
        let is_of_tests = entry.file_stem().is_some_and(|name| name == "tests");
        let ending = entry.extension().and_then(|ending| ending.to_str());
        if entry.is_dir() && !is_of_tests {
            files.extend(sources(&entry)?);
        } else if matches!(ending, Some("rs" | "sql" | "sh")) && !is_of_tests {
            files.push(entry);
        }
    }
    Ok(files)
}

/// The first sentence of what a file says of itself, as a cell of a table.
fn purpose(file: &Path) -> io::Result<String> {
    let text = fs::read_to_string(file)?;
    let said = |line: &str| {
        let marks = ["//!", "--", "#"];
        let said = marks.iter().find_map(|mark| line.strip_prefix(mark))?;
        Some(said.trim().to_owned())
    };
    let lines = text.lines().filter(|line| !line.starts_with("#!"));
    let lines: Vec<String> = lines
        .map_while(said)
        .take_while(|line| !line.is_empty())
        .collect();
    let all = lines.join(" ");
    let sentence = all
        .split_once(". ")
        .map_or(all.as_str(), |(first, _)| first);
    let sentence = sentence.trim_end_matches('.').replace('|', "\\|");
    Ok(sentence.replace("[`", "`").replace("`]", "`"))
}
