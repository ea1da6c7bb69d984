//! What is told of the columns of a row that a call made: those that hold nothing too, and moments by what they mean.

use std::sync::{Arc, Mutex};

use authz_pin::embedded::Cluster;
use authz_pin::template::random;
use insta::assert_snapshot;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::runtime::Runtime;

use super::letters::Database;
use super::place::{Ended, Place, checks};
use super::raw::{JSON, Raw, respond};

const TABLES: &str = "
    create type mood as enum ('calm', 'cross');
    create table person (number int primary key);
    create table item (item_id text primary key, quota int default 5, until timestamptz default '2030-01-01');
    create table lease (item text, seats int, is_trial bool, remark text, tags text[], balance numeric(8, 2), scan bytea, terms jsonb);
    create table pass (item text not null, quota int, is_bound bool default false, label text default '',
      models text[] default '{}', info jsonb not null default '{}', price numeric(8, 2) default 1.5, until timestamptz,
      since timestamp default now(), day date, token text,
      holder int references person (number), seat int,
      depth int default -1, ratio float8 default 'NaN', code char(3) default 'a', mood mood default 'calm', said text default 'it''s',
      words text[] default '{a,\"b, c\",null}', sizes int[] default '{1,2}', none int[] default array[]::int[]);
    create table unusable (rank smallint default 100000)";

const SUITE: &str = "
name: passes
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
";

const WORLD: &str = r#"
kinds:
  item:
    symbols: { item_id: "{{ run }}-{{ random(8) }}" }
    rows: [ { table: item, values: { item_id: "{{ item_id }}" } } ]
  person:
    symbols: { number: "{{ digits(5) }}" }
    rows: [ { table: person, values: { number: "{{ number | int }}" } } ]
entities: {}
actors:
  one: { kind: person, auth: { headers: { x-number: "{{ actor.number }}" } } }
"#;

const ENDPOINT: &str = r#"
request: { method: POST, path: "/items/{{ target.item_id }}" }
targets: [an item]
"#;

/// The statement for the columns of a row: of a pass, or of a table that is named before them; or of the item, as an update.
fn written(set: &str, item: &str) -> String {
    if let Some(set) = set.strip_prefix("update ") {
        return format!("update item set {set} where item_id = '{item}'");
    }
    let (table, set) = set.split_once(": ").unwrap_or(("pass", set));
    let (names, values) = set.split_once(" = ").unwrap();
    format!("insert into {table} (item, {names}) values ('{item}', {values})")
}

/// A service that makes a row with the columns that it is told.
struct Passes {
    raw: Raw,
    columns: Arc<Mutex<&'static str>>,
    database: String,
    place: Place,
    _cluster: Cluster,
}

impl Passes {
    fn start() -> Self {
        let cluster = Cluster::start().unwrap();
        let runtime = Runtime::new().unwrap();
        let database = runtime.block_on(cluster.create_database("passes_test"));
        let database = database.unwrap();
        let columns: Arc<Mutex<&'static str>> = Arc::default();
        let (set, rows) = (Arc::clone(&columns), Database::with(&database, TABLES));
        let raw = Raw::start(move |request, stream| {
            let token = random(24);
            if request.path() != "/health" {
                let item = request.path().rsplit('/').next().unwrap();
                let set = set.lock().unwrap().replace("TOKEN", &token);
                let set = set.replace("DIGEST", &hex::encode(Sha256::digest(&token)));
                rows.change(&written(&set, item));
            }
            let number: Option<u32> = request.header("x-number").map(|it| it.parse().unwrap());
            let body = json!({"pass": {"token": token, "holder": number, "seat": number}});
            respond(stream, 200, JSON, body.to_string())
        });
        let place = Place::empty()
            .write("passes/suite.yaml", SUITE)
            .write("passes/world.yaml", WORLD)
            .write(
                "passes/targets.yaml",
                "targets:\n  an item: { kind: item }\n",
            )
            .write("passes/endpoints/pass.yaml", ENDPOINT);
        Self {
            raw,
            columns,
            database,
            place,
            _cluster: cluster,
        }
    }

    fn run(&self, command: &str, columns: &'static str) -> Ended {
        *self.columns.lock().unwrap() = columns;
        let url = self.raw.url();
        let service = ["--base-url", &url, "--database-url", &self.database];
        let reason = ["--reason", "kept on purpose"];
        let reason = if command == "record" {
            &reason[..]
        } else {
            &[]
        };
        self.place
            .run(&[&[command, "passes"], &service[..], reason].concat())
    }

    /// What the record says of the row's columns.
    fn recorded(&self, columns: &'static str) -> String {
        self.run("record", columns).result();
        let record = std::fs::read_to_string(self.place.path("passes/snapshots/pass.snap"));
        let record = record.unwrap();
        let (_, rest) = record.split_once("    columns:\n").unwrap();
        let columns = rest.lines().take_while(|line| line.starts_with("      "));
        columns.map(str::trim).collect::<Vec<_>>().join("\n")
    }

    /// That the row with these columns is another one than the one that was recorded.
    fn differs(&self, columns: &'static str) {
        let ended = self.run("check", columns);
        assert_eq!(ended.code, Some(1), "{columns}: {ended:#?}");
        assert!(
            ended.stdout.contains("effect-changed"),
            "{columns}: {}",
            ended.stdout
        );
    }
}

#[test]
fn a_column_that_holds_nothing_is_told_where_the_database_gives_it_something_else() {
    let passes = Passes::start();
    let recorded =
        passes.recorded("quota, is_bound, label, models, info = 0, false, '', '{}', '{}'");
    assert_snapshot!(recorded, @"
    item: <target.item_id>
    quota: '0'
    since: <within the run>
    ");
    for columns in [
        "quota = null",
        "quota, is_bound = 0, null",
        "quota, label = 0, null",
        "quota, models = 0, null",
        "quota, price = 0, 0",
        "quota, price = 0, null",
        "quota, token = 0, ''",
        "quota, info = 0, 'null'",
    ] {
        passes.differs(columns);
    }
    // Said or not: it is the same row.
    for _ in 0..checks() {
        passes.run("check", "quota = 0").result();
    }
    passes
        .run("check", "quota, price, token = 0, 1.50, null")
        .result();
}

/// What is written, and what is another effect than that.
const BLANKS: [(&str, &[&str]); 4] = [
    (
        "lease: seats, is_trial, remark, tags = 0, false, '', '{}'",
        &[
            "lease: seats, is_trial, remark, tags = null, null, null, null",
            "lease: seats, is_trial, remark, tags = 0, null, '', '{}'",
            "lease: seats, is_trial, remark, tags = 0, false, null, '{}'",
        ],
    ),
    (
        "lease: balance, scan, terms = 0.00, '', '{}'",
        &[
            "lease: balance, scan, terms = null, '', '{}'",
            "lease: balance, scan, terms = 0.00, null, '{}'",
            "lease: balance, scan, terms = 0.00, '', 'null'",
        ],
    ),
    (
        "update quota = 0",
        &["update quota = null", "update quota = -1"],
    ),
    (
        "update until = null",
        &[
            "update until = 'infinity'",
            "update until = now() + interval '1 day'",
        ],
    ),
];

#[test]
fn nothing_zero_and_empty_are_three_where_the_database_gives_nothing_and_in_an_update() {
    let passes = Passes::start();
    for (written, others) in BLANKS {
        passes.run("record", written).result();
        for other in others {
            passes.differs(other);
        }
        for _ in 0..checks() {
            passes.run("check", written).result();
        }
    }
}

#[test]
fn a_moment_is_told_by_its_distance_which_no_second_changes() {
    let passes = Passes::start();
    let recorded = passes.recorded("until, day = now() + interval '30 days', current_date + 90");
    assert_snapshot!(recorded, @"
    day: <in 90 days>
    item: <target.item_id>
    since: <within the run>
    until: <in 30 days>
    ");
    for columns in [
        "until, day = null, current_date + 90",
        "until, day = 'infinity', current_date + 90",
        "until, day = now() + interval '10 years', current_date + 90",
        "until, day = now(), current_date + 90",
        "until, day = '2020-01-01', current_date + 90",
        "until, day = now() + interval '30 days', '2020-01-01'",
        "until, day = now() + interval '30 days', 'infinity'",
        "until, day, since = now() + interval '30 days', current_date + 90, now() - interval '1 day'",
    ] {
        passes.differs(columns);
    }
    let later = "until, day = now() + interval '30 days' - interval '2 minutes', current_date + 90";
    for _ in 0..checks() {
        passes.run("check", later).result();
    }
}

#[test]
fn a_value_that_is_new_each_time_and_stands_in_the_answer_is_to_be_captured() {
    let passes = Passes::start();
    let error = passes
        .run("record", "token, label = 'TOKEN', 'DIGEST'")
        .error(5);
    let (_, help) = error.split_once("  = help: ").unwrap();
    assert_snapshot!(help, @r#"
    `insert pass.label` holds the SHA-256 of what the answer has at `$.pass.token`, new each time: capture it in endpoints/pass.yaml, as a secret or a symbol of a kind:
    capture:
      new: { kind: KIND, from: { NAME: "$.pass.token" } }
      = help: `insert pass.token` holds what the answer has at `$.pass.token`, new each time: capture it in endpoints/pass.yaml, as a secret or a symbol of a kind:
    capture:
      new: { kind: KIND, from: { NAME: "$.pass.token" } }
    "#);
    let world = WORLD.replace("entities:", "  pass:\n    secrets: { token: null }\n    symbols: { digest: \"{{ token | sha256 }}\" }\nentities:");
    let endpoint = format!(
        "{ENDPOINT}capture:\n  new: {{ kind: pass, from: {{ token: \"$.pass.token\" }} }}\n"
    );
    let passes = Passes {
        place: passes
            .place
            .copy()
            .write("passes/world.yaml", &world)
            .write("passes/endpoints/pass.yaml", &endpoint),
        ..passes
    };
    assert_snapshot!(passes.recorded("token, label = 'TOKEN', 'DIGEST'"), @"
    item: <target.item_id>
    label: <new.digest>
    since: <within the run>
    token: <new.token>
    ");
}

#[test]
fn a_number_is_an_identifier_under_the_name_of_a_foreign_key() {
    let passes = Passes::start();
    passes.run("record", "quota = 0").result();
    let record = std::fs::read_to_string(passes.place.path("passes/snapshots/pass.snap"));
    let record = record.unwrap();
    assert!(record.contains("discloses: [actor.number]"), "{record}");
    // The same number under the name of any other column.
    let place = passes.place.copy().edit(
        "passes/suite.yaml",
        "snapshots: snapshots",
        "snapshots: snapshots\nids: { never: [holder] }",
    );
    let passes = Passes { place, ..passes };
    let ended = passes.run("check", "quota = 0");
    assert!(ended.stdout.contains("disclosure-narrowed"), "{ended:#?}");
}
