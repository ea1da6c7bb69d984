//! Answers of many forms, each with a hole: a refusal is seen as one, what opens is told in its direction, and a success stays
//! one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value as Json;

use super::place::Place;
use super::served::{runtime, serve};

/// A status, headers, and a body.
type Said = (u16, &'static [(&'static str, &'static str)], &'static str);

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const XML: &[(&str, &str)] = &[("content-type", "application/xml")];

/// What an outsider is answered with the hole closed and open, and what that is.
struct Case {
    name: &'static str,
    /// What the request has besides its path.
    request: &'static str,
    closed: Said,
    open: Said,
    /// What the outsider's line in the record begins with.
    line: &'static str,
    /// The kinds of drift that the hole is told as.
    drift: &'static [&'static str],
}

impl Case {
    const fn get(name: &'static str, closed: Said, open: Said) -> Self {
        Self {
            name,
            request: "method: GET",
            closed,
            open,
            line: "",
            drift: &[],
        }
    }

    const fn is(self, line: &'static str, drift: &'static [&'static str]) -> Self {
        Self {
            line,
            drift,
            ..self
        }
    }

    const fn asked(self, request: &'static str) -> Self {
        Self { request, ..self }
    }
}

struct Inside {
    cases: &'static [Case],
    is_open: AtomicBool,
}

async fn answer(State(inside): State<Arc<Inside>>, request: Request) -> Response {
    let path = request.uri().path().trim_matches('/');
    let name = path.split('/').next().unwrap_or_default();
    let Some(case) = inside.cases.iter().find(|case| case.name == name) else {
        return StatusCode::OK.into_response();
    };
    let actor = request
        .headers()
        .get("x-actor")
        .map(|it| it.to_str().unwrap());
    let (status, headers, body) = match actor {
        None => return StatusCode::UNAUTHORIZED.into_response(),
        Some("insider") => (200, JSON, "{\"name\":\"n\"}"),
        Some(_) if inside.is_open.load(Ordering::SeqCst) => case.open,
        Some(_) => case.closed,
    };
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    response.body(Body::from(body)).unwrap()
}

const SUITE: &str = "name: forms
snapshots: snapshots
service: { ready: /, settle_ms: 0 }
";
const WORLD: &str = "kinds: {}
entities: {}
actors:
  insider: { auth: { headers: { x-actor: insider } } }
  outsider: { auth: { headers: { x-actor: outsider } } }
  anonymous: {}
";

fn suite(cases: &[Case]) -> Place {
    let mut place = Place::empty()
        .write("forms/suite.yaml", SUITE)
        .write("forms/world.yaml", WORLD)
        .write("forms/targets.yaml", "targets: { all: {} }\n");
    for case in cases {
        let Case { name, request, .. } = case;
        let path = format!("forms/endpoints/{name}.yaml");
        let text = format!("request: {{ {request}, path: /{name}/7 }}\ntargets: [all]\n");
        place = place.write(&path, &text);
    }
    place
}

/// What was recorded of the outsider, and the kinds of drift once the hole is open, by the case.
fn swept(cases: &'static [Case]) -> BTreeMap<&'static str, (String, Vec<String>)> {
    let (runtime, place) = (runtime(), suite(cases));
    let inside = Arc::new(Inside {
        cases,
        is_open: AtomicBool::new(false),
    });
    let routes = Router::new()
        .fallback(answer)
        .with_state(Arc::clone(&inside));
    let url = format!("http://{}", serve(&runtime, routes));
    let run = |arguments: &[&str]| place.run(&[arguments, &["--base-url", &url]].concat());
    run(&["record", "forms", "--reason", "so it is"]).result();
    run(&["check", "forms"]).result();
    inside.is_open.store(true, Ordering::SeqCst);
    let ended = run(&["check", "forms", "--format", "json"]);
    let report: Json = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
    let all = report["endpoints"].as_array().unwrap();
    let of = |case: &Case| {
        let file = place.path(&format!("forms/snapshots/{}.snap", case.name));
        let text = std::fs::read_to_string(file).unwrap();
        let mut lines = text.lines().map(str::trim);
        let line = lines
            .find_map(|line| line.strip_prefix("outsider: "))
            .unwrap();
        let own = all.iter().find(|one| one["name"] == case.name).unwrap();
        let drifts = own["drifts"].as_array().unwrap().iter();
        let kinds = drifts.filter(|drift| drift["actor"] == "outsider");
        let mut kinds: Vec<String> = kinds
            .map(|drift| drift["kind"].as_str().unwrap().to_owned())
            .filter(|kind| !kind.starts_with("finding"))
            .collect();
        kinds.dedup();
        (line.replace("effects: not observed", "..."), kinds)
    };
    cases.iter().map(|case| (case.name, of(case))).collect()
}

/// Holds every case to what it says of itself.
fn hold(cases: &'static [Case]) {
    let swept = swept(cases);
    let mut wrong = String::new();
    for case in cases {
        let (line, kinds) = &swept[case.name];
        if !line.starts_with(case.line) || kinds != case.drift {
            let wanted = (case.line, case.drift);
            let _ = writeln!(wrong, "{}: {line} {kinds:?}, not {wanted:?}", case.name);
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

const fn to(place: &'static [(&'static str, &'static str)]) -> Said {
    (302, place, "")
}

#[test]
fn a_redirect_that_leads_elsewhere_is_never_less_than_a_denial() {
    const DATA: &[(&str, &str)] = &[("location", "/"), ("content-type", "application/json")];
    const CASES: &[Case] = &[
        Case::get(
            "expired",
            to(&[("location", "/session-expired")]),
            to(&[("location", "/")]),
        )
        .is("{denied: 302, by: login-redirect", &["widened"]),
        Case::get(
            "error",
            to(&[("location", "/login?error=1")]),
            to(&[("location", "/items/17")]),
        )
        .is("{denied: 302, by: login-redirect", &["widened"]),
        Case::get(
            "failed",
            to(&[("location", "/home?error=1")]),
            to(&[("location", "/home")]),
        )
        .is("{denied: 302, by: login-redirect", &["widened"]),
        Case::get(
            "back",
            to(&[("location", "/start?next=%2Fback%2F7")]),
            to(&[("location", "/start")]),
        )
        .is("{denied: 302, by: login-redirect", &["widened"]),
        Case::get(
            "home",
            to(&[("location", "/")]),
            to(&[("location", "/items/17")]),
        )
        .is("{redirected: 302", &["redirect-changed"]),
        Case::get(
            "host",
            to(&[("location", "/login")]),
            to(&[("location", "https://a.example/login")]),
        )
        .is("{denied: 302, by: login-redirect", &["redirect-changed"]),
        Case::get(
            "data",
            to(&[("location", "/")]),
            (302, DATA, "{\"iban\":\"x\"}"),
        )
        .is("{redirected: 302", &["refusal-tells-more"]),
    ];
    hold(CASES);
}

#[test]
fn what_leads_a_client_elsewhere_without_a_status_for_it_is_a_redirect() {
    const LOGIN: &str = "<meta http-equiv=\"refresh\" content=\"0; url=/login\">";
    const CASES: &[Case] = &[
        Case::get(
            "refresh",
            (200, &[("refresh", "0; url=/session-expired")], ""),
            (200, &[("refresh", "0; url=/items/17")], ""),
        )
        .is(
            "{denied: 200, by: login-redirect, gate: redirect-to-session-expired",
            &["widened"],
        ),
        Case::get(
            "htmx",
            (200, &[("hx-redirect", "/login")], ""),
            (200, &[("hx-redirect", "/items/a")], ""),
        )
        .is(
            "{denied: 200, by: login-redirect, gate: redirect-to-login",
            &["widened"],
        ),
        Case::get("meta", (200, HTML, LOGIN), (200, HTML, "<p>17")).is(
            "{denied: 200, by: login-redirect, gate: redirect-to-login",
            &["widened"],
        ),
        Case::get(
            "script",
            (200, HTML, "<script>location.href='/login'</script>"),
            (200, HTML, "<p>17"),
        )
        .is(
            "{denied: 200, by: login-redirect, gate: redirect-to-login",
            &["widened"],
        ),
        Case::get(
            "json",
            (200, JSON, "{\"redirect\":\"/login\"}"),
            (200, JSON, "{\"redirect\":\"/items\"}"),
        )
        .is(
            "{denied: 200, by: login-redirect, gate: redirect-to-login",
            &["widened"],
        ),
        Case::get(
            "meta-place",
            (200, HTML, "<meta http-equiv=refresh content='0;url=/home'>"),
            (
                200,
                HTML,
                "<meta http-equiv=refresh content='0;url=/items/mine'>",
            ),
        )
        .is("{allowed: 200", &["redirect-changed", "value-changed"]),
        Case::get(
            "htmx-place",
            (200, &[("hx-location", "{\"path\":\"/home\"}")], ""),
            (200, &[("hx-location", "{\"path\":\"/mine\"}")], ""),
        )
        .is("{allowed: 200", &["redirect-changed"]),
    ];
    hold(CASES);
}

#[test]
fn a_header_that_says_what_the_caller_may_do_is_told_with_its_words() {
    const CASES: &[Case] = &[
        Case::get(
            "role",
            (200, &[("x-user-role", "reader")], ""),
            (200, &[("x-user-role", "admin")], ""),
        )
        .is("{allowed: 200", &["header-changed"]),
        Case::get(
            "scopes",
            (200, &[("x-oauth-scopes", "read, list")], ""),
            (200, &[("x-oauth-scopes", "list, read, write")], ""),
        )
        .is("{allowed: 200", &["header-changed"]),
        Case::get(
            "order",
            (200, &[("x-oauth-scopes", "read, list")], ""),
            (200, &[("x-oauth-scopes", "list,read")], ""),
        )
        .is("{allowed: 200", &[]),
        Case::get(
            "drawn",
            (200, &[("x-role-id", "9f2c4b7ad01e")], ""),
            (200, &[("x-role-id", "0a1b2c3d4e5f")], ""),
        )
        .is("{allowed: 200", &[]),
    ];
    hold(CASES);
}

#[test]
fn a_text_that_is_added_to_a_refusal_tells_more() {
    const MORE: &[&str] = &["refusal-tells-more"];
    const CASES: &[Case] = &[
        Case::get("page", (403, HTML, "<html><p>Not yours</p></html>"), (403, HTML, "<html><p>Not yours</p><pre>at views.py:31</pre></html>"))
            .is("{denied: 403, gate", MORE),
        Case::get("comment", (403, HTML, "<html><p>Not yours</p></html>"), (403, HTML, "<html><p>Not yours</p><!-- SELECT --></html>"))
            .is("{denied: 403, gate", MORE),
        Case::get("xml", (403, XML, "<e><m>Not yours</m></e>"), (403, XML, "<e><m>Not yours</m><owner>ann</owner></e>"))
            .is("{denied: 403, gate", MORE),
        Case::get("text", (403, &[], "Not yours"), (403, &[], "Not yours: role admin is needed"))
            .is("{denied: 403, gate", MORE),
        Case::get("other", (403, HTML, "<html><p>Not yours</p></html>"), (403, HTML, "<html><p>Closed today</p></html>"))
            .is("{denied: 403, gate", &["gate-changed"]),
        Case::get("batch", (200, JSON, r#"[{"id":1,"status":200},{"id":2,"status":403,"message":"no"}]"#), (200, JSON, r#"[{"id":1,"status":200},{"id":2,"status":403,"message":"no","detail":"SELECT"}]"#))
            .is("{allowed: 200, by: batch, refused: [\"2\"]", &["refusal-tells-more", "shape-changed"]),
        Case::get("value", (207, JSON, r#"[{"id":1,"status":200},{"id":2,"status":403,"message":"no","detail":null}]"#), (207, JSON, r#"[{"id":1,"status":200},{"id":2,"status":403,"message":"no","detail":"SELECT"}]"#))
            .is("{allowed: 207, by: multi-status, refused: [\"2\"]", MORE),
        Case::get("dav", (207, XML, "<m><response><href>/a</href><status>HTTP/1.1 200 OK</status></response><response><href>/b</href><status>HTTP/1.1 403 No</status></response></m>"), (207, XML, "<m><response><href>/a</href><status>HTTP/1.1 200 OK</status></response><response><href>/b</href><status>HTTP/1.1 403 No</status><responsedescription>owner ann</responsedescription></response></m>"))
            .is("{allowed: 207, by: multi-status, refused: [\"/b\"]", &["refusal-tells-more", "shape-changed"]),
        Case::get("graphql", (200, JSON, r#"{"data":{"a":1,"b":null},"errors":[{"message":"no","path":["b"]}]}"#), (200, JSON, r#"{"data":{"a":1,"b":null},"errors":[{"message":"no","path":["b"],"extensions":{"stack":"at x"}}]}"#))
            .is("{allowed: 200, by: graphql, refused: [b]", &["refusal-tells-more", "shape-changed"]),
    ];
    hold(CASES);
}

#[test]
fn a_refusal_in_a_success_of_any_form_is_one() {
    const WIDENED: &[&str] = &["widened"];
    const GIVEN: Said = (200, JSON, r#"{"seats":[3]}"#);
    const MUTATION: &str = "method: POST, json: { query: \"mutation { deleteThing }\" }";
    const CASES: &[Case] = &[
        Case::get("flickr", (200, JSON, r#"{"stat":"fail","code":99,"message":"no"}"#), (200, JSON, r#"{"stat":"ok","seats":3}"#)).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("meta", (200, JSON, r#"{"meta":{"code":403,"error_type":"NotAllowed","error_message":"no"}}"#), (200, JSON, r#"{"meta":{"code":200},"data":[]}"#)).is("{denied: 200, by: ok-flag, gate: \"no\"", WIDENED),
        Case::get("jsend", (200, JSON, r#"{"status":"fail","data":{"seat":"no"}}"#), (200, JSON, r#"{"status":"success","data":null}"#)).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("result", (200, JSON, r#"{"result":{"error":"no"}}"#), (200, JSON, r#"{"result":{"error":null}}"#)).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("code", (200, JSON, r#"{"code":403,"msg":"no"}"#), (200, JSON, r#"{"code":200,"msg":"yes"}"#)).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("word", (200, JSON, r#"{"code":"ACCESS_DENIED","msg":"no"}"#), (200, JSON, r#"{"code":"OK","msg":"yes"}"#)).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("texts", (200, JSON, r#"{"success":"false"}"#), (200, JSON, r#"{"success":"true"}"#)).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("by-name", (200, JSON, r#"{"results":{"a":{"ok":true},"b":{"error":"forbidden"}}}"#), (200, JSON, r#"{"results":{"a":{"ok":true},"b":{"ok":true}}}"#)).is("{allowed: 200, by: batch, refused: [b]", &["widened", "shape-changed"]),
        Case::get("jsonp", (200, &[("content-type", "text/javascript")], "cb({\"ok\":false,\"error\":\"no\"});"), GIVEN).is("{denied: 200, by: ok-flag", WIDENED),
        Case::get("ndjson", (200, &[("content-type", "application/x-ndjson")], "{\"ok\":true,\"id\":1}\n{\"ok\":false,\"id\":2,\"error\":\"no\"}\n"), (200, &[("content-type", "application/x-ndjson")], "{\"ok\":true,\"id\":1}\n{\"ok\":true,\"id\":2}\n")).is("{allowed: 200, by: batch, refused: [\"2\"]", &["widened", "shape-changed"]),
        Case::get("mutation", (200, JSON, r#"{"data":{"deleteThing":false}}"#), (200, JSON, r#"{"data":{"deleteThing":true}}"#)).asked(MUTATION).is("{denied: 200, by: graphql", WIDENED),
        Case::get("success", (200, JSON, r#"{"data":{"deleteThing":{"success":false}}}"#), (200, JSON, r#"{"data":{"deleteThing":{"success":true}}}"#)).asked(MUTATION).is("{denied: 200, by: graphql", WIDENED),
        Case::get("forum", (200, HTML, "<title>Forum</title><h2>Information</h2><p>You are not authorised to read this forum.</p>"), (200, HTML, "<title>Forum</title><p>Topics")).is("{denied: 200, by: refusal-text, gate: you-are", WIDENED),
    ];
    hold(CASES);
}

#[test]
fn a_success_that_looks_like_a_refusal_is_none() {
    const fn given(name: &'static str, body: &'static str) -> Case {
        let said = (200, JSON, body);
        Case::get(name, said, said).is("{allowed: 200, ...", &[])
    }
    const CASES: &[Case] = &[
        given("code", r#"{"code":200}"#),
        given("ok", r#"{"status":"ok"}"#),
        given("errors", r#"{"errors":[]}"#),
        given("null", r#"{"error":null}"#),
        given("meta", r#"{"meta":{"code":200},"data":[1]}"#),
        given(
            "jobs",
            r#"{"items":[{"id":1,"error":"disk full"},{"id":2,"error":null}]}"#,
        ),
        given("failed", r#"[{"id":1,"error":"disk full"}]"#),
        given("health", r#"{"db":{"ok":true},"cache":{"ok":false}}"#),
        given(
            "runs",
            r#"{"results":[{"ok":true,"id":1},{"ok":false,"id":2,"error":"disk full"}]}"#,
        ),
        given("place", r#"{"location":"Rome"}"#),
        given("false", r#"{"data":{"deleteThing":false}}"#),
        Case::get(
            "query",
            (200, JSON, r#"{"data":{"hasSeat":false}}"#),
            (200, JSON, r#"{"data":{"hasSeat":false}}"#),
        )
        .asked("method: POST, json: { query: \"query { hasSeat }\" }")
        .is("{allowed: 200, ...", &[]),
        Case::get(
            "wiki",
            (
                200,
                HTML,
                "<title>Page</title><p>You do not have permission to edit this page.",
            ),
            (
                200,
                HTML,
                "<title>Page</title><p>You do not have permission to edit this page.",
            ),
        )
        .is("{allowed: 200,", &[]),
    ];
    hold(CASES);
}

#[test]
fn a_call_that_lists_what_it_could_not_do_did_the_rest() {
    const DAV: &str =
        "<m><response><href>/tree/7/b</href><status>HTTP/1.1 403 No</status></response></m>";
    const ITSELF: &str =
        "<m><response><href>/itself/7/</href><status>HTTP/1.1 403 No</status></response></m>";
    const CASES: &[Case] = &[
        Case::get("tree", (207, XML, DAV), (204, &[], ""))
            .asked("method: DELETE")
            .is(
                "{allowed: 207, by: multi-status, refused: [\"",
                &[
                    "widened",
                    "status-changed",
                    "header-changed",
                    "shape-changed",
                ],
            ),
        Case::get("itself", (207, XML, ITSELF), (204, &[], ""))
            .asked("method: DELETE")
            .is("{denied: 207, by: multi-status", &["widened"]),
    ];
    hold(CASES);
}

#[test]
fn errors_in_the_increments_of_a_response_refuse_their_part() {
    const PARTS: &[(&str, &str)] = &[(
        "content-type",
        "multipart/mixed; boundary=\"-\"; deferSpec=20220824",
    )];
    const FIRST: &str = "\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":{\"thing\":{\"name\":\"n\"}},\"hasNext\":true}\r\n---\r\ncontent-type: application/json\r\n\r\n{\"incremental\":[{\"path\":[\"thing\"],\"data\":null,\"errors\":[{\"message\":\"not yours\",\"path\":[\"thing\",\"owner\"]}]}],\"hasNext\":false}\r\n-----\r\n";
    const SECOND: &str = "\r\n---\r\ncontent-type: application/json\r\n\r\n{\"data\":{\"thing\":{\"name\":\"n\"}},\"hasNext\":true}\r\n---\r\ncontent-type: application/json\r\n\r\n{\"incremental\":[{\"path\":[\"thing\"],\"data\":{\"owner\":\"o\"}}],\"hasNext\":false}\r\n-----\r\n";
    const CASES: &[Case] = &[
        Case::get("defer", (200, PARTS, FIRST), (200, PARTS, SECOND))
            .asked("method: POST, json: { query: \"query { thing { name } }\" }")
            .is(
                "{allowed: 200, by: graphql, refused: [thing.owner], gate: not-yours",
                &["widened", "shape-changed"],
            ),
    ];
    hold(CASES);
}

/// Refuses an outsider in words that are other ones each time, and strangers by this status.
fn varying(status: u16) -> Router {
    let count = Arc::new(AtomicUsize::new(17));
    Router::new().fallback(async move |request: Request| {
        let number = count.fetch_add(13, Ordering::SeqCst);
        let actor = request
            .headers()
            .get("x-actor")
            .map(|it| it.to_str().unwrap().to_owned());
        let words = format!("no plan, try again in {number} s (request {number})");
        match actor.as_deref() {
            _ if request.uri().path() == "/" => StatusCode::OK.into_response(),
            Some("insider") => "well".into_response(),
            Some(_) => (StatusCode::FORBIDDEN, words).into_response(),
            None if status == 403 => (StatusCode::FORBIDDEN, words).into_response(),
            None => StatusCode::UNAUTHORIZED.into_response(),
        }
    })
}

#[test]
fn who_is_refused_everywhere_in_words_that_vary_has_no_dead_credential() {
    const CASES: &[Case] = &[
        Case::get("one", to(&[]), to(&[])),
        Case::get("two", to(&[]), to(&[])).asked("method: POST"),
        Case::get("three", to(&[]), to(&[])),
    ];
    for status in [401, 403] {
        let (runtime, place) = (runtime(), suite(CASES));
        let rule = "texts:\n  - { pattern: '^no plan, try again in (?<wait>[0-9]+) s \\(request (?<number>[0-9]+)\\)$', because: a counter }\n";
        let place = place.write("forms/suite.yaml", &format!("{SUITE}{rule}"));
        let url = format!("http://{}", serve(&runtime, varying(status)));
        let ended = place.run(&["record", "forms", "--reason", "it is", "--base-url", &url]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        // Without the rule the sweeps differ, which is no credential's fault.
        let place = suite(CASES);
        let ended = place.run(&["record", "forms", "--reason", "it is", "--base-url", &url]);
        assert_ne!(ended.code, Some(6), "{ended:#?}");
        assert!(!ended.stderr.contains("do not work any more"), "{ended:#?}");
    }
}
