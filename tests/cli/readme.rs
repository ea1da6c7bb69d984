//! What the README shows of checks is what they print.

use crate::page::{blocks, matches};
use crate::place::Place;

/// How the README starts the tool.
const START: &str = "cargo run --release -- check";

#[test]
fn a_check_prints_what_the_readme_shows() {
    let readme = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let blocks = blocks(&readme);
    let place = Place::with_litellm();
    let mut seen = 0;
    for pair in blocks.windows(2) {
        let [command, shown] = pair else { continue };
        let Some(arguments) = command.text.trim().strip_prefix(START) else {
            continue;
        };
        if shown.kind != "text" || arguments.contains('\n') {
            continue;
        }
        let arguments = arguments.split_whitespace();
        let arguments: Vec<&str> = arguments.map(|word| word.trim_matches('\'')).collect();
        let printed = place
            .run(&[&["check"], arguments.as_slice()].concat())
            .stdout;
        assert!(
            matches(&shown.text, &printed),
            "{arguments:?} printed\n{printed}\nand not\n{}",
            shown.text
        );
        seen += 1;
    }
    assert_eq!(seen, 2, "checks whose output the README shows");
}
