//! Where a success leads a client that follows more than `Location`: by a header, by a page, by its JSON.

use std::sync::LazyLock;

use authz_pin_record::record::LEADING;
use regex::Regex;
use serde_json::{Map, Value as Json};

use crate::http::{Answer, Body};

/// A page or a script that is longer does more than lead elsewhere.
const SHORT: usize = 600;

/// Where JSON has the place, in small letters and without marks.
const KEYS: [&str; 5] = [
    "redirect",
    "redirectto",
    "redirecturl",
    "redirecturi",
    "location",
];

/// What else such JSON has.
const BESIDE: [&str; 6] = ["status", "code", "message", "msg", "error", "type"];

/// A place that clients go to, and by which header; none where the body says so.
pub(crate) struct Leads {
    pub(crate) header: Option<&'static str>,
    pub(crate) place: String,
}

/// The element of a page that stands for the header `Refresh`, and its attribute.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static REFRESH: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?is)<meta\b[^>]*\bhttp-equiv\s*=\s*["']?refresh\b[^>]*>"#).unwrap()
});
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static CONTENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?is)\bcontent\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))"#).unwrap()
});

/// A script that goes elsewhere.
#[expect(clippy::unwrap_used, reason = "the pattern is a constant")]
static SCRIPT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?is)\blocation(?:\.href)?\s*=\s*["']([^"']+)["']|\blocation\.(?:replace|assign)\(\s*["']([^"']+)["']"#,
    )
    .unwrap()
});

/// All places that an answer leads to, where it is no redirect by its status.
pub(crate) fn places(answer: &Answer) -> Vec<Leads> {
    let headers = LEADING.into_iter().flat_map(|name| {
        let values = answer
            .headers
            .iter()
            .filter(move |(other, _)| *other == name);
        values.filter_map(move |(_, value)| {
            let value = String::from_utf8_lossy(value.as_bytes());
            let (header, place) = (Some(name), place_of(name, &value)?);
            Some(Leads { header, place })
        })
    });
    headers.chain(of_body(&answer.body)).collect()
}

/// The place that the value of such a header has.
pub(crate) fn place_of(name: &str, value: &str) -> Option<String> {
    let place = match name {
        "refresh" => refresh(value)?,
        // Where, and what of the page becomes another one.
        "hx-location" if value.starts_with('{') => {
            let json: Json = serde_json::from_str(value).ok()?;
            json.get("path")?.as_str()?.to_owned()
        }
        _ => value.trim().to_owned(),
    };
    (!place.is_empty()).then_some(place)
}

/// `5; url=/login`.
fn refresh(value: &str) -> Option<String> {
    let (_, url) = value.split_once([';', ','])?;
    let (name, url) = url.split_once('=')?;
    let is_url = name.trim().eq_ignore_ascii_case("url");
    is_url.then(|| url.trim().trim_matches(['"', '\'']).to_owned())
}

fn of_body(body: &Body) -> Vec<Leads> {
    match body {
        Body::Json(Json::Object(object)) => of_json(object).into_iter().collect(),
        body => {
            let page = body
                .own_text()
                .filter(|text| text.trim_start().starts_with('<'));
            page.map(of_page).unwrap_or_default()
        }
    }
}

fn of_page(page: &str) -> Vec<Leads> {
    let refresh = REFRESH.find(page).and_then(|meta| {
        let found = CONTENT.captures(meta.as_str())?;
        let content = (1..4).find_map(|at| found.get(at))?;
        let (header, place) = (Some("refresh"), refresh(&unescaped(content.as_str()))?);
        Some(Leads { header, place })
    });
    let script = || {
        let found = SCRIPT.captures(page).filter(|_| page.len() <= SHORT)?;
        let place = found.get(1).or(found.get(2))?.as_str().to_owned();
        let header = None;
        Some(Leads { header, place })
    };
    refresh.or_else(script).into_iter().collect()
}

fn unescaped(attribute: &str) -> String {
    attribute
        .replace("&amp;", "&")
        .replace("&quot;", "\"")
        .replace("&#x27;", "'")
        .replace("&#39;", "'")
}

/// Of JSON that says nothing else.
fn of_json(object: &Map<String, Json>) -> Option<Leads> {
    let plain = |key: &str| key.replace(['_', '-'], "").to_ascii_lowercase();
    let is_place = |key: &str| KEYS.contains(&plain(key).as_str());
    let is_alone = object
        .keys()
        .all(|key| is_place(key) || BESIDE.contains(&key.as_str()));
    let (_, place) = object
        .iter()
        .find(|(key, _)| is_place(key))
        .filter(|_| is_alone)?;
    let place = place
        .as_str()
        .filter(|place| is_reference(place))?
        .to_owned();
    let header = None;
    Some(Leads { header, place })
}

/// Whether a text is a place, and no word.
fn is_reference(text: &str) -> bool {
    text.starts_with(['/', '.', '#', '?']) || text.contains("://")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn of_text(text: &str) -> Vec<String> {
        let all = of_body(&Body::Text(text.to_owned())).into_iter();
        all.map(|leads| leads.place).collect()
    }

    #[test]
    fn a_page_leads_elsewhere_by_an_element_or_by_a_script_alone() {
        let pages = [
            r#"<html><head><meta http-equiv="refresh" content="0; url=/in?a=1&amp;b=2"></head></html>"#,
            "<META CONTENT='0;URL=\"/in?a=1&b=2\"' HTTP-EQUIV=Refresh>",
            "<script>window.location.href = '/in?a=1&b=2';</script>",
            "<script>top.location.replace(\"/in?a=1&b=2\")</script>",
        ];
        for page in pages {
            assert_eq!(of_text(page), ["/in?a=1&b=2"], "{page}");
        }
        let app = format!(
            "<main></main><script>{} location='/in'</script>",
            "go();".repeat(200)
        );
        for page in [
            &*app,
            "<meta http-equiv=refresh content=30>",
            "<a href=/in>in</a>",
            "location='/in'",
        ] {
            assert_eq!(of_text(page), [""; 0], "{page}");
        }
    }

    #[test]
    fn json_leads_elsewhere_where_it_says_nothing_else() {
        let place = |body: Json| of_json(body.as_object().unwrap()).map(|leads| leads.place);
        assert_eq!(
            place(json!({"redirect_to": "/in", "status": 1})).as_deref(),
            Some("/in")
        );
        assert_eq!(place(json!({"location": "Rome", "temperature": 7})), None);
        assert_eq!(place(json!({"redirect": true})), None);
        assert_eq!(place(json!({"location": "Rome"})), None);
    }

    #[test]
    fn a_header_has_its_place_in_its_own_form() {
        let forms = [
            ("refresh", "0;url=/in"),
            ("refresh", "0, URL='/in'"),
            ("hx-location", r##"{"path":"/in","target":"#all"}"##),
            ("hx-redirect", " /in"),
        ];
        for (name, value) in forms {
            assert_eq!(place_of(name, value).as_deref(), Some("/in"), "{value}");
        }
        assert_eq!(place_of("refresh", "30"), None);
    }
}
