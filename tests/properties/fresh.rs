//! The world of one cell: the cell reads it as it would read that of the run, and nobody else does.

use std::collections::BTreeSet;

use authz_pin::symbols::{Namer, Registry, View};
use authz_pin::world::{Class, Field, Instance};
use proptest::collection::{btree_set, vec};
use proptest::prelude::*;
use proptest::sample::Index;

use super::support::cases;

const ACTORS: [&str; 3] = ["owner", "other", "nobody"];

fn entity(value: &str) -> Instance {
    let (value, class) = (value.to_owned(), Class::Symbol);
    let mut instance = Instance::default();
    let field = Field { value, class };
    instance.fields.insert("user_id".to_owned(), field);
    instance
}

/// A namer for a world whose members have these values, as the run's or as that of cell 0.
fn namer(values: &[String], is_fresh: bool) -> Namer {
    let mut registry = Registry::default();
    let names = ACTORS.iter().copied().chain(["team", "plan"]).cycle();
    for (name, value) in names.zip(values) {
        if is_fresh {
            registry.add_fresh_entity(0, name, &entity(value));
        } else {
            registry.add_world_entity(name, &entity(value));
        }
    }
    registry.build()
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn a_cell_reads_its_own_world_as_it_would_that_of_the_run(
        values in btree_set("[0-9a-z]{12}", 1..6),
        said in vec(any::<Index>(), 0..6),
        actor in 0..ACTORS.len(),
    ) {
        let values: Vec<String> = values.into_iter().collect();
        let said: Vec<&str> = said.iter().map(|which| which.get(&values).as_str()).collect();
        let text = said.join(" and ");
        let (fresh, shared) = (namer(&values, true), namer(&values, false));
        let own = View { cell: 0, actor: ACTORS[actor] };
        prop_assert_eq!(fresh.name(&text, own), shared.name(&text, own));
        let other = fresh.name(&text, View { cell: 1, ..own });
        let unnamed: Vec<&str> = said.iter().map(|_| "<another cell.user_id>").collect();
        prop_assert_eq!(other.text, unnamed.join(" and "));
        let cells = if said.is_empty() { BTreeSet::new() } else { BTreeSet::from([0]) };
        prop_assert_eq!(fresh.cells_in(&text), cells);
        prop_assert_eq!(shared.cells_in(&text), BTreeSet::new());
    }
}
