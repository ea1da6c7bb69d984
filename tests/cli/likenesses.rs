//! Identifiers of somebody else in an answer, two and more of each form.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::post::{Answer, Post, Row, jwt, refused};

/// What is told of the stranger who is shown the owner by this, and was shown himself before.
const MAIL: &[&str] = &[
    "disclosure-widened stranger: not disclosed -> owner.mail",
    "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail",
    "disclosure-narrowed stranger: actor.mail -> not disclosed",
];

const PERSON: &[&str] = &[
    "disclosure-widened stranger: not disclosed -> owner.person_id",
    "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
    "disclosure-narrowed stranger: actor.person_id -> not disclosed",
];

const NUMBER: &[&str] = &[
    "disclosure-widened stranger: not disclosed -> owner.number",
    "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.number",
    "disclosure-narrowed stranger: actor.number -> not disclosed",
];

const FORMS: [Row; 17] = [
    Row::get(
        "percent-of-every-letter",
        |call| {
            let all = call.shown().mail.bytes();
            let all = all.fold(String::new(), |text, byte| format!("{text}%{byte:02x}"));
            Answer::json(&json!({"next": format!("/people?mail={all}")}))
        },
        MAIL,
    ),
    Row::get(
        "percent-of-a-name",
        |call| {
            let name = format!("urn:person:{}", call.shown().mail);
            let name = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
            Answer::text(&format!("see /r/{name}/all"))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.mail",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail",
            "disclosure-narrowed stranger: actor.mail -> not disclosed",
            "value-changed stranger: $: <text 2eb6e39d> -> $: <text e08b3840>",
        ],
    ),
    Row::get(
        "html-by-numbers",
        |call| {
            let mail = call
                .shown()
                .mail
                .replace('@', "&#x40;")
                .replace('+', "&#43;");
            Answer::page(&format!("<p>By <b>{mail}</b></p>"))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.mail",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail",
            "list-shows-more stranger:  -> text[]: 1 of owner",
            "disclosure-narrowed stranger: actor.mail -> not disclosed",
            "list-shows-less stranger: text[]: 1 of actor -> ",
            "value-changed stranger: markup: <text cffa988d> -> markup: <text 23962487>",
        ],
    ),
    Row::get(
        "html-by-names",
        |call| {
            let mail = call
                .shown()
                .mail
                .replace('+', "&plus;")
                .replace('@', "&commat;");
            Answer::page(&format!("<a title='{mail}'>Ann</a>"))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.mail",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail",
            "disclosure-narrowed stranger: actor.mail -> not disclosed",
            "value-changed stranger: markup: <text ff843c8e> -> markup: <text 1164753a>",
        ],
    ),
    Row::get(
        "base64-of-a-cursor",
        |call| {
            let cursor = format!("arrayconnection:{}:3", call.shown().id);
            Answer::json(&json!({"pageInfo": {"endCursor": STANDARD.encode(cursor)}}))
        },
        PERSON,
    ),
    Row::get(
        "base64-of-a-document",
        |call| {
            let state = json!({"v": 1, "who": {"mail": call.shown().mail}}).to_string();
            Answer::json(&json!({"state": URL_SAFE_NO_PAD.encode(state)}))
        },
        MAIL,
    ),
    Row::get(
        "token-of-somebody",
        |call| {
            Answer::json(&json!({"id_token": jwt(&json!({"email": call.shown().mail, "exp": 9}))}))
        },
        MAIL,
    ),
    Row::get(
        "token-in-a-text",
        |call| {
            let token = jwt(&json!({"act": {"sub": call.shown().id}}));
            Answer::text(&format!("Bearer {token}"))
        },
        PERSON,
    ),
    Row::get(
        "small-letters",
        |call| Answer::json(&json!({"login": call.shown().mail.to_lowercase()})),
        MAIL,
    ),
    Row::get(
        "capitals-of-a-uuid",
        |call| Answer::text(&format!("urn:uuid:{}", call.shown().id.to_uppercase())),
        PERSON,
    ),
    Row::get(
        "uuid-without-dashes",
        |call| {
            Answer::json(&json!({"avatar": format!("/a/{}.png", call.shown().id.replace('-', ""))}))
        },
        PERSON,
    ),
    Row::get(
        "uuid-of-a-refusal",
        |call| {
            let whose = call.closed_or(String::new(), call.owner.id.replace('-', ""));
            refused(
                call,
                Answer::json(&json!({"error": format!("kept by [{whose}]")})).status(403),
            )
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "refusal-tells-more stranger: 403 kept by [] -> 403 kept by [<person_id>]",
        ],
    ),
    Row::get(
        "number-of-an-approver",
        |call| {
            let number: u32 = call.shown().number.parse().unwrap();
            Answer::json(&json!({"total": number, "approvedBy": number}))
        },
        NUMBER,
    ),
    Row::get(
        "numbers-of-followers",
        |call| {
            let number: u32 = call.shown().number.parse().unwrap();
            Answer::json(&json!({"followers": [number], "sizes": [number]}))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.number",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.number",
            "list-shows-more stranger:  -> followers[]: 1 of owner",
            "disclosure-narrowed stranger: actor.number -> not disclosed",
            "list-shows-less stranger: followers[]: 1 of actor -> ",
        ],
    ),
    Row::get(
        "number-of-the-suite",
        |call| {
            let number: u32 = call.shown().number.parse().unwrap();
            Answer::json(&json!({"desk": {"taken": number}, "free": number}))
        },
        NUMBER,
    ),
    Row::get(
        "numbers-of-the-suite",
        |call| Answer::json(&json!({"turns": [{"seats": [call.shown().number]}]})),
        &[
            "disclosure-widened stranger: not disclosed -> owner.number",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.number",
            "list-shows-more stranger:  -> turns[]: 1 of owner, turns[].seats[]: 1 of owner",
            "disclosure-narrowed stranger: actor.number -> not disclosed",
            "list-shows-less stranger: turns[]: 1 of actor, turns[].seats[]: 1 of actor -> ",
        ],
    ),
    Row::get(
        "number-of-no-identifier",
        |call| {
            let number: u32 = call.shown().number.parse().unwrap();
            Answer::json(&json!({"total": number, "stats": {"owner": number}}))
        },
        &[],
    ),
];

const IDS: &str = "ids: { at: [desk.taken, '$.turns[].seats[]'], never: [stats.owner] }\n";

#[test]
fn an_identifier_in_any_form_is_disclosed() {
    Post::new(IDS, &FORMS).record().opens();
}
