use super::{Diagnostic, Diagnostics, Position, did_you_mean, nearest, quoted};

fn at(line: usize, column: usize) -> Position {
    Position { line, column }
}

#[test]
fn a_diagnostic_shows_its_place_its_line_and_its_remedy() {
    let diagnostic = Diagnostic::new("suites/x/endpoints/a.yaml", "unknown key `methd`")
        .at(at(3, 5))
        .excerpt("    methd: POST", 5)
        .help("did you mean `method`?");
    insta::assert_snapshot!(diagnostic, @r"
    error: unknown key `methd`
      --> suites/x/endpoints/a.yaml:3:5
      |
    3 |     methd: POST
      |     ^^^^^
      = help: did you mean `method`?
    ");
}

#[test]
fn the_margin_is_as_wide_as_the_line_number() {
    let diagnostic = Diagnostic::new("a.yaml", "wrong")
        .at(at(1234, 3))
        .excerpt("a: b", 0)
        .help("fix it");
    insta::assert_snapshot!(diagnostic, @r"
    error: wrong
         --> a.yaml:1234:3
         |
    1234 | a: b
         |   ^
         = help: fix it
    ");
}

#[test]
fn a_diagnostic_without_a_place_names_its_file() {
    insta::assert_snapshot!(Diagnostic::new("a.yaml", "cannot read the file"), @r"
    error: cannot read the file
     --> a.yaml
    ");
}

#[test]
fn tabs_keep_the_carets_aligned_and_controls_stay_harmless() {
    let diagnostic = Diagnostic::new("a.yaml", "wrong")
        .at(at(1, 4))
        .excerpt("\ta\u{1b}bcd", 99);
    insta::assert_snapshot!(diagnostic, @r"
    error: wrong
      --> a.yaml:1:4
      |
    1 |  a�bcd
      |    ^^^
    ");
}

#[test]
fn diagnostics_are_sorted_by_file_and_place_and_counted() {
    let mut all = Diagnostics::new();
    all.push(Diagnostic::new("b.yaml", "third"));
    all.push(Diagnostic::new("a.yaml", "second").at(at(10, 1)));
    all.extend([Diagnostic::new("a.yaml", "first").at(at(9, 7))]);
    all.push(Diagnostic::new("b.yaml", "third"));
    insta::assert_snapshot!(all, @r"
    error: first
      --> a.yaml:9:7

    error: second
       --> a.yaml:10:1

    error: third
     --> b.yaml

    3 errors in 2 files
    ");
}

#[test]
fn no_mistakes_are_a_success() {
    assert!(Diagnostics::new().into_result().is_ok());
    assert!(
        Diagnostics::from(Diagnostic::new("a", "b"))
            .into_result()
            .is_err()
    );
}

#[test]
fn a_slip_finds_the_name_that_was_meant() {
    let known = ["method", "path", "max_budget", "to"];
    assert_eq!(nearest("methd", known), Some("method"));
    assert_eq!(nearest("mehtod", known), Some("method"));
    assert_eq!(nearest("Max-Budget", known), Some("max_budget"));
    assert_eq!(nearest("pathology", known), None);
    assert_eq!(nearest("", known), None);
    assert_eq!(nearest(&"x".repeat(1_000_000), known), None);
}

#[test]
fn few_known_names_are_listed_and_many_are_not() {
    assert_eq!(
        did_you_mean("methd", ["method", "path"]).unwrap(),
        "did you mean `method`?"
    );
    assert_eq!(
        did_you_mean("zzz", ["method", "path"]).unwrap(),
        "known: `method`, `path`"
    );
    assert_eq!(did_you_mean("zzz", []), None);
    assert_eq!(did_you_mean("zzz", ["name"; 17]), None);
}

#[test]
fn a_quoted_word_is_cropped_and_harmless() {
    assert_eq!(quoted("a\u{1b}[1m\nb"), "`a\\u{1b}[1m\\nb`");
    assert_eq!(quoted(&"x".repeat(99)), format!("`{}…`", "x".repeat(60)));
}
