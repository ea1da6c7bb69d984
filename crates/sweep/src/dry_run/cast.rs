//! A world as it would be made: its values, its rows, and the requests that make it and take it back.

use std::collections::{BTreeMap, BTreeSet};

use authz_pin_suite::plan::PlannedCell;
use authz_pin_suite::suite::{Endpoint, Kind, Suite, Target};
use authz_pin_suite::template::{Scope, Templates, Value, random};
use authz_pin_suite::world::{Instance, Scratch, World};
use futures::executor::block_on;
use indexmap::IndexMap;
use secrecy::SecretString;

use super::notes::{Noted, Notes};
use crate::provision::{Begun, Cell, Fresh, Issues, Members, Provision, Scene, callers_anew};
use crate::sweep::SweepError;
use crate::symbols::{Places, Registry};

/// The requests of one setup and its teardown.
#[derive(Default)]
pub(super) struct Calls {
    pub(super) setup: Vec<Noted>,
    pub(super) teardown: Vec<Noted>,
}

/// The world of the run, and what makes it.
pub(super) struct Cast<'a> {
    pub(super) suite: &'a Suite,
    pub(super) templates: Templates,
    pub(super) scene: Scene,
    /// The requests that make it, by whom they make.
    pub(super) made: IndexMap<String, Calls>,
}

/// A cell's target, the requests that make it, and the cell's own world, where it has one.
pub(super) struct Aim {
    pub(super) scratch: Scratch,
    pub(super) calls: Calls,
    pub(super) fresh: Option<Fresh>,
}

impl<'a> Cast<'a> {
    /// Draws the world and makes it, asking nobody.
    pub(super) fn make(
        suite: &'a Suite,
        variables: &BTreeMap<String, SecretString>,
        callers: &BTreeSet<&str>,
    ) -> Result<Self, SweepError> {
        let templates = Templates::for_made_up();
        let world = World::draw(suite, &templates, variables)?;
        let mut cast = Self {
            suite,
            templates,
            scene: Scene::new(world, Issues::of(callers.clone())),
            made: IndexMap::new(),
        };
        cast.made = block_on(cast.make_world())?;
        Ok(cast)
    }

    /// What makes things in this world.
    pub(super) fn provision<'p>(&'p self, notes: &'p Notes) -> Provision<'p, 'a, Notes> {
        Provision {
            suite: self.suite,
            templates: &self.templates,
            scene: &self.scene,
            client: notes,
        }
    }

    /// The names that templates outside any cell can use.
    pub(super) fn scope(&self) -> Scope {
        self.scene.world.borrow().scope()
    }

    /// The names of the values, those of what actors would be given too.
    pub(super) fn registry(&self) -> Registry {
        let places = Places::of(&self.suite.file.ids, None);
        let mut registry = Registry::of_world(&self.scene.world.borrow()).at(places);
        for (actor, secrets) in &*self.scene.issues.unknown.borrow() {
            registry.add_world_entity(actor, secrets);
        }
        registry
    }

    async fn make_world(&self) -> Result<IndexMap<String, Calls>, SweepError> {
        let notes = Notes::default();
        let provision = self.provision(&notes);
        let members = Members::of_run(self.suite, &self.templates, &self.scene);
        let members = self.members(members, &provision, Cell::default()).await?;
        for actor in self.scene.issues.callers(self.suite) {
            provision.issue(actor, None).await?;
        }
        let mut made = IndexMap::<_, Calls>::new();
        for (whose, call) in notes.take() {
            made.entry(whose).or_default().setup.extend(call);
        }
        for (name, begun) in members.iter().rev() {
            let taken = take_back(&provision, begun, Cell::default()).await;
            taken.map_err(|error| error.of(format!("`{name}`")))?;
            let calls = made.entry((*name).to_owned()).or_default();
            calls.teardown = notes.calls();
        }
        Ok(made)
    }

    /// Makes the members of a world in their order; gives those that are made by requests.
    async fn members(
        &self,
        mut members: Members<'a>,
        provision: &Provision<'_, 'a, Notes>,
        cell: Cell<'_>,
    ) -> Result<Vec<(&'a str, Begun<'a>)>, SweepError> {
        let scene = cell.fresh.map_or(&self.scene, |fresh| &fresh.scene);
        let mut made = Vec::new();
        while let Some((name, all)) = members.next(&self.templates, &[scene])? {
            for mut begun in all {
                provision.client.begin(name);
                let done = set_up(provision, &mut begun, cell).await;
                done.map_err(|error| error.of(format!("`{name}`")))?;
                provision.client.end();
                let mut world = scene.world.borrow_mut();
                world.settle(self.suite, name, begun.instance.clone());
                made.push((name, begun));
            }
        }
        Ok(made)
    }

    /// What is made for an endpoint, before its targets.
    pub(super) fn set_endpoint_up(
        &self,
        kind: &Kind,
    ) -> Result<Option<(Instance, Calls)>, SweepError> {
        if kind.setup.is_empty() {
            return Ok(None);
        }
        let (notes, cell) = (Notes::default(), Cell::default());
        let provision = self.provision(&notes);
        let mut begun = Begun {
            kind,
            base: self.scope(),
            instance: Instance::default(),
        };
        block_on(set_up(&provision, &mut begun, cell))?;
        let setup = notes.calls();
        block_on(take_back(&provision, &begun, cell))?;
        let teardown = notes.calls();
        Ok(Some((begun.instance, Calls { setup, teardown })))
    }

    /// What is made for one cell: its own world, where it has one, and its target.
    pub(super) async fn aim(
        &self,
        (endpoint, target): (&Endpoint, &Target),
        (number, cell): (usize, &PlannedCell<'_>),
        setup: Option<&Instance>,
    ) -> Result<Aim, SweepError> {
        let notes = Notes::default();
        let provision = self.provision(&notes);
        let is_fresh = endpoint.spec.fresh;
        let fresh = is_fresh.then(|| self.draw_anew(number)).transpose()?;
        let of = Cell {
            number: Some(number),
            fresh: fresh.as_ref(),
        };
        let mut made = Vec::new();
        if fresh.is_some() {
            let members = Members::of_cells(self.suite, &self.templates);
            made = self.members(members, &provision, of).await?;
        }
        let mut scratch = self.scratch(fresh.as_ref(), target, cell, setup)?;
        if let Some(fresh) = &fresh {
            fresh.join(&mut scratch);
            for actor in callers_anew(self.suite, endpoint, cell.actor) {
                provision.issue(actor, Some(fresh)).await?;
            }
        }
        let kind = target.kind.as_ref();
        let kind = kind.and_then(|kind| self.suite.world.kinds.get(kind));
        if let Some(kind) = kind.filter(|kind| !kind.setup.is_empty()) {
            let mut begun = Begun {
                kind,
                base: scratch.base(cell.target),
                instance: scratch.target.clone(),
            };
            set_up(&provision, &mut begun, of).await?;
            scratch.settle(begun.instance.clone());
            made.push((cell.target, begun));
        }
        let setup = notes.calls();
        // What was made last is taken back first.
        for (_, begun) in made.iter().rev() {
            take_back(&provision, begun, of).await?;
        }
        let teardown = notes.calls();
        Ok(Aim {
            scratch,
            calls: Calls { setup, teardown },
            fresh,
        })
    }

    /// What a success of a cell's call would bind, with made up values, and the requests that would take it back.
    pub(super) async fn bind<'e>(
        &self,
        endpoint: &'e Endpoint,
        number: usize,
        aim: &mut Aim,
    ) -> Result<Vec<(&'e String, Instance)>, SweepError> {
        let (mut bound, mut made) = (Vec::new(), Vec::new());
        for (name, spec) in &endpoint.spec.capture {
            let Some(kind) = self.suite.world.kinds.get(&spec.kind) else {
                continue;
            };
            let symbols = spec.from.keys();
            let captured = symbols.map(|symbol| (symbol.clone(), random(24))).collect();
            let instance = Instance::bind(&self.templates, kind, &captured)?;
            let scope = instance.within(&aim.scratch.base(name));
            made.push((kind, scope));
            let own = Value::from(instance.scope());
            aim.scratch.scope.insert(name, own);
            bound.push((name, instance));
        }
        let notes = Notes::default();
        let provision = self.provision(&notes);
        let of = Cell {
            number: Some(number),
            fresh: aim.fresh.as_ref(),
        };
        for (kind, scope) in made.iter().rev() {
            for step in &kind.teardown {
                // As in a run: a step that cannot be rendered is not sent, and those after it are.
                let _ = provision.take_back(step, scope, of).await;
            }
        }
        aim.calls.teardown.splice(0..0, notes.calls());
        Ok(bound)
    }

    fn scratch(
        &self,
        fresh: Option<&Fresh>,
        target: &Target,
        cell: &PlannedCell<'_>,
        setup: Option<&Instance>,
    ) -> Result<Scratch, SweepError> {
        let scene = fresh.map_or(&self.scene, |fresh| &fresh.scene);
        let world = &*scene.world.borrow();
        let target = (cell.target.as_str(), target);
        let made = Scratch::make(
            self.suite,
            &self.templates,
            world,
            setup,
            target,
            cell.actor,
        );
        Ok(made?)
    }

    fn draw_anew(&self, number: usize) -> Result<Fresh, SweepError> {
        let world = self.scene.world.borrow();
        let drawn = world.anew(self.suite, &self.templates)?;
        Ok(Fresh::new(number, drawn))
    }
}

/// Does all steps of a setup.
async fn set_up(
    provision: &Provision<'_, '_, Notes>,
    begun: &mut Begun<'_>,
    cell: Cell<'_>,
) -> Result<(), SweepError> {
    let of = (begun.kind, &begun.base);
    for step in &begun.kind.setup {
        provision
            .set_up(step, of, cell, &mut begun.instance)
            .await?;
    }
    Ok(())
}

/// Does all steps of the teardown of what was made.
async fn take_back(
    provision: &Provision<'_, '_, Notes>,
    begun: &Begun<'_>,
    cell: Cell<'_>,
) -> Result<(), SweepError> {
    let scope = begun.instance.within(&begun.base);
    for step in &begun.kind.teardown {
        provision.take_back(step, &scope, cell).await?;
    }
    Ok(())
}
