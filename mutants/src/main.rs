//! Runs `cargo mutants` on the reference gateway and holds what survives against the triage.
//!
//! `cargo run -p authz-pin-mutants -- [ARGUMENTS OF cargo mutants]`, such as `--shard 1/8`.

#![expect(clippy::print_stdout, reason = "what it prints is its result")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};

use authz_pin_mutants::triage;

/// `cargo mutants` ends with these when it came to its end: all caught, some missed, some timed out.
const CAME_TO_ITS_END: [i32; 3] = [0, 2, 3];

/// How long one sweep may take, in seconds: many times what it takes, for a mutant that waits for ever.
const TIMEOUT: &str = "90";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let results = run(&arguments)?;
    let unreviewed = unreviewed(&results)?;
    println!("{}", counts(&results)?);
    for mutant in &unreviewed {
        println!("neither caught nor in mutants/triage.yaml: {mutant}");
    }
    Ok(ExitCode::from(u8::from(!unreviewed.is_empty())))
}

/// Runs it, and says where its results are. That the gateway itself is as pinned is tried before, since `cargo mutants`
/// would try the tests of the package that it changes.
fn run(arguments: &[String]) -> Result<PathBuf, Box<dyn Error>> {
    let original = [
        "test",
        "--profile",
        "mutants",
        "-p",
        env!("CARGO_PKG_NAME"),
        "--test",
        "pinned",
    ];
    if !cargo(&original)?.success() {
        return Err("the gateway without any change is not as pinned".into());
    }
    let mutants = [
        "mutants",
        "--workspace",
        "--baseline",
        "skip",
        "--timeout",
        TIMEOUT,
    ];
    let given = arguments.iter().map(String::as_str);
    let status = cargo(&mutants.into_iter().chain(given).collect::<Vec<_>>())?;
    match status.code() {
        Some(code) if CAME_TO_ITS_END.contains(&code) => Ok(triage::root().join("mutants.out")),
        _ => Err(format!(
            "`cargo mutants` did not come to its end ({status}); `cargo install --locked cargo-mutants` installs it"
        )
        .into()),
    }
}

fn cargo(arguments: &[&str]) -> std::io::Result<ExitStatus> {
    Command::new("cargo")
        .args(arguments)
        .current_dir(triage::root())
        .status()
}

/// The mutants that survived and that nobody has explained. An entry of the triage explains one, on one line.
fn unreviewed(results: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut explained = triage::read()?;
    let mut unreviewed = Vec::new();
    for listed in list(results, "missed")?.lines() {
        let line = triage::line(listed)?;
        let entry = explained
            .iter()
            .position(|triaged| triaged.mutant == triage::name(listed) && triaged.line == line);
        match entry {
            Some(entry) => drop(explained.swap_remove(entry)),
            None => unreviewed.push(listed.to_owned()),
        }
    }
    Ok(unreviewed)
}

fn list(results: &Path, outcome: &str) -> Result<String, Box<dyn Error>> {
    let path = results.join(format!("{outcome}.txt"));
    std::fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()).into())
}

fn counts(results: &Path) -> Result<String, Box<dyn Error>> {
    let outcomes = ["caught", "missed", "unviable", "timeout"];
    let counts: Result<Vec<String>, Box<dyn Error>> = outcomes
        .into_iter()
        .map(|outcome| {
            Ok(format!(
                "{} {outcome}",
                list(results, outcome)?.lines().count()
            ))
        })
        .collect();
    Ok(counts?.join(", "))
}
