//! Inputs that are nearly right, and a watch for what should end soon.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, RngSeed};

/// So few that all properties together take some seconds without optimisation; fuzzing has the time for more.
pub(crate) fn cases(cases: u32) -> Config {
    let given = Config::default();
    Config {
        cases,
        failure_persistence: None,
        // The same cases in every run, so that a build does not fail by chance; `PROPTEST_RNG_SEED` looks elsewhere.
        rng_seed: match given.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            fixed @ RngSeed::Fixed(_) => fixed,
        },
        ..given
    }
}

pub(crate) fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn read(file: &str) -> String {
    fs::read_to_string(project().join(file)).unwrap()
}

/// Pieces that mean something to one of the readers.
const PIECES: [&str; 30] = [
    "\n",
    " ",
    "  ",
    ": ",
    "- ",
    "? ",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "&a ",
    "*a",
    "!!str ",
    "<<: ",
    "---\n",
    "|",
    "#",
    "%",
    "{{ ",
    " }}",
    "{% for a in b %}",
    "null",
    "1e999",
    "\u{85}",
    "\u{feff}",
    "\0",
    "$ref",
    "/",
];

/// One of the texts with some changes: a piece put in or a part left out, repeated or moved.
pub(crate) fn mutated(texts: Vec<String>) -> impl Strategy<Value = String> {
    let change = (any::<Index>(), any::<Index>(), 0..4_u8, select(&PIECES[..]));
    (select(texts), vec(change, 1..5)).prop_map(|(text, changes)| {
        let change =
            |text: String, (one, other, kind, piece)| changed(&text, one, other, kind, piece);
        changes.into_iter().fold(text, change)
    })
}

fn changed(text: &str, one: Index, other: Index, kind: u8, piece: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let at = one.index(characters.len() + 1);
    // Mostly something small.
    let length = other.index(40).min(characters.len() - at);
    let (before, rest) = characters.split_at(at);
    let (part, after) = rest.split_at(length);
    let [before, part, after] = [before, part, after].map(|part| part.iter().collect::<String>());
    match kind {
        0 => format!("{before}{piece}{part}{after}"),
        1 => format!("{before}{after}"),
        2 => format!("{before}{part}{part}{after}"),
        _ => format!("{part}{before}{after}"),
    }
}

/// Any text, and often one that is special to YAML.
pub(crate) fn text() -> impl Strategy<Value = String> {
    let special = [
        "",
        "no",
        "~",
        "null",
        "12",
        "1.0",
        "- a",
        "a: b",
        "a #b",
        "<x>",
        "'",
        "\"",
        " a",
        "a ",
        "---",
        "a\n---\nb",
        "...",
        "?",
        "\r\n",
        "\u{85}",
        "\u{2028}",
        "\u{feff}",
        "\t",
        "{}",
        "[a",
        "not observed",
        "=",
        "y",
        "0x1f",
        "<<",
        "2020-01-01",
    ];
    prop_oneof![
        3 => proptest::string::string_regex("(?s).{0,24}").unwrap(),
        2 => select(special.to_vec()).prop_map(str::to_owned),
        1 => proptest::string::string_regex("[a-z][a-z ']{0,80}").unwrap(),
    ]
}

/// Any bytes, which are often text.
pub(crate) fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        vec(any::<u8>(), 0..200),
        vec(select(&PIECES[..]), 0..60).prop_map(|pieces| pieces.concat().into_bytes()),
    ]
}

/// Lists of aliases of lists of aliases: few bytes that stand for very much.
pub(crate) fn bomb(indent: &str, levels: usize) -> String {
    let mut bomb = format!("{indent}a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..levels {
        let aliases = [format!("*a{}", level - 1).as_str(); 9].join(", ");
        let _ = writeln!(bomb, "{indent}a{level}: &a{level} [{aliases}]");
    }
    bomb
}

/// Fails where the work is not done soon.
pub(crate) fn soon<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || sender.send(work()));
    let done = receiver.recv_timeout(Duration::from_secs(30));
    done.unwrap()
}
