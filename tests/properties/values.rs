//! What successes say: a secret that nobody captured, and that is the same in every sweep, is in no record.

use authz_pin::fault::Reply;
use authz_pin::http::{Answer, Body, HeaderMap};
use authz_pin::observation::Observation;
use authz_pin::observe;
use authz_pin::record::{Decision, Record};
use authz_pin::suite::{Show, Suite, SuiteFile};
use authz_pin::symbols::{Registry, View};
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;
use serde_json::{Value, json};

use super::support::{cases, project};

/// Secrets of which each is one wherever it stands.
fn drawn() -> impl Strategy<Value = String> {
    let patterns = [
        "[0-9a-f]{16,64}",
        "[A-Za-z0-9]{20,40}",
        "[A-Za-z0-9_-]{43}",
        "[A-Za-z0-9+/]{38}==",
        "sk_live_[A-Za-z0-9]{16}",
        "ghp_[A-Za-z0-9]{36}",
        "AKIA[A-Z2-7]{16}",
        "xoxb-[0-9]{11}-[A-Za-z0-9]{24}",
        "eyJhbGciOiJIUzI1NiJ9\\.eyJ[A-Za-z0-9_-]{20,60}\\.[A-Za-z0-9_-]{43}",
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        "[A-Z2-7]{32}",
        "[1-9][0-9]{15}",
        "-----BEGIN PRIVATE KEY-----\n[A-Za-z0-9+/]{64}\n-----END PRIVATE KEY-----",
        "[a-z]{4}[0-9]{4}[A-Z]{4}[0-9]{4}",
    ];
    let all: Vec<BoxedStrategy<String>> = patterns
        .into_iter()
        .map(|pattern| string_regex(pattern).unwrap().boxed())
        .collect();
    proptest::strategy::Union::new(all)
}

/// Names under which anything is a secret.
const SECRET: [&str; 12] = [
    "password",
    "newPassword",
    "client_secret",
    "access_token",
    "apiKey",
    "api-key",
    "X-Api-Key",
    "private_key",
    "otp",
    "pin",
    "sessionId",
    "refreshToken",
];

const NEUTRAL: [&str; 8] = [
    "note",
    "ref",
    "value",
    "data",
    "comment",
    "x",
    "externalId",
    "line2",
];

/// A body with a secret in it, and the secret.
fn planted() -> impl Strategy<Value = (Value, String)> {
    let word = string_regex("[a-z]{6,10}[0-9!]{1,3}").unwrap();
    let pin = string_regex("[1-9][0-9]{3,7}").unwrap();
    let named = (
        prop_oneof![word, pin, drawn()],
        select(&SECRET[..]),
        any::<bool>(),
    );
    let named = named.prop_map(|(secret, name, is_number)| {
        let value = match secret.parse::<u64>() {
            Ok(number) if is_number => json!(number),
            _ => json!(secret),
        };
        (json!({name: value}), secret)
    });
    let neutral = (drawn(), select(&NEUTRAL[..])).prop_map(|(it, name)| (json!({name: it}), it));
    let keyed = drawn().prop_map(|it| (json!({it.clone(): 1}), it));
    let said = (drawn(), select(&NEUTRAL[..]))
        .prop_map(|(it, name)| (json!({name: format!("your key is {it}, keep it")}), it));
    let address = string_regex("[a-z]{5,9}[0-9]{2}").unwrap().prop_map(|it| {
        (
            json!({"url": format!("postgres://app:{it}@db.internal/app")}),
            it,
        )
    });
    prop_oneof![named, neutral, keyed, said, address]
}

/// The same at some depth, in lists, and beside other things.
fn nested() -> impl Strategy<Value = (Value, String)> {
    (planted(), proptest::collection::vec(0..4_u8, 0..4)).prop_map(|((body, secret), layers)| {
        let wrap = |body: Value, layer: u8| match layer {
            0 => json!({"data": body, "total": 1}),
            1 => json!({"items": [body, {"name": "other"}]}),
            2 => json!([body]),
            _ => json!({"user": {"id": "<x>", "profile": body, "is_admin": false}}),
        };
        (layers.into_iter().fold(body, wrap), secret)
    })
}

fn suite(show: Show) -> SuiteFile {
    let mut file = Suite::load(&project().join("suites/litellm")).unwrap().file;
    file.values.show = show;
    file
}

/// The values of a record of one answer with that body, as a file has them.
fn values(suite: &SuiteFile, body: Value) -> String {
    let view = View {
        cell: 0,
        actor: "owner",
    };
    let answer = Answer {
        status: 200,
        redirect: None,
        url: None,
        headers: HeaderMap::new(),
        body: Body::Json(body),
    };
    let shown = observe::answer(
        suite,
        "key-info",
        &Registry::default().build(),
        view,
        &answer,
    );
    let observation = Observation {
        decision: Some(Decision::by_status(Reply::Status(200))),
        values: shown.values,
        shape: shown.shape,
        ..Observation::default()
    };
    let record = Record::build("GET /x".to_owned(), [("t", "a", observation)]);
    let text = record.to_yaml().unwrap();
    assert_eq!(Record::parse(&text).unwrap(), record, "{text}");
    let values = text.split_once("values:").unwrap().1;
    values.split("\nshapes:").next().unwrap().to_owned()
}

#[test]
fn no_secret_that_nobody_captured_is_among_the_values_of_a_record() {
    let suites = [suite(Show::Clear), suite(Show::Digest)];
    let count = std::env::var("AUTHZ_PIN_LONG_CASES").ok();
    let count = count.and_then(|count| count.parse().ok()).unwrap_or(1_000);
    let mut runner = proptest::test_runner::TestRunner::new(cases(count));
    let result = runner.run(&nested(), |(body, secret)| {
        for suite in &suites {
            let values = values(suite, body.clone());
            for line in secret.lines() {
                prop_assert!(!values.contains(line), "{body} in\n{values}");
            }
        }
        Ok(())
    });
    result.unwrap();
}
