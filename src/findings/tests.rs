//! Each kind of finding, planted by itself into a record that has none.

use std::path::Path;

use super::*;

const HEALTHY: &str = "\
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
    admin: {status: 200, discloses: [target.note_id], effects: [delete note 1111, insert log 2222]}
    owner: {status: 200, effects: [delete note 1111, insert log 2222]}
    anonymous: {status: 401, gate: who}
    root: {status: 200, effects: [delete note 1111]}
  owner's note:
    admin: {status: 200, effects: [delete note 1111]}
    owner: {status: 403, gate: not yours}
    anonymous: {status: 401, gate: who}
    root: {status: 200, effects: [delete note 1111]}
";

fn suite() -> Suite {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/notes");
    let mut suite = Suite::load(&folder).unwrap();
    suite.world.actors["owner"].tenant = Some("north".to_owned());
    suite.world.entities["welcome"].tenant = Some("south".to_owned());
    suite
}

fn findings(endpoint: &str, record: &str) -> Vec<String> {
    let suite = suite();
    let endpoint = suite.endpoints.iter().find(|known| known.name == endpoint);
    of(&suite, endpoint.unwrap(), &Record::parse(record).unwrap())
}

/// What is found when one text of the healthy record is replaced, each kind once.
fn planted(from: &str, to: &str) -> Vec<Kind> {
    assert!(HEALTHY.contains(from), "{from}");
    let found = findings("note-delete", &HEALTHY.replace(from, to));
    let kinds: BTreeSet<Kind> = found
        .iter()
        .map(|finding| kind_of(finding).unwrap())
        .collect();
    kinds.into_iter().collect()
}

#[test]
fn a_healthy_record_has_no_finding() {
    assert_eq!(findings("note-delete", HEALTHY), [""; 0]);
}

#[test]
fn each_kind_is_found_where_it_is_planted_and_nothing_else_is() {
    let own = "owner: {status: 200, effects: [delete note 1111, insert log 2222]}";
    let not_own = "owner: {status: 403, gate: not yours}";
    let anonymous = "    anonymous: {status: 401, gate: who}\n    root: {status: 200, effects: [delete note 1111]}\n";
    let row = "row: <target.note_id>";
    let plants = [
        (
            Kind::DeniedButWrote,
            not_own,
            "owner: {status: 403, gate: not yours, effects: [delete note 1111]}",
        ),
        (
            Kind::OthersSecretDisclosed,
            not_own,
            "owner: {status: 403, gate: not yours, discloses: [admin.key]}",
        ),
        (
            Kind::SecretAtRest,
            "text: <target.note_id>",
            "text: <actor.key>",
        ),
        (
            Kind::OtherTenantDisclosed,
            not_own,
            "owner: {status: 403, gate: not yours, discloses: [welcome.note_id]}",
        ),
        (
            Kind::AnonymousAllowed,
            anonymous,
            "    anonymous: {status: 200, effects: [delete note 1111]}\n    root: {status: 200, effects: [delete note 1111]}\n",
        ),
        (Kind::WorldChanged, row, "row: <welcome.note_id>"),
        (
            Kind::ServerError,
            not_own,
            "owner: {status: 500, gate: not yours}",
        ),
        (Kind::NoAnswer, not_own, "owner: {fault: timed out}"),
        (Kind::AllowedWithoutEffect, own, "owner: {status: 200}"),
    ];
    for (kind, from, to) in plants {
        let found = planted(from, to);
        assert_eq!(found, [kind], "{to}");
    }
}

#[test]
fn who_outranks_somebody_and_is_denied_is_an_inversion() {
    let root = "    root: {status: 200, effects: [delete note 1111]}\n  owner's note";
    let found = planted(
        root,
        "    root: {status: 403, gate: not yours}\n  owner's note",
    );
    assert_eq!(found, [Kind::Inversion]);
}

#[test]
fn a_known_actor_that_meets_the_gate_of_a_stranger_everywhere_is_found() {
    let strange = HEALTHY
        .replace("root: {status: 200, effects: [delete note 1111]}", "root: {status: 401, gate: who}")
        .replace("admin: {status: 200, discloses: [target.note_id], effects: [delete note 1111, insert log 2222]}", "admin: {status: 401, gate: who}")
        .replace("admin: {status: 200, effects: [delete note 1111]}", "admin: {status: 401, gate: who}");
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
    let record = "endpoint: POST /notes/{{ target.note_id }}/share\ncells:\n  own note:\n    \
        owner: {status: 200, discloses: [welcome.note_id, target.note_id, owner.user_id, new.key]}\n";
    let found = findings("note-share", record);
    assert_eq!(
        found,
        ["other-tenant-disclosed: owner on `own note` of north was shown welcome.note_id"]
    );
}

#[test]
fn a_redirect_of_somebody_unknown_is_no_success() {
    let found = planted(
        "anonymous: {status: 401, gate: who}",
        "anonymous: {status: 302}",
    );
    assert!(!found.contains(&Kind::AnonymousAllowed), "{found:?}");
}

#[test]
fn a_finding_can_be_read_back() {
    let finding = about(
        Kind::Inversion,
        "owner's key",
        "org_admin",
        "is denied (401) where allowed: owner",
    );
    let what = "inversion: is denied (401) where allowed: owner".to_owned();
    assert_eq!(parse(&finding), Some((what, "owner's key", "org_admin")));
    assert_eq!(parse("something else"), None);
    assert_eq!(kind_of(&finding), Some(Kind::Inversion));
}
