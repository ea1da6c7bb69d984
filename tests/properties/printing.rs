//! Everything that a check prints of two records whose texts are a service's; fuzzing takes the same.

use std::io::Write;
use std::path::Path;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};

use authz_pin::drift::compare;
use authz_pin::fault::Reply;
use authz_pin::http::{Answer, Body, HeaderMap};
use authz_pin::observation::Observation;
use authz_pin::observe;
use authz_pin::record::Record;
use authz_pin::report::groups::Shown;
use authz_pin::report::{FORMS, Findings, Outcome, Report, Totals, human};
use authz_pin::seen::Seen;
use authz_pin::suite::{Place, Suite};
use authz_pin::sweep::Calls;
use authz_pin::symbols::{Registry, View};
use authz_pin::terminal::{Guard, write_diff};
use serde_json::json;

/// How lines begin that runners of CI take for commands.
const COMMANDS: [&str; 4] = ["::", "##[", "##vso[", "##teamcity["];

/// What a line of the service's begins with.
pub(crate) const MARK: &str = "FORGED";

static SUITE: LazyLock<Suite> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folders = folder.map(|folder| folder.join("tests/fixtures/notes"));
    let folder = folders.into_iter().find(|folder| folder.is_dir());
    Suite::load(&folder.expect("the fixture is there")).expect("the fixture is a suite")
});

/// What is kept of an answer with that text.
fn answered(text: &str, status: u16) -> Observation {
    let error = json!({ "error": { "type": text, "message": text, "more": text }, text: text });
    let answer = Answer {
        status,
        body: Body::read(error.to_string().as_bytes()),
        redirect: None,
        url: None,
        headers: HeaderMap::new(),
    };
    let view = View {
        cell: 0,
        actor: "owner",
    };
    let namer = Registry::default().build();
    let shown = observe::answer(&SUITE.file, "note-list", &namer, view, &answer);
    Observation {
        gate: shown.gate,
        headers: shown.headers,
        also: shown.also,
        values: shown.values,
        shape: shown.shape,
        ..Observation::of(Reply::Status(status))
    }
}

fn record(text: &str, status: u16) -> Record {
    let seen = [("own note", "owner", answered(text, status))];
    Record::build("GET /notes".to_owned(), seen)
}

fn report(before: &str, now: &str, status: u16) -> Report {
    let (before, now) = (record(before, 403), record(now, status));
    let [old, new] = [&before, &now].map(|record| record.to_yaml().expect("a record is written"));
    let outcome = Outcome {
        name: "note-list".to_owned(),
        place: Place::default(),
        comparison: compare(Some(&old), &new),
        findings: Findings::between(&before.findings, &now.findings),
        before: Some(before),
        now,
        expired: Vec::new(),
        calls: Calls::new(),
    };
    Report {
        suite: "notes".to_owned(),
        made: SystemTime::UNIX_EPOCH,
        totals: Totals::new(1, 1, Duration::from_secs(1)),
        seen: Seen::default(),
        inconclusive: Vec::new(),
        endpoints: vec![outcome],
        open: Vec::new(),
        orphans: Vec::new(),
    }
}

fn all_of_it(out: &mut dyn Write, report: &Report) -> std::io::Result<()> {
    let (all, width) = (true, None);
    human::write(out, report, Shown { all, width })
}

/// Each form as it reaches a log; commands go there as they are.
fn printed(report: &Report, texts: [&str; 2]) -> Vec<(&'static str, String)> {
    let forms = FORMS
        .iter()
        .copied()
        .chain([("human", all_of_it as authz_pin::report::Form)]);
    let mut all: Vec<_> = forms
        .map(|(name, form)| {
            let (mut plain, mut guarded) = (Vec::new(), Guard::new(Vec::new()));
            let out: &mut dyn Write = if name == "github" {
                &mut plain
            } else {
                &mut guarded
            };
            form(out, report).expect("memory takes everything");
            let text = if name == "github" {
                plain
            } else {
                guarded.into_inner().expect("memory")
            };
            (name, String::from_utf8(text).expect("reports are UTF-8"))
        })
        .collect();
    let [old, new] = texts.map(|text| record(text, 403).to_yaml().expect("a record is written"));
    if let authz_pin::drift::Comparison::Changed { diff, .. } = compare(Some(&old), &new) {
        let mut out = Guard::new(Vec::new());
        write_diff(&mut out, &diff).expect("memory takes everything");
        let text = out.into_inner().expect("memory");
        all.push(("diff", String::from_utf8(text).expect("diffs are UTF-8")));
    }
    all
}

/// Why what is printed can steer whoever shows it.
pub(crate) fn faults(before: &str, now: &str) -> Vec<String> {
    let reports = [200, 404].map(|status| report(before, now, status));
    let printed = reports
        .iter()
        .flat_map(|report| printed(report, [before, now]));
    printed
        .flat_map(|(form, text)| {
            let plain = without_colours(&text);
            let controls = plain.chars().find(|c| steers(*c));
            let controls = controls.map(|c| format!("{form}: {c:?} in {plain:?}"));
            let lines = plain.lines().filter(move |line| is_foreign(form, line));
            let lines: Vec<_> = lines.map(|line| format!("{form}: {line:?}")).collect();
            controls.into_iter().chain(lines)
        })
        .collect()
}

/// The tool's own colours are the only sequences that begin with an escape.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once('m') {
            Some((style, rest)) if style.chars().all(|c| c.is_ascii_digit() || c == ';') => {
                plain += rest;
            }
            _ => plain = format!("{plain}\u{1b}[{part}"),
        }
    }
    plain
}

fn steers(character: char) -> bool {
    let is_bidi = matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    is_bidi || (character.is_control() && !matches!(character, '\n' | '\t'))
}

fn is_foreign(form: &str, line: &str) -> bool {
    let line = line.trim_start();
    let is_command = form != "github" && COMMANDS.iter().any(|mark| line.starts_with(mark));
    is_command || line.starts_with(MARK)
}
