//! Envelopes that say whether the call was done: `{"ok": false}`, `{"status": "error"}`, `{"code": 40301}`.

use serde_json::{Map, Value as Json};

use super::text::says_no;
use super::{Reading, Refusal, Ruled, Seen, xml};

/// Flags that are false where the service refused, in small letters and without marks.
const FLAGS: [&str; 8] = [
    "ok",
    "success",
    "succeeded",
    "successful",
    "issuccess",
    "issucceeded",
    "issuccessful",
    "isok",
];

/// Flags that are true where it did.
const FAILURES: [&str; 3] = ["haserror", "iserror", "failed"];

/// A key in small letters and without marks.
fn plain(key: &str) -> String {
    let marks = ['_', '-'];
    key.replace(marks, "").to_ascii_lowercase()
}

/// Whether a flag says no.
fn is_no(value: &Json) -> bool {
    match value {
        Json::Bool(value) => !value,
        Json::String(text) => text.eq_ignore_ascii_case("false"),
        Json::Number(number) => number.as_i64() == Some(0),
        _ => false,
    }
}

/// Where an envelope has its state as a word.
const STATES: [&str; 4] = ["status", "result", "state", "stat"];

/// Whether a state is the word of a refusal.
pub(super) fn refuses(state: &str) -> bool {
    REFUSED.contains(&state.to_ascii_lowercase().as_str())
}

/// The words of a refusal: `JSend` has `fail` and `error`.
const REFUSED: [&str; 15] = [
    "error",
    "fail",
    "failed",
    "failure",
    "denied",
    "forbidden",
    "unauthorized",
    "unauthenticated",
    "nok",
    "rejected",
    "request_denied",
    "access_denied",
    "permission_denied",
    "no_permission",
    "not_authorized",
];

/// Where it has a code, of which zero and those of successes refuse nothing.
const CODES: [&str; 10] = [
    "code",
    "errcode",
    "errno",
    "error_code",
    "errorCode",
    "err_code",
    "statusCode",
    "retCode",
    "ret_code",
    "status",
];

/// Where it has its message.
const MESSAGES: [&str; 13] = [
    "message",
    "msg",
    "errmsg",
    "error_msg",
    "errorMsg",
    "error_message",
    "errorMessage",
    "errorDetail",
    "error_description",
    "reason",
    "detail",
    "description",
    "title",
];

/// What else an envelope has that is no resource.
const BESIDE: [&str; 16] = [
    "error",
    "errors",
    "type",
    "error_type",
    "errorType",
    "data",
    "payload",
    "meta",
    "path",
    "timestamp",
    "time",
    "request_id",
    "requestId",
    "trace_id",
    "traceId",
    "version",
];

/// Where an envelope can be inside another one.
const WITHIN: [&str; 4] = ["result", "response", "data", "d"];

pub(super) fn read(seen: Seen<'_>) -> Reading {
    if let Some(text) = seen.success_text() {
        return xml::refusal(text).map(Ruled::denied);
    }
    let all = seen.success()?.as_object()?;
    let own = refusal(all);
    let within = || {
        let mut within = WITHIN
            .into_iter()
            .filter_map(|key| all.get(key)?.as_object());
        within.find_map(|inner| is_envelope(inner).then(|| refusal(inner)).flatten())
    };
    let only = || {
        let only = all.values().next().filter(|_| all.len() == 1);
        let inner = only?.as_object().filter(|inner| is_envelope(inner))?;
        refusal(inner)
    };
    own.or_else(within)
        .or_else(only)
        .or_else(|| aside(all))
        .map(Ruled::denied)
}

/// Where an envelope has its status beside the data, as of HTTP.
const ASIDE: [&str; 4] = ["meta", "status", "header", "head"];

/// What refuses beside data that are not there: `{"meta": {"code": 403, "error_type": "NotAllowed"}}`.
fn aside(all: &Map<String, Json>) -> Option<Refusal> {
    let is_alone = |own: &str| {
        all.iter()
            .all(|(key, value)| key == own || is_nothing(value))
    };
    let is_refused = |inner: &Map<String, Json>| {
        let mut codes = CODES.iter().filter_map(|key| number(inner.get(*key)?));
        codes.any(|code| (400..600).contains(&code))
    };
    let mut found = ASIDE.iter().filter_map(|key| {
        let inner = all.get(*key)?.as_object()?;
        (is_alone(key) && is_refused(inner)).then(|| said(inner))
    });
    found.next()
}

/// What an object says that refuses: by a flag, or by a state or a code where it is no resource.
pub(super) fn refusal(object: &Map<String, Json>) -> Option<Refusal> {
    let is_flagged = object.iter().any(|(key, value)| {
        let is_one_of = |list: &[&str]| list.contains(&plain(key).as_str());
        is_no(value) && is_one_of(&FLAGS) || *value == Json::Bool(true) && is_one_of(&FAILURES)
    });
    let is_refused = is_flagged || (is_envelope(object) && is_told(object));
    is_refused.then(|| said(object))
}

/// Whether an object has nothing but what envelopes have: a payment that failed is no refusal.
fn is_envelope(object: &Map<String, Json>) -> bool {
    let known = [STATES.as_slice(), &CODES, &MESSAGES, &BESIDE];
    object.keys().all(|key| {
        let is_known = known.iter().any(|known| known.contains(&key.as_str()));
        is_known || FLAGS.contains(&plain(key).as_str())
    })
}

fn is_told(object: &Map<String, Json>) -> bool {
    let mut state = STATES.iter().filter_map(|key| object.get(*key)?.as_str());
    let is_empty = ["data", "payload"]
        .iter()
        .all(|key| object.get(*key).is_none_or(is_nothing));
    let mut codes = CODES.iter().filter_map(|key| number(object.get(*key)?));
    let has_error = object.get("error").is_some_and(is_error);
    let is_state_no = STATES
        .iter()
        .any(|key| object.get(*key) == Some(&Json::Bool(false)));
    let mut words = CODES.iter().filter_map(|key| object.get(*key)?.as_str());
    state.any(refuses)
        || has_error
        || is_empty && words.any(says_no)
        || is_state_no
        || is_empty && codes.any(|code| code != 0 && !(200..300).contains(&code))
}

/// Whether there is an error: some always have one, whose code is zero where nothing is wrong.
pub(super) fn is_error(error: &Json) -> bool {
    let is_zero = |code: &Json| number(code) == Some(0);
    !is_nothing(error) && !error.get("code").is_some_and(is_zero)
}

fn is_nothing(value: &Json) -> bool {
    match value {
        Json::Null | Json::Bool(false) => true,
        Json::Number(number) => number.as_i64() == Some(0),
        Json::String(text) => text.is_empty(),
        Json::Array(items) => items.is_empty(),
        Json::Object(map) => map.is_empty(),
        Json::Bool(true) => false,
    }
}

fn number(value: &Json) -> Option<i64> {
    match value {
        Json::String(text) => text.parse().ok(),
        other => other.as_i64(),
    }
}

/// The code and the message of an object, or of the `error` in it.
pub(super) fn said(object: &Map<String, Json>) -> Refusal {
    let error = object.get("error");
    let inner = error.and_then(Json::as_object);
    let at = |keys: &[&str]| {
        let own = keys.iter().find_map(|key| text(object.get(*key)?));
        own.or_else(|| keys.iter().find_map(|key| text(inner?.get(*key)?)))
    };
    let alone = error.filter(|error| error.is_string()).and_then(text);
    let message = at(&MESSAGES);
    let kind = at(&CODES).or_else(|| at(&["type"]));
    match (message, alone) {
        (Some(message), Some(alone)) => Refusal {
            kind: Some(kind.map_or(alone.clone(), |kind| format!("{kind}: {alone}"))),
            message: Some(message),
            ..Refusal::default()
        },
        (message, alone) => Refusal {
            kind,
            message: message.or(alone),
            ..Refusal::default()
        },
    }
}

/// A text or a number.
pub(super) fn text(value: &Json) -> Option<String> {
    match value {
        Json::String(text) if !text.is_empty() => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said_of(body: &Json) -> Option<String> {
        refusal(body.as_object().unwrap()).map(|refusal| refusal.said().unwrap_or_default())
    }

    #[test]
    fn an_envelope_refuses_by_a_flag_a_state_or_a_code() {
        let refused = [
            (json!({"ok": false, "error": "not_authed"}), "not_authed"),
            (
                json!({"success": false, "code": 7, "message": "no", "id": 3}),
                "7: no",
            ),
            (json!({"status": "fail", "data": {"title": "no"}}), "fail"),
            (json!({"status": "error", "message": "no"}), "error: no"),
            (
                json!({"code": 40301, "msg": "no", "data": null}),
                "40301: no",
            ),
            (json!({"Succeeded": false, "message": "no"}), "no"),
            (json!({"status": false, "message": "no"}), "no"),
            (json!({"success": "false", "message": "no"}), "no"),
            (
                json!({"stat": "fail", "code": 99, "message": "no"}),
                "99: no",
            ),
            (json!({"retCode": 10003, "message": "no"}), "10003: no"),
            (json!({"hasError": true, "message": "no"}), "no"),
            (
                json!({"code": "ACCESS_DENIED", "msg": "no"}),
                "ACCESS_DENIED: no",
            ),
            (json!({"errcode": "48001", "errmsg": "api"}), "48001: api"),
            (json!({"error": {"code": "E1", "message": "no"}}), "E1: no"),
            (
                json!({"error": "denied", "error_description": "x"}),
                "denied: x",
            ),
        ];
        for (body, said) in refused {
            assert_eq!(said_of(&body).as_deref(), Some(said), "{body}");
        }
    }

    #[test]
    fn a_status_beside_the_data_refuses_where_there_are_none() {
        let said_of = |body: Json| {
            let refusal = aside(body.as_object().unwrap());
            refusal.map(|refusal| refusal.said().unwrap_or_default())
        };
        let meta = json!({"code": 403, "error_type": "NotAllowed", "error_message": "no"});
        assert_eq!(said_of(json!({"meta": meta})).as_deref(), Some("403: no"));
        assert_eq!(
            said_of(json!({"meta": meta, "data": null})).as_deref(),
            Some("403: no")
        );
        assert_eq!(said_of(json!({"meta": meta, "data": [1]})), None);
        assert_eq!(said_of(json!({"meta": {"code": 200}, "data": []})), None);
        assert_eq!(said_of(json!({"meta": {"total": 403}})), None);
    }

    #[test]
    fn a_resource_and_a_success_refuse_nothing() {
        for body in [
            json!({"ok": true, "error": null}),
            json!({"code": 0, "msg": "ok"}),
            json!({"code": 200, "message": "done"}),
            json!({"code": 1, "msg": "ok", "data": {"a": 1}}),
            json!({"id": "p-1", "status": "failed", "message": "card declined"}),
            json!({"status": "success", "data": {"a": 1}}),
            json!({"error": "", "data": [1]}),
            json!({"result": "page", "error": {"code": 0, "message": "success"}}),
            json!({"id": 7, "status": false, "title": "a task"}),
            json!({"failed": false, "message": "x"}),
            json!({"status": "ok"}),
            json!({"errors": []}),
            json!({"error": null}),
            json!({"code": "OK", "msg": "done"}),
            json!({"code": "FORBIDDEN", "data": {"name": "a book"}}),
            json!({}),
        ] {
            assert_eq!(said_of(&body), None, "{body}");
        }
    }
}
