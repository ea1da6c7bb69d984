//! Bodies that are no JSON in UTF-8: what a hole shows in them is seen, and a value of them can be taken.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use serde_json::json;

use super::place::Place;
use super::post::{Answer, Call, Post, Row};
use super::raw::{After, Raw, Request, respond};

/// A list that has the owner's thing once the hole is open, as JSON.
fn list(call: &Call) -> String {
    let own = json!([{"of": call.owner.id}]);
    json!({"items": call.refused_or(json!([]), own)}).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn encoded(encoding: &str, body: Vec<u8>) -> Answer {
    Answer::new("application/json", body).header("Content-Encoding", encoding)
}

fn utf_16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// What a list that opens differs in.
const OPENED: &[&str] = &[
    "disclosure-widened stranger: not disclosed -> owner.person_id",
    "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
    "list-shows-more stranger:  -> items[]: 1 of owner",
    "value-shown stranger: items[].of: <none> -> items[].of: <owner.person_id>",
    "value-changed stranger: items: [] -> items: <none>",
    "shape-changed stranger: nothing -> items[], items[].of",
];

const ENCODED: [Row; 8] = [
    Row::get(
        "gzip",
        |call| encoded("gzip", gzip(list(call).as_bytes())),
        OPENED,
    ),
    Row::get(
        "zlib",
        |call| encoded("deflate", zlib(list(call).as_bytes())),
        OPENED,
    ),
    Row::get(
        "deflate",
        |call| encoded("Deflate", deflate(list(call).as_bytes())),
        OPENED,
    ),
    Row::get(
        "zstd",
        |call| {
            encoded(
                "zstd",
                compress_to_vec(list(call).as_bytes(), CompressionLevel::Fastest),
            )
        },
        OPENED,
    ),
    Row::get(
        "twice",
        |call| encoded("gzip, deflate", zlib(&gzip(list(call).as_bytes()))),
        OPENED,
    ),
    Row::get(
        "no-encoding",
        |call| encoded("UTF-8", list(call).into_bytes()),
        OPENED,
    ),
    Row::get(
        "utf-16",
        |call| Answer::new("application/json; charset=utf-16le", utf_16(&list(call))),
        OPENED,
    ),
    Row::get(
        "refusal",
        |call| {
            let refused = gzip(br#"{"error": "not yours"}"#);
            let refused = encoded("gzip", refused).status(403);
            call.refused_or(refused, encoded("gzip", gzip(b"{}")))
        },
        &[
            "widened stranger: 403 not yours -> 200",
            "layout-changed :  -> another order, other labels, or entries that no cell uses",
        ],
    ),
];

#[test]
fn what_an_encoded_body_shows_is_seen() {
    let post = Post::new("", &ENCODED);
    post.record().opens().takes_a_reason();
}

const XML: [Row; 6] = [
    Row::get("elements", |call| {
        let item = format!("<item><of>{}</of></item>", call.owner.id);
        Answer::xml(&format!("<items>{}</items>", call.refused_or("", &item)))
    }, &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "list-shows-more stranger:  -> items.item[]: 1 of owner",
            "value-shown stranger: items.item[].of: <none> -> items.item[].of: <owner.person_id>",
            "value-changed stranger: items:  -> items: <none>",
            "shape-changed stranger: nothing -> items.item, items.item[], items.item[].of",
        ]),
    Row::get("attribute", |call| {
        let who = call.shown();
        Answer::new("application/vnd.thing+xml", format!("<t:thing xmlns:t=\"urn:t\" t:role=\"{}\"/>", if who.id == call.owner.id { "admin" } else { "reader" }))
    }, &[
            "value-changed stranger: thing.@role: reader -> thing.@role: admin",
        ]),
    Row::get("number", |call| {
        Answer::xml(&format!("<thing><owner_id>{}</owner_id></thing>", call.shown().number))
    }, &[
            "disclosure-widened stranger: not disclosed -> owner.number",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.number",
            "disclosure-narrowed stranger: actor.number -> not disclosed",
        ]),
    Row::get("latin", |call| {
        let mut body = b"<?xml version=\"1.0\" encoding=\"iso-8859-1\"?><a><n>\xe9</n><of>".to_vec();
        body.extend_from_slice(call.shown().id.as_bytes());
        body.extend_from_slice(b"</of></a>");
        Answer::new("text/xml", body)
    }, &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ]),
    Row::get("soap", |call| {
        let fault = "<s:Envelope xmlns:s=\"urn:s\"><s:Body><s:Fault><faultcode>no</faultcode><faultstring>not yours</faultstring></s:Fault></s:Body></s:Envelope>";
        let done = "<s:Envelope xmlns:s=\"urn:s\"><s:Body><Done/></s:Body></s:Envelope>";
        call.refused_or(Answer::xml(fault).status(500), Answer::xml(done))
    }, &[
            "widened stranger: 500 <s:Envelope xmlns:s=\"urn:s\"><s:Body>...s:Fault></s:Body></s:Envelope> -> 200",
            "finding-removed stranger: server-error: a caller made the service fail (500) -> ",
            "layout-changed :  -> another order, other labels, or entries that no cell uses",
        ]),
    Row::get("flag", |call| {
        let told = |why: &str, kind: &str| Answer::xml(&format!("<result kind=\"{kind}\"><why>{why}</why></result>"));
        call.refused_or(told("not yours", "no"), told("", "yes"))
    }, &[
            "widened stranger by kind: 200 not yours -> 200",
        ]).with("verdicts: [{ name: kind, when: { json: { \"$.result['@kind']\": no } }, verdict: denied, message: $.result.why }]"),
];

#[test]
fn what_xml_shows_is_seen_field_by_field() {
    let post = Post::new("", &XML);
    post.record().opens();
    let soap = post.snapshot("soap");
    assert!(soap.contains("not yours"), "{soap}");
}

const OTHERS: [Row; 7] = [
    Row::get(
        "csv",
        |call| {
            let row = format!("1,{}\n", call.owner.id);
            Answer::new(
                "text/csv",
                format!("n,owner\n{}", call.refused_or("", &row)),
            )
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "list-shows-more stranger:  -> []: 1 of owner",
            "value-shown stranger: [].n: <none>, [].owner: <none> -> [].n: 1, [].owner: <owner.person_id>",
            "shape-changed stranger: nothing -> [], [].n, [].owner",
        ],
    ),
    Row::get(
        "form",
        |call| {
            Answer::new(
                "application/x-www-form-urlencoded",
                format!("scope=read&user={}", call.shown().id),
            )
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
        ],
    ),
    Row::get(
        "lines",
        |call| {
            let row = format!("{{\"owner\": \"{}\"}}\n", call.owner.id);
            Answer::new(
                "application/x-ndjson",
                format!("{{\"owner\": null}}\n{}", call.refused_or("", &row)),
            )
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "list-shows-more stranger:  -> []: 1 of owner",
            "value-shown stranger: [].owner: <none> -> [].owner: <owner.person_id>",
        ],
    ),
    Row::get(
        "events",
        |call| {
            let row = format!("data: {{\"owner\": \"{}\"}}\n\n", call.owner.id);
            Answer::new(
                "text/event-stream",
                format!("data: {{\"owner\": null}}\n\n{}", call.refused_or("", &row)),
            )
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "list-shows-more stranger:  -> []: 1 of owner, []: some of unknown",
            "value-shown stranger: [].owner: <none> -> [].owner: <owner.person_id>",
            "shape-changed stranger: owner -> [], [].owner",
        ],
    ),
    Row::get(
        "parts",
        |call| {
            let part = format!(
                "--b\r\nContent-Type: text/plain\r\n\r\n{}\r\n",
                call.owner.id
            );
            Answer::new(
                "multipart/mixed; boundary=b",
                format!(
                    "--b\r\n\r\nhello\r\n{}--b--\r\n",
                    call.refused_or("", &part)
                ),
            )
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "value-shown stranger: part 2.body: <none>, part 2.type: <none> -> part 2.body: <owner.person_id>, part 2.type: text/plain",
            "shape-changed stranger: nothing -> part 2, part 2.body, part 2.type",
        ],
    ),
    Row::get(
        "base64-part",
        |call| {
            let text =
                STANDARD.encode(json!({"is_admin": call.closed_or(false, true)}).to_string());
            let head = "--b\r\nContent-Disposition: form-data; name=\"rights\"\r\nContent-Type: application/json\r\n";
            let body =
                format!("{head}Content-Transfer-Encoding: base64\r\n\r\n{text}\r\n--b--\r\n");
            Answer::new("multipart/form-data; boundary=b", body)
        },
        &["flag-turned stranger: rights.body.is_admin: false -> rights.body.is_admin: true"],
    ),
    Row::get(
        "bytes",
        |call| {
            let mut bytes = b"%PDF-1.7\n\0\xff\xfe /Author (".to_vec();
            bytes.extend_from_slice(call.shown().id.as_bytes());
            Answer::new("application/pdf", bytes)
        },
        &[
            "disclosure-widened stranger: not disclosed -> owner.person_id",
            "finding-added stranger:  -> other-tenant-disclosed: a caller of south was shown owner.person_id",
            "disclosure-narrowed stranger: actor.person_id -> not disclosed",
            "value-changed stranger: bytes.content: <text 36785dd4> -> bytes.content: <text 2e2d86ff>",
        ],
    ),
];

#[test]
fn what_tables_forms_lines_parts_and_bytes_show_is_seen() {
    let post = Post::new("", &OTHERS);
    let recorded = post.run(&["record", "post", "--reason", "so it is"]);
    assert!(
        recorded
            .stdout
            .contains("what is in 2 application/pdf as bytes"),
        "{recorded:#?}"
    );
    post.opens().takes_a_reason();
    let bytes = post.snapshot("bytes");
    assert!(!bytes.contains("%PDF"), "{bytes}");
}

const SUITE: &str = "name: soap
snapshots: snapshots
service: { ready: /health, timeout_s: 5, stream_s: 1 }
refusal: { message: $.Fault.faultstring }
";

const WORLD: &str = r#"kinds:
  item:
    symbols: { id: null, page: null, row: null, form: null, spaced: null }
    setup:
      - request: { method: POST, path: /xml }
        capture: { id: { match: "<id>([^<]+)" } }
      - request: { method: POST, path: "/page/{{ id }}" }
        capture: { page: { css: "input[name=csrf]", attribute: value } }
      - request: { method: POST, path: "/csv/{{ id }}" }
        capture: { row: "$[0].key" }
      - request: { method: POST, path: "/form/{{ id }}" }
        capture: { form: $.key }
      - request: { method: POST, path: "/json/{{ id }}" }
        capture: { spaced: { match: '"key": "([^"]+)"' } }
      - request: { method: GET, path: "/job/{{ id }}" }
        poll: { until: "{{ answer.body.job.state == 'done' and 'done' in answer.text }}", every_ms: 5, timeout_s: 2 }
    teardown:
      - request: { method: DELETE, path: "/things/{{ id }}" }
entities: {}
actors:
  keeper: { auth: { bearer: "k-k-k-k" } }
  guest: {}
"#;

const ENDPOINT: &str = "request: { method: GET, path: \"/things/{{ target.id }}?{{ target.page }}&{{ target.row }}&{{ target.form }}&{{ target.spaced }}\" }
targets: [an item]
";

/// The path that each value was given under is asked for with all of them.
fn soap(request: &Request, stream: &mut TcpStream, is_open: bool) -> std::io::Result<After> {
    let path = request.path().to_owned();
    let mut parts = path.trim_start_matches('/').split(['/', '?']);
    let (kind, id) = (parts.next().unwrap(), parts.next().unwrap_or_default());
    let xml = "content-type: text/xml\r\n";
    match kind {
        "xml" => {
            let id = authz_pin::template::random(12);
            respond(stream, 200, xml, format!("<item><id>i-{id}</id></item>"))
        }
        "page" => respond(
            stream,
            200,
            "content-type: text/html\r\n",
            format!("<form><input name=\"csrf\" value=\"page-{id}\"></form>"),
        ),
        "csv" => respond(
            stream,
            200,
            "content-type: text/csv\r\n",
            format!("n,key\n1,row-{id}\n"),
        ),
        "form" => respond(
            stream,
            200,
            "content-type: application/x-www-form-urlencoded\r\n",
            format!("key=form-{id}"),
        ),
        "json" => respond(
            stream,
            200,
            "content-type: application/json\r\n",
            format!("{{\"n\": 1, \"key\": \"spaced-{id}\"}}"),
        ),
        "job" => respond(stream, 200, xml, "<job><state>done</state></job>"),
        "things" if request.line.starts_with("DELETE") => respond(stream, 204, "", ""),
        "things" => {
            assert!(
                path.ends_with(&format!("?page-{id}&row-{id}&form-{id}&spaced-{id}")),
                "{path}"
            );
            if request.header("authorization").is_none() && !is_open {
                return respond(
                    stream,
                    401,
                    xml,
                    "<Fault><faultstring>who?</faultstring></Fault>",
                );
            }
            respond(stream, 200, xml, "<ok/>")
        }
        _ => respond(stream, 200, "", ""),
    }
}

fn soap_place(world: &str) -> Place {
    Place::empty()
        .write("soap/suite.yaml", SUITE)
        .write("soap/world.yaml", world)
        .write(
            "soap/targets.yaml",
            "targets: { an item: { kind: item } }\n",
        )
        .write("soap/endpoints/it.yaml", ENDPOINT)
}

#[test]
fn a_value_is_taken_from_any_body() {
    let is_open = Arc::new(AtomicBool::new(false));
    let hole = Arc::clone(&is_open);
    let service =
        Raw::start(move |request, stream| soap(request, stream, hole.load(Ordering::SeqCst)));
    let place = soap_place(WORLD);
    let run =
        |command: &[&str]| place.run(&[command, &["soap", "--base-url", &service.url()]].concat());
    run(&["record"]).result();
    let record = std::fs::read_to_string(place.path("soap/snapshots/it.snap")).unwrap();
    assert!(
        record.contains("who-: who?\n") || record.contains(": who?\n"),
        "{record}"
    );
    run(&["check"]).result();
    is_open.store(true, Ordering::SeqCst);
    let ended = run(&["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
}

#[test]
fn what_a_failed_setup_does_not_know_is_not_asked_to_be_removed() {
    let service = Raw::start(|request, stream| soap(request, stream, false));
    let place = soap_place(&WORLD.replace("<id>([^<]+)", "<key>([^<]+)"));
    let ended = place.run(&["record", "soap", "--base-url", &service.url()]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let left = ended.stderr.matches("could not be removed").count();
    assert_eq!(left, 1, "{}", ended.stderr);
    assert!(
        !ended.stderr.contains("undefined value"),
        "{}",
        ended.stderr
    );
    assert!(
        ended
            .stderr
            .contains("no `id` is at the body that `<key>([^<]+)` matches"),
        "{}",
        ended.stderr
    );
}

/// A service that answers each path in an encoding or a stream of its own.
fn odd(request: &Request, stream: &mut TcpStream, is_open: bool) -> std::io::Result<After> {
    let json = "content-type: application/json\r\n";
    match request.path() {
        "/health" => respond(stream, 200, "", ""),
        "/unknown" => respond(
            stream,
            200,
            &format!("{json}content-encoding: rot13\r\n"),
            "{}",
        ),
        "/broken" => {
            let bytes = gzip(b"{\"a\": 1}");
            respond(
                stream,
                200,
                &format!("{json}content-encoding: gzip\r\n"),
                &bytes[..12],
            )
        }
        "/bomb" => {
            let bytes = gzip(&vec![b' '; 17 << 20]);
            respond(
                stream,
                200,
                &format!("{json}content-encoding: gzip\r\n"),
                bytes,
            )
        }
        "/nothing" => respond(
            stream,
            200,
            &format!("{json}content-encoding: gzip\r\n"),
            "",
        ),
        "/malformed" => respond(stream, 200, "content-type: text/xml\r\n", "<a><b></a>"),
        "/endless" => {
            let data = if is_open {
                "data: {\"salary\": 17}\n\n"
            } else {
                ""
            };
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
            stream
                .write_all(format!("{head}data: {{\"a\": 1}}\n\n{data}data: {{\"b").as_bytes())?;
            // Longer than the suite says that a stream is read.
            std::thread::sleep(Duration::from_secs(3));
            Ok(After::Close)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn what_cannot_be_decoded_is_a_fault_and_a_stream_need_not_end() {
    let is_open = Arc::new(AtomicBool::new(false));
    let hole = Arc::clone(&is_open);
    let service =
        Raw::start(move |request, stream| odd(request, stream, hole.load(Ordering::SeqCst)));
    let mut place = Place::empty()
        .write("soap/suite.yaml", SUITE)
        .write(
            "soap/world.yaml",
            "kinds: {}\nentities: {}\nactors: { guest: {} }\n",
        )
        .write("soap/targets.yaml", "targets: { all: {} }\n");
    let paths = [
        "unknown",
        "broken",
        "bomb",
        "nothing",
        "malformed",
        "endless",
    ];
    for path in paths {
        let endpoint = format!("request: {{ method: GET, path: /{path} }}\ntargets: [all]\n");
        place = place.write(&format!("soap/endpoints/{path}.yaml"), &endpoint);
    }
    let run =
        |command: &[&str]| place.run(&[command, &["soap", "--base-url", &service.url()]].concat());
    let recorded = run(&["record", "--reason", "so it is"]);
    let snapshot = |path: &str| {
        let file = place.path(&format!("soap/snapshots/{path}.snap"));
        std::fs::read_to_string(file).unwrap_or_else(|_| panic!("{recorded:#?}"))
    };
    assert!(snapshot("unknown").contains("answer in an unknown encoding"));
    assert!(snapshot("broken").contains("answer with a broken encoding"));
    assert!(snapshot("bomb").contains("answer larger than 16 MiB"));
    assert!(snapshot("nothing").contains("allowed: 200"));
    let not_seen = "the fields of 1 text/xml (malformed, so read as a text)";
    assert!(recorded.stdout.contains(not_seen), "{recorded:#?}");
    is_open.store(true, Ordering::SeqCst);
    let ended = run(&["check", "--filter", "endless"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("salary"), "{ended:#?}");
}
