//! An explanation as a person reads it.

use std::fmt::{Display, Formatter, Result};

use authz_pin_record::drift::Drift;
use authz_pin_record::observation::RowChange;
use authz_pin_record::text::printable;
use authz_pin_suite::snapshot::Reason;

use super::{Explanation, Finding, Shown};
use crate::terminal::{HEADING, styled};

impl Display for Explanation {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        heading(out, "the call")?;
        match (&self.call, &self.no_call) {
            (Some(call), _) => write!(out, "{call}")?,
            (None, Some(error)) => writeln!(out, "  cannot be worked out: {error}")?,
            (None, None) => writeln!(out, "  is not made")?,
        }
        writeln!(out, "  credential of {}: {}", self.actor, self.credential)?;
        heading(out, "\naccepted")?;
        match &self.accepted {
            Some(shown) => write!(out, "{shown}")?,
            None => writeln!(out, "  nothing: this cell is in no snapshot")?,
        }
        if let Some(pending) = &self.pending {
            heading(out, "\nwaits for review")?;
            if self.drift.is_empty() && self.accepted.is_some() {
                writeln!(out, "  in this cell nothing differs")?;
            } else {
                self.drift
                    .iter()
                    .try_for_each(|drift| drifted(out, drift))?;
                write!(out, "{pending}")?;
            }
        }
        if !self.reasons.is_empty() {
            heading(out, "\naccepted because")?;
        }
        self.reasons.iter().try_for_each(|one| reason(out, one))
    }
}

fn heading(out: &mut Formatter<'_>, text: &str) -> Result {
    let (lines, text) = text.split_at(text.len() - text.trim_start().len());
    writeln!(out, "{lines}{}", styled(HEADING, text))
}

fn drifted(out: &mut Formatter<'_>, drift: &Drift) -> Result {
    let (kind, level) = (drift.kind.id(), drift.level.as_str());
    let change = match (drift.was.as_str(), drift.is.as_str()) {
        ("", is) => is.to_owned(),
        (was, "") => format!("no more: {was}"),
        (was, is) => format!("{was} -> {is}"),
    };
    writeln!(out, "  {kind} ({level}): {}", printable(&change))
}

fn reason(out: &mut Formatter<'_>, reason: &Reason) -> Result {
    let until = reason.until.as_ref();
    let until = until.map_or_else(String::new, |until| format!(", until {until}"));
    let said = printable(&reason.reason);
    writeln!(out, "  {}{until}: {said}", printable(&reason.when))?;
    let about = reason.about();
    let mut about = about.iter();
    about.try_for_each(|line| writeln!(out, "    of {}", printable(line)))
}

impl Display for Shown {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let gate = self.gate.as_ref();
        let gate = gate.map_or_else(String::new, |gate| format!(" {}", printable(gate)));
        writeln!(out, "  answer: {}{gate}", self.answer)?;
        writeln!(out, "  {}, by {}", self.verdict, self.rule)?;
        list(out, "refused of it", self.refused.iter())?;
        let headers = self.headers.iter();
        let mut headers = headers.map(|line| printable(line));
        headers.try_for_each(|line| writeln!(out, "  header {line}"))?;
        for (path, value) in &self.also {
            let [path, value] = [path, value].map(|text| printable(text));
            writeln!(out, "  also {path}: {value}")?;
        }
        for (path, value) in &self.values {
            writeln!(
                out,
                "  value {}: {}",
                printable(path),
                printable(&value.to_string())
            )?;
        }
        list(out, "discloses", self.discloses.iter())?;
        list(out, "fields", self.fields.iter())?;
        let probes = self.probes.iter();
        let probes = probes.map(|(name, reply)| format!("{name}: {reply}"));
        list(out, "probes", probes)?;
        if self.effects.is_empty() {
            writeln!(out, "  changed no row")?;
        }
        for (act, changes) in &self.effects {
            writeln!(out, "  {}", printable(act))?;
            changes.iter().try_for_each(|change| row(out, change))?;
        }
        list(out, "not observed", self.unobserved.iter())?;
        self.findings.iter().try_for_each(|one| finding(out, one))
    }
}

fn list(out: &mut Formatter<'_>, what: &str, items: impl Iterator<Item = impl Display>) -> Result {
    let items: Vec<String> = items.map(|item| printable(&item.to_string())).collect();
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "  {what}: {}", items.join(", "))
}

fn row(out: &mut Formatter<'_>, change: &RowChange) -> Result {
    if !change.row.is_empty() {
        writeln!(out, "    row {}", printable(&change.row))?;
    }
    let mut columns = change.columns.iter();
    columns.try_for_each(|(name, value)| {
        let value = printable(&value.to_string());
        writeln!(out, "      {}: {value}", printable(name))
    })
}

fn finding(out: &mut Formatter<'_>, finding: &Finding) -> Result {
    let level = finding.level.map_or("", |level| level.as_str());
    let (kind, what) = (&finding.kind, printable(&finding.what));
    writeln!(out, "  finding {kind} ({level}): {what}")?;
    let remedy = finding.remedy.as_ref();
    let texts = [&finding.explanation].into_iter().chain(remedy);
    let mut lines = texts.flat_map(|text| text.lines());
    lines.try_for_each(|line| writeln!(out, "    {line}"))
}
