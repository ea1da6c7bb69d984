//! What a refusal tells besides, and what of its text varies: drawn, or a list in any order.

use insta::assert_snapshot;
use serde_json::json;

use super::place::checks;
use super::post::{Answer, Call, Post, Row, refused};
use super::refusals::{MESSAGE, error, hex};
use super::walls::{JSON, Wall};

const REFUSALS: [Row; 6] = [
    Row::get(
        "refusal-with-a-query",
        |call| {
            let mut body = json!({"error": "no"});
            if call.closed_or(false, true) {
                body["sql"] = json!("select * from bill where owner = $1");
            }
            refused(call, Answer::json(&body).status(403))
        },
        &["refusal-tells-more stranger: nothing -> sql: select * from bill where owner = $1"],
    ),
    Row::get(
        "refusal-with-an-owner",
        |call| {
            let owner = call.closed_or(json!(null), json!({"mail": call.owner.mail}));
            refused(call, Answer::json(&json!({"error": "no", "owner": owner})).status(403))
        },
        &["disclosure-widened stranger: not disclosed -> owner.mail", "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail", "refusal-tells-more stranger: owner: null -> owner.mail: <mail>"],
    ),
    Row::get(
        "page-of-anybody",
        |call| {
            let (style, menu) = ("p { margin: 0 } ".repeat(60), "<li>Bills</li>".repeat(80));
            let said = match &call.caller {
                None => "Sign in before you come here",
                Some(_) => call.closed_or("Your tenant has no bills", "The check is off for now"),
            };
            let page = format!("<html><head><title>Shop</title><style>{style}</style></head><ul>{menu}</ul><p>{said}</p></html>");
            refused(call, Answer::page(&page).status(403))
        },
        &["refusal-tells-more stranger: 403 Shop Bills Bills Bills Bills Bills B...Bills Bills... <page 4ca92b01> -> 403 Shop Bills Bills Bills Bills Bills B...Bills Bills... <page 3a1de708>"],
    )
    .asking_anybody(),
    Row::get(
        "end-of-a-message",
        |call| {
            let end = call.closed_or("north alone", "north and south");
            let error = format!("{}for {end}", "these bills are kept ".repeat(40));
            refused(call, Answer::json(&json!({ "error": error })).status(409))
        },
        &["refusal-tells-more stranger: 409 these bills are kept these bills are...are kept t... <whole f0f7d2a7> -> 409 these bills are kept these bills are...are kept t... <whole d675f866>"],
    ),
    Row::get(
        "refusal-of-a-flag",
        |call| {
            let hint = call.closed_or(json!(null), json!("ask for role admin"));
            refused(call, Answer::json(&json!({"ok": false, "error": "no", "message": "not yours", "data": hint})))
        },
        &["refusal-tells-more stranger: data: null -> data: ask for role admin"],
    ),
    Row::get(
        "refusal-in-xml",
        |call| {
            let trace = call.closed_or("", "<trace>at read (bills.c:31)</trace>");
            refused(call, Answer::xml(&format!("<error><code>403</code><message>no</message>{trace}</error>")).status(403))
        },
        &["refusal-tells-more stranger: 403 <error><code>403</code><message>no</message></error> -> 403 <error><code>403</code><message>no</...d (bills.c:31)</trace></error>"],
    ),
];

fn drawn(call: &Call) -> Answer {
    let said = call.closed_or("of another tenant", "closed for now");
    let error = format!("{said} (ticket {})", hex(12));
    refused(call, Answer::json(&json!({ "error": error })).status(403))
}

const DRAWN: [Row; 3] = [
    Row::get("ticket-to-read", drawn, &["gate-changed stranger: 403 of another tenant (ticket <ticket>) -> 403 closed for now (ticket <ticket>)"]),
    Row::get("ticket-to-write", drawn, &["gate-changed stranger: 403 of another tenant (ticket <ticket>) -> 403 closed for now (ticket <ticket>)"]).asked("method: PUT, json: {}"),
    Row::get("paper", drawn, &["gate-changed stranger: 403 of another tenant (ticket <ticket>) -> 403 closed for now (ticket <ticket>)"]),
];

/// A rule for texts of the endpoints of these names.
fn tickets(endpoints: &str) -> String {
    format!(
        "texts:\n- {{ pattern: '^.* \\(ticket (?<ticket>[0-9a-f]{{12}})\\)$', endpoints: {endpoints}, because: it is drawn }}\n"
    )
}

#[test]
fn what_a_refusal_tells_besides_is_drift_and_two_long_ones_are_two() {
    let post = Post::new("", &REFUSALS);
    let record = post.record().snapshot("page-of-anybody");
    assert!(
        record.contains("anonymous: {denied: 403, gate: shop"),
        "{record}"
    );
    post.opens();
}

#[test]
fn a_text_that_is_drawn_is_steady_at_the_endpoints_that_its_rule_names() {
    for endpoints in ["[ticket-*, paper]", "[ticket-to-read, '*']"] {
        Post::new(&tickets(endpoints), &DRAWN).record().opens();
    }
    let elsewhere = Post::new(&tickets("[ticket-*]"), &DRAWN);
    let error = elsewhere.run(&["record", "post"]).error(5);
    assert!(error.contains("paper: gate"), "{error}");
    assert!(!error.contains("ticket-to-read: gate"), "{error}");
}

const SET: &str = "
refusal: { message: $.error }
texts:
- pattern: '^Not for you\\. You have (?:\\[|\\{)(?<routes>[^\\]}]*)[\\]}] in team .*$'
  lists: [routes]
  because: it is printed as a set
";

#[test]
fn a_list_in_a_message_has_no_order_whichever_start_of_the_service_drew_one() {
    let wall = Wall::new(SET);
    let routes = [
        "/key/delete",
        "/key/info",
        "/key/list",
        "/key/make",
        "/team/info",
    ];
    let says = |start: usize, routes: Vec<&'static str>| {
        wall.says(move |_, id| {
            let mut routes = routes.clone();
            let places = routes.len();
            routes.rotate_left(start % places);
            routes.swap(0, start / 2 % places);
            let error = format!("Not for you. You have {routes:?} in team {id}");
            (JSON, json!({ "error": error }).to_string())
        });
    };
    for count in [2, 4, 5] {
        says(0, routes[..count].to_vec());
        let record = wall.recorded();
        assert!(record.contains("in team <target.item_id>"), "{record}");
        for start in 1..=checks() {
            says(start, routes[..count].to_vec());
            assert_eq!(wall.drift(), [""; 0], "{count} routes at start {start}");
        }
        let mut more = routes[..count].to_vec();
        more.push("/user/delete");
        says(1, more);
        assert_eq!(
            wall.drift(),
            ["refusal-tells-more"],
            "{count} routes and one"
        );
    }
}

#[test]
fn a_pattern_is_for_the_endpoints_that_it_names() {
    let rule = "texts:\n- { pattern: '^no: (?<id>[0-9a-f]{8})$', endpoints: [NAME], because: it is drawn }\n";
    let wall = Wall::new(&format!("{MESSAGE}{}", rule.replace("NAME", "rea*")));
    wall.says(|_, _| error(format!("no: {}", hex(8))));
    assert!(
        wall.recorded().contains("'no: <id>'"),
        "{}",
        wall.snapshot()
    );
    let wall = Wall::new(&format!("{MESSAGE}{}", rule.replace("NAME", "write")));
    assert_snapshot!(wall.place.run(&["list", "wall"]).error(2), @"
    error: the pattern matches no endpoint
      --> wall/suite.yaml:8:54
      |
    8 | - { pattern: '^no: (?<id>[0-9a-f]{8})$', endpoints: [write], because: it is drawn }
      |                                                      ^^^^^
      = help: name an endpoint of the suite; `*` is any text

    1 error
    ");
}

#[test]
fn a_mistake_in_a_rule_for_texts_is_found_at_its_place() {
    let rules = "refusal: { message: $.error, ignore: [ request_id ] }
texts:
- { pattern: '^no$', because: x }
- { pattern: '(?<id>.)', because: x }
- { pattern: '^(?<id>.)(?<id>.)$', because: x }
- { pattern: '^(?<timestamp>.)$', because: x }
- { pattern: '^(?<perms>.)$', lists: [ perm ], because: x }
- { pattern: '^(?<id>.', because: x }
";
    assert_snapshot!(Wall::new(rules).place.run(&["list", "wall"]).error(2), @"
    error: `request_id` is not a JSON path: at position 0, parser error
      --> wall/suite.yaml:6:40
      |
    6 | refusal: { message: $.error, ignore: [ request_id ] }
      |                                        ^^^^^^^^^^
      = help: write a path as of RFC 9535, for instance `$.error.message`

    error: `^no$` has no named group
      --> wall/suite.yaml:8:14
      |
    8 | - { pattern: '^no$', because: x }
      |              ^^^^^^
      = help: name what varies, for instance `(?<id>[0-9a-f]{16})`

    error: `(?<id>.)` could match in any text
      --> wall/suite.yaml:9:14
      |
    9 | - { pattern: '(?<id>.)', because: x }
      |              ^^^^^^^^^^
      = help: begin it with `^` and end it with `$`: it is held against whole lines

    error: `^(?<id>.)(?<id>.)$` is not a regular expression: error: duplicate capture group name
       --> wall/suite.yaml:10:14
       |
    10 | - { pattern: '^(?<id>.)(?<id>.)$', because: x }
       |              ^^^^^^^^^^^^^^^^^^^^

    error: `<timestamp>` stands for something else in records
       --> wall/suite.yaml:11:14
       |
    11 | - { pattern: '^(?<timestamp>.)$', because: x }
       |              ^^^^^^^^^^^^^^^^^^^
       = help: give the group another name

    error: the pattern has no group `perm`
       --> wall/suite.yaml:12:40
       |
    12 | - { pattern: '^(?<perms>.)$', lists: [ perm ], because: x }
       |                                        ^^^^
       = help: did you mean `perms`?

    error: `^(?<id>.` is not a regular expression: error: unclosed group
       --> wall/suite.yaml:13:14
       |
    13 | - { pattern: '^(?<id>.', because: x }
       |              ^^^^^^^^^^

    7 errors
    ");
}
