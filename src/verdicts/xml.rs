//! The parts of a multi-status answer in XML (RFC 4918, section 14.16).

use quick_xml::Reader;
use quick_xml::events::Event;
use serde_json::Value as Json;

use super::Refusal;
use super::batch::{Part, status};

/// The parts: what each `response` is about, and its worst status. None where it is no such answer.
pub(super) fn parts(text: &str) -> Option<Vec<Part>> {
    let mut reader = Reader::from_str(text);
    let mut parts = Vec::new();
    let mut element = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                element = name(start.local_name().as_ref());
                if element == "response" {
                    parts.push(nothing());
                }
            }
            Event::End(_) => element.clear(),
            Event::Text(text) => {
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
        status: 0,
        said: Refusal::default(),
    }
}

fn enter(part: &mut Part, element: &str, text: &str) {
    match element {
        "href" if part.name.is_none() => part.name = Some(text.to_owned()),
        "status" => part.status = status(&Json::from(text)).unwrap_or(0).max(part.status),
        "responsedescription" => part.said.message = Some(text.to_owned()),
        _ => {}
    }
}
