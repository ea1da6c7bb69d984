//! The blocks of code of a page.

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
