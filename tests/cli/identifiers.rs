//! Identifiers that an answer holds in another form than their own, and numbers where an identifier stands.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use authz_pin::template::random;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use insta::assert_snapshot;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value as Json, json};

use super::place::{Ended, Place, checks};
use super::raw::{JSON, Raw, Request, respond};

const SUITE: &str = "
name: club
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
";

const WORLD: &str = r#"
kinds:
  person:
    secrets: { key: "sk-{{ random(20) }}" }
    symbols: { mail: "Ann+{{ run }}@example.org", person_id: "{{ uuid() }}", number: "{{ digits(6) }}" }
  note:
    parameters: { mail: null, person_id: null, number: null, key: null }
    symbols: { note_id: null }
    setup:
      - request:
          method: POST
          path: /notes
          json: { mail: "{{ mail }}", person_id: "{{ person_id }}", number: "{{ number }}", key: "{{ key }}" }
        capture: { note_id: $.id }
entities: {}
actors:
  ann: { kind: person, auth: { headers: { x-number: "{{ actor.number }}" } } }
  bea: { kind: person, auth: { headers: { x-number: "{{ actor.number }}" } } }
"#;

const TARGETS: &str = r#"
targets:
  ann's note:
    kind: note
    with: { mail: "{{ ann.mail }}", person_id: "{{ ann.person_id }}", number: "{{ ann.number }}", key: "{{ ann.key }}" }
"#;

const ENDPOINT: &str = r#"
request: { method: GET, path: "/notes/{{ target.note_id }}" }
targets: [ann's note]
"#;

/// What somebody is shown of a note, by its owner and the number of who asks; the same is shown to the owner.
type Show = fn(owner: &Json, asks: &str) -> Json;

/// A service that shows its notes as it is told to.
struct Club {
    raw: Raw,
    show: Arc<Mutex<Show>>,
    place: Place,
}

impl Club {
    fn with(suite: &str) -> Self {
        let show: Arc<Mutex<Show>> = Arc::new(Mutex::new(|_, _| json!({"x": "nothing"})));
        let (shown, notes) = (Arc::clone(&show), Mutex::new(BTreeMap::new()));
        let raw = Raw::start(move |request, stream| {
            let show = *shown.lock().unwrap();
            let body = reply(&mut notes.lock().unwrap(), show, request);
            respond(stream, 200, JSON, body.to_string())
        });
        let place = Place::empty()
            .write("club/suite.yaml", &format!("{SUITE}{suite}"))
            .write("club/world.yaml", WORLD)
            .write("club/targets.yaml", TARGETS)
            .write("club/endpoints/read.yaml", ENDPOINT);
        Self { raw, show, place }
    }

    fn run(&self, command: &str, show: Show) -> Ended {
        *self.show.lock().unwrap() = show;
        let url = self.raw.url();
        let reason = ["--reason", "shown on purpose"];
        let reason = if command == "record" {
            &reason[..]
        } else {
            &[]
        };
        self.place
            .run(&[&[command, "club", "--base-url", &url], reason].concat())
    }

    /// What the record says that was disclosed to whom.
    fn disclosed(&self, show: Show) -> String {
        self.run("record", show).result();
        let record = std::fs::read_to_string(self.place.path("club/snapshots/read.snap"));
        let record = record.unwrap();
        let cells = record.lines().filter(|line| line.contains("allowed:"));
        let cells = cells.map(|line| match line.split_once("discloses: [") {
            Some((_, rest)) => rest.split_once(']').unwrap().0.to_owned(),
            None => String::new(),
        });
        cells.collect::<Vec<_>>().join(" / ")
    }
}

fn reply(notes: &mut BTreeMap<String, Json>, show: Show, request: &Request) -> Json {
    if request.line.starts_with("POST") {
        let id = format!("n-{}", random(12));
        notes.insert(id.clone(), serde_json::from_str(&request.body).unwrap());
        return json!({ "id": id });
    }
    let note = request.path().rsplit('/').next().unwrap();
    match (notes.get(note), request.header("x-number")) {
        (Some(owner), Some(number)) => show(owner, number),
        _ => json!({}),
    }
}

fn text<'j>(owner: &'j Json, field: &str) -> &'j str {
    owner[field].as_str().unwrap()
}

fn jwt(claims: &Json) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("{header}.{claims}.{}", random(40))
}

/// Shows the owner to who is somebody else.
fn to_others(owner: &Json, asks: &str, shown: impl Fn() -> String) -> Json {
    if text(owner, "number") == asks {
        json!({"x": "nothing"})
    } else {
        json!({"x": shown()})
    }
}

/// The ways in which the owner is shown, each with what of it is.
const FORMS: [(&str, Show); 13] = [
    ("ann.mail", |owner, asks| {
        to_others(owner, asks, || {
            STANDARD.encode(format!("User:{}", text(owner, "mail")))
        })
    }),
    ("ann.mail", |owner, asks| {
        to_others(owner, asks, || text(owner, "mail").to_uppercase())
    }),
    ("ann.mail", |owner, asks| {
        to_others(owner, asks, || {
            let mail = utf8_percent_encode(text(owner, "mail"), NON_ALPHANUMERIC);
            format!(
                "/login?next=%2Fmails%2F{}",
                mail.to_string().replace('%', "%25")
            )
        })
    }),
    ("ann.mail", |owner, asks| {
        to_others(owner, asks, || text(owner, "mail").replace('@', "&#64;"))
    }),
    ("ann.mail", |owner, asks| {
        to_others(owner, asks, || {
            URL_SAFE_NO_PAD.encode(json!({"after": text(owner, "mail")}).to_string())
        })
    }),
    ("ann.person_id", |owner, asks| {
        to_others(owner, asks, || {
            text(owner, "person_id").replace('-', "").to_uppercase()
        })
    }),
    ("ann.person_id", |owner, asks| {
        to_others(owner, asks, || {
            format!("{{{}}}", text(owner, "person_id").to_uppercase())
        })
    }),
    ("ann.person_id", |owner, asks| {
        to_others(owner, asks, || {
            let bytes = hex::decode(text(owner, "person_id").replace('-', ""));
            format!("usr_{}", URL_SAFE_NO_PAD.encode(bytes.unwrap()))
        })
    }),
    ("ann.person_id", |owner, asks| {
        to_others(owner, asks, || {
            jwt(&json!({"sub": text(owner, "person_id"), "iat": 1}))
        })
    }),
    ("ann.number", |owner, asks| {
        to_others(owner, asks, || {
            STANDARD.encode(format!("gid://club/Person/{}", text(owner, "number")))
        })
    }),
    ("ann.number", |owner, asks| {
        to_others(owner, asks, || {
            jwt(&json!({"user_id": text(owner, "number").parse::<u32>().unwrap()}))
        })
    }),
    ("ann.key", |owner, asks| {
        to_others(owner, asks, || {
            format!(
                "Basic {}",
                STANDARD.encode(format!("ann:{}", text(owner, "key")))
            )
        })
    }),
    ("ann.key", |owner, asks| {
        to_others(owner, asks, || {
            hex::encode(text(owner, "key")).to_uppercase()
        })
    }),
];

#[test]
fn an_identifier_in_another_form_is_disclosed() {
    let club = Club::with("");
    club.run("record", |_, _| json!({"x": "nothing"})).result();
    for (number, (symbol, show)) in FORMS.into_iter().enumerate() {
        let ended = club.run("check", show);
        assert_eq!(ended.code, Some(1), "{number}: {ended:#?}");
        assert!(
            ended.stdout.contains("disclosure-widened"),
            "{number}: {}",
            ended.stdout
        );
        assert!(ended.stdout.contains(symbol), "{number}: {}", ended.stdout);
    }
    for _ in 0..checks() {
        club.run("check", |_, _| json!({"x": "nothing"})).result();
    }
}

#[test]
fn no_secret_in_another_form_is_in_a_record() {
    for (_, show) in &FORMS[11..] {
        let club = Club::with("");
        // A shape holds keys of the answer, and a refusal its words.
        let disclosed = club.disclosed(*show);
        assert_eq!(disclosed, " / ann.key");
    }
}

fn number(owner: &Json) -> Json {
    json!(text(owner, "number").parse::<u32>().unwrap())
}

#[test]
fn a_number_is_an_identifier_where_the_key_says_so() {
    let club = Club::with("");
    let keys: [Show; 8] = [
        |owner, _| json!({"payload": json!({"owner": number(owner)}).to_string()}),
        |owner, _| json!({"owner": number(owner)}),
        |owner, _| json!({"created_by": number(owner)}),
        |owner, _| json!({"data": {"members": [1, number(owner)]}}),
        |owner, _| json!({"author": text(owner, "number")}),
        |owner, _| json!({"uid": number(owner)}),
        |owner, _| json!({"userNo": number(owner)}),
        |owner, _| json!({"assigned_user": number(owner)}),
    ];
    for (place, show) in keys.into_iter().enumerate() {
        assert_eq!(club.disclosed(show), "actor.number / ann.number", "{place}");
    }
    let others: [Show; 5] = [
        |owner, _| json!({"payload": json!({"total": number(owner)}).to_string()}),
        |owner, _| json!({"total": number(owner)}),
        |owner, _| json!({"members": number(owner)}),
        |owner, _| json!({"user_count": number(owner)}),
        |owner, _| json!({"badge": number(owner), "sizes": [number(owner)]}),
    ];
    for (place, show) in others.into_iter().enumerate() {
        assert_eq!(club.disclosed(show), " / ", "{place}");
    }
}

#[test]
fn a_suite_says_where_else_a_number_is_an_identifier_and_where_it_is_none() {
    let club =
        Club::with("ids: { at: [badge, \"$.seats[].taken\"], never: [owner, stats.user_id] }\n");
    let (known, none) = ("actor.number / ann.number", " / ");
    let cases: [(Show, &str); 6] = [
        (|owner, _| json!({"badge": number(owner)}), known),
        (
            |owner, _| json!({"seats": [{"taken": number(owner)}]}),
            known,
        ),
        (
            |owner, _| json!({"row": {"seats": [{"taken": number(owner)}]}}),
            none,
        ),
        (|owner, _| json!({"owner": number(owner)}), none),
        (
            |owner, _| json!({"stats": {"user_id": number(owner)}}),
            none,
        ),
        (|owner, _| json!({"user_id": number(owner)}), known),
    ];
    for (place, (show, expected)) in cases.into_iter().enumerate() {
        assert_eq!(club.disclosed(show), expected, "{place}");
    }
}

#[test]
fn what_is_no_place_of_identifiers_is_a_mistake_of_the_suite() {
    let club = Club::with("ids: { at: [\"$..owner\"] }\n");
    assert_snapshot!(club.place.run(&["list", "club"]).error(2), @r#"
    error: `$..owner` is not a place of identifiers
      --> club/suite.yaml:5:13
      |
    5 | ids: { at: ["$..owner"] }
      |             ^^^^^^^^^^
      = help: write keys with points between them, and `[]` for the items of a list: `members[].user`

    1 error
    "#);
}
