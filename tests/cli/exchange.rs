//! Credentials, bodies and what is taken from answers, against a service that checks all of it.

use std::fs;

use insta::assert_snapshot;

use super::gates::{PASSWORD, Served};
use super::place::{Ended, Place};

pub(crate) fn run(place: &Place, service: &Served, arguments: &[&str]) -> Ended {
    let keys = [
        ("AUTHZ_PIN_VAR_RSA", service.rsa.as_str()),
        ("AUTHZ_PIN_VAR_ECDSA", service.ecdsa.as_str()),
    ];
    let url = service.url();
    place.run_with(&keys, &[arguments, &["--base-url", &url]].concat())
}

fn record(place: &Place, name: &str) -> String {
    let file = place.path(&format!("gates/snapshots/{name}.snap"));
    let text = fs::read_to_string(file).unwrap();
    let (_, record) = text.split_once("\n---\n").unwrap();
    record.to_owned()
}

/// What the actors' calls of one endpoint showed.
fn recorded(filter: &str) -> String {
    let (service, place) = (Served::start(), Place::with("gates"));
    run(
        &place,
        &service,
        &[
            "record",
            "gates",
            "--filter",
            filter,
            "--reason",
            "it is open",
        ],
    )
    .result();
    record(&place, filter)
}

#[test]
fn every_kind_of_credential_is_what_the_service_takes() {
    assert_snapshot!(recorded("who"), @r"
    format: 2
    endpoint: GET /who
    gates:
      a-wrong-token: a wrong token
      no-credential: no credential
    values:
      values 642e:
        session of in session: <hidden>
      values 7041:
        bearer: 1
      values 7d6f:
        login of logged in: 1
      values 925a:
        token of hs256: <hidden>
      values 96b4:
        token of es256: <hidden>
      values 9c6b:
        token of rs256: <hidden>
      values c3fb:
        cookies: <hidden>
      values f74d:
        basic me: 1
    shapes:
      body 0ff4:
      - token of rs256
      body 2454:
      - bearer
      body 299f:
      - login of logged in
      body 2f00:
      - cookies
      body 5285:
      - session of in session
      body 6eb5:
      - basic me
      body a00f:
      - token of es256
      body bcf2:
      - token of hs256
    cells:
      nothing:
        bearer: {allowed: 200, effects: not observed, values: values 7041, shape: body 2454}
        basic: {allowed: 200, effects: not observed, values: values f74d, shape: body 6eb5}
        cookies: {allowed: 200, effects: not observed, values: values c3fb, shape: body 2f00}
        hs256: {allowed: 200, effects: not observed, values: values 925a, shape: body bcf2}
        rs256: {allowed: 200, effects: not observed, values: values 9c6b, shape: body 0ff4}
        es256: {allowed: 200, effects: not observed, values: values 96b4, shape: body a00f}
        wrong key: {denied: 401, gate: a-wrong-token, effects: not observed}
        logged in: {allowed: 200, effects: not observed, values: values 7d6f, shape: body 299f}
        in session: {allowed: 200, effects: not observed, values: values 642e, shape: body 5285}
        anonymous: {denied: 401, gate: no-credential, effects: not observed}
    ");
}

#[test]
fn a_form_is_sent_as_a_browser_sends_it() {
    assert_snapshot!(recorded("form"), @r"
    format: 2
    endpoint: POST /form
    values:
      common:
        $: {cell: 1}
        many=1: 1
        many=2: 1
        tag=<cell.tag>: 1
        text=a b&c=ä: 1
    shapes:
      body 8a3c:
      - many=1
      - many=2
      - tag=<cell.tag>
      - text=a b&c=ä
    cells:
      nothing:
        bearer: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        basic: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        cookies: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        hs256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        rs256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        es256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        wrong key: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        logged in: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        in session: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
        anonymous: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 8a3c}
    findings:
    - {kind: anonymous-allowed, target: nothing, actor: anonymous, detail: was allowed (200)}
    - {kind: open-to-everybody, detail: 'everybody was allowed upon every target, also whom the service does not know'}
    ");
}

#[test]
fn a_body_in_parts_has_fields_and_files() {
    assert_snapshot!(recorded("parts"), @r#"
    format: 2
    endpoint: POST /parts
    values:
      common:
        $: {cell: 2, unknown: some}
        Some("notes") Some("notes 1.txt") Some("text/plain") "line\n<cell.tag>": 1
        Some("title") None None "of <cell.tag>": 1
    shapes:
      body 1157:
      - Some("image") Some("i.png") Some("image/png") "89504e470d0aff"
      - Some("notes") Some("notes 1.txt") Some("text/plain") "line\n<cell.tag>"
      - Some("title") None None "of <cell.tag>"
    cells:
      nothing:
        bearer: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        basic: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        cookies: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        hs256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        rs256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        es256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        wrong key: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        logged in: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        in session: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
        anonymous: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body 1157}
    findings:
    - {kind: anonymous-allowed, target: nothing, actor: anonymous, detail: was allowed (200)}
    - {kind: open-to-everybody, detail: 'everybody was allowed upon every target, also whom the service does not know'}
    "#);
}

#[test]
fn any_other_body_is_a_text_or_bytes_with_its_media_type() {
    assert_snapshot!(recorded("raw-text"), @r"
    format: 2
    endpoint: PUT /raw
    values:
      common:
        $: {cell: 1}
        'application/xml: <a><cell.tag></a>': 1
    shapes:
      body d5ba:
      - 'application/xml: <a><cell.tag></a>'
    cells:
      nothing:
        bearer: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        basic: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        cookies: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        hs256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        rs256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        es256: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        wrong key: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        logged in: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        in session: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
        anonymous: {allowed: 200, discloses: [cell.tag], effects: not observed, shape: body d5ba}
    findings:
    - {kind: anonymous-allowed, target: nothing, actor: anonymous, detail: was allowed (200)}
    - {kind: open-to-everybody, detail: 'everybody was allowed upon every target, also whom the service does not know'}
    ");
    assert_snapshot!(recorded("raw-bytes"), @r"
    format: 2
    endpoint: PUT /raw
    values:
      common:
        $: {unknown: some}
    shapes:
      body 7463:
      - 'application/octet-stream: 00ff10'
    cells:
      nothing:
        bearer: {allowed: 200, effects: not observed, shape: body 7463}
        basic: {allowed: 200, effects: not observed, shape: body 7463}
        cookies: {allowed: 200, effects: not observed, shape: body 7463}
        hs256: {allowed: 200, effects: not observed, shape: body 7463}
        rs256: {allowed: 200, effects: not observed, shape: body 7463}
        es256: {allowed: 200, effects: not observed, shape: body 7463}
        wrong key: {allowed: 200, effects: not observed, shape: body 7463}
        logged in: {allowed: 200, effects: not observed, shape: body 7463}
        in session: {allowed: 200, effects: not observed, shape: body 7463}
        anonymous: {allowed: 200, effects: not observed, shape: body 7463}
    findings:
    - {kind: anonymous-allowed, target: nothing, actor: anonymous, detail: was allowed (200)}
    - {kind: open-to-everybody, detail: 'everybody was allowed upon every target, also whom the service does not know'}
    ");
}

#[test]
fn a_success_can_give_symbols_in_its_headers_its_cookies_and_its_body() {
    assert_snapshot!(recorded("made"), @r"
    format: 2
    endpoint: POST /made
    headers:
      common:
      - 'set-cookie: token=<token>; Path=/'
      - 'x-token: <token>'
    values:
      common:
        again[]: {in_cookie: 1, in_header: 1}
        url: /sessions/<in_body.token>
    shapes:
      body e197:
      - again
      - again[]
      - url
    cells:
      nothing:
        bearer: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        basic: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        cookies: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        hs256: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        rs256: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        es256: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        wrong key: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        logged in: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        in session: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
        anonymous: {allowed: 201, discloses: [in_body.token, in_cookie.token, in_header.token], effects: not observed, probes: {header: 200}, shape: body e197}
    findings:
    - {kind: anonymous-allowed, target: nothing, actor: anonymous, detail: was allowed (201)}
    - {kind: open-to-everybody, detail: 'everybody was allowed upon every target, also whom the service does not know'}
    ");
}

#[test]
fn a_login_is_made_once_for_a_run_and_again_before_what_it_gave_expires() {
    let (service, place) = (Served::start(), Place::with("gates"));
    let check = ["check", "gates", "--filter", "form", "--filter", "who"];
    run(&place, &service, &check);
    assert_eq!(service.logins(), ["logged in", "in session"]);
    service.live_for(2);
    run(&place, &service, &check);
    let logins = service.logins();
    let again = logins.iter().skip(2).all(|who| who == "logged in");
    assert!(again && logins.len() > 2, "{logins:?}");
}

#[test]
fn no_token_and_no_key_is_in_any_file_or_on_any_stream() {
    let (service, place) = (Served::start(), Place::with("gates"));
    let report = ["--report", "html=r.html", "--report", "json=r.json"];
    let ended = run(
        &place,
        &service,
        &[&["check", "gates"], &report[..]].concat(),
    );
    let texts = place.files().into_iter().map(|(_, content)| content);
    let texts = texts.map(|content| String::from_utf8_lossy(&content).into_owned());
    let streams = [ended.stdout, ended.stderr];
    // The suite itself has the default of the password, and the key.
    let texts = texts.filter(|text| !text.contains("variables:") && !text.contains("A key for"));
    let given = service.given();
    assert!(given.len() > 4, "{given:?}");
    for text in texts.chain(streams) {
        assert!(!text.contains(PASSWORD) && !text.contains("eyJ"), "{text}");
        assert!(!given.iter().any(|token| text.contains(token)), "{text}");
    }
}

#[test]
fn a_login_that_is_refused_is_told_without_its_password() {
    let (service, place) = (Served::start(), Place::with("gates"));
    let error = run(
        &place,
        &service,
        &["check", "gates", "--var", "password=s3cret-of-mine"],
    );
    assert_snapshot!(error.error(3), @r#"error: `logged in` cannot be given its credential: its login is answered 401 {"error":"not with <vars.password>"}"#);
}

#[test]
fn a_login_that_does_not_say_for_how_long_it_counts_does_not_count_forever() {
    let service = Served::start();
    let place = Place::with("gates").edit(
        "gates/world.yaml",
        "expires_in: $.expires_in",
        "expires_in: $.access_token",
    );
    let error = run(&place, &service, &["check", "gates", "--filter", "who"]).error(3);
    let told = "error: `logged in` cannot be given its credential: its login gives no number of seconds at \
                `$.access_token`: ";
    assert!(error.starts_with(told), "{error}");
    let given = service.given();
    assert!(
        !given.is_empty() && given.iter().all(|token| !error.contains(token)),
        "{error}"
    );
}

#[test]
fn a_key_that_is_none_is_told_without_it() {
    let (service, place) = (Served::start(), Place::with("gates"));
    let error = run(
        &place,
        &service,
        &["check", "gates", "--var", "rsa=s3cret-of-mine"],
    );
    assert_snapshot!(error.error(2), @r"error: template `{{ vars.rsa }}`: what it gives is no key for RS256: it is not a private key as PEM");
}

#[test]
fn a_dry_run_shows_logins_and_bodies_by_the_names_of_their_values() {
    let place = Place::with("gates");
    let arguments = [
        "check",
        "gates",
        "--dry-run",
        "--base-url",
        "http://127.0.0.1:1",
    ];
    let filter = ["--filter", "parts/*/hs256", "--filter", "form/*/in session"];
    let more = [
        "--filter",
        "raw*/*/basic",
        "--var",
        "rsa=some-key",
        "--var",
        "ecdsa=another-key",
    ];
    let text = place
        .run(&[&arguments[..], &filter, &more].concat())
        .result();
    assert_snapshot!(text, @r#"
    Nothing is sent and nothing is written.

    suite     gates
    service   http://127.0.0.1:1/
    database  none is given: effects are not observed

    requests for the whole run:
    in session
      setup: POST /session
        authorization: Basic <vars.password>
        {"user":"in session"}

    form/nothing/in session
      POST /form
        cookie: session=<actor.session>
        x-csrf: <actor.csrf>
        text=a b&c=ä
        tag=<cell.tag>
        many=1
        many=2

    parts/nothing/hs256
      POST /parts
        authorization: Bearer <actor.jwt>
        title=of <cell.tag>
        notes=file notes 1.txt: line\n<cell.tag>
        image=file i.png: 7 bytes

    raw-bytes/nothing/basic
      PUT /raw
        authorization: Basic <vars.password>
        3 bytes

    raw-text/nothing/basic
      PUT /raw
        authorization: Basic <vars.password>
        <a><cell.tag></a>

    4 cells, 5 requests without the pages after a first one
    "#);
}

#[test]
fn mistakes_in_credentials_and_bodies_are_found_before_anything_is_sent() {
    let place = Place::with("gates")
        .edit(
            "gates/world.yaml",
            "bearer: \"{{ vars.hmac }}\" }",
            "bearer: \"{{ vars.hmac }}\", basic: { username: a, password: b } }",
        )
        .edit(
            "gates/world.yaml",
            "{ algorithm: RS256,",
            "{ algorithm: RS265,",
        )
        .edit("gates/world.yaml", "{{ login.csrf }}", "{{ login.crsf }}")
        .edit(
            "gates/world.yaml",
            "capture: { token: $.access_token }",
            "capture: { token: $.access_token, more: $.m }",
        )
        .edit(
            "gates/endpoints/raw-text.yaml",
            "text: \"<a>{{ cell.tag }}</a>\" }",
            "text: a, base64: YQ== }, json: {}",
        )
        .edit(
            "gates/endpoints/parts.yaml",
            "type: image/png",
            "type: imagepng",
        )
        .edit(
            "gates/endpoints/made.yaml",
            "auth: { bearer: \"{{ in_header.token }}\" }",
            "auth: { login: { request: { method: GET, path: / }, capture: { a: $.a } } }",
        );
    assert_snapshot!(place.run(&["list", "gates"]).error(2), @r#"
    error: only an actor can log in
      --> gates/endpoints/made.yaml:8:60
      |
    8 |   header: { request: { method: GET, path: /echo }, auth: { login: { request: { method: GET, path: / }, capture: { a: $.a
      |                                                            ^^^^^
      = help: give the login to an actor, and name it here: `auth: { actor: NAME }`

    error: `imagepng` is not a media type
      --> gates/endpoints/parts.yaml:7:33
      |
    7 |     image: { file: i.png, type: imagepng, base64: iVBORw0K/w== }
      |                                 ^^^^^^^^
      = help: write one such as `text/plain`

    error: `json` and `raw` cannot both be the body
      --> gates/endpoints/raw-text.yaml:1:10
      |
    1 | request: { method: PUT, path: /raw, raw: { type: application/xml, text: a, base64: YQ== }, json: {} }
      |          ^^
      = help: give exactly one of `json`, `form`, `multipart`, `raw`

    error: `text` and `base64` cannot both be the content
      --> gates/endpoints/raw-text.yaml:1:42
      |
    1 | request: { method: PUT, path: /raw, raw: { type: application/xml, text: a, base64: YQ== }, json: {} }
      |                                          ^^
      = help: give exactly one of `text`, `base64`

    error: `bearer` and `basic` cannot both be the `Authorization` header
       --> gates/world.yaml:10:11
       |
    10 |     auth: { bearer: "{{ vars.hmac }}", basic: { username: a, password: b } }
       |           ^^
       = help: give exactly one of `bearer`, `basic`, `digest`, `aws`

    error: unknown value `RS265`
       --> gates/world.yaml:20:25
       |
    20 |       jwt: { algorithm: RS265, key: "{{ vars.rsa }}", claims: { sub: "{{ actor.name }}" } }
       |                         ^^^^^
       = help: did you mean `RS256`?

    error: nothing says which value of the login is sent, and how
       --> gates/world.yaml:30:7
       |
    30 |       login:
       |       ^^^^^
       = help: add `bearer`, `cookies` or `headers` with `{{ login.NAME }}`

    error: unknown symbol `login.crsf`
       --> gates/world.yaml:44:26
       |
    44 |       headers: { x-csrf: "{{ login.crsf }}" }
       |                          ^^^^^^^^^^^^^^^^^^^
       = help: did you mean `login.csrf`?

    8 errors in 4 files
    "#);
}
