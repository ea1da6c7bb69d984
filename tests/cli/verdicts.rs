//! Refusals that do not come with a status of their own: what opens is seen as what it is, and in its direction.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use authz_pin::template::random;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use serde_json::{Value as Json, json};
use tokio::runtime::Runtime;

use super::place::{Place, checks};
use super::served::{runtime, serve};

/// A service that allows an insider everything, and refuses an outsider with a success, unless its hole is open.
struct Tongues {
    address: SocketAddr,
    is_open: Arc<AtomicBool>,
    _runtime: Runtime,
}

impl Tongues {
    fn start() -> Self {
        let (runtime, is_open) = (runtime(), Arc::<AtomicBool>::default());
        let routes = Router::new()
            .fallback(answer)
            .with_state(Arc::clone(&is_open));
        Self {
            address: serve(&runtime, routes),
            is_open,
            _runtime: runtime,
        }
    }

    fn check(&self, place: &Place, is_open: bool, arguments: &[&str]) -> (Option<i32>, String) {
        self.is_open.store(is_open, Ordering::SeqCst);
        let url = format!("http://{}", self.address);
        let ended = place.run(&[arguments, &["--base-url", &url]].concat());
        assert!(matches!(ended.code, Some(0 | 1)), "{ended:#?}");
        (ended.code, ended.stdout)
    }
}

async fn answer(State(is_open): State<Arc<AtomicBool>>, request: Request) -> Response {
    let actor = request
        .headers()
        .get("x-actor")
        .map(|actor| actor.to_str().unwrap());
    let is_allowed = match actor {
        Some("outsider") => is_open.load(Ordering::SeqCst),
        _ => true,
    };
    let path = request.uri().path().split('/').nth(1).unwrap();
    match is_allowed {
        _ if path == "health" => StatusCode::OK.into_response(),
        _ if actor.is_none() => StatusCode::UNAUTHORIZED.into_response(),
        true => allowed(path),
        false => refused(path),
    }
}

fn xml(text: &str) -> Response {
    let status = StatusCode::MULTI_STATUS;
    (
        status,
        [("content-type", "application/xml")],
        text.to_owned(),
    )
        .into_response()
}

fn multi(status: &str) -> Response {
    xml(&format!(
        r#"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">
        <D:response><D:href>/a</D:href><D:status>HTTP/1.1 200 OK</D:status></D:response>
        <D:response><D:href>/b</D:href><D:propstat><D:prop/><D:status>{status}</D:status></D:propstat></D:response>
        </D:multistatus>"#
    ))
}

fn events(messages: &[Json]) -> Response {
    let events = messages
        .iter()
        .map(|message| format!("event: message\ndata: {message}\n\n"));
    (
        [("content-type", "text/event-stream")],
        events.collect::<String>() + "event: complete\ndata:\n\n",
    )
        .into_response()
}

fn page(media_type: &'static str, text: &'static str) -> Response {
    ([("content-type", media_type)], text).into_response()
}

fn found(location: &str) -> Response {
    (StatusCode::FOUND, [("location", location)], "").into_response()
}

fn tool(is_error: bool, text: &str) -> Json {
    let content = json!([{"type": "text", "text": text}]);
    json!({"jsonrpc": "2.0", "id": 1, "result": {"isError": is_error, "content": content}})
}

fn allowed(path: &str) -> Response {
    let thing = json!({"name": "n"});
    let ok = json!({"jsonrpc": "2.0", "id": 1, "result": {"n": 1}});
    let body = match path {
        "graphql-errors" | "graphql-null" | "graphql-part" => {
            json!({"data": {"thing": {"name": "n", "owner": "o"}, "other": 1}})
        }
        "graphql-payload" => json!({"data": {"rename": {"userErrors": [], "thing": thing}}}),
        "graphql-union" => json!({"data": {"thing": {"__typename": "Thing", "message": "m"}}}),
        "graphql-batch" => json!([{"data": {"a": 1}}, {"data": {"b": 1}}]),
        "rpc-error" => ok,
        "rpc-flag" => {
            json!({"jsonrpc": "2.0", "id": 1, "result": {"success": true, "code": 0, "message": "done"}})
        }
        "rpc-batch" => json!([ok, {"jsonrpc": "2.0", "id": 2, "result": {}}]),
        "mcp-tool" => tool(false, "done"),
        "mcp-events" => {
            return events(&[
                json!({"jsonrpc": "2.0", "method": "notifications/progress"}),
                tool(false, "done"),
            ]);
        }
        "flag" => json!({"ok": true, "message": "done"}),
        "flag-inside" => json!({"data": {"success": true, "message": "done"}}),
        "jsend" => json!({"status": "success", "message": "done"}),
        "code" => json!({"code": 0, "msg": "done", "data": null}),
        "own-rule" => json!({"seats": 3, "why": "free"}),
        "multi-status" => {
            return (
                StatusCode::MULTI_STATUS,
                axum::Json(
                    json!({"results": [{"id": 1, "status": 200}, {"id": 2, "status": 200}]}),
                ),
            )
                .into_response();
        }
        "batch" => {
            json!({"responses": [{"id": "1", "status": 200, "body": {}}, {"id": "2", "status": 201, "body": {}}]})
        }
        "bulk" => json!({"errors": false, "items": [{"index": {"_id": "7", "status": 200}}]}),
        "multi-status-xml" => return multi("HTTP/1.1 200 OK"),
        "bulk-docs" => json!([{"ok": true, "id": "a"}, {"ok": true, "id": "b"}]),
        "rpc-first" => json!({"id": 1, "result": {"n": 1}, "error": null}),
        "wrapped" => json!({"shelf-response": {"status": "ok", "version": "1"}}),
        "xml-state" => return page("text/xml", "<r status=\"ok\"><users/></r>"),
        "xml-fault" => {
            return page(
                "text/xml",
                "<e:Envelope><e:Body><done/></e:Body></e:Envelope>",
            );
        }
        "login-redirect" | "flash" => return found("/things?flash=saved"),
        "opened-redirect" => return axum::Json(thing).into_response(),
        "login-page" | "denied-page" => return Html("<title>Things</title><p>one").into_response(),
        "text" => return "OK, 3 rows".into_response(),
        "own-allowed" => return (StatusCode::NOT_FOUND, "empty: nothing yet").into_response(),
        path => panic!("there is no {path}"),
    };
    let state = [("x-state", "no seats left")];
    match path {
        "own-rule" => (state, axum::Json(body)).into_response(),
        _ => axum::Json(body).into_response(),
    }
}

fn refused(path: &str) -> Response {
    let forbidden =
        json!({"message": "not yours", "path": ["thing"], "extensions": {"code": "FORBIDDEN"}});
    let ok = json!({"jsonrpc": "2.0", "id": 1, "result": {"n": 1}});
    let error = json!({"code": -32003, "message": "not yours"});
    let body = match path {
        "graphql-errors" => json!({"data": {"thing": null}, "errors": [forbidden]}),
        "graphql-part" => {
            let error = json!({"message": "not yours", "path": ["thing", "owner"]});
            json!({"data": {"thing": {"name": "n", "owner": null}, "other": 1}, "errors": [error]})
        }
        "graphql-null" => json!({"data": {"thing": null}}),
        "graphql-payload" => json!({"data": {"rename": {"userErrors": [{"message": "not yours"}], "thing": null}}}),
        "graphql-union" => json!({"data": {"thing": {"__typename": "NotAuthorizedError", "message": "not yours"}}}),
        "graphql-batch" => json!([{"data": {"a": 1}}, {"data": null, "errors": [{"message": "not yours"}]}]),
        "rpc-error" => json!({"jsonrpc": "2.0", "id": 1, "error": error}),
        "rpc-flag" => json!({"jsonrpc": "2.0", "id": 1, "result": {"success": false, "code": -3, "message": "not yours"}}),
        "rpc-batch" => json!([{"jsonrpc": "2.0", "id": 2, "error": error}, ok]),
        "mcp-tool" => tool(true, "not yours"),
        "mcp-events" => return events(&[tool(true, "not yours")]),
        "flag" => json!({"ok": false, "message": "not yours"}),
        "flag-inside" => json!({"data": {"success": false, "message": "not yours"}}),
        "jsend" => json!({"status": "fail", "message": "not yours"}),
        "code" => json!({"code": 40301, "msg": "not yours", "data": null}),
        "own-rule" => json!({"seats": 0, "why": "full"}),
        "multi-status" => return (StatusCode::MULTI_STATUS, axum::Json(json!({"results": [{"id": 1, "status": 200}, {"id": 2, "status": 403, "message": "not yours"}]}))).into_response(),
        "batch" => json!({"responses": [{"id": "2", "status": 403, "body": {"error": {"message": "not yours"}}}, {"id": "1", "status": 200, "body": {}}]}),
        "bulk" => json!({"errors": true, "items": [{"index": {"_id": "7", "status": 403, "error": {"type": "security_exception", "reason": "not yours"}}}]}),
        "multi-status-xml" => return multi("HTTP/1.1 403 Forbidden"),
        "bulk-docs" => {
            json!([{"id": "b", "error": "forbidden", "reason": "not yours"}, {"ok": true, "id": "a"}])
        }
        "rpc-first" => json!({"id": 1, "result": null, "error": ["UserError", ["not yours", null]]}),
        "wrapped" => {
            let error = json!({"code": 50, "message": "not yours"});
            json!({"shelf-response": {"status": "failed", "version": "1", "error": error}})
        }
        "xml-state" => {
            return page("text/xml", "<r status=\"failed\"><error code=\"50\" message=\"not yours\"/></r>");
        }
        "xml-fault" => {
            return page("text/xml", "<e:Envelope><e:Body><e:Fault><faultcode>x</faultcode><faultstring>not yours</faultstring></e:Fault></e:Body></e:Envelope>");
        }
        "login-redirect" => {
            let body = json!({"stamp": random(24), "why": "log in"}).to_string();
            return (found("/login?next=/things").into_parts().0, body).into_response();
        }
        "flash" => return found("/things?flash=denied"),
        "opened-redirect" => return found("/start"),
        "login-page" => return Html("<title>Log in</title><form action=/x><input name=p type=password></form>").into_response(),
        "denied-page" => return Html("<html><head><title>Access denied</title></head></html>").into_response(),
        "text" => return "ERR permission denied".into_response(),
        "own-allowed" => return (StatusCode::NOT_FOUND, "no such thing").into_response(),
        path => panic!("there is no {path}"),
    };
    let state = [("x-state", "no seats left")];
    match path {
        "own-rule" => (state, axum::Json(body)).into_response(),
        _ => axum::Json(body).into_response(),
    }
}

/// The outsider's line in each record.
fn lines(place: &Place) -> BTreeMap<String, String> {
    let snapshots = place.files().into_iter();
    let snapshots =
        snapshots.filter(|(path, _)| path.extension().is_some_and(|ending| ending == "snap"));
    let lines = snapshots.map(|(path, bytes)| {
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = String::from_utf8(bytes).unwrap();
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix("outsider: "));
        (name, line.unwrap().replace(", effects: not observed", ""))
    });
    lines.collect()
}

/// What opened for the outsider, by endpoint.
fn drifts(report: &str) -> BTreeMap<String, Vec<String>> {
    let report: Json = serde_json::from_str(report).unwrap();
    let endpoints = report["endpoints"].as_array().unwrap().iter();
    let drifts = endpoints.map(|endpoint| {
        let drifts = endpoint["drifts"].as_array().unwrap().iter();
        let outsiders = drifts.filter(|drift| drift["actor"] == "outsider");
        let kinds = outsiders.map(|drift| drift["kind"].as_str().unwrap().to_owned());
        (
            endpoint["name"].as_str().unwrap().to_owned(),
            kinds.collect(),
        )
    });
    drifts.collect()
}

#[test]
fn a_refusal_that_comes_with_a_success_is_one_and_what_opens_is_widened() {
    let (tongues, place) = (Tongues::start(), Place::with("tongues"));
    tongues.check(
        &place,
        false,
        &["record", "tongues", "--reason", "the insider is meant to"],
    );
    insta::assert_debug_snapshot!(lines(&place), @r#"
    {
        "batch": "{allowed: 200, by: batch, refused: [\"2\"], gate: \"403-not-yours\", shape: body 29b3}",
        "bulk": "{denied: 200, by: batch, gate: security-exception-not-yours, also: more 149d}",
        "bulk-docs": "{allowed: 200, by: batch, refused: [b], gate: forbidden-not-yours, shape: body adf8}",
        "code": "{denied: 200, by: ok-flag, gate: not-yours, also: more 528e}",
        "denied-page": "{denied: 200, by: refusal-text, gate: access-denied, also: more 88d7}",
        "flag": "{denied: 200, by: ok-flag, gate: not-yours, also: more ff0c}",
        "flag-inside": "{denied: 200, by: ok-flag, gate: not-yours, also: more 5d2e}",
        "flash": "{denied: 302, by: login-redirect, gate: redirect-to-things-flash-denied}",
        "graphql-batch": "{allowed: 200, by: graphql, refused: [\"2\"], gate: not-yours, shape: body f1b0}",
        "graphql-errors": "{denied: 200, by: graphql, gate: not-yours, also: more 22e5}",
        "graphql-null": "{denied: 200, by: graphql, gate: nothing, also: more b2a9}",
        "graphql-part": "{allowed: 200, by: graphql, refused: [thing.owner], gate: not-yours, values: values 011b, shape: body d184}",
        "graphql-payload": "{denied: 200, by: graphql, gate: not-yours, also: more 40de}",
        "graphql-union": "{denied: 200, by: graphql, gate: not-yours}",
        "jsend": "{denied: 200, by: ok-flag, gate: not-yours}",
        "login-page": "{denied: 200, by: login-page, gate: log-in, also: more a0bc}",
        "login-redirect": "{denied: 302, by: login-redirect, gate: redirect-to-login-next-things, also: more 8428}",
        "mcp-events": "{denied: 200, by: mcp, gate: not-yours, also: more e9d6}",
        "mcp-tool": "{denied: 200, by: mcp, gate: not-yours, also: more e9d6}",
        "multi-status": "{allowed: 207, by: multi-status, refused: [\"2\"], gate: \"403-not-yours\", shape: body 3949}",
        "multi-status-xml": "{allowed: 207, by: multi-status, refused: [\"/b\"], gate: \"403\", shape: body 549f}",
        "opened-redirect": "{redirected: 302, gate: redirect-to-start}",
        "own-allowed": "{denied: 404, gate: no-such-thing}",
        "own-rule": "{denied: 200, by: no seat, gate: full, also: more 28cf}",
        "rpc-batch": "{allowed: 200, by: json-rpc, refused: [\"2\"], gate: \"32003-not-yours\", values: values c750, shape: body 76d8}",
        "rpc-error": "{denied: 200, by: json-rpc, gate: not-yours, also: more 82a2}",
        "rpc-first": "{denied: 200, by: json-rpc, gate: usererror-not-yours-null, also: more ed94}",
        "rpc-flag": "{denied: 200, by: json-rpc, gate: not-yours, also: more 7207}",
        "status-alone": "{allowed: 200, values: values e49a, shape: body 764e}",
        "text": "{denied: 200, by: refusal-text, gate: err-permission-denied}",
        "wrapped": "{denied: 200, by: ok-flag, gate: not-yours, also: more c67c}",
        "xml-fault": "{denied: 200, by: ok-flag, gate: not-yours, also: more be3f}",
        "xml-state": "{denied: 200, by: ok-flag, gate: not-yours, also: more b9b4}",
    }
    "#);
    let (code, report) = tongues.check(&place, true, &["check", "tongues", "--format", "json"]);
    assert_eq!(code, Some(1));
    let others: Vec<_> = drifts(&report)
        .into_iter()
        .filter(|(_, kinds)| !kinds.contains(&"widened".to_owned()))
        .collect();
    let of_values = ["flag-turned", "value-changed"].map(str::to_owned);
    assert_eq!(others, [("status-alone".to_owned(), of_values.to_vec())]);
    for _ in 0..checks() {
        let (code, _) = tongues.check(&place, false, &["check", "tongues"]);
        assert_eq!(code, Some(0));
    }
}

/// A suite of one endpoint, and what a check of it says that cannot be done.
fn failure(file: &str, from: &str, to: &str) -> String {
    let tongues = Tongues::start();
    let place = Place::with("tongues").edit(file, from, to);
    let url = format!("http://{}", tongues.address);
    let ended = place.run(&["check", "tongues", "--filter", "flag", "--base-url", &url]);
    assert_ne!(ended.code, Some(0), "{ended:#?}");
    ended.stderr
}

#[test]
fn a_step_and_a_login_that_are_refused_with_a_success_have_failed() {
    let step = "setup: [{ request: { method: POST, path: /flag, headers: { x-actor: outsider } }, }]\ntargets:";
    let error = failure("tongues/endpoints/flag.yaml", "targets:", step);
    assert!(error.contains("step 1, POST `/flag`"), "{error}");
    assert!(
        error.contains(r#"200 {"ok":false,"message":"not yours"}"#),
        "{error}"
    );
    let login = "auth: { login: { request: { method: POST, path: /rpc-error, headers: { x-actor: outsider } }, capture: { id: $.id } } }";
    let error = failure(
        "tongues/world.yaml",
        "auth: { headers: { x-actor: insider } }",
        login,
    );
    assert!(error.contains("its login is answered 200"), "{error}");
    let listed = login.replace("capture", "expect: [200], capture");
    let error = failure(
        "tongues/world.yaml",
        "auth: { headers: { x-actor: insider } }",
        &listed,
    );
    assert!(error.contains("its login is answered 200"), "{error}");
}

#[test]
fn a_probe_that_is_refused_with_a_success_found_no_credential() {
    let probes = "probes:
  outsider:
    request: { method: GET, path: /graphql-errors }
    auth: { actor: outsider }
  in GraphQL:
    request: { method: POST, path: /graphql-null, json: { query: '{ thing }' } }
    auth: { actor: outsider }
targets:";
    let (tongues, place) = (Tongues::start(), Place::with("tongues"));
    let place = place.edit("tongues/endpoints/flag.yaml", "targets:", probes);
    let flag = ["record", "tongues", "--filter", "flag"];
    tongues.check(&place, false, &flag);
    let line = lines(&place).remove("flag").unwrap();
    assert!(
        line.contains(
            r#"probes: {outsider: "200 denied by graphql", in GraphQL: "200 denied by graphql"}"#
        ),
        "{line}"
    );
    let (_, report) = tongues.check(
        &place,
        true,
        &["check", "tongues", "--filter", "flag", "--format", "json"],
    );
    let report: Json = serde_json::from_str(&report).unwrap();
    let drifts = report["endpoints"][0]["drifts"].as_array().unwrap();
    let insider = drifts
        .iter()
        .find(|drift| drift["actor"] == "insider")
        .unwrap();
    assert_eq!(
        (&insider["kind"], &insider["is"]),
        (
            &json!("probe-changed"),
            &json!("in GraphQL: 200, outsider: 200")
        )
    );
}
