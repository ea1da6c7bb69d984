//! The suite: a folder of YAML that says who calls, what is called upon, and how.
//!
//! `suite.yaml` has the service, `world.yaml` the kinds, entities and actors, `targets.yaml` the targets, and
//! `endpoints/NAME.yaml` one action each. [`Suite::load`] reports every mistake of every file at once.

mod check;
mod load;
mod model;
mod names;
mod place;
pub mod schema;

use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value as Json;

pub use model::{
    Actor, BackgroundSpec, CaptureSpec, CoverageSpec, Credential, EndpointFile, Entity,
    ExclusionSpec, Kind, LauncherSpec, Method, PagesSpec, ProbeSpec, RefusalSpec, RequestSpec,
    RowSpec, ServiceSpec, SuiteFile, Target, TargetsFile, TextRule, Variable, WorldFile,
};
pub use place::Place;

/// A suite that was read and found consistent.
#[derive(Debug, Clone)]
pub struct Suite {
    /// The suite's folder.
    pub folder: PathBuf,
    /// `suite.yaml`.
    pub file: SuiteFile,
    /// `world.yaml`.
    pub world: WorldFile,
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

impl Suite {
    /// The folder of the suite's snapshots.
    #[must_use]
    pub fn snapshots(&self) -> PathBuf {
        self.folder.join(&self.file.snapshots)
    }

    /// Every entity and actor of the world: its name, its kind and the parameters it sets.
    pub fn cast(&self) -> impl Iterator<Item = (&str, Option<&Kind>, &IndexMap<String, Json>)> {
        let kind = |name: &str| self.world.kinds.get(name);
        let entities = self.world.entities.iter();
        let actors = self.world.actors.iter();
        entities
            .map(move |(name, entity)| (name.as_str(), kind(&entity.kind), &entity.with))
            .chain(actors.map(move |(name, actor)| {
                (
                    name.as_str(),
                    actor.kind.as_deref().and_then(kind),
                    &actor.with,
                )
            }))
    }
}
