//! What is found of templates, patterns and paths when a suite is read, and what they send.

use std::fs;

use insta::assert_snapshot;

use super::place::Place;
use super::raw::{JSON, Raw, respond};

const SUITE: &str = "\
name: shop
snapshots: snapshots
service: { ready: /health }
variables:
  role: { default: member }
  branch: { default: b-1749, symbol: true }
refusal: { message: $.error }
";

const WORLD: &str = "\
kinds:
  customer:
    parameters: { carts: [], coupon: null }
    symbols: { customer_id: \"{{ run }}-{{ name }}\" }
entities: {}
actors:
  buyer:
    kind: customer
    with: { carts: [red, blue], coupon: c-1 }
    auth: { bearer: \"b-{{ actor.customer_id }}\" }
  visitor:
    kind: customer
    auth: { bearer: \"v-{{ actor.customer_id }}\" }
";

/// A shop with one endpoint.
fn shop(endpoint: &str) -> Place {
    Place::empty()
        .write("shop/suite.yaml", SUITE)
        .write("shop/world.yaml", WORLD)
        .write(
            "shop/targets.yaml",
            "targets:\n  the shop: {}\n  itself: { with: { id: \"{{ actor.coupon }}\" } }\n",
        )
        .write("shop/endpoints/cart.yaml", endpoint)
}

const READ: &str = "request: { method: GET, path: /carts }\ntargets: [the shop]\n";

/// What `list` says of a suite that is not valid.
fn mistakes(place: &Place) -> String {
    place.run(&["list", "shop"]).error(2)
}

/// What the one cell of the buyer would send.
fn sent(place: &Place) -> String {
    let arguments = ["check", "shop", "--dry-run", "--filter", "*/*/buyer"];
    let text = place.run(&arguments).result();
    let (_, cell) = text.split_once("/buyer\n").unwrap();
    cell.split("\n\n").next().unwrap().to_owned()
}

/// A service that refuses to close, and lets everybody do everything else.
fn service() -> Raw {
    Raw::start(|request, stream| match request.path() {
        "/closed" => {
            let said = r#"{"error": "branch b-1749: member role required"}"#;
            respond(stream, 403, JSON, said)
        }
        _ => respond(stream, 200, JSON, "{}"),
    })
}

#[test]
fn the_first_and_the_last_item_of_a_list_need_no_argument() {
    let place = shop(
        "request: { method: GET, path: \"/carts/{{ actor.carts | first }}/{{ actor.carts | last }}\" }\n\
         targets: [the shop]\n",
    );
    let place = place.edit(
        "shop/world.yaml",
        "  visitor:\n    kind: customer\n",
        "  visitor:\n    kind: customer\n    calls: []\n",
    );
    assert_snapshot!(sent(&place), @r"
      GET /carts/red/blue
        authorization: Bearer b-<actor.customer_id>
    ");
}

#[test]
fn a_map_in_a_map_is_sent_as_it_is_and_its_keys_are_templates() {
    let place = shop(
        "request:\n  method: POST\n  path: /carts\n  json:\n    acl: \"{{ {'all': {'read': true}} }}\"\n    \
         \"{{ actor.customer_id }}\": { write: false }\ntargets: [the shop]\n",
    );
    assert_snapshot!(sent(&place), @r#"
      POST /carts
        authorization: Bearer b-<actor.customer_id>
        {"acl":{"all":{"read":true}},"<actor.customer_id>":{"write":false}}
    "#);
}

#[test]
fn a_key_of_a_body_can_only_use_names_that_exist() {
    let place = shop(
        "request:\n  method: POST\n  path: /carts\n  json:\n    a:\n      - \"{{ actor.costumer_id }}\": 1\ntargets: [the shop]\n",
    );
    assert_snapshot!(mistakes(&place), @r#"
    error: unknown symbol `actor.costumer_id`
      --> shop/endpoints/cart.yaml:6:9
      |
    6 |       - "{{ actor.costumer_id }}": 1
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: did you mean `actor.customer_id`?

    1 error
    "#);
}

#[test]
fn everything_that_does_not_compile_is_found_when_the_suite_is_listed() {
    let place = shop(
        "request:\n  method: GET\n  path: \"/carts/{% if false %}{{ actor.carts | fist }}{% endif %}\"\n  \
         headers: { x-a: \"{{ actor.customer_id | mask(3) }}\", x-b: \"{{ 'x' if 1 is prime }}\" }\n\
         targets: [the shop]\nsetup:\n  - request: { method: POST, path: \"/carts/{{ randon(3) }}\" }\n    \
         capture: { a: { json: \"id\", match: \"(a\" } }\n",
    )
    .edit("shop/world.yaml", "  visitor:\n", "  visitor:\n    calls: [\"cart[\"]\n")
    .write(
        "shop/suite.yaml",
        &format!("{SUITE}outage: [\"down[\"]\nbackground: {{ tables: [\"audit[\", \"log{{\"] }}\nendpoints: {{ \"ca[\": {{}} }}\n")
            .replace("{ default: member }", "{ default: \"{{ uuid(4) }}\" }"),
    );
    let told = mistakes(&place);
    for command in ["check", "record"] {
        assert_eq!(place.run(&[command, "shop"]).error(2), told, "{command}");
    }
    assert_snapshot!(told, @r#"
    error: template `/carts/{% if false %}{{ actor.carts | fist }}{% endif %}`: there is no filter `fist`
      --> shop/endpoints/cart.yaml:3:9
      |
    3 |   path: "/carts/{% if false %}{{ actor.carts | fist }}{% endif %}"
      |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: did you mean `first`?

    error: template `{{ actor.customer_id | mask(3) }}`: the filter `mask` takes 2 arguments, but has 1
      --> shop/endpoints/cart.yaml:4:19
      |
    4 |   headers: { x-a: "{{ actor.customer_id | mask(3) }}", x-b: "{{ 'x' if 1 is prime }}" }
      |                   ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: write `text | mask(first, last)`

    error: template `{{ 'x' if 1 is prime }}`: there is no test `prime`
      --> shop/endpoints/cart.yaml:4:61
      |
    4 |   headers: { x-a: "{{ actor.customer_id | mask(3) }}", x-b: "{{ 'x' if 1 is prime }}" }
      |                                                             ^^^^^^^^^^^^^^^^^^^^^^^^^^

    error: template `/carts/{{ randon(3) }}`: there is no function `randon`
      --> shop/endpoints/cart.yaml:7:36
      |
    7 |   - request: { method: POST, path: "/carts/{{ randon(3) }}" }
      |                                    ^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: did you mean `random`?

    error: `id` is not a JSON path: at position 0, parser error
      --> shop/endpoints/cart.yaml:8:27
      |
    8 |     capture: { a: { json: "id", match: "(a" } }
      |                           ^^^^
      = help: write a path as of RFC 9535, for instance `$.error.message`

    error: `(a` is not a regular expression: error: unclosed group
      --> shop/endpoints/cart.yaml:8:40
      |
    8 |     capture: { a: { json: "id", match: "(a" } }
      |                                        ^^^^^

    error: template `{{ uuid(4) }}`: the function `uuid` takes no argument, but has 1
      --> shop/suite.yaml:5:20
      |
    5 |   role: { default: "{{ uuid(4) }}" }
      |                    ^^^^^^^^^^^^^^^^
      = help: write `uuid()`

    error: `down[` is not a pattern: unclosed character class; missing ']'
      --> shop/suite.yaml:8:10
      |
    8 | outage: ["down["]
      |          ^^^^^^^

    error: `audit[` is not a pattern: unclosed character class; missing ']'
      --> shop/suite.yaml:9:24
      |
    9 | background: { tables: ["audit[", "log{"] }
      |                        ^^^^^^^^

    error: `log{` is not a pattern: unclosed alternate group; missing '}' (maybe escape '{' with '[{]'?)
      --> shop/suite.yaml:9:34
      |
    9 | background: { tables: ["audit[", "log{"] }
      |                                  ^^^^^^

    error: `ca[` is not a pattern: unclosed character class; missing ']'
       --> shop/suite.yaml:10:14
       |
    10 | endpoints: { "ca[": {} }
       |              ^^^^^

    error: `cart[` is not a filter: unclosed character class; missing ']'
       --> shop/world.yaml:12:13
       |
    12 |     calls: ["cart["]
       |             ^^^^^^^

    12 errors in 3 files
    "#);
}

#[test]
fn a_null_in_a_path_is_named_with_its_cells_before_anything_is_sent() {
    let place = shop(
        "request:\n  method: GET\n  path: /coupons/{{ target.id }}\n  query: { of: \"{{ actor.coupon }}\" }\ntargets: [itself]\n",
    );
    let told = mistakes(&place);
    assert_snapshot!(told, @r"
    error: `target.id` is null in `/coupons/{{ target.id }}`: `cart/itself` cannot be called by `visitor`
      --> shop/endpoints/cart.yaml:5:1
      = help: give it a value, or let them not call there: `calls` in world.yaml

    1 error
    ");
    let service = service();
    let url = service.url();
    for command in [
        &["check", "shop", "--dry-run"][..],
        &["check", "shop", "--base-url", &url],
        &["record", "shop", "--base-url", &url],
    ] {
        assert_eq!(place.run(command).error(2), told, "{command:?}");
    }
    assert_eq!(service.asked().len(), 0);
    // Who does not call there, sends nothing.
    place
        .run(&["list", "shop", "--filter", "*/*/buyer"])
        .result();
}

#[test]
fn a_null_leaves_a_parameter_out_and_stays_null_in_a_body() {
    let place = shop(
        "request:\n  method: POST\n  path: /coupons\n  query: { of: \"{{ actor.coupon }}\" }\n  \
         json: { coupon: \"{{ actor.coupon }}\" }\ntargets: [the shop]\n",
    );
    let arguments = ["check", "shop", "--dry-run", "--filter", "*/*/visitor"];
    let text = place.run(&arguments).result();
    assert!(text.contains("POST /coupons\n"), "{text}");
    assert!(text.contains(r#"{"coupon":null}"#), "{text}");
}

#[test]
fn an_actor_with_an_empty_list_of_calls_calls_nowhere() {
    let fresh = "request: { method: POST, path: /logout }\nfresh: true\ntargets: [the shop]\n";
    let place = shop(READ).write("shop/endpoints/logout.yaml", fresh).edit(
        "shop/world.yaml",
        "  visitor:\n    kind: customer\n",
        "  visitor:\n    kind: customer\n    calls: []\n",
    );
    let listed = place.run(&["list", "shop"]).result();
    assert_eq!(listed, "cart/the shop/buyer\nlogout/the shop/buyer\n");
    let dry = place.run(&["check", "shop", "--dry-run"]).result();
    assert!(
        dry.contains("2 cells, 2 requests") && !dry.contains("Bearer v-"),
        "{dry}"
    );
    let service = service();
    let recorded = place.run(&["record", "shop", "--base-url", &service.url()]);
    assert_eq!(recorded.code, Some(0), "{recorded:#?}");
    // It has no use on purpose.
    assert!(!recorded.stdout.contains("visitor"), "{recorded:#?}");
    let asked = service.asked();
    let with = |start: &str| {
        let credentials = asked
            .iter()
            .filter_map(|request| request.header("authorization"));
        credentials.filter(|one| one.starts_with(start)).count()
    };
    assert!(with("Bearer b-") >= 4, "{asked:#?}");
    assert_eq!(with("Bearer v-"), 0, "{asked:#?}");
    let record = fs::read_to_string(place.path("shop/snapshots/logout.snap")).unwrap();
    assert!(
        record.contains("buyer: ") && !record.contains("visitor"),
        "{record}"
    );
}

#[test]
fn a_variable_is_named_in_answers_only_where_the_suite_says_that_it_is_a_symbol() {
    let closed = "request: { method: GET, path: /closed }\ntargets: [the shop]\n";
    let place = shop(READ).write("shop/endpoints/closed.yaml", closed);
    let service = service();
    let url = service.url();
    let recorded = place.run(&["record", "shop", "--base-url", &url]);
    assert_eq!(recorded.code, Some(0), "{recorded:#?}");
    let record = fs::read_to_string(place.path("shop/snapshots/closed.snap")).unwrap();
    assert!(
        record.contains(": 'branch <branch>: member role required'"),
        "{record}"
    );
    let other = [
        "check",
        "shop",
        "--base-url",
        &url,
        "--var",
        "role=required",
    ];
    let checked = place.run(&other);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
}
