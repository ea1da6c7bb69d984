//! Values that a service gave, in whatever a suite makes of them: setups, teardowns, logins, probes and pages.

use std::fs;

use super::place::{Ended, Place};
use super::raw::{JSON, Raw, Request, respond};

const SUITE: &str = "name: sent
snapshots: snapshots
service: { ready: /health, timeout_s: 5 }
refusal: { message: $.error }
";

/// Who makes a thing of two steps, calls for it, and takes it back, with what the service gave.
const WORLD: &str = r#"kinds:
  thing:
    symbols: { id: null }
    setup:
      - request: { method: POST, path: /make }
        capture: { id: $.id }
      - request: { method: PUT, path: "//made/{{ id }}/%2e%2e/x", query: { of: "{{ id }}" }, json: { id: "{{ id }}" } }
      - request: { method: GET, path: "/jobs/./{{ id }}" }
        poll: { until: "{{ answer.body.ok == 1 }}", every_ms: 5, timeout_s: 2 }
    teardown:
      - request: { method: DELETE, path: "//made/../{{ id }};v=1", query: { of: "{{ id }}" } }
entities: {}
actors:
  caller: { auth: { bearer: caller-of-the-suite } }
"#;

const ENDPOINT: &str = r#"request: { method: POST, path: "/things/{{ target.id }}", form: { id: "{{ target.id }}" } }
targets: [a thing]
capture:
  copy: { kind: thing, from: { id: $.copy } }
probes:
  copy:
    request: { method: GET, path: "/things/../{{ copy.id }}?a=%20" }
    auth: { bearer: "{{ target.id | b64url }}" }
"#;

fn place(world: &str, endpoint: &str) -> Place {
    Place::empty()
        .write("sent/suite.yaml", SUITE)
        .write("sent/world.yaml", world)
        .write(
            "sent/targets.yaml",
            "targets: { a thing: { kind: thing }, nothing: {} }\n",
        )
        .write("sent/endpoints/it.yaml", endpoint)
}

fn record(place: &Place, service: &Raw) -> Ended {
    let url = service.url();
    place.run(&["record", "sent", "--base-url", &url, "--reason", "so it is"])
}

fn snapshot(place: &Place) -> String {
    fs::read_to_string(place.path("sent/snapshots/it.snap")).unwrap()
}

/// Gives this identifier, and says the path back.
fn service(id: &'static str) -> Raw {
    Raw::start(move |request, stream| {
        let made =
            serde_json::json!({"id": id, "copy": format!("{id}c"), "ok": 1, "got": request.path()});
        respond(stream, 200, JSON, made.to_string())
    })
}

fn lines(service: &Raw) -> Vec<String> {
    let asked = service.asked().into_iter();
    asked
        .map(|request| request.line.replace(" HTTP/1.1", ""))
        .collect()
}

/// Identifiers with what ends or divides a path, each with its form in one.
const IDS: [(&str, &str); 6] = [
    ("ORG#7f3a91c2", "ORG%237f3a91c2"),
    ("a?b=7f3a91c2&c", "a%3Fb%3D7f3a91c2%26c"),
    ("100%7f3a91c2 of it", "100%257f3a91c2%20of%20it"),
    ("../../7f3a91c2", "..%2F..%2F7f3a91c2"),
    ("7f3a91c2/", "7f3a91c2%2F"),
    ("%2e%2e7f3a91c2", "%252e%252e7f3a91c2"),
];

#[test]
fn an_identifier_is_one_piece_of_a_path_in_setups_teardowns_and_probes() {
    for (id, encoded) in IDS {
        let (place, service) = (place(WORLD, ENDPOINT), service(id));
        let ended = record(&place, &service);
        assert_eq!(ended.code, Some(0), "{id}: {ended:#?}");
        let lines = lines(&service);
        for line in [
            format!("PUT //made/{encoded}/%2e%2e/x?of={encoded}"),
            format!("GET /jobs/./{encoded}"),
            format!("POST /things/{encoded}"),
            format!("GET /things/../{encoded}c?a=%20"),
            format!("DELETE //made/../{encoded};v=1?of={encoded}"),
            format!("DELETE //made/../{encoded}c;v=1?of={encoded}c"),
        ] {
            let is_query = |line: &str| line.replace("%20", "+");
            let is_there = lines.iter().any(|other| is_query(other) == is_query(&line));
            assert!(is_there, "{line} in {lines:#?}");
        }
        // In a body it is what it is.
        let asked = service.asked();
        let put = asked.iter().find(|request| request.line.starts_with("PUT"));
        let body: serde_json::Value = serde_json::from_str(&put.unwrap().body).unwrap();
        assert_eq!(body["id"], id);
        let named = snapshot(&place);
        assert!(named.contains("got: /things/<target.id>"), "{named}");
        assert!(!named.contains("7f3a91c2"), "{named}");
    }
}

#[test]
fn a_path_that_a_page_links_to_is_asked_for_as_it_is_linked() {
    let service = Raw::start(|request, stream| {
        let link = match request.path() {
            "/health" => return respond(stream, 200, "", ""),
            "/a//list" => "link: </a//%2e%2e/list?at=a%2Fb>; rel=next\r\n",
            _ => "",
        };
        respond(stream, 200, &format!("{JSON}{link}"), r#"{"items": [1]}"#)
    });
    let endpoint =
        "request: { method: GET, path: /a//list }\ntargets: [nothing]\npages: { link: next }\n";
    let place = place(
        "kinds: { thing: {} }\nentities: {}\nactors: { caller: {} }\n",
        endpoint,
    );
    record(&place, &service).result();
    let lines = lines(&service);
    let next = "GET /a//%2e%2e/list?at=a%2Fb".to_owned();
    assert!(lines.contains(&next), "{lines:#?}");
}

/// Whether the hole is open is in the path.
const METHODS: [(&str, &str); 3] = [
    ("OPTIONS", "header-changed"),
    ("TRACE", "others-secret-disclosed"),
    ("MKCALENDAR", "widened"),
];

/// Answers by methods of its own.
fn by_method(request: &Request, is_open: bool) -> (u16, String, String) {
    let allow = if is_open { "GET, DELETE" } else { "GET" };
    let token = if is_open {
        "Bearer caller-of-the-suite"
    } else {
        request.header("authorization").unwrap_or("nothing")
    };
    match request.line.split(' ').next().unwrap() {
        "OPTIONS" => (204, format!("allow: {allow}\r\n"), String::new()),
        "TRACE" => (
            200,
            "content-type: message/http\r\n".to_owned(),
            format!("TRACE / HTTP/1.1\r\nAuthorization: {token}\r\n"),
        ),
        "MKCALENDAR" if is_open => (201, String::new(), String::new()),
        "GET" if request.header("authorization").is_none() => (401, String::new(), String::new()),
        "MKCALENDAR" => (403, JSON.to_owned(), r#"{"error": "no"}"#.to_owned()),
        _ => (200, String::new(), String::new()),
    }
}

#[test]
fn what_opens_to_a_method_of_its_own_is_seen() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    let world = "kinds:
  person: { secrets: { token: \"{{ name }}-of-the-suite\" } }
entities: {}
actors:
  caller: { kind: person, auth: { bearer: \"{{ actor.token }}\" } }
  other: { kind: person, auth: { bearer: \"{{ actor.token }}\" } }
  anonymous: {}
";
    for (method, told) in METHODS {
        let is_open = Arc::new(AtomicBool::new(false));
        let hole = Arc::clone(&is_open);
        let service = Raw::start(move |request, stream| {
            if request.path() == "/health" {
                return respond(stream, 200, "", "");
            }
            let is_other = request.header("authorization") == Some("Bearer other-of-the-suite");
            let (status, headers, body) =
                by_method(request, is_other && hole.load(Ordering::SeqCst));
            respond_bare(stream, status, &headers, &body)
        });
        let endpoint = format!("request: {{ method: {method}, path: /x }}\ntargets: [nothing]\n");
        let place = place(world, &endpoint)
            .write("sent/targets.yaml", "targets: { nothing: {} }\n")
            .write(
                "sent/endpoints/me.yaml",
                "request: { method: GET, path: /me }\ntargets: [nothing]\n",
            );
        let ended = record(&place, &service);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert!(
            !snapshot(&place).contains("-of-the-suite"),
            "{}",
            snapshot(&place)
        );
        is_open.store(true, Ordering::SeqCst);
        let ended = place.run(&["check", "sent", "--base-url", &service.url()]);
        assert_eq!(ended.code, Some(1), "{method}: {ended:#?}");
        assert!(ended.stdout.contains(told), "{method}: {ended:#?}");
        assert!(!ended.stdout.contains("-of-the-suite"), "{ended:#?}");
    }
}

/// No length where the status has no body.
fn respond_bare(
    stream: &mut std::net::TcpStream,
    status: u16,
    headers: &str,
    body: &str,
) -> std::io::Result<super::raw::After> {
    use std::io::Write as _;
    if status == 204 {
        stream.write_all(format!("HTTP/1.1 204 None\r\n{headers}\r\n").as_bytes())?;
        return Ok(super::raw::After::Keep);
    }
    respond(stream, status, headers, body)
}

/// A world whose caller has what a login gave in this credential.
fn login(credential: &str) -> String {
    format!(
        "kinds: {{ thing: {{}} }}
entities: {{}}
actors:
  caller:
    auth:
      login:
        request: {{ method: POST, path: /login }}
        capture: {{ given: $.given }}
      {credential}
"
    )
}

/// Logs in with this value, and says what came.
fn given(value: &'static str, credential: &str) -> (Ended, Vec<Request>) {
    let service = Raw::start(move |request, stream| match request.path() {
        "/login" => {
            let body = serde_json::json!({"given": value});
            respond(stream, 200, JSON, body.to_string())
        }
        _ => respond(stream, 200, "", ""),
    });
    let endpoint = "request: { method: GET, path: /it }\ntargets: [nothing]\n";
    let ended = record(&place(&login(credential), endpoint), &service);
    let mut asked = service.asked();
    asked.retain(|request| request.path() == "/it");
    (ended, asked)
}

#[test]
fn what_a_login_gave_and_no_header_can_carry_is_told_and_not_sent() {
    let headers = "headers: { X-Session: \"{{ login.given }}\" }";
    let bearer = "bearer: \"{{ login.given }}\"";
    let digest = "digest: { username: \"{{ login.given }}\", password: s3cret }";
    for (value, character) in [
        ("a7f3a91c2\r\nX-Role: admin", "a line break (U+000D)"),
        ("a7f3a91c2\n", "a line break (U+000A)"),
        ("a7f3a91c2\0b", "a NUL (U+0000)"),
        ("a7f3a91c2\u{1b}[2J", "a control character (U+001B)"),
    ] {
        for credential in [headers, bearer, digest] {
            let (ended, asked) = given(value, credential);
            let told = ended.error(2);
            assert!(asked.is_empty(), "{asked:#?}");
            assert!(told.contains(&format!("holds {character}")), "{told}");
            assert!(told.contains("--> sent/world.yaml:"), "{told}");
            assert!(!told.contains("a7f3a91c2"), "{told}");
        }
    }
}

#[test]
fn what_a_header_can_carry_is_sent_as_it_was_given() {
    for value in [
        "Zoë \u{1f512} 7f3a91c2",
        "a\tb 7f3a91c2",
        "a\"b\\, 7f3a91c2;c=d",
    ] {
        let (ended, asked) = given(value, "headers: { X-Session: \"{{ login.given }}\" }");
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert_eq!(asked[0].header("x-session"), Some(value));
    }
}

#[test]
fn what_a_login_gave_is_one_cookie_or_an_error() {
    let cookies = "cookies: { sid: \"{{ login.given }}\", theme: dark }";
    for (value, character) in [
        ("7f3a91c2; role=admin", "`;`"),
        ("7f3a91c2,role=admin", "`,`"),
        ("7f3a91c2\r\nCookie: role=admin", "a line break (U+000D)"),
    ] {
        let (ended, asked) = given(value, cookies);
        let told = ended.error(2);
        assert!(asked.is_empty(), "{asked:#?}");
        let expected = format!("the value of the cookie `sid` holds {character}");
        assert!(told.contains(&expected), "{told}");
        assert!(!told.contains("7f3a91c2"), "{told}");
    }
    for value in [
        "a=7f3a91c2==",
        "\"7f3a91c2\"",
        "s%3A7f3a91c2.x%3D",
        "Zoë7f3a91c2",
        "j:{7f3a91c2:[1]}",
    ] {
        let (ended, asked) = given(value, cookies);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let sent: Vec<_> = asked[0]
            .headers
            .iter()
            .filter(|(name, _)| name == "cookie")
            .collect();
        assert_eq!(sent.len(), 1, "{sent:?}");
        assert_eq!(sent[0].1, format!("sid={value}; theme=dark"));
    }
}

#[test]
fn a_name_of_basic_with_a_colon_would_be_another_one() {
    let basic = "basic: { username: \"{{ login.given }}\", password: s3cret }";
    let (ended, asked) = given("ann:7f3a91c2", basic);
    let told = ended.error(2);
    assert!(asked.is_empty(), "{asked:#?}");
    assert!(!told.contains("7f3a91c2"), "{told}");
    assert!(told.contains("sent/world.yaml:"), "{told}");
}

const SIGNED: &str = r#"kinds:
  thing:
    setup:
      - request: { method: POST, path: /made, query: { q: "a b" }, form: { a: "1 + 1", b: [x, "&"] } }
        auth: { actor: partner }
entities: {}
actors:
  partner:
    auth:
      headers:
        X-Date: "{{ now.unix }}"
        X-Signature: "{{ [request.method, request.target, request.body_sha256, now.unix] | join('\n') | hmac('s3cret') }}"
        X-Length: "{{ request.body | length }}"
  anonymous: {}
"#;

/// Bodies and queries of each kind, each of which changes what is signed.
const REQUESTS: [(&str, &str); 6] = [
    (
        "form",
        "{ method: POST, path: /x, form: { a: \"ü & 1\", b: [x, y], c: null } }",
    ),
    (
        "parts",
        "{ method: PUT, path: /x, multipart: { a: \"{{ cell.tag }}\", f: { file: a.txt, text: \"a\\nb\\n\" } } }",
    ),
    (
        "lines",
        "{ method: POST, path: /x, raw: { type: text/csv, text: \"a,{{ cell.tag }}\\n\" } }",
    ),
    (
        "empty",
        "{ method: DELETE, path: \"/x/a%2Fb;v=1?x=%20\", query: { q: [a, \"b c\", \"ü\"], n: null } }",
    ),
    (
        "json",
        "{ method: PATCH, path: /x, query: { \"a[]\": [1, 2] }, json: [{ b: \"{{ cell.tag }}\", a: 1.50 }] }",
    ),
    ("any", "{ method: REPORT, path: \"//x//\", json: {} }"),
];

#[test]
fn a_signature_is_over_the_body_and_the_query_that_are_sent() {
    let service = Raw::start(|request, stream| {
        let length = request.header("x-length").unwrap_or_default();
        let is_whole = length == request.body.chars().count().to_string();
        let is_signed = is_whole && super::credentials::signed_by(request, "s3cret");
        let is_known = is_signed || request.path() == "/health";
        respond(
            stream,
            if is_known { 200 } else { 401 },
            JSON,
            r#"{"ok": 1}"#,
        )
    });
    let target = "targets: [a thing]\n";
    let probe = "probes:\n  after:\n    request: { method: PUT, path: /p, query: { a: \"b c\" }, raw: { text: \"x\\n\" } }\n    auth: { actor: partner }\n";
    let text = |request: &str| format!("request: {request}\n{target}{probe}");
    let place = REQUESTS.iter().fold(
        place(SIGNED, &text(REQUESTS[0].1)).write(
            "sent/targets.yaml",
            "targets: { a thing: { kind: thing } }\n",
        ),
        |place, (name, request)| {
            place.write(&format!("sent/endpoints/{name}.yaml"), &text(request))
        },
    );
    let ended = record(&place, &service);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for (name, _) in REQUESTS {
        let file = format!("sent/snapshots/{name}.snap");
        let record = fs::read_to_string(place.path(&file)).unwrap();
        assert!(
            record.contains("partner: {allowed: 200"),
            "{name}: {record}"
        );
        assert!(
            record.contains("anonymous: {denied: 401"),
            "{name}: {record}"
        );
        assert!(!record.contains("after: {denied"), "{name}: {record}");
        assert!(record.contains("200"), "{name}: {record}");
    }
    let probes = service.asked();
    let probes = probes.iter().filter(|request| request.path() == "/p?a=b+c");
    assert!(probes.clone().count() > 0);
    assert!(probes.clone().all(|probe| probe.body == "x\n"));
}

#[test]
fn a_header_that_is_made_of_a_body_with_a_line_break_is_told_with_its_place() {
    let world = SIGNED.replace("{{ request.body | length }}", "{{ request.body }}");
    let service = Raw::start(|_, stream| respond(stream, 200, JSON, "{}"));
    let endpoint = "request: { method: POST, path: /x, raw: { text: \"a7f3a91c2\\r\\nX-Role: admin\" } }\ntargets: [nothing]\n";
    let ended = record(&place(&world, endpoint), &service);
    let told = ended.error(2);
    assert!(
        told.contains("the value of the header `X-Length` holds a line break (U+000D)"),
        "{told}"
    );
    assert!(told.contains("(of sent/world.yaml:13:9)"), "{told}");
    assert!(!told.contains("a7f3a91c2"), "{told}");
}
