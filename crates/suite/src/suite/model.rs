//! The files of a suite as types. Their doc comments are the reference of the format.

use std::path::PathBuf;

use authz_pin_record::kinds::Level;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::compiled::{Glob, JsonPath};
use super::exchange::{Credential, PagesSpec, RequestSpec, ResetSpec, Source, StepSpec, Texts};
use super::headers::HeadersSpec;
use super::ids::IdsSpec;
use super::operation::OperationName;
use super::pattern::TextPattern;
use super::values::ValuesSpec;
use super::verdicts::VerdictSpec;
use crate::plan::{Filter, PlannedCell};

/// `suite.yaml`: the service and how to read its answers.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteFile {
    /// The suite's name, which is also the folder of its snapshots.
    pub name: String,
    /// The folder of the snapshots, relative to this file.
    pub snapshots: PathBuf,
    /// The service that is swept.
    pub service: ServiceSpec,
    /// Values that a run can be given from outside, as `{{ vars.NAME }}`.
    #[serde(default)]
    pub variables: IndexMap<String, Variable>,
    /// Where a refusal says which gate refused.
    #[serde(default)]
    pub refusal: RefusalSpec,
    /// What decides whether an answer is a success or a refusal: presets by name and rules, tried in this order, and then
    /// the status. Without it all presets are tried.
    #[serde(default = "super::verdicts::default")]
    pub verdicts: Vec<VerdictSpec>,
    /// Refusals that are no answer at all, since the service is not well: their texts as records have them, with `*` for any
    /// characters. Such a call is made again, and never pinned.
    #[serde(default)]
    pub outage: Vec<Glob>,
    /// Tables that the service writes by itself, whatever is called.
    #[serde(default)]
    pub background: BackgroundSpec,
    /// How endpoints are swept, by their names; `*` stands for any characters. Of several patterns that match, the last one
    /// decides.
    #[serde(default)]
    pub endpoints: IndexMap<Glob, SweepSpec>,
    /// How much a kind of drift or of finding weighs, where that is not what the tool says.
    #[serde(default)]
    pub levels: IndexMap<String, Level>,
    /// Texts in refusals that are unstable in the service itself: exact ones, or patterns with named groups.
    #[serde(default)]
    pub texts: Vec<TextRule>,
    /// What records have of the values of successes; without it nothing, so that of a success only the fields are compared.
    #[serde(default)]
    pub values: ValuesSpec,
    /// Which headers of answers records list.
    #[serde(default)]
    pub headers: HeadersSpec,
    /// Columns that hold a new value each time, as `Table.column: <name>`, or members of JSON objects in columns, as
    /// `Table.column.member: <name>`.
    #[serde(default)]
    pub unstable_columns: IndexMap<String, String>,
    /// Where numbers of answers are identifiers.
    #[serde(default)]
    pub ids: IdsSpec,
    /// Which operations of the service the suite is meant to sweep.
    #[serde(default)]
    pub coverage: CoverageSpec,
    /// What the records are not meant to show.
    #[serde(default)]
    pub sensitivity: SensitivitySpec,
}

/// What the records are not meant to show.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SensitivitySpec {
    /// What they leave open on purpose.
    #[serde(default)]
    pub explained: Vec<ExplanationSpec>,
}

/// What the records leave open on purpose, and why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplanationSpec {
    /// What is left open, as `authz-pin sensitivity` calls it.
    pub what: String,
    /// Why no cell has to show it.
    pub because: String,
}

/// Which operations of the service the suite is meant to sweep: all but those that are excluded.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CoverageSpec {
    /// The path of the service's OpenAPI document.
    #[serde(default = "openapi")]
    pub openapi: String,
    /// Operations that the service has and its document has not, as `METHOD /path`.
    #[serde(default)]
    #[schemars(with = "Vec<String>")]
    pub extra: Vec<OperationName>,
    /// Operations that are left out on purpose.
    #[serde(default)]
    pub exclude: Vec<ExclusionSpec>,
    /// Whether an operation that is neither swept nor excluded is a failure.
    #[serde(default)]
    pub strict: bool,
}

/// What a symbol's value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A credential.
    Secret,
    /// An identifier.
    Symbol,
    /// A masked form of an identifier: it names itself, but discloses and attributes nothing.
    Mask,
    /// A variable that is neither a credential nor an identifier: its value has no name, and stays as it is.
    Word,
}

impl Default for CoverageSpec {
    fn default() -> Self {
        Self {
            openapi: openapi(),
            extra: Vec::new(),
            exclude: Vec::new(),
            strict: false,
        }
    }
}

fn openapi() -> String {
    "/openapi.json".to_owned()
}

/// Operations that are left out on purpose, and why.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExclusionSpec {
    /// The operations as `METHOD /path`, with `*` for any characters.
    pub operation: String,
    /// Why nobody has to sweep them.
    pub reason: String,
}

/// The service that is swept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// What is started when no `--base-url` is given.
    pub default: Option<LauncherSpec>,
    /// A path that answers 2xx when the service is ready.
    pub ready: String,
    /// Other URLs of the service by name, as templates, which a request names as `url`; `--base-url NAME=URL` gives one.
    #[serde(default)]
    pub urls: IndexMap<String, Option<String>>,
    /// Headers of every request, as templates; one that a request or a credential has itself takes their place.
    #[serde(default)]
    pub headers: IndexMap<String, Option<Texts>>,
    /// How the service is trusted, and how it trusts the caller, where URLs are `https`.
    #[serde(default)]
    pub tls: TlsSpec,
    /// Whether it speaks HTTP/2 without TLS; with TLS both sides agree on that by themselves.
    #[serde(default)]
    pub http2: bool,
    /// The database schema that holds the service's tables.
    #[serde(default = "public")]
    pub schema: String,
    /// Other schemas of the database whose tables are watched as well; all of them, if nothing is said.
    pub schemas: Option<Vec<String>>,
    /// Further databases of the service by name; `--database-url NAME=URL` says where one is. Their tables are called
    /// `NAME:table`.
    #[serde(default)]
    pub databases: IndexMap<String, DatabaseSpec>,
    /// How long the database must have been quiet before its changes are read, in milliseconds.
    #[serde(default = "settle")]
    pub settle_ms: u64,
    /// How long one request may take, in seconds.
    #[serde(default = "timeout")]
    pub timeout_s: u64,
    /// For how long a stream of events or lines is read, in seconds; one that has not ended then is closed.
    #[serde(default = "stream")]
    pub stream_s: u64,
    /// How a service that keeps in memory what its database holds is made to read it again.
    pub reset: Option<ResetSpec>,
}

/// A further database of the service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DatabaseSpec {
    /// Its schema that holds the service's tables.
    #[serde(default = "public")]
    pub schema: String,
    /// Other schemas of it whose tables are watched as well; all of them, if nothing is said.
    pub schemas: Option<Vec<String>>,
}

/// Certificates. Files are given relative to the suite's folder, as templates that can use `vars`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TlsSpec {
    /// A PEM file with certificates of authorities that are trusted besides those of the system.
    pub ca: Option<String>,
    /// A PEM file with the certificate of the tool itself, for services that ask for one.
    pub certificate: Option<String>,
    /// A PEM file with its private key.
    pub key: Option<String>,
    /// Trusts every certificate.
    #[serde(default)]
    pub insecure: bool,
}

fn public() -> String {
    "public".to_owned()
}

fn settle() -> u64 {
    300
}

fn timeout() -> u64 {
    30
}

fn stream() -> u64 {
    5
}

/// A service that authz-pin can start by itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LauncherSpec {
    /// The launcher's name.
    pub launcher: String,
    /// Settings for the launcher, as templates.
    #[serde(default)]
    pub settings: Json,
}

/// A value given from outside.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// The value without `--var`, as a template.
    pub default: Option<String>,
    /// Whether the value is a credential.
    #[serde(default)]
    pub secret: bool,
    /// Whether the value is an identifier: replaced by its name wherever it stands, as a credential is. Any other value
    /// is a word, which stays as it is.
    #[serde(default)]
    pub symbol: bool,
}

impl Variable {
    /// What the value is, where it has a name in records.
    pub(crate) fn class(&self) -> Class {
        match (self.secret, self.symbol) {
            (true, _) => Class::Secret,
            (false, true) => Class::Symbol,
            (false, false) => Class::Word,
        }
    }
}

/// Where a refusal (status 400 and above) says which gate refused, as JSON paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RefusalSpec {
    /// The type of the error.
    #[serde(rename = "type")]
    pub kind: Option<JsonPath>,
    /// The message of the error; without it the whole body is the message. Of several matches all are compared.
    pub message: Option<JsonPath>,
    /// Values that vary between two sweeps, such as the id of a request: that they are there is compared, not what they are.
    #[serde(default)]
    pub ignore: Vec<JsonPath>,
}

/// Tables that the service writes by itself: never an effect, still undone.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BackgroundSpec {
    /// The tables' names; `*` stands for any characters. One that matches no table is told when a run begins.
    #[serde(default)]
    pub tables: Vec<Glob>,
    /// Columns, as `Table.column`: an update that changes no other column is in the background as well.
    #[serde(default)]
    pub columns: Vec<Together>,
    /// Rows of these tables that hold no symbol and come from the run all the same, by the values of their columns, or of
    /// members of JSON in them (`column.member`): what a service logs about a call without a credential. They are undone only
    /// if no other run is on the database.
    #[serde(default)]
    pub unmarked: IndexMap<String, IndexMap<String, Json>>,
    /// How long after the last call the service may still write to them, in seconds.
    #[serde(default)]
    pub wait_s: u64,
}

/// How an endpoint is swept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepSpec {
    /// Whether its calls are made one at a time: for calls that write rows without a value of the run, so that whose they are is
    /// told by their time.
    pub alone: Option<bool>,
    /// Whether every row that its calls write holds a value of the run, or is written in one transaction with such a row. Other
    /// runs may then sweep the same database at the same time.
    pub clean: Option<bool>,
}

/// What a refusal says that is unstable in the service itself: an exact text, or a pattern.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "an exact text with `from` and `to`, or a `pattern` with named groups"
)]
pub enum TextRule {
    /// One exact text and what stands for it.
    Exact(ExactText),
    /// What a pattern finds.
    Pattern(PatternText),
}

impl TextRule {
    /// Whether it is about the refusals of that endpoint.
    #[must_use]
    pub fn is_for(&self, endpoint: &str) -> bool {
        match self {
            Self::Exact(_) => true,
            Self::Pattern(rule) => Glob::all_or_any(&rule.endpoints, endpoint),
        }
    }
}

/// One exact text and what stands for it in a record.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExactText {
    /// The text as the service writes it.
    pub from: String,
    /// What the record says instead.
    pub to: String,
    /// Why the service's text is unstable.
    pub because: String,
}

/// A pattern of texts, and what of them varies.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PatternText {
    /// A regular expression from `^` to `$`, the beginning and the end of a line. What a named group matches stands as its
    /// name in angle brackets.
    pub pattern: TextPattern,
    /// The groups that match a list, in whatever form: its entries are sorted, and stay.
    #[serde(default)]
    pub lists: Vec<String>,
    /// The endpoints that it is for, as patterns of their names; all, if nothing is said.
    #[serde(default)]
    pub endpoints: Vec<Glob>,
    /// Why the service's text is unstable.
    pub because: String,
}

/// A column, or columns that change together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a column, or a list of columns that change together"
)]
pub enum Together {
    /// One column, whatever others change beside it.
    One(String),
    /// Columns of which none is meant without the others.
    All(Vec<String>),
}

impl Together {
    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        match self {
            Self::One(column) => std::slice::from_ref(column),
            Self::All(columns) => columns,
        }
    }
}

/// `world.yaml`: what exists for the whole run.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WorldFile {
    /// Other files of this form whose kinds, entities and actors belong to this world as well, by their paths from this file.
    #[serde(default)]
    pub include: Vec<String>,
    /// Kinds of entities: their symbols and their rows.
    #[serde(default)]
    pub kinds: IndexMap<String, Kind>,
    /// The entities, in the order in which their rows are inserted.
    #[serde(default)]
    pub entities: IndexMap<String, Entity>,
    /// Who calls.
    #[serde(default)]
    pub actors: IndexMap<String, Actor>,
}

impl WorldFile {
    /// Adds what another file has. No name is in both.
    pub(super) fn extend(&mut self, other: Self) {
        self.kinds.extend(other.kinds);
        self.entities.extend(other.entities);
        self.actors.extend(other.actors);
    }
}

/// A kind of entity: what is generated for each one and which rows it has.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Kind {
    /// Parameters with their defaults, which an entity sets through `with`.
    #[serde(default)]
    pub parameters: IndexMap<String, Json>,
    /// Credentials: symbols whose values never reach a file. One without a template is what a step of the setup captures.
    #[serde(default)]
    pub secrets: IndexMap<String, Option<String>>,
    /// Identifiers, each of which discloses the entity where it appears; captured where they have no template.
    #[serde(default)]
    pub symbols: IndexMap<String, Option<String>>,
    /// Masked forms of identifiers: replaced by their name, but they disclose nothing; captured where they have no
    /// template.
    #[serde(default)]
    pub masks: IndexMap<String, Option<String>>,
    /// The rows of one entity.
    #[serde(default)]
    pub rows: Vec<RowSpec>,
    /// The requests that make one entity, in their order, after its rows.
    #[serde(default)]
    pub setup: Vec<StepSpec>,
    /// The requests that remove it again; where there is a journal, it undoes the rows that are left.
    #[serde(default)]
    pub teardown: Vec<StepSpec>,
}

impl Kind {
    /// Every symbol with its template, secrets first.
    pub fn fields(&self) -> impl Iterator<Item = (&str, Option<&str>, Class)> {
        let sections = [
            (&self.secrets, Class::Secret),
            (&self.symbols, Class::Symbol),
            (&self.masks, Class::Mask),
        ];
        sections.into_iter().flat_map(|(fields, class)| {
            fields
                .iter()
                .map(move |(name, template)| (name.as_str(), template.as_deref(), class))
        })
    }
}

/// One row of an entity.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RowSpec {
    /// The table; one of a further database is `NAME:table`.
    pub table: String,
    /// The row exists only where this renders to something true.
    pub when: Option<String>,
    /// The columns; those left out take the database's default.
    pub values: IndexMap<String, Json>,
}

/// An entity of the world.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// The entity's kind.
    pub kind: String,
    /// The tenant that it belongs to, or is: any name. What is disclosed to an actor of another one is a finding.
    pub tenant: Option<String>,
    /// The kind's parameters.
    #[serde(default)]
    pub with: IndexMap<String, Json>,
}

/// Who calls: a credential and facts about it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The kind of entity that the actor is; none for one that the service does not know.
    pub kind: Option<String>,
    /// The tenant that it belongs to; none for who may see everything.
    pub tenant: Option<String>,
    /// The kind's parameters.
    #[serde(default)]
    pub with: IndexMap<String, Json>,
    /// The credential on the wire; without it the call is anonymous.
    pub auth: Option<Credential>,
    /// The cells that it calls in, as patterns of `--filter`; all, if nothing is said, and none with an empty list.
    pub calls: Option<Filter>,
    /// Actors that this one is meant to outrank: denied where they are allowed is a finding.
    #[serde(default)]
    pub outranks: Vec<String>,
}

impl Actor {
    /// Whether it calls in the cell, which is one of its own.
    #[must_use]
    pub fn calls_in(&self, cell: &PlannedCell<'_>) -> bool {
        let calls = self.calls.as_ref();
        calls.is_none_or(|calls| calls.patterns().iter().any(|one| one.matches(cell)))
    }

    /// Whether it is only there to make things.
    #[must_use]
    pub fn calls_nowhere(&self) -> bool {
        let calls = self.calls.as_ref();
        calls.is_some_and(|calls| calls.patterns().is_empty())
    }
}

/// `targets.yaml`: what is called upon.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetsFile {
    /// The targets by name.
    pub targets: IndexMap<String, Target>,
}

/// What is called upon: a scratch entity made fresh for one cell, or only parameters of the request.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// The kind of the scratch entity.
    pub kind: Option<String>,
    /// The tenant that the scratch entity belongs to, where it is the same for every actor.
    pub tenant: Option<String>,
    /// The kind's parameters, or values that the request uses as `{{ target.NAME }}`.
    #[serde(default)]
    pub with: IndexMap<String, Json>,
}

/// `endpoints/NAME.yaml`: one action and the targets it is swept upon.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointFile {
    /// The request of one cell.
    pub request: RequestSpec,
    /// The targets that apply, in the order of the record.
    pub targets: Vec<String>,
    /// Whether the world is made anew for each cell, for calls that change their own caller.
    #[serde(default)]
    pub fresh: bool,
    /// What decides of its answers before the rules of `suite.yaml` do.
    #[serde(default)]
    pub verdicts: Vec<VerdictSpec>,
    /// How to walk a paged answer to its end.
    pub pages: Option<PagesSpec>,
    /// Requests that come before the calls; what they capture is `{{ setup.NAME }}`.
    #[serde(default)]
    pub setup: Vec<StepSpec>,
    /// The requests that take back what those made; where there is a journal, it undoes the rows that are left.
    #[serde(default)]
    pub teardown: Vec<StepSpec>,
    /// What a success binds.
    #[serde(default)]
    pub capture: IndexMap<String, CaptureSpec>,
    /// Follow-up requests that ask whether a credential still works.
    #[serde(default)]
    pub probes: IndexMap<String, ProbeSpec>,
}

/// What a success binds: an entity of a kind, some of whose symbols the answer holds.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaptureSpec {
    /// The kind; its other symbols derive from those captured.
    pub kind: String,
    /// The kind's symbols by where the answer has their value.
    pub from: IndexMap<String, Source>,
}

/// A follow-up request and the credential it carries.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeSpec {
    /// The request.
    pub request: RequestSpec,
    /// The credential that is asked about.
    pub auth: Credential,
}
