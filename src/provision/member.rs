//! A member of the world as it is about to be made.

use super::Issues;
use crate::suite::{Kind, Member, Suite};
use crate::template::{Scope, TemplateError, Templates};
use crate::world::{Instance, Row, World};

/// A member that is made by requests, before the first of them.
pub(crate) struct Begun<'a> {
    pub(crate) kind: &'a Kind,
    /// The names that its templates can use, besides its own.
    pub(crate) base: Scope,
    pub(crate) instance: Instance,
}

/// Whether it takes requests to make the world of a run.
pub(crate) fn is_made_by_requests(suite: &Suite, issues: &Issues) -> bool {
    suite.has_setup() || issues.has_login_due(suite)
}

/// Begins with a member whose turn it is: gives it its parameters, some of which may have waited for others. What comes of it
/// are its rows, and what its requests begin with, if it takes any.
pub(crate) fn begin<'a>(
    (suite, templates): (&Suite, &Templates),
    world: &mut World,
    member: &Member<'a>,
) -> Result<(Vec<Row>, Option<Begun<'a>>), TemplateError> {
    world.prepare(suite, templates, member)?;
    let rows = world.rows_of(templates, member)?;
    let kind = member.kind.filter(|kind| !kind.setup.is_empty());
    let begun = kind.map(|kind| Begun {
        kind,
        base: world.scope_for(member.name),
        instance: world.entities.get(member.name).cloned().unwrap_or_default(),
    });
    Ok((rows, begun))
}
