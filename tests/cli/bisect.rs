//! Exit codes for `git bisect run`.

use serde_json::json;

use super::walls::{JSON, Wall};

fn drifted() -> Wall {
    let wall = Wall::new("refusal: { message: $.error }\n");
    wall.says(|_, _| (JSON, json!({"error": "no"}).to_string()));
    wall.recorded();
    wall.says(|_, _| (JSON, json!({"error": "not you"}).to_string()));
    wall
}

#[test]
fn a_commit_is_good_or_bad_by_one_kind_of_drift_alone() {
    let wall = drifted();
    let code = |kind: &str| wall.run(&["check", "wall", "--bisect", kind]).code;
    assert_eq!(code("gate-changed"), Some(1));
    assert_eq!(code("widened"), Some(0));
    assert!(!wall.place.path("wall/snapshots/read.snap.new").exists());
}

#[test]
fn a_commit_of_which_the_check_says_nothing_is_passed_over() {
    let wall = drifted();
    let code = |arguments: &[&str]| {
        let all = [&["check", "wall", "--bisect", "widened"], arguments].concat();
        wall.run(&all).code
    };
    assert_eq!(code(&["--filter", "nothing"]), Some(125));
    assert_eq!(code(&["--require", "effects"]), Some(125));
    let nobody = ["check", "wall", "--bisect", "widened", "--wait", "1"];
    let nobody = [&nobody[..], &["--base-url", "http://127.0.0.1:1"]].concat();
    assert_eq!(wall.place.run(&nobody).code, Some(125));
    assert_eq!(
        wall.place.run(&["check", "wall", "--bisect", "wider"]).code,
        Some(2)
    );
}
