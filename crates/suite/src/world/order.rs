//! In which order the world is made.

use authz_pin_record::text::leaves;
use std::collections::BTreeSet;

use indexmap::IndexMap;

use crate::suite::{Kind, Member, StepSpec, Suite};
use crate::template::Templates;

/// The members in the order in which they are made: as in the suite, but where there is a setup, each one after those
/// that its templates name, since what their setup captures has to be there.
#[must_use]
pub fn order<'a>(suite: &'a Suite, templates: &Templates) -> Vec<Member<'a>> {
    if !suite.has_setup() {
        return suite.cast().collect();
    }
    let needs = suite.cast().map(|member| {
        let names = heads(&member, templates);
        (member.name, (member, names))
    });
    let mut order = Order {
        members: needs.collect(),
        seen: BTreeSet::new(),
        done: Vec::new(),
    };
    for member in suite.cast() {
        order.visit(member.name);
    }
    order.done
}

struct Order<'a> {
    members: IndexMap<&'a str, (Member<'a>, BTreeSet<String>)>,
    seen: BTreeSet<&'a str>,
    done: Vec<Member<'a>>,
}

impl Order<'_> {
    fn visit(&mut self, name: &str) {
        let Some((&name, (member, needs))) = self.members.get_key_value(name) else {
            return;
        };
        let (member, needs) = (*member, needs.clone());
        // In a circle, whoever came first comes first: with drawn symbols alone that is no mistake.
        if !self.seen.insert(name) {
            return;
        }
        for need in &needs {
            self.visit(need);
        }
        self.done.push(member);
    }
}

/// The first parts of all names that a member's templates look up, and the actors whose credentials it uses.
fn heads(member: &Member<'_>, templates: &Templates) -> BTreeSet<String> {
    let mut given = Heads::new(templates);
    let mut leaf = |json| leaves(json, &mut |text| given.add(text));
    member.with.values().for_each(&mut leaf);
    let Some(kind) = member.kind else {
        return given.heads;
    };
    kind.parameters.values().for_each(leaf);
    let mut used = Heads::new(templates);
    texts_of(kind, &mut |text| used.add(text));
    // Where rows and steps are made, the kind's own names stand before those of the world.
    used.heads.retain(|name| !is_own(kind, name));
    let actors = steps(kind).filter_map(|step| step.auth.as_ref()?.actor.clone());
    given
        .heads
        .into_iter()
        .chain(used.heads)
        .chain(actors)
        .collect()
}

/// What templates look up.
struct Heads<'t> {
    templates: &'t Templates,
    heads: BTreeSet<String>,
}

impl<'t> Heads<'t> {
    fn new(templates: &'t Templates) -> Self {
        let heads = BTreeSet::new();
        Self { templates, heads }
    }

    fn add(&mut self, text: &str) {
        let names = self.templates.names(text);
        let names = names.iter().flat_map(|names| names.iter());
        self.heads
            .extend(names.filter_map(|name| Some(name.split('.').next()?.to_owned())));
    }
}

fn is_own(kind: &Kind, name: &str) -> bool {
    kind.parameters.contains_key(name)
        || kind.secrets.contains_key(name)
        || kind.symbols.contains_key(name)
        || kind.masks.contains_key(name)
}

fn steps(kind: &Kind) -> impl Iterator<Item = &StepSpec> {
    kind.setup.iter().chain(&kind.teardown)
}

fn texts_of(kind: &Kind, texts: &mut impl FnMut(&str)) {
    for row in &kind.rows {
        row.when.iter().for_each(|when| texts(when));
        row.values.values().for_each(|json| leaves(json, texts));
    }
    for step in steps(kind) {
        step.when.iter().for_each(|when| texts(when));
        step.request.iter().for_each(|request| request.texts(texts));
        let environment = step
            .command
            .iter()
            .flat_map(|command| command.environment.values());
        environment.for_each(|value| texts(value));
        step.auth.iter().for_each(|auth| auth.texts(texts));
        step.poll.iter().for_each(|poll| texts(&poll.until));
    }
}
