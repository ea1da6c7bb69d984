//! Sensitivity: it is about what cells say, and not about names or orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use authz_pin::fault::Reply;
use authz_pin::observation::{Operation, RowChange};
use authz_pin::record::{Cell, Decision, EffectLabel, Effects, Record};
use authz_pin::sensitivity::{Kind, Pinned, Sensitivity};
use indexmap::IndexMap;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::support::cases;

/// How an actor is called.
type Name = fn(usize) -> String;

fn plain(actor: usize) -> String {
    format!("actor {actor}")
}

/// Another name, of another place in the alphabet.
fn other(actor: usize) -> String {
    format!("{} is called otherwise", 9 - actor)
}

/// What one cell shows, with the number of the actor whose identifier it holds.
#[derive(Debug, Clone, Copy)]
struct Shown {
    status: u16,
    gate: usize,
    seen: usize,
    table: usize,
}

fn shown() -> impl Strategy<Value = Shown> {
    let parts = (
        select(vec![200_u16, 403, 404]),
        0..3_usize,
        0..6_usize,
        0..3_usize,
    );
    parts.prop_map(|(status, gate, seen, table)| Shown {
        status,
        gate,
        seen,
        table,
    })
}

impl Shown {
    fn cell(self, actor: usize, name: Name) -> Cell {
        let symbol = |seen| {
            if seen == actor {
                "actor.id".to_owned()
            } else {
                format!("{}.id", name(seen))
            }
        };
        let is_denied = self.status >= 400;
        let written = (!is_denied && self.table > 0).then(|| effect(self.table));
        Cell {
            gate: (is_denied && self.gate > 0).then(|| format!("gate-{}", self.gate)),
            discloses: Some(self.seen)
                .filter(|seen| *seen < ACTORS)
                .map(symbol)
                .into_iter()
                .collect(),
            effects: Effects::Observed(written.into_iter().collect()),
            ..Cell::new(Decision::by_status(Reply::Status(self.status)))
        }
    }
}

const ACTORS: usize = 4;

fn effect(table: usize) -> EffectLabel {
    EffectLabel::new(Operation::Update, &format!("table{table}"), "1a2b")
}

/// An endpoint: a list of rows, each with a cell for every actor.
type Rows = Vec<[Shown; ACTORS]>;

fn endpoints() -> impl Strategy<Value = Vec<Rows>> {
    let row = [shown(), shown(), shown(), shown()];
    vec(vec(row, 1..4), 1..4)
}

fn pinned(endpoints: &[Rows], name: Name) -> Vec<Pinned> {
    let endpoint = |(number, rows): (usize, &Rows)| Pinned {
        endpoint: format!("endpoint-{number}"),
        record: record(rows, name),
    };
    endpoints.iter().enumerate().map(endpoint).collect()
}

fn record(rows: &Rows, name: Name) -> Record {
    let row = |(number, row): (usize, &[Shown; ACTORS])| {
        let cells = row.iter().enumerate();
        let cells =
            cells.map(|(actor, shown)| (name(actor).into(), Arc::new(shown.cell(actor, name))));
        (format!("target {number}"), cells.collect())
    };
    let change = RowChange {
        row: "<target.id>".to_owned(),
        columns: Vec::new(),
    };
    Record {
        endpoint: "POST /x".to_owned(),
        gates: [1, 2]
            .map(|gate| (format!("gate-{gate}"), format!("says {gate}")))
            .into(),
        effects: [1, 2].map(|table| (effect(table), change.clone())).into(),
        cells: rows.iter().enumerate().map(row).collect(),
        ..Record::default()
    }
}

/// How many questions of a kind there are, and how many of them are open.
type Sums = Vec<(Kind, usize, usize)>;

/// Every gap, with the number of cells that were asked.
type Gaps = BTreeSet<(Kind, usize, String)>;

fn outcome(pinned: &[Pinned]) -> (Sums, Gaps) {
    let sensitivity = Sensitivity::of(pinned, &[]);
    let kinds = sensitivity.kinds().into_iter();
    let sums = kinds.map(|(kind, totals)| (kind, totals.questions, totals.open));
    let gaps = sensitivity.gaps.into_iter();
    let gaps = gaps.map(|gap| (gap.kind, gap.cells, gap.what));
    (sums.collect(), gaps.collect())
}

fn percent(endpoints: &[Rows]) -> f64 {
    let sensitivity = Sensitivity::of(&pinned(endpoints, plain), &[]);
    sensitivity.totals().share().percent()
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn other_names_of_the_actors_change_nothing_but_names(endpoints in endpoints()) {
        let (sums, gaps) = outcome(&pinned(&endpoints, plain));
        let (renamed_sums, renamed) = outcome(&pinned(&endpoints, other));
        prop_assert_eq!(sums, renamed_sums);
        let sizes = |gaps: Gaps| {
            let mut sizes: Vec<(Kind, usize)> = gaps.into_iter().map(|(kind, cells, _)| (kind, cells)).collect();
            sizes.sort_unstable();
            sizes
        };
        prop_assert_eq!(sizes(gaps), sizes(renamed));
    }

    #[test]
    fn the_order_of_endpoints_targets_and_actors_changes_no_gap(endpoints in endpoints()) {
        let mut pinned = pinned(&endpoints, plain);
        let before = outcome(&pinned);
        pinned.reverse();
        for pinned in &mut pinned {
            pinned.record.cells.reverse();
            pinned.record.cells.values_mut().for_each(IndexMap::reverse);
        }
        prop_assert_eq!(outcome(&pinned), before);
    }

    /// A new target upon which the first actor is allowed and everybody else is refused in an own way, by no gate.
    #[test]
    fn a_target_that_tells_actors_apart_never_lowers_the_number(endpoints in endpoints(), at in any::<prop::sample::Index>()) {
        let before = percent(&endpoints);
        let mut more = endpoints.clone();
        let at = at.index(more.len());
        let telling = [200, 405, 406, 407].map(|status| Shown { status, gate: 0, seen: ACTORS, table: 0 });
        more[at].push(telling);
        // Its name is new to the suite: `target N` of other endpoints is another target.
        let mut pinned = pinned(&more, plain);
        let cells = &mut pinned[at].record.cells;
        let (_, row) = cells.pop().unwrap();
        cells.insert("a telling target".to_owned(), row);
        let after = Sensitivity::of(&pinned, &[]).totals().share().percent();
        prop_assert!(after >= before, "{before} -> {after}");
    }

    #[test]
    fn every_gap_is_named_once(endpoints in endpoints()) {
        let sensitivity = Sensitivity::of(&pinned(&endpoints, plain), &[]);
        let names: BTreeSet<&String> = sensitivity.gaps.iter().map(|gap| &gap.what).collect();
        prop_assert_eq!(names.len(), sensitivity.gaps.len());
    }
}
