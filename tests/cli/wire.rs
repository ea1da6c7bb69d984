//! What is sent is what a suite says: paths, methods, headers and cookies, or an error at their place.

use std::fs;

use insta::assert_snapshot;

use super::place::{Ended, Place, project};
use super::raw::{JSON, Raw, Request, respond};

const SUITE: &str = "\
name: wire
snapshots: snapshots
service:
  ready: /health
variables:
  note: { default: plain }
  pin: { secret: true, default: \"4711\" }
refusal: { message: $.error }
";

const WORLD: &str = "\
kinds:
  org:
    symbols: { id: null }
    setup:
      - request: { method: POST, path: /orgs }
        capture: { id: $.id }
    teardown:
      - request: { method: DELETE, path: \"/orgs/{{ id }}?of={{ id }}\" }
entities: {}
actors:
  caller:
    auth: { bearer: \"{{ vars.pin }}\" }
";

const TARGETS: &str = "targets: { nothing: {}, an org: { kind: org } }\n";

/// A suite with these endpoints, by their names.
fn suite(endpoints: &[(&str, &str)]) -> Place {
    let place = Place::empty()
        .write("wire/suite.yaml", SUITE)
        .write("wire/world.yaml", WORLD)
        .write("wire/targets.yaml", TARGETS);
    endpoints.iter().fold(place, |place, (name, text)| {
        place.write(&format!("wire/endpoints/{name}.yaml"), text)
    })
}

fn endpoint(request: &str) -> String {
    format!("request: {{ {request} }}\ntargets: [nothing]\n")
}

/// A suite with one endpoint of one request.
fn one(request: &str) -> Place {
    suite(&[("it", &endpoint(request))])
}

/// Says which path was asked for, and makes things with an identifier that it is given.
fn service(id: &'static str) -> Raw {
    Raw::start(move |request, stream| {
        let (method, path) = request.line.split_once(' ').unwrap();
        match (method, request.path()) {
            ("GET", "/health") => respond(stream, 200, "", ""),
            ("POST", "/orgs") => respond(stream, 201, JSON, format!(r#"{{"id": "{id}"}}"#)),
            ("DELETE", _) => respond(stream, 204, "", ""),
            ("HEAD", "/closed") => {
                let head = "HTTP/1.1 403 No\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n";
                std::io::Write::write_all(stream, head.as_bytes())?;
                Ok(super::raw::After::Keep)
            }
            ("HEAD", _) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n";
                std::io::Write::write_all(stream, head.as_bytes())?;
                Ok(super::raw::After::Keep)
            }
            _ => {
                let path = path.split(' ').next().unwrap().replace('\\', "\\\\");
                let known = ["authorization", "cookie"];
                let is_known = known.iter().any(|name| request.header(name).is_some());
                if is_known && !path.contains("closed") {
                    respond(stream, 200, JSON, format!(r#"{{"got": "{path}"}}"#))
                } else {
                    respond(stream, 403, JSON, format!(r#"{{"error": "got {path}"}}"#))
                }
            }
        }
    })
}

fn record(place: &Place, service: &Raw) -> Ended {
    place.run(&["record", "wire", "--base-url", &service.url()])
}

/// The requests that were asked, but for those whether the service is ready, each once.
fn asked(service: &Raw) -> Vec<Request> {
    let mut asked = service.asked();
    asked.retain(|request| request.path() != "/health");
    asked.dedup_by(|one, other| one.line == other.line);
    asked
}

fn lines(service: &Raw) -> Vec<String> {
    let lines = asked(service).into_iter();
    let lines = lines.map(|request| request.line.replace(" HTTP/1.1", ""));
    lines.collect()
}

fn mistakes(place: &Place) -> String {
    place.run(&["list", "wire"]).error(2)
}

fn snapshot(place: &Place, name: &str) -> String {
    fs::read_to_string(place.path(&format!("wire/snapshots/{name}.snap"))).unwrap()
}

#[test]
fn a_path_is_sent_byte_for_byte() {
    let paths = [
        "/public/../admin/users",
        "/public/%2e%2e/admin",
        "/public/.%2E/admin",
        "//admin//users/",
        "/public/..;/admin",
        "/public/..\\admin",
        "/./admin",
        "/..",
        "/things/a?b=../c&d='e'",
        "/things/100%",
        "/things/a%2Fb%00",
        "/ADMIN/[x]|^",
    ];
    let names: Vec<String> = (0..paths.len()).map(|n| format!("p{n:02}")).collect();
    let texts: Vec<String> = paths
        .iter()
        .map(|path| {
            endpoint(&format!(
                "method: GET, path: '{}'",
                path.replace('\'', "''")
            ))
        })
        .collect();
    let endpoints: Vec<(&str, &str)> = names
        .iter()
        .map(String::as_str)
        .zip(texts.iter().map(String::as_str))
        .collect();
    let (place, service) = (suite(&endpoints), service("x"));
    let recorded = record(&place, &service);
    assert_eq!(recorded.code, Some(0), "{recorded:#?}");
    let lines = lines(&service);
    for path in paths {
        assert!(
            lines.contains(&format!("GET {path}")),
            "{path} in {lines:#?}"
        );
    }
    // With nothing else than what the client adds to any request.
    let asked = asked(&service);
    let header = |request: &Request, name: &str| request.header(name).map(str::to_owned);
    for name in [
        "host",
        "accept",
        "user-agent",
        "authorization",
        "content-length",
    ] {
        let all: Vec<_> = asked.iter().map(|request| header(request, name)).collect();
        assert!(all.iter().all(|other| *other == all[0]), "{name}: {all:?}");
    }
    let url = service.url();
    let checked = place.run(&["check", "wire", "--base-url", &url]);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
}

#[test]
fn what_a_request_line_cannot_carry_is_percent_encoded() {
    let place = one("method: GET, path: '/ü b/\"<{x}>`'");
    let service = service("x");
    record(&place, &service).result();
    assert_eq!(lines(&service), ["GET /%C3%BC%20b/%22%3C%7Bx%7D%3E%60"]);
}

#[test]
fn a_body_is_sent_with_a_path_that_no_url_has() {
    let place = one("method: PUT, path: /a/../b, json: { a: [1] }, headers: { x-a: b }");
    let service = service("x");
    record(&place, &service).result();
    let asked = asked(&service);
    assert_eq!(asked[0].line, "PUT /a/../b HTTP/1.1");
    assert_eq!(asked[0].body, r#"{"a":[1]}"#);
    assert_eq!(asked[0].header("content-type"), Some("application/json"));
    assert_eq!(asked[0].header("x-a"), Some("b"));
}

#[test]
fn a_path_that_cannot_be_sent_is_a_mistake_at_its_place() {
    let request = |path: &str| endpoint(&format!("method: GET, path: {path}"));
    let texts = [
        ("a", request("'/things/org#42/x'")),
        ("b", request("\"/things/a\\tb\"")),
        ("c", request("things")),
        ("d", request("http://127.0.0.1/x")),
        ("e", request("'*'")),
        ("f", request("\"/{{ vars.note }}\\r\\n/x\"")),
    ];
    let texts: Vec<_> = texts
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    assert_snapshot!(mistakes(&suite(&texts)), @r#"
    error: the path holds `#`, and what follows it is not sent
      --> wire/endpoints/a.yaml:1:31
      |
    1 | request: { method: GET, path: '/things/org#42/x' }
      |                               ^^^^^^^^^^^^^^^^^^^
      = help: write the character as `%23`, or leave it out with what follows

    error: the path holds a tab (U+0009)
      --> wire/endpoints/b.yaml:1:31
      |
    1 | request: { method: GET, path: "/things/a\tb" }
      |                               ^^^^^^^^^^^^^^^
      = help: write it as `%09`

    error: the path does not begin with `/`
      --> wire/endpoints/c.yaml:1:31
      |
    1 | request: { method: GET, path: things }
      |                               ^^^^^^
      = help: begin it with `/`

    error: the path is a whole URL
      --> wire/endpoints/d.yaml:1:31
      |
    1 | request: { method: GET, path: http://127.0.0.1/x }
      |                               ^^^^^^^^^^^^^^^^^^
      = help: give the host's URL a name under `service.urls`, name that as the request's `url`, and write the path alone; of what is captured, take the path with `match: "://[^/]+(/.*)"`

    error: only OPTIONS can be asked of `*`
      --> wire/endpoints/e.yaml:1:31
      |
    1 | request: { method: GET, path: '*' }
      |                               ^^^^
      = help: write `OPTIONS` as the method, or `/*` as the path

    error: the path holds a line break (U+000D)
      --> wire/endpoints/f.yaml:1:31
      |
    1 | request: { method: GET, path: "/{{ vars.note }}\r\n/x" }
      |                               ^^^^^^^^^^^^^^^^^^^^^^^^^
      = help: write it as `%0D`

    6 errors in 6 files
    "#);
    let ready = suite(&[("it", &request("/x"))]).edit("wire/suite.yaml", "/health", "health#up");
    assert_snapshot!(mistakes(&ready), @r"
    error: the path holds `#`, and what follows it is not sent
      --> wire/suite.yaml:4:10
      |
    4 |   ready: health#up
      |          ^^^^^^^^^
      = help: write the character as `%23`, or leave it out with what follows

    1 error
    ");
}

#[test]
fn a_value_in_a_path_is_encoded_where_it_stands() {
    let text = "request: { method: GET, path: \"/things/{{ target.id }}?q={{ target.id }}\" }\ntargets: [an org]\n";
    for (id, encoded) in [
        ("ORG#ab12cd34", "ORG%23ab12cd34"),
        ("a/b?c=d&e%f+g h", "a%2Fb%3Fc%3Dd%26e%25f%2Bg%20h"),
        ("..", "%2E%2E"),
        ("ü-\\\\;../x", "%C3%BC-%5C%3B..%2Fx"),
    ] {
        let (place, service) = (suite(&[("it", text)]), service(id));
        let recorded = record(&place, &service);
        assert_eq!(recorded.code, Some(0), "{recorded:#?}");
        let expected = format!("GET /things/{encoded}?q={encoded}");
        let removed = format!("DELETE /orgs/{encoded}?of={encoded}");
        let lines = lines(&service);
        assert!(lines.contains(&expected), "{expected} in {lines:#?}");
        assert!(lines.contains(&removed), "{removed} in {lines:#?}");
    }
    let closed = text.replace("/things", "/closed");
    let (place, service) = (
        suite(&[("it", text), ("no", &closed)]),
        service("ORG#ab12cd34"),
    );
    record(&place, &service).result();
    let record = snapshot(&place, "no");
    assert!(
        record.contains("got /closed/<target.id>?q=<target.id>"),
        "{record}"
    );
}

#[test]
fn a_value_that_is_a_path_stays_as_it_is() {
    let setup = "setup:\n  - request: { method: POST, path: /orgs }\n    capture: { at: $.id }\n";
    let texts = [
        ("a", "{{ setup.at }}"),
        ("b", "{{ setup.at }}/{{ setup.at }}"),
        ("c", "/x{{ setup.at | safe }}"),
        ("d", "/x{{ setup.at | urlencode }}"),
        ("e", "/x{{ setup.at }}"),
    ]
    .map(|(name, path)| {
        let request = format!("request: {{ method: GET, path: \"{path}\" }}\n");
        (name, format!("{request}targets: [nothing]\n{setup}"))
    });
    let texts: Vec<_> = texts
        .iter()
        .map(|(name, text)| (*name, text.as_str()))
        .collect();
    let (place, service) = (suite(&texts), service("/a/../b"));
    record(&place, &service);
    let lines = lines(&service);
    for path in [
        "/a/../b",
        "/a/../b/%2Fa%2F..%2Fb",
        "/x/a/../b",
        "/x%2Fa%2F..%2Fb",
    ] {
        assert!(
            lines.contains(&format!("GET {path}")),
            "{path} in {lines:#?}"
        );
    }
}

#[test]
fn a_path_that_a_value_makes_unfit_is_told_with_its_place() {
    let text = "request: { method: GET, path: \"{{ setup.at }}\" }\ntargets: [nothing]\n\
                setup:\n  - request: { method: POST, path: /orgs }\n    capture: { at: $.id }\n";
    let place = suite(&[("it", text)]);
    let told = record(&place, &service("http://elsewhere/x"));
    assert_snapshot!(told.error(2), @r#"
    what the setup of the endpoint `it` makes stays: it has no `teardown`
    error: it/nothing/caller: the path is a whole URL
      --> wire/endpoints/it.yaml:1:25
      = help: give the host's URL a name under `service.urls`, name that as the request's `url`, and write the path alone; of what is captured, take the path with `match: "://[^/]+(/.*)"`

    1 error
    "#);
    let told = record(&place, &service("/app#/login"));
    assert_snapshot!(told.error(2), @r"
    what the setup of the endpoint `it` makes stays: it has no `teardown`
    error: it/nothing/caller: the path holds `#`, and what follows it is not sent
      --> wire/endpoints/it.yaml:1:25
      = help: write the character as `%23`, or leave it out with what follows

    1 error
    ");
}

#[test]
fn any_method_is_sent_and_an_answer_to_head_has_no_body() {
    let place = suite(&[
        ("head", &endpoint("method: HEAD, path: /open")),
        ("head-closed", &endpoint("method: HEAD, path: /closed")),
        ("options", &endpoint("method: OPTIONS, path: '*'")),
        ("propfind", &endpoint("method: PROPFIND, path: /a")),
        ("purge", &endpoint("method: PURGE, path: /b/../c")),
        ("trace", &endpoint("method: TRACE, path: /d")),
    ]);
    let service = service("x");
    let recorded = record(&place, &service);
    assert_eq!(recorded.code, Some(0), "{recorded:#?}");
    let lines = lines(&service);
    for line in [
        "HEAD /open",
        "HEAD /closed",
        "OPTIONS *",
        "PROPFIND /a",
        "PURGE /b/../c",
        "TRACE /d",
    ] {
        assert!(
            lines.iter().any(|other| other == line),
            "{line} in {lines:#?}"
        );
    }
    let body = |name: &str| {
        let record = snapshot(&place, name);
        record.split("\n---\n").nth(1).unwrap().to_owned()
    };
    assert_snapshot!(body("head"), @r"
    format: 2
    endpoint: HEAD /open
    values: {}
    cells:
      nothing:
        caller: {allowed: 200, effects: not observed}
    ");
    assert_snapshot!(body("head-closed"), @r"
    format: 2
    endpoint: HEAD /closed
    gates:
      refused: ''
    values: {}
    cells:
      nothing:
        caller: {denied: 403, gate: refused, effects: not observed}
    ");
    let url = service.url();
    let checked = place.run(&["check", "wire", "--base-url", &url]);
    assert_eq!(checked.code, Some(0), "{checked:#?}");
}

#[test]
fn what_is_no_method_of_a_request_is_a_mistake() {
    let place = suite(&[
        ("a", &endpoint("method: get, path: /a")),
        ("b", &endpoint("method: CONNECT, path: /a")),
        ("c", &endpoint("method: 'GET /', path: /a")),
    ]);
    assert_snapshot!(mistakes(&place), @r"
    error: `get` is not a method
      --> wire/endpoints/a.yaml:1:20
      |
    1 | request: { method: get, path: /a }
      |                    ^^^
      = help: did you mean `GET`?

    error: `CONNECT` asks a proxy for a tunnel
      --> wire/endpoints/b.yaml:1:20
      |
    1 | request: { method: CONNECT, path: /a }
      |                    ^^^^^^^
      = help: a suite has requests of a service; take any other method

    error: `GET /` is not a method
      --> wire/endpoints/c.yaml:1:20
      |
    1 | request: { method: 'GET /', path: /a }
      |                    ^^^^^^^
      = help: write a token, such as `GET` or `PROPFIND`

    3 errors in 3 files
    ");
}

const OF_ALL: &str = "  ready: /health\n  headers: { X-Client: \"{{ vars.note }}\", x-version: \"2\", x-tag: none, authorization: default }\n";

#[test]
fn headers_are_repeated_left_out_and_given_to_every_request() {
    let text = "request: { method: GET, path: /a, headers: { X-Tag: [a, \"{{ vars.note }}\"], x-client: null, x-none: \"{{ none }}\" } }\n\
                targets: [an org]\n";
    let place = suite(&[("it", text)]).edit("wire/suite.yaml", "  ready: /health\n", OF_ALL);
    let service = service("ORG-ab12cd34");
    record(&place, &service).result();
    let asked = asked(&service);
    let of = |line: &str| {
        let request = asked.iter().find(|request| request.line.starts_with(line));
        let headers = request.unwrap().headers.iter();
        let headers = headers.filter(|(name, _)| name.starts_with("x-") || name == "authorization");
        let headers = headers.map(|(name, value)| format!("{name}: {value}"));
        headers.collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(of("GET /a"), @r"
    authorization: Bearer 4711
    x-version: 2
    x-tag: a
    x-tag: plain
    ");
    assert_snapshot!(of("POST /orgs"), @r"
    x-client: plain
    x-version: 2
    x-tag: none
    authorization: default
    ");
    assert_eq!(of("POST /orgs"), of("DELETE /orgs"));
}

#[test]
fn a_header_that_http_cannot_carry_is_told_with_its_place_and_without_its_value() {
    let place = suite(&[
        ("a", &endpoint("method: GET, path: /a, headers: { X-A: \"s3cret\\r\\nX-Role: admin\" }")),
        ("b", &endpoint("method: GET, path: /a, headers: { X A: b, X-B: [c, \"s3cret\\0\"] }")),
    ])
    .edit(
        "wire/world.yaml",
        "    auth: { bearer: \"{{ vars.pin }}\" }\n",
        "    auth: { headers: { X-User: \"s3cret\\r\\nX-Role: admin\" }, cookies: { a: \"s3cret; role=admin\", \"b=c\": d } }\n",
    )
    .edit(
        "wire/suite.yaml",
        "  ready: /health\n",
        "  ready: /health\n  headers: { X-All: \"s3cret\\u007f\" }\n",
    );
    let told = mistakes(&place);
    assert!(!told.contains("s3cret"), "{told}");
    assert_snapshot!(told, @r"
    error: the value of the header `X-A` holds a line break (U+000D)
      --> wire/endpoints/a.yaml:1:51
      = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    error: `X A` is not a name of a header
      --> wire/endpoints/b.yaml:1:51
      = help: a name has letters, digits and any of !#$%&'*+-.^_`|~

    error: the value of the header `X-B` holds a NUL (U+0000)
      --> wire/endpoints/b.yaml:1:63
      = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    error: the value of the header `X-All` holds a control character (U+007F)
      --> wire/suite.yaml:5:21
      = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    error: actor `caller`: the value of the header `X-User` holds a line break (U+000D)
       --> wire/world.yaml:12:32
       = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    error: actor `caller`: the value of the cookie `a` holds `;`
       --> wire/world.yaml:12:75
       = help: that would end the cookie: leave it out, or encode the value, for instance with the filter `urlencode`

    error: actor `caller`: `b=c` is not a name of a cookie
       --> wire/world.yaml:12:104
       = help: a name has letters, digits and any of !#$%&'*+-.^_`|~

    7 errors in 4 files
    ");
}

#[test]
fn a_value_that_no_header_and_no_cookie_can_carry_is_told_with_its_place() {
    let bearer = "{ bearer: \"{{ vars.pin }}\" }";
    let given = |auth: &str, note: &str, pin: &str| {
        let text = endpoint("method: GET, path: /a, headers: { X-Note: \"{{ vars.note }}\" }");
        let place = suite(&[("it", &text)]).edit("wire/world.yaml", bearer, auth);
        let service = service("x");
        let (note, pin) = (format!("note={note}"), format!("pin={pin}"));
        let url = service.url();
        let arguments = [
            "record",
            "wire",
            "--base-url",
            &url,
            "--var",
            &note,
            "--var",
            &pin,
        ];
        let told = place.run(&arguments).error(2);
        assert!(!told.contains("admin"), "{told}");
        assert!(asked(&service).is_empty(), "{told}");
        told
    };
    let cookies = "{ cookies: { sid: \"x{{ vars.pin }}\" } }";
    let headers = "{ headers: { X-User: \"{{ vars.pin }}\" } }";
    assert_snapshot!(given(bearer, "a\r\nx-role: admin", "1"), @r"
    error: it/nothing/caller: the value of the header `X-Note` holds a line break (U+000D)
      --> wire/endpoints/it.yaml:1:46
      = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    1 error
    ");
    assert_snapshot!(given(headers, "a", "b\nx-role: admin"), @r"
    error: it/nothing/caller: the value of the header `X-User` holds a line break (U+000A)
       --> wire/world.yaml:12:24
       = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    1 error
    ");
    assert_snapshot!(given(bearer, "a", "b\nx-role: admin"), @r"
    error: it/nothing/caller: the value of the header `authorization` holds a line break (U+000A)
       --> wire/world.yaml:12:13
       = help: no header can carry that: leave it out, or encode the value, for instance with the filter `urlencode`

    1 error
    ");
    assert_snapshot!(given(cookies, "a", "1; role=admin"), @r"
    error: it/nothing/caller: the value of the cookie `sid` holds `;`
       --> wire/world.yaml:12:24
       = help: that would end the cookie: leave it out, or encode the value, for instance with the filter `urlencode`

    1 error
    ");
    // A filter makes one cookie of it.
    let text = endpoint("method: GET, path: /a");
    let place = suite(&[("it", &text)]).edit(
        "wire/world.yaml",
        bearer,
        "{ cookies: { sid: \"{{ vars.pin | urlencode }}\" } }",
    );
    let service = service("x");
    let pin = "pin=1; role=admin";
    let url = service.url();
    place
        .run(&["record", "wire", "--base-url", &url, "--var", pin])
        .result();
    assert_eq!(
        asked(&service)[0].header("cookie"),
        Some("sid=1%3B%20role%3Dadmin")
    );
}

#[test]
fn a_query_and_a_form_are_encoded_once() {
    let text = "request:\n  method: POST\n  path: /a?x=1\n  query: { q: \"a+b&c#d\\ne%\" }\n  form: { f: \"a+b&c#d\\ne%\" }\ntargets: [nothing]\n";
    let (place, service) = (suite(&[("it", text)]), service("x"));
    record(&place, &service).result();
    let asked = asked(&service);
    assert_eq!(asked[0].line, "POST /a?x=1&q=a%2Bb%26c%23d%0Ae%25 HTTP/1.1");
    assert_eq!(asked[0].body, "f=a%2Bb%26c%23d%0Ae%25");
}

#[test]
fn filters_encode_decode_and_sign() {
    let request = "method: GET, path: /a, headers: { x-url: \"{{ 'a b/ü..' | urlencode }}\", \
                   x-b64: \"{{ 'a?~>' | b64encode }} {{ 'a?~>' | b64url }} {{ 'YT9-Pg' | b64decode }}\", \
                   x-hmac: \"{{ 'what do ya want for nothing?' | hmac('Jefe') }}\", \
                   x-form: \"{{ 'a' | hmac('k', 'base64url') }}\" }";
    let (place, service) = (one(request), service("x"));
    record(&place, &service).result();
    let asked = asked(&service);
    let header = |name| asked[0].header(name).unwrap();
    assert_eq!(header("x-url"), "a%20b%2F%C3%BC..");
    assert_eq!(header("x-b64"), "YT9+Pg== YT9-Pg a?~>");
    // RFC 4231, the second test case.
    assert_eq!(
        header("x-hmac"),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    assert_eq!(header("x-form").len(), 43);
}

/// The example of the reference: the first one behind this heading.
fn example(heading: &str) -> String {
    let page = fs::read_to_string(project().join("docs/suite-format.md")).unwrap();
    let section = page.split(&format!("\n#### {heading}\n")).nth(1).unwrap();
    let example = section.split("```yaml\n").nth(1).unwrap();
    example.split("```").next().unwrap().to_owned()
}

#[test]
fn the_example_of_the_reference_is_sent_as_it_says() {
    let text = format!(
        "{}targets: [an org]\n",
        example("Paths, methods and headers")
    );
    let place = suite(&[("it", &text)])
        .edit("wire/suite.yaml", "  ready: /health\n", OF_ALL)
        .edit(
            "wire/suite.yaml",
            "  note: {",
            "  signing_key: { default: k }\n  note: {",
        )
        .edit(
            "wire/world.yaml",
            "{ id: null }",
            "{ id: null, file_id: \"{{ id }}#1\" }",
        )
        .edit(
            "wire/world.yaml",
            "  caller:\n",
            "  caller:\n    with: { address: 10.0.0.1 }\n",
        );
    let service = service("ORG-ab12cd34");
    record(&place, &service).result();
    let asked = asked(&service);
    let sent = asked
        .iter()
        .find(|request| request.line.starts_with("PROPFIND"));
    let sent = sent.unwrap();
    assert_eq!(sent.path(), "/public/..;/files/ORG-ab12cd34%231");
    let forwarded: Vec<_> = sent
        .headers
        .iter()
        .filter(|(name, _)| name == "x-forwarded-for")
        .map(|(_, value)| value.as_str())
        .collect();
    assert_eq!(forwarded, ["127.0.0.1", "10.0.0.1"]);
    assert_eq!(sent.header("depth"), Some("1"));
    assert_eq!(sent.header("x-signature").unwrap().len(), 64);
    assert_eq!(sent.header("x-client"), None);
    let made = asked
        .iter()
        .find(|request| request.line.starts_with("POST"));
    assert_eq!(made.unwrap().header("x-client"), Some("plain"));
}
