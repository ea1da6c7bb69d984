//! `authz-pin init`: a suite to start from.

use authz_pin_suite::operations;
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use authz_pin_record::text::counted;
use authz_pin_suite::diagnostic::quoted;
use authz_pin_suite::file;
use authz_pin_suite::init::{self, Action, Draft, Kind, Source};
use authz_pin_suite::openapi;
use authz_pin_suite::suite::Suite;
use authz_pin_suite::yaml;
use clap::Args;

use super::{Context, Failure, document, to_its_end};
use crate::exit::Exit;
use crate::terminal::{HEADING, styled};

/// What the help of `init` ends with.
pub const EXAMPLES: &str = "\
It writes suite.yaml, world.yaml, targets.yaml and one file per endpoint, with comments that say what to fill in. A file
that is there already is never written over: then nothing is written at all.

From recorded calls no header and no cookie is written, and what looks like a secret becomes a variable. Read the bodies
before you commit them all the same.

Examples:
  A small suite to learn from:
    authz-pin init suites/notes
  From the document of a service that is running:
    authz-pin init suites/api --openapi http://localhost:8000/openapi.json
  From what a browser recorded, without what is about billing:
    authz-pin init suites/api --har recorded.har --exclude '* /billing/*'";

/// Arguments of `init`.
#[derive(Debug, Clone, Args)]
pub struct InitArgs {
    /// The suite's folder, which is made
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The service's OpenAPI document, 3.0 or 3.1, as JSON or YAML
    #[arg(long, value_name = "FILE|URL", conflicts_with = "har")]
    openapi: Option<String>,
    /// Recorded calls, as browsers and proxies save them
    #[arg(long, value_name = "FILE")]
    har: Option<PathBuf>,
    /// Only operations that match `METHOD /path`, with `*` for any characters; can be repeated
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    include: Vec<String>,
    /// No operations that match `METHOD /path`, with `*` for any characters; can be repeated
    #[arg(long, value_name = "PATTERN", value_parser = pattern)]
    exclude: Vec<String>,
}

fn pattern(text: &str) -> Result<String, String> {
    if operations::is_pattern(text) {
        return Ok(text.to_owned());
    }
    Err("expected a method and a path, such as `GET /teams/*`".to_owned())
}

/// Writes a suite.
pub async fn run(args: &InitArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let (source, notes) = source(args).await?;
    let draft = Draft::new(&name(&args.folder)?, selected(args, source)?);
    let files = init::files(&draft).map_err(|error| Failure::of(Exit::Bug, error))?;
    // What is written is a suite, or nothing is written.
    Suite::parse(&args.folder, &files)
        .map_err(|mistakes| Failure::because(Exit::Bug, "the suite is not valid", mistakes))?;
    write(&args.folder, &files)?;
    to_its_end(told(args, &draft, &notes, context.out))?;
    Ok(Exit::AsPinned)
}

/// The suite has the name of its folder.
fn name(folder: &Path) -> Result<String, Failure> {
    let folder = std::path::absolute(folder).map_err(Failure::path(folder))?;
    let name = folder.components().next_back();
    let name = name.map(|name| name.as_os_str().to_string_lossy().into_owned());
    Ok(name
        .filter(|name| name != "/")
        .unwrap_or_else(|| "service".to_owned()))
}

/// What is known about the service, and what a person should know of that.
async fn source(args: &InitArgs) -> Result<(Source, Vec<String>), Failure> {
    if let Some(text) = &args.openapi {
        return Ok((from_openapi(text).await?, Vec::new()));
    }
    match &args.har {
        Some(file) => from_har(file),
        None => Ok((init::example(), Vec::new())),
    }
}

const WHERE: &str = "name the file or the URL of an OpenAPI document, 3.0 or 3.1";

async fn from_openapi(text: &str) -> Result<Source, Failure> {
    let is_url = document::is_url(text);
    let document = if is_url {
        document::from_url(text, openapi::MAX_BYTES, document::PATIENCE, WHERE).await?
    } else {
        document::from_file(Path::new(text), openapi::MAX_BYTES)?
    };
    let api = openapi::describe(Path::new(&document.name), &document.bytes);
    let api = api.map_err(|mistakes| Failure {
        exit: document.exit,
        ..mistakes.into()
    })?;
    let mut source = Source::from(api);
    if source.actions.is_empty() {
        let name = quoted(&document.name);
        let message = format!("the OpenAPI document {name} has no operation that a suite can call");
        return Err(Failure::new(document.exit, message).help(WHERE));
    }
    if is_url {
        let (base, path) = document::parts(text)?;
        let path = path.split('?').next().unwrap_or_default().to_owned();
        source.base_url = Some(base.origin().ascii_serialization());
        source.ready.get_or_insert_with(|| path.clone());
        source.openapi = Some(path);
    }
    Ok(source)
}

fn from_har(file: &Path) -> Result<(Source, Vec<String>), Failure> {
    let document = document::from_file(file, init::MAX_HAR_BYTES)?;
    let recording = init::read_har(&document.bytes).map_err(|error| {
        let name = quoted(&document.name);
        Failure::because(document.exit, name, error)
            .help("save the calls as HAR in the browser's network panel, or in a proxy")
    })?;
    let mut notes = Vec::new();
    if recording.skipped > 0 {
        let of = recording.source.base_url.as_deref().unwrap_or_default();
        notes.push(format!(
            "left out: {} calls that are not of {of}, or load files",
            recording.skipped
        ));
    }
    if !recording.source.secrets.is_empty() {
        notes.push(
            "secrets of the recording became variables; read the bodies before you commit them"
                .to_owned(),
        );
    }
    Ok((recording.source, notes))
}

/// The source with the operations that were asked for.
fn selected(args: &InitArgs, mut source: Source) -> Result<Source, Failure> {
    for pattern in args.include.iter().chain(&args.exclude) {
        if !source.actions.iter().any(|action| is_like(pattern, action)) {
            return Err(nothing(&format!(
                "no operation matches {}",
                quoted(pattern)
            )));
        }
    }
    let matches = |patterns: &[String], action: &Action| {
        patterns.iter().any(|pattern| is_like(pattern, action))
    };
    source.actions.retain(|action| {
        (args.include.is_empty() || matches(&args.include, action))
            && !matches(&args.exclude, action)
    });
    if source.actions.is_empty() {
        return Err(nothing("no operation is left"));
    }
    Ok(source)
}

fn is_like(pattern: &str, action: &Action) -> bool {
    operations::matches(pattern, &action.method, &action.path)
}

fn nothing(message: &str) -> Failure {
    Failure::new(Exit::NothingSelected, message)
        .help("operations are METHOD /path as in the document, such as `GET /teams/{team_id}`")
}

/// Writes all files, or none where one of them is there already.
fn write(folder: &Path, files: &BTreeMap<String, String>) -> Result<(), Failure> {
    let paths = || files.iter().map(|(name, text)| (folder.join(name), text));
    // From the end, where suite.yaml and the like are.
    if let Some((path, _)) = paths()
        .rev()
        .find(|(path, _)| path.symlink_metadata().is_ok())
    {
        let message = format!(
            "{} is there already, nothing was written",
            quoted(&path.to_string_lossy())
        );
        return Err(Failure::new(Exit::Usage, message)
            .help("name a folder without a suite, or remove the file"));
    }
    for (path, text) in paths() {
        file::write(&path, |file| file.write_all(text.as_bytes()))
            .map_err(Failure::file("write", &path))?;
    }
    Ok(())
}

/// What was written, and what to do next.
fn told(
    args: &InitArgs,
    draft: &Draft,
    notes: &[String],
    out: &mut dyn io::Write,
) -> io::Result<()> {
    let folder = args.folder.display().to_string();
    let parts = [
        (format!("wrote {folder}"), wrote(draft)),
        ("fill in".to_owned(), fill_in(draft)),
        ("then".to_owned(), then(&folder, draft)),
    ];
    for (number, (heading, lines)) in parts.iter().enumerate() {
        let gap = if number == 0 { "" } else { "\n" };
        writeln!(out, "{gap}{}", styled(HEADING, heading))?;
        for line in lines {
            writeln!(out, "  {line}")?;
        }
        if number == 0 {
            notes.iter().try_for_each(|note| writeln!(out, "{note}"))?;
        }
    }
    Ok(())
}

fn wrote(draft: &Draft) -> Vec<String> {
    let (kinds, actors) = (counted(draft.kinds.len(), "kind"), draft.actors.len());
    vec![
        format!(
            "suite.yaml      the service, {} variables",
            draft.variables.len()
        ),
        format!("world.yaml      {kinds}, {actors} actors"),
        format!("targets.yaml    {} targets", draft.targets.len() + 1),
        format!("endpoints/      {} endpoints", draft.endpoints.len()),
        ".authz-pin/     schemas, with which editors complete the keys".to_owned(),
    ]
}

fn fill_in(draft: &Draft) -> Vec<String> {
    let (made, unmade): (Vec<&Kind>, Vec<&Kind>) =
        draft.kinds.iter().partition(|kind| kind.setup.is_some());
    let ready = "suite.yaml      `service.ready`: a path that answers everybody with a success";
    let rows = |kind: &Kind| {
        let (count, label) = (counted(unmade.len(), "kind"), &kind.label);
        format!("world.yaml      `rows` or `setup` of {count}: what makes a {label} exist")
    };
    let setup = |kind: &Kind| {
        let (count, label) = (counted(made.len(), "kind"), &kind.label);
        format!("world.yaml      `setup` of {count}: whether it makes the {label}")
    };
    let known = [
        (!draft.is_ready_known).then(|| ready.to_owned()),
        unmade.first().map(|kind| rows(kind)),
        made.first().map(|kind| setup(kind)),
    ];
    let always = [
        "world.yaml      `actors`: the roles that the service has",
        "endpoints/      bodies, where an example does not do",
    ];
    let always = always.map(str::to_owned);
    known.into_iter().flatten().chain(always).collect()
}

fn then(folder: &str, draft: &Draft) -> Vec<String> {
    let base_url = draft.base_url.as_deref();
    let base_url = base_url.map_or_else(|| "URL".to_owned(), yaml::comment);
    let variables = draft.variables.iter();
    let variables = variables
        .map(|variable| format!("export AUTHZ_PIN_VAR_{}=...", variable.name.to_uppercase()));
    let check = format!("authz-pin check {folder} --base-url {base_url} --dry-run");
    let record =
        format!("authz-pin record {folder} --base-url {base_url} --database-url postgres://...");
    let first = std::iter::once(format!("authz-pin list {folder}"));
    first.chain(variables).chain([check, record]).collect()
}
