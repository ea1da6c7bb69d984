//! The tutorial's files and commands, as they stand there.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "helpers of tests fail like the tests"
)]

#[path = "cli/page.rs"]
mod page;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use page::{Block, blocks, matches};

/// What the commands of one block printed, and what the page shows of it.
struct Shown {
    commands: String,
    printed: String,
    expected: Option<String>,
}

#[test]
fn the_commands_of_the_tutorial_print_what_it_shows() {
    if !has_python() {
        let required = std::env::var("AUTHZ_PIN_PYTHON").is_ok_and(|value| value == "required");
        assert!(!required, "there is no python3 on the PATH");
        println!("there is no python3 on the PATH");
        return;
    }
    let page = fs::read_to_string(root().join("docs/tutorial.md")).unwrap();
    let blocks = blocks(&page);
    let shown = run(&blocks);
    assert!(shown.len() > 5, "{} blocks of commands", shown.len());
    for Shown {
        commands,
        printed,
        expected,
    } in shown
    {
        let expected = expected.unwrap_or_default();
        assert!(
            matches(&expected, &printed),
            "{commands}\nprinted:\n{printed}\nand not:\n{expected}"
        );
    }
}

#[test]
fn a_shown_output_leaves_out_only_where_it_says_so() {
    assert!(matches("...\nb 1 in ...\n...\n", "a\nb 1 in 2 s\nc\n"));
    assert!(matches("", ""));
    assert!(!matches("a\nc", "a\nb\nc"));
    assert!(!matches("a\n", "a\nb\n"));
    assert!(!matches("...\nc\nb\n...", "a\nb\nc\n"));
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn has_python() -> bool {
    let python = Command::new("python3").arg("--version").output();
    python.is_ok_and(|output| output.status.success())
}

/// Runs the commands in one shell, with the files written where they stand, and splits what was printed.
fn run(blocks: &[Block<'_>]) -> Vec<Shown> {
    let place = tempfile::tempdir().unwrap();
    let service = "examples/notes/service.py";
    fs::create_dir_all(place.path().join("examples/notes")).unwrap();
    fs::copy(root().join(service), place.path().join(service)).unwrap();
    let printed = shell(place.path(), &script(blocks));
    let mut printed = printed.split("== end of block ==\n").map(str::to_owned);
    let mut shown: Vec<Shown> = Vec::new();
    for block in blocks {
        match block.kind {
            "sh" => shown.push(Shown {
                commands: block.text.clone(),
                printed: printed.next().unwrap_or_default(),
                expected: None,
            }),
            "text" => shown.last_mut().unwrap().expected = Some(block.text.clone()),
            _ => {}
        }
    }
    shown
}

fn script(blocks: &[Block<'_>]) -> String {
    let mut script = String::from("exec 2>&1\nset -e\n");
    for block in blocks {
        if let Some(file) = block.kind.strip_prefix("yaml ") {
            let _ = write!(
                script,
                "mkdir -p \"$(dirname '{file}')\"\ncat > '{file}' <<'END OF FILE'\n{}END OF FILE\n",
                block.text
            );
        } else if block.kind == "sh" {
            let _ = writeln!(script, "{}echo '== end of block =='", block.text);
        }
    }
    script
}

fn shell(folder: &Path, script: &str) -> String {
    let tool = PathBuf::from(env!("CARGO_BIN_EXE_authz-pin"));
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", tool.parent().unwrap().display());
    let mut shell = Command::new("bash")
        .current_dir(folder)
        .env("PATH", path)
        .env_remove("AUTHZ_PIN_BASE_URL")
        .env_remove("AUTHZ_PIN_DATABASE_URL")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = shell.stdin.take().unwrap();
    stdin.write_all(script.as_bytes()).unwrap();
    drop(stdin);
    let output = shell.wait_with_output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{printed}");
    printed
}
