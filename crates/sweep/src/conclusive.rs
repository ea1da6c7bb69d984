//! Whether what a run saw says enough to be pinned: who was allowed anything, whose credential died, what was a draft.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use authz_pin_record::record::{Cell, Record};
use authz_pin_suite::suite::Suite;

use crate::sweep::{Silence, Sweep};

/// Why a run is inconclusive, each reason in words; none if it is not.
#[must_use]
pub fn reasons(suite: &Suite, swept: &Sweep, is_whole: bool) -> Vec<String> {
    let mut reasons = of_run(suite, swept, is_whole);
    reasons.extend(left_out(swept));
    reasons
}

/// The reasons that are about all of the run, so that none of its records is to be trusted.
#[must_use]
pub fn of_run(suite: &Suite, swept: &Sweep, is_whole: bool) -> Vec<String> {
    let mut reasons = drafts(suite);
    reasons.extend(nobody(suite, swept).filter(|_| is_whole));
    reasons
}

/// What a draft of `authz-pin init` says where a person has to say something.
const DRAFT: &str = "FILL IN";

/// The places of the suite that are still a draft.
fn drafts(suite: &Suite) -> Vec<String> {
    let own = ["suite.yaml", "world.yaml", "targets.yaml"].map(|name| suite.folder.join(name));
    let endpoints = suite.endpoints.iter();
    let endpoints = endpoints.map(|endpoint| endpoint.place.file.clone());
    own.into_iter()
        .chain(suite.included.iter().cloned())
        .chain(endpoints)
        .filter_map(|file| draft(&file))
        .collect()
}

fn draft(file: &PathBuf) -> Option<String> {
    // One that cannot be read any more was read a moment ago.
    let text = fs::read_to_string(file).ok()?;
    let lines = (1..).zip(text.lines());
    // What a request sends can say so as well.
    let comment = |line: &str| {
        line.split_once('#')
            .is_some_and(|(_, text)| text.contains(DRAFT))
    };
    let drafts = lines.filter(|(_, line)| comment(line));
    let lines: Vec<String> = drafts.map(|(number, _)| number.to_string()).collect();
    let name = shown(file);
    (!lines.is_empty()).then(|| {
        format!(
            "{name} is a draft: it says {DRAFT} in line {} (do so, or delete the comment)",
            lines.join(", ")
        )
    })
}

fn shown(file: &Path) -> String {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let is_endpoint = file
        .parent()
        .is_some_and(|folder| folder.ends_with("endpoints"));
    if is_endpoint {
        return format!("endpoints/{name}");
    }
    name.into_owned()
}

/// The cells that were left out, and why. What the other cells show can be trusted.
#[must_use]
pub fn left_out(swept: &Sweep) -> Vec<String> {
    let mut reasons: BTreeMap<(&str, Silence), Vec<&str>> = BTreeMap::new();
    for (endpoint, actors) in &swept.inconclusive {
        for (actor, why) in actors {
            reasons.entry((actor, *why)).or_default().push(endpoint);
        }
    }
    let reasons = reasons.into_iter().map(|((actor, why), endpoints)| {
        let why = match why {
            Silence::Dead => "its credential did not work any more",
            Silence::Limited => {
                "it was answered 429 again and again (`--rate-limit` sends fewer requests a second)"
            }
            Silence::Outage => "the service was not well",
        };
        format!("{actor} is left out of {}: {why}", endpoints.join(", "))
    });
    reasons.collect()
}

/// Whether nobody was allowed anything that a stranger is not, where anything was refused at all. A service that allows
/// everybody everything is open, and that is for findings to say.
///
/// Where a stranger with a credential is refused in another way than an actor, the service knows the actor.
fn nobody(suite: &Suite, swept: &Sweep) -> Option<String> {
    let records = &swept.records;
    let cells = || {
        let all = records.values();
        all.flat_map(|record| record.iter().map(move |cell| (record, cell)))
    };
    let strangers = suite.strangers();
    let known = || cells().filter(|(_, (_, actor, _))| !strangers.contains(actor));
    // Where a stranger is sent away to log in, an actor who is sent elsewhere was allowed something.
    let is_more = |(record, (target, _, cell)): (&Record, (&str, &str, &Cell))| {
        let mut strangers = strangers
            .iter()
            .filter_map(|other| record.cell_at(target, other));
        cell.is_let_through()
            && !strangers
                .any(|other| (&other.decision, &other.gate) == (&cell.decision, &cell.gate))
    };
    let is_refused = cells().any(|(_, (_, _, cell))| !cell.is_let_through());
    let has_impostor = strangers.iter().any(|actor| suite.auth_of(actor).is_some());
    let unproven = &swept.seen.unproven;
    let is_proven = |actor: &str| has_impostor && !unproven.iter().any(|other| other == actor);
    if known().any(|(_, (_, actor, _))| is_proven(actor)) {
        return None;
    }
    let found = known().next().is_some() && is_refused && !known().any(is_more);
    found.then(|| {
        "no actor with a credential was allowed anything that a call without one is not: do the credentials work?".to_owned()
    })
}
