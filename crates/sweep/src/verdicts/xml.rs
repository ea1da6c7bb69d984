//! Refusals in XML: the parts of a multi-status answer (RFC 4918, section 14.16), and envelopes that refuse.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::{Map, Value as Json};

use super::Refusal;
use super::batch::{Part, status};
use super::envelope::refuses;

/// What an envelope says that refuses: by a state of its root (`status="failed"`), or by a fault of SOAP or XML-RPC.
pub(super) fn refusal(text: &str) -> Option<Refusal> {
    if !text.trim_start().starts_with('<') {
        return None;
    }
    let mut reader = Reader::from_str(text);
    let (mut is_refused, mut is_root, mut is_message) = (false, true, false);
    let mut refusal = Refusal::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                let element = name(start.local_name().as_ref());
                let state = ["status", "stat", "state"]
                    .iter()
                    .find_map(|key| attribute(&start, key));
                is_refused |= is_root && element == "error";
                is_refused |=
                    is_root && state.is_some_and(|state| refuses(&state)) || element == "fault";
                is_root = false;
                is_message =
                    ["faultstring", "reason", "string", "message"].contains(&element.as_str());
                if is_refused && element == "error" {
                    refusal.kind = attribute(&start, "code");
                    refusal.message = attribute(&start, "message").or(attribute(&start, "msg"));
                }
            }
            Event::Text(text) if is_refused && is_message && refusal.message.is_none() => {
                refusal.message =
                    Some(text.decode().ok()?.trim().to_owned()).filter(|text| !text.is_empty());
            }
            Event::Eof => return is_refused.then_some(refusal),
            _ => {}
        }
    }
}

fn attribute(start: &BytesStart<'_>, wanted: &str) -> Option<String> {
    let mut attributes = start.attributes().flatten();
    let found = attributes.find(|one| name(one.key.local_name().as_ref()) == wanted)?;
    Some(String::from_utf8_lossy(&found.value).into_owned())
}

/// The parts: what each `response` is about, and its worst status. None where it is no such answer.
pub(super) fn parts(text: &str) -> Option<Vec<Part>> {
    let mut reader = Reader::from_str(text);
    let mut parts = Vec::new();
    let mut element = String::new();
    // What properties say is no refusal.
    let mut is_property = false;
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                element = name(start.local_name().as_ref());
                is_property |= element == "prop";
                if element == "response" {
                    parts.push(nothing());
                }
            }
            Event::End(end) => {
                is_property &= name(end.local_name().as_ref()) != "prop";
                element.clear();
            }
            Event::Text(text) if !is_property => {
                let text = text.decode().ok()?;
                if let Some(part) = parts.last_mut() {
                    enter(part, &element, text.trim());
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let is_told = |part: &Part| part.status > 0;
    (!parts.is_empty() && parts.iter().all(is_told)).then_some(parts)
}

fn name(local: &[u8]) -> String {
    String::from_utf8_lossy(local).to_ascii_lowercase()
}

fn nothing() -> Part {
    Part {
        name: None,
        href: None,
        status: 0,
        said: Refusal::default(),
        whole: Json::Object(Map::new()),
    }
}

fn enter(part: &mut Part, element: &str, text: &str) {
    match element {
        "href" if part.name.is_none() => {
            part.name = Some(text.to_owned());
            part.href = Some(text.to_owned());
        }
        "status" => part.status = status(&Json::from(text)).unwrap_or(0).max(part.status),
        "responsedescription" => part.said.message = Some(text.to_owned()),
        "" | "href" => {}
        other if !text.is_empty() => tell(part, other, text),
        _ => {}
    }
}

/// Adds what an element says to all that the part does.
fn tell(part: &mut Part, element: &str, text: &str) {
    if let Some(whole) = part.whole.as_object_mut() {
        let all = whole
            .entry(element)
            .or_insert_with(|| Json::Array(Vec::new()));
        all.as_array_mut()
            .into_iter()
            .for_each(|all| all.push(text.into()));
    }
}
