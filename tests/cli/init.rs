//! A suite to start from.

use std::collections::BTreeSet;
use std::fs;

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::place::{Ended, Place};
use super::raw::{JSON, Raw, respond};
use super::teams::Served;

/// The file of a fixture.
fn document(name: &str) -> String {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/openapi/");
    format!("{file}{name}")
}

pub(super) fn init(place: &Place, arguments: &[&str]) -> Ended {
    let arguments: Vec<&str> = ["init", "made"].iter().chain(arguments).copied().collect();
    place.run(&arguments)
}

fn made(arguments: &[&str]) -> Place {
    let place = Place::empty();
    init(&place, arguments).result();
    place
}

pub(super) fn text(place: &Place, file: &str) -> String {
    fs::read_to_string(place.path(file)).unwrap()
}

/// The endpoint files, each after its name.
pub(super) fn endpoints(place: &Place) -> String {
    let files = place.files().into_iter();
    let endpoints = files.filter(|(path, _)| path.to_string_lossy().contains("endpoints/"));
    let texts = endpoints.map(|(path, bytes)| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = String::from_utf8(bytes).unwrap();
        let text = text.lines().skip(1).collect::<Vec<_>>().join("\n");
        format!("=== {name}\n{text}\n")
    });
    texts.collect()
}

/// The targets of each endpoint.
fn endpoint_targets(place: &Place) -> String {
    let cells = place.run(&["list", "made"]).result();
    let cells = cells.lines().filter(|cell| cell.ends_with("/admin"));
    cells.collect::<Vec<_>>().join("\n")
}

/// What `list` says of the suite, as how many cells each endpoint has.
pub(super) fn listed(place: &Place) -> String {
    let cells = place.run(&["list", "made"]).result();
    let names: BTreeSet<&str> = cells
        .lines()
        .map(|line| line.split('/').next().unwrap())
        .collect();
    let count = |name: &&str| {
        cells
            .lines()
            .filter(|line| line.starts_with(&format!("{name}/")))
            .count()
    };
    let lines = names.iter().map(|name| format!("{name} {}\n", count(name)));
    lines.collect()
}

#[test]
fn without_a_document_it_is_a_small_suite_that_explains_itself() {
    let place = Place::empty();
    assert_snapshot!(init(&place, &[]).result(), @"
    wrote made
      suite.yaml      the service, 3 variables
      world.yaml      1 kind, 4 actors
      targets.yaml    4 targets
      endpoints/      4 endpoints
      .authz-pin/     schemas, with which editors complete the keys

    fill in
      world.yaml      `setup` of 1 kind: whether it makes the note
      world.yaml      `actors`: the roles that the service has
      endpoints/      bodies, where an example does not do

    then
      authz-pin list made
      export AUTHZ_PIN_VAR_ADMIN_TOKEN=...
      export AUTHZ_PIN_VAR_MEMBER_TOKEN=...
      export AUTHZ_PIN_VAR_OUTSIDER_TOKEN=...
      authz-pin check made --base-url URL --dry-run
      authz-pin record made --base-url URL --database-url postgres://...
    ");
    assert_snapshot!(listed(&place), @"
    delete-notes-note-id 12
    get-notes 4
    get-notes-note-id 12
    post-notes 4
    ");
    assert_snapshot!("init-suite", text(&place, "made/suite.yaml"));
    assert_snapshot!("init-world", text(&place, "made/world.yaml"));
    assert_snapshot!("init-targets", text(&place, "made/targets.yaml"));
    assert_snapshot!("init-endpoints", endpoints(&place));
}

#[test]
fn a_document_of_openapi_3_0_becomes_a_suite() {
    let place = made(&["--openapi", &document("clubs-3.0.yaml")]);
    assert_snapshot!(listed(&place), @"
    create-club 4
    delete-club 12
    get-club 12
    get-friend 12
    get-healthz 4
    get-person 12
    list-clubs 4
    set-member 12
    update-club 12
    upload-logo 12
    ");
    assert_snapshot!("init-3-0-suite", text(&place, "made/suite.yaml"));
    assert_snapshot!("init-3-0-world", text(&place, "made/world.yaml"));
    assert_snapshot!("init-3-0-targets", text(&place, "made/targets.yaml"));
    assert_snapshot!("init-3-0-endpoints", endpoints(&place));
}

#[test]
fn what_a_query_or_a_body_names_is_called_upon() {
    let place = made(&["--openapi", &document("calls.yaml")]);
    assert_snapshot!(listed(&place), @"
    create-ticket 4
    delete-tickets 12
    get-user 12
    list-tickets 4
    report 12
    ticket-info 12
    update-ticket 12
    ");
    assert_snapshot!("init-calls-endpoints", endpoints(&place));
    let world = text(&place, "made/world.yaml");
    assert!(
        world.contains("capture: { ticket_id: $.ticketId }"),
        "{world}"
    );
}

#[test]
fn what_is_asked_for_together_is_sent_together() {
    let place = made(&["--openapi", &document("together.yaml")]);
    assert_snapshot!(listed(&place), @"
    get-box 12
    get-person 12
    ");
    assert_snapshot!("init-together-world", text(&place, "made/world.yaml"));
    let suite = text(&place, "made/suite.yaml");
    let common = "the value of the header X-App-Id, the same for all.\n  app_id:\n";
    assert!(suite.contains(common), "{suite}");
}

#[test]
fn a_document_of_openapi_3_1_with_odd_names_becomes_a_suite() {
    let place = made(&["--openapi", &document("shop-3.1.json")]);
    assert_snapshot!(listed(&place), @"
    con-trol-x-y 12
    create-order 4
    delete-order 12
    get-admin-orders 4
    get-c198 12
    get-files-file-path-path 12
    get-odd 4
    get-odd-run-x 12
    get-orders 4
    get-twice-3d7a 4
    get-twice-6884 4
    gr-e-d353 12
    post-twice 4
    put-same-id-same-id 12
    read-order 12
    ");
    assert_snapshot!("init-3-1-suite", text(&place, "made/suite.yaml"));
    assert_snapshot!("init-3-1-world", text(&place, "made/world.yaml"));
    assert_snapshot!("init-3-1-endpoints", endpoints(&place));
}

#[test]
fn what_it_writes_covers_the_document() {
    for name in ["clubs-3.0.yaml", "shop-3.1.json"] {
        let place = made(&["--openapi", &document(name)]);
        let ended = place.run(&["coverage", "made", "--openapi", &document(name)]);
        // What is no path of a URL is a template of the suite's, and nothing of the document.
        let missing = ended.result();
        let expected = if name == "clubs-3.0.yaml" {
            "100.0 % swept"
        } else {
            "% swept"
        };
        assert!(missing.contains(expected), "{missing}");
    }
}

#[test]
fn what_it_writes_can_be_rendered() {
    let place = made(&["--openapi", &document("shop-3.1.json")]);
    let vars =
        ["admin", "member", "outsider"].map(|name| format!("--var={name}_token=secret-{name}"));
    let mut arguments = vec![
        "check",
        "made",
        "--base-url",
        "http://localhost:1",
        "--dry-run",
    ];
    arguments.extend(vars.iter().map(String::as_str));
    let shown = place.run(&arguments).result();
    assert!(
        shown.contains("POST /orders\n") || shown.contains("POST"),
        "{shown}"
    );
    assert!(shown.contains("- {{ x }}"), "{shown}");
    assert!(!shown.contains("secret-admin"), "{shown}");
}

#[test]
fn two_runs_write_the_same() {
    let files = || {
        let place = made(&["--openapi", &document("clubs-3.0.yaml")]);
        let files = place.files().into_iter();
        files
            .map(|(path, bytes)| (path.file_name().unwrap().to_owned(), bytes))
            .collect::<Vec<_>>()
    };
    assert_eq!(files(), files());
}

#[test]
fn nothing_is_written_where_a_file_is_there_already() {
    let place = Place::empty().write("made/endpoints/get-notes.yaml", "mine");
    assert_snapshot!(init(&place, &[]).error(2), @"
    error: `made/endpoints/get-notes.yaml` is there already, nothing was written
      = help: name a folder without a suite, or remove the file
    ");
    assert_eq!(place.files().len(), 1);
    assert_eq!(text(&place, "made/endpoints/get-notes.yaml"), "mine");
}

#[test]
fn patterns_select_operations() {
    let file = document("clubs-3.0.yaml");
    let arguments = [
        "--openapi",
        &file,
        "--include",
        "* /clubs*",
        "--exclude",
        "DELETE *",
        "--exclude",
        "* /clubs/*/*",
    ];
    assert_snapshot!(listed(&made(&arguments)), @"
    create-club 4
    get-club 12
    list-clubs 4
    update-club 12
    ");
    let place = Place::empty();
    assert_snapshot!(init(&place, &["--openapi", &file, "--include", "GET /nobody"]).error(4), @"
    error: no operation matches `GET /nobody`
      = help: operations are METHOD /path as in the document, such as `GET /teams/{team_id}`
    ");
    assert_snapshot!(init(&place, &["--openapi", &file, "--exclude", "* *"]).error(4), @"
    error: no operation is left
      = help: operations are METHOD /path as in the document, such as `GET /teams/{team_id}`
    ");
    assert_snapshot!(init(&place, &["--include", "/notes"]).error(2), @"
    error: invalid value '/notes' for '--include <PATTERN>': expected a method and a path, such as `GET /teams/*`

    For more information, try '--help'.
    ");
    assert_eq!(place.files(), []);
}

/// A document whose examples are each for one call, and whose collections end with the same word.
fn tokens() -> Value {
    let created = |schema: Value| {
        json!({
            "requestBody": {"content": {"application/json": {"schema": schema}}},
            "responses": {"201": {"content": {"application/json": {"schema": {
                "properties": {"id": {"type": "integer"}},
            }}}}},
        })
    };
    let text = |example: &str| json!({"type": "string", "example": example});
    json!({
        "openapi": "3.0.3",
        "paths": {
            "/login": {"post": {"requestBody": {"content": {"application/json": {"schema": {
                "required": ["username", "password"],
                "properties": {"username": text("ann"), "password": text("hunter2")},
            }}}}}},
            "/user/tokens": {"post": created(json!({
                "required": ["description", "tokenName", "type", "expiresAt"],
                "properties": {
                    "description": text("for the laptop"),
                    "tokenName": text("laptop"),
                    "type": {"type": "string", "enum": ["personal"], "example": "personal"},
                    "expiresAt": {"type": "string", "format": "date-time", "example": "2023-04-19T08:15:14Z"},
                },
            }))},
            "/user/tokens/{id}": {"delete": {}},
            "/api-tokens": {"post": created(json!({
                "required": ["email", "rules"],
                "properties": {
                    "email": {"type": "string", "format": "email", "example": "ann@example.org"},
                    "rules": {"type": "array", "items": {
                        "required": ["fieldName"],
                        "properties": {"fieldName": text("country")},
                    }},
                },
            }))},
            "/api-tokens/{token}": {"delete": {}},
        },
    })
}

#[test]
fn an_example_of_a_name_or_of_a_moment_is_not_for_every_call() {
    let place = Place::empty().write("api.json", &tokens().to_string());
    init(&place, &["--openapi", "api.json"]).result();
    let endpoint = |name: &str| text(&place, &format!("made/endpoints/{name}.yaml"));
    assert_snapshot!(endpoint("post-user-tokens"), @r#"
    # yaml-language-server: $schema=../.authz-pin/schemas/endpoint.schema.json
    # POST /user/tokens
    request:
      method: POST
      path: /user/tokens
      # A row that holds the tag of the cell tells which call wrote it.
      json:
        description: for the laptop
        tokenName: "{{ cell.tag }}"
        type: personal
        expiresAt: "2099-12-31T12:00:00Z"
    # What a success makes has these names in the record.
    capture:
      new:
        kind: new_token
        from:
          token_id: $.id
    targets:
      - nothing
    "#);
    assert_snapshot!(endpoint("post-api-tokens"), @r#"
    # yaml-language-server: $schema=../.authz-pin/schemas/endpoint.schema.json
    # POST /api-tokens
    request:
      method: POST
      path: /api-tokens
      # A row that holds the tag of the cell tells which call wrote it.
      json:
        email: "{{ cell.tag }}@example.com"
        rules:
          - { fieldName: country }
    # What a success makes has these names in the record.
    capture:
      new:
        kind: new_api_token
        from:
          token: $.id
    targets:
      - nothing
    "#);
}

#[test]
fn collections_that_end_with_the_same_word_are_of_different_kinds() {
    let place = Place::empty().write("api.json", &tokens().to_string());
    init(&place, &["--openapi", "api.json"]).result();
    assert_snapshot!(endpoint_targets(&place), @r#"
    delete-api-tokens-token/own api token/admin
    delete-api-tokens-token/other api token/admin
    delete-api-tokens-token/api token that does not exist/admin
    delete-user-tokens-id/own token/admin
    delete-user-tokens-id/other token/admin
    delete-user-tokens-id/token that does not exist/admin
    post-api-tokens/nothing/admin
    post-login/nothing/admin
    post-user-tokens/nothing/admin
    "#);
}

#[test]
fn where_one_can_log_in_the_world_says_how_an_actor_does() {
    let place = Place::empty().write("api.json", &tokens().to_string());
    init(&place, &["--openapi", "api.json"]).result();
    let world = text(&place, "made/world.yaml");
    let from = world.find("# Who calls.").unwrap();
    let to = world.find("\nactors:").unwrap();
    assert_snapshot!(&world[from..to], @r#"
    # Who calls. Every actor meets every target of every endpoint. Add the roles that your service has. An actor can be
    # made by the run as well: a `kind` with a secret and rows, and `auth` with "{{ actor.NAME }}".
    #
    # POST /login takes a password: instead of having a token, an actor can log in, once in each run. For instance:
    #
    #   auth:
    #     login:
    #       request: { method: POST, path: ..., json: { ... } }
    #       # Where the answer has the credential: a cookie, or a part of its body as a JSON path.
    #       capture: { session: { cookie: NAME } }
    #     cookies: { NAME: "{{ login.session }}" }
    "#);
}

/// How the actors of a suite call that is drafted from a document with this scheme.
fn presented(scheme: &Value) -> String {
    let document = json!({
        "openapi": "3.1.0",
        "paths": {"/things": {"get": {"responses": {"200": {"description": "all"}}}}},
        "components": {"securitySchemes": {"only": scheme}},
    });
    let place = Place::empty().write("api.json", &document.to_string());
    init(&place, &["--openapi", "api.json"]).result();
    let world = text(&place, "made/world.yaml");
    let (_, auth) = world.split_once("    auth:\n").unwrap();
    let lines = auth.lines().take_while(|line| line.starts_with("      "));
    lines.map(str::trim).collect::<Vec<_>>().join(" ")
}

#[test]
fn an_actor_presents_its_credential_as_the_document_says() {
    let key = presented(&json!({"type": "apiKey", "in": "query", "name": "api_key"}));
    assert_eq!(key, r#"query: api_key: "{{ vars.admin_key }}""#);
    let digest = presented(&json!({"type": "http", "scheme": "Digest"}));
    assert_eq!(
        digest,
        "digest: username: \"{{ vars.admin_username }}\" password: \"{{ vars.admin_password }}\""
    );
}

#[test]
fn a_document_that_is_none_is_refused_and_nothing_is_written() {
    let place = Place::empty()
        .write("api.json", "{\"openapi\": \"2.0\"}")
        .write("empty.json", "{\"openapi\": \"3.0.0\", \"paths\": {}}");
    assert_snapshot!(init(&place, &["--openapi", "api.json"]).error(2), @"
    error: OpenAPI `2.0` is not supported: only 3.0 and 3.1 are
     --> api.json

    1 error
    ");
    assert_snapshot!(init(&place, &["--openapi", "empty.json"]).error(2), @"
    error: the OpenAPI document `empty.json` has no operation that a suite can call
      = help: name the file or the URL of an OpenAPI document, 3.0 or 3.1
    ");
    assert_snapshot!(init(&place, &["--openapi", "nobody.json"]).error(2), @"error: cannot read `nobody.json`: No such file or directory (os error 2)");
    assert_snapshot!(init(&place, &["--har", "api.json"]).error(2), @"
    error: `api.json`: the file is not a HAR file: it has no `log` with `entries` of requests, line 1 column 18
      = help: save the calls as HAR in the browser's network panel, or in a proxy
    ");
    assert!(!place.path("made").exists());
}

#[test]
fn a_document_is_fetched_from_the_service() {
    let body = fs::read_to_string(document("shop-3.1.json")).unwrap();
    let service = Raw::start(move |request, stream| match request.path() {
        "/api/openapi.json?all=1" => respond(stream, 200, JSON, &body),
        _ => respond(stream, 404, JSON, "{}"),
    });
    let url = format!("{}/api/openapi.json?all=1", service.url());
    let place = made(&["--openapi", &url, "--include", "* /orders*"]);
    let suite = text(&place, "made/suite.yaml");
    assert!(suite.contains("\n  ready: /api/openapi.json\n"), "{suite}");
    assert!(
        suite.contains("\n  openapi: /api/openapi.json\n"),
        "{suite}"
    );
    let gone = init(
        &Place::empty(),
        &["--openapi", &format!("{}/gone", service.url())],
    );
    assert_eq!(gone.code, Some(3), "{gone:?}");
}

#[test]
fn what_it_writes_for_a_service_that_makes_its_own_things_is_swept_without_a_change() {
    let service = Served::start();
    let url = service.url();
    let place = made(&["--openapi", &format!("{url}/openapi.json")]);
    let vars = ["admin", "member", "outsider"].map(|name| format!("--var={name}_token=of-{name}"));
    let run = |command| {
        let mut arguments = vec![command, "made", "--base-url", &url];
        arguments.extend(vars.iter().map(String::as_str));
        place.run(&arguments).result()
    };
    run("record");
    let record = text(&place, "made/snapshots/get-team.snap");
    assert_snapshot!(record.split_once("\n---\n").unwrap().1, @r"
    format: 2
    endpoint: GET /teams/{{ target.team_id }}
    gates:
      the-team-is-not-yours: the team is not yours
      there-is-no-such-team: there is no such team
      who-are-you: who are you
    values:
      common:
        team_id: <target.team_id>
    shapes:
      body 4232:
      - team_id
    cells:
      own team:
        admin: {allowed: 200, discloses: [target.team_id], effects: not observed, shape: body 4232}
        member: {allowed: 200, discloses: [target.team_id], effects: not observed, shape: body 4232}
        outsider: {denied: 403, gate: the-team-is-not-yours, effects: not observed}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
      other team:
        admin: {denied: 403, gate: the-team-is-not-yours, effects: not observed}
        member: {denied: 403, gate: the-team-is-not-yours, effects: not observed}
        outsider: {allowed: 200, discloses: [target.team_id], effects: not observed, shape: body 4232}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
      team that does not exist:
        admin: {denied: 404, gate: there-is-no-such-team, effects: not observed}
        member: {denied: 404, gate: there-is-no-such-team, effects: not observed}
        outsider: {denied: 404, gate: there-is-no-such-team, effects: not observed}
        anonymous: {denied: 401, gate: who-are-you, effects: not observed}
    ");
    run("check");
    // What the outsider made nobody else can remove, and without a database there is no journal.
    assert_eq!(service.teams(), 3);
}
