use std::time::Duration;

use authz_pin_record::drift::Kind;
use authz_pin_record::observation::Observation;
use authz_pin_record::text::short;

use super::*;

/// What a form makes of a report.
pub(super) fn written(form: Form, report: &Report) -> String {
    let mut out = Vec::new();
    form(&mut out, report).unwrap();
    String::from_utf8(out).unwrap()
}

/// A report in which every cell of every endpoint differs in a way of its own, by the kinds in turn.
pub(super) fn large(endpoints: usize, cells: usize, kinds: &[Kind]) -> Report {
    let all = endpoints * cells;
    Report {
        suite: "large".to_owned(),
        made: SystemTime::UNIX_EPOCH,
        totals: Totals::new(all, all, Duration::from_secs(9)),
        seen: Seen::default(),
        inconclusive: Vec::new(),
        endpoints: (0..endpoints)
            .map(|number| outcome(number, cells, kinds))
            .collect(),
        open: Vec::new(),
        orphans: Vec::new(),
    }
}

fn outcome(number: usize, cells: usize, kinds: &[Kind]) -> Outcome {
    let names: Vec<(String, String)> = (0..cells).map(names).collect();
    let seen = names
        .iter()
        .map(|(target, actor)| (target.as_str(), actor.as_str(), Observation::default()));
    let now = Record::build(format!("GET /{number}"), seen);
    let kinds = kinds.iter().cycle();
    let drifts = names.iter().zip(kinds).zip(number * cells..).map(drift);
    let mut drifts: Vec<Drift> = drifts.collect();
    drifts.sort_by_key(|drift| drift.kind);
    Outcome {
        name: format!("endpoint-{number}"),
        place: Place::default(),
        before: None,
        now,
        comparison: Comparison::Changed {
            diff: String::new(),
            drifts,
        },
        findings: Findings::default(),
        expired: Vec::new(),
        calls: Calls::new(),
    }
}

fn names(cell: usize) -> (String, String) {
    (
        format!("target {}", cell / 25),
        format!("actor_{}", cell % 25),
    )
}

fn drift((((target, actor), kind), number): ((&(String, String), &Kind), usize)) -> Drift {
    Drift {
        kind: *kind,
        level: kind.level(),
        target: Some(target.clone()),
        actor: Some(actor.clone()),
        was: format!("403 auth_error: No-{number}"),
        is: "200".to_owned(),
        finding: None,
        parts: Vec::new(),
    }
}

#[test]
fn a_long_text_is_cut_between_characters() {
    assert_eq!(short("ééé", 3), "ééé");
    assert_eq!(short("éééé", 3), "ééé...");
}

#[test]
fn a_dash_is_standard_output() {
    let to = |text: &str| text.parse::<Destination>().unwrap();
    assert!(to("github=-").is_stdout());
    assert!(!to("github=./-").is_stdout());
}
