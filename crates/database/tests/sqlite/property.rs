//! Random statements of two writers: what one of them did goes, and what the other did stays.

use std::collections::BTreeMap;

use authz_pin_database::Change;
use authz_pin_record::observation::Operation;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value as Json;

use crate::service::asked;
use crate::service::{MODES, Service, begun, nobody, undone};

const TABLES: [&str; 6] = [
    "create table t (id integer primary key, a text unique, b, n integer)",
    "create table t (id integer primary key autoincrement, a text unique, b, n integer)",
    "create table t (id unique, a text collate nocase unique, b, n integer)",
    "create table t (id text primary key, a text unique, b, n integer) without rowid",
    "create table t (id integer primary key, a text, b, n integer); create unique index i on t (lower(a)) where a is not null",
    "create table t (b, n integer, id int primary key, a text, s as (a || 'x') stored unique)",
];

/// A statement about the rows of one writer: those whose numbers and names are its own.
fn statement(random: &mut StdRng, writer: usize) -> String {
    let id = |random: &mut StdRng| random.random_range(0..6) * 2 + writer;
    let name = |random: &mut StdRng| format!("{}{}", ["x", "y"][writer], random.random_range(0..6));
    let (one, other) = (id(random), id(random));
    let (a, b) = (name(random), name(random));
    let value = ["null", "1", "1.0", "'1'", "x'31'", "'text'"][random.random_range(0..6)];
    let or = ["replace", "ignore", "fail", "abort", "rollback"][random.random_range(0..5)];
    let own = format!("id % 2 = {writer}");
    match random.random_range(0..12) {
        0 | 1 => format!("insert or {or} into t (id, a, b, n) values ({one}, '{a}', {value}, 1)"),
        2 => format!(
            "insert or {or} into t (id, a, b) values ({one}, '{a}', 2), ({other}, '{b}', {value})"
        ),
        3 => format!("insert into t (id, a, b) values ({one}, '{a}', 3) on conflict do nothing"),
        4 => format!("update or {or} t set id = {other}, b = {value} where id = {one}"),
        5 => format!("update or {or} t set a = '{b}' where a = '{a}'"),
        6 => format!("update t set b = {value}, n = coalesce(n, 0) + 1 where {own}"),
        7 => format!("delete from t where id = {one}"),
        8 => format!("delete from t where {own} and n > 1"),
        9 => format!(
            "begin; insert or {or} into t (id, a) values ({one}, '{a}'); update or {or} t set id = {one} where id = {other}; commit"
        ),
        10 => format!(
            "begin; savepoint s; delete from t where {own}; rollback to s; replace into t (id, a) values ({one}, '{b}'); commit"
        ),
        _ => format!(
            "begin; delete from t where {own}; replace into t (id, a) values ({one}, '{a}'); rollback"
        ),
    }
}

const ROWS: &str = "insert into t (id, a, b, n) values (0, 'x0', 1, 1), (1, 'y1', 'b', 2), (2, 'x2', null, 3), (3, 'y3', 4.5, 2)";

fn attempt(service: &mut Service, sql: &str) {
    let _ = service.attempt(sql);
    let _ = service.attempt("rollback");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_writer_did_goes_and_the_file_is_as_the_other_alone_would_have_left_it() {
    for seed in 0..u64::from(asked("AUTHZ_PIN_LONG_CASES", 300)) {
        let mut random = StdRng::seed_from_u64(seed);
        let place = usize::try_from(seed).unwrap();
        let schema = format!("{}; {ROWS}", TABLES[place % TABLES.len()]);
        let mut service = Service::new(MODES[place / TABLES.len() % 2], &schema);
        let mut alone = Service::new("delete", &schema);
        let mut base = begun(&service, "run1").await;
        let mut said = Vec::new();
        for _ in 0..random.random_range(2..14) {
            let writer = random.random_range(0..2);
            let sql = statement(&mut random, writer);
            attempt(&mut service, &sql);
            let changes = base.read().await.unwrap();
            let numbers = changes.iter().map(|change| change.seq);
            if writer == 0 {
                base.claim(&numbers.collect::<Vec<_>>()).await.unwrap();
            } else {
                base.set_aside(numbers);
                attempt(&mut alone, &sql);
            }
            said.push((writer, sql));
        }
        assert_eq!(undone(&mut base).await, [], "{seed}: {said:#?}");
        assert_eq!(base.remove(&nobody).await.unwrap(), None);
        let (dump, expected) = (
            without_numbers(service.dump()),
            without_numbers(alone.dump()),
        );
        assert_eq!(dump, expected, "{seed}: {said:#?}");
        service.check();
        service.check_nothing_is_left();
    }
}

/// The numbers that SQLite gives to rows by itself depend on what else was there.
fn without_numbers(mut dump: BTreeMap<String, Vec<String>>) -> BTreeMap<String, Vec<String>> {
    for row in dump.values_mut().flatten() {
        if let Some((columns, _)) = row.rsplit_once(' ') {
            *row = columns.to_owned();
        }
    }
    for rows in dump.values_mut() {
        rows.sort();
    }
    dump
}

fn id(image: &Json) -> String {
    image["id"].to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_somebody_else_wrote_last_is_never_touched() {
    for seed in 0..100 {
        let mut random = StdRng::seed_from_u64(1000 + seed);
        let mut service = Service::new(
            "wal",
            &format!("{}; {ROWS}", TABLES[usize::try_from(seed).unwrap() % 2]),
        );
        let mut base = begun(&service, "run1").await;
        let mut theirs: BTreeMap<String, bool> = BTreeMap::new();
        let mut said = Vec::new();
        for _ in 0..10 {
            // Of the rows of both.
            let (writer, rows) = (random.random_range(0..2), random.random_range(0..2));
            let sql = statement(&mut random, rows);
            attempt(&mut service, &sql);
            said.push((writer, sql));
            let changes = base.read().await.unwrap();
            let note = |change: &Change| {
                let images = match change.operation {
                    Operation::Insert => vec![&change.new],
                    Operation::Delete => vec![&change.old],
                    Operation::Update => vec![&change.old, &change.new],
                };
                images.into_iter().map(id).collect::<Vec<_>>()
            };
            theirs.extend(changes.iter().flat_map(note).map(|id| (id, writer == 1)));
            let numbers = changes.iter().map(|change| change.seq);
            if writer == 0 {
                base.claim(&numbers.collect::<Vec<_>>()).await.unwrap();
            } else {
                base.set_aside(numbers);
            }
        }
        let rows = |service: &mut Service| {
            let all = service
                .lines("select id || ' ' || quote(a) || quote(b) || quote(n) as value from t");
            let rows = all
                .into_iter()
                .filter(|row| theirs.get(row.split(' ').next().unwrap()) == Some(&true));
            rows.collect::<Vec<_>>()
        };
        let before = rows(&mut service);
        let left = undone(&mut base).await;
        let now = rows(&mut service);
        // What the other made and took away again can have been there before.
        assert!(
            before.iter().all(|row| now.contains(row)),
            "{seed}: {before:?} {now:?} {said:#?}"
        );
        let after = service.dump();
        assert_eq!(undone(&mut base).await.len(), left.len(), "{seed}");
        assert_eq!(service.dump(), after, "{seed}");
        service.check();
    }
}
