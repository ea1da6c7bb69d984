//! Values come back as they were stored, and are in records what they are.

use serde_json::json;

use crate::service::{MODES, Service, begun, claim_all, takes_back, undone};

const ODD: &str =
    "create table v (id integer primary key, x, i integer, r real, t text, n numeric, b blob)";

/// Values that a literal or a program can lose.
const VALUES: [&str; 24] = [
    "null",
    "9223372036854775807",
    "-9223372036854775808",
    "9007199254740993",
    "0.1",
    "-0.0",
    "1e308 * 10",
    "-1e308 * 10",
    "5e-324",
    "1.7976931348623157e308",
    "0.1 + 0.2",
    "3.0",
    "123456789012345678.0",
    "''",
    "x''",
    "x'00ff00'",
    "'a' || char(0) || 'b'",
    "cast(x'ff41' as text)",
    "cast(x'c300' as text)",
    "char(55357, 128512, 10, 39, 34)",
    "'it''s'",
    "'12'",
    "'1e400'",
    "zeroblob(3000)",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_value_comes_back_as_it_was_in_columns_of_every_type() {
    for mode in MODES {
        let rows = VALUES.map(|value| {
            format!(
                "insert into v (x, i, r, t, n, b) values ({})",
                [value; 6].join(", ")
            )
        });
        let mut service = Service::new(mode, &format!("{ODD}; {}", rows.join("; ")));
        takes_back(&mut service, |service| {
            service.execute("delete from v where id % 3 = 0");
            service.execute("update v set id = id + 1000, x = 'o', i = 'o', r = 'o', t = 'o', n = 'o', b = 'o' where id % 3 = 1");
            service.execute("replace into v (id, x) select id, 1 from v where id % 3 = 2");
            service.execute(&rows.join("; "));
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn images_have_numbers_and_texts_as_they_are_and_bytes_in_digits() {
    let mut service = Service::new("wal", ODD);
    let mut base = begun(&service, "run1").await;
    service.execute(
        "insert into v values (1, 9007199254740993, -9223372036854775808, 0.5, 'ü', '12', x'00fF')",
    );
    service.execute("insert into v values (2, null, 'word', 1e308 * 10, 5, 2.0, 'text')");
    let changes = claim_all(&mut base).await;
    let images: Vec<_> = changes.iter().map(|change| change.new.clone()).collect();
    assert_eq!(
        images,
        [
            json!({"id": 1, "x": 9_007_199_254_740_993_i64, "i": i64::MIN, "r": 0.5, "t": "ü", "n": 12, "b": "\\x00ff"}),
            json!({"id": 2, "x": null, "i": "word", "r": "Infinity", "t": "5", "n": 2, "b": "text"}),
        ]
    );
    assert_eq!(undone(&mut base).await, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_sixteen_bits_a_character_is_no_other() {
    let schema = format!(
        "pragma encoding = 'UTF-16'; {ODD}; insert into v (id, x, t) values (1, 'ü😀', 'a' || char(0) || 'ö')"
    );
    let mut service = Service::new("delete", &schema);
    let changes = takes_back(&mut service, |service| {
        service.execute("update v set x = 'ß' where id = 1; delete from v");
    })
    .await;
    let first = changes.first().unwrap();
    assert_eq!(
        (first.old["x"].as_str(), first.old["t"].as_str()),
        (Some("ü😀"), Some("a\0ö"))
    );
    assert_eq!(first.new["x"], "ß");
}
