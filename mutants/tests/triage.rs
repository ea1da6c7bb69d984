//! The triage names mutants that exist.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that cannot go on fails the test"
)]

use std::process::Command;

use authz_pin_mutants::triage::{names, read, root};

#[test]
fn every_triaged_mutant_changes_a_line_that_is_still_there() {
    for triaged in read().unwrap() {
        let file = root().join(triaged.file());
        let source = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}: {}", file.display(), triaged.mutant));
        assert!(
            source.lines().any(|line| line.trim() == triaged.line),
            "no line of {} is `{}` any more: {}",
            file.display(),
            triaged.line,
            triaged.mutant
        );
        assert!(!triaged.because.trim().is_empty(), "{}", triaged.mutant);
    }
}

/// `cargo mutants` is not everywhere; where `CARGO_MUTANTS` is `required`, a machine without it fails.
#[test]
fn every_triaged_mutant_is_still_one() {
    let Some(listed) = listed() else {
        assert_ne!(std::env::var("CARGO_MUTANTS").as_deref(), Ok("required"));
        return;
    };
    let names = names(&listed);
    for triaged in read().unwrap() {
        assert!(
            names.contains(&triaged.mutant),
            "`cargo mutants --list` has no `{}` any more",
            triaged.mutant
        );
    }
}

/// What `cargo mutants --list` prints, where it is installed.
fn listed() -> Option<String> {
    let output = Command::new("cargo")
        .args(["mutants", "--workspace", "--list"])
        .current_dir(root())
        .output()
        .unwrap();
    output
        .status
        .success()
        .then(|| String::from_utf8(output.stdout).unwrap())
}
