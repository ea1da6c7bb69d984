//! Answers of several pages, and requests to other URLs of a service.

use insta::assert_snapshot;

use super::exchange::run;
use super::gates::Served;
use super::place::Place;

/// What a suite with these pages brings from a path, and how many requests that took.
fn paged(path: &str, pages: &str) -> String {
    let endpoint =
        format!("request: {{ method: GET, path: {path} }}\ntargets: [nothing]\npages: {pages}\n");
    let place = Place::with("gates").write("gates/endpoints/paged.yaml", &endpoint);
    let service = Served::start();
    let filter = [
        "check",
        "gates",
        "--filter",
        "paged/nothing/bearer",
        "--format",
        "json",
    ];
    let ended = run(&place, &service, &filter);
    let report: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let text = report.to_string();
    let items = (0..10).filter(|item| text.contains(&format!("items[].item {item}")));
    let items: Vec<_> = items.map(|item| item.to_string()).collect();
    format!("{} in {} requests", items.join(""), report["requests"])
}

#[test]
fn pages_are_walked_by_a_token_by_a_link_and_by_an_offset_to_their_end() {
    let by_token = paged("/by-token", "{ query: cursor, next: $.next }");
    assert_eq!(by_token, "0123456 in 3 requests");
    let by_header = paged(
        "/by-token",
        "{ query: cursor, next: { json: $.next, match: c-3 } }",
    );
    assert_eq!(by_header, "012345 in 2 requests");
    let by_link = paged("/by-link", "{ link: next }");
    assert_eq!(by_link, "0123456 in 3 requests");
    let by_offset = paged("\"/items?limit=3\"", "{ query: offset, items: $.items }");
    assert_eq!(by_offset, "0123456 in 4 requests");
}

#[test]
fn a_request_can_go_to_another_url_of_the_service() {
    let (service, other) = (Served::start(), Served::start());
    let place = Place::with("gates")
        .edit(
            "gates/suite.yaml",
            "  timeout_s: 5",
            "  timeout_s: 5\n  urls: { login: null }",
        )
        .edit(
            "gates/world.yaml",
            "path: /login,",
            "path: /login, url: login,",
        );
    let check = ["check", "gates", "--filter", "who"];
    assert_snapshot!(run(&place, &service, &check).error(2), @r"
    error: the suite's `service.urls.login` has no value
      = help: give one with --base-url login=URL
    ");
    let named = format!("login={}", other.url());
    let unknown = format!("logn={}", other.url());
    let error = run(
        &place,
        &service,
        &[&check[..], &["--base-url", &unknown]].concat(),
    );
    assert_snapshot!(error.error(2), @r"
    error: the suite has no URL `logn`
      = help: known: `login`
    ");
    let ended = run(
        &place,
        &service,
        &[&check[..], &["--base-url", &named]].concat(),
    );
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(other.logins(), ["logged in"]);
    assert_eq!(service.logins(), ["in session"]);
}

#[test]
fn mistakes_in_pages_urls_and_certificates_are_found_before_anything_is_sent() {
    let place = Place::with("gates")
        .edit(
            "gates/suite.yaml",
            "  timeout_s: 5",
            "  urls: { admin: \"{{ vars.amdin }}\" }\n  tls: { key: k.pem }",
        )
        .edit(
            "gates/endpoints/who.yaml",
            "path: /who }",
            "path: /who, url: amdin }\npages: { query: page, total: $.n, next: $.m }",
        )
        .edit(
            "gates/endpoints/form.yaml",
            "targets: [nothing]",
            "targets: [nothing]\npages: { items: $.items }",
        )
        .edit(
            "gates/endpoints/made.yaml",
            "targets: [nothing]",
            "targets: [nothing]\npages: { link: next, query: a }",
        );
    assert_snapshot!(place.run(&["list", "gates"]).error(2), @r#"
    error: no query parameter is named that takes the page
      --> gates/endpoints/form.yaml:6:8
      |
    6 | pages: { items: $.items }
      |        ^^
      = help: add `query: NAME`

    error: a link says by itself which page is next
      --> gates/endpoints/made.yaml:3:8
      |
    3 | pages: { link: next, query: a }
      |        ^^
      = help: leave out `query`

    error: unknown URL `amdin`
      --> gates/endpoints/who.yaml:1:42
      |
    1 | request: { method: GET, path: /who, url: amdin }
      |                                          ^^^^^
      = help: did you mean `admin`?

    error: `total` and `next` cannot both be the way to the next page
      --> gates/endpoints/who.yaml:2:8
      |
    2 | pages: { query: page, total: $.n, next: $.m }
      |        ^^
      = help: give exactly one of `total`, `next`, `items`, `link`

    error: unknown symbol `vars.amdin`
      --> gates/suite.yaml:7:18
      |
    7 |   urls: { admin: "{{ vars.amdin }}" }
      |                  ^^^^^^^^^^^^^^^^^^^
      = help: known: `vars.ecdsa`, `vars.hmac`, `vars.password`, `vars.rsa`

    error: `key` is given without `certificate`
      --> gates/suite.yaml:8:10
      |
    8 |   tls: { key: k.pem }
      |          ^^^

    6 errors in 4 files
    "#);
}
