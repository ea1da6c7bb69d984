//! Coverage: which operations of the service's OpenAPI document the suite sweeps.

mod report;
mod route;

use authz_pin_suite::operations;
use std::collections::BTreeMap;

use authz_pin_suite::openapi::Operation;
use authz_pin_suite::suite::{Endpoint, ExclusionSpec, OperationName, Suite};
use serde::Serialize;

use crate::share::Share;

pub use report::{human, json};
use route::Route;

/// The operations of a service beside those that a suite sweeps.
#[derive(Debug)]
pub struct Coverage {
    /// Every operation in the document's order, and what the suite does with it.
    pub operations: Vec<Covered>,
    /// Endpoints of the suite whose operation is not in the document.
    pub strangers: Vec<Stranger>,
    /// Numbers of the exclusions that match no operation.
    pub idle: Vec<usize>,
    /// Numbers of the suite's own operations that are known already: the document has them, or the suite has them twice.
    pub known: Vec<usize>,
}

/// One operation.
#[derive(Debug, Serialize)]
pub struct Covered {
    /// The operation.
    #[serde(flatten)]
    pub operation: Operation,
    /// Whether the suite has named it, and not the document.
    pub extra: bool,
    /// What the suite does with it.
    #[serde(flatten)]
    pub state: State,
}

/// What a suite does with an operation.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// It has endpoints for it.
    Swept {
        /// Their names.
        endpoints: Vec<String>,
    },
    /// It says why it has none.
    Excluded {
        /// The pattern.
        by: String,
        /// The reason.
        reason: String,
    },
    /// Neither.
    Missing,
}

impl State {
    fn word(&self) -> &'static str {
        match self {
            Self::Swept { .. } => "swept",
            Self::Excluded { .. } => "excluded",
            Self::Missing => "missing",
        }
    }
}

/// An endpoint whose operation the document does not have.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Stranger {
    /// Its name.
    pub endpoint: String,
    /// Its method and path.
    pub operation: String,
}

/// How many operations there are of each state.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// All.
    pub operations: usize,
    /// Those that are swept.
    pub swept: usize,
    /// Those that are excluded with a reason.
    pub excluded: usize,
    /// The others.
    pub missing: usize,
}

impl Totals {
    fn add(&mut self, state: &State) {
        self.operations += 1;
        match state {
            State::Swept { .. } => self.swept += 1,
            State::Excluded { .. } => self.excluded += 1,
            State::Missing => self.missing += 1,
        }
    }

    /// How much of what is not excluded is swept.
    #[must_use]
    pub fn share(&self) -> Share {
        Share::new(self.swept, self.swept + self.missing)
    }
}

impl Coverage {
    /// Compares the operations of a document with a suite.
    #[must_use]
    pub fn of(mut operations: Vec<Operation>, suite: &Suite) -> Self {
        let of_document = operations.len();
        let known = add(&mut operations, &suite.file.coverage.extra);
        let (mut swept, strangers) = swept(&operations, &suite.endpoints);
        let exclusions = &suite.file.coverage.exclude;
        let idle = idle(exclusions, &operations);
        let cover = |(at, operation)| Covered {
            state: state(&operation, swept.remove(&at), exclusions),
            operation,
            extra: at >= of_document,
        };
        Self {
            operations: operations.into_iter().enumerate().map(cover).collect(),
            strangers,
            idle,
            known,
        }
    }

    /// The sums over all methods.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for covered in &self.operations {
            totals.add(&covered.state);
        }
        totals
    }

    /// The sums of each method.
    #[must_use]
    pub fn methods(&self) -> BTreeMap<&'static str, Totals> {
        let mut methods = BTreeMap::<_, Totals>::new();
        for covered in &self.operations {
            let totals = methods.entry(covered.operation.method).or_default();
            totals.add(&covered.state);
        }
        methods
    }

    fn missing(&self) -> impl Iterator<Item = &Operation> {
        let missing = |covered: &&Covered| covered.state == State::Missing;
        let found = self.operations.iter().filter(missing);
        found.map(|covered| &covered.operation)
    }
}

/// Adds the suite's own operations, and gives the numbers of those that were there already. Names of placeholders do not count.
fn add(operations: &mut Vec<Operation>, extra: &[OperationName]) -> Vec<usize> {
    let mut known = Vec::new();
    for (number, name) in extra.iter().enumerate() {
        let route = Route::of_document(&name.path);
        let method = name.method.as_str();
        let is_same =
            |one: &Operation| one.method == method && Route::of_document(&one.path) == route;
        if operations.iter().any(is_same) {
            known.push(number);
        } else {
            operations.push(Operation::named(method, &name.path));
        }
    }
    known
}

/// The names of the endpoints by the operation that they sweep, and the endpoints that sweep none.
fn swept(
    operations: &[Operation],
    endpoints: &[Endpoint],
) -> (BTreeMap<usize, Vec<String>>, Vec<Stranger>) {
    let routes: Vec<Route> = operations
        .iter()
        .map(|operation| Route::of_document(&operation.path))
        .collect();
    let mut swept = BTreeMap::<usize, Vec<String>>::new();
    let mut strangers = Vec::new();
    for endpoint in endpoints {
        match operation_of(endpoint, operations, &routes) {
            Some(at) => swept.entry(at).or_default().push(endpoint.name.clone()),
            None => strangers.push(Stranger {
                endpoint: endpoint.name.clone(),
                operation: endpoint.title(),
            }),
        }
    }
    (swept, strangers)
}

/// Of several operations that an endpoint's path fits, it is the one that names most of it, as in a router.
fn operation_of(endpoint: &Endpoint, operations: &[Operation], routes: &[Route]) -> Option<usize> {
    let request = &endpoint.spec.request;
    let route = Route::of_suite(&request.path);
    let fitting = operations
        .iter()
        .zip(routes)
        .enumerate()
        .filter(|(_, (operation, _))| operation.method == request.method.as_str())
        .filter_map(|(at, (_, pattern))| Some((at, route.fit(pattern)?)));
    // The first of equals: a router asks in the order of the document.
    let best = fitting.min_by(|(_, one), (_, other)| other.cmp(one));
    best.map(|(at, _)| at)
}

fn state(
    operation: &Operation,
    endpoints: Option<Vec<String>>,
    exclusions: &[ExclusionSpec],
) -> State {
    if let Some(endpoints) = endpoints {
        return State::Swept { endpoints };
    }
    let exclusion = exclusions.iter().find(|spec| matches(spec, operation));
    exclusion.map_or(State::Missing, |spec| State::Excluded {
        by: spec.operation.clone(),
        reason: spec.reason.clone(),
    })
}

fn idle(exclusions: &[ExclusionSpec], operations: &[Operation]) -> Vec<usize> {
    let is_idle = |spec: &ExclusionSpec| !operations.iter().any(|known| matches(spec, known));
    let numbered = exclusions.iter().enumerate();
    let idle = numbered.filter(|(_, spec)| is_idle(spec));
    idle.map(|(number, _)| number).collect()
}

fn matches(spec: &ExclusionSpec, operation: &Operation) -> bool {
    operations::matches(&spec.operation, operation.method, &operation.path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_excluded_need_not_be_swept() {
        let totals = Totals {
            operations: 10,
            swept: 1,
            excluded: 7,
            missing: 2,
        };
        assert_eq!(totals.share(), Share::new(1, 3));
    }
}
