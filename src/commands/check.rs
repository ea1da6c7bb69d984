//! `authz-pin check`: sweep, compare with the snapshots, report.

use authz_pin_database::guard::Permits;
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};
use std::time::{Instant, SystemTime};

use authz_pin_database::guard;
use authz_pin_record::causes::{Cause, causes};
use authz_pin_record::drift::{self, Comparison};
use authz_pin_record::record::Record;
use authz_pin_suite::plan::EndpointPlan;
use authz_pin_suite::snapshot::{self, Day, Info, Snapshot, over};
use authz_pin_suite::suite::{Place, Suite};
use authz_pin_sweep::calibrate;
use authz_pin_sweep::conclusive;
use authz_pin_sweep::dry_run::DryRun;
use authz_pin_sweep::seen::Seen;
use authz_pin_sweep::service::{Given, Started};
use authz_pin_sweep::sweep::{Calls, End, Options, Proposed, Sweep, sweep_and_hold};
use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use indexmap::IndexMap;

use super::arguments::{Format, ServiceArgs, SnapshotArgs, SuiteArgs, SweepArgs};
use super::{Context, Failure, all_removed, nothing_left, to_its_end, told};
use crate::exit::Exit;
use crate::orphan::{Orphan, Orphans, Unreferenced};
use crate::report::groups::Shown;
use crate::report::{Destination, FORMS, FailOn, Findings, Outcome, Report, Totals, human, json};
use crate::terminal::Bar;

/// What the help of `check` ends with.
pub const EXAMPLES: &str = "\
Examples:
  Check everything against the suite's own service:
    authz-pin check
  Check one row of the matrix, or one column of all of them:
    authz-pin check --filter \"key-delete/owner's key\"
    authz-pin check --filter '*/*/org_admin'
  Check one of four parts, in a job beside those of the other three:
    authz-pin check --shard 1/4
  See what would be sent and written, and do neither:
    authz-pin check --filter '*/*/org_admin' --dry-run
  Find the commit that let somebody in, by a suite that stays as it is:
    git bisect run authz-pin check ../pinned/suite --bisect widened
  Check a service that runs already:
    AUTHZ_PIN_VAR_MASTER_KEY=... authz-pin check --base-url http://localhost:4000 \\
      --database-url postgres://USER:PASSWORD@localhost/DATABASE";

/// Arguments of `check`.
#[derive(Debug, Clone, Default, Args)]
pub struct CheckArgs {
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    sweep: SweepArgs,
    #[command(flatten)]
    snapshots: SnapshotArgs,
    /// What to do about snapshots that belong to no endpoint of the whole suite, whatever is swept
    #[arg(long, value_enum, default_value_t, help_heading = "Snapshots")]
    unreferenced: Unreferenced,
    /// Fail also on findings that are pinned, where they weigh at least LEVEL [default: deny]
    #[arg(long, value_name = "findings[=LEVEL]", help_heading = "Snapshots")]
    fail_on: Option<FailOn>,
    /// The form of the result
    #[arg(long, value_enum, default_value_t, help_heading = "Output")]
    format: Format,
    /// Show the matrices of all endpoints, every difference, and the lines of the records that differ
    #[arg(long, help_heading = "Output")]
    all: bool,
    /// What has to be seen of every cell, or the run is inconclusive; can be repeated
    #[arg(long, value_name = "WHAT", value_enum, help_heading = "Sweep")]
    require: Vec<Require>,
    /// Print what would be sent and written, and do neither: nothing is connected to
    #[arg(long, help_heading = "Output")]
    dry_run: bool,
    /// End as `git bisect run` understands it: with 1 where there is drift of KIND, with 0 where there is none of it, and with 125
    /// where the check says nothing; no `.snap.new` is written
    #[arg(long, value_name = "KIND", value_parser = kinds(), hide_possible_values = true)]
    #[arg(help_heading = "Output", conflicts_with = "dry_run")]
    bisect: Option<String>,
    #[arg(long, value_name = "FORMAT=FILE", help_heading = "Output")]
    #[arg(help = format!("Write a report to a file as well, or with `-` to standard output, and what is for a person to standard error; can be repeated [formats: {}]", forms()))]
    report: Vec<Destination>,
}

/// What a run can be required to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Require {
    /// The effects of every cell.
    Effects,
}

impl Require {
    /// That it was not seen, in words.
    fn missing(self, seen: &Seen) -> Option<String> {
        let Self::Effects = self;
        let missing = !seen.has_all_effects();
        missing.then(|| "not all effects were observed (`--require effects`)".to_owned())
    }
}

/// The kinds of drift, by their names.
fn kinds() -> PossibleValuesParser {
    let kinds = drift::table().iter();
    PossibleValuesParser::new(kinds.map(|entry| PossibleValue::new(entry.id.as_str())))
}

fn forms() -> String {
    let names: Vec<&str> = FORMS.iter().map(|(name, _)| *name).collect();
    names.join(", ")
}

/// Sweeps the suite and compares every record with its snapshot. What differs is written beside it as `.snap.new`,
/// which `cargo insta review` shows and accepts.
pub async fn run(args: &CheckArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let ended = checked(args, context).await;
    match args.bisect {
        Some(_) => told_or_not(ended),
        None => ended,
    }
}

/// What `git bisect run` takes: any code from 1 to 127 but 125 is that of a bad commit to it.
fn told_or_not(ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
    let code = |exit| match exit {
        Exit::AsPinned | Exit::Drift | Exit::Interrupted => exit,
        _ => Exit::Untold,
    };
    ended.map(code).map_err(|mut failure| {
        failure.exit = code(failure.exit);
        failure
    })
}

async fn checked(args: &CheckArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let start = Instant::now();
    args.one_result()?;
    let mut suite = args.suite.load()?;
    args.snapshots.apply(&mut suite)?;
    let plan = args.suite.plan(&suite, context.err)?;
    let given = args.service.resolve(&suite)?;
    if args.dry_run {
        return print_dry_run(
            &DryRun::new(&suite, &plan, &given, 1)?,
            args.format,
            context,
        );
    }
    snapshot::admit(&suite.snapshots())?;
    let (bar, options) = (bar(&plan), args.options(&suite, &plan)?);
    let held = hold(&suite, &plan, &given, &options, &bar, context).await;
    let done = match held {
        Ok(held) => args.finish(&suite, &plan, held, start, context).await,
        Err(failure) => Err(failure),
    };
    // Also of a run that failed: most of all then somebody wants to see what was sent.
    both(done, args.sweep.write_har(options.har.as_ref()), context)
}

/// Says what the service writes by itself and the suite does not say so.
pub(super) fn tell_background(
    suite: &Suite,
    proposed: &[Proposed],
    context: &mut Context<'_>,
) -> Result<(), Failure> {
    let told = calibrate::told(&suite.file, proposed);
    super::told(context.err.write_all(told.as_bytes()))
}

/// What came of a sweep whose run was undone. Where both failed, what stays changed is told first.
pub(super) fn both<T>(
    result: Result<T, Failure>,
    undone: Result<(), Failure>,
    context: &mut Context<'_>,
) -> Result<T, Failure> {
    if let (Err(_), Err(failure)) = (&result, &undone) {
        told(writeln!(context.err, "{failure}"))?;
    }
    let value = result?;
    undone.map(|()| value)
}

impl CheckArgs {
    /// Only reports show how to repeat a call.
    fn options(&self, suite: &Suite, plan: &[EndpointPlan<'_>]) -> Result<Options, Failure> {
        Ok(Options {
            calls: self.format == Format::Json || !self.report.is_empty(),
            pinned: Some(pinned(suite, plan)?.into()),
            ..(&self.sweep).into()
        })
    }

    /// Says what a sweep found, and undoes it.
    async fn finish(
        &self,
        suite: &Suite,
        plan: &[EndpointPlan<'_>],
        (mut swept, end): (Sweep, Held<'_>),
        start: Instant,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let background = std::mem::take(&mut swept.background);
        let exit = self.report(suite, plan, swept, start, context);
        tell_background(suite, &background, context)?;
        let undone = end.undo().await;
        both(exit, undone, context)
    }

    /// A program that reads standard output reads one document.
    fn one_result(&self) -> Result<(), Failure> {
        let reports = self.report.iter().filter(|to| to.is_stdout()).count();
        if reports + usize::from(self.format == Format::Json) <= 1 {
            return Ok(());
        }
        let message = "standard output can hold one report";
        Err(Failure::new(Exit::Usage, message).help("write the others to files"))
    }

    /// Compares, and writes what came of it, before anything that can fail later.
    fn report(
        &self,
        suite: &Suite,
        plan: &[EndpointPlan<'_>],
        mut swept: Sweep,
        start: Instant,
        context: &mut Context<'_>,
    ) -> Result<Exit, Failure> {
        let mut inconclusive = conclusive::of_run(suite, &swept, self.suite.is_whole());
        let required = self.require.iter();
        inconclusive.extend(required.filter_map(|what| what.missing(&swept.seen)));
        let proposes = inconclusive.is_empty() && self.bisect.is_none();
        inconclusive.extend(conclusive::left_out(&swept));
        let totals = Totals::new(swept.cells, swept.requests, start.elapsed());
        let seen = std::mem::take(&mut swept.seen);
        let (endpoints, orphans) = compare(suite, plan, swept, (self.unreferenced, proposes))?;
        let report = Report {
            suite: suite.file.name.clone(),
            made: SystemTime::now(),
            totals,
            seen,
            inconclusive,
            open: self.open(suite, &endpoints),
            endpoints,
            orphans,
        };
        self.write(&report, context)?;
        super::written(context.out.flush())?;
        Ok(self.exit(&report))
    }

    fn exit(&self, report: &Report) -> Exit {
        let mut drifts = report.endpoints.iter().flat_map(Outcome::drifts);
        let is_as_pinned = match &self.bisect {
            Some(kind) => !drifts.any(|drift| drift.kind.id() == *kind),
            None => report.faults().is_empty(),
        };
        match (report.inconclusive.is_empty(), is_as_pinned) {
            (false, _) => Exit::Inconclusive,
            (true, true) => Exit::AsPinned,
            (true, false) => Exit::Drift,
        }
    }

    /// The pinned findings on which the check is to fail.
    fn open(&self, suite: &Suite, endpoints: &[Outcome]) -> Vec<Cause> {
        let Some(FailOn(level)) = self.fail_on else {
            return Vec::new();
        };
        let findings = endpoints.iter().flat_map(|outcome| {
            let pinned = outcome.findings.pinned.iter();
            pinned.map(|finding| (outcome.name.as_str(), finding))
        });
        let mut causes = causes(findings, &suite.file.levels);
        causes.retain(|cause| cause.level <= level);
        causes
    }

    fn write(&self, report: &Report, context: &mut Context<'_>) -> Result<(), Failure> {
        for destination in &self.report {
            written(destination, report, context.out)?;
        }
        let is_taken = self.report.iter().any(Destination::is_stdout);
        let (all, width) = (self.all, context.width);
        let shown = Shown { all, width };
        match self.format {
            Format::Human if is_taken => told(human::write(context.err, report, shown)),
            Format::Human => super::written(human::write(context.out, report, shown)),
            Format::Json => super::written(json::write(context.out, report)),
        }
    }
}

fn written(to: &Destination, report: &Report, stdout: &mut dyn Write) -> Result<(), Failure> {
    to.write(report, stdout).map_err(|error| {
        let doing = format!("cannot write the report `{to}`");
        Failure::because(Exit::of_file(&error), doing, error)
    })
}

/// Prints what a run would do.
pub(super) fn print_dry_run(
    run: &DryRun,
    format: Format,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    to_its_end(match format {
        Format::Human => write!(context.out, "{run}"),
        Format::Json => writeln!(context.out, "{}", serde_json::json!(run)),
    })?;
    Ok(Exit::AsPinned)
}

/// A bar over all cells of a plan.
pub(super) fn bar(plan: &[EndpointPlan<'_>]) -> Bar {
    Bar::new(plan.iter().map(|endpoint| endpoint.cells.len()).sum())
}

/// What is left to be done after a sweep: the run is undone, and what was started for it stopped.
pub(super) struct Held<'a>(Option<(End<'a>, Started)>);

impl Held<'_> {
    /// Undoes the run. What could not be undone is a failure.
    pub(super) async fn undo(self) -> Result<(), Failure> {
        let Some((end, started)) = self.0 else {
            return Ok(());
        };
        let undone = Box::pin(end.undo()).await;
        started.stop().await;
        let undone = undone?;
        nothing_left(&undone.leftovers)?;
        all_removed(&undone.left)
    }
}

/// Starts or reaches the service and sweeps it once.
pub(super) async fn hold<'a>(
    suite: &'a Suite,
    plan: &'a [EndpointPlan<'a>],
    given: &Given,
    options: &'a Options,
    bar: &'a Bar,
    context: &Context<'_>,
) -> Result<(Sweep, Held<'a>), Failure> {
    // A shard can be without endpoints, and then nothing needs to be there.
    if plan.is_empty() {
        return Ok((Sweep::default(), Held(None)));
    }
    let permits = Permits {
        databases: &given.allow_database,
        publication: given.allow_publication,
    };
    Box::pin(guard::admit(suite, &given.addresses(suite), permits)).await?;
    let started = Started::new(suite, given, context.launchers).await?;
    let swept = sweep_and_hold(suite, plan, &started.service, options, bar);
    let swept = Box::pin(swept).await;
    bar.finish();
    match swept {
        Ok((found, end)) => Ok((found, Held(Some((end, started))))),
        Err(error) => {
            started.stop().await;
            Err(error.into())
        }
    }
}

/// The snapshots of what is swept, and of what can be asked whether credentials work, by endpoint.
fn pinned(suite: &Suite, plan: &[EndpointPlan<'_>]) -> Result<BTreeMap<String, Record>, Failure> {
    let is_swept = |name: &String| plan.iter().any(|plan| plan.endpoint.name == *name);
    let mut pinned = BTreeMap::new();
    let endpoints = suite.endpoints.iter();
    for endpoint in endpoints.filter(|one| one.can_be_asked() || is_swept(&one.name)) {
        // One that is no record is told where it is compared.
        let record = Snapshot::new(&suite.snapshots(), &endpoint.name).record()?;
        pinned.extend(record.map(|record| (endpoint.name.clone(), record)));
    }
    Ok(pinned)
}

fn compare(
    suite: &Suite,
    plan: &[EndpointPlan<'_>],
    mut swept: Sweep,
    (unreferenced, proposes): (Unreferenced, bool),
) -> Result<(Vec<Outcome>, Vec<Orphan>), Failure> {
    let (orphans, renamed) = renamed(suite, plan, &swept.records)?;
    let records = plan.iter().zip(swept.records);
    let outcomes = records.map(|(plan, (name, now))| {
        let calls = swept.calls.swap_remove(&name).unwrap_or_default();
        let is_whole = plan.is_whole(suite) && !swept.inconclusive.contains_key(&name);
        let extent = Extent { is_whole, proposes };
        compare_one(suite, plan, extent, (now, calls), renamed.get(&name))
    });
    let outcomes = outcomes.collect::<Result<_, Failure>>()?;
    let mut orphans = orphans.settle(unreferenced)?;
    for file in orphans.iter_mut().flat_map(|orphan| &mut orphan.files) {
        *file = file_from_here(file);
    }
    Ok((outcomes, orphans))
}

/// The snapshots that belong to no endpoint, and those that are of an endpoint by its earlier name. A part of a record says
/// too little for that.
pub(super) fn renamed(
    suite: &Suite,
    plan: &[EndpointPlan<'_>],
    records: &IndexMap<String, Record>,
) -> Result<(Orphans, IndexMap<String, Snapshot>), Failure> {
    let is_whole = |name: &str| {
        let mut own = plan.iter().filter(|plan| plan.endpoint.name == name);
        own.any(|plan| plan.is_whole(suite))
    };
    let orphans = Orphans::of(suite)?;
    let records = records.iter().map(|(name, record)| (name.as_str(), record));
    let renamed = orphans.renamed(records.filter(|(name, _)| is_whole(name)));
    Ok((orphans.without(&renamed, is_whole), renamed))
}

/// What of a record was swept, and what is done with it.
#[derive(Clone, Copy)]
struct Extent {
    /// Whether it has all its cells.
    is_whole: bool,
    /// Whether it is kept for review where it differs.
    proposes: bool,
}

/// Compares one record; a part of one is compared with the same part of the snapshot, and never written.
fn compare_one(
    suite: &Suite,
    plan: &EndpointPlan<'_>,
    Extent {
        is_whole: whole,
        proposes,
    }: Extent,
    (now, calls): (Record, Calls),
    former: Option<&Snapshot>,
) -> Result<Outcome, Failure> {
    let name = plan.endpoint.name.clone();
    let snapshot = Snapshot::new(&suite.snapshots(), &name);
    let snapshot = match former {
        Some(former) => snapshot.formerly(former),
        None => snapshot,
    };
    let text = now.to_yaml()?;
    let accepted = snapshot.read()?;
    let old = match &accepted {
        Some(old) if !whole => Some(part_of(old, &now)?),
        old => old.clone(),
    };
    let comparison = drift::compare(old.as_deref(), &text);
    let comparison = match former {
        Some(former) => comparison.renamed(&former.name(), &name),
        None => comparison,
    };
    let comparison = comparison.weighed(&suite.file.levels);
    let expired = over(&snapshot.reasons()?, &now.findings, Day::today());
    if whole {
        match comparison {
            Comparison::Same => snapshot.settle()?,
            _ if !proposes => {}
            _ => snapshot.propose(&text, &source(suite), &Info::new(plan.cells.len()))?,
        }
    }
    let before = match comparison {
        Comparison::Changed { .. } => old.and_then(|old| Record::parse(&old).ok()),
        Comparison::Same | Comparison::New => None,
    };
    let before = before.map(|before| drift::under_new_names(&before, &now));
    Ok(Outcome {
        name,
        place: from_here(&plan.endpoint.place),
        findings: match (whole, &comparison, &before) {
            (false, ..) => findings_of_part(accepted.as_deref(), &now),
            (true, Comparison::Same, _) => Findings::between(&now.findings, &now.findings),
            (true, _, before) => {
                let before = before.as_ref().map_or(&[][..], |it| it.findings.as_slice());
                Findings::between(before, &now.findings)
            }
        },
        expired,
        before,
        now,
        comparison,
        calls,
    })
}

/// What the whole snapshot says of the findings of a part.
fn findings_of_part(accepted: Option<&str>, now: &Record) -> Findings {
    let before = accepted.and_then(|text| Record::parse(text).ok());
    Findings::of_part(
        before.as_ref().map_or(&[][..], |it| it.findings.as_slice()),
        &now.findings,
    )
}

/// A place as those name it who look at the working directory, such as a CI.
fn from_here(place: &Place) -> Place {
    Place {
        file: file_from_here(&place.file),
        ..place.clone()
    }
}

fn file_from_here(file: &Path) -> PathBuf {
    relative(file).unwrap_or_else(|| file.to_owned())
}

fn relative(file: &Path) -> Option<PathBuf> {
    let file = without_parents(&std::path::absolute(file).ok()?);
    let below = file.strip_prefix(std::env::current_dir().ok()?).ok()?;
    Some(below.to_owned())
}

/// A path without `..`, as in that of a folder beside the suite's.
fn without_parents(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// What a snapshot's header names as its source.
pub(super) fn source(suite: &Suite) -> String {
    snapshot::source_of(&suite.file.name)
}

/// The cells of a snapshot that were swept now. Its findings are about the whole, so those are left out on both sides.
fn part_of(old: &str, record: &Record) -> Result<String, Failure> {
    let Ok(old) = Record::parse(old) else {
        return Ok(old.to_owned());
    };
    let mut part = old.retain(|target, actor| record.cell_at(target, actor).is_some());
    part.findings.clone_from(&record.findings);
    Ok(part.to_yaml()?)
}
