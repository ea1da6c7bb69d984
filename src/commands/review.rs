//! `authz-pin review`: what differs, one snapshot after the other, at a terminal.

use crate::report::groups::{self, Shown};
use std::io::{self, Write};

use authz_pin_suite::snapshot::Said;
use clap::Args;

use super::arguments::PendingArgs;
use super::reason::ask;
use super::{Context, Failure, written};
use crate::exit::Exit;
use crate::review::Pending;
use crate::terminal::{self, ALLOWED, DENIED, FAINT, HEADING, Key, Keyboard, NOTABLE, styled};

/// What the help of `review` ends with.
pub const EXAMPLES: &str = "\
The keys are those of `cargo insta review`. Nothing is changed before all is decided, and ^C changes
nothing.

Examples:
  Review all that a check found:
    authz-pin review
  Review some endpoints only:
    authz-pin review --filter 'key-update-*'";

/// Arguments of `review`.
#[derive(Debug, Clone, Args)]
pub struct ReviewArgs {
    #[command(flatten)]
    pending: PendingArgs,
}

/// Shows one snapshot that waits after the other, asks what is to become of it, and does so in the end.
pub fn run(args: &ReviewArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let pending = args.pending.load()?;
    let keyboard = Keyboard::attached().ok_or_else(no_terminal)?;
    let mut review = Review {
        keyboard: &keyboard,
        out: context.out,
        shows_info: false,
        shows_diff: false,
        for_the_rest: None,
    };
    let Some(decisions) = review.decide_all(&pending)? else {
        return Err(interrupted());
    };
    for (one, decision) in pending.iter().zip(&decisions) {
        match decision {
            Decision::Accept(said) => one.accept(said.as_ref())?,
            Decision::Reject => one.snapshot.settle()?,
            Decision::Skip => {}
        }
    }
    written(sum(context.out, &pending, &decisions))?;
    Ok(Exit::AsPinned)
}

fn no_terminal() -> Failure {
    Failure::new(Exit::Usage, "a review takes a terminal, and here is none").help(
        "`authz-pin pending-snapshots` lists what waits; `authz-pin accept` and `authz-pin reject` decide without a terminal",
    )
}

fn interrupted() -> Failure {
    let message = "interrupted, and nothing was accepted or rejected";
    Failure::new(Exit::Interrupted, message)
}

/// What is to become of a snapshot that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Decision {
    /// With the reason, where one is needed.
    Accept(Option<Said>),
    Reject,
    Skip,
}

impl Decision {
    fn word(&self) -> &'static str {
        match self {
            Self::Accept(_) => "accepted",
            Self::Reject => "rejected",
            Self::Skip => "skipped",
        }
    }
}

/// What a key asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Accept,
    Reject,
    Skip,
    ToggleInfo,
    ToggleDiff,
    Interrupt,
}

/// The keys of cargo-insta: in upper case they are for all that remain.
fn action(key: Key) -> Option<Action> {
    match key {
        Key::Char('a' | 'A') | Key::Enter => Some(Action::Accept),
        Key::Char('r' | 'R') | Key::Escape => Some(Action::Reject),
        Key::Char('s' | 'S' | ' ') => Some(Action::Skip),
        Key::Char('i') => Some(Action::ToggleInfo),
        Key::Char('d') => Some(Action::ToggleDiff),
        Key::Interrupt => Some(Action::Interrupt),
        _ => None,
    }
}

fn is_for_the_rest(key: Key) -> bool {
    matches!(key, Key::Char('A' | 'R' | 'S'))
}

struct Review<'a> {
    keyboard: &'a Keyboard,
    out: &'a mut dyn Write,
    shows_info: bool,
    shows_diff: bool,
    for_the_rest: Option<Decision>,
}

impl Review<'_> {
    /// None if it was interrupted.
    fn decide_all(&mut self, pending: &[Pending]) -> Result<Option<Vec<Decision>>, Failure> {
        let mut decisions = Vec::new();
        while let Some((one, rest)) = pending.get(decisions.len()..).and_then(<[_]>::split_first) {
            let decision = match &self.for_the_rest {
                Some(decision) => Some(decision.clone()),
                None => self.decide(one, rest, (decisions.len() + 1, pending.len()))?,
            };
            let Some(decision) = decision else {
                return Ok(None);
            };
            decisions.push(decision);
        }
        written(self.keyboard.clear())?;
        Ok(Some(decisions))
    }

    fn decide(
        &mut self,
        one: &Pending,
        rest: &[Pending],
        place: (usize, usize),
    ) -> Result<Option<Decision>, Failure> {
        loop {
            self.show(one, place)?;
            let (key, action) = self.asked_for()?;
            let decision = match action {
                Action::Interrupt => return Ok(None),
                Action::Accept => self.accept(one, rest, is_for_the_rest(key))?,
                Action::Reject => Some(Decision::Reject),
                Action::Skip => Some(Decision::Skip),
                Action::ToggleInfo | Action::ToggleDiff => self.toggle(action),
            };
            if is_for_the_rest(key) {
                self.for_the_rest.clone_from(&decision);
            }
            if decision.is_some() {
                return Ok(decision);
            }
        }
    }

    /// Waits for a key that means something.
    fn asked_for(&self) -> Result<(Key, Action), Failure> {
        loop {
            let key = self.keyboard.key().map_err(Failure::terminal)?;
            if let Some(action) = action(key) {
                return Ok((key, action));
            }
        }
    }

    fn toggle(&mut self, action: Action) -> Option<Decision> {
        match action {
            Action::ToggleInfo => self.shows_info = !self.shows_info,
            _ => self.shows_diff = !self.shows_diff,
        }
        None
    }

    /// Accepts, with a reason if this one widens, or one of the rest does that is accepted with it. Without a reason
    /// nothing is decided.
    fn accept(
        &mut self,
        one: &Pending,
        rest: &[Pending],
        is_for_the_rest: bool,
    ) -> Result<Option<Decision>, Failure> {
        let rest = if is_for_the_rest { rest } else { &[] };
        let all = std::iter::once(one).chain(rest);
        let asking: Vec<String> = all
            .filter(|one| !one.asks().is_empty())
            .map(|one| one.snapshot.name())
            .collect();
        if asking.is_empty() {
            return Ok(Some(Decision::Accept(None)));
        }
        let names = asking.join(", ");
        let question = format!("Why is the widening of {names} accepted? An empty line goes back.");
        let said = ask(self.keyboard, self.out, &question)?;
        Ok(said.map(|said| Decision::Accept(Some(said))))
    }

    fn show(&mut self, one: &Pending, place: (usize, usize)) -> Result<(), Failure> {
        let info = self
            .shows_info
            .then(|| one.snapshot.pending_info())
            .transpose()?;
        written(self.page(one, info.as_deref(), place))
    }

    fn page(
        &mut self,
        one: &Pending,
        info: Option<&str>,
        (number, of): (usize, usize),
    ) -> io::Result<()> {
        self.keyboard.clear()?;
        let out = &mut *self.out;
        let place = styled(NOTABLE.bold(), &format!("{number}/{of}"));
        let name = styled(HEADING, &one.snapshot.name());
        writeln!(out, "Reviewing [{place}] {name}")?;
        writeln!(out, "Snapshot file: {}\n", one.snapshot.file().display())?;
        if let Some(info) = info {
            writeln!(out, "{info}")?;
        }
        drift_of(out, one)?;
        if self.shows_diff {
            writeln!(out)?;
            terminal::write_diff(out, &one.text())?;
        }
        keys(out, one.is_new(), self.shows_info, self.shows_diff)?;
        out.flush()
    }
}

/// Whoever decides sees everything.
const ALL: Shown = Shown {
    all: true,
    width: None,
};

fn drift_of(out: &mut dyn Write, one: &Pending) -> io::Result<()> {
    if one.is_new() {
        writeln!(out, "new: there is no snapshot yet")?;
    }
    match &one.drift {
        None => writeln!(out, "not classified, since it is not a record"),
        Some(drift) if drift.is_empty() => writeln!(out, "no cell differs"),
        Some(drift) => groups::human(out, drift, ALL),
    }
}

/// The keys, in the words of cargo-insta.
fn keys(out: &mut dyn Write, is_new: bool, shows_info: bool, shows_diff: bool) -> io::Result<()> {
    let toggle = |shown: bool| if shown { "hide" } else { "show" };
    let reject = if is_new {
        "reject the new snapshot"
    } else {
        "retain the old snapshot"
    };
    let (info, diff) = (
        format!("{} info", toggle(shows_info)),
        format!("{} diff", toggle(shows_diff)),
    );
    writeln!(out)?;
    for (style, key, does, means) in [
        (ALLOWED, "a", "accept", "keep the new snapshot"),
        (DENIED, "r", "reject", reject),
        (NOTABLE, "s", "skip", "keep both for now"),
        (HEADING, "i", &info, "toggles extended snapshot info"),
        (HEADING, "d", &diff, "toggle snapshot diff"),
    ] {
        let (key, means) = (styled(style.bold(), key), styled(FAINT, means));
        writeln!(out, "  {key} {does:<10} {means}")?;
    }
    let tip = "Tip: Use uppercase A/R/S to apply to all remaining snapshots; ^C changes nothing";
    writeln!(out, "\n  {}", styled(FAINT, tip))
}

fn sum(out: &mut dyn Write, pending: &[Pending], decisions: &[Decision]) -> io::Result<()> {
    writeln!(out, "{}", styled(HEADING, "review finished"))?;
    for (style, word) in [
        (ALLOWED, "accepted"),
        (DENIED, "rejected"),
        (NOTABLE, "skipped"),
    ] {
        let decided = pending.iter().zip(decisions);
        let mut these = decided
            .filter(|(_, decision)| decision.word() == word)
            .peekable();
        if these.peek().is_some() {
            writeln!(out, "{}:", styled(style, word))?;
        }
        these.try_for_each(|(one, _)| writeln!(out, "  {}", one.snapshot.file().display()))?;
    }
    Ok(())
}
