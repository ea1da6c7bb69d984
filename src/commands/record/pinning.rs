//! What is accepted after two sweeps that agree: told first, with a reason where one is needed, then written.

use std::io::Write as _;
use std::iter::repeat_n;

use authz_pin_record::kinds::Level;
use authz_pin_record::record::Record;
use authz_pin_suite::diagnostic::quoted;
use authz_pin_suite::file;
use authz_pin_suite::plan::EndpointPlan;
use authz_pin_suite::snapshot::{Info, Said, Snapshot};
use authz_pin_suite::suite::Suite;
use authz_pin_sweep::calibrate::{self, Rule};
use authz_pin_sweep::seen::Seen;
use indexmap::IndexMap;

use super::RecordArgs;
use crate::asks::Asks;
use crate::commands::check::{renamed, source};
use crate::commands::reason::ask;
use crate::commands::{Context, Failure, told, written};
use crate::exit::Exit;
use crate::orphan::{Orphan, Orphans};
use crate::pins;
use crate::terminal::Keyboard;

/// Records that are to be accepted.
pub(super) struct Pinning<'a> {
    suite: &'a Suite,
    records: &'a IndexMap<String, Record>,
    seen: &'a Seen,
    /// How many cells were swept once.
    once: usize,
    /// The snapshots of the records, in their order, with how many cells these have.
    snapshots: Vec<(Snapshot, usize)>,
    rules: Vec<(Rule, String)>,
    orphans: Orphans,
    asks: Asks,
    /// Whether nothing of the suite was pinned before.
    is_first: bool,
}

impl<'a> Pinning<'a> {
    pub(super) fn of(
        suite: &'a Suite,
        plan: &[EndpointPlan<'_>],
        (records, seen, once): (&'a IndexMap<String, Record>, &'a Seen, usize),
        rules: Vec<(Rule, String)>,
    ) -> Result<Self, Failure> {
        let is_first = Orphans::of(suite)?.has_no_snapshot(suite);
        let (orphans, renamed) = renamed(suite, plan, records)?;
        let snapshots = plan.iter().zip(records.keys()).map(|(plan, name)| {
            let snapshot = Snapshot::new(&suite.snapshots(), name);
            let snapshot = match renamed.get(name) {
                Some(former) => snapshot.formerly(former),
                None => snapshot,
            };
            (snapshot, plan.cells.len())
        });
        let snapshots: Vec<(Snapshot, usize)> = snapshots.collect();
        let own = snapshots.iter().map(|(snapshot, _)| snapshot);
        let asks = Asks::of(own.zip(records.values()), &suite.file.levels)?;
        Ok(Self {
            suite,
            records,
            seen,
            once,
            snapshots,
            rules,
            orphans,
            asks,
            is_first,
        })
    }

    /// Whether somebody has to be asked, and can be.
    pub(super) fn has_to_ask(&self, args: &RecordArgs) -> bool {
        let is_open = !self.asks.is_empty() && args.reason.said().is_none();
        is_open && Keyboard::attached().is_some()
    }

    /// Shows what is about to be pinned.
    fn show(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        let shown = pins::write(
            context.out,
            self.suite,
            self.records,
            (self.seen, self.once),
        );
        written(shown)
    }

    /// Accepts with the reason that was given, if one is needed.
    pub(super) fn answered(
        &self,
        args: &RecordArgs,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let said: Vec<Said> = match args.reason.said() {
            Some(said) => repeat_n(said, self.asks.len()).collect(),
            None if self.asks.is_empty() => Vec::new(),
            None => return Err(self.no_reason(args)),
        };
        self.show(context)?;
        self.accept(args, &said, context)
    }

    /// Asks for a reason for each thing that takes one, and accepts if there is one for all.
    pub(super) fn asked(
        &self,
        args: &RecordArgs,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let keyboard = Keyboard::attached().ok_or_else(|| self.no_reason(args))?;
        self.show(context)?;
        let mut said = Vec::new();
        for lines in self.asks.each() {
            let question = format!(
                "{}\nWhy is this accepted? An empty line accepts nothing of all.",
                lines.join("\n")
            );
            match ask(&keyboard, context.out, &question)? {
                Some(answer) => said.push(answer),
                None => return Err(self.no_reason(args)),
            }
        }
        self.accept(args, &said, context)
    }

    fn no_reason(&self, args: &RecordArgs) -> Failure {
        let lines = self.asks.each().concat();
        let message = format!(
            "what weighs `deny` takes a reason, and nothing was accepted:\n  {}",
            lines.join("\n  ")
        );
        let command = args.command();
        let help = format!(
            "mend the service, or say why it is pinned: {command} --reason TEXT, for a while with --until DAY"
        );
        Failure::new(Exit::Usage, message).help(help)
    }

    /// Writes the rules that made the records stable, then the records, and looks at the snapshots of no endpoint.
    fn accept(
        &self,
        args: &RecordArgs,
        said: &[Said],
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let texts = self.records.values().map(Record::to_yaml);
        let texts: Vec<String> = texts.collect::<Result<_, _>>()?;
        self.add_rules(context)?;
        let reasons = self.asks.answered(said);
        for ((snapshot, cells), text) in self.snapshots.iter().zip(&texts) {
            let former = snapshot.former_files();
            let new = reasons.get(&snapshot.name());
            let new = new.map_or(&[][..], Vec::as_slice);
            snapshot.accept(text, &source(self.suite), &Info::new(*cells), new)?;
            written(writeln!(
                context.out,
                "accepted {}",
                snapshot.file().display()
            ))?;
            for file in former {
                written(writeln!(context.out, "removed {}", file.display()))?;
            }
        }
        let orphans = self.orphans.settle(args.unreferenced)?;
        tell(&orphans, context)?;
        if self.is_first && !self.snapshots.is_empty() {
            next(args, context)?;
        }
        let is_rejected = orphans.iter().any(|orphan| orphan.level == Level::Deny);
        Ok(if is_rejected {
            Exit::Drift
        } else {
            Exit::AsPinned
        })
    }

    fn add_rules(&self, context: &mut Context<'_>) -> Result<(), Failure> {
        if self.rules.is_empty() {
            return Ok(());
        }
        add(self.suite, &self.rules)?;
        let suite = self.suite.folder.join("suite.yaml");
        let (suite, rules) = (suite.display(), calibrate::shown(&self.rules));
        written(writeln!(context.out, "added to {suite}:\n{rules}"))
    }
}

fn add(suite: &Suite, rules: &[(Rule, String)]) -> Result<(), Failure> {
    let path = suite.folder.join("suite.yaml");
    let name = quoted(&path.to_string_lossy());
    let text = std::fs::read_to_string(&path).map_err(Failure::file("read", &path))?;
    let Some(edited) = calibrate::add(&path, &text, rules) else {
        let message = format!("cannot add rules to {name} as it is written, nothing was accepted");
        let help = format!("add these rules to it:\n{}", calibrate::shown(rules));
        return Err(Failure::new(Exit::Usage, message).help(help.trim_end()));
    };
    let written = file::write(&path, |file| file.write_all(edited.as_bytes()));
    written.map_err(Failure::file("write", &path))
}

fn tell(orphans: &[Orphan], context: &mut Context<'_>) -> Result<(), Failure> {
    for orphan in orphans {
        told(writeln!(
            context.err,
            "note: {}: {}",
            orphan.name,
            orphan.title()
        ))?;
        for line in orphan.lines() {
            told(writeln!(context.err, "    {line}"))?;
        }
    }
    if orphans.iter().any(|orphan| !orphan.deleted) {
        let help = "restore the endpoint's file, or delete the snapshot with --unreferenced delete";
        told(writeln!(context.err, "  = help: {help}"))?;
    }
    Ok(())
}

/// What to do after a first recording, for whoever does not know yet.
fn next(args: &RecordArgs, context: &mut Context<'_>) -> Result<(), Failure> {
    let suite = args.suite_argument();
    told(writeln!(
        context.err,
        "next: authz-pin check{suite} compares with what was accepted\n\
         next: authz-pin sensitivity{suite} says what no cell would show"
    ))
}
