use authz_pin_record::record::Record;
use authz_pin_suite::suite::ExplanationSpec;

use super::{Kind, Pinned, Sensitivity};

fn pinned(endpoint: &str, record: &str) -> Pinned {
    Pinned {
        endpoint: endpoint.to_owned(),
        record: Record::parse(record).unwrap(),
    }
}

/// Two actors of the same rank, a gate that knows the owner, and a note that is written.
fn notes() -> Pinned {
    let record = "
format: 2
endpoint: POST /note
gates: {not-yours: not yours}
effects:
  update note 1a2b: {row: <target.id>}
cells:
  ann's note:
    ann: {allowed: 200, effects: [update note 1a2b]}
    ben: {denied: 403, gate: not-yours}
    cat: {denied: 403, gate: not-yours}
  ben's note:
    ann: {denied: 403, gate: not-yours}
    ben: {allowed: 200, effects: [update note 1a2b]}
    cat: {denied: 403, gate: not-yours}
";
    pinned("note-write", record)
}

/// The endpoint with one text of its record replaced.
fn notes_with(from: &str, to: &str) -> Pinned {
    let notes = notes();
    let text = notes.record.to_yaml().unwrap();
    assert!(text.contains(from), "`{from}` in {text}");
    pinned(&notes.endpoint, &text.replace(from, to))
}

fn gaps(pinned: &[Pinned]) -> Vec<String> {
    let sensitivity = Sensitivity::of(pinned, &[]);
    sensitivity.gaps.into_iter().map(|gap| gap.what).collect()
}

fn explanation(what: &str) -> ExplanationSpec {
    ExplanationSpec {
        what: what.to_owned(),
        because: "it is so".to_owned(),
    }
}

#[test]
fn records_that_tell_everything_apart_leave_nothing_open() {
    let sensitivity = Sensitivity::of(&[notes()], &[]);
    assert_eq!(sensitivity.gaps, []);
    let kinds = sensitivity.kinds();
    let questions = kinds.iter().map(|(_, totals)| totals.questions);
    // One endpoint, one table, one gate, three pairs of actors, one endpoint that writes, one pair of targets.
    assert_eq!(questions.collect::<Vec<_>>(), [1, 1, 1, 3, 1, 1]);
    assert_eq!(sensitivity.totals().share().percent().to_string(), "100");
}

#[test]
fn actors_who_always_get_the_same_answer_are_not_told_apart() {
    let same = notes_with(
        "ben: {allowed: 200, effects: [update note 1a2b]}",
        "ben: {denied: 403, gate: not-yours}",
    );
    assert_eq!(gaps(&[same]), ["actors ben ~ cat"]);
}

#[test]
fn any_aspect_of_one_cell_tells_two_actors_apart() {
    let alike = "
format: 2
endpoint: GET /note
gates: {no: no}
cells:
  a note: {ann: {denied: 403, gate: no, discloses: [actor.id]}, ben: {denied: 403, gate: no, discloses: [actor.id]}}
";
    let told = |from: &str, to: &str| gaps(&[pinned("x", &alike.replacen(from, to, 1))]);
    let alone = |gaps: Vec<String>| gaps.contains(&"actors ann ~ ben".to_owned());
    assert!(alone(told("cells", "cells")));
    assert!(!alone(told("403", "404")));
    assert!(!alone(told("{denied: 403, gate: no", "{denied: 403")));
    assert!(!alone(told("[actor.id]", "[actor.id, note.id]")));
    assert!(!alone(told("[actor.id]", "[actor.id], probes: {key: 200}")));
    assert!(!alone(told("[actor.id]", "[actor.id], shape: body 1a2b")));
    assert!(!alone(told(
        "[actor.id]",
        "[actor.id], effects: [insert log 1a2b]"
    )));
}

/// In its own cell an actor is `actor`; who sees another one sees it by name.
#[test]
fn actors_who_see_each_other_in_the_same_way_are_not_told_apart_by_their_names() {
    let record = "
format: 2
endpoint: POST /invite
effects:
  insert invitation 1111: {row: <new 1>, columns: {by: <actor.id>, to: <ben.id>}}
  insert invitation 2222: {row: <new 1>, columns: {by: <actor.id>, to: <ann.id>}}
  insert invitation 3333: {row: <new 1>, columns: {by: <actor.id>, to: <actor.id>}}
cells:
  everybody else:
    ann: {allowed: 200, discloses: [actor.id, ben.id, cat.id], effects: [insert invitation 1111]}
    ben: {allowed: 200, discloses: [actor.id, ann.id, cat.id], effects: [insert invitation 2222]}
    cat: {allowed: 200, discloses: [ann.id, ben.id], effects: [insert invitation 3333]}
";
    let actors = |record: &str| {
        let gaps = gaps(&[pinned("invite", record)]);
        gaps.into_iter()
            .filter(|gap| gap.starts_with("actors"))
            .collect::<Vec<_>>()
    };
    assert_eq!(actors(record), ["actors ann ~ ben"]);
    assert_eq!(
        actors(&record.replace("[actor.id, ann.id, cat.id]", "[actor.id, cat.id]")),
        [""; 0]
    );
}

#[test]
fn an_endpoint_that_answers_everybody_alike_is_the_most_telling_gap() {
    let open = "
format: 2
endpoint: GET /health
cells:
  nothing: {ann: {allowed: 200}, ben: {allowed: 200}, cat: {allowed: 200}}
";
    let gaps = Sensitivity::of(&[notes(), pinned("health", open)], &[]).gaps;
    let first = gaps.first().unwrap();
    assert_eq!((first.what.as_str(), first.cells), ("answers of health", 3));
    assert!(
        first.add.contains("a call of `health` is refused"),
        "{}",
        first.add
    );
}

#[test]
fn a_gate_is_seen_from_both_sides_where_a_call_is_allowed_that_differs_in_one_thing() {
    let text = |ann: &str| {
        format!(
            "
format: 2
endpoint: GET /note
gates: {{no: no}}
cells:
  one: {{ann: {{{ann}}}, ben: {{denied: 404}}}}
  two: {{ann: {{denied: 404}}, ben: {{denied: 403, gate: no}}}}
"
        )
    };
    let gate = |text: &str| {
        let gaps = Sensitivity::of(&[pinned("x", text)], &[]).gaps;
        let gap = gaps.into_iter().find(|gap| gap.kind == Kind::Gate);
        gap.map(|gap| gap.seen)
    };
    let diagonal = gate(&text("allowed: 200")).unwrap();
    assert!(
        diagonal.contains("differs from them in the actor and in the target"),
        "{diagonal}"
    );
    let never = gate(&text("denied: 404")).unwrap();
    assert!(
        never.contains("no call of the endpoint is allowed"),
        "{never}"
    );
    for beside in [
        "ann: {denied: 404}, ben: {denied: 403",
        "ben: {denied: 404}}",
    ] {
        let allowed = beside.replacen("denied: 404", "allowed: 200", 1);
        assert_eq!(
            gate(&text("allowed: 200").replace(beside, &allowed)),
            None,
            "{allowed}"
        );
    }
}

/// The target to add is one that is listed beside a target of the endpoint elsewhere.
#[test]
fn what_is_to_be_added_is_named_where_another_endpoint_has_it() {
    let closed = "
format: 2
endpoint: GET /secret
gates: {no: no}
cells:
  ben's note: {ann: {denied: 403, gate: no}, ben: {denied: 403, gate: no}}
";
    let stranger = "
format: 2
endpoint: GET /other
cells:
  a stranger: {ann: {allowed: 200}, ben: {denied: 404}}
";
    let all = [pinned("other", stranger), notes(), pinned("secret", closed)];
    let gaps = Sensitivity::of(&all, &[]).gaps;
    let gate = gaps.iter().find(|gap| gap.kind == Kind::Gate).unwrap();
    insta::assert_snapshot!(gate.add, @"a target, an actor or other parameters with which a call of `secret` is allowed, such as `ann's note`, upon which `note-write` allows `ann`");
}

#[test]
fn a_table_is_guarded_where_a_call_is_refused_upon_what_another_actor_writes() {
    let open = "{allowed: 200, effects: [update note 1a2b]}";
    let all = notes_with("{denied: 403, gate: not-yours}", open);
    assert!(gaps(std::slice::from_ref(&all)).contains(&"table note".to_owned()));
    let text = all.record.to_yaml().unwrap();
    let unseen = text.replacen(open, "{denied: 403, effects: not observed}", 1);
    assert!(gaps(&[pinned("x", &unseen)]).contains(&"table note".to_owned()));
    let seen = text.replacen(open, "{denied: 403}", 1);
    assert!(!gaps(&[pinned("x", &seen)]).contains(&"table note".to_owned()));
}

#[test]
fn only_an_endpoint_that_may_write_and_is_observed_is_asked_for_effects() {
    let idle = notes_with(", effects: [update note 1a2b]", "");
    assert!(gaps(std::slice::from_ref(&idle)).contains(&"effects of note-write".to_owned()));
    let text = idle.record.to_yaml().unwrap();
    let reading = pinned("note-write", &text.replace("POST", "GET"));
    assert_eq!(gaps(&[reading]), [""; 0]);
    let unobserved = text.replace("not-yours}", "not-yours, effects: not observed}");
    let unobserved = unobserved.replace("200}", "200, effects: not observed}");
    let sensitivity = Sensitivity::of(&[pinned("note-write", &unobserved)], &[]);
    assert_eq!(sensitivity.gaps, []);
    assert_eq!(sensitivity.unobserved, ["note-write"]);
}

#[test]
fn targets_upon_which_nobody_is_answered_otherwise_are_redundant() {
    let third = "
  ann's other note:
    ann: {allowed: 200, effects: [update note 1a2b]}
    ben: {denied: 403, gate: not-yours}
    cat: {denied: 403, gate: not-yours}
";
    let text = notes().record.to_yaml().unwrap() + third.trim_start_matches('\n');
    let more = pinned("note-write", &text);
    assert_eq!(
        gaps(std::slice::from_ref(&more)),
        ["targets ann's note ~ ann's other note"]
    );
    let elsewhere = "
format: 2
endpoint: GET /note
cells:
  ann's note: {ann: {allowed: 200}, ben: {denied: 404}}
  ann's other note: {ann: {allowed: 200}, ben: {allowed: 200}}
";
    let both = [more, pinned("note-read", elsewhere)];
    assert_eq!(gaps(&both), [""; 0]);
}

#[test]
fn what_is_explained_is_neither_open_nor_asked_for() {
    let same = notes_with(
        "ben: {allowed: 200, effects: [update note 1a2b]}",
        "ben: {denied: 403, gate: not-yours}",
    );
    let explanations =
        ["actors ann ~ cat", "actors ben ~ cat", "actors ben ~ cat"].map(explanation);
    let sensitivity = Sensitivity::of(&[same], &explanations);
    let totals = sensitivity.totals();
    assert_eq!((totals.noticed, totals.explained, totals.open), (7, 1, 0));
    assert!(!totals.share().is_under(100.0));
    // One that explains nothing, and one too many.
    assert_eq!(sensitivity.idle, [0, 2]);
}
