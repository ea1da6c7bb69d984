//! Suites that still say where a person has to say something.

use super::hall::{Mode, NOTES, Served, snapshots, with_tokens};

#[test]
fn nothing_is_recorded_of_a_suite_that_is_a_draft() {
    let (service, place) = (Served::start(Mode::Plain), with_tokens(&[NOTES]));
    let place = place.edit(
        "hall/targets.yaml",
        "targets:",
        "# FILL IN: what makes a difference\ntargets:",
    );
    let ended = service.run(&place, &["record"]);
    assert_eq!(ended.code, Some(6), "{ended:#?}");
    assert!(
        ended
            .stderr
            .contains("targets.yaml is a draft: it says FILL IN in line 1"),
        "{ended:#?}"
    );
    assert_eq!(snapshots(&place), [""; 0]);
    let place = place.edit(
        "hall/targets.yaml",
        "# FILL IN: what makes a difference\n",
        "",
    );
    service.run(&place, &["record"]).result();
}
