//! The members of a world, in the order in which they are made.

use std::vec::IntoIter;

use authz_pin_suite::suite::{Kind, Member, Suite};
use authz_pin_suite::template::{Scope, TemplateError, Templates};
use authz_pin_suite::world::{Instance, order};

use super::Scene;

/// What is made by requests, before the first of them.
pub(crate) struct Begun<'a> {
    pub(crate) kind: &'a Kind,
    /// The names that its templates can use, besides its own.
    pub(crate) base: Scope,
    pub(crate) instance: Instance,
}

/// The members whose turn has not come yet.
pub(crate) struct Members<'a> {
    suite: &'a Suite,
    left: IntoIter<Member<'a>>,
    /// Whether parameters can have waited for what requests give; if not, they stay as they were drawn.
    have_waited: bool,
}

impl<'a> Members<'a> {
    /// Those of the run's world.
    pub(crate) fn of_run(suite: &'a Suite, templates: &Templates, scene: &Scene) -> Self {
        Self {
            have_waited: scene.takes_requests(suite),
            ..Self::of_cells(suite, templates)
        }
    }

    /// Those of the worlds of cells.
    pub(crate) fn of_cells(suite: &'a Suite, templates: &Templates) -> Self {
        Self {
            suite,
            left: order(suite, templates).into_iter(),
            have_waited: suite.has_setup(),
        }
    }

    /// Goes on to the next member that is made by requests, in all of these worlds at once. The rows of those before it and its
    /// own are there by then, to be inserted before its first request. Without a next one, the rows of all others are there.
    pub(crate) fn next(
        &mut self,
        templates: &Templates,
        scenes: &[&Scene],
    ) -> Result<Option<(&'a str, Vec<Begun<'a>>)>, TemplateError> {
        for member in self.left.by_ref() {
            let mut begun = Vec::new();
            for scene in scenes {
                let mut world = scene.world.borrow_mut();
                if self.have_waited {
                    world.prepare(self.suite, templates, &member)?;
                }
                let rows = world.rows_of(templates, &member)?;
                scene.rows.borrow_mut().extend(rows);
                let kind = member.kind.filter(|kind| !kind.setup.is_empty());
                let instance = world.entities.get(member.name);
                begun.extend(kind.map(|kind| Begun {
                    kind,
                    base: world.scope_for(member.name),
                    instance: instance.cloned().unwrap_or_default(),
                }));
            }
            if !begun.is_empty() {
                return Ok(Some((member.name, begun)));
            }
        }
        Ok(None)
    }
}
