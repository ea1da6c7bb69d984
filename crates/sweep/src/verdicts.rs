//! From an answer to a verdict: the rules of the suite, tried in their order, and then the status.

mod batch;
mod condition;
mod elsewhere;
mod envelope;
mod graphql;
mod login;
mod rpc;
mod text;
mod xml;

pub(crate) use elsewhere::{place_of, places};
pub(crate) use text::asks_who;

use condition::holds;
use std::cmp::Ordering;
use std::collections::BTreeSet;

use authz_pin_record::fault::Reply;
use authz_pin_record::record::{Decision, Verdict};
use authz_pin_suite::suite::{
    EndpointFile, Preset, RequestSpec, SuiteFile, VerdictRule, VerdictSpec,
};
use serde_json::{Map, Value as Json};

use crate::http::{Answer, Body};

/// What rules say of an answer's refusals: nothing, if it is none of their business.
type Reading = Option<Ruled>;

/// What a rule decided.
#[derive(Debug, PartialEq, Eq)]
struct Ruled {
    /// None where the status decides.
    verdict: Option<Verdict>,
    /// What refused, as far as the rule can tell; of an answer that is allowed, the parts of it that were refused.
    refusals: Vec<Refusal>,
}

/// One refusal of an answer.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Refusal {
    /// Which part of the answer it stands for; none where it is all of it.
    part: Option<String>,
    /// The type of the error.
    kind: Option<String>,
    /// The message.
    message: Option<String>,
    /// All that the part says, where the answer has others; names are not in it.
    whole: Option<Whole>,
}

/// A part of an answer, which has no order among others.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Whole(Json);

impl PartialOrd for Whole {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Whole {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.to_string().cmp(&other.0.to_string())
    }
}

impl Refusal {
    fn with(self, whole: impl Into<Json>) -> Self {
        let whole = Some(Whole(whole.into()));
        Self { whole, ..self }
    }

    fn of_part(self, part: impl Into<String>) -> Self {
        let part = Some(part.into());
        Self { part, ..self }
    }

    /// The same with names in place of values.
    fn named(&self, name: &dyn Fn(&str) -> String) -> Self {
        let [part, kind, message] =
            [&self.part, &self.kind, &self.message].map(|text| text.as_deref().map(name));
        Self {
            part,
            kind,
            message,
            whole: None,
        }
    }

    /// The type and the message, where there is either.
    fn said(&self) -> Option<String> {
        let said = [&self.kind, &self.message].into_iter().flatten();
        let said: Vec<&str> = said.map(String::as_str).collect();
        (!said.is_empty()).then(|| said.join(": "))
    }
}

impl Ruled {
    fn denied(refusal: Refusal) -> Self {
        Self {
            verdict: Some(Verdict::Denied),
            refusals: vec![refusal],
        }
    }

    /// Of an answer in parts, each by its name with what refused it: allowed where any part of it is.
    fn of_each(parts: impl IntoIterator<Item = (String, Option<Refusal>)>) -> Reading {
        let mut is_any_allowed = false;
        let mut refusals = Vec::new();
        for (name, refusal) in parts {
            match refusal {
                Some(refusal) => refusals.push(refusal.of_part(name)),
                None => is_any_allowed = true,
            }
        }
        Self::of_parts(is_any_allowed, refusals)
    }

    /// The same, where it is known what was refused and whether anything was not.
    fn of_parts(is_any_allowed: bool, refusals: Vec<Refusal>) -> Reading {
        let verdict = if is_any_allowed {
            Verdict::Allowed
        } else {
            Verdict::Denied
        };
        (!refusals.is_empty()).then_some(Self {
            verdict: Some(verdict),
            refusals,
        })
    }

    fn is_in_parts(&self) -> bool {
        self.verdict.is_some_and(Verdict::is_allowed)
    }
}

/// What came of an answer: the verdict, and what the rule that decided it says of the refusal.
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    /// The type and the message of what refused, where the rule knows them.
    pub(crate) said: Option<String>,
    /// Where the answer leads whoever it refuses, although its status is no redirect.
    pub(crate) leads: Option<String>,
}

/// What decides of the answers to a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'s> {
    pub(crate) suite: &'s SuiteFile,
    /// The rules of the endpoint, which come before those of the suite.
    own: &'s [VerdictSpec],
    asked: Asked,
}

/// What is known of a request.
#[derive(Debug, Clone, Copy, Default)]
struct Asked {
    /// Whether it asks in GraphQL.
    is_graphql: bool,
    /// Whether that is a mutation.
    is_mutation: bool,
    /// Whether its answer lists only what it could not do (RFC 4918, sections 9.6.1, 9.8.5 and 9.9.4).
    lists_failures: bool,
}

impl Asked {
    fn of(request: &RequestSpec) -> Self {
        Self {
            is_graphql: graphql::is_asked(request),
            is_mutation: graphql::is_mutation(request),
            lists_failures: ["DELETE", "COPY", "MOVE"].contains(&request.method.as_str()),
        }
    }
}

impl<'s> Rules<'s> {
    /// The rules of an endpoint, and after them those of its suite.
    pub(crate) fn of_endpoint(suite: &'s SuiteFile, endpoint: &'s EndpointFile) -> Self {
        Self {
            own: &endpoint.verdicts,
            ..Self::of_request(suite, &endpoint.request)
        }
    }

    /// The rules of a suite, for a request that is no endpoint's.
    pub(crate) fn of_request(suite: &'s SuiteFile, request: &RequestSpec) -> Self {
        Self {
            asked: Asked::of(request),
            ..Self::of_suite(suite)
        }
    }

    /// The rules of a suite, where nobody knows what was asked.
    pub(crate) fn of_suite(suite: &'s SuiteFile) -> Self {
        Self {
            suite,
            own: &[],
            asked: Asked::default(),
        }
    }

    /// Decides whether the service let a call through: the one place where an answer becomes a verdict.
    pub(crate) fn decide(self, answer: &Answer) -> Decision {
        self.ruling(answer).map_or_else(
            || by_status(answer),
            |ruling| by_rule(answer, &ruling, &ruling.refusals),
        )
    }

    /// The same, with what refused in the words of the body as it is named, and by what names a text where that body is none that
    /// can be read any more.
    pub(crate) fn judge(
        self,
        answer: &Answer,
        (named, name): (&Body, &dyn Fn(&str) -> String),
    ) -> Judged {
        let Some(ruling) = self.ruling(answer) else {
            return Judged {
                decision: by_status(answer),
                said: None,
                leads: None,
            };
        };
        let seen = Seen::of(answer, named, self.asked);
        let by_name = || ruling.refusals.iter().map(|one| one.named(name)).collect();
        let refusals = refusals(ruling.spec, seen);
        let refusals = refusals.unwrap_or_else(by_name);
        Judged {
            decision: by_rule(answer, &ruling, &refusals),
            said: told(&refusals, ruling.is_in_parts()),
            leads: leads(ruling.spec, answer),
        }
    }

    /// All that the refused parts of an answer say whose body is this one, by their names.
    pub(crate) fn parts(self, answer: &Answer, body: &Body) -> Json {
        let refusals = self
            .ruling(answer)
            .filter(Ruling::is_in_parts)
            .and_then(|ruling| {
                let seen = Seen::of(answer, body, self.asked);
                refusals(ruling.spec, seen)
            });
        let mut parts = Map::new();
        for refusal in refusals.into_iter().flatten() {
            let (Some(part), Some(Whole(whole))) = (refusal.part, refusal.whole) else {
                continue;
            };
            if whole.as_object().is_some_and(Map::is_empty) {
                continue;
            }
            let all = parts.entry(part).or_insert_with(|| Json::Array(Vec::new()));
            all.as_array_mut()
                .into_iter()
                .for_each(|all| all.push(whole.clone()));
        }
        Json::Object(parts)
    }

    /// What the first rule that has something to say decides; none where the status does.
    fn ruling(self, answer: &Answer) -> Option<Ruling<'s>> {
        let seen = Seen::of(answer, &answer.body, self.asked);
        let mut all = self.own.iter().chain(&self.suite.verdicts);
        let found = all.find_map(|spec| Some((spec, spec.read(seen)?)));
        let (spec, Ruled { verdict, refusals }) = found?;
        Some(Ruling {
            spec,
            verdict: verdict?,
            refusals,
        })
    }
}

/// What a rule of a suite decided of an answer.
struct Ruling<'s> {
    spec: &'s VerdictSpec,
    verdict: Verdict,
    /// What refused, in the words of the answer.
    refusals: Vec<Refusal>,
}

impl Ruling<'_> {
    fn is_in_parts(&self) -> bool {
        self.verdict.is_allowed()
    }
}

fn by_status(answer: &Answer) -> Decision {
    Decision::by_status(Reply::Status(answer.status))
}

fn by_rule(answer: &Answer, ruling: &Ruling<'_>, refusals: &[Refusal]) -> Decision {
    let name = name(ruling.spec).to_owned();
    let parts = refusals.iter().filter(|_| ruling.is_in_parts());
    Decision::by_rule(name, ruling.verdict, answer.status)
        .but_for(parts.filter_map(|one| one.part.clone()))
}

/// All refusals of an answer as one text, in an order that does not depend on the service's.
fn told(refusals: &[Refusal], is_in_parts: bool) -> Option<String> {
    let told = refusals.iter().filter_map(|refusal| {
        let said = refusal.said();
        match &refusal.part {
            Some(part) if is_in_parts => {
                let said = said.map(|said| format!(": {said}")).unwrap_or_default();
                Some(format!("{part} refused{said}"))
            }
            _ => said,
        }
    });
    let told: BTreeSet<String> = told.collect();
    (!told.is_empty()).then(|| told.into_iter().collect::<Vec<_>>().join("; "))
}

/// What rules look at.
#[derive(Clone, Copy)]
struct Seen<'a> {
    answer: &'a Answer,
    /// The answer's body, as it is or named.
    body: &'a Body,
    asked: Asked,
}

impl<'a> Seen<'a> {
    fn of(answer: &'a Answer, body: &'a Body, asked: Asked) -> Self {
        Self {
            answer,
            body,
            asked,
        }
    }

    /// The JSON of a success.
    fn success(self) -> Option<&'a Json> {
        self.body.own_json().filter(|_| self.answer.is_success())
    }

    /// The text of a success that is not JSON, or only a text of it.
    fn success_text(self) -> Option<&'a str> {
        let text = match self.body {
            Body::Json(Json::String(text)) => text,
            body => body.own_text()?,
        };
        (self.answer.is_success() && !text.is_empty()).then_some(text)
    }

    /// The media type without its parameters, in small letters.
    fn media_type(self) -> String {
        self.answer.media_type()
    }
}

/// What reads an answer.
trait Reads {
    fn read(&self, seen: Seen<'_>) -> Reading;
}

/// What a record calls a rule.
fn name(rule: &VerdictSpec) -> &str {
    match rule {
        VerdictSpec::Preset(preset) => preset.as_str(),
        VerdictSpec::Rule(rule) => &rule.name,
    }
}

/// Where an answer leads that a rule refuses for that.
fn leads(rule: &VerdictSpec, answer: &Answer) -> Option<String> {
    matches!(rule, VerdictSpec::Preset(Preset::LoginRedirect)).then(|| login::leads(answer))?
}

/// What refused, of a body that is named: a condition need not hold of it any more.
fn refusals(rule: &VerdictSpec, seen: Seen<'_>) -> Option<Vec<Refusal>> {
    match rule {
        VerdictSpec::Preset(preset) => Some(preset.read(seen)?.refusals),
        VerdictSpec::Rule(rule) => Some(vec![refusal(rule, seen)]),
    }
}

impl Reads for VerdictSpec {
    fn read(&self, seen: Seen<'_>) -> Reading {
        match self {
            Self::Preset(preset) => preset.read(seen),
            Self::Rule(rule) => rule.read(seen),
        }
    }
}

impl Reads for Preset {
    fn read(&self, seen: Seen<'_>) -> Reading {
        match self {
            Self::MultiStatus => batch::multi_status(seen),
            Self::Batch => batch::read(seen),
            Self::Graphql => graphql::read(seen),
            Self::Mcp => rpc::mcp(seen),
            Self::JsonRpc => rpc::read(seen),
            Self::OkFlag => envelope::read(seen),
            Self::LoginRedirect => login::redirect(seen),
            Self::LoginPage => login::page(seen),
            Self::RefusalText => text::read(seen),
            Self::Status => Some(Ruled {
                verdict: None,
                refusals: Vec::new(),
            }),
        }
    }
}

impl Reads for VerdictRule {
    fn read(&self, seen: Seen<'_>) -> Reading {
        let is_excepted = self.unless.as_ref().is_some_and(|when| holds(when, seen));
        (holds(&self.when, seen) && !is_excepted).then(|| Ruled {
            verdict: Some(self.verdict.into()),
            refusals: Vec::new(),
        })
    }
}

fn refusal(rule: &VerdictRule, seen: Seen<'_>) -> Refusal {
    let at = |source| seen.answer.value_in(source, seen.body);
    Refusal {
        part: None,
        kind: rule.kind.as_ref().and_then(at),
        message: rule.message.as_ref().and_then(at),
        whole: None,
    }
}
