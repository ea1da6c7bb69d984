//! The invariants: what of a record breaks one is a finding.

mod names;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::verdicts;

use authz_pin_record::findings::{Finding, Kind};
use authz_pin_record::observation::{Operation, RowChange};
use authz_pin_record::record::{Cell, EffectLabel, Record};
use authz_pin_suite::suite::{Endpoint, Suite};
use names::{Cast, symbols_in};

/// The findings of one record, in the record's order; those about no single cell are the last.
#[must_use]
pub fn of(suite: &Suite, endpoint: &Endpoint, record: &Record) -> Vec<Finding> {
    let cast = Cast { suite, endpoint };
    let rules = Rules {
        suite,
        strangers: suite.strangers(),
        endpoint,
        record,
        sent: record
            .cells
            .keys()
            .map(|target| (target.as_str(), cast.sent(target)))
            .collect(),
        cast,
    };
    let cells = record.iter().flat_map(|(target, actor, cell)| {
        let found = rules.of_cell(target, actor, cell).into_iter();
        found.map(move |(kind, what)| Finding::of_cell(kind, (target, actor), what))
    });
    cells.chain(rules.of_record()).collect()
}

struct Rules<'a> {
    suite: &'a Suite,
    /// The actors of whom nobody told the service.
    strangers: BTreeSet<&'a str>,
    endpoint: &'a Endpoint,
    record: &'a Record,
    cast: Cast<'a>,
    /// What the requests send, by target.
    sent: BTreeMap<&'a str, String>,
}

/// What breaks an invariant, and how.
type Found = (Kind, String);

impl Rules<'_> {
    fn of_cell(&self, target: &str, actor: &str, cell: &Cell) -> Vec<Found> {
        let found = [
            no_answer(cell),
            denied_but_wrote(cell),
            server_error(cell),
            self.anonymous_allowed(actor, cell),
            self.inversion(target, actor, cell),
            self.others_secret(target, actor, cell),
            self.other_tenant(target, actor, cell),
            self.secret_at_rest(target, actor, cell),
            self.world_changed(cell),
            self.without_effect(cell),
        ];
        found.into_iter().flatten().collect()
    }

    fn of_record(&self) -> Vec<Finding> {
        let actors: BTreeSet<&str> = self.record.iter().map(|(_, actor, _)| actor).collect();
        let everywhere = self.suite.world.actors.keys();
        let everywhere = everywhere.filter(|actor| actors.contains(actor.as_str()));
        let everywhere = everywhere.filter(|actor| self.is_refused_like_a_stranger(actor));
        let everywhere = everywhere.map(|actor| {
            format!("{actor} is refused on every target like a credential that exists nowhere")
        });
        let everywhere = everywhere.map(|what| (Kind::DeniedEverywhere, what));
        let statuses = self.statuses_of_gates().into_iter();
        let differing = statuses.filter(|(_, statuses)| statuses.len() > 1);
        let differing = differing.map(|(gate, statuses)| {
            let statuses: Vec<String> = statuses.iter().map(u16::to_string).collect();
            (
                Kind::StatusDiffers,
                format!("`{gate}` refuses with {}", statuses.join(" and ")),
            )
        });
        let found = self.open().into_iter().chain(everywhere).chain(differing);
        found
            .map(|(kind, what)| Finding::of_record(kind, what))
            .collect()
    }

    /// Whether everybody was allowed upon everything, a caller whom the service does not know as well. Of a call that is the same
    /// upon every target, reads and shows nothing that is somebody's, that says nothing.
    fn open(&self) -> Option<Found> {
        let mut cells = self.record.iter().peekable();
        let has_stranger = self
            .record
            .iter()
            .any(|(_, actor, _)| self.strangers.contains(actor));
        let has_known = self
            .record
            .iter()
            .any(|(_, actor, _)| !self.strangers.contains(actor));
        let request = &self.endpoint.spec.request;
        let tells = |(_, _, cell): (&str, &str, &Cell)| {
            !cell.discloses.is_empty() || !cell.effects.is_empty()
        };
        let is_about = !request.method.is_safe()
            || self.sent.values().any(|sent| sent.contains("target."))
            || self.record.iter().any(tells);
        let is_open = cells.all(|(_, _, cell)| cell.is_allowed());
        (has_stranger && has_known && is_about && is_open).then(|| {
            (
                Kind::OpenToEverybody,
                "everybody was allowed upon every target, also whom the service does not know"
                    .to_owned(),
            )
        })
    }

    fn anonymous_allowed(&self, actor: &str, cell: &Cell) -> Option<Found> {
        let anonymous = self.suite.world.actors.get(actor)?.auth.is_none();
        // Where somebody without a credential is sent away to log in, nothing was allowed.
        (anonymous && cell.is_allowed()).then(|| {
            (
                Kind::AnonymousAllowed,
                format!("was allowed ({})", cell.answer()),
            )
        })
    }

    fn inversion(&self, target: &str, actor: &str, cell: &Cell) -> Option<Found> {
        let below = self.suite.world.actors.get(actor)?.outranks.iter();
        let is_allowed = |other: &&String| {
            self.record
                .cell_at(target, other)
                .is_some_and(Cell::is_let_through)
        };
        let allowed: Vec<&str> = below.filter(is_allowed).map(String::as_str).collect();
        (cell.is_denied() && !allowed.is_empty()).then(|| {
            let what = format!(
                "is denied ({}) where allowed: {}",
                cell.answer(),
                allowed.join(", ")
            );
            (Kind::Inversion, what)
        })
    }

    fn others_secret(&self, target: &str, actor: &str, cell: &Cell) -> Option<Found> {
        let others = self.told(target, cell, |symbol| {
            self.cast.is_secret(symbol, target, actor) && !self.cast.is_own(symbol)
        })?;
        Some((Kind::OthersSecretDisclosed, format!("was shown {others}")))
    }

    fn other_tenant(&self, target: &str, actor: &str, cell: &Cell) -> Option<Found> {
        let own = self.suite.world.actors.get(actor)?.tenant.as_deref()?;
        let is_others = |symbol: &str| {
            let tenant = self.cast.tenant(symbol, target);
            tenant.is_some_and(|tenant| tenant != own)
        };
        let others = self.told(target, cell, is_others)?;
        let what = format!("of {own} was shown {others}");
        Some((Kind::OtherTenantDisclosed, what))
    }

    /// What of some kind the answer told the caller, who had not sent it.
    fn told(&self, target: &str, cell: &Cell, is_meant: impl Fn(&str) -> bool) -> Option<String> {
        let sent = self.sent.get(target).map_or("", String::as_str);
        let told = |symbol: &&String| is_meant(symbol) && !sent.contains(symbol.as_str());
        let told: Vec<&str> = cell
            .discloses
            .iter()
            .filter(told)
            .map(String::as_str)
            .collect();
        (!told.is_empty()).then(|| told.join(", "))
    }

    fn secret_at_rest(&self, target: &str, actor: &str, cell: &Cell) -> Option<Found> {
        let mut stored = BTreeSet::new();
        for (label, change) in self.writes(cell) {
            let table = label.table();
            for (column, change) in &change.columns {
                let secrets = symbols_in(change.written())
                    .filter(|symbol| self.cast.is_secret(symbol, target, actor));
                stored.extend(secrets.map(|symbol| format!("<{symbol}> in {table}.{column}")));
            }
        }
        let stored: Vec<String> = stored.into_iter().collect();
        (!stored.is_empty()).then(|| (Kind::SecretAtRest, format!("stored {}", stored.join(", "))))
    }

    fn world_changed(&self, cell: &Cell) -> Option<Found> {
        let of_world = |(label, change): &(&EffectLabel, &RowChange)| {
            label.operation() != Operation::Insert
                && symbols_in(&change.row).any(|symbol| self.cast.is_of_world(symbol))
        };
        let rows = self.writes(cell).filter(of_world);
        let rows: BTreeSet<String> = rows
            .map(|(label, change)| format!("{} {}", label.table(), change.row))
            .collect();
        let rows: Vec<String> = rows.into_iter().collect();
        (!rows.is_empty()).then(|| (Kind::WorldChanged, format!("changed {}", rows.join(", "))))
    }

    fn without_effect(&self, cell: &Cell) -> Option<Found> {
        let reads = self.endpoint.spec.request.method.is_safe();
        let writes = |cell: &Cell| cell.is_let_through() && cell.wrote();
        // It can have changed what was not observed.
        let is_all = self.record.unobserved.is_empty() && cell.effects.is_observed();
        let nothing = cell.is_let_through() && is_all && cell.effects.is_empty();
        let others_write = || self.record.iter().any(|(_, _, cell)| writes(cell));
        (!reads && nothing && others_write()).then(|| {
            (
                Kind::AllowedWithoutEffect,
                format!("was allowed ({}), and nothing changed", cell.answer()),
            )
        })
    }

    /// The effects of a cell with what the legend says of them.
    fn writes<'c>(
        &'c self,
        cell: &'c Cell,
    ) -> impl Iterator<Item = (&'c EffectLabel, &'c RowChange)> {
        let labels = cell.effects.labels().iter();
        labels.filter_map(|label| Some((label, self.record.effects.get(label)?)))
    }

    /// Whether a known actor meets on every target the gate of one whose credential exists nowhere.
    fn is_refused_like_a_stranger(&self, actor: &str) -> bool {
        let has_success = self.record.iter().any(|(_, _, cell)| cell.is_allowed());
        let refusal = |target: &str, actor: &str| {
            let cell = self.record.cell_at(target, actor)?;
            // RFC 9110: 401 is for a credential that is missing or not valid. Others send away to log in, but where everybody
            // is sent to the same place, that says nothing.
            let gate = || self.record.gate_of(cell).unwrap_or_default();
            let is_refused = match cell.status()? {
                401 => true,
                300..=399 => has_success,
                // Where a rule knows the refusal, its words say of what kind it is.
                ..=299 => cell.is_denied() && verdicts::asks_who(gate()),
                _ => false,
            };
            is_refused.then(|| (cell.status(), cell.gate.clone()))
        };
        let alike = |target: &String| {
            let own = refusal(target, actor);
            own.is_some()
                && self
                    .strangers
                    .iter()
                    .any(|other| refusal(target, other) == own)
        };
        !self.strangers.contains(actor)
            && !self.record.cells.is_empty()
            && self.record.cells.keys().all(alike)
    }

    fn statuses_of_gates(&self) -> BTreeMap<&str, BTreeSet<u16>> {
        let mut statuses: BTreeMap<&str, BTreeSet<u16>> = BTreeMap::new();
        for (_, _, cell) in self.record.iter().filter(|(_, _, cell)| cell.is_denied()) {
            if let (Some(gate), Some(status)) = (&cell.gate, cell.status()) {
                statuses.entry(gate).or_default().insert(status);
            }
        }
        statuses
    }
}

fn no_answer(cell: &Cell) -> Option<Found> {
    let fault = cell.decision.fault()?;
    Some((Kind::NoAnswer, format!("got no answer ({fault})")))
}

fn denied_but_wrote(cell: &Cell) -> Option<Found> {
    (cell.is_denied() && cell.wrote()).then(|| {
        let what = format!("was denied ({}), and rows changed", cell.answer());
        (Kind::DeniedButWrote, what)
    })
}

fn server_error(cell: &Cell) -> Option<Found> {
    let status = cell.status().filter(|status| *status >= 500)?;
    Some((
        Kind::ServerError,
        format!("made the service fail ({status})"),
    ))
}
