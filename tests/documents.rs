//! The documents say what is so.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail like the tests")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn every_path_that_a_document_names_exists() {
    for document in documents() {
        let text = read(&document);
        let gone = in_backticks(&text).filter(|word| is_path(word) && !root().join(word).exists());
        assert_eq!(gone.collect::<Vec<_>>(), [""; 0], "named in {document}");
    }
}

/// The page of promises names the tests that prove them.
#[test]
fn every_test_that_the_page_of_promises_names_is_there() {
    let page = read("docs/safety.md");
    let gone = in_backticks(&page).filter(|word| {
        let Some((module, test)) = word.rsplit_once("::") else {
            return false;
        };
        let target = module.split("::").next().unwrap();
        let is_of_target = |file: &String| {
            file.starts_with(&format!("tests/{target}"))
                || file.starts_with(&format!("crates/database/tests/{target}/"))
        };
        let mut sources = files("").into_iter().filter(is_of_target).peekable();
        // Those of a list stand in lines of their own.
        let is_there = |text: &str| {
            let named = format!("fn {test}(");
            text.contains(&named) || text.lines().any(|line| line.trim() == test)
        };
        sources.peek().is_some() && test != "*" && !sources.any(|file| is_there(&read(&file)))
    });
    assert_eq!(gone.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn every_link_between_documents_leads_somewhere() {
    for document in documents() {
        let text = read(&document);
        let folder = root().join(&document).parent().unwrap().to_owned();
        let targets = links(&text).filter_map(|link| link.split('#').next());
        let gone =
            targets.filter(|target| !target.contains("://") && !folder.join(target).exists());
        assert_eq!(gone.collect::<Vec<_>>(), [""; 0], "linked in {document}");
    }
}

/// A link into a page leads to one of its headings.
#[test]
fn every_anchor_that_a_document_links_to_is_a_heading() {
    for document in documents() {
        let text = read(&document);
        let folder = root().join(&document).parent().unwrap().to_owned();
        let is_gone = |link: &&str| {
            let Some((target, anchor)) = link.split_once('#') else {
                return false;
            };
            let page = match target {
                "" => text.clone(),
                _ if target.contains("://") || !is_page(target) => return false,
                _ => fs::read_to_string(folder.join(target)).unwrap(),
            };
            !anchors(&page).contains(anchor)
        };
        let gone = links(&text).filter(is_gone);
        assert_eq!(gone.collect::<Vec<_>>(), [""; 0], "linked in {document}");
    }
}

#[test]
fn the_book_has_every_page_by_its_title() {
    let summary = read("docs/SUMMARY.md");
    let entries = summary
        .lines()
        .map(|line| line.trim_start_matches(['-', ' ']));
    let listed: BTreeSet<String> = entries
        .filter(|entry| entry.starts_with('['))
        .map(str::to_owned)
        .collect();
    let entry = |page: &String| format!("[{}]({page})", title(page));
    assert_eq!(listed, pages().iter().map(entry).collect());
}

/// Outside of `docs` there is nothing where the book is.
#[test]
fn no_link_of_a_page_leads_out_of_the_book() {
    for page in pages() {
        let text = read(&format!("docs/{page}"));
        let depth = page.matches('/').count();
        let is_out = |link: &&str| link.matches("../").count() > depth;
        let out = links(&text).filter(is_out);
        assert_eq!(out.collect::<Vec<_>>(), [""; 0], "linked in {page}");
    }
}

/// Those in a folder are of one part of the reference, which links to them.
#[test]
fn every_page_is_in_the_readme_or_in_the_reference() {
    let readme = read("README.md");
    let reference = read("docs/suite-format.md");
    for page in pages() {
        if page.contains('/') {
            let link = format!("]({page}");
            assert!(
                reference.contains(&link),
                "no link to {page} in docs/suite-format.md"
            );
            continue;
        }
        let entry = format!("- [docs/{page}](docs/{page}): ");
        assert!(readme.contains(&entry), "`{entry}` is not in README.md");
    }
}

#[test]
fn every_command_is_in_the_readme() {
    let readme = read("README.md");
    let help = help();
    let commands: Vec<&str> = commands(&help).filter(|name| *name != "help").collect();
    assert!(commands.contains(&"check"), "no commands in:\n{help}");
    for command in commands {
        assert!(
            readme.contains(&format!("| `authz-pin {command}")),
            "`{command}` is not in README.md"
        );
    }
}

#[test]
fn every_exit_code_is_in_the_readme() {
    let readme = read("README.md");
    let source = read("src/exit.rs");
    let codes = source
        .lines()
        .filter_map(|line| line.trim().strip_suffix(',')?.split_once(" = "))
        .map(|(_, code)| code);
    let codes: Vec<&str> = codes.collect();
    assert!(codes.contains(&"70"), "no exit codes in src/exit.rs");
    for code in codes {
        assert!(
            readme.contains(&format!("\n| {code} |")),
            "{code} is not in README.md"
        );
    }
}

/// CI makes no release build, so it runs the binary that the tests were built with.
#[test]
fn ci_runs_the_commands_of_the_readme() {
    let ci = read(".ci/run");
    let readme = read("README.md");
    let section = readme
        .split("\n## Try it\n")
        .nth(1)
        .and_then(|rest| rest.split("```").nth(1))
        .unwrap();
    let commands: Vec<&str> = section
        .lines()
        .filter(|line| line.starts_with("cargo "))
        .collect();
    assert_eq!(commands.len(), 2);
    for command in commands {
        let binary = "\"${CARGO_TARGET_DIR:-target}/debug/authz-pin\"";
        let line = format!("run {}", command.replace("cargo run --release", binary));
        assert!(
            ci.lines().any(|other| other == line),
            "`{line}` is not in .ci/run"
        );
    }
}

#[test]
fn contributors_are_told_every_command_that_ci_runs() {
    let contributing = read("CONTRIBUTING.md");
    let ci = read(".ci/run");
    let commands = ci.lines().filter_map(|line| {
        let command = line.strip_prefix("run ").unwrap_or(line);
        (command.starts_with("cargo ") || command.starts_with("RUSTDOCFLAGS")).then_some(command)
    });
    for command in commands {
        assert!(
            contributing.lines().any(|line| line == command),
            "`{command}` is not in CONTRIBUTING.md"
        );
    }
}

#[test]
fn no_file_holds_a_path_of_a_developers_machine() {
    // Put together here, so that this file holds none of them.
    let mut paths = vec![format!("/{}/", "Users"), format!("/{}/", "home")];
    // A short one, such as `/src` in a container, would be found in many a word.
    paths.extend(
        root()
            .to_str()
            .filter(|root| root.matches('/').count() > 1)
            .map(str::to_owned),
    );
    for file in files("") {
        let Ok(text) = fs::read_to_string(root().join(&file)) else {
            continue;
        };
        // The place of Homebrew on every Linux.
        let text = text.replace("/home/linuxbrew", "");
        let found = paths.iter().find(|path| text.contains(*path));
        assert_eq!(found, None, "in {file}");
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(file: &str) -> String {
    fs::read_to_string(root().join(file))
        .unwrap()
        .replace("\r\n", "\n")
}

fn documents() -> Vec<String> {
    let all = files("").into_iter();
    all.filter(|file| is_page(file)).collect()
}

fn is_page(file: &str) -> bool {
    Path::new(file)
        .extension()
        .is_some_and(|ending| ending == "md")
}

/// The pages of the book, relative to `docs`.
fn pages() -> Vec<String> {
    let documents = documents().into_iter();
    documents
        .filter_map(|file| Some(file.strip_prefix("docs/")?.to_owned()))
        .filter(|page| page != "SUMMARY.md")
        .collect()
}

fn title(page: &str) -> String {
    let text = read(&format!("docs/{page}"));
    let title = text.lines().next().and_then(|line| line.strip_prefix("# "));
    title.unwrap().to_owned()
}

/// The anchors of the headings of a page, as GitHub and mdBook make them.
fn anchors(page: &str) -> BTreeSet<String> {
    let mut is_code = false;
    let headings = page.lines().filter(|line| {
        is_code ^= line.starts_with("```");
        !is_code && line.starts_with('#')
    });
    let anchor = |heading: &str| {
        let text = heading.trim_start_matches('#').trim().to_lowercase();
        let text = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        text.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Where the links of a document lead.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let after = text.split("](").skip(1);
    after.filter_map(|rest| Some(rest.split_once(')')?.0))
}

/// Every file below a folder of the project that is not made by a build, relative to the project.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&root().join(folder), &mut found);
    let relative = |path: &PathBuf| {
        path.strip_prefix(root())
            .unwrap()
            .to_str()
            .unwrap()
            .replace('\\', "/")
    };
    let mut files: Vec<String> = found.iter().map(relative).collect();
    files.sort();
    files
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            let is_made = [".git", "target", "mutants.out", "mutants.out.old"]
                .iter()
                .any(|made| name == *made);
            if !is_made {
                collect(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn in_backticks(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .filter(|line| !line.starts_with("```"))
        .flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// Whether a word is a path of the project, and not one with a placeholder.
fn is_path(word: &str) -> bool {
    let starts = [
        "crates/",
        "src/",
        "gateway/",
        "replay/",
        "replays/",
        "suites/",
        "snapshots/",
        "tests/",
        "docs/",
        "examples/",
        "fuzz/",
        "migrations/",
        ".ci/",
        ".github/",
    ];
    starts.iter().any(|start| word.starts_with(start))
        && !word.contains(|c: char| c.is_whitespace() || "*<>{}".contains(c))
        && !word.contains("NAME")
        && !word.starts_with("fuzz/target")
        && !word.ends_with(".snap.new")
}

fn help() -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_authz-pin"))
        .arg("--help")
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The words that begin a line of the section of commands; lines that go on are further to the right.
fn commands(help: &str) -> impl Iterator<Item = &str> {
    let section = help
        .split("Commands:\n")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .unwrap_or_default();
    let lines = section.lines().filter_map(|line| line.strip_prefix("  "));
    lines
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split_whitespace().next())
}
