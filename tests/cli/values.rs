//! What a success says: its values by their paths, and lists by whom their items name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use authz_pin::template::random;
use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::walls::{JSON, TEXT, Wall};

/// A service that lets everybody in, and a suite that records values as `values` says.
fn open(values: &str) -> Wall {
    Wall::new(&format!("values: {values}\n")).opens()
}

/// Says the same JSON each time, where an item's identifier stands for `ID`.
fn says(wall: &Wall, body: &Json) {
    let body = body.to_string();
    wall.says(move |_, id| (JSON, body.replace("ID", id)));
}

fn cells(record: &str) -> &str {
    record.split_once("values:\n").unwrap().1
}

#[test]
fn values_stand_by_their_paths_and_what_is_shared_stands_once() {
    let wall = open("{ show: clear }");
    let body = json!({"id": "ID", "salary": null, "total": 1, "role": "member", "is_admin": false,
        "permissions": ["write", "read"], "owner": {"name": "Ann Smith", "born": "1980-02-29"}, "tags": [], "token_expires_at": "2199-01-01T00:00:00Z", "until": "2199-01-01T00:00:00Z",
        "protocolVersion": "2025-06-18"});
    says(&wall, &body);
    assert_snapshot!(cells(&wall.recorded()), @r#"
      common:
        id: <target.item_id>
        is_admin: false
        owner.born: <past>
        owner.name: Ann Smith
        permissions[]: [read, write]
        protocolVersion: 2025-06-18
        role: member
        tags: '[]'
        token_expires_at: <future>
        total: 1
        until: <future>
    shapes:
      body 3a1d:
      - id
      - is_admin
      - owner
      - owner.born
      - owner.name
      - permissions
      - permissions[]
      - protocolVersion
      - role
      - salary
      - tags
      - token_expires_at
      - total
      - until
    cells:
      an item:
        keeper: {allowed: 200, discloses: [target.item_id], effects: not observed, shape: body 3a1d}
        guest: {denied: 403, gate: "no", effects: not observed}
    "#);
    assert_eq!(wall.drift(), [""; 0]);
}

#[test]
fn a_value_that_comes_turns_or_goes_has_a_direction() {
    let wall = open("{ show: clear }");
    let plain =
        json!({"id": "ID", "salary": null, "role": "member", "is_admin": false, "redacted": true});
    let with = |name: &str, value: Json| {
        let mut body = plain.clone();
        body[name] = value;
        body
    };
    says(&wall, &plain);
    wall.recorded();
    let changed = [
        (with("salary", json!(120_000)), "value-shown"),
        (
            with("iban", json!("DE02120300000000202051")),
            "value-shown shape-changed",
        ),
        (with("is_admin", json!(true)), "flag-turned"),
        (with("redacted", json!(false)), "flag-turned"),
        (with("role", json!("admin")), "value-changed"),
        (with("role", json!("")), "value-hidden"),
        (with("bonus", json!(null)), "shape-changed"),
    ];
    for (body, expected) in changed {
        says(&wall, &body);
        assert_eq!(wall.drift().join(" "), expected, "{body}");
    }
}

#[test]
fn a_list_is_counted_by_whom_its_items_name() {
    let wall = open("{ show: clear }");
    let own = json!({"id": "ID", "name": "mine", "price": 3});
    let stranger = |name: &str| json!({"id": random(12), "name": name, "salary": 120_000});
    says(&wall, &json!({"items": [own], "total": 1}));
    assert_snapshot!(cells(&wall.recorded()), @r#"
      common:
        items[]: {target: 1}
        items[].id: <target.item_id>
        items[].name: mine
        items[].price: 3
        total: 1
    shapes:
      body 63fe:
      - items
      - items[]
      - items[].id
      - items[].name
      - items[].price
      - total
    cells:
      an item:
        keeper: {allowed: 200, discloses: [target.item_id], effects: not observed, shape: body 63fe}
        guest: {denied: 403, gate: "no", effects: not observed}
    "#);
    let strangers: Vec<Json> = ["bob", "eve"].map(stranger).into();
    let more = [vec![own.clone()], strangers.clone()].concat();
    says(&wall, &json!({"items": more, "total": 1}));
    assert_eq!(wall.drift(), ["list-shows-more", "shape-changed"]);
    let record = wall.recorded();
    assert!(
        record.contains("items[]: {target: 1, unknown: some}"),
        "{record}"
    );
    assert!(
        !record.contains("bob") && !record.contains("120000"),
        "{record}"
    );
    // How many strangers there are is the database's matter.
    says(
        &wall,
        &json!({"items": [stranger("mallory"), own], "total": 1}),
    );
    assert_eq!(wall.drift(), [""; 0]);
    says(&wall, &json!({"items": [], "total": 0}));
    assert!(wall.drift().contains(&"list-shows-less".to_owned()));
}

#[test]
fn an_item_of_an_earlier_cell_is_no_strangers() {
    let wall = open("{ show: clear }");
    // A service that keeps in memory what was taken away: the first item of each run, by the run's own part of the identifier.
    let first_of_runs = Arc::new(Mutex::new(HashMap::<String, String>::new()));
    let keeps = |more: Vec<Json>| {
        let first_of_runs = Arc::clone(&first_of_runs);
        move |_: usize, id: &str| {
            let run = id.split('-').nth(1).unwrap().to_owned();
            let mut first_of_runs = first_of_runs.lock().unwrap();
            let first = first_of_runs.entry(run).or_insert_with(|| id.to_owned());
            let items = [vec![json!({"id": first, "name": "kept"})], more.clone()].concat();
            (JSON, json!({ "items": items }).to_string())
        }
    };
    wall.says(keeps(Vec::new()));
    let record = wall.recorded();
    assert!(record.contains("items[]: {another cell: some}"), "{record}");
    wall.says(keeps(vec![json!({"id": random(12), "name": "eve"})]));
    assert_eq!(wall.drift(), ["list-shows-more"]);
}

#[test]
fn maps_by_identifiers_are_lists() {
    let wall = open("{ show: clear }");
    says(&wall, &json!({"by_id": {"ID": {"price": 3}}}));
    wall.recorded();
    // Of those that are drawn some look like names.
    let body = json!({"by_id": {"ID": {"price": 3}, "x7Kp2mQ9rT4z": {"price": 4}}}).to_string();
    wall.says(move |_, id| (JSON, body.replace("ID", id)));
    assert!(wall.drift().contains(&"list-shows-more".to_owned()));
}

#[test]
fn no_secret_that_nobody_captured_is_in_a_record() {
    let secrets = [
        "sk_live_51HxVtGJ",
        "9f86d081884c7d65",
        "hunter2!",
        "correct-horse-battery",
        "4111111111111111",
        "AKIAIOSFODNN7EXAMPLE",
        "JBSWY3DPEHPK3PXP",
        "2b1d0a9e-1111-4222-8333-444455556666",
    ];
    let [live, hex, password, phrase, card, aws, totp, uuid] = secrets;
    let body = json!({
        "note": live, "ref": hex, "password": password, "passphrase": phrase, "card": card, "k": aws, "mfa_secret": totp,
        "text": format!("your key is {uuid}, and password={password}"), "pin": 4_711, "otp": 481_516,
        "nested": [[{"deep": {"x": aws}}]], "by": {hex: {uuid: live}}, "list": [totp, card], "url": format!("postgres://app:{password}@db/x"),
    });
    for show in ["clear", "digest"] {
        let wall = open(&format!("{{ show: {show} }}"));
        says(&wall, &body);
        let record = wall.recorded();
        let values = cells(&record).split_once("shapes:").unwrap().0;
        for secret in secrets.into_iter().chain(["4711", "481516"]) {
            assert!(!values.contains(secret), "{secret}: {values}");
        }
        assert_eq!(wall.drift(), [""; 0]);
    }
}

#[test]
fn digests_show_that_a_long_text_differs_and_nothing_in_clear() {
    let wall = open("{ show: digest }");
    let of = |text: &str| json!({"bio": format!("{text} {}", "word ".repeat(40)), "age": 44, "is_admin": false});
    says(&wall, &of("one"));
    assert_snapshot!(cells(&wall.recorded()), @r#"
      common:
        age: <number>
        bio: <text 4cbf647a>
        is_admin: <flag>
    shapes:
      body 4598:
      - age
      - bio
      - is_admin
    cells:
      an item:
        keeper: {allowed: 200, effects: not observed, shape: body 4598}
        guest: {denied: 403, gate: "no", effects: not observed}
    "#);
    says(&wall, &of("two"));
    assert_eq!(wall.drift(), ["value-changed"]);
}

#[test]
fn what_varies_takes_a_rule_at_its_path_that_recording_writes() {
    let wall = open("{ show: clear }");
    wall.says(|number, id| {
        (
            JSON,
            json!({"id": id, "served": number, "at": chrono::Utc::now().to_rfc3339()}).to_string(),
        )
    });
    wall.recorded();
    let suite = std::fs::read_to_string(wall.place.path("wall/suite.yaml")).unwrap();
    assert!(
        suite.contains("{ at: $.served, as: <number>, endpoints: [read] }"),
        "{suite}"
    );
    assert_eq!(wall.drift(), [""; 0]);
    // That there is a value is still compared.
    wall.says(|_, id| {
        (
            JSON,
            json!({"id": id, "served": null, "at": null}).to_string(),
        )
    });
    assert_eq!(wall.drift(), ["value-hidden"]);
}

#[test]
fn values_are_recorded_where_the_suite_asks_for_them() {
    let wall = open("{ endpoints: { \"*\": clear, read: nothing } }");
    says(&wall, &json!({"salary": 1}));
    assert!(!wall.recorded().contains("salary: 1"));
    let suite = wall.place.path("wall/suite.yaml");
    let text = std::fs::read_to_string(&suite).unwrap();
    std::fs::write(&suite, text.replace("read: nothing", "read: clear")).unwrap();
    assert_eq!(wall.drift(), ["values-recorded"]);
}

#[test]
fn a_body_that_is_no_json_is_one_value_without_what_is_new_each_time() {
    let wall = open("{}");
    let page = |text: &str| {
        let text = text.to_owned();
        move |_: usize, _: &str| {
            let (token, now) = (random(32), chrono::Utc::now().to_rfc3339());
            let page =
                format!("<html><input name=csrf value=\"{token}\"><p>{text}</p>{now}</html>");
            ("text/html", page)
        }
    };
    wall.says(page("Salary: none"));
    wall.recorded();
    assert_eq!(wall.drift(), [""; 0]);
    wall.says(page("Salary: 120000"));
    assert_eq!(wall.drift(), ["value-changed"]);
    // What varies as a whole is only there or not.
    wall.says(|number, _| ("text/plain", format!("served\n{number}\n{}\n", random(40))));
    wall.recorded();
    let suite = std::fs::read_to_string(wall.place.path("wall/suite.yaml")).unwrap();
    assert!(
        suite.contains("{ at: $, as: <text>, endpoints: [read] }"),
        "{suite}"
    );
    assert_eq!(wall.drift(), [""; 0]);
}

#[test]
fn a_list_of_texts_that_names_nobody_is_one_digest() {
    let wall = open("{}");
    let people = |names: &[&str]| json!({"people": names});
    says(&wall, &people(&["Ann Smith", "Bob Jones", "Eve Miller"]));
    let record = wall.recorded();
    assert!(
        record.contains("people[]: <texts ") && !record.contains("Smith"),
        "{record}"
    );
    says(&wall, &people(&["Eve Miller", "Ann Smith", "Bob Jones"]));
    assert_eq!(wall.drift(), [""; 0]);
    says(
        &wall,
        &people(&["Ann Smith", "Bob Jones", "Eve Miller", "Max Moor"]),
    );
    assert_eq!(wall.drift(), ["value-changed"]);
    // Of a thing of the run they are what it says of itself.
    says(&wall, &json!({"id": "ID", "roles": ["reader", "writer"]}));
    let record = wall.recorded();
    assert!(record.contains("roles[]: [reader, writer]"), "{record}");
}

#[test]
fn a_rule_holds_at_an_item_of_a_list_that_names_nobody() {
    let wall = open("{ unstable: [{ at: \"$.people[0]\", as: <first> }] }");
    wall.says(|number, _| {
        let people = [format!("Visitor {number}"), "Ann Smith".to_owned()];
        (JSON, json!({ "people": people }).to_string())
    });
    let record = wall.recorded();
    assert!(record.contains("<first>"), "{record}");
    assert_eq!(wall.drift(), [""; 0]);
}

#[test]
fn names_of_fields_need_not_be_words() {
    let wall = open("{}");
    says(
        &wall,
        &json!({"max_budget": 5, "objectGroups": {"qty": 1}, "ann@example.org": {"pay": 9}}),
    );
    let record = wall.recorded();
    assert!(
        record.contains("max_budget: 5") && record.contains("objectGroups.qty: 1"),
        "{record}"
    );
    assert!(
        record.contains("$: {unknown: some}") && !record.contains("pay: 9"),
        "{record}"
    );
}

#[test]
fn a_pattern_that_matches_no_endpoint_is_a_mistake_with_its_line() {
    let wall = open("{ endpoints: { reed: digest }, unstable: [{ at: $.a, endpoints: [rod] }] }");
    let ended = wall.run(&["check", "wall"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    assert_eq!(
        ended
            .stderr
            .matches("the pattern matches no endpoint")
            .count(),
        2,
        "{ended:#?}"
    );
}

/// Whether an item is of the first run that asked.
fn first_run() -> impl Fn(&str) -> bool + Send {
    let first = Mutex::new(None::<String>);
    move |id| {
        let run = id.split('-').nth(1).unwrap();
        let mut first = first.lock().unwrap();
        first.get_or_insert_with(|| run.to_owned()) == run
    }
}

#[test]
fn a_flag_that_varies_and_a_value_that_comes_and_goes_are_no_recordings_matter() {
    let wall = open("{}");
    let is_first = first_run();
    wall.says(move |_, id| {
        let body = json!({"id": id, "is_cached": is_first(id)});
        (JSON, body.to_string())
    });
    let ended = wall.run(&["record", "wall"]);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(
        ended.stderr.contains("at: $.is_cached, as: <flag>"),
        "{ended:#?}"
    );
    let is_first = first_run();
    wall.says(move |_, id| {
        let seen = is_first(id).then_some("once");
        (JSON, json!({"id": id, "seen": seen}).to_string())
    });
    let ended = wall.run(&["record", "wall", "--calibrate"]);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    assert!(
        ended.stderr.contains("no rule is made for what is pinned"),
        "{ended:#?}"
    );
}

#[test]
fn what_a_secret_s_name_holds_is_hidden_however_it_is_said() {
    let wall = open("{}");
    let body = json!({"id": "ID", "passwords": {"wifi": "zebra", "n": {"deep": "zebra river"}}, "pincode": 731_946,
        "backup_codes": ["7319-4611"], "pins": [4611, 7319], "passwort": "zebra", "line": "The password is zebra river",
        "note": "Your door PIN is 731946", "token_limit": 5, "password_policy": "strict"});
    says(&wall, &body);
    let record = wall.recorded();
    for secret in ["zebra", "731946", "7319", "4611"] {
        assert!(!record.contains(secret), "{secret} in {record}");
    }
    assert!(record.contains("note: <hidden>"), "{record}");
    let with = |name: &str, value: Json| {
        let mut body = body.clone();
        body[name] = value;
        body
    };
    for (name, value) in [
        ("token_limit", json!(500_000)),
        ("password_policy", json!("none")),
    ] {
        says(&wall, &with(name, value));
        assert_eq!(wall.drift(), ["value-changed"], "{name}");
    }
    // A body that is no JSON has no names.
    wall.says(|_, _| (TEXT, "Password is zebra river\nZebra Stripe\n".to_owned()));
    let record = wall.recorded();
    assert!(!record.contains("ebra"), "{record}");
}
