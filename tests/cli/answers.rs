//! Refusals that a status does not tell, two and more of each preset: what opens is widened, and takes a reason.

use authz_pin::template::random;
use serde_json::{Value as Json, json};

use super::post::{Answer, Call, Post, Row};

/// One of two documents, with a success in either case.
fn either(call: &Call, refused: &Json, allowed: &Json) -> Answer {
    Answer::json(call.refused_or(refused, allowed))
}

const ASKS: &str = "method: POST, json: { query: '{ thing { name } }' }";

const GRAPHQL: [Row; 5] = [
    Row::get(
        "errors-alone",
        |call| {
            let code = json!({"code": "UNAUTHENTICATED"});
            let errors = json!([{"message": "no session for this", "extensions": code}]);
            either(
                call,
                &json!({"errors": errors}),
                &json!({"data": {"thing": {"name": "n"}}}),
            )
        },
        &["widened stranger by graphql: 200 UNAUTHENTICATED: no session for this -> 200"],
    )
    .asked(ASKS),
    Row::get(
        "field-beside",
        |call| {
            let error = json!({"message": "no", "path": ["bills"], "extensions": {"classification": "FORBIDDEN"}});
            either(
                call,
                &json!({"data": {"me": {"name": "n"}, "bills": null}, "errors": [error]}),
                &json!({"data": {"me": {"name": "n"}, "bills": [{"sum": 1}]}}),
            )
        },
        &["widened stranger by graphql: bills refused -> bills let through", "shape-changed stranger: errors, errors[], errors[].extensions, e...errors[].path, errors[].path[] -> data.bills[], data.bills[].sum"],
    )
    .asked(ASKS),
    Row::get(
        "entry-of-a-list",
        |call| {
            let error = json!({"message": "no", "path": ["things", 1, "secret"]});
            let things = |secret: Json| json!([{"secret": "own"}, {"secret": secret}]);
            either(
                call,
                &json!({"data": {"things": things(Json::Null)}, "errors": [error]}),
                &json!({"data": {"things": things(json!("theirs"))}}),
            )
        },
        &["widened stranger by graphql: things[].secret in part refused -> things[].secret in part let through", "shape-changed stranger: errors, errors[], errors[].message, errors[].path, errors[].path[] -> nothing"],
    )
    .asked(ASKS),
    Row::get(
        "payload-flag",
        |call| {
            let thing = |ok: bool, text: &str| json!({"data": {"remove": {"success": ok, "message": text}}});
            either(call, &thing(false, "no"), &thing(true, "gone"))
        },
        &["widened stranger by graphql: 200 no -> 200"],
    )
    .asked(ASKS),
    Row::get(
        "increments",
        |call| {
            let error = json!({"message": "no", "path": ["thing", "bills"]});
            let later = |bills: Json, errors: Json| {
                json!({"data": {"thing": {"name": "n"}}, "hasNext": false,
                    "incremental": [{"path": ["thing"], "data": {"bills": bills}, "errors": errors}]})
            };
            either(
                call,
                &later(Json::Null, json!([error])),
                &later(json!([1]), json!([])),
            )
        },
        &["widened stranger by graphql: thing.bills refused -> thing.bills let through", "shape-changed stranger: incremental[].errors[], incremental[].er... incremental[].errors[].path[] -> incremental[].data.bills[]"],
    )
    .asked(ASKS),
];

const RPC: [Row; 5] = [
    Row::get(
        "session-expired",
        |call| {
            let data =
                json!({"name": "odoo.http.SessionExpiredException", "message": "Session expired"});
            let error = json!({"code": 100, "message": "Odoo Session Expired", "data": data});
            let done = json!({"jsonrpc": "2.0", "id": null, "result": {"rows": [1]}});
            either(
                call,
                &json!({"jsonrpc": "2.0", "id": null, "error": error}),
                &done,
            )
        },
        &["widened stranger by json-rpc: 200 100: Odoo Session Expired -> 200"],
    ),
    Row::get(
        "first-version",
        |call| {
            let of = |result: Json, error: Json| json!({"id": 7, "result": result, "error": error});
            either(
                call,
                &of(Json::Null, json!("operation not permitted")),
                &of(json!(true), Json::Null),
            )
        },
        &["widened stranger by json-rpc: 200 operation not permitted -> 200"],
    ),
    Row::get(
        "state-of-a-result",
        |call| {
            let of = |result: Json| json!({"jsonrpc": "2.0", "id": 1, "result": result});
            either(
                call,
                &of(json!({"status": "denied", "message": "no"})),
                &of(json!({"status": "ok", "message": "done"})),
            )
        },
        &["widened stranger by json-rpc: 200 denied: no -> 200"],
    ),
    Row::get(
        "tool-with-structure",
        |call| {
            let of = |is_error: bool, text: &str| {
                let content = json!([{"type": "text", "text": text}, {"type": "text", "text": "of the tool"}]);
                json!({"jsonrpc": "2.0", "id": 1,
                    "result": {"content": content, "structuredContent": {"text": text}, "isError": is_error}})
            };
            either(call, &of(true, "no"), &of(false, "yes"))
        },
        &["widened stranger by mcp: 200 isError: no of the tool -> 200"],
    ),
    Row::get(
        "tool-in-a-stream",
        |call| {
            let of = |is_error: bool| {
                let content =
                    json!([{"type": "text", "text": if is_error { "no" } else { "yes" }}]);
                json!({"jsonrpc": "2.0", "id": 1, "result": {"content": content, "isError": is_error}})
            };
            let progress =
                json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {}});
            let last = of(call.refused_or(true, false));
            let body = format!(": hello\n\ndata: {progress}\n\nid: 2\ndata: {last}\n\n");
            Answer::new("text/event-stream", body)
        },
        &["widened stranger by mcp: 200 isError: no -> 200"],
    ),
];

const FLAGS: [Row; 9] = [
    Row::get(
        "chat",
        |call| {
            either(
                call,
                &json!({"ok": false, "error": "not_in_channel", "needed": "channels:read"}),
                &json!({"ok": true, "channels": []}),
            )
        },
        &["widened stranger by ok-flag: 200 not_in_channel -> 200"],
    ),
    Row::get(
        "bot",
        |call| {
            either(
                call,
                &json!({"ok": false, "error_code": 403, "description": "Forbidden: not a member"}),
                &json!({"ok": true, "result": true}),
            )
        },
        &["widened stranger by ok-flag: 200 403: Forbidden: not a member -> 200"],
    ),
    Row::get(
        "errcode",
        |call| {
            either(
                call,
                &json!({"errcode": 48001, "errmsg": "api unauthorized"}),
                &json!({"errcode": 0, "errmsg": "ok"}),
            )
        },
        &["widened stranger by ok-flag: 200 48001: api unauthorized -> 200"],
    ),
    Row::get(
        "is-success",
        |call| {
            let of =
                |ok: bool, errors: Json| json!({"isSuccess": ok, "errors": errors, "value": 1});
            either(call, &of(false, json!(["no"])), &of(true, json!([])))
        },
        &[
            "widened stranger by ok-flag: 200 {\"isSuccess\":false,\"errors\":[\"no\"],\"value\":1} -> 200",
        ],
    ),
    Row::get(
        "inside-a-response",
        |call| {
            let of = |result: &str, text: &str| json!({"response": {"result": result, "message": text, "data": {}}});
            either(
                call,
                &of("error", "Invalid apikey"),
                &of("success", "there"),
            )
        },
        &["widened stranger by ok-flag: 200 Invalid apikey -> 200"],
    ),
    Row::get(
        "state-and-data",
        |call| {
            let of = |state: &str, why: &str| json!({"data": {}, "message": why, "result": state});
            either(call, &of("denied", "no"), &of("success", "yes"))
        },
        &["widened stranger by ok-flag: 200 no -> 200"],
    ),
    Row::get(
        "fault-of-xml-rpc",
        |call| {
            let fault = "<methodResponse><fault><value><struct><member><name>faultCode</name><value><int>403</int></value></member>
                <member><name>faultString</name><value><string>Forbidden</string></value></member></struct></value></fault></methodResponse>";
            let done = "<methodResponse><params><param><value><int>1</int></value></param></params></methodResponse>";
            Answer::xml(call.refused_or(fault, done))
        },
        &["widened stranger by ok-flag: 200 Forbidden -> 200"],
    ),
    Row::get(
        "root-of-a-document",
        |call| {
            let failed = "<?xml version='1.0'?><rsp stat=\"fail\"><err code=\"99\" msg=\"Insufficient permissions\"/></rsp>";
            Answer::xml(call.refused_or(
                failed,
                "<?xml version='1.0'?><rsp stat=\"ok\"><photo id=\"1\"/></rsp>",
            ))
        },
        &[
            "widened stranger by ok-flag: 200 <?xml version='1.0'?><rsp stat=\"fail...ufficient permissions\"/></rsp> -> 200",
        ],
    ),
    Row::get(
        "same-shape",
        |call| {
            let of = |ok: bool, why: &str| json!({"succeeded": ok, "reason": why, "rows": []});
            either(call, &of(false, "no"), &of(true, "none yet"))
        },
        &["widened stranger by ok-flag: 200 no -> 200"],
    ),
];

const PARTS: [Row; 5] = [
    Row::get(
        "parts-by-href",
        |call| {
            let line = call.refused_or("HTTP/1.1 403 Forbidden", "HTTP/1.1 200 OK");
            let parts = json!([{"href": "/a", "status": "HTTP/1.1 200 OK"}, {"href": "/b", "status": line}]);
            Answer::json(&parts).status(207)
        },
        &["widened stranger by multi-status: /b refused -> /b let through"],
    ),
    Row::get(
        "parts-in-xml",
        |call| {
            let status = call.refused_or("401 Unauthorized", "204 No Content");
            let body = format!(
                "<multistatus xmlns=\"DAV:\"><response><href>/only</href><status>HTTP/1.1 {status}</status><responsedescription>said</responsedescription></response></multistatus>"
            );
            Answer::xml(&body).status(207)
        },
        &["widened stranger by multi-status: 207 401: said -> 207"],
    ),
    Row::get(
        "bulk-of-users",
        |call| {
            let (status, detail) = call.refused_or(("403", "no"), ("200", "done"));
            let part = |id: &str, status: &str, detail: &str| json!({"bulkId": id, "method": "PATCH", "status": status, "response": {"detail": detail}});
            Answer::json(
                &json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkResponse"],
                "Operations": [part("a", "200", "done"), part("b", status, detail)]}),
            )
        },
        &["widened stranger by batch: b refused -> b let through"],
    ),
    Row::get(
        "list-of-flags",
        |call| {
            let last = call.refused_or(
                json!({"success": false, "message": "no"}),
                json!({"success": true}),
            );
            Answer::json(&json!([{"success": true}, last]))
        },
        &[
            "widened stranger by batch: 2 refused -> 2 let through",
            "shape-changed stranger: [].message -> nothing",
        ],
    ),
    Row::get(
        "list-of-errors",
        |call| {
            let error = json!({"type": 1, "address": "/", "description": "unauthorized user"});
            either(
                call,
                &json!([{"error": error}]),
                &json!([{"success": {"on": true}}]),
            )
        },
        &["widened stranger by batch: 200 1: unauthorized user -> 200"],
    ),
];

const DOORS: [Row; 10] = [
    Row::get(
        "door-forbidden",
        |call| {
            let page = Answer::json(&json!({"page": 1}));
            call.refused_or(Answer::found("/errors/forbidden"), page)
        },
        &["widened stranger by login-redirect: 302 redirect to /errors/forbidden -> 200"],
    ),
    Row::get(
        "door-of-another-host",
        |call| {
            let to = format!(
                "https://id.example.org/realms/a/protocol/openid-connect/auth?client_id=shop&state={}",
                random(24)
            );
            call.refused_or(Answer::found(&to).status(303), Answer::text("1 row"))
        },
        &[
            "widened stranger by login-redirect: 303 redirect to https://id.example.org/r...h?client_id=shop&state=<value> -> 200",
        ],
    ),
    Row::get(
        "door-denied",
        |call| {
            let to = call.refused_or("/Account/AccessDenied?ReturnUrl=%2Frows", "/rows/done");
            Answer::found(to).status(307)
        },
        &[
            "widened stranger by login-redirect: 307 redirect to /Account/AccessDenied?ReturnUrl=/rows -> 307 redirect to /rows/done",
        ],
    ),
    Row::get(
        "door-error-in-query",
        |call| {
            let to = call.refused_or(
                "/back?error=access_denied&error_description=not+yours",
                "/back?state=1",
            );
            Answer::found(to)
        },
        &[
            "widened stranger by login-redirect: 302 redirect to /back?error=access_denied&error_description=not yours -> 302 redirect to /back?state=<value>",
        ],
    ),
    Row::get(
        "door-elsewhere",
        |call| call.refused_or(Answer::found("/welcome"), Answer::page("<p>bills</p>")),
        &["widened stranger: 302 redirect to /welcome -> 200"],
    ),
    Row::get(
        "form-with-a-title",
        |call| {
            let form = "<!doctype html><title>Sign in to Shop</title><form method=post><input name=u><input type='password' name=p></form>";
            Answer::page(call.refused_or(form, "<!doctype html><title>Bills</title><p>one"))
        },
        &["widened stranger by login-page: 200 login page: Sign in to Shop -> 200"],
    ),
    Row::get(
        "form-with-a-button",
        |call| {
            let form = "<html><body><form method=post action='/go'><input type=\"password\" name=\"pw\"><button class=b>Log in</button></form></body></html>";
            Answer::page(call.refused_or(
                form,
                "<html><body><form action='/search'></form>two</body></html>",
            ))
        },
        &["widened stranger by login-page: 200 login page -> 200"],
    ),
    Row::get(
        "heading-says-no",
        |call| {
            let page = "<html><head><title>Shop</title></head><body><h1>You are not authorized to see this page</h1></body></html>";
            Answer::page(call.refused_or(
                page,
                "<html><head><title>Shop</title></head><body><h1>Bills</h1></body></html>",
            ))
        },
        &["widened stranger by refusal-text: 200 You are not authorized to see this page -> 200"],
    ),
    Row::get(
        "text-says-no",
        |call| Answer::text(call.refused_or("Access is denied.\n", "id;sum\n1;17\n")),
        &["widened stranger by refusal-text: 200 Access is denied. -> 200"],
    ),
    Row::get(
        "string-says-no",
        |call| either(call, &json!("not logged in"), &json!("17")),
        &["widened stranger by refusal-text: 200 not logged in -> 200"],
    ),
];

const OWN: [Row; 4] = [
    Row::get(
        "own-header",
        |call| Answer::empty(200).header("X-Result", call.refused_or("refused: no seat", "given")),
        &["widened stranger by refused by header: 200 refused: no seat -> 200"],
    ),
    Row::get(
        "own-value",
        |call| {
            either(
                call,
                &json!({"outcome": "TENANT_MISMATCH", "note": "of another tenant"}),
                &json!({"outcome": "FINE", "note": "there"}),
            )
        },
        &["widened stranger by outcome: 200 TENANT_MISMATCH: of another tenant -> 200"],
    ),
    Row::get(
        "own-text",
        |call| Answer::text(call.refused_or("-1|not yours", "0|there")),
        &["widened stranger by below zero: 200 -1|not yours -> 200"],
    )
    .with("verdicts: [{ name: below zero, when: { media_type: text/*, text: '^-\\d+[|]' }, verdict: denied }]"),
    Row::get(
        "own-status",
        |call| {
            let empty = json!({"rows": [], "why": "of another tenant"});
            either(call, &empty, &json!({"rows": [1]})).status(call.refused_or(202, 200))
        },
        &["widened stranger by kept for later: 202 of another tenant -> 200"],
    )
    .with("verdicts: [{ name: kept for later, when: { status: 202 }, unless: { exists: ['$.rows[0]'] }, verdict: denied, message: $.why }]"),
];

const RULES: &str = "
verdicts:
  - { name: refused by header, when: { headers: { x-result: 'refused*' } }, verdict: denied, message: { header: x-result } }
  - { name: outcome, when: { json: { $.outcome: [TENANT_MISMATCH, NOT_A_MEMBER] } }, verdict: denied, type: $.outcome, message: $.note }
";

fn opens(suite: &str, rows: &'static [Row]) {
    let post = Post::new(suite, rows);
    post.record().opens().takes_a_reason();
}

#[test]
fn what_graphql_refused_and_allows_is_widened() {
    opens("", &GRAPHQL);
}

#[test]
fn what_json_rpc_or_a_tool_refused_and_allows_is_widened() {
    opens("", &RPC);
}

#[test]
fn what_a_flag_a_state_or_a_code_refused_and_does_not_any_more_is_widened() {
    opens("", &FLAGS);
}

#[test]
fn a_part_that_was_refused_and_is_allowed_is_widened() {
    opens("", &PARTS);
}

#[test]
fn whoever_was_sent_away_or_shown_a_form_and_is_let_in_is_widened() {
    opens("", &DOORS);
}

#[test]
fn what_a_rule_of_the_suite_or_of_an_endpoint_took_for_a_refusal_is_widened() {
    opens(RULES, &OWN);
}
