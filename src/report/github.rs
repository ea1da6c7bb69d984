//! The report as workflow commands of GitHub Actions: annotations at the lines of the suite.
//!
//! GitHub reads them from what a step prints, so this form is of use on standard output.

use std::io::{self, Write};

use authz_pin_record::kinds::Level;
use authz_pin_record::text::{counted, short};

use super::Report;
use super::issue::{self, Issue};

/// How many annotations of a level GitHub shows of one step; it drops the others without a word.
const SHOWN: usize = 10;

/// How many characters of a text are shown.
const MOST: usize = 1_000;

/// Writes an annotation per issue, worst first, and no more of a level than are shown.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let issues = issue::all(report);
    let levels = [
        (Level::Deny, "error"),
        (Level::Warn, "warning"),
        (Level::Allow, "notice"),
    ];
    levels.into_iter().try_for_each(|(level, command)| {
        let of_level = issues.iter().filter(|issue| issue.rule.level == level);
        annotations(out, command, &of_level.collect::<Vec<_>>())
    })
}

fn annotations(out: &mut dyn Write, command: &str, issues: &[&Issue<'_>]) -> io::Result<()> {
    let more = issues.len().saturating_sub(SHOWN);
    for (number, issue) in (1..=SHOWN).zip(issues) {
        let rest = (number == SHOWN && more > 0).then(|| {
            format!(
                "\n... and {} that GitHub does not show",
                counted(more, command)
            )
        });
        annotation(out, command, issue, &rest.unwrap_or_default())?;
    }
    Ok(())
}

fn annotation(out: &mut dyn Write, command: &str, issue: &Issue<'_>, rest: &str) -> io::Result<()> {
    let place = &issue.place.file.display().to_string();
    let title = format!("{} in {}", issue.rule.id, issue.names());
    let text = format!("{}\n{}{rest}", issue.rule.title, short(&issue.text(), MOST));
    writeln!(
        out,
        "::{command} file={},line={},title={}::{}",
        property(place),
        issue.line(),
        property(&title),
        data(&text)
    )
}

/// A command ends with its line.
fn data(text: &str) -> String {
    text.replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

/// A property ends at a comma, and the last one at a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::super::tests::{large, written};
    use super::*;
    use authz_pin_record::drift::Kind;

    #[test]
    fn a_text_cannot_end_its_command_and_a_property_not_its_place() {
        assert_eq!(data("100%\r\n::error::x"), "100%25%0D%0A::error::x");
        assert_eq!(property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }

    #[test]
    fn the_last_annotation_that_is_shown_says_how_many_are_not() {
        let text = written(write, &large(3, 40, &[Kind::Widened]));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), SHOWN);
        let said = |line: &&&str| line.contains("that GitHub does not show");
        assert_eq!(lines.iter().filter(said).count(), 1);
        assert!(
            lines[SHOWN - 1].ends_with("%0A... and 110 errors that GitHub does not show"),
            "{text}"
        );
    }

    #[test]
    fn nothing_is_annotated_where_all_is_as_pinned() {
        assert_eq!(written(write, &large(0, 0, &[])), "");
    }
}
