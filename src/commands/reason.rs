//! Why something is accepted, as it is given on the command line or at a terminal.

use std::io::Write;

use authz_pin_suite::snapshot::{Day, Said};
use clap::Args;

use super::{Failure, written};
use crate::terminal::{Keyboard, NOTABLE, styled};

/// Why something is accepted.
#[derive(Debug, Clone, Default, Args)]
pub struct ReasonArgs {
    /// Why the widenings and the findings of level deny among it are accepted
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    reason: Option<String>,
    /// The last day on which the reason counts, such as 2027-01-31; a check fails after it
    #[arg(long, value_name = "DAY", value_parser = until, requires = "reason")]
    until: Option<Day>,
}

impl ReasonArgs {
    /// What was said, if anything was.
    #[must_use]
    pub fn said(&self) -> Option<Said> {
        Some(Said {
            reason: self.reason.clone()?,
            until: self.until,
        })
    }
}

fn reason(text: &str) -> Result<String, &'static str> {
    let text = text.trim();
    if text.is_empty() {
        return Err("it is empty");
    }
    Ok(text.to_owned())
}

fn until(text: &str) -> Result<Day, &'static str> {
    let day: Day = text.parse()?;
    if day < Day::today() {
        return Err("that day is over");
    }
    Ok(day)
}

/// Asks at a terminal for what is to be said. An empty line says nothing.
pub(super) fn ask(
    keyboard: &Keyboard,
    out: &mut dyn Write,
    question: &str,
) -> Result<Option<Said>, Failure> {
    written(write!(out, "\n{}\n> ", styled(NOTABLE, question)).and_then(|()| out.flush()))?;
    let reason = keyboard.line().map_err(Failure::terminal)?;
    Ok((!reason.is_empty()).then_some(Said {
        reason,
        until: None,
    }))
}
