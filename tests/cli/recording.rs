//! A suite to start from, made of recorded calls.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::init::{endpoints, init, listed, text};
use super::place::Place;

/// Values that must not be in anything that is written.
const SECRETS: [&str; 14] = [
    "hunter2-hunter2",
    "eyJhbGciOiJIUzI1NiJ9.e30.sig",
    "c2Vzc2lvbi1jb29raWU",
    "basic-password-9",
    "query-key-42x",
    "set-cookie-value-7",
    "fresh-token-from-login",
    "csrf-value-123",
    "sk-live-abcdefghijkl",
    "pin-4711",
    "0815",
    "reset-me-1234567890",
    "nested-secret-value",
    "device-cookie",
];

fn recording() -> String {
    let get = |url: &str| {
        json!({"request": {"method": "GET", "url": url, "headers": [
        {"name": "Authorization", "value": "Bearer eyJhbGciOiJIUzI1NiJ9.e30.sig"},
        {"name": "Cookie", "value": "sid=c2Vzc2lvbi1jb29raWU; device=device-cookie"},
        {"name": "X-CSRF-Token", "value": "csrf-value-123"}]},
        "response": {"status": 200, "headers": [{"name": "Set-Cookie", "value": "sid=set-cookie-value-7; HttpOnly"}],
            "content": {"mimeType": "application/json", "text": "{}"}}})
    };
    let send = |method: &str, url: &str, body: Value, answer: Value| {
        let mut entry = get(url);
        entry["request"]["method"] = json!(method);
        entry["request"]["postData"] =
            json!({"mimeType": "application/json; charset=utf-8", "text": body.to_string()});
        entry["response"]["content"]["text"] = json!(answer.to_string());
        entry
    };
    let file = |url: &str, media: &str| {
        let mut entry = get(url);
        entry["response"]["content"]["mimeType"] = json!(media);
        entry
    };
    let at = |path: &str| format!("https://app.example.com{path}");
    let entries = json!([
        file(&at("/"), "text/html"),
        file(&at("/static/app.js"), "text/javascript"),
        file(&at("/logo"), "image/png"),
        get("https://metrics.example.net/collect?key=query-key-42x"),
        get(&at("/api/teams?page=2&api_key=query-key-42x&q=a%20b")),
        get(&at("/api/teams/17")),
        get(&at("/api/teams/18")),
        get(&at("/api/teams/17/members/2b1d0a9e-1111-4222-8333-444455556666")),
        get(&at("/api/reset/reset-me-1234567890")),
        get(&at("/api/echo/device-cookie")),
        get(&at("/api/blobs/0123456789abcdef0123456789abcdef01234567")),
        send("POST", &at("/api/login"), json!({"user": "ada", "password": "hunter2-hunter2", "pin": "pin-4711", "otp": 815, "code": "0815"}),
            json!({"access_token": "fresh-token-from-login"})),
        send("POST", &at("/api/teams"), json!({"name": "Chess", "max_tokens": 5, "note": "again hunter2-hunter2!", "credentials": {"value": "nested-secret-value"},
            "api": "sk-live-abcdefghijkl", "tags": ["a", "b"], "see": "fresh-token-from-login"}), json!({"data": {"id": 17}})),
        send("PATCH", &at("/api/teams/17/members/2b1d0a9e-1111-4222-8333-444455556666"),
            json!({"team_id": 17, "member": "2b1d0a9e-1111-4222-8333-444455556666", "role": "chair", "{{ odd }}": "{% x %}"}), json!({})),
        {"request": {"method": "OPTIONS", "url": at("/api/teams")}},
        {"request": {"method": "POST", "url": at("/api/form"), "headers": [{"name": "Authorization", "value": "Basic YWRhOmJhc2ljLXBhc3N3b3JkLTk="}],
            "postData": {"mimeType": "application/x-www-form-urlencoded", "params": [{"name": "echo", "value": "basic-password-9"}], "text": ""}}, "response": null},
    ]);
    json!({"log": {"version": "1.2", "creator": {"name": "x", "version": "1"}, "entries": entries}})
        .to_string()
}

#[test]
fn recorded_calls_become_a_suite() {
    let place = Place::empty().write("calls.har", &recording());
    assert_snapshot!(init(&place, &["--har", "calls.har"]).result(), @"
    wrote made
      suite.yaml      the service, 13 variables
      world.yaml      5 kinds, 4 actors
      targets.yaml    16 targets
      endpoints/      11 endpoints
      .authz-pin/     schemas, with which editors complete the keys
    left out: 4 calls that are not of https://app.example.com, or load files
    secrets of the recording became variables; read the bodies before you commit them

    fill in
      suite.yaml      `service.ready`: a path that answers everybody with a success
      world.yaml      `rows` or `setup` of 4 kinds: what makes a member exist
      world.yaml      `setup` of 1 kind: whether it makes the team
      world.yaml      `actors`: the roles that the service has
      endpoints/      bodies, where an example does not do

    then
      authz-pin list made
      export AUTHZ_PIN_VAR_ADMIN_TOKEN=...
      export AUTHZ_PIN_VAR_MEMBER_TOKEN=...
      export AUTHZ_PIN_VAR_OUTSIDER_TOKEN=...
      export AUTHZ_PIN_VAR_RECORDED_API=...
      export AUTHZ_PIN_VAR_RECORDED_API_KEY=...
      export AUTHZ_PIN_VAR_RECORDED_CODE=...
      export AUTHZ_PIN_VAR_RECORDED_CREDENTIALS=...
      export AUTHZ_PIN_VAR_RECORDED_ECHO=...
      export AUTHZ_PIN_VAR_RECORDED_NOTE=...
      export AUTHZ_PIN_VAR_RECORDED_OTP=...
      export AUTHZ_PIN_VAR_RECORDED_PASSWORD=...
      export AUTHZ_PIN_VAR_RECORDED_PIN=...
      export AUTHZ_PIN_VAR_RECORDED_SEE=...
      authz-pin check made --base-url https://app.example.com --dry-run
      authz-pin record made --base-url https://app.example.com --database-url postgres://...
    ");
    assert_snapshot!(listed(&place), @"
    get 4
    get-api-blobs-blob-id 12
    get-api-echo-echo-id 12
    get-api-reset-reset-id 12
    get-api-teams 4
    get-api-teams-team-id 12
    get-api-teams-team-id-members-member-id 12
    patch-api-teams-team-id-members-member-id 12
    post-api-form 4
    post-api-login 4
    post-api-teams 4
    ");
    assert_snapshot!("init-har-suite", text(&place, "made/suite.yaml"));
    assert_snapshot!("init-har-world", text(&place, "made/world.yaml"));
    assert_snapshot!("init-har-endpoints", endpoints(&place));
}

#[test]
fn no_secret_of_a_recording_is_written_or_printed() {
    let place = Place::empty().write("calls.har", &recording());
    let said = init(&place, &["--har", "calls.har"]);
    let mut texts: Vec<String> = place
        .files()
        .into_iter()
        .filter(|(path, _)| path.extension().is_some_and(|ending| ending == "yaml"))
        .map(|(path, bytes)| {
            format!(
                "{}\n{}",
                path.file_name().unwrap().to_string_lossy(),
                String::from_utf8(bytes).unwrap()
            )
        })
        .collect();
    assert!(texts.len() > 10);
    texts.extend([said.stdout, said.stderr]);
    for secret in SECRETS {
        let found = texts.iter().find(|text| text.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
    // The names of fields are no secrets, and the rest is as it was recorded.
    let all = texts.concat();
    for kept in ["max_tokens: 5", "name: Chess", "user: ada", "q: a b"] {
        assert!(all.contains(kept), "{kept}");
    }
}
