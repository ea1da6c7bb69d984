//! The parts of a sweep that every cell goes through, by themselves: `cargo bench -p authz-pin-bench`.

#![expect(
    clippy::unwrap_used,
    reason = "a benchmark that cannot run has to fail"
)]

use std::collections::BTreeSet;

use authz_pin::drift;
use authz_pin::fault::Reply;
use authz_pin::observation::Observation;
use authz_pin::record::Record;
use authz_pin::symbols::{Namer, Registry, View};
use authz_pin::template::{Scope, Templates, Value, random};
use divan::{Bencher, black_box};
use serde_json::{Value as Json, json};

const VIEW: View<'static> = View {
    cell: 17,
    actor: "owner",
};

fn main() {
    divan::main();
}

/// A body of a request with three values of the run.
#[divan::bench]
fn render_a_request(bencher: Bencher) {
    let templates = Templates::new();
    let body =
        json!({"key": "{{ key }}", "models": ["a", "b"], "by": "user {{ id }} of {{ team }}"});
    let names = ["key", "id", "team"].map(|name| (name, Value::from(random(20))));
    let scope = Scope::from(names);
    bencher.bench(|| templates.render(black_box(&body), &scope).unwrap());
}

/// Values of the run, of which the first few are in the answer.
fn values() -> Vec<String> {
    (0..10_000).map(|_| random(22)).collect()
}

fn namer(values: &[String]) -> Namer {
    let mut registry = Registry::default();
    for (cell, value) in values.iter().enumerate() {
        registry.add_tag(cell, value);
    }
    registry.build()
}

#[divan::bench(sample_count = 20)]
fn know_10_000_symbols(bencher: Bencher) {
    let values = values();
    bencher.bench(|| namer(black_box(&values)));
}

/// Two kilobytes of JSON with 20 values of the run.
#[divan::bench]
fn name_an_answer_against_10_000_symbols(bencher: Bencher) {
    let values = values();
    let namer = namer(&values);
    let rows = values.iter().take(20);
    let row =
        |value| json!({"id": value, "note": "twelve of the clock, and all is well", "spend": 0.25});
    let answer = Json::Array(rows.map(row).collect());
    bencher.bench(|| namer.name_json(black_box(&answer), VIEW, &mut BTreeSet::new()));
}

/// The same with what services have beside identifiers: URLs, digests, markup.
#[divan::bench]
fn name_a_rich_answer_against_10_000_symbols(bencher: Bencher) {
    let values = values();
    let namer = namer(&values);
    let row = |value: &String| {
        json!({
            "id": value,
            "created_at": "2026-01-31T12:00:00.123456+00:00",
            "url": format!("https://example.org/things/{value}?a=b%20c&d=e+f#part"),
            "etag": format!("{:x}", u128::MAX / 7),
            "html": "<p>Tom &amp; Jerry&#39;s <a href=\"/x\">place</a></p>\n",
            "path": "/srv/app/data/models/config.json",
            "tags": ["alpha", "beta"],
        })
    };
    let answer: Json = values.iter().take(20).map(row).collect();
    bencher.bench(|| namer.name_json(black_box(&answer), VIEW, &mut BTreeSet::new()));
}

/// 64 kilobytes in the alphabet of Base64.
#[divan::bench]
fn name_a_blob_against_10_000_symbols(bencher: Bencher) {
    let namer = namer(&values());
    let answer = json!({ "data": random(64_000) });
    bencher.bench(|| namer.name_json(black_box(&answer), VIEW, &mut BTreeSet::new()));
}

#[divan::bench(sample_count = 20)]
fn know_10_000_uuids(bencher: Bencher) {
    let uuid = |number: u32| format!("{number:08x}-1111-4222-8333-{:012x}", number * 7919);
    let values: Vec<String> = (0..10_000).map(uuid).collect();
    bencher.bench(|| namer(black_box(&values)));
}

/// A hundred targets, and ten actors of whom every third is refused.
fn observations() -> Vec<(String, String, Observation)> {
    let cells = (0..100).flat_map(|target| (0..10).map(move |actor| (target, actor)));
    let observed = |(target, actor): (u32, u32)| {
        let is_refused = (target + actor) % 3 == 0;
        let status = if is_refused { 403 } else { 200 };
        let observation = Observation {
            gate: is_refused.then(|| "auth_error: not yours".to_owned()),
            discloses: BTreeSet::from(["target.key".to_owned()]),
            effects: Some(Vec::new()),
            ..Observation::of(Reply::Status(status))
        };
        (
            format!("target {target}"),
            format!("actor {actor}"),
            observation,
        )
    };
    cells.map(observed).collect()
}

fn record(observations: &[(String, String, Observation)]) -> Record {
    let cells = observations
        .iter()
        .map(|(target, actor, seen)| (target.as_str(), actor.as_str(), seen.clone()));
    Record::build("GET /things".to_owned(), cells)
}

#[divan::bench]
fn build_a_record_of_1000_cells(bencher: Bencher) {
    let observations = observations();
    bencher.bench(|| record(black_box(&observations)));
}

#[divan::bench]
fn write_a_record_of_1000_cells(bencher: Bencher) {
    let record = record(&observations());
    bencher.bench(|| black_box(&record).to_yaml().unwrap());
}

/// Every third cell was opened.
#[divan::bench(sample_count = 20)]
fn compare_records_of_1000_cells(bencher: Bencher) {
    let mut observations = observations();
    let old = record(&observations).to_yaml().unwrap();
    for (_, _, observation) in &mut observations {
        observation.decision = Observation::of(Reply::Status(200)).decision;
        observation.gate = None;
    }
    let new = record(&observations).to_yaml().unwrap();
    bencher.bench(|| drift::compare(Some(black_box(&old)), black_box(&new)));
}
