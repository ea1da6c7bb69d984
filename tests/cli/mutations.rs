//! Broken input of any kind is refused, and never a panic.

use std::fs::read_to_string;

use super::place::{Place, project};

/// The files of the fixture that uses every part of the format.
const FILES: [&str; 6] = [
    "notes/suite.yaml",
    "notes/world.yaml",
    "notes/targets.yaml",
    "notes/endpoints/note-delete.yaml",
    "notes/endpoints/note-list.yaml",
    "notes/endpoints/note-share.yaml",
];

/// Every so-and-so-manieth line is broken: all of them would take minutes, and neighbours break in the same way.
const STEP: usize = 5;

#[test]
fn a_suite_that_lacks_any_line_is_read_or_refused() {
    broken(|lines, at| drop(lines.remove(at)));
}

#[test]
fn a_suite_that_has_any_line_twice_is_read_or_refused() {
    broken(|lines, at| lines.insert(at, lines[at].clone()));
}

#[test]
fn a_suite_with_a_value_of_another_type_in_any_line_is_read_or_refused() {
    let types = [
        "[]",
        "{}",
        "null",
        "3.5",
        "true",
        "\"{{ \"",
        "-9223372036854775809",
    ];
    broken(|lines, at| {
        let key = lines[at].split_once(':').map(|(key, _)| key.to_owned());
        if let Some(key) = key {
            lines[at] = format!("{key}: {}", types[at % types.len()]);
        }
    });
}

#[test]
fn a_suite_that_ends_in_the_middle_of_any_line_is_read_or_refused() {
    broken(|lines, at| {
        let half = lines[at].chars().count() / 2;
        lines[at] = lines[at].chars().take(half).collect();
        lines.truncate(at + 1);
    });
}

#[test]
fn a_suite_with_any_line_indented_differently_is_read_or_refused() {
    broken(|lines, at| lines[at].insert_str(0, if at % 2 == 0 { "  " } else { "\t" }));
}

fn broken(break_line: impl Fn(&mut Vec<String>, usize)) {
    let mut refused = 0;
    for file in FILES {
        let text = read_to_string(project().join("tests/fixtures").join(file)).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for at in (0..lines.len()).step_by(STEP) {
            let mut lines = lines.clone();
            break_line(&mut lines, at);
            refused += usize::from(!is_read(file, &lines.join("\n")));
        }
    }
    assert!(refused > 0, "nothing was broken");
}

/// Whether a suite with this file is read; if it is not, it is refused in the proper way.
fn is_read(file: &str, text: &str) -> bool {
    let ended = Place::with("notes")
        .write(file, text)
        .run(&["list", "notes"]);
    let said = &ended.stderr;
    assert!(
        !said.contains("panicked") && !said.contains("a bug in"),
        "{text}\n{said}"
    );
    match ended.code {
        Some(0) => true,
        // 4 where no cell is left.
        Some(2 | 4) => {
            assert!(said.starts_with("error: "), "{text}\n{said}");
            false
        }
        code => panic!("{code:?}\n{text}\n{said}"),
    }
}
