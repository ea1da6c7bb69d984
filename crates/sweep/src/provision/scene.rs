//! Worlds with what their actors were given.

use authz_pin_suite::suite::{Endpoint, Suite};
use authz_pin_suite::template::Scope;
use authz_pin_suite::world::{Class, Row, Scratch, World};

use super::Issues;
use super::issues::logs_in;
use crate::shared::Shared;

/// A world with what its actors were given: that of the run, or that of one cell.
pub(crate) struct Scene {
    pub(crate) world: Shared<World>,
    pub(crate) issues: Issues,
    /// Rows that are still to be inserted.
    pub(crate) rows: Shared<Vec<Row>>,
}

impl Scene {
    pub(crate) fn new(world: World, issues: Issues) -> Self {
        Self {
            world: Shared::new(world),
            issues,
            rows: Shared::default(),
        }
    }

    /// Whether it takes requests to make it.
    pub(crate) fn takes_requests(&self, suite: &Suite) -> bool {
        suite.has_setup() || self.issues.has_login_due(suite)
    }

    /// The names that an actor's own templates can use.
    pub(super) fn scope_of(&self, actor: &str) -> Scope {
        self.world.borrow().scope_of_actor(actor)
    }
}

/// The world of one cell, where an endpoint asks for that.
pub(crate) struct Fresh {
    /// The cell's number within the run.
    pub(crate) cell: usize,
    pub(crate) scene: Scene,
}

impl Fresh {
    pub(crate) fn new(cell: usize, world: World) -> Self {
        let scene = Scene::new(world, Issues::default());
        Self { cell, scene }
    }

    /// The identifiers that were drawn or captured for it.
    fn symbols(&self) -> Vec<String> {
        let world = self.scene.world.borrow();
        let instances = world.entities.values();
        let fields = instances.flat_map(|instance| instance.fields.values());
        let symbols = fields.filter(|field| field.class == Class::Symbol);
        symbols.map(|field| field.value.clone()).collect()
    }

    /// The rows of its world come before those of the cell's target, and go with them.
    pub(crate) fn join(&self, scratch: &mut Scratch) {
        scratch.rows.splice(0..0, self.scene.rows.take());
        scratch.world_symbols = self.symbols();
    }
}

/// Who is given a credential of its own in the world of a cell: the caller, and the actors of that world whose credentials the
/// endpoint's probes have.
pub(crate) fn callers_anew<'a>(
    suite: &'a Suite,
    endpoint: &'a Endpoint,
    caller: &'a str,
) -> impl Iterator<Item = &'a str> {
    std::iter::once(caller).chain(asked_about(suite, endpoint))
}

fn asked_about<'a>(suite: &'a Suite, endpoint: &'a Endpoint) -> impl Iterator<Item = &'a str> {
    let probes = endpoint.spec.probes.values();
    let actors = probes.filter_map(|probe| probe.auth.actor.as_deref());
    actors.filter(|actor| suite.is_made(actor))
}

/// Whether any of them has to log in.
pub(crate) fn any_logs_in<'a>(
    suite: &'a Suite,
    endpoint: &'a Endpoint,
    callers: impl IntoIterator<Item = &'a str>,
) -> bool {
    let mut all = callers.into_iter().chain(asked_about(suite, endpoint));
    all.any(|actor| logs_in(suite, actor))
}
