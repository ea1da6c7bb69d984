//! `authz-pin record`: sweep, sweep what tells something once more, refuse what is not stable, tell what is pinned, accept.

mod pinning;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

use authz_pin_record::record::Record;
use authz_pin_record::text::short;
use authz_pin_suite::plan::EndpointPlan;
use authz_pin_suite::snapshot;
use authz_pin_suite::suite::{Suite, SuiteFile};
use authz_pin_suite::yaml::inline;
use authz_pin_sweep::again;
use authz_pin_sweep::calibrate::{self, Rule, Unstable};
use authz_pin_sweep::conclusive;
use authz_pin_sweep::dry_run::DryRun;
use authz_pin_sweep::har::Recording;
use authz_pin_sweep::seen::Seen;
use authz_pin_sweep::sweep::{Answered, Options, Own, Proposed};
use clap::Args;
use indexmap::IndexMap;
use serde_json::json;

use super::arguments::{Format, ServiceArgs, SnapshotArgs, SuiteArgs, SweepArgs};
use super::check::{Held, bar, both, hold, print_dry_run, tell_background};
use super::reason::ReasonArgs;
use super::{Context, Failure};
use crate::exit::Exit;
use crate::orphan::Unreferenced;
use crate::terminal::Bar;

use pinning::Pinning;

/// What the help of `record` ends with.
pub const EXAMPLES: &str = "\
Examples:
  Accept what the suite's own service does now:
    authz-pin record
  Accept it for some endpoints only:
    authz-pin record --filter 'key-update-*'
  Accept it although there are findings of level deny, until the service is mended:
    authz-pin record --reason 'known, #412 mends it' --until 2027-01-31
  Add the rules that a service needs whose columns hold a new value each time:
    authz-pin record --calibrate";

/// Arguments of `record`.
#[derive(Debug, Clone, Args)]
pub struct RecordArgs {
    #[command(flatten)]
    suite: SuiteArgs,
    #[command(flatten)]
    service: ServiceArgs,
    #[command(flatten)]
    sweep: SweepArgs,
    #[command(flatten)]
    snapshots: SnapshotArgs,
    /// What to do about snapshots that belong to no endpoint of the whole suite, whatever is recorded
    #[arg(long, value_enum, default_value_t = Unreferenced::Warn, help_heading = "Snapshots")]
    unreferenced: Unreferenced,
    #[command(flatten)]
    reason: ReasonArgs,
    /// Add rules to suite.yaml for columns and texts that are not stable, and sweep again
    ///
    /// Each rule gets a comment, and everything else in the file stays as it is. What is pinned is never ruled out: a
    /// status, a gate's type, whether there is an effect. Where no rule helps, nothing is added and nothing is accepted.
    #[arg(long)]
    calibrate: bool,
    /// Print what would be sent and written, and do neither: nothing is connected to
    #[arg(long, help_heading = "Output", conflicts_with = "calibrate")]
    dry_run: bool,
}

impl RecordArgs {
    /// The folder of the suite as an argument, where one was given.
    fn suite_argument(&self) -> String {
        let suite = self.suite.suite.as_ref();
        suite.map_or_else(String::new, |suite| format!(" {}", suite.display()))
    }

    /// What of the command line says which endpoints are recorded.
    fn command(&self) -> String {
        let filters = self.suite.filter.iter();
        let filters = filters.map(|filter| format!(" --filter '{filter}'"));
        let shard = self.suite.shard.map(|shard| format!(" --shard {shard}"));
        let selected: Vec<String> = filters.chain(shard).collect();
        let suite = self.suite_argument();
        format!("authz-pin record{suite}{}", selected.concat())
    }
}

/// How often rules are made of what still differs.
const ROUNDS: usize = 3;

/// Sweeps, and sweeps a cell of each kind and all that change rows once more with different symbols; accepts the records if
/// both sweeps gave the same ones.
pub async fn run(args: &RecordArgs, context: &mut Context<'_>) -> Result<Exit, Failure> {
    let har = args.sweep.recording();
    let done = rounds(args, har.as_ref(), context).await;
    both(done, args.sweep.write_har(har.as_ref()), context)
}

/// Sweeps twice, and with other rules again where they are made.
async fn rounds(
    args: &RecordArgs,
    har: Option<&Arc<Recording>>,
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let mut suite = args.suite.load()?;
    args.snapshots.apply(&mut suite)?;
    let mut rules: Vec<(Rule, String)> = Vec::new();
    // What was found before, and the endpoints that new rules change.
    let mut before: Option<(Twice, BTreeSet<String>)> = None;
    for round in 0..=ROUNDS {
        let plan = args.suite.plan(&suite, context.err)?;
        whole(&suite, &plan)?;
        if args.dry_run {
            return dry_run(args, &suite, &plan, context);
        }
        snapshot::admit(&suite.snapshots())?;
        let part = changed_part(&plan, before.as_ref().map(|(_, changed)| changed));
        // Of a part nobody can say that nobody was allowed anything.
        let is_whole = args.suite.is_whole() && before.is_none();
        let (bar, options, again) = (bar(&part), options(args, har), OnceCell::new());
        let plans = Plans {
            first: (&part, &bar),
            again: &again,
            is_whole,
        };
        let (mut twice, held) = twice(args, &suite, plans, &options, context).await?;
        if let Some((before, _)) = before.take() {
            twice = before.with(twice);
        }
        let (is_last, tried) = (round == ROUNDS, rules.len());
        let decided = match twice.decide(args.calibrate, is_last) {
            Ok(None) => match twice.pinning(&suite, &plan, &rules, args.calibrate) {
                // Nothing of the run stays while somebody thinks.
                Ok(pinning) if pinning.has_to_ask(args) => {
                    held.undo().await?;
                    return pinning.asked(args, context);
                }
                Ok(pinning) => pinning.answered(args, context).map(Some),
                Err(failure) => Err(failure),
            },
            Ok(Some(steadied)) => {
                rules.extend(steadied);
                Ok(None)
            }
            Err(failure) => Err(failure),
        };
        if !args.calibrate {
            tell_background(&suite, &twice.background, context)?;
        }
        let undone = held.undo().await;
        if let Some(exit) = both(decided, undone, context)? {
            return Ok(exit);
        }
        let new = rules.get(tried..).unwrap_or_default();
        before = apply(new, &mut suite.file).map(|changed| (twice, changed));
    }
    // The last round has returned.
    Ok(Exit::Unstable)
}

fn dry_run(
    args: &RecordArgs,
    suite: &Suite,
    plan: &[EndpointPlan<'_>],
    context: &mut Context<'_>,
) -> Result<Exit, Failure> {
    let given = args.service.resolve(suite)?;
    let run = DryRun::new(suite, plan, &given, 2)?;
    print_dry_run(&run, Format::Human, context)
}

fn options(args: &RecordArgs, har: Option<&Arc<Recording>>) -> Options {
    let mut options = Options::from(&args.sweep);
    options.har = har.cloned();
    options.compared = true;
    options
}

/// The endpoints of a plan that are swept: those that rules have changed, and without such all.
fn changed_part<'s>(
    plan: &[EndpointPlan<'s>],
    changed: Option<&BTreeSet<String>>,
) -> Vec<EndpointPlan<'s>> {
    let is_changed = |plan: &&EndpointPlan<'_>| {
        changed.is_none_or(|changed| changed.contains(&plan.endpoint.name))
    };
    plan.iter().filter(is_changed).cloned().collect()
}

/// Makes rules some of the suite's, and gives the endpoints whose records they change; none where one can change any.
fn apply(rules: &[(Rule, String)], file: &mut SuiteFile) -> Option<BTreeSet<String>> {
    for (rule, because) in rules {
        rule.apply(file, because);
    }
    let endpoints = rules.iter().map(|(rule, _)| rule.endpoint());
    endpoints.map(|name| name.map(str::to_owned)).collect()
}

fn whole(suite: &Suite, plan: &[EndpointPlan<'_>]) -> Result<(), Failure> {
    let Some(part) = plan.iter().find(|plan| !plan.is_whole(suite)) else {
        return Ok(());
    };
    let name = &part.endpoint.name;
    let message = format!("the filter selects only some cells of `{name}`");
    let failure = Failure::new(Exit::Usage, message);
    Err(failure.help("a snapshot holds a whole endpoint: filter by endpoints"))
}

/// The records of the first sweep, and what the second one showed differently.
#[derive(Default)]
struct Twice {
    records: IndexMap<String, Record>,
    /// What the first sweep saw, and what it did not.
    seen: Seen,
    unstable: Vec<Unstable>,
    /// The endpoints of which cells were swept once more, one at a time.
    repeated: BTreeSet<String>,
    /// Why what was seen does not say enough.
    inconclusive: Vec<String>,
    /// What the service writes by itself.
    background: Vec<Proposed>,
    /// How many cells were swept once, since others like them were swept twice.
    once: usize,
}

impl Twice {
    /// The same with what was found of some endpoints since, with other rules.
    fn with(mut self, since: Self) -> Self {
        self.records.extend(since.records);
        self.repeated.extend(since.repeated);
        Self {
            unstable: since.unstable,
            inconclusive: since.inconclusive,
            background: merged(self.background, since.background),
            ..self
        }
    }

    /// Nothing, if the records are stable; or the rules that would make them so and are to be tried.
    fn decide(
        &self,
        is_calibrated: bool,
        is_last: bool,
    ) -> Result<Option<Vec<(Rule, String)>>, Failure> {
        if !self.inconclusive.is_empty() {
            return Err(inconclusive(&self.inconclusive));
        }
        if self.unstable.is_empty() {
            return Ok(None);
        }
        let unstable = self.unstable.iter();
        if is_last {
            return Err(not_stable(&unstable.collect::<Vec<_>>(), is_calibrated));
        }
        let others: Vec<_> = unstable.filter(|one| !one.has_rule_of_a_value()).collect();
        let is_steadied = |one: &&Unstable| is_calibrated && one.has_rule_of_the_suite();
        if !others.iter().all(is_steadied) {
            return Err(not_stable(&others, is_calibrated));
        }
        Ok(Some(reasoned(&self.unstable)))
    }

    /// The records, to be accepted with the rules.
    fn pinning<'a>(
        &'a self,
        suite: &'a Suite,
        plan: &[EndpointPlan<'_>],
        rules: &[(Rule, String)],
        is_calibrated: bool,
    ) -> Result<Pinning<'a>, Failure> {
        let rules = self.with_ways(suite, rules, is_calibrated);
        let swept = (&self.records, &self.seen, self.once);
        Pinning::of(suite, plan, swept, rules)
    }

    /// The rules, and those that keep anything from being swept twice.
    fn with_ways(
        &self,
        suite: &Suite,
        rules: &[(Rule, String)],
        is_calibrated: bool,
    ) -> Vec<(Rule, String)> {
        let mut rules = rules.to_vec();
        let repeated = self.repeated.iter().filter(|_| is_calibrated);
        for endpoint in repeated.filter(|name| suite.sweep_of(name).alone != Some(true)) {
            let because = "its calls write rows that no symbol explains".to_owned();
            let endpoint = endpoint.clone();
            rules.push((Rule::Alone { endpoint }, because));
        }
        if is_calibrated {
            rules.extend(calibrate::background(&suite.file, &self.background));
        }
        rules
    }
}

/// What is swept.
struct Plans<'a, 's> {
    first: (&'a [EndpointPlan<'s>], &'a Bar),
    /// A place for what is swept the second time, which the first sweep says.
    again: &'a OnceCell<(Vec<EndpointPlan<'s>>, Bar)>,
    /// Whether the first sweep is of the whole suite.
    is_whole: bool,
}

async fn twice<'a, 's: 'a>(
    args: &RecordArgs,
    suite: &'a Suite,
    plans: Plans<'a, 's>,
    options: &'a Options,
    context: &Context<'_>,
) -> Result<(Twice, Held<'a>), Failure> {
    let given = args.service.resolve(suite)?;
    let (plan, bar_of_first) = plans.first;
    let (first, held) = hold(suite, plan, &given, options, bar_of_first, context).await?;
    let inconclusive = conclusive::reasons(suite, &first, plans.is_whole);
    if !inconclusive.is_empty() {
        let twice = Twice {
            inconclusive,
            ..Twice::default()
        };
        return Ok((twice, held));
    }
    held.undo().await?;
    let (again, bar) = plans.again.get_or_init(|| {
        let again = again::again(plan, &first.records);
        let bar = bar(&again);
        (again, bar)
    });
    let (mut second, held) = hold(suite, again, &given, options, bar, context).await?;
    // Who is allowed something need not be among the cells that are swept again.
    let inconclusive = conclusive::reasons(suite, &second, false);
    let mut unstable = calibrate::unstable(suite, &first, &second, &again::cells(again));
    for (endpoint, lost) in first.unrepeated.iter().chain(&second.unrepeated) {
        unstable.push(calibrate::unrepeated(endpoint, lost));
    }
    second.repeated.extend(first.repeated);
    let twice = Twice {
        records: first.records,
        seen: first.seen,
        unstable,
        repeated: second.repeated,
        inconclusive,
        background: merged(first.background, second.background),
        once: count(plan) - count(again),
    };
    Ok((twice, held))
}

fn count(plan: &[EndpointPlan<'_>]) -> usize {
    plan.iter().map(|plan| plan.cells.len()).sum()
}

/// What the service did by itself in one sweep or the other.
fn merged(first: Vec<Proposed>, second: Vec<Proposed>) -> Vec<Proposed> {
    let mut all: BTreeMap<Own, Proposed> = BTreeMap::new();
    for one in first.into_iter().chain(second) {
        let known = all.entry(one.what.clone()).or_insert_with(|| Proposed {
            changes: 0,
            ..one.clone()
        });
        known.changes += one.changes;
        known.is_effect |= one.is_effect;
    }
    all.into_values().collect()
}

fn inconclusive(reasons: &[String]) -> Failure {
    let reasons = reasons.join("\n  ");
    let message =
        format!("what was answered does not say enough, nothing was accepted:\n  {reasons}");
    Failure::new(Exit::Inconclusive, message)
}

/// The rules, each once, with the cell that showed that it is needed.
fn reasoned<'a>(unstable: impl IntoIterator<Item = &'a Unstable>) -> Vec<(Rule, String)> {
    let mut rules: Vec<(Rule, String)> = Vec::new();
    for one in unstable {
        let Some(rule) = &one.rule else { continue };
        if !rules.iter().any(|(known, _)| known.is_same(rule)) {
            let because = format!(
                "not the same in two sweeps of {}/{}",
                one.endpoint, one.cell
            );
            rules.push((rule.clone(), because));
        }
    }
    rules
}

/// How many fields are named, and how many cells of each.
const FIELDS: usize = 50;
const CELLS: usize = 3;
/// How much of a value is shown, in characters.
const VALUE: usize = 100;

/// How much stands before what differs, where a text is cut.
const BEFORE: usize = 30;

/// Two texts short enough to be shown, with what differs in them.
fn differing(first: &str, second: &str) -> (String, String) {
    let pairs = first.chars().zip(second.chars());
    let same = pairs.take_while(|(one, other)| one == other).count();
    let skipped = same.saturating_sub(BEFORE);
    let is_long = [first, second]
        .iter()
        .any(|text| text.chars().count() > VALUE);
    let shown = |text: &str| match text.char_indices().nth(skipped) {
        Some((at, _)) if is_long && skipped > 0 => {
            let rest = text.get(at..).unwrap_or_default();
            format!("...{}", short(rest, VALUE))
        }
        _ => short(text, VALUE).into_owned(),
    };
    (shown(first), shown(second))
}

fn not_stable(unstable: &[&Unstable], is_calibrated: bool) -> Failure {
    let mut fields = IndexMap::<(&str, &str), Vec<&Unstable>>::new();
    for one in unstable {
        let cells = fields.entry((&one.endpoint, &one.field)).or_default();
        cells.push(one);
    }
    let mut message = "two sweeps of the same service differ, nothing was accepted:".to_owned();
    for ((endpoint, field), cells) in fields.iter().take(FIELDS) {
        let _ = write!(message, "\n  {endpoint}: {field}");
        for one in cells.iter().take(CELLS) {
            let [first, second] = [&one.first, &one.second].map(|text| text.replace('\n', " "));
            let (first, second) = differing(&first, &second);
            let _ = write!(message, "\n    {}: {first} / {second}", one.cell);
        }
        if cells.len() > CELLS {
            let _ = write!(message, "\n    and {} more cells", cells.len() - CELLS);
        }
    }
    if fields.len() > FIELDS {
        let _ = write!(message, "\n  and {} more fields", fields.len() - FIELDS);
    }
    Failure::new(Exit::Unstable, message).help(help(unstable, is_calibrated))
}

fn help(unstable: &[&Unstable], is_calibrated: bool) -> String {
    let (rules, masks): (Vec<_>, Vec<_>) = reasoned(unstable.iter().copied())
        .into_iter()
        .partition(|(rule, _)| rule.is_of_the_suite());
    let mut helps: Vec<String> = masks.iter().filter_map(|(rule, _)| mask(rule)).collect();
    let is_without = |one: &&Unstable| one.rule.is_none() && one.answered.is_none();
    let without = unstable.iter().any(is_without);
    helps.extend(without.then(|| WAYS.to_owned()));
    helps.extend(captures(unstable));
    if !rules.is_empty() {
        let lead = match (helps.is_empty(), without, is_calibrated) {
            (true, _, true) => "each sweep showed something else; these rules did not do",
            (true, _, false) => "add to suite.yaml, or let `--calibrate` do it",
            (false, true, _) => "for the rest, add to suite.yaml",
            (false, false, _) => "add to suite.yaml",
        };
        let shown = calibrate::shown(&rules);
        helps.push(format!("{lead}:\n{}", shown.trim_end()));
    }
    helps.join("\n  = help: ")
}

/// What is left where no rule helps.
const WAYS: &str = "no rule is made for what is pinned: raise `service.settle_ms`, name the table under `background`, or mend the service";

/// A mask, where it stands in world.yaml.
fn mask(rule: &Rule) -> Option<String> {
    let Rule::Mask {
        kind,
        name,
        template,
    } = rule
    else {
        return None;
    };
    let masks = inline(&json!({ name: template }));
    Some(format!(
        "a text shows a value of the run in part; add to the kind `{kind}` in world.yaml, so that it has a name:\n      masks: {masks}"
    ))
}

/// How to capture what is new each time and stands in the answer, each value once.
fn captures(unstable: &[&Unstable]) -> Vec<String> {
    let mut told = IndexMap::<(&str, &str, &Answered), String>::new();
    for one in unstable {
        let Some(answered) = &one.answered else {
            continue;
        };
        let (endpoint, path) = (&one.endpoint, &answered.path);
        let what = if answered.is_digest {
            "the SHA-256 of what the answer has"
        } else {
            "what the answer has"
        };
        let from = serde_json::json!(path);
        let help = format!(
            "`{}` holds {what} at `{path}`, new each time: capture it in endpoints/{endpoint}.yaml, as a secret or a symbol of a kind:\ncapture:\n  new: {{ kind: KIND, from: {{ NAME: {from} }} }}",
            one.field
        );
        told.entry((endpoint, &one.field, answered)).or_insert(help);
    }
    told.into_values().collect()
}
