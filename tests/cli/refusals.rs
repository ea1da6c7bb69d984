//! Refusals as a whole: what they tell besides their message, how much of a text is compared, and what of it varies.

use authz_pin::template::random;
use insta::assert_snapshot;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::place::checks;
use super::walls::{HTML, JSON, TEXT, Wall};

pub(crate) const MESSAGE: &str = "refusal: { message: $.error }\n";

/// Says the same JSON each time.
fn always(wall: &Wall, body: &Json) {
    let body = body.to_string();
    wall.says(move |_, _| (JSON, body.clone()));
}

#[test]
fn a_field_beside_the_message_that_comes_changes_or_goes_is_drift() {
    let wall = Wall::new(MESSAGE);
    let plain = json!({"error": "not yours", "status": 403, "debug": null});
    let with = |name: &str, value: Json| {
        let mut body = plain.clone();
        body[name] = value;
        body
    };
    always(&wall, &plain);
    assert_snapshot!(wall.recorded().split_once("gates:").unwrap().1, @r"
      not-yours: not yours
    headers:
      common 200:
      - 'content-type: text/plain; charset=utf-8'
    also:
      more c494:
        debug: 'null'
        status: '403'
    values: {}
    shapes:
      body e3b0: []
    cells:
      an item:
        keeper: {allowed: 200, effects: not observed, shape: body e3b0}
        guest: {denied: 403, gate: not-yours, also: more c494, effects: not observed}
    ");
    let trace = "Traceback (most recent call last):\n  File \"/srv/app/views.py\", line 31, in read\nForbidden".to_owned();
    for told in [
        with("stack", json!(trace)),
        with("owner", json!("ann")),
        with("debug", json!("SELECT * FROM item WHERE id = $1")),
        with("errors", json!([{"at": "/items"}])),
    ] {
        always(&wall, &told);
        assert_eq!(wall.drift(), ["refusal-tells-more"], "{told}");
    }
    always(&wall, &json!({"error": "not yours", "status": 403}));
    assert_eq!(wall.drift(), ["refusal-tells-less"]);
    // Another gate has other values in the same fields.
    always(
        &wall,
        &json!({"error": "closed", "status": 410, "debug": null}),
    );
    assert_eq!(wall.drift(), ["gate-changed"]);
}

#[test]
fn each_match_of_the_messages_path_is_compared_and_no_order_of_them() {
    let wall = Wall::new("refusal: { message: '$.errors[*].message' }\n");
    let of = |texts: [&str; 2]| json!({"errors": texts.map(|text| json!({"message": text}))});
    always(&wall, &of(["no such role", "not a member"]));
    assert!(wall.recorded().contains(": no such role; not a member\n"));
    always(&wall, &of(["not a member", "no such role"]));
    assert_eq!(wall.drift(), [""; 0]);
    always(&wall, &of(["no such role", "not an admin"]));
    assert_eq!(wall.drift(), ["gate-changed"]);
}

#[test]
fn a_problem_document_is_compared_in_all_its_members() {
    let wall = Wall::new("refusal: { message: $.detail }\n");
    let of = |id: &str, reason: &str| {
        let errors =
            json!([{"pointer": "#/a", "reason": "role"}, {"pointer": "#/b", "reason": reason}]);
        json!({"type": "https://example.com/probs/forbidden", "title": "Forbidden", "detail": "You may not",
            "instance": format!("/items/{id}"), "errors": errors})
        .to_string()
    };
    wall.says(move |_, id| ("application/problem+json", of(id, "tenant")));
    let record = wall.recorded();
    assert!(
        record
            .contains("    errors[].reason: role, tenant\n    instance: /items/<target.item_id>\n"),
        "{record}"
    );
    wall.says(move |_, id| ("application/problem+json", of(id, "owner")));
    assert_eq!(wall.drift(), ["refusal-tells-more"]);
}

#[test]
fn a_text_is_compared_to_its_end_and_printed_to_its_first_words() {
    let page = |sentence: &str| {
        let style = "body{margin:0}".repeat(400);
        let menu = "<li>Entry of a long menu</li>".repeat(60);
        format!(
            "<!doctype html><html><head><title>Error 403</title><style>{style}</style></head><body><ul>{menu}</ul><p>{sentence}</p><ul>{menu}</ul></body></html>"
        )
    };
    let long = |end: &str| format!("{}{end}", "word ".repeat(80));
    let texts = [
        [
            (HTML, page("Your tenant may not see this")),
            (HTML, page("Maintenance, the gate is off")),
        ],
        [(TEXT, long("a")), (TEXT, long("b"))],
        [
            (JSON, json!({"detail": long(&long("a"))}).to_string()),
            (JSON, json!({"detail": long(&long("b"))}).to_string()),
        ],
    ];
    let wall = Wall::new(MESSAGE);
    for [was, is] in texts {
        wall.says(move |_, _| was.clone());
        let record = wall.recorded();
        assert!(record.len() < 1500, "{record}");
        wall.says(move |_, _| is.clone());
        // Nobody can tell what is new behind the beginning of a text that is cut.
        assert_eq!(wall.drift(), ["refusal-tells-more"]);
    }
    wall.says(move |_, _| (HTML, page("No")));
    assert!(
        wall.recorded()
            .contains("Error 403 Entry of a long menu Entry of"),
        "{}",
        wall.snapshot()
    );
}

#[test]
fn how_long_a_refusal_took_is_no_difference_and_a_limit_is() {
    let wall = Wall::new(MESSAGE);
    let of = |took: usize, limit: usize| {
        let error =
            format!("not yours (took {took}ms), retry in {took}.5 s, sessions last {limit} s");
        json!({ "error": error }).to_string()
    };
    wall.says(move |number, _| (JSON, of(number + 1, 60)));
    assert!(
        wall.recorded()
            .contains("not yours (took <duration>), retry in <duration>, sessions last 60 s")
    );
    assert_eq!(wall.drift(), [""; 0]);
    wall.says(move |number, _| (JSON, of(number + 1, 90)));
    assert_eq!(wall.drift(), ["gate-changed"]);
}

/// The time as services print it, which goes on.
fn now(form: &str) -> String {
    chrono::Utc::now().format(form).to_string()
}

#[test]
fn refusals_of_common_frameworks_are_stable_without_a_rule() {
    let spring = |_: usize, id: &str| {
        let body = json!({"timestamp": now("%Y-%m-%dT%H:%M:%S%.3f+00:00"), "status": 403, "error": "Forbidden", "path": format!("/items/{id}"),
            "trace": "org.springframework.security.access.AccessDeniedException: Access is denied\n\tat org.springframework.web.servlet.DispatcherServlet.doDispatch(DispatcherServlet.java:1089)\n"});
        (JSON, body.to_string())
    };
    let counted = |_: usize, _: &str| {
        let seconds = chrono::Utc::now().timestamp();
        let body = json!({"timestamp": seconds, "error": "Forbidden", "detail": format!("refused at {seconds}000")});
        (JSON, body.to_string())
    };
    let whitelabel = |_: usize, _: &str| {
        let created = now("%a %b %e %H:%M:%S UTC %Y");
        (
            HTML,
            format!(
                "<html><body><h1>Whitelabel Error Page</h1><p>This application has no explicit mapping for /error</p><div id='created'>{created}</div><div>There was an unexpected error (type=Forbidden, status=403).</div></body></html>"
            ),
        )
    };
    let fastapi = |_: usize, _: &str| {
        (JSON, json!({"detail": [{"type": "missing", "loc": ["header", "authorization"], "msg": "Field required"}]}).to_string())
    };
    let rails = |_: usize, id: &str| {
        (JSON, json!({"status": 404, "error": "Not Found", "exception": format!("#<ActiveRecord::RecordNotFound: Couldn't find Item with 'id'={id}>")}).to_string())
    };
    let express = |_: usize, id: &str| {
        (
            HTML,
            format!(
                "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n<pre>ForbiddenError: /items/{id}<br> &nbsp; &nbsp;at Layer.handle [as handle_request] (/srv/node_modules/express/lib/router/layer.js:95:5)</pre>\n</body>\n</html>\n"
            ),
        )
    };
    let django = |_: usize, _: &str| {
        (
            HTML,
            format!(
                "<!doctype html><html lang=\"en\"><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1><p>Server time: {}</p></body></html>",
                now("%a, %d %b %Y %H:%M:%S +0000")
            ),
        )
    };
    let nginx = |_: usize, _: &str| {
        (HTML, "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n<hr><center>nginx/1.25.3</center>\r\n</body>\r\n</html>\r\n".to_owned())
    };
    let all: [(Words, &str); 8] = [
        (counted, "refused at <timestamp>"),
        (spring, "Forbidden"),
        (whitelabel, "Whitelabel Error Page"),
        (fastapi, "Field required"),
        (rails, "RecordNotFound"),
        (express, "ForbiddenError: /items/<target.item_id>"),
        (django, "403 Forbidden Server time: <timestamp>"),
        (nginx, "403 Forbidden nginx/1.25.3"),
    ];
    for refusal in ["", MESSAGE] {
        let wall = Wall::new(refusal);
        for (words, read) in all {
            wall.says(words);
            let record = wall.recorded();
            assert!(record.contains(read), "{record}");
            std::thread::sleep(std::time::Duration::from_millis(1100));
            assert_eq!(wall.drift(), [""; 0], "{record}");
        }
    }
}

/// In an order that is another one in each sweep, however many calls that makes but for five.
fn shuffled(number: usize) -> [&'static str; 3] {
    let orders = [[0, 1, 2], [1, 0, 2], [2, 1, 0], [0, 2, 1], [1, 2, 0]];
    let all = ["keys:read", "keys:list", "keys:make"];
    orders[number % 5].map(|at| all[at])
}

pub(crate) fn hex(count: usize) -> String {
    let mut text = hex::encode(Sha256::digest(random(8)));
    text.truncate(count);
    text
}

fn uuid() -> String {
    let all = hex(32);
    let parts = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| all[range].to_owned());
    parts.join("-")
}

pub(crate) fn error(text: impl Into<Json>) -> (&'static str, String) {
    let text: Json = text.into();
    (JSON, json!({ "error": text }).to_string())
}

type Words = fn(usize, &str) -> (&'static str, String);

/// A refusal that is another one each time, and the rule that makes one of it.
const VARYING: [(Words, &str); 13] = [
    (
        |_, _| error(format!("Access denied (request id {})", hex(16))),
        r#"pattern: "^Access denied \\(request id (?<id>[0-9a-f]{16})\\)$""#,
    ),
    (
        |_, _| error(format!("No. Ask for {}", uuid())),
        "(?<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$",
    ),
    (
        |number, _| error(format!("Wrong, {} attempts left", 90 - number)),
        "(?<number>[0-9]+) attempts left$",
    ),
    (
        |number, _| error(format!("At {}: no", 1_700_000_000_000_usize + number)),
        "(?<moment>[0-9]{13}): no$",
    ),
    (
        |_, _| {
            (
                JSON,
                json!({"error": "no", "request_id": uuid()}).to_string(),
            )
        },
        "$.request_id",
    ),
    (
        |number, _| {
            (
                JSON,
                json!({"error": "no", "meta": {"at": 1_700_000_000_000_usize + number}})
                    .to_string(),
            )
        },
        "$.meta.at",
    ),
    (
        |_, _| {
            (JSON, json!({"error": "no", "stack": format!("at 0x{} in read\nat 0x{} in main", hex(12), hex(12))}).to_string())
        },
        "^at 0x(?<id>[0-9a-f]{12}) in read$",
    ),
    (
        |_, _| {
            (
                HTML,
                format!(
                    "<html><head><script>x(\"{}\")</script></head>\n<body>{}<p>No</p></body></html>",
                    random(22),
                    "<br>".repeat(200)
                ),
            )
        },
        "<script>x",
    ),
    (
        |number, _| error(format!("One of {} is needed", json!(shuffled(number)))),
        "lists: [list]",
    ),
    (
        |number, _| {
            error(format!(
                "You lack {{'{}'}} here",
                shuffled(number).join("', '")
            ))
        },
        "lists: [list]",
    ),
    (
        |number, _| {
            error(format!(
                "You lack ('{}') here",
                shuffled(number).join("', '")
            ))
        },
        "lists: [list]",
    ),
    (
        |number, _| error(format!("Missing: {}", shuffled(number).join(", "))),
        "lists: [list]",
    ),
    (
        |number, _| {
            error(format!(
                "One of these is needed:\n- {}\nAsk an admin.",
                shuffled(number).join("\n- ")
            ))
        },
        "lists: [list]",
    ),
];

#[test]
fn what_varies_in_a_refusal_gets_a_rule_that_holds_for_later_runs() {
    for (words, rule) in VARYING {
        let wall = Wall::new(MESSAGE);
        wall.says(words);
        let advice = wall.run(&["record", "wall"]).error(5);
        let (seen, rules) = advice.split_once("add to suite.yaml").expect(&advice);
        assert!(rules.contains(rule), "{rule}\n{advice}");
        // What is told of this run is never a part of the rule.
        let told = seen
            .split([' ', '\n'])
            .filter(|word| word.len() > 7 && word.contains(|c: char| c.is_ascii_digit()));
        assert!(told.clone().all(|word| !rules.contains(word)), "{advice}");
        wall.run(&["record", "wall", "--calibrate"]).result();
        let suite = std::fs::read_to_string(wall.place.path("wall/suite.yaml")).unwrap();
        assert!(suite.contains(rule), "{rule}\n{suite}");
        for _ in 0..checks() {
            assert_eq!(wall.drift(), [""; 0], "{rule}");
        }
        wall.says(|_, _| error("The gate is off".to_owned()));
        assert_ne!(wall.drift(), [""; 0], "{rule}");
    }
}

#[test]
fn a_part_of_a_known_value_is_advised_as_a_mask_of_its_kind() {
    type Part = fn(&str) -> String;
    let masks: [(Part, &str); 3] = [
        (
            |id| {
                format!(
                    "{}{}{}",
                    &id[..6],
                    "*".repeat(id.len() - 8),
                    &id[id.len() - 2..]
                )
            },
            "{{ item_id | mask(6, 2) }}",
        ),
        (
            |id| format!("\u{2026}{}", &id[id.len() - 4..]),
            "\u{2026}{{ item_id | last(4) }}",
        ),
        (
            |id| format!("{}...", &id[..5]),
            "{{ item_id | first(5) }}...",
        ),
    ];
    for (part, template) in masks {
        let wall = Wall::new(MESSAGE);
        let filling = "A long text that stands before everything that differs in it, so that it has to be cut in its middle. ";
        wall.says(move |_, id| error(format!("{filling}Not for item_id={} today", part(id))));
        for arguments in [&["record", "wall"][..], &["record", "wall", "--calibrate"]] {
            let advice = wall.run(arguments).error(5);
            let line = format!(
                "add to the kind `item` in world.yaml, so that it has a name:\n      masks: {{ masked_item_id: \"{template}\" }}"
            );
            assert!(advice.contains(&line), "{advice}");
            assert!(
                advice.contains("Not for item_id="),
                "the texts show what differs: {advice}"
            );
            assert!(!advice.contains("from:"), "{advice}");
        }
        let world = std::fs::read_to_string(wall.place.path("wall/world.yaml")).unwrap();
        let with = world.replace(
            "    symbols:\n",
            &format!("    masks: {{ masked_item_id: \"{template}\" }}\n    symbols:\n"),
        );
        std::fs::write(wall.place.path("wall/world.yaml"), with).unwrap();
        assert!(
            wall.recorded().contains("item_id=<target.masked_item_id>"),
            "{}",
            wall.snapshot()
        );
    }
}

#[test]
fn no_secret_of_the_service_that_a_refusal_tells_is_in_a_file_or_a_report() {
    let secrets = [
        "hunter-2-swordfish",
        "481516",
        "tr0ub4dor",
        "sk_live_nobodyknowsthis",
        "9f86d081884c7d659a2feaa0c55ad015",
        "kQ3hv9x0ZpL7mN2c",
        "opensesame",
        "MIIEpAIBAAKCAQEA",
    ];
    let body = json!({
        "error": "cannot reach postgres://app:opensesame@db/items, Key (token)=(tr0ub4dor) is taken, sent kQ3hv9x0ZpL7mN2c",
        "password": secrets[0], "otp": 481_516, "config": {"api_key": secrets[3], "nested": [{"client_secret": "tr0ub4dor"}]},
        "debug": format!("PG: password={} host=db {} -----BEGIN PRIVATE KEY-----\nMIIEpAIBAAKCAQEA", secrets[0], secrets[4]),
        "trace": format!("{} at line 1, secret='opensesame', {}", "frame ".repeat(30), secrets[5]),
    });
    for refusal in [MESSAGE, ""] {
        let wall = Wall::new(refusal);
        always(&wall, &body);
        let mut said = wall.run(&["record", "wall"]);
        let moved = body.clone();
        wall.says(move |number, _| {
            let mut body = moved.clone();
            body["debug"] = json!(format!(
                "{} {number} {}",
                moved["debug"].as_str().unwrap(),
                "more ".repeat(number)
            ));
            (JSON, body.to_string())
        });
        let reports = [
            "--report",
            "html=report.html",
            "--report",
            "json=report.json",
            "--report",
            "markdown=report.md",
        ];
        let checked = wall.run(&[&["check", "wall", "-vv"][..], &reports].concat());
        let unstable = wall.run(&["record", "wall"]);
        for ended in [checked, unstable] {
            said.stdout += &(ended.stdout + &ended.stderr);
        }
        let files = wall.place.files();
        assert!(files.iter().any(|(path, _)| path.ends_with("report.html")));
        let texts = files.into_iter().map(|(path, content)| {
            (
                path.display().to_string(),
                String::from_utf8_lossy(&content).into_owned(),
            )
        });
        for (name, text) in texts.chain([("output".to_owned(), said.stdout)]) {
            let told: Vec<&&str> = secrets
                .iter()
                .filter(|secret| text.contains(**secret))
                .collect();
            assert!(told.is_empty(), "{refusal}{name} has {told:?}:\n{text}");
        }
    }
}
