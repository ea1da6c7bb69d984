//! Writes an HTML report of 50,000 cells, for the browser test and for whoever works on the page.
//!
//! ```sh
//! cargo run --example large_report -- large.html
//! ```

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use authz_pin::drift::{self, Comparison};
use authz_pin::fault::{Fault, Reply};
use authz_pin::observation::{ColumnChange, Effect, Observation, Operation, RowChange};
use authz_pin::record::Record;
use authz_pin::report::{Destination, Findings, Outcome, Report, Totals};
use authz_pin::seen::Seen;
use authz_pin::suite::Place;
use authz_pin::sweep::Calls;

const ENDPOINTS: usize = 50;
const TARGETS: usize = 40;
const ACTORS: usize = 25;
/// Names come from whoever writes a suite, and texts from the service: neither may become a part of the page.
const HOSTILE: &str = "</script><img src=x onerror=alert(1)>";
const ROLES: [&str; 5] = ["proxy_admin", "org_admin", "team_admin", "owner", "member"];
const NOUNS: [&str; 5] = ["key", "team", "user", "budget", "organization"];
const VERBS: [&str; 5] = ["info", "update", "delete", "list", "new"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let file = std::env::args().nth(1).ok_or("name the file to write")?;
    let cells = ENDPOINTS * TARGETS * ACTORS;
    let report = Report {
        suite: "large".to_owned(),
        made: SystemTime::now(),
        totals: Totals::new(cells, cells, Duration::from_secs(90)),
        seen: Seen::default(),
        inconclusive: Vec::new(),
        endpoints: (0..ENDPOINTS).map(outcome).collect(),
        open: Vec::new(),
        orphans: Vec::new(),
    };
    format!("html={file}")
        .parse::<Destination>()?
        .write(&report, &mut std::io::stdout())?;
    Ok(())
}

fn outcome(endpoint: usize) -> Outcome {
    let now = record(endpoint, true);
    let before = endpoint.is_multiple_of(3).then(|| record(endpoint, false));
    Outcome {
        name: name(endpoint),
        place: Place::default(),
        calls: calls(endpoint, &now),
        comparison: comparison(before.as_ref(), &now),
        findings: Findings::default(),
        expired: Vec::new(),
        before,
        now,
    }
}

fn comparison(before: Option<&Record>, now: &Record) -> Comparison {
    before.map_or(Comparison::Same, |before| Comparison::Changed {
        diff: String::new(),
        drifts: drift::between(before, now),
    })
}

fn name(endpoint: usize) -> String {
    let (noun, verb) = words(endpoint);
    format!("{noun}-{verb}-{endpoint}")
}

fn words(endpoint: usize) -> (&'static str, &'static str) {
    let noun = NOUNS.get(endpoint % NOUNS.len()).unwrap_or(&"key");
    let verb = VERBS.get(endpoint / NOUNS.len() % VERBS.len());
    (noun, verb.unwrap_or(&"info"))
}

fn record(endpoint: usize, is_now: bool) -> Record {
    let (noun, verb) = words(endpoint);
    let mut targets: Vec<String> = (1..TARGETS)
        .map(|n| format!("{noun} of tenant {n}"))
        .collect();
    targets.push(HOSTILE.to_owned());
    let actors: Vec<String> = (0..ACTORS).map(actor).collect();
    let mut cells = Vec::with_capacity(TARGETS * ACTORS);
    for (row, target) in targets.iter().enumerate() {
        for (column, actor) in actors.iter().enumerate() {
            let observation = observation(endpoint, row, column, is_now);
            cells.push((target.as_str(), actor.as_str(), observation));
        }
    }
    Record::build(format!("POST /{noun}/{verb}"), cells)
}

fn actor(n: usize) -> String {
    let role = ROLES.get(n % ROLES.len()).unwrap_or(&"member");
    format!("{role}_{}", n / ROLES.len())
}

/// One in fifty cells of an endpoint that changed was another one.
fn observation(endpoint: usize, row: usize, column: usize, is_now: bool) -> Observation {
    let number = row * ACTORS + column;
    let is_changed =
        is_now && endpoint.is_multiple_of(3) && (number * 7 + endpoint).is_multiple_of(50);
    match (row * 3 + column * 5 + endpoint) % 7 {
        _ if (number + endpoint).is_multiple_of(499) => faulty(),
        0..3 if is_changed => denied(row),
        0..3 => allowed(row),
        _ if is_changed => allowed(row),
        _ => denied(column),
    }
}

fn faulty() -> Observation {
    Observation {
        effects: Some(Vec::new()),
        ..Observation::of(Reply::Fault(Fault::TimedOut))
    }
}

fn allowed(n: usize) -> Observation {
    let columns = vec![(
        "models".to_owned(),
        ColumnChange::Changed {
            old: "[]".to_owned(),
            new: format!("[\"model-{}\"]", n % 9),
        },
    )];
    let change = RowChange {
        row: "<target.token>".to_owned(),
        columns,
    };
    let effect = Effect {
        operation: Operation::Update,
        table: "VerificationToken".to_owned(),
        change,
    };
    let disclosed = ["actor.user_id", "target.key", "target.token"].map(str::to_owned);
    Observation {
        discloses: BTreeSet::from(disclosed),
        shape: Some((0..6).map(|field| format!("info.field_{field}")).collect()),
        effects: Some(vec![effect]),
        probes: [("target key".to_owned(), Reply::Status(200).into())].into(),
        ..Observation::of(Reply::Status(200))
    }
}

fn denied(n: usize) -> Observation {
    let status = if n.is_multiple_of(4) { 401 } else { 403 };
    Observation {
        gate: Some(format!(
            "auth_error: Role {} may not call this route, user=<user_id>",
            n % 12
        )),
        effects: Some(Vec::new()),
        ..Observation::of(Reply::Status(status))
    }
}

fn calls(endpoint: usize, record: &Record) -> Calls {
    let (noun, verb) = words(endpoint);
    let mut calls = Calls::new();
    for (target, actor, _) in record.iter() {
        let line = format!(
            "curl -X POST \"$BASE_URL/{noun}/{verb}\" -H \"authorization: Bearer $ACTOR_KEY\" --json '{{\"key\": \"'\"$TARGET_KEY\"'\"}}'"
        );
        let row = calls.entry(target.to_owned()).or_default();
        row.insert(actor.to_owned(), line);
    }
    calls
}
