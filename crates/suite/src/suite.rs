//! The suite: a folder of YAML that says who calls, what is called upon, and how.
//!
//! `suite.yaml` has the service, `world.yaml` the kinds, entities and actors, `targets.yaml` the targets, and
//! `endpoints/NAME.yaml` one action each. [`Suite::load`] reports every mistake of every file at once.

mod check;
mod compiled;
mod credentials;
mod exchange;
mod headers;
mod ids;
mod include;
mod load;
mod method;
mod model;
mod names;
mod operation;
mod pattern;
mod placing;
pub mod schema;
mod values;
mod verdicts;

use std::collections::BTreeSet;
use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::tables::parts;

pub use crate::place::{Parts, Place, Spot};
pub use compiled::{CompileError, Css, Glob, JsonPath, Regex};
pub use credentials::{
    AwsSpec, CertificateSpec, ClientAuth, CommandSpec, Grant, Oauth2Spec, TOKEN, signed_names,
};
pub use exchange::{
    Algorithm, Basic, Credential, Expiry, FileSpec, JwtSpec, LoginSpec, OfAll, PagesSpec,
    PartContent, PartSpec, PollSpec, RawSpec, RequestSpec, ResetSpec, Source, StepSpec, Texts,
    WholeBody,
};
pub use headers::{HeaderPattern, HeadersSpec, cookie_subject, subject};
pub use ids::{IdPath, IdsSpec};
pub use method::{Method, MethodError};
pub use model::{
    Actor, BackgroundSpec, CaptureSpec, Class, CoverageSpec, DatabaseSpec, EndpointFile, Entity,
    ExactText, ExclusionSpec, ExplanationSpec, Kind, LauncherSpec, PatternText, ProbeSpec,
    RefusalSpec, RowSpec, SensitivitySpec, ServiceSpec, SuiteFile, SweepSpec, Target, TargetsFile,
    TextRule, TlsSpec, Together, Variable, WorldFile,
};
pub use operation::OperationName;
pub use pattern::TextPattern;
pub use pattern::entries;
pub use values::{ItemsSpec, Show, UnstableValue, ValuesSpec};
pub use verdicts::{
    ConditionSpec, OneOrMore, Preset, RuledVerdict, StatusSpec, VerdictRule, VerdictSpec,
};

/// A suite that was read and found consistent.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The suite's folder.
    pub folder: PathBuf,
    /// `suite.yaml`.
    pub file: SuiteFile,
    /// `world.yaml`, with what it includes.
    pub world: WorldFile,
    /// The files that `world.yaml` includes.
    pub included: Vec<PathBuf>,
    /// The targets by name.
    pub targets: IndexMap<String, Target>,
    /// The endpoints, sorted by name.
    pub endpoints: Vec<Endpoint>,
}

/// One action of the suite.
#[derive(Debug, Clone)]
pub struct Endpoint {
    /// The file's name without its ending, which is also the snapshot's.
    pub name: String,
    /// The file's content.
    pub spec: EndpointFile,
    /// What its own setup captures, makes and takes back, as a kind.
    pub setup: Kind,
    /// Where it stands.
    pub place: Place,
}

impl Endpoint {
    /// The method and the path template.
    #[must_use]
    pub fn title(&self) -> String {
        format!(
            "{} {}",
            self.spec.request.method.as_str(),
            self.spec.request.path
        )
    }
}

impl Endpoint {
    /// Whether a call of it costs one request, changes nothing, and is made by actors who are there for the whole run.
    #[must_use]
    pub fn can_be_asked(&self) -> bool {
        let spec = &self.spec;
        let is_one = spec.pages.is_none() && spec.probes.is_empty();
        spec.request.method.is_safe() && is_one && !spec.fresh
    }
}

impl Suite {
    /// The folder of the suite's snapshots.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.folder.join(&self.file.snapshots)
    }

    /// Whether anything of the world is made by requests.
    #[must_use]
    pub fn has_setup(&self) -> bool {
        self.cast()
            .any(|member| member.kind.is_some_and(|kind| !kind.setup.is_empty()))
    }

    /// How an endpoint is swept: what the last pattern that matches its name says.
    #[must_use]
    pub fn sweep_of(&self, endpoint: &str) -> SweepSpec {
        let patterns = self.file.endpoints.iter();
        let own = patterns.filter(|(pattern, _)| pattern.is_match(endpoint));
        own.fold(SweepSpec::default(), |all, (_, one)| SweepSpec {
            alone: one.alone.or(all.alone),
            clean: one.clean.or(all.clean),
        })
    }

    /// The name of the further database that a table belongs to by its name.
    #[must_use]
    pub fn database_of(&self, table: &str) -> Option<&str> {
        let (name, _) = parts(table)?;
        let found = self.file.service.databases.get_key_value(name);
        found.map(|(name, _)| name.as_str())
    }

    /// Whether an actor is an entity of the world, which a run makes.
    #[must_use]
    pub fn is_made(&self, actor: &str) -> bool {
        let actor = self.world.actors.get(actor);
        actor.is_some_and(|actor| actor.kind.is_some())
    }

    /// The kind of an actor, where it has one.
    #[must_use]
    pub fn kind_of_actor(&self, actor: &str) -> Option<&Kind> {
        let kind = self.world.actors.get(actor)?.kind.as_ref()?;
        self.world.kinds.get(kind)
    }

    /// Where the OAuth 2.0 servers of actors are that are not the service itself, as templates.
    pub fn token_urls(&self) -> impl Iterator<Item = &String> {
        let actors = self.world.actors.values();
        let oauth2 = actors.filter_map(|actor| actor.auth.as_ref()?.oauth2.as_ref());
        let urls = oauth2.map(|oauth2| &oauth2.token_url);
        urls.filter(|url| !url.starts_with('/'))
    }

    /// The name of the kind of a target, where it has one.
    #[must_use]
    pub fn kind_of_target(&self, target: &str) -> Option<&String> {
        self.targets.get(target)?.kind.as_ref()
    }

    /// The credential of an actor.
    #[must_use]
    pub fn auth_of(&self, actor: &str) -> Option<&Credential> {
        self.world.actors.get(actor)?.auth.as_ref()
    }

    /// Whether nobody told the service of an actor: it has no credential, or one that was drawn and stands in no row, and that
    /// no request, login or signature made valid.
    fn is_stranger(&self, actor: &str) -> bool {
        let Some(actor) = self.world.actors.get(actor) else {
            return true;
        };
        let Some(auth) = &actor.auth else { return true };
        let kind = actor.kind.as_ref();
        let kind = kind.and_then(|kind| self.world.kinds.get(kind));
        let is_told = auth.is_issued()
            || kind.is_some_and(|kind| !kind.rows.is_empty() || !kind.setup.is_empty());
        let (mut is_drawn, mut is_given) = (false, false);
        let mut look = |text: &str| {
            is_drawn |= text.contains("random(");
            is_given |= text.contains("vars.");
        };
        auth.texts(&mut look);
        let templates = kind.into_iter().flat_map(Kind::fields);
        templates.for_each(|(_, template, _)| template.iter().for_each(|text| look(text)));
        !is_told && is_drawn && !is_given
    }

    /// The actors of whom nobody told the service.
    #[must_use]
    pub fn strangers(&self) -> BTreeSet<&str> {
        let actors = self.world.actors.keys().map(String::as_str);
        actors.filter(|actor| self.is_stranger(actor)).collect()
    }

    /// Every entity and actor of the world.
    pub fn cast(&self) -> impl Iterator<Item = Member<'_>> {
        let kind = |name: &str| self.world.kinds.get(name);
        let entities = self.world.entities.iter();
        let actors = self.world.actors.iter();
        entities
            .map(move |(name, entity)| Member {
                name,
                kind: kind(&entity.kind),
                with: &entity.with,
            })
            .chain(actors.map(move |(name, actor)| Member {
                name,
                kind: actor.kind.as_deref().and_then(kind),
                with: &actor.with,
            }))
    }
}

/// An entity or an actor of the world.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its kind; an actor that the service does not know has none.
    pub kind: Option<&'a Kind>,
    /// The parameters that it sets.
    pub with: &'a IndexMap<String, Json>,
}
