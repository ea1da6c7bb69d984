//! What the headers of an answer say of access, two and more of each header.

use authz_pin::template::random;
use serde_json::json;

use super::post::{Answer, Post, Row, done, jwt, refused};

const HEADERS: [Row; 25] = [
    Row::get(
        "cookie-of-a-refusal",
        |call| {
            let cookie = format!("remember_me={}; Path=/; HttpOnly", call.shown().token);
            refused(call, Answer::no().header("Set-Cookie", cookie))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.token",
            "finding-added stranger:  -> others-secret-disclosed: a caller was shown owner.token",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.token",
            "header-changed stranger: set-cookie: remember_me=<actor.token>; HttpOnly; Path=/ -> set-cookie: remember_me=<token>; HttpOnly; Path=/",
            "disclosure-narrowed stranger: actor.token -> not disclosed",
        ],
    ),
    Row::get(
        "cookie-with-claims",
        |call| {
            let token = jwt(&json!({"sub": call.shown().id}));
            done().header("Set-Cookie", format!("id={token}; Secure; SameSite=Strict"))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "header-changed stranger: set-cookie: id=<actor.person_id>; SameSite=strict; Secure -> set-cookie: id=<person_id>; SameSite=strict; Secure",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ],
    ),
    Row::get(
        "cookie-for-all-sites",
        |call| {
            let site = call.closed_or("Strict", "None");
            done().header(
                "Set-Cookie",
                format!("sid={}; Secure; SameSite={site}", random(20)),
            )
        },
        &[
            "header-changed stranger: set-cookie: sid=<value>; SameSite=strict; Secure -> set-cookie: sid=<value>; SameSite=none; Secure",
        ],
    ),
    Row::get(
        "location-with-a-decision",
        |call| {
            let said = call.closed_or("rejected", "approved");
            let to = format!("/done?status={said}&nonce={}", random(24));
            refused(call, Answer::found(&to).status(303))
        },
        &[
            "redirect-changed stranger: 303 redirect to /done?nonce=<value>&status=rejected -> 303 redirect to /done?nonce=<value>&status=approved",
        ],
    ),
    Row::get(
        "location-of-what-was-made",
        |call| {
            let state = call.closed_or("pending", "approved");
            let to = format!("/bills/{}?status={state}", random(12));
            Answer::empty(201).header("Location", to)
        },
        &[
            "header-changed stranger: location: /bills/<value>?status=pending -> location: /bills/<value>?status=approved",
        ],
    ),
    Row::get(
        "location-with-somebody",
        |call| {
            let to = format!("/list?of={}&page=1", call.shown().id);
            Answer::empty(201).header("Location", to)
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "header-changed stranger: location: /<value>?of=<actor.person_id>&page=1 -> location: /<value>?of=<person_id>&page=1",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ],
    ),
    Row::get(
        "location-of-not-found",
        |call| {
            let refusal = Answer::json(&json!({})).status(404);
            let owner = &call.owner.id;
            let told = Answer::json(&json!({})).status(404);
            let told = told
                .header("X-Owned-By", owner)
                .header("Location", format!("/people/{owner}"));
            refused(call, call.closed_or(refusal, told))
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "header-changed stranger: nothing -> location: /people/<person_id>, x-owned-by: <person_id>",
        ],
    ),
    Row::get(
        "challenge-of-scope",
        |call| {
            let scope = call.closed_or("bills:write", "bills:read");
            let challenge =
                format!("DPoP algs=\"ES256\", error=\"insufficient_scope\", scope=\"{scope}\"");
            refused(
                call,
                Answer::empty(401).header("WWW-Authenticate", challenge),
            )
        },
        &[
            "gate-changed stranger: 401 DPoP algs=\"ES256\", error=\"insufficient_scope\", scope=\"bills:write\" -> 401 DPoP algs=\"ES256\", error=\"insufficient_scope\", scope=\"bills:read\"",
        ],
    ),
    Row::get(
        "challenge-of-a-scheme",
        |call| {
            let scheme = call.closed_or("Negotiate", "Basic realm=\"shop\"");
            refused(call, Answer::empty(401).header("WWW-Authenticate", scheme))
        },
        &["gate-changed stranger: 401 Negotiate -> 401 Basic realm=\"shop\""],
    ),
    Row::get(
        "cache-of-anybody",
        |call| {
            let control = call.closed_or("no-cache, must-revalidate", "s-maxage=60, immutable");
            done().header("Cache-Control", control)
        },
        &[
            "header-changed stranger: cache-control: must-revalidate, no-cache -> cache-control: immutable, s-maxage",
        ],
    ),
    Row::get(
        "cache-without-a-word",
        |call| call.closed_or(done(), done().header("Cache-Control", "public")),
        &["header-changed stranger: nothing -> cache-control: public"],
    ),
    Row::get(
        "vary-without-a-caller",
        |call| {
            done().header(
                "Vary",
                call.closed_or("authorization, accept-language", "Accept-Language"),
            )
        },
        &["header-changed stranger: vary: accept-language, authorization -> vary: Accept-Language"],
    ),
    Row::get(
        "vary-gone",
        |call| call.closed_or(done().header("Vary", "*"), done()),
        &["header-changed stranger: vary: * -> nothing"],
    ),
    Row::get(
        "origin-of-anybody",
        |call| {
            done().header(
                "Access-Control-Allow-Origin",
                call.closed_or("https://shop.example.org", "*"),
            )
        },
        &[
            "header-changed stranger: access-control-allow-origin: https://shop.example.org -> access-control-allow-origin: *",
        ],
    ),
    Row::get(
        "origin-with-credentials",
        |call| {
            let answer = done().header("Access-Control-Allow-Origin", "https://shop.example.org");
            if call.closed_or(false, true) {
                return answer.header("Access-Control-Allow-Credentials", "true");
            }
            answer
        },
        &["header-changed stranger: nothing -> access-control-allow-credentials: true"],
    ),
    Row::get(
        "origin-of-a-refusal",
        |call| {
            let methods = call.closed_or("GET", "GET, DELETE");
            let refusal = Answer::no().header("Access-Control-Allow-Methods", methods);
            refused(call, refusal)
        },
        &[
            "header-changed stranger: access-control-allow-methods: GET -> access-control-allow-methods: DELETE, GET",
        ],
    ),
    Row::get(
        "allow-of-a-success",
        |call| {
            Answer::empty(204).header("Allow", call.closed_or("OPTIONS, GET", "OPTIONS, GET, PUT"))
        },
        &["header-changed stranger: allow: GET, OPTIONS -> allow: GET, OPTIONS, PUT"],
    )
    .asked("method: PATCH, json: {}"),
    Row::get(
        "allow-nothing",
        |call| {
            refused(
                call,
                Answer::empty(405).header("Allow", call.closed_or("", "PATCH")),
            )
        },
        &["header-changed stranger: allow -> allow: PATCH"],
    ),
    Row::get(
        "etag-of-somebody",
        |call| done().header("ETag", format!("W/\"{}-7\"", call.shown().mail)),
        &[
            "disclosure-widened stranger: not disclosed -> owner.mail",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.mail",
            "header-changed stranger: etag: <actor.mail> -> etag: <mail>",
            "disclosure-narrowed stranger: actor.mail -> not disclosed",
        ],
    ),
    Row::get(
        "etag-in-capitals",
        |call| done().header("ETag", format!("\"{}\"", call.shown().id.to_uppercase())),
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "header-changed stranger: etag: <actor.person_id> -> etag: <person_id>",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ],
    ),
    Row::get(
        "link-to-somebody",
        |call| {
            let link = format!(
                "<https://files.example.org/{}/all.csv>; rel=alternate",
                call.shown().id
            );
            done().header("Link", link)
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "header-changed stranger: link: alternate (<actor.person_id>) -> link: alternate (<person_id>)",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ],
    ),
    Row::get(
        "link-to-edit",
        |call| {
            let links = call.closed_or(
                "</rows>; rel=self",
                "</rows>; rel=self, </rows/edit>; rel=\"edit\"",
            );
            done().header("Link", links)
        },
        &["header-changed stranger: nothing -> link: edit"],
    ),
    Row::get(
        "name-of-a-file",
        |call| {
            let name = format!("attachment; filename=\"{}.pdf\"", call.shown().id);
            done().header("Content-Disposition", name)
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "header-changed stranger: content-disposition: <actor.person_id> -> content-disposition: <person_id>",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ],
    ),
    Row::get(
        "redirect-with-rows",
        |call| {
            let redirect = Answer::found("/start");
            let rows = Answer::new("text/csv", "id;sum\n1;17\n")
                .status(302)
                .header("Location", "/start");
            refused(call, call.closed_or(redirect, rows))
        },
        &[
            "refusal-tells-more stranger: nothing -> [], [].id, [].sum",
            "header-changed stranger: nothing -> content-type: text/csv",
        ],
    ),
    Row::get(
        "login-with-rows",
        |call| {
            let body = call.closed_or(json!({}), json!({"bills": [{"sum": 17}]}));
            refused(
                call,
                Answer::json(&body).status(302).header("Location", "/login"),
            )
        },
        &["refusal-tells-more stranger: : {} -> bills[].sum: 17"],
    ),
];

#[test]
fn what_headers_say_of_access_is_drift() {
    Post::new("", &HEADERS).record().opens();
}
