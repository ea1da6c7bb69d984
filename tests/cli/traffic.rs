//! What a run shows of what it does: its log, and what it sent and was answered as a HAR file.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;

use super::desk::{PASSWORD, Served};
use super::place::Place;
use super::setup::desk;

/// The suite with its snapshots.
fn recorded(service: &Served) -> Place {
    let place = desk();
    let url = service.url();
    place.run(&["record", "desk", "--base-url", &url]).result();
    place
}

fn har(place: &Place) -> (String, Vec<Json>) {
    let text = fs::read_to_string(place.path("sent.har")).unwrap();
    let har: Json = serde_json::from_str(&text).unwrap();
    assert_eq!(har["log"]["version"], "1.2");
    assert_eq!(har["log"]["creator"]["name"], "authz-pin");
    (text, har["log"]["entries"].as_array().unwrap().clone())
}

/// Whether a text holds a credential of the service, as it is or encoded.
fn secret_in(text: &str) -> Option<String> {
    let basic = STANDARD.encode(format!("admin:{PASSWORD}"));
    for secret in [PASSWORD, &basic] {
        if text.contains(secret) {
            return Some(secret.to_owned());
        }
    }
    ["dk-", "sk-", "st-"].iter().find_map(|start| {
        let mut rests = text.match_indices(start).map(|(at, _)| &text[at + 3..]);
        let is_key =
            |rest: &&str| rest.chars().take_while(char::is_ascii_alphanumeric).count() >= 16;
        rests
            .find(is_key)
            .map(|rest| format!("{start}{}", &rest[..16]))
    })
}

#[test]
fn a_har_file_has_every_request_with_its_cell_and_no_secret_and_is_its_owners_alone() {
    let service = Served::start();
    let place = recorded(&service);
    let url = service.url();
    let check = [
        "check",
        "desk",
        "--base-url",
        &url,
        "--format",
        "json",
        "--har",
        "sent.har",
    ];
    let report: Json = serde_json::from_str(&place.run(&check).result()).unwrap();
    let (text, entries) = har(&place);
    // The world is removed after the report; notes are those of an endpoint.
    let is_late = |entry: &&Json| {
        let url = entry["request"]["url"].as_str().unwrap();
        entry["_purpose"] == "teardown" && entry["_cell"].is_null() && !url.contains("/notes/")
    };
    let late = entries.iter().filter(is_late).count();
    assert_eq!(report["requests"], entries.len() - late);
    assert_eq!(secret_in(&text), None);
    let mode = fs::metadata(place.path("sent.har"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    for entry in &entries {
        for field in [
            "startedDateTime",
            "time",
            "request",
            "response",
            "cache",
            "timings",
        ] {
            assert!(!entry[field].is_null(), "{field} of {entry:#}");
        }
        let is_of_cell = ["call", "canary", "probe"].contains(&entry["_purpose"].as_str().unwrap());
        assert!(
            !is_of_cell || entry["_cell"]["try"].is_number(),
            "{entry:#}"
        );
    }
    let purposes = entries
        .iter()
        .map(|entry| entry["_purpose"].as_str().unwrap());
    let purposes: BTreeSet<&str> = purposes.collect();
    for purpose in ["setup", "login", "call", "teardown"] {
        assert!(purposes.contains(purpose), "{purpose} in {purposes:?}");
    }
}

#[test]
fn values_of_the_run_have_their_names_in_a_har_file() {
    let service = Served::start();
    let place = recorded(&service);
    let url = service.url();
    let filter = ["--filter", "project-get/owner's project/owner"];
    let check = ["check", "desk", "--base-url", &url, "--har", "sent.har"];
    place.run(&[&check[..], &filter].concat()).result();
    let (_, entries) = har(&place);
    let is_call = |entry: &&Json| entry["_purpose"] == "call";
    let calls: Vec<&Json> = entries.iter().filter(is_call).collect();
    assert_eq!(calls.len(), 1);
    let (request, response) = (&calls[0]["request"], &calls[0]["response"]);
    assert_eq!(
        request["url"],
        format!("{url}/projects/<target.project_id>")
    );
    let header = |of: &Json, name: &str| {
        let headers = of["headers"].as_array().unwrap();
        let header = headers.iter().find(|header| header["name"] == name);
        header.map(|header| header["value"].clone())
    };
    assert_eq!(header(request, "x-key"), Some("<actor.key>".into()));
    assert_eq!(response["status"], 200);
    let body = response["content"]["text"].as_str().unwrap();
    assert!(body.contains("<target.project_id>"), "{body}");
}

#[test]
fn a_har_file_is_in_the_order_of_the_plan_whatever_the_order_of_the_calls_was() {
    let service = Served::start();
    let place = recorded(&service);
    let url = service.url();
    let order = |options: &[&str]| {
        let check = ["check", "desk", "--base-url", &url, "--har", "sent.har"];
        place.run(&[&check[..], options].concat()).result();
        let (_, entries) = har(&place);
        let place = |entry: &Json| {
            let said = [
                &entry["_purpose"],
                &entry["_cell"],
                &entry["request"]["method"],
            ];
            format!("{said:?} {}", entry["request"]["url"])
        };
        entries.iter().map(place).collect::<Vec<_>>()
    };
    let one = order(&["--concurrency", "1"]);
    assert_eq!(one, order(&["--concurrency", "16"]));
    assert_eq!(one, order(&["--shuffle", "7"]));
}

#[test]
fn a_har_file_is_written_of_a_run_that_failed_and_hides_what_it_was_shown_by_mistake() {
    let service = Served::start();
    let place = recorded(&service);
    service.have("no users");
    let url = service.url();
    let ended = place.run(&["check", "desk", "--base-url", &url, "--har", "sent.har"]);
    assert_eq!(ended.code, Some(3), "{ended:#?}");
    let (text, entries) = har(&place);
    assert_eq!(entries.last().unwrap()["response"]["status"], 403);
    assert_eq!(secret_in(&text), None);
}

#[test]
fn a_recording_keeps_both_of_its_sweeps() {
    let service = Served::start();
    let place = desk();
    let url = service.url();
    let record = ["record", "desk", "--base-url", &url, "--har", "sent.har"];
    place.run(&record).result();
    let (text, entries) = har(&place);
    let sweeps = entries
        .iter()
        .map(|entry| entry["_sweep"].as_u64().unwrap());
    assert_eq!(sweeps.collect::<BTreeSet<_>>(), BTreeSet::from([1, 2]));
    assert_eq!(secret_in(&text), None);
}

#[test]
fn keys_that_the_gateway_makes_are_in_no_har_file_and_in_no_log() {
    let place = Place::with_litellm();
    let check = [
        "check",
        "-vv",
        "--filter",
        "key-{generate,regenerate}",
        "--har",
        "sent.har",
    ];
    let ended = place.run(&check);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let (text, entries) = har(&place);
    assert!(entries.len() > 200);
    assert_eq!(secret_in(&text), None);
    assert_eq!(secret_in(&ended.stderr), None);
    assert!(
        ended.stderr.contains("POST /key/generate: 200 in "),
        "{}",
        ended.stderr
    );
    assert!(
        ended.stderr.contains("LiteLLM_VerificationToken"),
        "{}",
        ended.stderr
    );
}

#[test]
fn verbose_says_what_was_done_for_each_endpoint_and_by_default_nothing_is_said() {
    let service = Served::start();
    let place = recorded(&service);
    let url = service.url();
    let check = ["check", "desk", "--base-url", &url];
    let silent = place.run(&check);
    assert!(!silent.stderr.contains("seeded"), "{}", silent.stderr);
    let said = place.run(&[&check[..], &["-v"]].concat()).stderr;
    for text in [
        " the world is made\n",
        " project-get: seeded cells=10 took=",
        " project-get: sent calls=10 took=",
        " project-get: undone\n",
        " logged in actor=\"member\"\n",
        " asking canaries endpoint=project-get calls=",
        " the run is undone\n",
    ] {
        assert!(said.contains(text), "`{text}` in {said}");
    }
    assert!(!said.contains(" ms (call of "), "{said}");
    assert!(!said.contains('\u{1b}'), "{said}");
}

#[test]
fn verbose_twice_says_each_request_by_names_and_shows_no_secret() {
    let service = Served::start();
    let place = recorded(&service);
    let url = service.url();
    let check = ["check", "desk", "--base-url", &url];
    let said = place.run(&[&check[..], &["-vv"]].concat()).stderr;
    for text in [
        "GET /projects/<target.project_id>: 200 in ",
        " ms (call of project-get/owner's project/owner)\n",
        "POST /sessions: ",
        " ms (login)\n",
        "DELETE <owner.page>: ",
    ] {
        assert!(said.contains(text), "`{text}` in {said}");
    }
    assert_eq!(secret_in(&said), None);
}

#[test]
fn a_filter_of_the_environment_says_what_is_logged_and_other_libraries_are_never_shown() {
    let service = Served::start();
    let place = recorded(&service);
    let url = service.url();
    let check = ["check", "desk", "--base-url", &url];
    let run = |filter| place.run_with(&[("AUTHZ_PIN_LOG", filter)], &check);
    let all = run("trace").stderr;
    assert!(all.contains(" ms (call of project-get/"), "{all}");
    assert!(!all.contains("hyper") && !all.contains("pooling"), "{all}");
    assert_eq!(secret_in(&all), None);
    let some = run("authz_pin_sweep::sweep::issue=info").stderr;
    assert!(some.contains("logged in"), "{some}");
    assert!(!some.contains("seeded"), "{some}");
    let ended = run("authz_pin=loud");
    let said = ended.error(2);
    assert!(
        said.starts_with("error: AUTHZ_PIN_LOG is not a filter: "),
        "{said}"
    );
}
