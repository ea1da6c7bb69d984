//! Answers that say nothing of their call, since the service was not well or other calls were in the way.

use std::time::{Duration, Instant};

use super::hall::{
    COPIES, EDIT, LIST, Mode, NOTES, Served, record, recorded, snapshots, with_tokens,
};

#[test]
fn what_is_refused_because_of_calls_beside_it_is_asked_again_alone() {
    let (service, place) = (Served::start(Mode::OneAtATime), with_tokens(&[EDIT]));
    let ended = service.run(&place, &["record"]);
    assert!(
        ended
            .stderr
            .contains("answered 409: asking again, one at a time"),
        "{ended:#?}"
    );
    ended.result();
    let record = record(&place, "edit");
    assert!(!record.contains("409"), "{record}");
    assert_eq!(
        record.matches("alice: {allowed: 200").count(),
        3,
        "{record}"
    );
}

#[test]
fn a_hiccup_of_the_service_is_no_drift() {
    let (service, place) = recorded(with_tokens(&[COPIES, NOTES]));
    service.turn(Mode::Hiccups);
    let ended = service.run(&place, &["check", "--filter", "copies"]);
    assert!(
        ended.stderr.contains("as in an outage: asking again"),
        "{ended:#?}"
    );
    ended.result();
}

#[test]
fn what_is_broken_while_the_service_answers_other_calls_is_drift() {
    let (service, place) = recorded(with_tokens(&[COPIES, NOTES]));
    service.turn(Mode::BreaksCopies);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("narrowed copies"), "{ended:#?}");
}

#[test]
fn nothing_is_pinned_of_a_service_that_is_out() {
    let (service, place) = recorded(with_tokens(&[COPIES, NOTES]));
    service.turn(Mode::IsOut);
    let ended = service.run(&place, &["check"]);
    assert!(ended.error(6).contains("the service is not well"));
    assert_eq!(snapshots(&place), ["copies.snap", "notes.snap"]);
}

#[test]
fn a_write_is_not_made_again_where_nothing_can_undo_it() {
    let (service, place) = recorded(with_tokens(&[EDIT, NOTES]));
    service.turn(Mode::Hiccups);
    let ended = service.run(&place, &["check"]);
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("left out of edit: the service was not well"),
        "{ended:#?}"
    );
}

#[test]
fn refusals_that_a_suite_calls_an_outage_are_asked_again() {
    let (service, place) = recorded(with_tokens(&[COPIES, NOTES]));
    let place = place.edit(
        "hall/suite.yaml",
        "refusal:",
        "outage: ['*the database']\nrefusal:",
    );
    service.turn(Mode::LosesItsDatabase);
    let ended = service.run(&place, &["check", "--filter", "copies"]);
    assert!(
        ended.stderr.contains("as in an outage: asking again"),
        "{ended:#?}"
    );
    ended.result();
}

#[test]
fn an_outage_that_has_the_status_of_a_pinned_refusal_is_asked_again() {
    let (service, place) = recorded(with_tokens(&[COPIES, NOTES]));
    let place = place.edit(
        "hall/suite.yaml",
        "refusal:",
        "outage: ['*the database']\nrefusal:",
    );
    service.turn(Mode::LosesItsTokens);
    let ended = service.run(&place, &["check"]);
    assert!(
        ended
            .stderr
            .contains("copies: 1 cell answered as in an outage: asking again"),
        "{ended:#?}"
    );
    ended.result();
}

#[test]
fn a_limit_that_the_service_asks_to_be_kept_is_waited_for() {
    let (service, place) = (Served::start(Mode::Limits), with_tokens(&[COPIES, NOTES]));
    let ended = service.run(&place, &["record"]);
    assert!(
        ended.stderr.contains("answered 429: asking again"),
        "{ended:#?}"
    );
    ended.result();
    for name in ["copies", "notes"] {
        assert!(!record(&place, name).contains("429"));
    }
}

#[test]
fn a_limit_that_never_ends_is_never_pinned() {
    let (service, place) = (
        Served::start(Mode::AlwaysLimits),
        with_tokens(&[EDIT, NOTES]),
    );
    let ended = service.run(&place, &["record"]);
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("left out of edit: it was answered 429 again and again"),
        "{ended:#?}"
    );
    assert_eq!(snapshots(&place), [""; 0]);
}

#[test]
fn pages_without_an_end_are_a_fault_of_their_cell() {
    let (service, place) = (Served::start(Mode::Endless), with_tokens(&[LIST, NOTES]));
    let place = place.edit("hall/endpoints/list.yaml", "[hers, theirs, free]", "[free]");
    let ended = service.run(&place, &["check", "--filter", "{list,notes}/free"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(ended.stdout.contains("fault!"), "{ended:#?}");
    let is_new = |line: &str| line.starts_with("notes ") && line.ends_with("has no snapshot yet");
    assert!(ended.stdout.lines().any(is_new), "{ended:#?}");
}

#[test]
fn no_more_requests_are_sent_in_a_second_than_a_limit_says() {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[NOTES]));
    let begun = Instant::now();
    service
        .run(&place, &["record", "--rate-limit", "40"])
        .result();
    let least = Duration::from_secs(1) * u32::try_from(service.calls() - 8).unwrap() / 40;
    assert!(
        begun.elapsed() > least,
        "{} calls in {:?}",
        service.calls(),
        begun.elapsed()
    );
}

#[test]
fn what_was_seen_and_what_was_not_is_said_at_the_end() {
    let (service, place) = recorded(with_tokens(&[COPIES, NOTES]));
    let result = service.run(&place, &["check"]).result();
    assert!(
        result.contains("seen: 36 answers (36 JSON), no database\nnot seen: effects of 24 cells\n"),
        "{result}"
    );
}

#[test]
fn a_run_that_has_to_see_effects_and_does_not_is_inconclusive() {
    let (service, place) = recorded(with_tokens(&[NOTES]));
    let ended = service.run(&place, &["check", "--require", "effects"]);
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(
        ended.stdout.contains("not all effects were observed"),
        "{ended:#?}"
    );
}
