//! Coverage, for a person or for a program.

use std::collections::BTreeMap;
use std::io::{self, Write};

use authz_pin_record::text::{counted, printable};
use authz_pin_suite::openapi::Operation;
use serde::Serialize;

use super::{Coverage, Covered, State, Stranger, Totals};
use crate::terminal::{ALLOWED, DENIED, FAINT, HEADING, NOTABLE, styled};

/// Writes the sums of each method, then every operation that is not swept and how to change that.
pub fn human(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    table(out, coverage)?;
    missing(out, coverage)?;
    excluded(out, coverage)?;
    extra(out, coverage)?;
    strangers(out, coverage)?;
    summary(out, coverage.totals())
}

fn table(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    let head = "method   operations  swept  excluded  missing";
    writeln!(out, "{}", styled(HEADING, head))?;
    for (method, totals) in coverage.methods() {
        row(out, method, totals)?;
    }
    row(out, "all", coverage.totals())
}

fn row(out: &mut dyn Write, method: &str, totals: Totals) -> io::Result<()> {
    let Totals {
        operations,
        swept,
        excluded,
        missing,
    } = totals;
    writeln!(
        out,
        "{method:<7}  {operations:>10}  {swept:>5}  {excluded:>8}  {missing:>7}"
    )
}

fn missing(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    let operations: Vec<&Operation> = coverage.missing().collect();
    if operations.is_empty() {
        return Ok(());
    }
    let width = operations.iter().map(|known| title(known).chars().count());
    let width = width.max().unwrap_or_default().min(WIDEST);
    writeln!(
        out,
        "\n{}",
        styled(DENIED, "missing, each with the line to add to the suite")
    )?;
    for operation in operations {
        let title = title(operation);
        let addition = styled(FAINT, &addition(operation));
        writeln!(out, "  {title:<width$}  {addition}")?;
    }
    Ok(())
}

/// A longer title does not push the others' lines to the right.
const WIDEST: usize = 60;

fn excluded(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    let mut groups = BTreeMap::<(&str, &str), Vec<String>>::new();
    for Covered {
        operation, state, ..
    } in &coverage.operations
    {
        if let State::Excluded { by, reason } = state {
            groups
                .entry((by, reason))
                .or_default()
                .push(title(operation));
        }
    }
    if !groups.is_empty() {
        writeln!(out, "\n{}", styled(HEADING, "excluded"))?;
    }
    for ((by, reason), titles) in groups {
        writeln!(out, "  {}: {}", printable(by), printable(reason))?;
        for title in titles {
            writeln!(out, "    {}", styled(FAINT, &title))?;
        }
    }
    Ok(())
}

fn extra(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    let extra: Vec<&Covered> = coverage.operations.iter().filter(|one| one.extra).collect();
    if extra.is_empty() {
        return Ok(());
    }
    let head = "counted as well: in `coverage.extra`, and not in the document";
    writeln!(out, "\n{}", styled(HEADING, head))?;
    for Covered {
        operation, state, ..
    } in extra
    {
        writeln!(out, "  {}  {}", title(operation), state.word())?;
    }
    Ok(())
}

fn strangers(out: &mut dyn Write, coverage: &Coverage) -> io::Result<()> {
    if coverage.strangers.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "\n{}",
        styled(NOTABLE, "in the suite, but not in the document")
    )?;
    for stranger in &coverage.strangers {
        let Stranger {
            endpoint,
            operation,
        } = stranger;
        writeln!(out, "  {}  {}", printable(endpoint), printable(operation))?;
    }
    Ok(())
}

fn summary(out: &mut dyn Write, totals: Totals) -> io::Result<()> {
    let style = if totals.missing == 0 {
        ALLOWED
    } else {
        NOTABLE
    };
    let percent = styled(style, &format!("{:.1} % swept", totals.share().percent()));
    let Totals {
        operations,
        swept,
        excluded,
        missing,
    } = totals;
    writeln!(
        out,
        "\n{percent}: {}, {swept} swept, {excluded} excluded, {missing} missing",
        counted(operations, "operation")
    )
}

fn title(operation: &Operation) -> String {
    printable(&format!("{} {}", operation.method, operation.path))
}

/// What to add to the suite for an operation: an endpoint's file and its request.
fn addition(operation: &Operation) -> String {
    let (method, path) = (operation.method, &operation.path);
    let path = with_targets(path);
    let shown = if path.chars().all(is_plain) {
        path
    } else {
        quoted(&path)
    };
    printable(&format!(
        "endpoints/{}.yaml: request: {{ method: {method}, path: {shown} }}",
        file_name(operation)
    ))
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "/-_.".contains(character)
}

/// `/key/{key}` -> `/key/{{ target.key }}`.
fn with_targets(path: &str) -> String {
    let mut out = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, after) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        out.push_str(&format_target(name));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn format_target(name: &str) -> String {
    let name = name.split(':').next().unwrap_or_default();
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    format!(
        "{{{{ target.{} }}}}",
        name.chars().map(word).collect::<String>()
    )
}

/// `POST /key/{key}/regenerate` -> `post-key-key-regenerate`.
fn file_name(operation: &Operation) -> String {
    let text = format!("{}/{}", operation.method, operation.path).to_ascii_lowercase();
    let words = text.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join("-")
}

#[derive(Serialize)]
struct Json<'a> {
    suite: &'a str,
    openapi: &'a str,
    percent: f64,
    totals: Totals,
    methods: BTreeMap<&'static str, Totals>,
    operations: Vec<JsonOperation<'a>>,
    not_in_document: &'a [Stranger],
}

#[derive(Serialize)]
struct JsonOperation<'a> {
    #[serde(flatten)]
    covered: &'a Covered,
    #[serde(skip_serializing_if = "Option::is_none")]
    add: Option<String>,
}

impl<'a> JsonOperation<'a> {
    fn of(covered: &'a Covered) -> Self {
        let is_missing = covered.state == State::Missing;
        Self {
            covered,
            add: is_missing.then(|| addition(&covered.operation)),
        }
    }
}

/// Writes everything as one JSON document.
pub fn json(
    out: &mut dyn Write,
    suite: &str,
    openapi: &str,
    coverage: &Coverage,
) -> io::Result<()> {
    let report = Json {
        suite,
        openapi,
        percent: coverage.totals().share().percent(),
        totals: coverage.totals(),
        methods: coverage.methods(),
        operations: coverage.operations.iter().map(JsonOperation::of).collect(),
        not_in_document: &coverage.strangers,
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(method: &'static str, path: &str) -> Operation {
        Operation::named(method, path)
    }

    #[test]
    fn the_line_to_add_has_targets_for_placeholders() {
        insta::assert_snapshot!(addition(&operation("POST", "/key/{key-id}/x")), @r#"endpoints/post-key-key-id-x.yaml: request: { method: POST, path: "/key/{{ target.key_id }}/x" }"#);
        insta::assert_snapshot!(addition(&operation("GET", "/key/info")), @"endpoints/get-key-info.yaml: request: { method: GET, path: /key/info }");
        insta::assert_snapshot!(addition(&operation("HEAD", "/{a")), @r#"endpoints/head-a.yaml: request: { method: HEAD, path: "/{{ target.a }}" }"#);
    }

    #[test]
    fn a_document_cannot_steer_the_terminal() {
        assert_eq!(
            title(&operation("GET", "/\u{1b}[2J\n")),
            "GET /\\u{1b}[2J\\n"
        );
        assert!(!addition(&operation("GET", "/\u{1b}\u{9b}")).contains(char::is_control));
    }
}
