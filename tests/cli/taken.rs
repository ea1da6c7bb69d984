//! Values that are taken from answers which are encoded, or are XML as others write it.

use std::io::{self, Write as _};
use std::net::TcpStream;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

use super::place::{Ended, Place};
use super::raw::{After, JSON, Raw, respond};

const SUITE: &str = "name: taken
snapshots: snapshots
service: { ready: /health, timeout_s: 5 }
refusal: { message: $.error }
";

const TARGETS: &str = "targets: { a thing: { kind: thing } }\n";

const ENDPOINT: &str =
    "request: { method: GET, path: \"/things/{{ target.id }}\" }\ntargets: [a thing]\n";

const XML: &str = "content-type: application/xml\r\n";

/// A thing whose identifier is taken in this way, with a step that waits for this.
fn place(capture: &str, until: &str) -> Place {
    let world = format!(
        "kinds:
  thing:
    symbols: {{ id: null }}
    setup:
      - request: {{ method: POST, path: /make }}
        capture: {{ id: {capture} }}
      - request: {{ method: GET, path: \"/wait/{{{{ id }}}}\" }}
        poll: {{ until: \"{{{{ {until} }}}}\", every_ms: 5, timeout_s: 2 }}
    teardown:
      - request: {{ method: DELETE, path: \"/things/{{{{ id }}}}\" }}
entities: {{}}
actors:
  caller: {{ auth: {{ bearer: caller-of-the-suite }} }}
"
    );
    Place::empty()
        .write("taken/suite.yaml", SUITE)
        .write("taken/world.yaml", &world)
        .write("taken/targets.yaml", TARGETS)
        .write("taken/endpoints/it.yaml", ENDPOINT)
}

/// Answers everything but deletions so, and gives what was asked of things.
fn run(
    place: &Place,
    answer: impl Fn(&mut TcpStream) -> io::Result<After> + Send + Sync + 'static,
) -> (Ended, Vec<String>) {
    let service = Raw::start(move |request, stream| match request.path() {
        "/health" => respond(stream, 200, "", ""),
        _ if request.line.starts_with("DELETE") => respond(stream, 200, "", ""),
        _ => answer(stream),
    });
    let ended = place.run(&["record", "taken", "--base-url", &service.url()]);
    let asked = service.asked().into_iter();
    let lines = asked.map(|request| request.line.replace(" HTTP/1.1", ""));
    (
        ended,
        lines.filter(|line| line.contains("/things/")).collect(),
    )
}

fn gzip(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut out = ZlibEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

const THING: &str = r#"{"id": "t-7f3a91c2", "state": "done"}"#;

#[test]
fn a_value_is_taken_from_a_body_that_nobody_asked_to_encode() {
    let two_members = [gzip(&THING[..9]), gzip(&THING[9..])].concat();
    let bodies = [
        ("content-encoding: gzip\r\n", gzip(THING)),
        ("Content-Encoding: X-GZip\r\n", two_members),
        ("content-encoding: gzip, deflate\r\n", zlib(&gzip(THING))),
        // The same said in two lines, in the order in which they were applied.
        (
            "content-encoding: gzip\r\ncontent-encoding: deflate\r\n",
            zlib(&gzip(THING)),
        ),
        ("content-encoding: identity\r\n", THING.as_bytes().to_vec()),
        ("content-encoding: gzip, identity\r\n", gzip(THING)),
    ];
    for (headers, body) in bodies {
        let place = place("$.id", "answer.body.state == 'done'");
        let (ended, asked) = run(&place, move |stream| {
            respond(stream, 200, &format!("{JSON}{headers}"), &body)
        });
        assert_eq!(ended.code, Some(0), "{headers}: {ended:#?}");
        let is_taken = |line: &String| line.ends_with("/things/t-7f3a91c2");
        assert!(!asked.is_empty() && asked.iter().all(is_taken), "{asked:?}");
        assert!(
            asked.iter().any(|line| line.starts_with("DELETE")),
            "{asked:?}"
        );
    }
}

/// In pieces, each of which is sent by itself.
fn chunked(stream: &mut TcpStream, headers: &str, body: &[u8]) -> io::Result<After> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\n{headers}transfer-encoding: chunked\r\n\r\n"
    )?;
    for piece in body.chunks(7) {
        write!(stream, "{:x}\r\n", piece.len())?;
        stream.write_all(piece)?;
        stream.write_all(b"\r\n")?;
    }
    stream.write_all(b"0\r\n\r\n")?;
    Ok(After::Keep)
}

#[test]
fn a_value_is_taken_from_an_encoded_body_that_comes_in_pieces() {
    let place = place("$.id", "answer.body.state == 'done'");
    let (ended, asked) = run(&place, |stream| {
        chunked(
            stream,
            &format!("{JSON}content-encoding: gzip\r\n"),
            &gzip(THING),
        )
    });
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        asked.contains(&"GET /things/t-7f3a91c2".to_owned()),
        "{asked:?}"
    );
}

#[test]
fn a_setup_whose_answer_cannot_be_decoded_says_so() {
    let broken = |bytes: &[u8]| bytes[..bytes.len() - 9].to_vec();
    let answers = [
        (
            "gzip",
            broken(&gzip(THING)),
            "answer with a broken encoding",
        ),
        (
            "gzip, deflate",
            gzip(THING),
            "answer with a broken encoding",
        ),
        (
            "gzip, deflate",
            zlib(&broken(&gzip(THING))),
            "answer with a broken encoding",
        ),
        (
            "gzip, compress",
            gzip(THING),
            "answer in an unknown encoding",
        ),
    ];
    for (encoding, body, reason) in answers {
        let place = place("$.id", "answer.body.state == 'done'");
        let (ended, asked) = run(&place, move |stream| {
            respond(
                stream,
                200,
                &format!("{JSON}content-encoding: {encoding}\r\n"),
                &body,
            )
        });
        let told = ended.error(3);
        assert!(told.contains("step 1, POST `/make`"), "{told}");
        assert!(told.contains(reason), "{told}");
        assert_eq!(asked, [""; 0]);
    }
}

/// The same as services write it, with the way to the value.
const DOCUMENTS: [(&str, &str); 6] = [
    (
        "<a:made xmlns:a=\"urn:a\" xmlns:b=\"urn:b\"><b:id>t-7f3a91c2</b:id><a:state>done</a:state></a:made>",
        "$.made.id",
    ),
    (
        "<made xmlns=\"urn:a\"><id><![CDATA[t-7f3a91c2]]></id><state><![CDATA[do]]>ne</state></made>",
        "$.made.id",
    ),
    (
        "<?xml version=\"1.0\"?><!-- <id>no</id> --><made id='t&#45;7f3a91c2'><state>done</state></made>",
        "\"$.made['@id']\"",
    ),
    (
        "<made><id n=\"1\">\n  t-7f3a91c2\n</id><state>done</state></made>",
        "\"$.made.id['#text']\"",
    ),
    (
        "<made><item><id>no</id></item><item><id>t-7f3a91c2</id></item><state>done</state></made>",
        "\"$.made.item[1].id\"",
    ),
    (
        "<made><x:state xmlns:x=\"urn:x\">done</x:state><ref href=\"/things/t-7f3a91c2?a=1&amp;b=2\"/></made>",
        "{ json: \"$.made.ref['@href']\", match: \"things/([^?]+)\" }",
    ),
];

#[test]
fn a_value_is_taken_from_xml_however_it_is_written() {
    for (document, capture) in DOCUMENTS {
        let place = place(capture, "answer.body.made.state == 'done'");
        let (ended, asked) = run(&place, move |stream| respond(stream, 200, XML, document));
        assert_eq!(ended.code, Some(0), "{document}: {ended:#?}");
        let is_taken = |line: &String| line.ends_with("/things/t-7f3a91c2");
        assert!(
            !asked.is_empty() && asked.iter().all(is_taken),
            "{document}: {asked:?}"
        );
    }
}

#[test]
fn what_xml_defines_itself_is_neither_expanded_nor_fetched() {
    let document = "<?xml version=\"1.0\"?><!DOCTYPE made [<!ENTITY e SYSTEM \"file:///etc/hostname\"><!ENTITY d \"done\">]>\
                    <made><id>t-&e;7f3a91c2</id><state>&d;</state></made>";
    let place = place("$.made.id", "answer.body.made.state == '&d;'");
    let (ended, asked) = run(&place, move |stream| respond(stream, 200, XML, document));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let is_written = |line: &String| {
        line.ends_with("/things/t-%26e%3B7f3a91c2") || line.ends_with("/things/t-&e;7f3a91c2")
    };
    assert!(
        !asked.is_empty() && asked.iter().all(is_written),
        "{asked:?}"
    );
}

#[test]
fn xml_that_is_not_well_formed_gives_no_field_but_a_match() {
    let document = "<made><id>t-7f3a91c2</id><br></made>";
    let by_path = place("$.made.id", "true");
    let (ended, _) = run(&by_path, move |stream| respond(stream, 200, XML, document));
    let told = ended.error(3);
    assert!(
        told.contains("no `id` is at `$.made.id` of its answer"),
        "{told}"
    );
    let by_match = place("{ match: \"<id>([^<]+)\" }", "'7f3a91c2' in answer.text");
    let (ended, asked) = run(&by_match, move |stream| respond(stream, 200, XML, document));
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        asked.contains(&"GET /things/t-7f3a91c2".to_owned()),
        "{asked:?}"
    );
}

#[test]
fn a_value_is_taken_from_bytes_by_what_is_written_in_them() {
    let place = place("{ match: \"id=([a-z0-9-]+)\" }", "'id=' in answer.text");
    let (ended, asked) = run(&place, |stream| {
        respond(
            stream,
            200,
            "content-type: image/png\r\n",
            b"\x89PNG\0\xff id=t-7f3a91c2\0\xfe",
        )
    });
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        asked.contains(&"GET /things/t-7f3a91c2".to_owned()),
        "{asked:?}"
    );
}
