//! What a service says in a log of a CI: it commands nothing there, and shows words in the order that they have.

use insta::assert_snapshot;
use serde_json::json;

use super::place::{Ended, Place};
use super::walls::{JSON, Wall};

const FORGED: &str = "no\r\n::error file=a,line=1::FORGED\n  ::add-mask::x\n##[warning]FORGED\n##vso[task.setvariable variable=x]y";

fn refusing(message: &'static str) -> Wall {
    let wall = Wall::new("refusal: { message: $.error }\n");
    wall.says(|_, _| (JSON, json!({"error": "no"}).to_string()));
    wall.recorded();
    wall.says(move |_, _| (JSON, json!({ "error": message }).to_string()));
    wall
}

fn all(ended: &Ended) -> String {
    format!("{}{}", ended.stdout, ended.stderr)
}

/// The lines that a runner takes for commands.
fn commands(ended: &Ended) -> Vec<String> {
    let lines = ended.stdout.lines().chain(ended.stderr.lines());
    let marks = ["::", "##[", "##vso["];
    let commands =
        lines.filter(|line| marks.iter().any(|mark| line.trim_start().starts_with(mark)));
    commands.map(str::to_owned).collect()
}

#[test]
fn a_service_commands_nothing_in_the_log_of_a_runner() {
    let wall = refusing(FORGED);
    for form in ["github=-", "markdown=-", "junit=-", "json=-"] {
        let ended = wall.run(&["check", "wall", "--report", form]);
        assert_eq!(ended.code, Some(1), "{form}");
        assert!(all(&ended).contains("add-mask"), "{form}");
        let others = commands(&ended).into_iter();
        let others: Vec<_> = others
            .filter(|line| !line.starts_with("::error file=wall/endpoints/read.yaml,line=2,"))
            .collect();
        assert_eq!(others, [""; 0], "{form}");
    }
}

#[test]
fn lines_of_a_service_stand_behind_a_mark() {
    let ended = refusing("no\nerror: all is lost").run(&["check", "wall"]);
    let lines = ended.stdout.lines().chain(ended.stderr.lines());
    let said: Vec<&str> = lines.filter(|line| line.contains("all is lost")).collect();
    assert!(!said.is_empty());
    let is_marked = |line: &&&str| line.trim_start().starts_with(['|', '+', '~']);
    assert_eq!(said.iter().find(|line| !is_marked(line)), None);
}

#[test]
fn words_stand_in_the_order_that_they_have() {
    let wall = refusing("only \u{202e}nimda\u{202c} may\u{2028}::error::x");
    let ended = wall.run(&["check", "wall"]);
    assert!(all(&ended).contains("nimda"));
    assert!(!all(&ended).contains(['\u{202e}', '\u{2028}']));
    wall.recorded();
    assert!(!wall.snapshot().contains(['\u{202e}', '\u{2028}']));
}

#[test]
fn an_endpoint_whose_name_would_steer_a_terminal_is_refused() {
    let place = Place::with("notes").write("notes/endpoints/x\u{1b}[31m\n::error::y.yaml", "{}");
    assert_snapshot!(place.run(&["list", "notes"]).error(2), @r"
    error: the name of an endpoint cannot be shown: `x\u{1b}[31m\n::error::y`
     --> notes/endpoints
     = help: name the file without control characters and those that turn the direction of a text

    1 error
    ");
}
