//! The table of replays, the patches and the pins.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use authz_pin_suite::diagnostic::Diagnostics;
use authz_pin_suite::yaml::Document;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

/// The folder of the table, the patches and the pins, below the project's root.
pub const FOLDER: &str = "replays";

/// `replays.yaml`: every replay by its id.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The replays by id, which is also the name of a replay's patch and of its pins.
    pub replays: IndexMap<String, Replay>,
}

/// One historic fix.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Replay {
    /// What was wrong before the fix.
    pub wrong: String,
    /// Where that can be read: pull requests and issues, files of the published package.
    pub sources: Vec<String>,
    /// Two releases with the fix between them, both of which were read.
    pub between: Option<Between>,
    /// What a reader should know besides.
    pub remark: Option<String>,
}

/// Two releases of LiteLLM.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Between {
    /// A release without the fix.
    pub without: String,
    /// A later release with it.
    pub with: String,
}

impl Table {
    /// Reads the table of the project at `root`.
    pub fn read(root: &Path) -> Result<Self, Diagnostics> {
        Document::read(&root.join(FOLDER).join("replays.yaml"))?.decode()
    }
}

/// The patch that brings the old behaviour back.
#[must_use]
pub fn patch(root: &Path, id: &str) -> PathBuf {
    root.join(FOLDER).join(format!("{id}.patch"))
}

/// The file that names the cells that notice, one per line.
#[must_use]
pub fn pins(root: &Path, id: &str) -> PathBuf {
    root.join(FOLDER).join(format!("{id}.cells"))
}

/// The pinned cells; none where there are no pins yet.
pub fn read_pins(root: &Path, id: &str) -> io::Result<Vec<String>> {
    match fs::read_to_string(pins(root, id)) {
        Ok(text) => Ok(text.lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Pins cells.
pub fn write_pins(root: &Path, id: &str, cells: &[String]) -> io::Result<()> {
    let mut lines = cells.join("\n");
    lines.push('\n');
    fs::write(pins(root, id), lines)
}
