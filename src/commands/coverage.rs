//! `authz-pin coverage`: the service's operations beside those that the suite sweeps.

use std::path::{Path, PathBuf};
use std::time::Duration;

use authz_pin_suite::diagnostic::{Diagnostics, quoted};
use authz_pin_suite::openapi::{self, Operation};
use authz_pin_suite::suite::Suite;
use authz_pin_suite::yaml::{Document, NodePath};
use authz_pin_sweep::service::{ServiceError, Started};
use clap::Args;

use super::arguments::{Format, ServiceArgs, load};
use super::{Context, Failure, document, to_its_end};
use crate::coverage::{self, Coverage};
use crate::exit::Exit;
use crate::share;

/// What the help of `coverage` ends with.
pub const EXAMPLES: &str = "\
An operation that no endpoint should sweep is excluded in suite.yaml, with a reason:
  coverage:
    exclude:
      - { operation: \"GET /health*\", reason: tells nothing about anybody }
One that the service has and its document has not is counted if suite.yaml names it:
  coverage:
    extra: [GET /notes/export]

Examples:
  See what the suite leaves out of the service that it starts by itself:
    authz-pin coverage
  Fail a build whose service has got a route that nobody thought of:
    authz-pin coverage --base-url http://localhost:4000 --fail-under 100
  Without a service:
    authz-pin coverage --openapi openapi.json --format json";

/// Arguments of `coverage`.
#[derive(Debug, Clone, Args)]
pub struct CoverageArgs {
    /// The suite's folder [default: this folder, else the one in `suites`, of several the one with a default service]
    #[arg(value_name = "SUITE")]
    suite: Option<PathBuf>,
    /// The OpenAPI document, 3.0 or 3.1, as JSON or YAML [default: what the service has at `coverage.openapi` of suite.yaml]
    #[arg(long, value_name = "FILE|URL")]
    openapi: Option<String>,
    /// Fail if less than this part of the operations that are not excluded is swept
    #[arg(long, value_name = "PERCENT", value_parser = share::percent)]
    fail_under: Option<f64>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    #[command(flatten)]
    service: ServiceArgs,
}

/// Reads the service's OpenAPI document and says which of its operations the suite sweeps.
pub async fn run(args: &CoverageArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let suite = load(args.suite.as_deref())?;
    let source = source(args, &suite, context).await?;
    let coverage = Coverage::of(source.operations, &suite);
    mistakes(&suite, &coverage).into_result()?;
    to_its_end(match args.format {
        Format::Human => coverage::human(context.out, &coverage),
        Format::Json => coverage::json(context.out, &suite.file.name, &source.name, &coverage),
    })?;
    Ok(verdict(args, &suite, &coverage))
}

fn verdict(args: &CoverageArgs, suite: &Suite, coverage: &Coverage) -> Exit {
    let totals = coverage.totals();
    let is_under = args
        .fail_under
        .is_some_and(|percent| totals.share().is_under(percent));
    if is_under || (suite.file.coverage.strict && totals.missing > 0) {
        return Exit::Drift;
    }
    Exit::AsPinned
}

/// The operations of a document, and where it came from.
struct Source {
    name: String,
    operations: Vec<Operation>,
}

async fn source(
    args: &CoverageArgs,
    suite: &Suite,
    context: &Context<'_>,
) -> Result<Source, Failure> {
    match &args.openapi {
        Some(text) if document::is_url(text) => {
            let limit = openapi::MAX_BYTES;
            operations(document::from_url(text, limit, patience(suite), WHERE).await?)
        }
        Some(file) => operations(document::from_file(Path::new(file), openapi::MAX_BYTES)?),
        None => from_service(args, suite, context).await,
    }
}

async fn from_service(
    args: &CoverageArgs,
    suite: &Suite,
    context: &Context<'_>,
) -> Result<Source, Failure> {
    let given = args.service.resolve(suite)?;
    let started = Started::new(suite, &given, context.launchers).await?;
    let http = started.service.http(patience(suite));
    let http = http.map_err(ServiceError::from)?;
    let path = &suite.file.coverage.openapi;
    let got = document::from_http(&http, path, openapi::MAX_BYTES, WHERE).await;
    started.stop().await;
    operations(got?)
}

fn patience(suite: &Suite) -> Duration {
    Duration::from_secs(suite.file.service.timeout_s).max(document::PATIENCE)
}

fn operations(document: document::Document) -> Result<Source, Failure> {
    let exit = document.exit;
    let operations = openapi::read(Path::new(&document.name), &document.bytes);
    let operations = operations.map_err(|mistakes| Failure {
        exit,
        ..mistakes.into()
    })?;
    named(document.name, operations, exit)
}

const WHERE: &str =
    "say where the document is: with --openapi, or `coverage.openapi` in suite.yaml";

/// Of nothing all is swept, which nobody wants to hear.
fn named(name: String, operations: Vec<Operation>, exit: Exit) -> Result<Source, Failure> {
    if operations.is_empty() {
        let message = format!("the OpenAPI document {} has no operation", quoted(&name));
        return Err(Failure::new(exit, message).help(WHERE));
    }
    Ok(Source { name, operations })
}

/// An exclusion that matches nothing hides that its operation is gone, or that it is misspelt. One that the suite adds and the
/// document has would hide that it goes from the document again.
fn mistakes(suite: &Suite, coverage: &Coverage) -> Diagnostics {
    if coverage.idle.is_empty() && coverage.known.is_empty() {
        return Diagnostics::new();
    }
    let document = match Document::read(&suite.folder.join("suite.yaml")) {
        Ok(document) => document,
        Err(mistakes) => return mistakes,
    };
    let mut mistakes = Diagnostics::new();
    for number in &coverage.known {
        let path = NodePath::from(["coverage", "extra"]).join(*number);
        let mistake = document.error_at(&path, "this operation is counted already");
        mistakes.push(mistake.help("take it out: the document has it, or it stands here twice"));
    }
    let exclusions = NodePath::from(["coverage", "exclude"]);
    for number in &coverage.idle {
        let path = exclusions.join(*number).join("operation");
        let mistake = document.error_at(&path, "the service has no such operation");
        mistakes.push(mistake.help("correct it or take it out: `*` stands for any characters"));
    }
    mistakes
}
