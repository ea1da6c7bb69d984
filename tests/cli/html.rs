//! Pages for people, and lists that are the service's own: what a hole shows in them is seen.

use authz_pin::template::random;
use serde_json::{Value, json};

use super::post::{Answer, Call, Post, Row};

/// A page with what stands in it, and a token against forged requests.
fn page(inside: &str) -> Answer {
    let token = random(32);
    Answer::page(&format!(
        "<!doctype html><title>Notes</title><h1>Notes</h1>{inside}<form action=/search><input type=hidden name=csrf value={token}></form>"
    ))
}

fn tools(call: &Call) -> Answer {
    Answer::json(&tools_of(call))
}

/// A list of tools, of which one is there once the hole is open.
fn tools_of(call: &Call) -> Value {
    let mut tools = vec![json!({"name": "list_notes"})];
    tools.extend(call.refused_or(None, Some(json!({"name": "delete_all"}))));
    json!({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}})
}

/// The same as a stream of events, in which something else comes first.
fn streamed(call: &Call) -> Answer {
    let result = tools_of(call);
    let note = json!({"jsonrpc": "2.0", "method": "notifications/message"});
    let events = format!("data: {note}\n\ndata: {result}\n\n");
    Answer::new("text/event-stream", events)
}

const PAGES: [Row; 9] = [
    Row::get(
        "row",
        |call| {
            let row = format!("<tr><td>{}<td>a note</table>", call.owner.mail);
            page(&format!(
                "<table><tr><th>Owner<th>Text{}",
                call.refused_or("</table>", &row)
            ))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.mail",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail",
            "list-shows-more stranger:  -> text[]: 1 of owner, text[]: some of unknown",
            "value-changed stranger: markup: <text b9a1e5cf> -> markup: <text d5e4909c>",
        ],
    ),
    Row::get(
        "form",
        |call| {
            let form = format!(
                "<form method=post action=\"/notes/{}/delete\"><button>Delete</button></form>",
                call.owner.id
            );
            page(call.refused_or("", &form))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "list-shows-more stranger:  -> forms[]: 1 of owner",
            "value-shown stranger: forms[].action: <none> -> forms[].action: post /notes/<owner.person_id>/delete",
            "value-changed stranger: forms[].fields: <none>, markup: <text f069acf3>, text[]: <texts> -> forms[].fields: {}, markup: <text cddc3bb7>, text[]: Delete, Notes",
        ],
    ),
    Row::get(
        "data",
        |call| {
            let data = json!({"user": {"of": call.shown().id, "role": call.refused_or("reader", "admin")}});
            page(&format!("<script type=application/json>{data}</script>"))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "list-shows-more stranger:  -> data[]: 1 of owner",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
            "list-shows-less stranger: data[]: 1 of actor -> ",
            "value-changed stranger: data[].user.role: reader, markup: <text 075a3f5d> -> data[].user.role: admin, markup: <text 5bd8727a>",
        ],
    ),
    Row::get(
        "attribute",
        |call| {
            page(&format!(
                "<div data-balance={}></div>",
                call.refused_or(17, 18)
            ))
        },
        &["value-changed stranger: markup: <text d9e9097b> -> markup: <text 2d1ebde9>"],
    ),
    Row::get(
        "link",
        |call| page(call.refused_or("", "<a href=/admin/users>Users</a>")),
        &[
            "list-shows-more stranger:  -> links[]: some of to=/admin/users",
            "value-changed stranger: markup: <text f069acf3> -> markup: <text 76fa72d0>",
            "shape-changed stranger: nothing -> links, links[], links[].text, links[].to",
        ],
    ),
    Row::get(
        "tools",
        tools,
        &["list-shows-more stranger:  -> result.tools[]: some of name=delete_all"],
    ),
    Row::get(
        "streamed-tools",
        streamed,
        &["list-shows-more stranger:  -> [].result.tools[]: some of name=delete_all"],
    ),
    Row::get(
        "events",
        |call| {
            let role = call.refused_or("reader", "admin");
            let events = format!("data: {{\"role\": \"{role}\"}}\n\ndata: {{\"n\": 2}}\n\n");
            Answer::new("text/event-stream", events)
        },
        &["value-changed stranger: [].role: reader -> [].role: admin"],
    ),
    Row::get(
        "plain",
        |call| Answer::page(call.refused_or("17 notes", "18 notes of others")),
        &["value-changed stranger: $: <text> -> $: <text 0b0e05ba>"],
    ),
];

#[test]
fn what_pages_and_lists_of_tools_show_is_seen() {
    let suite = "values: { items: [{ at: $.links, by: $.to, endpoints: [link] }] }\n";
    let post = Post::new(suite, &PAGES);
    post.record().opens();
}
