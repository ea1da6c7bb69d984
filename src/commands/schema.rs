//! `authz-pin schema`: the JSON Schemas of a suite's files.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use authz_pin_suite::file;
use authz_pin_suite::suite::schema;
use clap::{Args, ValueEnum};

use super::{Context, Failure, to_its_end};
use crate::exit::Exit;

/// What the help of `schema` ends with.
pub const EXAMPLES: &str = "\
An editor that knows the schemas completes keys and marks mistakes. The first line of a file names its own:
  # yaml-language-server: $schema=.authz-pin/schemas/world.schema.json

Examples:
  Write the schemas of all files of a suite into it:
    authz-pin schema --out suites/NAME/.authz-pin/schemas
  Print one:
    authz-pin schema endpoint";

/// Arguments of `schema`.
#[derive(Debug, Clone, Args)]
pub struct SchemaArgs {
    /// The file of a suite; without it, and without --out, all schemas by the names of their files
    #[arg(conflicts_with = "out")]
    file: Option<SuiteFileName>,
    /// Write each schema into a file of this folder, over what is there
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

/// A file of a suite.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum SuiteFileName {
    /// suite.yaml
    Suite,
    /// world.yaml
    World,
    /// targets.yaml
    Targets,
    /// endpoints/NAME.yaml
    Endpoint,
}

/// Prints schemas, or writes them into a folder.
pub fn run(args: &SchemaArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let texts = schema::texts();
    if let Some(folder) = &args.out {
        for (name, text) in texts {
            written(&folder.join(name), &text, context)?;
        }
        return Ok(Exit::AsPinned);
    }
    let text = match args.file {
        Some(file) => texts.into_iter().nth(file as usize).map(|(_, text)| text),
        None => Some(format!("{:#}\n", serde_json::json!(by_name()))),
    };
    to_its_end(context.out.write_all(text.unwrap_or_default().as_bytes()))?;
    Ok(Exit::AsPinned)
}

fn by_name() -> serde_json::Map<String, serde_json::Value> {
    let schemas = schema::all().into_iter();
    schemas
        .map(|(name, schema)| (name.to_owned(), schema.to_value()))
        .collect()
}

fn written(path: &Path, text: &str, context: &mut Context<'_>) -> Result<(), Failure> {
    file::write(path, |file| file.write_all(text.as_bytes()))
        .map_err(Failure::file("write", path))?;
    super::written(writeln!(context.out, "wrote {}", path.display()))
}
