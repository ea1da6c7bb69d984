//! No input makes the reader panic, hang or lose data.

use std::fmt::Write as _;
use std::path::Path;

use authz_pin_record::yaml::{from_str, to_string};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use super::{Document, parse, parsed, refusal, types::Endpoint};

const ROUNDS: usize = 5_000;

/// Pieces that mean something to YAML, so that random texts get past the first character.
const PIECES: &[&str] = &[
    "a",
    "b",
    "é",
    "日",
    " ",
    "  ",
    "\n",
    "\r\n",
    "\r",
    "\t",
    ": ",
    ":",
    "- ",
    "-",
    "? ",
    "?",
    "[",
    "]",
    "{",
    "}",
    ",",
    "&x ",
    "*x",
    "!!str ",
    "!",
    "<<: ",
    "|",
    ">",
    "|2-",
    "'",
    "\"",
    "\\",
    "#",
    " #",
    "%",
    "%YAML 1.2\n",
    "---\n",
    "...\n",
    "0x1f",
    "1e9",
    ".nan",
    "~",
    "null",
    "\0",
    "\u{feff}",
    "\u{85}",
    "\u{2028}",
    "@",
    "`",
    "method",
    "GET",
];

fn read_and_render(text: &str) {
    let document = Document::parse(Path::new("fuzz.yaml"), text.to_owned());
    let endpoint = document.and_then(|document| document.decode::<Endpoint>());
    if let Err(errors) = endpoint {
        assert!(!errors.to_string().is_empty());
    }
}

#[test]
fn texts_made_of_yaml_pieces_never_panic() {
    let mut random = StdRng::seed_from_u64(7);
    for _ in 0..ROUNDS {
        let length = random.random_range(0..40);
        let pieces = (0..length).map(|_| PIECES[random.random_range(0..PIECES.len())]);
        read_and_render(&pieces.collect::<String>());
    }
}

#[test]
fn arbitrary_bytes_never_panic() {
    let mut random = StdRng::seed_from_u64(8);
    for _ in 0..ROUNDS {
        let length = random.random_range(0..60);
        let bytes: Vec<u8> = (0..length).map(|_| random.random()).collect();
        read_and_render(&String::from_utf8_lossy(&bytes));
    }
}

fn arbitrary(random: &mut StdRng, depth: usize) -> Value {
    const TEXTS: &[&str] = &[
        "",
        "yes",
        "null",
        "1.10",
        " a ",
        "a: b",
        "- x",
        "#",
        "é\n\nb\n",
        "\t",
        "0x1f",
        "'\"",
        "~",
    ];
    let text = |random: &mut StdRng| TEXTS[random.random_range(0..TEXTS.len())].to_owned();
    match random.random_range(0..if depth == 0 { 5 } else { 7 }) {
        0 => Value::Null,
        1 => json!(random.random::<bool>()),
        2 => json!(random.random::<i64>()),
        3 => json!(f64::from(random.random::<i32>()) / 8.0),
        4 => json!(text(random)),
        5 => (0..random.random_range(0..4))
            .map(|_| arbitrary(random, depth - 1))
            .collect(),
        _ => {
            let entries = (0..random.random_range(0..4))
                .map(|_| (text(random), arbitrary(random, depth - 1)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

#[test]
fn what_the_tool_writes_reads_back_the_same_both_ways() {
    let mut random = StdRng::seed_from_u64(9);
    for _ in 0..ROUNDS {
        let value = arbitrary(&mut random, 3);
        let text = to_string(&value).unwrap();
        assert_eq!(from_str::<Value>(&text).unwrap(), value, "{text}");
        assert_eq!(parsed(&text).value(), &value, "{text}");
    }
}

#[test]
fn a_hundred_thousand_open_brackets_are_an_error() {
    insta::assert_snapshot!(refusal(&"[".repeat(100_000)), @r"
    error: lists and maps nest more than 64 deep here
      --> suite/a.yaml:1:256
      |
    1 | …[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[
      |                                                              ^

    1 error
    ");
}

#[test]
fn a_hundred_thousand_of_any_opening_is_an_error() {
    for opening in ["[", "{a: ", "- ", "? ", "a: ["] {
        assert!(refusal(&opening.repeat(100_000)).contains("nest more than"));
    }
}

#[test]
fn lists_nest_64_deep_and_no_deeper() {
    let nested = |depth| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(parse(&nested(64)).is_ok());
    assert!(parse(&nested(65)).is_err());
}

#[test]
fn aliases_that_multiply_are_an_error() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(text, "a{level}: &a{level} [{aliases}]").unwrap();
    }
    insta::assert_snapshot!(refusal(&text), @r"
    error: the aliases of this file stand for more than 100000 values
      --> suite/a.yaml:5:45
      |
    5 | a4: &a4 [*a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3, *a3]
      |                                             ^^^

    1 error
    ");
}

#[test]
fn aliases_that_nest_too_deep_are_an_error() {
    let mut text = "a0: &a0 [x]\n".to_owned();
    for level in 1..70 {
        writeln!(text, "a{level}: &a{level} [*a{}]", level - 1).unwrap();
    }
    insta::assert_snapshot!(refusal(&text), @r"
    error: lists and maps nest more than 64 deep here
       --> suite/a.yaml:63:12
       |
    63 | a62: &a62 [*a61]
       |            ^^^^

    1 error
    ");
}

#[test]
fn a_file_that_is_something_else_is_given_up_after_a_hundred_mistakes() {
    let lines: Vec<_> = (0..50_000).map(|line| format!("{line}: x")).collect();
    assert!(refusal(&lines.join("\n")).ends_with("100 errors"));
}
