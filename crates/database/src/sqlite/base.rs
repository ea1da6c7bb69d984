//! A file as a database of runs.

use std::collections::BTreeMap;
use std::future::ready;
use std::time::Duration;

use authz_pin_suite::world::Row;
use futures::FutureExt;

use super::File;
use crate::base::{Asked, Base};
use crate::catalog::Catalog;
use crate::change::Change;
use crate::facts::Facts;
use crate::leftover::Leftover;
use crate::run::{Extent, Presence, Tell};
use crate::which::{Serial, Which};

/// Asks the journal, if it is there: what it would say of nothing is the answer otherwise.
macro_rules! ask {
    ($base:expr, |$file:pat_param| $ask:expr) => {
        if $base.is_watched() {
            let $file = $base;
            $ask.boxed()
        } else {
            ready(Ok(Default::default())).boxed()
        }
    };
}

impl Base for File {
    fn which(&self) -> &Which {
        &self.which
    }

    fn facts(&mut self) -> Asked<'_, Facts> {
        self.facts().boxed()
    }

    fn rows<'a>(&'a mut self, facts: &'a Facts) -> Asked<'a, BTreeMap<String, i64>> {
        self.rows(facts).boxed()
    }

    /// Nobody gets what is written to a file.
    fn published(&mut self) -> Asked<'_, Option<String>> {
        ready(Ok(None)).boxed()
    }

    fn catalog(&mut self) -> Asked<'_, Catalog> {
        self.catalog().boxed()
    }

    fn unwatched(&mut self) -> Asked<'_, Vec<String>> {
        self.unwatched().boxed()
    }

    fn unobserved(&mut self) -> Asked<'_, Vec<String>> {
        let hidden = self.definitions.iter();
        let hidden = hidden.filter(|table| table.unwatched.is_some() && !table.is_shadow);
        let hidden = hidden.map(|table| self.which.table(&table.name));
        ready(Ok(hidden.collect())).boxed()
    }

    fn watch<'a>(&'a mut self, run: &'a str, tell: Tell<'a>) -> Asked<'a, Option<Vec<Leftover>>> {
        let installed = self.install(run, tell);
        installed.map(|left| left.map(Some)).boxed()
    }

    fn is_compared(&self) -> bool {
        false
    }

    fn is_watched(&self) -> bool {
        self.run.is_some()
    }

    fn watch_new<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, Option<Vec<String>>> {
        ask!(self, |file| file.watch_new(tell))
    }

    /// Who writes a file is not known, so that whoever does is waited for.
    fn expect_writes(&mut self, _: Vec<String>) {}

    fn unwatch<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, Option<String>> {
        ask!(self, |file| file.remove(tell))
    }

    fn enter(&mut self, presence: Presence) -> Asked<'_, bool> {
        ask!(self, |file| file.enter(presence))
    }

    fn who_is_in(&mut self) -> Asked<'_, String> {
        ask!(self, |file| file.who_is_in())
    }

    fn leave(&mut self, _: Presence) -> Asked<'_, ()> {
        ask!(self, |file| file.leave())
    }

    fn is_wanted(&mut self) -> Asked<'_, bool> {
        ask!(self, |file| file.is_wanted())
    }

    fn others(&mut self) -> Asked<'_, Vec<String>> {
        ask!(self, |file| file.others())
    }

    fn runs(&mut self) -> Asked<'_, i64> {
        ask!(self, |file| file.runs())
    }

    fn insert<'a, 'r: 'a>(
        &'a mut self,
        rows: Vec<&'r Row>,
        _: &'a Catalog,
    ) -> Asked<'a, BTreeMap<&'r str, usize>> {
        self.insert(rows).boxed()
    }

    fn inserted(&mut self) -> Asked<'_, BTreeMap<String, usize>> {
        ask!(self, |file| file.inserted())
    }

    fn delete<'a>(&'a mut self, rows: Vec<&'a Row>, catalog: &'a Catalog) -> Asked<'a, ()> {
        self.delete(rows, catalog).boxed()
    }

    fn begin_batch(&mut self) -> Asked<'_, ()> {
        ask!(self, |file| file.begin_batch())
    }

    fn end_batch(&mut self) -> Asked<'_, ()> {
        ask!(self, |file| file.end_batch())
    }

    fn remember<'a>(
        &'a mut self,
        identifiers: &'a [String],
        alone: Option<(Presence, Duration)>,
    ) -> Asked<'a, ()> {
        ask!(self, |file| file.remember(identifiers, alone))
    }

    fn stay_alone(&mut self, alone: Duration) -> Asked<'_, ()> {
        ask!(self, |file| file.stay_alone(alone))
    }

    fn read(&mut self) -> Asked<'_, Vec<Change>> {
        ask!(self, |file| file.read())
    }

    fn last(&mut self) -> Asked<'_, i64> {
        ask!(self, |file| file.last())
    }

    fn now(&mut self) -> Asked<'_, i64> {
        ask!(self, |file| file.now())
    }

    fn has_since(&mut self, time: i64) -> Asked<'_, bool> {
        ask!(self, |file| file.has_since(time))
    }

    fn is_written(&mut self) -> Asked<'_, bool> {
        ask!(self, |file| file.is_writing())
    }

    /// A session at work is one that writes: who reads a file is not known, and changes nothing.
    fn is_at_work(&mut self) -> Asked<'_, bool> {
        ask!(self, |file| file.is_writing())
    }

    fn claim<'a>(&'a mut self, changes: &'a [Serial]) -> Asked<'a, ()> {
        ask!(self, |file| file.claim(changes))
    }

    fn claim_referring<'a>(&'a mut self, tables: &'a [&'a str]) -> Asked<'a, ()> {
        ask!(self, |file| file.claim_referring(tables))
    }

    fn set_aside(&mut self, changes: &[Serial]) {
        self.set_aside(changes.iter().copied());
    }

    fn undo<'a>(&'a mut self, extent: Extent, tell: Tell<'a>) -> Asked<'a, Vec<Leftover>> {
        ask!(self, |file| file.undo(extent, tell))
    }

    /// SQLite uses it at once by itself.
    fn vacuum(&mut self) -> Asked<'_, ()> {
        ready(Ok(())).boxed()
    }

    fn abandon<'a>(
        &'a mut self,
        run: &'a str,
        _: &'a [String],
        tell: Tell<'a>,
    ) -> Asked<'a, Vec<Leftover>> {
        self.abandon(run, tell).boxed()
    }

    fn has_journal(&mut self) -> Asked<'_, bool> {
        self.has_journal().boxed()
    }

    fn clean<'a>(&'a mut self, tell: Tell<'a>) -> Asked<'a, (Vec<Leftover>, Option<String>)> {
        self.clean(tell).boxed()
    }
}
