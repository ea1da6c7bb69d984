//! Lines that command nothing: what reads a log, such as a runner of GitHub Actions, takes commands from it, and a service could
//! say one.
//!
//! Runners take a line that begins with a mark of theirs, blanks before it aside. No line of the tool begins so but those of a
//! report that is made of commands, which does not go through here.

use std::io::{self, Write};

/// How a command begins: of GitHub Actions, of it and Azure Pipelines, of Azure Pipelines, of `TeamCity`.
const MARKS: [&[u8]; 4] = [b"::", b"##[", b"##vso[", b"##teamcity["];

/// What stands before a line that would be a command.
const BEFORE: &[u8] = b"| ";

const ESCAPE: u8 = b'\x1b';

/// Writes to `out`, with `| ` before each line that would be a command.
pub struct Guard<W> {
    out: W,
    /// What a line begins with, as long as it may become a command.
    held: Vec<u8>,
    is_within: bool,
}

impl<W: Write> Guard<W> {
    /// A guard before that.
    pub fn new(out: W) -> Self {
        Self {
            out,
            held: Vec::new(),
            is_within: false,
        }
    }

    /// What is behind it, with all that was written.
    pub fn into_inner(mut self) -> io::Result<W> {
        self.flush()?;
        Ok(self.out)
    }

    /// Takes a part of one line, with its end or without.
    fn part(&mut self, part: &[u8]) -> io::Result<()> {
        if self.is_within {
            self.out.write_all(part)?;
        } else {
            self.held.extend_from_slice(part);
            match command(&self.held) {
                Some(true) => self.release(BEFORE)?,
                Some(false) => self.release(b"")?,
                None if part.ends_with(b"\n") => self.release(b"")?,
                None => {}
            }
        }
        self.is_within = self.is_within && !part.ends_with(b"\n");
        Ok(())
    }

    fn release(&mut self, before: &[u8]) -> io::Result<()> {
        self.out.write_all(before)?;
        self.out.write_all(&self.held)?;
        self.held.clear();
        self.is_within = true;
        Ok(())
    }
}

/// Whether the beginning of a line is that of a command; none if what follows decides.
fn command(line: &[u8]) -> Option<bool> {
    let text = seen(line)?;
    if MARKS.iter().any(|mark| text.starts_with(mark)) {
        return Some(true);
    }
    let is_open = MARKS.iter().any(|mark| mark.starts_with(text));
    (!is_open).then_some(false)
}

/// A line from its first character that is neither blank nor of a colour; none as long as a colour is cut.
fn seen(line: &[u8]) -> Option<&[u8]> {
    let mut line = line;
    loop {
        line = line.trim_ascii_start();
        match line {
            [ESCAPE, rest @ ..] => {
                let end = rest.iter().position(u8::is_ascii_alphabetic)?;
                line = rest.get(end + 1..).unwrap_or_default();
            }
            _ => return Some(line),
        }
    }
}

impl<W: Write> Write for Guard<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.part(part)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.held.is_empty() {
            self.release(b"")?;
        }
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guarded(parts: &[&str]) -> String {
        let mut guard = Guard::new(Vec::new());
        for part in parts {
            guard.write_all(part.as_bytes()).unwrap();
        }
        guard.flush().unwrap();
        String::from_utf8(guard.out).unwrap()
    }

    #[test]
    fn a_line_that_would_be_a_command_has_a_mark_before_it() {
        assert_eq!(guarded(&["a\n::error::b\n"]), "a\n| ::error::b\n");
        assert_eq!(guarded(&["  ", ":", ":add-mask::x"]), "|   ::add-mask::x");
        assert_eq!(
            guarded(&["\x1b[3", "1m::x\x1b[0m\n"]),
            "| \x1b[31m::x\x1b[0m\n"
        );
        assert_eq!(guarded(&["##v", "so[x]\n##[y]\n"]), "| ##vso[x]\n| ##[y]\n");
    }

    #[test]
    fn any_other_line_is_written_as_it_is() {
        for text in [
            "",
            "\n",
            ": :",
            "a ::error::b\n",
            "## title\n",
            "- ::x",
            "\x1b[1mx",
            ":\n::",
        ] {
            let shown = guarded(&text.split_inclusive(' ').collect::<Vec<_>>());
            assert_eq!(shown, text.replace("\n::", "\n| ::"));
        }
    }
}
