//! The blocks of code of a page, and whether what came is what they show.

/// A block of code, by what stands behind its fence.
pub(crate) struct Block<'a> {
    pub(crate) kind: &'a str,
    pub(crate) text: String,
}

pub(crate) fn blocks(page: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text = text.flat_map(|line| [line, "\n"]).collect();
            blocks.push(Block { kind, text });
        }
    }
    blocks
}

/// Whether the lines are those that are shown, where a line `...` stands for any lines and `...` at a line's end for its rest.
pub(crate) fn matches(expected: &str, printed: &str) -> bool {
    let expected: Vec<&str> = expected.lines().collect();
    let printed: Vec<&str> = printed.lines().collect();
    lines_match(&expected, &printed)
}

fn lines_match(expected: &[&str], printed: &[&str]) -> bool {
    match (expected, printed) {
        ([], []) => true,
        (["...", expected @ ..], printed) => {
            (0..=printed.len()).any(|skipped| lines_match(expected, &printed[skipped..]))
        }
        ([line, expected @ ..], [other, printed @ ..]) => {
            let is_same = match line.strip_suffix("...") {
                Some(start) => other.starts_with(start),
                None => line.trim_end() == other.trim_end(),
            };
            is_same && lines_match(expected, printed)
        }
        _ => false,
    }
}
