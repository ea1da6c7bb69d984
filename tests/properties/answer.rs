//! Answers of a service: whatever it says, no secret gets through.

use std::collections::BTreeSet;

use authz_pin::http::{Answer, Body, HeaderMap, HeaderValue, Redirect};
use authz_pin::observe;
use authz_pin::suite::{HeadersSpec, Show, Suite, SuiteFile};
use authz_pin::symbols::{Namer, Registry, View};
use authz_pin::world::{Class, Field, Instance};
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::Value;
use url::Url;

use super::support::{bytes, cases, project, text};

const VIEW: View<'static> = View {
    cell: 0,
    actor: "owner",
};

/// Secrets, and texts around them that look like them.
#[derive(Debug, Clone)]
struct Said {
    secrets: Vec<String>,
    text: String,
}

impl Said {
    /// The values belong to a cell, to another cell and to nobody in particular.
    fn namer(&self) -> Namer {
        let mut registry = Registry::default();
        for (cell, value) in self.secrets.iter().enumerate() {
            let class = [Class::Secret, Class::Symbol, Class::Mask][cell % 3];
            let field = Field {
                value: value.clone(),
                class,
            };
            let mut instance = Instance::default();
            instance.fields.insert("key".to_owned(), field);
            registry.add_cell_entity(cell % 2, "target", &instance);
        }
        registry.build()
    }

    /// Whether a secret is in what is kept, as it is or with the escapes of `Debug`, which are those of a record.
    fn is_kept_in(&self, kept: &str) -> bool {
        let escaped = self.secrets.iter().map(|secret| format!("{secret:?}"));
        let mut escaped = escaped.map(|secret| secret.trim_matches('"').to_owned());
        self.leaks(kept) || escaped.any(|secret| kept.contains(&secret))
    }

    fn leaks(&self, text: &str) -> bool {
        self.secrets.iter().any(|secret| text.contains(secret))
    }
}

/// No part of a name that a value gets, and long enough not to be in one.
fn secrets() -> impl Strategy<Value = Vec<String>> {
    let alike = proptest::string::string_regex("(sk-|ab)[ab]{8,12}").unwrap();
    let unlike = proptest::string::string_regex("sk-[0-9A-Za-z_/+=\"\\\\é]{9,20}").unwrap();
    btree_set(prop_oneof![alike, unlike], 1..6).prop_map(|set| set.into_iter().collect())
}

fn said() -> impl Strategy<Value = Said> {
    let piece = (any::<Index>(), any::<Index>(), 0..4_u8, text());
    (secrets(), vec(piece, 0..8)).prop_map(|(secrets, pieces)| {
        let piece = |(which, at, kind, text): (Index, Index, u8, String)| {
            let secret = which.get(&secrets);
            let ends: Vec<usize> = secret.char_indices().map(|(at, _)| at).collect();
            let at = *at.get(&ends);
            match kind {
                0 => text,
                1 => secret[at..].to_owned(),
                2 => secret[..at].to_owned(),
                _ => secret.clone(),
            }
        };
        let text = pieces.into_iter().map(piece).collect();
        Said { secrets, text }
    })
}

/// The text as a value, as a key, and deep within.
fn json(said: &str, other: &Value) -> Value {
    let keyed = Value::Object([(said.to_owned(), Value::from(said))].into_iter().collect());
    serde_json::json!({"error": {"message": said, "type": [keyed, other]}, "x": keyed, said: other})
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        text().prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let entries = vec((text(), inner.clone()), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::from),
            entries.prop_map(|entries| Value::Object(entries.into_iter().collect()))
        ]
    })
}

fn litellm() -> SuiteFile {
    let mut file = Suite::load(&project().join("suites/litellm")).unwrap().file;
    file.values.show = Show::Clear;
    file
}

/// Everything that a record keeps of an answer.
fn kept(suite: &SuiteFile, namer: &Namer, status: u16, body: Body) -> String {
    let headers = HeaderMap::new();
    let (url, redirect) = (None, None);
    let answer = Answer {
        status,
        redirect,
        url,
        headers,
        body,
    };
    kept_of(suite, namer, &answer)
}

fn kept_of(suite: &SuiteFile, namer: &Namer, answer: &Answer) -> String {
    let shown = observe::answer(suite, "key-info", namer, VIEW, answer);
    let told = (
        shown.headers,
        shown.also,
        shown.discloses,
        shown.values,
        shown.shape,
    );
    format!("{:?}\n{told:?}", shown.gate)
}

/// Headers with a text wherever they can have one, in the ways in which it can be written there.
fn headers(said: &str) -> HeaderMap {
    let said: String = said.chars().filter(|c| !c.is_control()).collect();
    let escaped = percent_encode(said.as_bytes(), NON_ALPHANUMERIC).to_string();
    let half = said.chars().count() / 2;
    let (begin, end): (String, String) = (
        said.chars().take(half).collect(),
        said.chars().skip(half).collect(),
    );
    let values = [
        (
            "set-cookie",
            format!("{said}={said}; Path=/{said}; Domain={said}; {said}"),
        ),
        ("set-cookie", format!("a=\"{escaped}\"; SameSite={said}")),
        (
            "location",
            format!("/{said}/{escaped}?{said}={escaped}&next=http%3A//{escaped}#{said}={escaped}"),
        ),
        (
            "www-authenticate",
            format!("Bearer realm=\"{said}\", {said}, {said} {said}"),
        ),
        ("www-authenticate", said.clone()),
        (
            "cache-control",
            format!("no-cache=\"{said}\", {said}={said}"),
        ),
        ("vary", format!("{begin}, {end}, {said}")),
        (
            "access-control-allow-origin",
            format!("http://127.0.0.1:4000{said}"),
        ),
        ("access-control-allow-headers", said.clone()),
        ("content-type", format!("{said}; {said}={said}")),
        ("etag", format!("W/\"{said}\"")),
        (
            "link",
            format!("<{said}>; rel={said}, <{escaped}>; rel=\"{said} {said}\""),
        ),
        ("refresh", format!("0; url={said}?{escaped}")),
        ("x-owner", said.clone()),
        ("x-request-id", said.clone()),
    ];
    let mut headers = HeaderMap::new();
    for (name, value) in values {
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_value_is_in_a_text_that_was_named(said in said()) {
        let named = said.namer().name(&said.text, VIEW);
        prop_assert!(!said.leaks(&named.text), "{}", named.text);
    }

    #[test]
    fn a_text_that_was_named_has_nothing_more_to_name(said in said()) {
        let namer = said.namer();
        let once = namer.name(&said.text, VIEW).text;
        prop_assert_eq!(namer.name(&once, VIEW).text, once);
    }

    #[test]
    fn no_value_is_in_a_json_document_that_was_named(said in said(), other in any_json()) {
        let namer = said.namer();
        let once = namer.name_json(&json(&said.text, &other), VIEW, &mut BTreeSet::new());
        prop_assert!(!texts(&once).iter().any(|text| said.leaks(text)), "{once}");
        let twice = namer.name_json(&once, VIEW, &mut BTreeSet::new());
        prop_assert_eq!(twice, once);
    }
}

#[test]
fn a_number_that_holds_a_secret_is_named_and_another_stays() {
    let said = Said {
        secrets: vec!["123456".to_owned(), "777777".to_owned()],
        text: String::new(),
    };
    let json = serde_json::json!({"pin": 123_456, "more": [91_234_567, 1.5], "n": 777_777});
    let named = said.namer().name_json(&json, VIEW, &mut BTreeSet::new());
    assert_eq!(
        named,
        serde_json::json!({"pin": "<target.key>", "more": ["9<target.key>7", 1.5], "n": 777_777})
    );
}

fn texts(json: &Value) -> Vec<String> {
    match json {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), texts(value)));
            entries
                .flat_map(|(key, inner)| std::iter::once(key).chain(inner))
                .collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn no_secret_of_an_answer_is_kept() {
    let suite = litellm();
    let status = select(&[200_u16, 204, 302, 401, 403, 500][..]);
    let inputs = (said(), any_json(), status, any::<bool>());
    let mut runner = proptest::test_runner::TestRunner::new(cases(300));
    let result = runner.run(&inputs, |(said, other, status, is_json)| {
        let body = if is_json {
            Body::read(json(&said.text, &other).to_string().as_bytes())
        } else {
            Body::read(said.text.as_bytes())
        };
        let kept = kept(&suite, &said.namer(), status, body);
        prop_assert!(!said.is_kept_in(&kept), "{kept}");
        Ok(())
    });
    result.unwrap();
}

#[test]
fn no_secret_of_headers_is_kept() {
    let mut suite = litellm();
    suite.headers = HeadersSpec::default();
    let status = select(&[200_u16, 201, 302, 401, 403][..]);
    let mut runner = proptest::test_runner::TestRunner::new(cases(300));
    let result = runner.run(&(said(), status), |(said, status)| {
        let headers = headers(&said.text);
        let location = headers.get("location").unwrap().as_bytes();
        let location = String::from_utf8_lossy(location).into_owned();
        let answer = Answer {
            status,
            redirect: (status == 302).then_some(Redirect { location }),
            url: Url::parse("http://127.0.0.1:4000/keys").ok(),
            headers,
            body: Body::Text(String::new()),
        };
        let kept = kept_of(&suite, &said.namer(), &answer);
        prop_assert!(!said.is_kept_in(&kept), "{kept}");
        Ok(())
    });
    result.unwrap();
}

/// Found by fuzzing: in JSON the text has the escape `\b`, whose letter is the one that the value lacked.
#[test]
fn an_escape_does_not_complete_a_secret() {
    let said = Said {
        secrets: vec!["b-user-b-user".to_owned()],
        text: String::new(),
    };
    let body = Body::Json(serde_json::json!({"\u{8}-user-b-user": ["x"]}));
    let kept = kept(&litellm(), &said.namer(), 403, body);
    assert_eq!(
        kept.lines().next().unwrap(),
        r#"Some("{\"\\<target.key>\":[\"x\"]}")"#
    );
}

#[test]
fn the_dots_between_fields_do_not_complete_a_secret() {
    let said = Said {
        secrets: vec!["head.body.sign".to_owned()],
        text: String::new(),
    };
    let body = Body::Json(serde_json::json!({"x-head": {"body": {"sign": 1}}}));
    let kept = kept(&litellm(), &said.namer(), 200, body);
    assert!(!said.leaks(&kept), "{kept}");
}

#[test]
fn neither_paths_nor_several_values_of_a_refusal_complete_a_secret() {
    let secrets = ["head.body.sign", "one, other", "kind: said", "first; last"];
    let said = Said {
        secrets: secrets.map(str::to_owned).into(),
        text: String::new(),
    };
    let mut suite = litellm();
    suite.refusal.message = Some("$.say[*]".to_owned().try_into().unwrap());
    suite.refusal.kind = Some("$.type".to_owned().try_into().unwrap());
    let all = [
        serde_json::json!({"say": ["x"], "x-head": {"body": {"sign": 1}}, "list": ["other x", "my one"]}),
        serde_json::json!({"say": ["last", "first"], "type": "x"}),
        serde_json::json!({"say": ["said"], "type": "a kind"}),
    ];
    for body in all {
        let kept = kept(&suite, &said.namer(), 403, Body::Json(body));
        assert!(!said.leaks(&kept) && kept.contains(".key>"), "{kept}");
    }
}

#[test]
fn any_bytes_are_an_answer() {
    let suite = litellm();
    let namer = Registry::default().build();
    let mut runner = proptest::test_runner::TestRunner::new(cases(300));
    let result = runner.run(&(bytes(), any::<u16>()), |(bytes, status)| {
        kept(&suite, &namer, status, Body::read(&bytes));
        Ok(())
    });
    result.unwrap();
}

#[test]
fn deep_answers_are_texts() {
    for open in ["[", "{\"a\":"] {
        let body = Body::read(open.repeat(100_000).as_bytes());
        assert!(matches!(body, Body::Text(_)));
    }
}
