//! Credentials that do not work, from the start or from some call on.

use super::hall::{
    ADMIN, ALL, COPIES, EDIT, LIST, LOGOUT, MORE, Mode, NOTES, Served, record, recorded, snapshots,
    with_made, with_sessions, with_tokens,
};

fn table_level(kind: &str) -> String {
    let table = authz_pin::findings::table();
    let entry = table.iter().find(|entry| entry.id == kind).unwrap();
    format!("{:?}", entry.level).to_lowercase()
}

/// What was answered does not say enough.
const INCONCLUSIVE: Option<i32> = Some(6);

#[test]
fn nothing_is_recorded_with_credentials_of_which_none_works() {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[NOTES, COPIES]));
    let ended = service.run_as(&place, "x", "y", &["record"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("no actor with a credential was allowed anything"),
        "{ended:#?}"
    );
    assert_eq!(snapshots(&place), [""; 0]);
    let ended = service.run_as(&place, "x", "y", &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(ended.stdout.contains("inconclusive: "), "{ended:#?}");
}

#[test]
fn a_credential_that_worked_when_it_was_recorded_has_to_work_in_a_check() {
    let (service, place) = recorded(with_tokens(&[NOTES, COPIES]));
    let ended = service.run_as(&place, "t-alice", "expired", &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    let left_out = "bob is left out of copies, notes: its credential did not work any more";
    assert!(ended.stdout.contains(left_out), "{ended:#?}");
    assert!(!ended.stdout.contains("alice is left out"), "{ended:#?}");
    assert!(!ended.stdout.contains("narrowed"), "{ended:#?}");
    assert_eq!(snapshots(&place), ["copies.snap", "notes.snap"]);
}

#[test]
fn a_login_that_fails_like_one_that_works_is_noticed() {
    let (service, place) = recorded(with_sessions(&[NOTES]));
    service.turn(Mode::RefusesBobsLogin);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("bob is left out of notes: its credential"),
        "{ended:#?}"
    );
}

#[test]
fn an_ended_session_that_is_refused_in_other_words_than_a_stranger_is_noticed() {
    let (service, place) = (
        Served::start(Mode::Expires),
        with_sessions(&[LOGOUT, NOTES]),
    );
    service.run(&place, &["record"]).result();
    let logout = record(&place, "auth-logout");
    assert_eq!(logout.matches("credential-ended").count(), 2, "{logout}");
    let notes = record(&place, "notes");
    assert!(!notes.contains("expired"), "{notes}");
    service.run(&place, &["check"]).result();
}

#[test]
fn a_given_credential_that_is_over_in_other_words_than_a_stranger_s_is_noticed() {
    let (service, place) = (Served::start(Mode::Expires), with_tokens(&[LOGOUT, NOTES]));
    let ended = service.run(&place, &["record"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    service.turn(Mode::Plain);
    service.run(&place, &["record"]).result();
    service.turn(Mode::Expires);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(!ended.stdout.contains("narrowed"), "{ended:#?}");
}

#[test]
fn what_all_reads_but_no_writes_refuse_is_drift() {
    let (service, place) = recorded(with_tokens(&[NOTES, MORE, EDIT]));
    service.turn(Mode::RefusesAlice);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stdout.contains("narrowed more, notes  hers: alice"),
        "{ended:#?}"
    );
}

#[test]
fn a_credential_that_a_single_read_could_show_is_judged_by_all_that_the_run_is_answered() {
    let (service, place) = recorded(with_tokens(&[NOTES, EDIT]));
    let ended = service.run_as(&place, "t-alice", "expired", &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("bob is left out of edit, notes: its credential"),
        "{ended:#?}"
    );
    assert_eq!(snapshots(&place), ["edit.snap", "notes.snap"]);
    service.turn(Mode::RefusesAlice);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("narrowed notes"), "{ended:#?}");
}

#[test]
fn who_was_made_by_requests_and_is_refused_like_a_stranger_everywhere_is_a_finding() {
    let (service, place) = (Served::start(Mode::RefusesBobsLogin), with_made(&[NOTES]));
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let proposed = std::fs::read_to_string(place.path("hall/snapshots/notes.snap.new")).unwrap();
    let found = "{kind: denied-everywhere, detail: bob is refused on every target like a credential that exists nowhere}";
    assert!(proposed.contains(found), "{proposed}");
    assert!(!proposed.contains("detail: alice is refused"), "{proposed}");
}

#[test]
fn every_form_of_a_report_says_that_a_run_is_inconclusive() {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[NOTES]));
    let forms = ["github", "html", "json", "junit", "markdown", "sarif"];
    let reports: Vec<String> = forms
        .iter()
        .map(|form| format!("--report={form}=out/{form}"))
        .collect();
    let mut check = vec!["check"];
    check.extend(reports.iter().map(String::as_str));
    let ended = service.run_as(&place, "x", "y", &check);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    for form in forms {
        let text = std::fs::read_to_string(place.path("out").join(form)).unwrap();
        assert!(
            text.contains("no actor with a credential was allowed anything"),
            "{form}: {text}"
        );
    }
}

#[test]
fn what_is_refused_in_one_place_only_is_drift() {
    let (service, place) = recorded(with_tokens(&[NOTES, COPIES]));
    service.turn(Mode::RefusesAlice);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("narrowed notes"), "{ended:#?}");
    let ended = service.run(&place, &["check", "--filter", "notes"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
}

#[test]
fn what_is_swept_after_a_given_credential_was_ended_is_never_pinned() {
    let (service, place) = (Served::start(Mode::LogsOut), with_tokens(&[LOGOUT, NOTES]));
    let ended = service.run(&place, &["record"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("alice is left out of notes: its credential did not work any more"),
        "{ended:#?}"
    );
    assert!(ended.stderr.contains("`fresh: true`"), "{ended:#?}");
    assert_eq!(snapshots(&place), [""; 0]);
}

#[test]
fn a_check_leaves_out_who_lost_a_given_credential_and_compares_the_others() {
    let (service, place) = recorded(with_tokens(&[LOGOUT, NOTES]));
    service.turn(Mode::LogsOut);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(!ended.stdout.contains("narrowed"), "{ended:#?}");
    assert!(
        ended.stdout.contains("bob is left out of notes"),
        "{ended:#?}"
    );
    assert_eq!(snapshots(&place), ["auth-logout.snap", "notes.snap"]);
}

#[test]
fn a_session_that_calls_end_is_opened_anew_with_a_finding() {
    let (service, place) = (
        Served::start(Mode::LogsOut),
        with_sessions(&[LOGOUT, NOTES]),
    );
    service.run(&place, &["record"]).result();
    let logout = record(&place, "auth-logout");
    assert!(
        logout.contains(
            "{kind: credential-ended, detail: alice's credential did not work any more after the calls}"
        ),
        "{logout}"
    );
    let notes = record(&place, "notes");
    assert!(notes.contains("alice: {allowed: 200"), "{notes}");
    assert!(!notes.contains("credential-ended"), "{notes}");
    service.run(&place, &["check"]).result();
}

#[test]
fn a_session_that_begins_to_be_ended_is_drift_of_the_endpoint_that_ends_it() {
    let (service, place) = recorded(with_sessions(&[LOGOUT, NOTES]));
    service.turn(Mode::LogsOut);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended.stdout.contains("finding-added auth-logout"),
        "{ended:#?}"
    );
    assert_eq!(
        snapshots(&place),
        ["auth-logout.snap", "auth-logout.snap.new", "notes.snap"]
    );
}

#[test]
fn cells_of_sessions_that_are_good_for_one_call_are_recorded_each_with_a_new_one() {
    let (service, place) = (
        Served::start(Mode::Rotates),
        with_sessions(&[NOTES, COPIES]),
    );
    service.run(&place, &["record"]).result();
    for name in ["notes", "copies"] {
        let record = record(&place, name);
        assert_eq!(
            record.matches("alice: {allowed: 200").count(),
            3,
            "{record}"
        );
        assert_eq!(
            record
                .matches("bob: {denied: 403, gate: it-is-hers")
                .count(),
            1,
            "{record}"
        );
    }
    service.run(&place, &["check"]).result();
}

#[test]
fn an_actor_that_is_refused_everything_has_a_credential_that_works_where_strangers_are_refused_otherwise()
 {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[ADMIN, NOTES]));
    let place = place.edit(
        "hall/world.yaml",
        "  bob:\n",
        "  bob:\n    calls: [admin]\n",
    );
    service.run(&place, &["record"]).result();
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
}

#[test]
fn a_service_that_allows_everybody_everything_is_no_error_and_a_finding_that_weighs_deny() {
    let (service, place) = (Served::start(Mode::AllowsEverybody), with_tokens(&[NOTES]));
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(!ended.stdout.contains("inconclusive"), "{ended:#?}");
    let proposed = place.path("hall/snapshots/notes.snap.new");
    let proposed = std::fs::read_to_string(proposed).unwrap();
    assert!(
        proposed.contains("{kind: open-to-everybody, detail: 'everybody was allowed"),
        "{proposed}"
    );
    assert_eq!(table_level("open-to-everybody"), "deny");
}

#[test]
fn where_no_single_read_serves_a_call_of_the_sweep_shows_that_a_credential_died() {
    let (service, place) = (
        Served::start(Mode::LogsOut),
        with_tokens(&[ALL, LOGOUT, LIST]),
    );
    let ended = service.run(&place, &["record"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    for actor in ["alice", "bob"] {
        let left_out = format!("{actor} is left out of list: its credential did not work any more");
        assert!(ended.stderr.contains(&left_out), "{ended:#?}");
    }
    assert_eq!(snapshots(&place), [""; 0]);
}

#[test]
fn a_session_is_opened_anew_where_no_single_read_serves() {
    let (service, place) = (
        Served::start(Mode::LogsOut),
        with_sessions(&[ALL, LOGOUT, LIST]),
    );
    service.run(&place, &["record"]).result();
    let logout = record(&place, "auth-logout");
    assert_eq!(logout.matches("credential-ended").count(), 2, "{logout}");
    assert_eq!(record(&place, "list"), record(&place, "all"));
}

#[test]
fn a_filtered_check_whose_only_allowed_read_is_refused_now_is_drift_where_another_refusal_shows_the_actor()
 {
    let (service, place) = recorded(with_tokens(&[NOTES, ADMIN]));
    service.turn(Mode::RefusesAlice);
    let ended = service.run(&place, &["check", "--filter", "notes"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("narrowed notes"), "{ended:#?}");
}

#[test]
fn a_check_without_snapshots_proposes_nothing_of_who_lost_a_given_credential() {
    let (service, place) = (Served::start(Mode::LogsOut), with_tokens(&[LOGOUT, NOTES]));
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert!(
        ended.stdout.contains("alice is left out of notes"),
        "{ended:#?}"
    );
    assert_eq!(snapshots(&place), ["auth-logout.snap.new"]);
}

#[test]
fn a_check_in_which_nobody_is_allowed_anything_proposes_nothing() {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[NOTES]));
    let ended = service.run_as(&place, "x", "y", &["check"]);
    assert_eq!(ended.code, INCONCLUSIVE, "{ended:#?}");
    assert_eq!(snapshots(&place), [""; 0]);
}

#[test]
fn a_recording_says_whose_credentials_nothing_shows_to_work() {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[NOTES]));
    let ended = service.run_as(&place, "t-alice", "expired", &["record"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("whether the credentials of `bob` work"),
        "{ended:#?}"
    );
}

#[test]
fn a_known_actor_that_is_sent_away_to_log_in_like_a_stranger_is_a_finding() {
    let (service, place) = (Served::start(Mode::SendsAway), with_made(&[NOTES]));
    service.run(&place, &["record"]).result();
    let notes = record(&place, "notes");
    let found = "{kind: denied-everywhere, detail: bob is refused on every target like a credential that exists nowhere}";
    assert!(notes.contains(found), "{notes}");
    assert!(!notes.contains("detail: alice is refused"), "{notes}");
}
