//! Each kind of finding, planted by itself into a record that has none.

use std::path::Path;

use super::*;

const HEALTHY: &str = "\
format: 2
endpoint: DELETE /notes/{{ target.note_id }}
gates:
  not yours: 'Not yours'
  who: 'Who are you'
effects:
  delete note 1111:
    row: <target.note_id>
  insert log 2222:
    columns: {by: <actor.user_id>, text: <target.note_id>}
cells:
  own note:
    admin: {allowed: 200, discloses: [target.note_id], effects: [delete note 1111, insert log 2222]}
    owner: {allowed: 200, effects: [delete note 1111, insert log 2222]}
    anonymous: {denied: 401, gate: who}
    root: {allowed: 200, effects: [delete note 1111]}
  owner's note:
    admin: {allowed: 200, effects: [delete note 1111]}
    owner: {denied: 403, gate: not yours}
    anonymous: {denied: 401, gate: who}
    root: {allowed: 200, effects: [delete note 1111]}
";

fn suite() -> Suite {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/notes");
    let mut suite = Suite::load(&folder).unwrap();
    suite.world.actors["owner"].tenant = Some("north".to_owned());
    suite.world.entities["welcome"].tenant = Some("south".to_owned());
    suite
}

fn typed(endpoint: &str, record: &str) -> Vec<Finding> {
    let suite = suite();
    let endpoint = suite.endpoints.iter().find(|known| known.name == endpoint);
    of(&suite, endpoint.unwrap(), &Record::parse(record).unwrap())
}

fn findings(endpoint: &str, record: &str) -> Vec<String> {
    let found = typed(endpoint, record);
    found.iter().map(Finding::to_string).collect()
}

/// What is found when one text of the healthy record is replaced, each kind once.
fn planted(from: &str, to: &str) -> Vec<Kind> {
    assert!(HEALTHY.contains(from), "{from}");
    let found = typed("note-delete", &HEALTHY.replace(from, to));
    let kinds: BTreeSet<Kind> = found.iter().map(|finding| finding.kind).collect();
    kinds.into_iter().collect()
}

#[test]
fn a_healthy_record_has_no_finding() {
    assert_eq!(findings("note-delete", HEALTHY), [""; 0]);
}

#[test]
fn each_kind_is_found_where_it_is_planted_and_nothing_else_is() {
    let own = "owner: {allowed: 200, effects: [delete note 1111, insert log 2222]}";
    let not_own = "owner: {denied: 403, gate: not yours}";
    let anonymous = "    anonymous: {denied: 401, gate: who}\n    root: {allowed: 200, effects: [delete note 1111]}\n";
    let row = "row: <target.note_id>";
    let plants = [
        (
            Kind::DeniedButWrote,
            not_own,
            "owner: {denied: 403, gate: not yours, effects: [delete note 1111]}",
        ),
        (
            Kind::OthersSecretDisclosed,
            not_own,
            "owner: {denied: 403, gate: not yours, discloses: [admin.key]}",
        ),
        (
            Kind::SecretAtRest,
            "text: <target.note_id>",
            "text: <actor.key>",
        ),
        (
            Kind::OtherTenantDisclosed,
            not_own,
            "owner: {denied: 403, gate: not yours, discloses: [welcome.note_id]}",
        ),
        (
            Kind::AnonymousAllowed,
            anonymous,
            "    anonymous: {allowed: 200, effects: [delete note 1111]}\n    root: {allowed: 200, effects: [delete note 1111]}\n",
        ),
        (Kind::WorldChanged, row, "row: <welcome.note_id>"),
        (
            Kind::ServerError,
            not_own,
            "owner: {denied: 500, gate: not yours}",
        ),
        (Kind::NoAnswer, not_own, "owner: {fault: timed out}"),
        (Kind::AllowedWithoutEffect, own, "owner: {allowed: 200}"),
    ];
    for (kind, from, to) in plants {
        let found = planted(from, to);
        assert_eq!(found, [kind], "{to}");
    }
}

#[test]
fn who_outranks_somebody_and_is_denied_is_an_inversion() {
    let root = "    root: {allowed: 200, effects: [delete note 1111]}\n  owner's note";
    let found = planted(
        root,
        "    root: {denied: 403, gate: not yours}\n  owner's note",
    );
    assert_eq!(found, [Kind::Inversion]);
}

#[test]
fn a_known_actor_that_meets_the_gate_of_a_stranger_everywhere_is_found() {
    let strange = HEALTHY
        .replace("root: {allowed: 200, effects: [delete note 1111]}", "root: {denied: 401, gate: who}")
        .replace("admin: {allowed: 200, discloses: [target.note_id], effects: [delete note 1111, insert log 2222]}", "admin: {denied: 401, gate: who}")
        .replace("admin: {allowed: 200, effects: [delete note 1111]}", "admin: {denied: 401, gate: who}");
    let found = findings("note-delete", &strange);
    assert!(
        found.contains(&"denied-everywhere: admin is refused on every target like a credential that exists nowhere".to_owned()),
        "{found:?}"
    );
}

#[test]
fn one_gate_with_two_statuses_is_found() {
    let found = findings(
        "note-delete",
        &HEALTHY.replacen("401, gate: who", "403, gate: who", 1),
    );
    assert_eq!(found, ["status-differs: `who` refuses with 401 and 403"]);
}

#[test]
fn what_the_caller_sent_tells_it_nothing() {
    let record = "format: 2\nendpoint: POST /notes/{{ target.note_id }}/share\ncells:\n  own note:\n    \
        owner: {allowed: 200, discloses: [welcome.note_id, target.note_id, owner.user_id, new.key]}\n";
    let found = findings("note-share", record);
    assert_eq!(
        found,
        ["other-tenant-disclosed: on `own note`, owner of north was shown welcome.note_id"]
    );
}

#[test]
fn a_redirect_of_somebody_unknown_is_no_success() {
    let found = planted(
        "anonymous: {denied: 401, gate: who}",
        "anonymous: {redirected: 302}",
    );
    assert!(!found.contains(&Kind::AnonymousAllowed), "{found:?}");
}

#[test]
fn a_secret_is_found_whatever_stands_around_it() {
    let texts = [
        "'moved <actor.key> -> elsewhere'",
        "'<target.note_id> -> <actor.key>'",
        "{old: nothing, new: 'a -> <actor.key> -> b'}",
    ];
    for text in texts {
        let found = planted("text: <target.note_id>", &format!("text: {text}"));
        assert_eq!(found, [Kind::SecretAtRest], "{text}");
    }
}

#[test]
fn what_an_update_took_away_is_not_stored() {
    let gone = "text: {old: <actor.key>, new: nothing}";
    assert_eq!(planted("text: <target.note_id>", gone), []);
}

#[test]
fn a_finding_is_about_the_cell_that_it_was_found_in_whatever_that_is_called() {
    let odd = "odd` name: on `own note` ";
    let record = HEALTHY
        .replacen("  own note:", &format!("  '{odd}':"), 1)
        .replacen("{denied: 401, gate: who}", "{denied: 500, gate: who}", 1);
    let record = Record::parse(&record).unwrap();
    let suite = suite();
    let endpoint = suite
        .endpoints
        .iter()
        .find(|known| known.name == "note-delete");
    let found = of(&suite, endpoint.unwrap(), &record);
    let finding = found
        .iter()
        .find(|one| one.kind == Kind::ServerError)
        .unwrap();
    assert!(finding.is_about(odd, "anonymous"), "{finding:?}");
    let pinned = Record {
        findings: found.clone(),
        ..record.clone()
    };
    let drifts = authz_pin_record::drift::between(&record, &pinned);
    let mut targets = drifts.iter().filter_map(|drift| drift.target.as_deref());
    assert!(
        targets.all(|target| record.cells.contains_key(target)),
        "{drifts:#?}"
    );
    assert!(pinned.has_finding(odd, "anonymous") && !pinned.has_finding("odd", "anonymous"));
}
