//! A body in parts (RFC 2046, section 5.1): what each says of itself, and its own body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value as Json};

use super::media::MediaType;

/// How many parts are read.
const MOST: usize = 10_000;

/// The parts by their names, or by their numbers where they have none or one that was there; none where the body is not what
/// its media type says. They are no list: what stands in an item that names nobody would not be compared.
pub(super) fn by_name(
    media_type: MediaType<'_>,
    bytes: &[u8],
    read: &dyn Fn(MediaType<'_>, &[u8]) -> Json,
) -> Option<Json> {
    let boundary = media_type
        .parameter("boundary")
        .filter(|it| !it.is_empty())?;
    let parts = split(bytes, &format!("--{boundary}"))?;
    let mut all = Map::new();
    for (number, part) in (1..).zip(parts) {
        let (name, part) = object(part, read);
        let name = name.filter(|name| !all.contains_key(name));
        all.insert(name.unwrap_or_else(|| format!("part {number}")), part);
    }
    Some(Json::Object(all))
}

/// What stands between the delimiters, each of which begins a line; none without the last one.
fn split<'b>(bytes: &'b [u8], delimiter: &str) -> Option<Vec<&'b [u8]>> {
    let (mut parts, mut from, mut at) = (Vec::new(), None, 0);
    loop {
        let found = find(bytes.get(at..)?, delimiter.as_bytes())? + at;
        let behind = bytes.get(found + delimiter.len()..)?;
        at = found + delimiter.len();
        if found > 0 && bytes.get(found - 1) != Some(&b'\n') {
            continue;
        }
        if let Some(from) = from {
            parts.push(without_end(bytes.get(from..found)?));
        }
        if behind.starts_with(b"--") {
            return Some(parts);
        }
        if parts.len() > MOST {
            return None;
        }
        from = Some(at + find(behind, b"\n")? + 1);
    }
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|it| it == wanted)
}

/// The end of the line before a delimiter belongs to that.
fn without_end(bytes: &[u8]) -> &[u8] {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.strip_suffix(b"\r").unwrap_or(bytes)
}

/// A part with its name.
fn object(part: &[u8], read: &dyn Fn(MediaType<'_>, &[u8]) -> Json) -> (Option<String>, Json) {
    let (head, body) = head(part);
    let text = String::from_utf8_lossy(head);
    let value = |wanted: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let found = lines.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted));
        found.map_or("", |(_, value)| value.trim())
    };
    let disposition = MediaType(value("content-disposition"));
    let media_type = MediaType(value("content-type"));
    let told = [
        ("file", disposition.parameter("filename")),
        ("type", Some(media_type.own()).filter(|it| !it.is_empty())),
    ];
    let told = told
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
    let mut members: Map<String, Json> = told.collect();
    let is_base64 = value("content-transfer-encoding").eq_ignore_ascii_case("base64");
    let decoded = is_base64.then(|| base64(body)).flatten();
    let body = read(media_type, decoded.as_deref().unwrap_or(body));
    members.insert("body".to_owned(), body);
    let name = disposition.parameter("name").map(str::to_owned);
    (name, Json::Object(members))
}

/// The headers of a part, and what follows the empty line after them.
fn head(part: &[u8]) -> (&[u8], &[u8]) {
    for empty in [&b"\r\n"[..], b"\n"] {
        if let Some(body) = part.strip_prefix(empty) {
            return (b"", body);
        }
    }
    let ends = [&b"\r\n\r\n"[..], b"\n\n"];
    let found = ends
        .iter()
        .filter_map(|end| Some((find(part, end)?, end.len())));
    match found.min() {
        Some((at, length)) => {
            let head = part.get(..at).unwrap_or_default();
            (head, part.get(at + length..).unwrap_or_default())
        }
        None => (part, b""),
    }
}

fn base64(body: &[u8]) -> Option<Vec<u8>> {
    let bytes = body.iter().filter(|byte| !byte.is_ascii_whitespace());
    STANDARD.decode(bytes.copied().collect::<Vec<u8>>()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(body: &str) -> Option<Json> {
        let text = |_: MediaType<'_>, bytes: &[u8]| String::from_utf8_lossy(bytes).into();
        by_name(
            MediaType("multipart/form-data; boundary=\"x\""),
            body.as_bytes(),
            &text,
        )
    }

    #[test]
    fn a_part_has_what_its_headers_say_and_its_body() {
        let body = "preamble\r\n--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\none --x\r\ntwo\r\n--x\r\n\
                    content-type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\
                    content-disposition: attachment; filename=\"f.txt\"\r\n\r\naGVs\r\nbG8=\r\n--x\r\n\r\nbare\r\n--x--\r\nend";
        let all = json!({
            "a": {"body": "one --x\r\ntwo"},
            "part 2": {"file": "f.txt", "type": "text/plain", "body": "hello"},
            "part 3": {"body": "bare"},
        });
        assert_eq!(read(body), Some(all));
    }

    #[test]
    fn without_its_last_delimiter_a_body_has_no_parts() {
        assert_eq!(read("--x\r\n\r\nhello\r\n"), None);
        assert_eq!(read("hello"), None);
        assert_eq!(read("--x--"), Some(json!({})));
    }
}
