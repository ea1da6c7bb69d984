//! What differs in the same way in many answers is one thing in every output.

use insta::assert_snapshot;
use serde_json::{Value as Json, json};

use super::post::{Answer, Call, Post, Row};

/// The pay is hidden from everybody until the hole is open.
fn pay(call: &Call, mut body: Json) -> Answer {
    body["pay"] = call.closed_or(Json::Null, json!(5));
    Answer::json(&body)
}

const ROWS: [Row; 5] = [
    Row::get("people", |call| pay(call, json!({"of": "everybody"})), &[]),
    Row::get("report", |call| pay(call, json!({"of": "a month"})), &[]),
    Row::get("teams", |call| pay(call, json!({"of": "a team"})), &[]),
    Row::get(
        "team",
        |call| {
            let lead = call.closed_or(false, true);
            pay(call, json!({"of": "a team", "leads": lead}))
        },
        &[],
    ),
    Row::get("rooms", |_| Answer::json(&json!({"room": 7})), &[]),
];

fn opened() -> Post {
    let post = Post::new("", &ROWS);
    post.record().open();
    post
}

#[test]
fn a_field_that_shows_a_value_in_many_answers_stands_once() {
    let post = opened();
    let checked = |form: &str| post.run(&["check", "post", "--report", form]).stdout;
    let human = post.run(&["check", "post"]).stdout;
    let (human, _) = human.split_once("\n\n").unwrap();
    assert_snapshot!(human, @r"
    value-shown people, report, team, teams  an item: stranger
        - pay: <none>
        + pay: 5
    flag-turned team  an item: stranger
        - leads: false
        + leads: true
    ");
    assert_snapshot!(checked("github=-"), @r"
    ::error file=post/endpoints/people.yaml,line=2,title=value-shown in people and 3 other endpoints::a field shows a value where there was none%0Aan item: stranger%0Areport:%0A  an item: stranger%0Ateam:%0A  an item: stranger%0Ateams:%0A  an item: stranger%0A- pay: <none>%0A+ pay: 5
    ::error file=post/endpoints/team.yaml,line=2,title=flag-turned in team::a field that is true or false is the other one%0Aan item: stranger%0A- leads: false%0A+ leads: true
    ");
    let markdown = checked("markdown=-");
    let rows = markdown.lines().filter(|line| line.starts_with("| `"));
    assert_snapshot!(rows.collect::<Vec<_>>().join("\n"), @r"
    | `pay: <none>` | `pay: 5` | **people, report, team, teams** an item: stranger |
    | `leads: false` | `leads: true` | **team** an item: stranger |
    ");
    let report: Json = serde_json::from_str(&checked("json=-")).unwrap();
    let groups = report["groups"].as_array().unwrap().iter();
    let endpoints = |group: &Json| group["endpoints"].as_object().unwrap().len();
    let groups: Vec<(&str, usize)> = groups
        .map(|group| (group["kind"].as_str().unwrap(), endpoints(group)))
        .collect();
    assert_eq!(groups, [("value-shown", 4), ("flag-turned", 1)]);
}

#[test]
fn a_result_of_code_scanning_is_closed_for_one_endpoint_alone() {
    let sarif = opened()
        .run(&["check", "post", "--report", "sarif=-"])
        .stdout;
    let log: Json = serde_json::from_str(&sarif).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let prints: std::collections::BTreeSet<&str> = results
        .iter()
        .map(|result| {
            result["partialFingerprints"]["authzPin/v1"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!((results.len(), prints.len()), (5, 5));
}
