//! What the headers of answers say of access is recorded, and drifts.

use std::fs;
use std::sync::LazyLock;

use insta::assert_snapshot;
use serde_json::Value;

use super::heads::{SECRET, Served};
use super::place::{Place, checks};

/// The suite recorded with the hole closed, and checked with it open.
struct Swept {
    place: Place,
    /// What each check says in another order, with the hole closed.
    again: Vec<String>,
    report: Value,
}

static SWEPT: LazyLock<Swept> = LazyLock::new(|| {
    let (service, place) = (Served::start(), Place::with("heads"));
    let url = service.url();
    let run = |arguments: &[&str]| {
        let service = ["heads", "--base-url", &url];
        place.run(&[&arguments[..1], &service, &arguments[1..]].concat())
    };
    run(&["record", "--reason", "so it is"]).result();
    let again = || run(&["check", "--concurrency", "1"]).result();
    let again = (0..checks()).map(|_| again()).collect();
    service.open_hole();
    let open = run(&["check", "--report", "json=open.json"]);
    assert_eq!(open.code, Some(1), "{open:#?}");
    let report = fs::read_to_string(place.path("open.json")).unwrap();
    Swept {
        report: serde_json::from_str(&report).unwrap(),
        place,
        again,
    }
});

/// How the record of a case differs with the hole open, but for the endings of sentences that stand there already.
fn drift(case: &str) -> String {
    let endpoints = SWEPT.report["endpoints"].as_array().unwrap();
    let own = endpoints.iter().find(|it| it["name"] == case).unwrap();
    let line = |drift: &Value| {
        let text = |key: &str| drift[key].as_str().unwrap_or_default().to_owned();
        format!(
            "{} {}: {} -> {}",
            text("kind"),
            text("actor"),
            text("was"),
            text("is")
        )
    };
    let drifts = own["drifts"].as_array().unwrap().iter();
    drifts.map(line).collect::<Vec<_>>().join("\n")
}

/// What the record of a case says, without what stands above it.
fn record(case: &str) -> String {
    let file = SWEPT.place.path(&format!("heads/snapshots/{case}.snap"));
    let text = fs::read_to_string(file).unwrap();
    let (_, record) = text.split_once("\n---\n").unwrap();
    record.to_owned()
}

#[test]
fn headers_are_the_same_in_every_sweep_while_nothing_changes() {
    for again in &SWEPT.again {
        assert!(again.contains("as pinned"), "{again}");
    }
}

#[test]
fn what_most_answers_say_stands_once_and_a_uniform_record_has_no_labels() {
    assert_snapshot!(record("others-cookie"), @r"
    format: 2
    endpoint: GET /cases/others-cookie/{{ target.item_id }}
    gates:
      who-are-you: who are you
    headers:
      common 200:
      - 'set-cookie: session=<actor.token>; HttpOnly'
    values: {}
    shapes:
      body e3b0: []
    cells:
      owner's item:
        owner: {allowed: 200, discloses: [actor.token], effects: not observed, shape: body e3b0}
        friend: {allowed: 200, discloses: [actor.token], effects: not observed, shape: body e3b0}
        stranger: {allowed: 200, discloses: [actor.token], effects: not observed, shape: body e3b0}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
    ");
}

#[test]
fn data_in_the_body_of_a_redirect_are_another_shape() {
    assert_snapshot!(drift("redirect-data"), @"
    refusal-tells-more stranger: nothing -> iban
    refusal-tells-more anonymous: nothing -> iban
    ");
}

#[test]
fn a_page_of_a_redirect_that_says_more_than_that_is_another_shape() {
    assert_snapshot!(drift("redirect-page"), @"
    refusal-tells-more stranger: nothing -> <not JSON>
    refusal-tells-more anonymous: nothing -> <not JSON>
    ");
}

#[test]
fn a_redirect_that_says_something_else_in_its_query_leads_elsewhere() {
    assert_snapshot!(drift("redirect-flash"), @r#"widened stranger: 302 redirect to /list?flash=denied&state=<value> -> 302 redirect to /list?flash=saved&state=<value>"#);
}

#[test]
fn a_redirect_to_another_host_leads_elsewhere() {
    assert_snapshot!(drift("redirect-elsewhere"), @"
    redirect-changed stranger: 302 redirect to /in -> 302 redirect to https://elsewhere.example/in
    redirect-changed anonymous: 302 redirect to /in -> 302 redirect to https://elsewhere.example/in
    ");
}

#[test]
fn a_redirect_to_another_view_of_a_page_leads_elsewhere() {
    assert_snapshot!(drift("redirect-fragment"), @"
    widened stranger: 302 redirect to /#/denied -> 302 redirect to /#/home
    widened anonymous: 302 redirect to /#/denied -> 302 redirect to /#/home
    ");
}

#[test]
fn identifiers_and_secrets_in_headers_of_a_refusal_are_disclosed() {
    assert_snapshot!(drift("leak-refused"), @"
    disclosure-widened stranger: not disclosed -> owner.token, owner.user_id
    finding-added stranger:  -> others-secret-disclosed: a caller was shown owner.token
    finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.token, owner.user_id
    header-changed stranger: nothing -> set-cookie: session=<token>, x-owner: <user_id>
    ");
}

#[test]
fn a_cookie_with_anothers_credential_discloses_it() {
    assert_snapshot!(drift("others-cookie"), @"
    disclosure-widened friend: not disclosed -> owner.token
    disclosure-widened stranger: not disclosed -> owner.token
    finding-added friend:  -> others-secret-disclosed: a caller was shown owner.token
    finding-added stranger:  -> others-secret-disclosed: a caller was shown owner.token
    finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.token
    header-changed friend: set-cookie: session=<actor.token>; HttpOnly -> set-cookie: session=<token>; HttpOnly
    header-changed stranger: set-cookie: session=<actor.token>; HttpOnly -> set-cookie: session=<token>; HttpOnly
    disclosure-narrowed friend: actor.token -> not disclosed
    disclosure-narrowed stranger: actor.token -> not disclosed
    ");
}

#[test]
fn a_cookie_that_lost_its_attributes_is_another_one() {
    assert_snapshot!(drift("cookie-flags"), @"
    header-changed owner: set-cookie: sid=<value>; HttpOnly; Max-Age; Path=/; SameSite=lax; Secure -> set-cookie: sid=<value>; Domain=.example.org; Max-Age; Path=/
    header-changed friend: set-cookie: sid=<value>; HttpOnly; Max-Age; Path=/; SameSite=lax; Secure -> set-cookie: sid=<value>; Domain=.example.org; Max-Age; Path=/
    header-changed stranger: set-cookie: sid=<value>; HttpOnly; Max-Age; Path=/; SameSite=lax; Secure -> set-cookie: sid=<value>; Domain=.example.org; Max-Age; Path=/
    ");
}

#[test]
fn the_challenge_of_an_empty_refusal_is_its_gate() {
    assert_snapshot!(drift("challenge"), @r#"gate-changed stranger: 401 Bearer error="insufficient_scope" -> 401 Bearer error="invalid_token""#);
}

#[test]
fn of_several_challenges_each_is_told_and_what_is_drawn_is_not() {
    assert_snapshot!(drift("challenges"), @r#"
    gate-changed stranger: 401 Bearer scope="read", Digest nonce="<value>", realm="a, b" -> 401 Basic realm="a, b", Digest nonce="<value>", realm="a, b"
    gate-changed anonymous: 401 Bearer scope="read", Digest nonce="<value>", realm="a, b" -> 401 Basic realm="a, b", Digest nonce="<value>", realm="a, b"
    "#);
}

#[test]
fn a_realm_that_names_somebody_discloses_it() {
    assert_snapshot!(drift("realm"), @r#"
    disclosure-widened stranger: not disclosed -> owner.user_id
    disclosure-widened anonymous: not disclosed -> owner.user_id
    finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.user_id
    gate-changed stranger: 401 Bearer realm="items" -> 401 Bearer realm="<user_id>"
    gate-changed anonymous: 401 Bearer realm="items" -> 401 Bearer realm="<user_id>"
    "#);
}

#[test]
fn a_location_of_what_was_made_that_is_anothers_is_disclosed() {
    assert_snapshot!(drift("created"), @"
    disclosure-widened owner: not disclosed -> target.item_id
    disclosure-widened friend: not disclosed -> target.item_id
    disclosure-widened stranger: not disclosed -> target.item_id
    header-changed owner: location: /items/<value> -> location: /items/<target.item_id>
    header-changed friend: location: /items/<value> -> location: /items/<target.item_id>
    header-changed stranger: location: /items/<value> -> location: /items/<target.item_id>
    ");
}

#[test]
fn an_etag_with_anothers_identifier_discloses_it() {
    assert_snapshot!(drift("etag"), @"
    disclosure-widened friend: not disclosed -> owner.user_id
    disclosure-widened stranger: not disclosed -> owner.user_id
    finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.user_id
    header-changed friend: etag: <actor.user_id> -> etag: <user_id>
    header-changed stranger: etag: <actor.user_id> -> etag: <user_id>
    disclosure-narrowed friend: actor.user_id -> not disclosed
    disclosure-narrowed stranger: actor.user_id -> not disclosed
    ");
}

#[test]
fn a_link_with_anothers_identifier_discloses_it() {
    assert_snapshot!(drift("link"), @"
    disclosure-widened friend: not disclosed -> owner.user_id
    disclosure-widened stranger: not disclosed -> owner.user_id
    finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.user_id
    header-changed friend: link: next (<actor.user_id>) -> link: next (<user_id>)
    header-changed stranger: link: next (<actor.user_id>) -> link: next (<user_id>)
    disclosure-narrowed friend: actor.user_id -> not disclosed
    disclosure-narrowed stranger: actor.user_id -> not disclosed
    ");
}

#[test]
fn an_origin_that_may_read_is_told() {
    assert_snapshot!(drift("cors"), @"
    header-changed owner: access-control-allow-origin: https://app.example.org -> access-control-allow-origin: https://evil.example.org
    header-changed friend: access-control-allow-origin: https://app.example.org -> access-control-allow-origin: https://evil.example.org
    header-changed stranger: access-control-allow-origin: https://app.example.org -> access-control-allow-origin: https://evil.example.org
    ");
}

#[test]
fn who_may_keep_an_answer_is_told() {
    assert_snapshot!(drift("cache"), @"
    header-changed owner: cache-control: no-store, private, vary: Accept, Cookie -> cache-control: max-age, public, vary: Accept
    header-changed friend: cache-control: no-store, private, vary: Accept, Cookie -> cache-control: max-age, public, vary: Accept
    header-changed stranger: cache-control: no-store, private, vary: Accept, Cookie -> cache-control: max-age, public, vary: Accept
    ");
}

#[test]
fn methods_that_are_allowed_are_told_in_any_order() {
    assert_snapshot!(drift("allow"), @"
    header-changed stranger: allow: GET, HEAD -> allow: DELETE, GET, HEAD
    header-changed anonymous: allow: GET, HEAD -> allow: DELETE, GET, HEAD
    ");
}

#[test]
fn another_media_type_of_a_refusal_is_told() {
    assert_snapshot!(drift("media-type"), @"
    header-changed stranger: content-type: application/problem+json -> content-type: text/html; charset=utf-8
    header-changed anonymous: content-type: application/problem+json -> content-type: text/html; charset=utf-8
    ");
}

#[test]
fn a_refresh_that_leads_elsewhere_is_told() {
    assert_snapshot!(drift("refresh"), @"
    widened owner: 200 redirect to /in?to=denied -> 200
    widened friend: 200 redirect to /in?to=denied -> 200
    widened stranger: 200 redirect to /in?to=denied -> 200
    ");
}

#[test]
fn a_secret_that_no_suite_names_is_in_no_record_wherever_a_header_has_it() {
    let record = record("secrets");
    assert!(!record.contains(SECRET), "{record}");
    assert_snapshot!(record, @r#"
    format: 2
    endpoint: GET /cases/secrets/{{ target.item_id }}
    gates:
      who-are-you: who are you
    headers:
      common 200:
      - 'access-control-allow-origin: <value>'
      - 'allow: <value>'
      - 'cache-control: private=<value>'
      - content-language
      - etag
      - 'link: <value>'
      - 'location: /<value>?<value>=<value>#<value>'
      - 'refresh: /?<value>=<value>'
      - 'set-cookie: <value>=<value>; Path=<value>'
      - 'www-authenticate: <value> a="<value>", b="<value>"'
      - x-token
    values: {}
    shapes:
      body e3b0: []
    cells:
      owner's item:
        owner: {allowed: 200, effects: not observed, shape: body e3b0}
        friend: {allowed: 200, effects: not observed, shape: body e3b0}
        stranger: {allowed: 200, effects: not observed, shape: body e3b0}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
    "#);
    assert!(!SWEPT.report.to_string().contains(SECRET));
}

const UNSTEADY: &str = "request: { method: GET, path: \"/cases/unsteady/{{ target.item_id }}\" }\ntargets: [owner's item]\n";

#[test]
fn a_header_that_comes_and_goes_is_named_with_its_rule_and_calibration_adds_it() {
    let service = Served::start();
    let place = Place::with("heads").write("heads/endpoints/unsteady.yaml", UNSTEADY);
    let url = service.url();
    let fixed = [
        "record",
        "heads",
        "--base-url",
        &url,
        "--reason",
        "so it is",
    ];
    let run = |more: &[&str]| {
        let filter = ["--filter", "unsteady"];
        place.run(&[&fixed[..], &filter, more].concat())
    };
    assert_snapshot!(run(&[]).error(5), @r#"
    swept unsteady: 4 cells
    swept unsteady: 4 cells
    error: two sweeps of the same service differ, nothing was accepted:
      unsteady: header set-cookie=lb
        owner's item/owner: set-cookie: lb=<value> / not there
        owner's item/friend: set-cookie: lb=<value> / not there
        owner's item/stranger: set-cookie: lb=<value> / not there
        and 1 more cells
      unsteady: header x-shard
        owner's item/owner: x-shard / not there
        owner's item/friend: x-shard / not there
        owner's item/stranger: x-shard / not there
        and 1 more cells
      = help: add to suite.yaml, or let `--calibrate` do it:
    headers:
      ignore:
        # not the same in two sweeps of unsteady/owner's item/owner
        - "set-cookie=lb"
        # not the same in two sweeps of unsteady/owner's item/owner
        - x-shard
    "#);
    let service = Served::start();
    let url = service.url();
    let fixed = [
        "record",
        "heads",
        "--base-url",
        &url,
        "--reason",
        "so it is",
    ];
    let calibrate = ["--filter", "unsteady", "--calibrate"];
    place.run(&[&fixed[..], &calibrate].concat()).result();
    let suite = fs::read_to_string(place.path("heads/suite.yaml")).unwrap();
    let (_, added) = suite.split_once("message: $.error\n").unwrap();
    assert_snapshot!(added, @r#"
    headers:
      ignore:
        # not the same in two sweeps of unsteady/owner's item/owner
        - "set-cookie=lb"
        # not the same in two sweeps of unsteady/owner's item/owner
        - x-shard
    "#);
}

#[test]
fn only_what_the_suite_lists_is_in_a_record_and_all_is_searched() {
    let service = Served::start();
    service.open_hole();
    let listed = "refusal:\n  message: $.error\nheaders:\n  only: [X-Owner, set-cookie]\n  ignore: [set-cookie=session]\n";
    let place =
        Place::with("heads").edit("heads/suite.yaml", "refusal:\n  message: $.error\n", listed);
    let (url, filter) = (service.url(), ["--filter", "leak-refused"]);
    let record = [
        "record",
        "heads",
        "--base-url",
        &url,
        "--reason",
        "so it is",
    ];
    place.run(&[&record[..], &filter].concat()).result();
    let file = place.path("heads/snapshots/leak-refused.snap");
    let text = fs::read_to_string(file).unwrap();
    let (_, record) = text.split_once("\n---\n").unwrap();
    assert_snapshot!(record, @r#"
    format: 2
    endpoint: GET /cases/leak-refused/{{ target.item_id }}
    gates:
      no: no
    headers:
      common 403:
      - 'x-owner: <user_id>'
    values:
      common:
        page: 1
    shapes:
      body 3660:
      - page
    cells:
      owner's item:
        owner: {allowed: 200, effects: not observed, shape: body 3660}
        friend: {allowed: 200, effects: not observed, shape: body 3660}
        stranger: {denied: 403, gate: "no", discloses: [owner.token, owner.user_id], effects: not observed}
        anonymous: {denied: 401, gate: "no", effects: not observed}
    findings:
    - {kind: others-secret-disclosed, target: owner's item, actor: stranger, detail: was shown owner.token}
    - {kind: other-tenant-disclosed, target: owner's item, actor: stranger, detail: 'of south was shown owner.token, owner.user_id'}
    - {kind: status-differs, detail: '`no` refuses with 401 and 403'}
    "#);
}
