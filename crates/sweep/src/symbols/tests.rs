mod encoded;

use std::collections::BTreeMap;
use std::path::Path;

use authz_pin_suite::suite::Suite;
use authz_pin_suite::template::Templates;
use authz_pin_suite::world::Field;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use serde_json::{Value as Json, json};

use super::*;

const VIEW: View<'_> = View { cell: 0, actor: "" };

/// A namer that knows what a database counted up for `owner`.
fn counted(value: &str, class: Class) -> Namer {
    let mut registry = Registry::default();
    registry.add(value, Owner::World, "owner", "id", class);
    registry.build()
}

#[test]
fn an_identifier_of_many_digits_is_found_as_a_whole_number_only() {
    let named = |text: &str| counted("1100000031", Class::Symbol).name(text, VIEW).text;
    assert_eq!(
        named("1100000031 users/1100000031/ __user_1100000031__"),
        "<owner.id> users/<owner.id>/ __user_<owner.id>__"
    );
    assert_eq!(named("11100000031 11000000312"), "11100000031 11000000312");
}

#[test]
fn a_number_of_many_digits_is_named_where_it_is_an_identifier_as_a_whole() {
    let mut disclosed = BTreeSet::new();
    let others = [json!(11_000_000_311_i64), json!(3.1), json!(-1_100_000_031)];
    let document = json!({"at": 1_100_000_031, "others": others, "text": "1100000031"});
    let counted = counted("1100000031", Class::Symbol);
    let named = counted.name_json(&document, VIEW, &mut disclosed);
    let expected = json!({"at": "<owner.id>", "others": others, "text": "<owner.id>"});
    assert_eq!(named, expected);
    assert_eq!(disclosed, BTreeSet::from(["owner.id".to_owned()]));
}

#[test]
fn a_secret_of_digits_is_hidden_inside_a_longer_number() {
    let named = counted("4711", Class::Secret).name("1471100", VIEW);
    assert_eq!(named.text, "1<owner.id>00");
}

fn named(secret: &str, text: &str) -> String {
    let mut registry = Registry::default();
    registry.add(secret, Owner::World, "owner", "key", Class::Secret);
    registry.build().name(text, VIEW).text
}

#[test]
fn a_secret_is_named_in_base64_whatever_stands_around_it() {
    let secret = "sk-7hG2kPq9/Zx+4";
    for before in ["", "a", "ab", "abc", "user:"] {
        for behind in ["", "x", "xy", ":realm"] {
            let text = format!("{before}{secret}{behind}");
            for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                let echo = format!("got 'Basic {}==', no", engine.encode(&text));
                assert_eq!(
                    named(secret, &echo),
                    "got 'Basic <owner.key>', no",
                    "{text}"
                );
            }
        }
    }
}

#[test]
fn a_secret_of_eight_characters_of_base64_is_long_enough() {
    let text = STANDARD_NO_PAD.encode("p4ss12");
    assert_eq!(named("p4ss12", &text), "<owner.key>");
    let text = STANDARD_NO_PAD.encode("p4ss1");
    assert_eq!(named("p4ss1", &text), text);
}

#[test]
fn a_secret_is_named_as_it_stands_in_urls_in_json_and_in_bytes() {
    let secret = "p@ss/w\"rd";
    let forms = [
        "p%40ss%2Fw%22rd",
        "p%40ss%2fw%22rd",
        "p@ss/w\\\"rd",
        "70407373",
    ];
    let text = |form: &str| named(secret, &format!("<{form}>"));
    assert_eq!(
        forms[..3].iter().map(|form| text(form)).collect::<Vec<_>>(),
        ["<<owner.key>>"; 3]
    );
    assert_eq!(
        named(secret, &format!("\\x{}", hex::encode(secret))),
        "\\x<owner.key>"
    );
    // A part of a secret is not the secret.
    assert_eq!(text(forms[3]), "<70407373>");
}

#[test]
fn a_number_is_an_identifier_only_where_one_stands() {
    let mut registry = Registry::default();
    registry.add("17", Owner::Cell(0), "target", "id", Class::Symbol);
    registry.add("3", Owner::World, "plan", "id", Class::Symbol);
    registry.add("7abc-secret", Owner::World, "plan", "key", Class::Secret);
    let namer = registry.build();
    let text = |text: &str| namer.name(text, VIEW).text;
    assert_eq!(text("x 17abc-secret"), "x 1<plan.key>");
    assert_eq!(
        text("project 17 is not yours"),
        "project <target.id> is not yours"
    );
    assert_eq!(text("/projects/17?x=2017"), "/projects/<target.id>?x=2017");
    for other in ["at 17:00:03.17", "1.17", "a-17", "v17", "17th"] {
        assert!(!text(other).contains("target.id>."), "{other}");
    }
    assert_eq!(text("1.17 a-17 v17 17th 17.5"), "1.17 a-17 v17 17th 17.5");
    let mut disclosed = BTreeSet::new();
    let body = serde_json::json!({
        "id": 17, "count": 17, "planId": "3", "version": "3", "project_ids": [3, 4, 17],
    });
    let shown = namer.name_json(&body, VIEW, &mut disclosed);
    let expected = serde_json::json!({
        "id": "<target.id>", "count": 17, "planId": "<plan.id>", "version": "3",
        "project_ids": ["<plan.id>", 4, "<target.id>"],
    });
    assert_eq!(shown, expected);
    assert_eq!(
        disclosed.into_iter().collect::<Vec<_>>(),
        ["plan.id", "target.id"]
    );
    // No row is a cell's because of a number in it.
    assert_eq!(namer.cells_in("{\"id\": 17}"), BTreeSet::new());
    assert!(!namer.knows("{\"id\": 17}"));
}

#[test]
fn credentials_are_hidden_and_identifiers_left_as_they_are() {
    let mut registry = Registry::default();
    registry.add("sk-7hG2kPq9", Owner::World, "owner", "key", Class::Secret);
    registry.add("north-east-9", Owner::World, "owner", "id", Class::Symbol);
    let namer = registry.build();
    let twice = STANDARD_NO_PAD.encode("sk-7hG2kPq9:sk-7hG2kPq9:sk-7hG2kPq9");
    assert_eq!(
        namer.hide(&format!(
            "north-east-9 sk-7hG2kPq9sk-7hG2kPq9, Basic {twice} sk-7hG2"
        )),
        "north-east-9 <secret><secret>, Basic <secret> sk-7hG2"
    );
}

#[test]
fn a_number_that_is_no_identifier_is_left_alone() {
    let number = json!({"at": 1_100_000_031});
    for (owner, class) in [(Owner::World, Class::Mask), (Owner::Run, Class::Symbol)] {
        let mut registry = Registry::default();
        registry.add("1100000031", owner, "owner", "id", class);
        let namer = registry.build();
        assert_eq!(namer.name_json(&number, VIEW, &mut BTreeSet::new()), number);
    }
}

#[test]
fn a_secret_is_hidden_where_a_number_is_no_identifier() {
    let mut registry = Registry::default();
    registry.add("4711", Owner::Cell(0), "target", "id", Class::Symbol);
    registry.add("4711", Owner::World, "owner", "pin", Class::Secret);
    let namer = registry.build();
    let shown = namer.name_json(&json!({"count": 4711}), VIEW, &mut BTreeSet::new());
    assert_eq!(shown, json!({"count": "<owner.pin>"}));
}

#[test]
fn of_several_names_the_cells_own_comes_first_and_another_cells_last() {
    let mut registry = Registry::default();
    for owner in [Owner::Cell(1), Owner::World, Owner::Cell(0)] {
        let entity = if owner == Owner::World {
            "plan"
        } else {
            "target"
        };
        registry.add("north-east-9", owner, entity, "id", Class::Symbol);
    }
    registry.add(
        "south-west-3",
        Owner::Cell(1),
        "target",
        "id",
        Class::Symbol,
    );
    let namer = registry.build();
    let seen_by = |cell| {
        let view = View { cell, actor: "" };
        namer.name("north-east-9 south-west-3", view).text
    };
    assert_eq!(seen_by(0), "<target.id> <another cell.id>");
    assert_eq!(seen_by(1), "<target.id> <target.id>");
    assert_eq!(seen_by(2), "<plan.id> <another cell.id>");
}

/// What a run has: a token, a user of the world, and of one cell an identifier, a mask, one that holds the token and
/// one that the world has as well.
fn of_a_run() -> Namer {
    let mut registry = Registry {
        run: "r7q2".to_owned(),
        ..Registry::default()
    };
    registry.add("r7q2", Owner::Run, "", "run", Class::Mask);
    registry.add("north-east-9", Owner::World, "owner", "id", Class::Symbol);
    registry.add("shared-by-both", Owner::World, "plan", "id", Class::Symbol);
    for value in ["tag-of-cell", "tag-r7q2-0", "shared-by-both"] {
        registry.add(value, Owner::Cell(3), "target", "id", Class::Symbol);
    }
    registry.add(
        "a-mask-of-cell",
        Owner::Cell(3),
        "target",
        "note",
        Class::Mask,
    );
    registry.build()
}

#[test]
fn a_text_is_known_and_a_cells_by_what_identifies_it() {
    let namer = of_a_run();
    let of_cell = |text| {
        (
            namer.knows(text),
            namer.cells_in(text).into_iter().collect(),
        )
    };
    assert_eq!(of_cell("x tag-of-cell"), (true, vec![3]));
    assert_eq!(of_cell("x north-east-9"), (true, vec![]));
    assert_eq!(of_cell("x r7q2"), (true, vec![]));
    assert_eq!(of_cell("x a-mask-of-cell"), (false, vec![]));
    assert_eq!(of_cell("x"), (false, vec![]));
}

#[test]
fn the_last_two_batches_are_known() {
    let (now, before, retired) = (
        of_a_run(),
        counted("11000000317", Class::Symbol),
        Retired::default(),
    );
    let known = Knowledge {
        now: &now,
        before: &before,
        retired: &retired,
    };
    assert_eq!(known.whose("tag-of-cell").cells, BTreeSet::from([3]));
    let is_of_run = |text: &str| known.whose(text).is_of_run;
    assert!(is_of_run("tag-of-cell") && is_of_run("11000000317"));
    assert!(!is_of_run("x"));
}

#[test]
fn of_a_cell_that_is_done_only_its_own_identifiers_are_remembered() {
    let mut retired = Retired::default();
    of_a_run().retire(&mut retired);
    let values = [
        "tag-of-cell",
        "tag-r7q2-0",
        "north-east-9",
        "shared-by-both",
        "a-mask-of-cell",
    ];
    assert_eq!(
        retired.found_in(values.into_iter()),
        [true, false, false, false, false]
    );
    let (mut registry, mut retired) = (Registry::default(), Retired::default());
    registry.add("tag-of-cell", Owner::Cell(0), "cell", "tag", Class::Symbol);
    registry.build().retire(&mut retired);
    assert_eq!(retired.found_in(["tag-of-cell"].into_iter()), [true]);
}

#[test]
fn a_registry_is_empty_until_it_has_a_value_of_any_kind() {
    let [none, mut some, mut common] = [(); 3].map(|()| Registry::default());
    assert!(none.is_empty());
    some.add_tag(0, "tag-of-0");
    common.add_tag(0, "7");
    assert!(!some.is_empty() && !common.is_empty());
}

#[test]
fn a_mask_has_no_other_forms() {
    let mut registry = Registry::default();
    registry.add("north-east", Owner::World, "owner", "note", Class::Mask);
    let namer = registry.build();
    assert_eq!(namer.name("1north-east2", VIEW).text, "1<owner.note>2");
    assert_eq!(namer.name("NORTH-EAST", VIEW).text, "<owner.note>");
}

#[test]
fn only_an_entitys_identifiers_and_credentials_are_disclosed() {
    let mut registry = Registry::default();
    let classes = [
        ("id", Class::Symbol),
        ("key", Class::Secret),
        ("note", Class::Mask),
    ];
    for (field, class) in classes {
        registry.add(
            &format!("world-{field}"),
            Owner::World,
            "owner",
            field,
            class,
        );
        registry.add(&format!("run-{field}"), Owner::Run, "vars", field, class);
    }
    registry.add("17", Owner::World, "plan", "note", Class::Mask);
    let namer = registry.build();
    let view = View {
        cell: 0,
        actor: "owner",
    };
    let shown = namer.name(
        "world-id world-key world-note run-id run-key run-note",
        view,
    );
    assert_eq!(
        shown.text,
        "<actor.id> <actor.key> <actor.note> <vars.id> <vars.key> <vars.note>"
    );
    let expected = ["actor.id", "actor.key"].map(str::to_owned);
    assert_eq!(shown.disclosed, BTreeSet::from(expected));
    let mut disclosed = BTreeSet::new();
    let common = namer.name_json(&json!({"id": 17}), view, &mut disclosed);
    assert_eq!(
        (common, disclosed),
        (json!({"id": "<plan.note>"}), BTreeSet::new())
    );
}

/// An entity with one identifier.
fn entity(value: &str) -> Instance {
    let field = Field {
        value: value.to_owned(),
        class: Class::Symbol,
    };
    let mut instance = Instance::default();
    instance.fields.insert("id".to_owned(), field);
    instance
}

#[test]
fn entities_are_named_as_the_worlds_or_as_a_cells_own() {
    let mut registry = Registry::default();
    registry.add_world_entity("owner", &entity("id-of-owner"));
    registry.add_cell_entity(0, "target", &entity("id-of-target"));
    registry.add_cell_entity(1, "target", &entity("id-of-other"));
    let namer = registry.build();
    let text = namer
        .name("id-of-owner id-of-target id-of-other", VIEW)
        .text;
    assert_eq!(text, "<owner.id> <target.id> <another cell.id>");
    assert_eq!(namer.cells_in("id-of-owner id-of-other"), [1].into());
}

#[test]
fn a_credential_of_the_tool_is_named_as_itself_and_hidden() {
    let mut registry = Registry::default();
    registry.add_secret("database", "url", "postgres://pin:word@host");
    let namer = registry.build();
    let said = "no answer from postgres://pin:word@host";
    assert_eq!(namer.name(said, VIEW).text, "no answer from <database.url>");
    assert_eq!(namer.hide(said), "no answer from <secret>");
}

#[test]
fn a_world_is_known_by_its_token_its_variables_and_its_entities() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/ping");
    let suite = Suite::load(Path::new(folder)).unwrap();
    let mut world = World::draw(&suite, &Templates::new(), &BTreeMap::new()).unwrap();
    world.entities.insert("ada".to_owned(), entity("id-of-ada"));
    let variable = Field {
        value: "eu-west".to_owned(),
        class: Class::Symbol,
    };
    world.variables.insert("region".to_owned(), variable);
    let namer = Registry::of_world(&world).build();
    let said = format!("{} eu-west id-of-ada", world.run);
    assert_eq!(namer.name(&said, VIEW).text, "<run> <vars.region> <ada.id>");
    // A value that holds the token needs no memory of its own.
    let mut registry = Registry::of_world(&world);
    registry.add_tag(0, &format!("{}-0", world.run));
    registry.add_tag(1, "no-token-in-it");
    let mut retired = Retired::default();
    registry.build().retire(&mut retired);
    let said = [&*format!("{}-0", world.run), "no-token-in-it"];
    assert_eq!(retired.found_in(said.into_iter()), [false, true]);
}

#[test]
fn a_value_stands_anywhere_by_chance_if_it_is_short_or_a_number_of_few_digits() {
    for common in ["1", "abc", "1234", "123456789"] {
        assert!(is_common(common), "{common}");
    }
    for own in ["abcd", "12345678a", "1234567890"] {
        assert!(!is_common(own), "{own}");
    }
}

/// What a cell with a world of its own knows: its actor `owner`, who is also of the run's world, and the other cell's.
fn fresh() -> Namer {
    let entity = |id: &str| {
        let mut instance = Instance::default();
        let field = |value: &str, class| Field {
            value: value.to_owned(),
            class,
        };
        let fields = [
            ("user_id", field(&format!("user-{id}"), Class::Symbol)),
            ("key", field(&format!("sk-secret-{id}"), Class::Secret)),
        ];
        instance.fields = fields.map(|(name, field)| (name.to_owned(), field)).into();
        instance
    };
    let mut registry = Registry::default();
    registry.add_world_entity("owner", &entity("shared"));
    registry.add_fresh_entity(0, "owner", &entity("first"));
    registry.add_fresh_entity(0, "other", &entity("first-other"));
    registry.add_fresh_entity(1, "owner", &entity("second"));
    registry.build()
}

#[test]
fn the_world_of_a_cell_is_named_as_that_of_the_run() {
    let view = View {
        cell: 0,
        actor: "owner",
    };
    let named = fresh().name("user-first user-first-other user-second user-shared", view);
    let expected = "<actor.user_id> <other.user_id> <another cell.user_id> <actor.user_id>";
    assert_eq!(named.text, expected);
    let view = View { actor: "", ..view };
    let named = fresh().name("user-first sk-secret-second", view);
    assert_eq!(named.text, "<owner.user_id> <another cell.key>");
    assert_eq!(named.disclosed.len(), 2);
}

#[test]
fn a_row_with_a_value_of_a_cells_own_world_is_the_cells() {
    let namer = fresh();
    assert_eq!(namer.cells_in("user-second"), BTreeSet::from([1]));
    assert_eq!(namer.cells_in("sk-secret-first-other"), BTreeSet::from([0]));
    assert_eq!(namer.cells_in("user-shared"), BTreeSet::new());
    let mut retired = Retired::default();
    namer.retire(&mut retired);
    let texts = ["user-first", "user-shared"].into_iter();
    assert_eq!(retired.found_in(texts), [true, false]);
}

#[test]
fn the_run_of_a_cells_own_world_is_named_as_a_whole() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/ping");
    let suite = Suite::load(Path::new(folder)).unwrap();
    let templates = Templates::new();
    let world = World::draw(&suite, &templates, &BTreeMap::new()).unwrap();
    let anew = world.anew(&suite, &templates).unwrap();
    let mut registry = Registry::of_world(&world);
    registry.add_fresh_world(0, &anew);
    let namer = registry.build();
    let text = format!("{} {}", anew.run, world.run);
    assert_eq!(namer.name(&text, VIEW).text, "<run> <run>");
    assert!(namer.knows(&anew.run) && namer.cells_in(&anew.run).is_empty());
}
