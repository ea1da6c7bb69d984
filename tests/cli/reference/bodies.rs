//! The pages of `docs/bodies`: the service answers what the page shows.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::{Shown, prove_with, shown_service};

fn prove(page: &str) {
    prove_with(page, |example| shown_service(example.answers(), plain));
}

fn plain(answer: &Shown) -> Vec<u8> {
    answer.body.clone().into_bytes()
}

/// With the line ends that the standard asks for.
fn in_parts(answer: &Shown) -> Vec<u8> {
    answer.body.replace('\n', "\r\n").into_bytes()
}

/// A page shows a byte that is no text as `\xNN`.
fn of_bytes(answer: &Shown) -> Vec<u8> {
    let mut parts = answer.body.split("\\x");
    let mut bytes = parts.next().unwrap().as_bytes().to_vec();
    for part in parts {
        let (byte, rest) = part.split_at(2);
        bytes.push(u8::from_str_radix(byte, 16).unwrap());
        bytes.extend(rest.as_bytes());
    }
    bytes
}

/// In the character set and the encodings that the headers name; a page shows the text before that.
fn encoded(answer: &Shown) -> Vec<u8> {
    let media_type = answer.header("Content-Type").unwrap_or_default();
    let bytes = if media_type.contains("utf-16le") {
        answer
            .body
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect()
    } else if media_type.contains("iso-8859-1") {
        let bytes = answer
            .body
            .chars()
            .map(|char| u8::try_from(u32::from(char)));
        bytes.collect::<Result<_, _>>().unwrap()
    } else {
        plain(answer)
    };
    let encodings = answer.header("Content-Encoding").unwrap_or_default();
    encodings
        .split(", ")
        .fold(bytes, |bytes, encoding| match encoding {
            "gzip" => {
                let mut out = GzEncoder::new(Vec::new(), Compression::fast());
                out.write_all(&bytes).unwrap();
                out.finish().unwrap()
            }
            "deflate" => {
                let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
                out.write_all(&bytes).unwrap();
                out.finish().unwrap()
            }
            _ => bytes,
        })
}

#[test]
fn the_examples_about_json_are_true() {
    prove("bodies/json.md");
}

#[test]
fn the_examples_about_xml_are_true() {
    prove("bodies/xml.md");
}

#[test]
fn the_examples_about_pages_are_true() {
    prove("bodies/html.md");
}

#[test]
fn the_examples_about_tables_are_true() {
    prove("bodies/csv.md");
}

#[test]
fn the_examples_about_forms_are_true() {
    prove("bodies/forms.md");
}

#[test]
fn the_examples_about_lines_and_events_are_true() {
    prove("bodies/lines-and-events.md");
}

#[test]
fn the_examples_about_parts_are_true() {
    prove_with("bodies/multipart.md", |example| {
        shown_service(example.answers(), in_parts)
    });
}

#[test]
fn the_examples_about_texts_are_true() {
    prove("bodies/text.md");
}

#[test]
fn the_examples_about_bytes_are_true() {
    prove_with("bodies/binary.md", |example| {
        shown_service(example.answers(), of_bytes)
    });
}

#[test]
fn the_examples_about_encodings_are_true() {
    prove_with("bodies/encodings.md", |example| {
        shown_service(example.answers(), encoded)
    });
}
