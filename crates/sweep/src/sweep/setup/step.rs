//! One step of a setup: what it is called, what it expects of an answer and takes from it.

use std::collections::BTreeMap;

use authz_pin_record::record::{Rule, Verdict};
use authz_pin_suite::suite::StepSpec;

use crate::http::Answer;
use crate::verdicts::Rules;

/// How much of an unexpected answer is shown, in characters.
const SHOWN: usize = 400;

/// Whether an answer is one that is expected: where no statuses are named, what the suite's rules allow, or a usual one. A
/// success or a redirect that is named is none that a rule refuses all the same.
pub(in crate::sweep) fn expects(
    rules: Rules<'_>,
    expected: &[u16],
    answer: &Answer,
    usual: &[u16],
) -> bool {
    let decision = rules.decide(answer);
    let is_refused_by_rule = *decision.rule() != Rule::Status
        && decision.verdict().is_denied()
        && !Verdict::of_status(answer.status).is_denied();
    match expected {
        [] => decision.verdict().is_allowed() || usual.contains(&answer.status),
        expected => expected.contains(&answer.status) && !is_refused_by_rule,
    }
}

pub(super) fn captured(step: &StepSpec, answer: &Answer) -> BTreeMap<String, String> {
    let sources = step.capture.iter();
    let found = sources.filter_map(|(name, source)| Some((name.clone(), answer.value(source)?)));
    found.collect()
}

pub(super) fn title(step: &StepSpec) -> String {
    match (&step.request, &step.command) {
        (Some(request), _) => format!("{} `{}`", request.method.as_str(), request.path),
        (None, Some(command)) => format!("the command of {}", command.place),
        (None, None) => "a step without a request".to_owned(),
    }
}

/// What the service answered, in words and with the run's values.
pub(in crate::sweep) fn answered(answer: &Answer) -> String {
    match &*answer.body.text() {
        "" => answer.status.to_string(),
        body => format!("{} {body}", answer.status),
    }
}

/// Not more of a text than a person reads, and nothing that steers a terminal.
pub(in crate::sweep) fn shortened(text: &str) -> String {
    let text: String = text.chars().take(SHOWN).collect();
    text.replace(char::is_control, "\u{fffd}")
}
