//! The report as Markdown, for a comment on a pull request or the summary of a step: as much as a comment can hold,
//! worst first.

use std::io::{self, Write};

use authz_pin_record::drift::Group;
use authz_pin_record::text::{counted, short};
use indexmap::IndexSet;

use super::Report;
use super::issue::{self, Issue, Rule};

/// How long a comment on GitHub can be, in characters, without a line by which a workflow finds its own. Here it is
/// bytes, which are never fewer.
const MOST: usize = 65_536 - 256;

/// What is kept free for how many are left out, and for what to do next.
const END: usize = 1_000;

/// How much of the page the counts may take.
const COUNTS: usize = MOST / 4;

/// How many characters of what was and of what is are shown.
const TEXT: usize = 300;

/// How many places of one difference are shown.
const PLACES: usize = 8;

/// How many rows stand in the open.
const OPEN: usize = 5;

const REVIEW: &str = "Review with `cargo insta review` or `authz-pin review`; `authz-pin explain KIND` says what a kind of \
                      drift means.";

/// Writes the verdict and the counts, then what differs until the page is full, then what to do about it.
pub fn write(out: &mut dyn Write, report: &Report) -> io::Result<()> {
    let groups = report.groups();
    let mut page = Page::default();
    page.add(&verdict(report), END);
    page.counts(&groups);
    for same in groups.chunk_by(is_same_section) {
        page.section(same);
    }
    page.wholes(report);
    for line in report
        .seen
        .lines()
        .iter()
        .filter(|_| report.totals.cells > 0)
    {
        page.add(&format!("\n{}\n", plain(line)), END);
    }
    if !report.faults().is_empty() || !report.orphans.is_empty() {
        page.end();
    }
    out.write_all(page.text.as_bytes())
}

fn verdict(report: &Report) -> String {
    let cells = report.endpoints.iter();
    let changed: usize = cells.map(|outcome| outcome.comparison.cells().len()).sum();
    let verdict = match report.faults().as_slice() {
        _ if !report.inconclusive.is_empty() => "**inconclusive**",
        [] => "as pinned",
        _ => "**not** as pinned",
    };
    format!(
        "## authz-pin: {} is {verdict}\n\n{}{}, {}{}; {}, {}.\n\n",
        plain(&report.suite),
        part(report.differing()),
        counted(report.endpoints.len(), "endpoint"),
        part(changed),
        counted(report.totals.cells, "cell"),
        counted(report.totals.requests, "request"),
        report.findings(),
    )
}

fn part(n: usize) -> String {
    match n {
        0 => String::new(),
        n => format!("{n} of "),
    }
}

fn is_same_section(a: &Group, b: &Group) -> bool {
    a.kind == b.kind
}

/// The endpoints of groups, each once.
fn endpoints(groups: &[Group]) -> String {
    let names = groups.iter().flat_map(|group| group.endpoints.keys());
    let names: IndexSet<&str> = names.map(String::as_str).collect();
    let names: Vec<&str> = names.into_iter().collect();
    names.join(", ")
}

/// How many things groups say: their cells, or the one that is about none.
fn sum(groups: &[Group]) -> usize {
    groups.iter().map(|group| group.count().max(1)).sum()
}

/// A page that does not become longer than a comment can be.
#[derive(Default)]
struct Page {
    text: String,
    /// How many differences it has no room for.
    left: usize,
}

impl Page {
    /// Adds a part if it leaves so much free.
    fn add(&mut self, part: &str, free: usize) -> bool {
        let fits = self.text.len() + part.len() + free <= MOST;
        if fits {
            self.text.push_str(part);
        }
        fits
    }

    /// A row per kind.
    fn counts(&mut self, groups: &[Group]) {
        let sections: Vec<&[Group]> = groups.chunk_by(is_same_section).collect();
        if sections.is_empty() {
            return;
        }
        let fold = Fold::of("Counts", sections.len());
        self.text.push_str(&fold.begin);
        self.text
            .push_str("| kind | level | endpoints | differences |\n|---|---|---|---|\n");
        let fits = |section: &&[Group]| self.add(&counts_row(section), MOST - COUNTS);
        let shown = sections.iter().copied().take_while(fits).count();
        if shown < sections.len() {
            let more = format!("| ... | | and {} more | |\n", sections.len() - shown);
            self.text.push_str(&more);
        }
        self.text.push_str(&fold.end);
    }

    /// What differs by one kind. After what did not fit nothing is shown, since it would weigh less.
    fn section(&mut self, groups: &[Group]) {
        let shown = match self.left {
            0 => self.rows(groups),
            _ => 0,
        };
        self.left += sum(groups.get(shown..).unwrap_or_default());
    }

    /// Adds as many rows as there is room for, and says how many.
    fn rows(&mut self, groups: &[Group]) -> usize {
        let Some(first) = groups.first() else {
            return 0;
        };
        let title = first.kind.entry().map(|entry| entry.title.as_str());
        let fold = Fold::of(title.unwrap_or_default(), groups.len());
        let head = heading(groups, first) + &fold.begin + "| was | is | cells |\n|---|---|---|\n";
        let free = END + fold.end.len();
        if !self.add(&(head + &row(first)), free) {
            return 0;
        }
        let rest = groups.iter().skip(1);
        let shown = rest.take_while(|group| self.add(&row(group), free)).count();
        self.text.push_str(&fold.end);
        1 + shown
    }

    /// The endpoints that differ without a drift, and what is about none.
    fn wholes(&mut self, report: &Report) {
        let wholes = report.endpoints.iter().filter_map(|outcome| {
            let rule = issue::of_whole(outcome)?;
            Some(whole(&outcome.name, &rule))
        });
        for line in wholes.chain(issue::beside(report).map(|issue| beside(&issue))) {
            if self.left > 0 || !self.add(&line, END) {
                self.left += 1;
            }
        }
    }

    fn end(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
        if self.left > 0 {
            let more = counted(self.left, "more difference");
            let more = format!("... and {more} in the HTML report (`--report html=FILE`).\n\n");
            self.text.push_str(&more);
        }
        self.text.push_str(REVIEW);
        self.text.push('\n');
    }
}

/// What stands around rows: where there are many, they are folded away under their title.
struct Fold {
    begin: String,
    end: String,
}

impl Fold {
    fn of(title: &str, rows: usize) -> Self {
        let (begin, end) = match rows {
            0..=OPEN => (format!("{title}\n\n"), "\n".to_owned()),
            _ => (
                format!("<details><summary>{title}</summary>\n\n"),
                "\n</details>\n\n".to_owned(),
            ),
        };
        Self { begin, end }
    }
}

fn heading(groups: &[Group], first: &Group) -> String {
    format!(
        "### {} in {}: {}\n\n",
        first.kind.id(),
        plain(&endpoints(groups)),
        counted(sum(groups), "difference")
    )
}

fn counts_row(section: &[Group]) -> String {
    let Some(first) = section.first() else {
        return String::new();
    };
    format!(
        "| {} | {} | {} | {} |\n",
        first.kind.id(),
        first.level.as_str(),
        plain(&endpoints(section)),
        sum(section)
    )
}

fn row(group: &Group) -> String {
    let places = group.places().into_iter();
    let places = places.map(|(endpoints, cells)| match cells.as_str() {
        "" => format!("**{}**", plain(&endpoints)),
        cells => format!("**{}** {}", plain(&endpoints), plain(cells)),
    });
    let places: Vec<String> = places.collect();
    let shown: Vec<&str> = places.iter().take(PLACES).map(String::as_str).collect();
    let is_cut = places.len() > PLACES || places.iter().any(|place| place.ends_with("..."));
    let count = is_cut.then(|| format!(" ({})", counted(group.count(), "cell")));
    let more = count.unwrap_or_default();
    format!(
        "| {} | {}{} | {}{more} |\n",
        code(&group.was),
        code(&group.is),
        group.like_it(),
        shown.join("<br>")
    )
}

fn whole(endpoint: &str, rule: &Rule) -> String {
    format!("- **{}**: {}\n", plain(endpoint), rule.title)
}

fn beside(issue: &Issue<'_>) -> String {
    let lines: Vec<String> = issue.details().iter().map(|line| code(line)).collect();
    let whole = whole(issue.name, &issue.rule);
    format!("{}: {}\n", whole.trim_end(), lines.join(", "))
}

/// A name of the suite, also in a cell of a table.
fn plain(text: &str) -> String {
    short(text, TEXT)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('|', "\\|")
        .replace(['\r', '\n'], " ")
}

/// A text of the service in a cell of a table: as code, so that it is no link, no mark-up, and calls nobody.
fn code(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    // A backslash before a bar would escape the one that escapes the bar.
    let text = short(text, TEXT)
        .replace(['\r', '\n'], " ")
        .replace("\\|", "\\ |")
        .replace('|', "\\|");
    let ticks = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(ticks + 1);
    match ticks {
        0 => format!("{fence}{text}{fence}"),
        _ => format!("{fence} {text} {fence}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{large, written};
    use super::*;
    use authz_pin_record::drift::Kind;

    #[test]
    fn fifty_thousand_changed_cells_fit_into_a_comment() {
        let text = written(
            write,
            &large(50, 1_000, &[Kind::CellRemoved, Kind::Widened]),
        );
        assert!(text.len() <= MOST, "{} bytes", text.len());
        assert!(text.len() > MOST - 2 * END, "{} bytes", text.len());
        let head = "## authz-pin: large is **not** as pinned\n\n\
                    50 of 50 endpoints, 50000 of 50000 cells; 50000 requests, 0 pinned findings.\n";
        assert!(text.starts_with(head), "{text}");
        assert!(text.ends_with(&format!("{REVIEW}\n")));
    }

    #[test]
    fn what_is_left_out_is_counted_and_weighs_less_than_what_is_shown() {
        let text = written(
            write,
            &large(50, 1_000, &[Kind::CellRemoved, Kind::Widened]),
        );
        let shown = text
            .lines()
            .filter(|line| line.starts_with("| `403"))
            .count();
        let left = format!(
            "... and {} more differences in the HTML report",
            50_000 - shown
        );
        assert!(text.contains(&left), "{shown} shown: {text}");
        assert!(!text.contains("### cell-removed"), "{text}");
        assert!(
            text.contains("| cell-removed | warn | endpoint-0, endpoint-1, "),
            "{text}"
        );
        assert!(text.contains("... | 25000 |"), "{text}");
    }

    #[test]
    fn folds_are_closed_where_the_page_is_full() {
        let text = written(write, &large(50, 1_000, &[Kind::Widened]));
        let ends = [
            text.matches("<details>").count(),
            text.matches("</details>").count(),
        ];
        assert_eq!(ends[0], ends[1]);
    }

    #[test]
    fn names_without_end_do_not_make_the_page_longer() {
        let mut report = large(400, 3, &[Kind::Widened]);
        report.suite = "s".repeat(100_000);
        for outcome in &mut report.endpoints {
            outcome.name = format!("{}{}", outcome.name, "<".repeat(100_000));
        }
        assert!(written(write, &report).len() <= MOST);
    }

    #[test]
    fn a_text_of_the_service_is_code_and_no_end_of_a_cell() {
        assert_eq!(code("a | <b>\n@c"), "`a \\| <b> @c`");
        assert_eq!(code("`` a`"), "``` `` a` ```");
        assert_eq!(code("a\\|b"), "`a\\ \\|b`");
        assert_eq!(code(""), "");
    }
}
