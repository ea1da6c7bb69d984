//! Sensitivity, for a person or for a program.

use std::collections::BTreeMap;
use std::io::{self, Write};

use authz_pin_record::text::{counted, printable};
use serde::Serialize;

use super::{Gap, Kind, Sensitivity, Totals};
use crate::terminal::{ALLOWED, DENIED, FAINT, HEADING, NOTABLE, styled};

/// Writes the sums of each kind of question, then every gap and how to close it.
pub fn human(out: &mut dyn Write, sensitivity: &Sensitivity) -> io::Result<()> {
    table(out, sensitivity)?;
    open(out, sensitivity)?;
    explained(out, sensitivity)?;
    unobserved(out, &sensitivity.unobserved)?;
    summary(out, sensitivity.totals())
}

fn table(out: &mut dyn Write, sensitivity: &Sensitivity) -> io::Result<()> {
    let head = "about    questions  noticed  explained  open";
    writeln!(out, "{}", styled(HEADING, head))?;
    for (kind, totals) in sensitivity.kinds() {
        row(out, kind.as_str(), totals)?;
    }
    row(out, "all", sensitivity.totals())
}

fn row(out: &mut dyn Write, about: &str, totals: Totals) -> io::Result<()> {
    writeln!(
        out,
        "{about:<7}  {:>9}  {:>7}  {:>9}  {:>4}",
        totals.questions, totals.noticed, totals.explained, totals.open
    )
}

fn open(out: &mut dyn Write, sensitivity: &Sensitivity) -> io::Result<()> {
    let heading = "open, each with what to add to the suite";
    if sensitivity.open().next().is_some() {
        writeln!(out, "\n{}", styled(DENIED, heading))?;
    }
    for gap in sensitivity.open() {
        writeln!(out, "  {}: {}", printable(&gap.what), printable(&gap.seen))?;
        let add = printable(&gap.add);
        writeln!(out, "    {}", styled(FAINT, &format!("add {add}")))?;
    }
    Ok(())
}

fn explained(out: &mut dyn Write, sensitivity: &Sensitivity) -> io::Result<()> {
    let explained = |gap: &Gap| Some((printable(&gap.what), printable(gap.because.as_ref()?)));
    let explained: Vec<_> = sensitivity.gaps.iter().filter_map(explained).collect();
    if !explained.is_empty() {
        writeln!(out, "\n{}", styled(HEADING, "explained"))?;
    }
    for (what, because) in explained {
        writeln!(out, "  {what}: {}", styled(FAINT, &because))?;
    }
    Ok(())
}

fn unobserved(out: &mut dyn Write, endpoints: &[String]) -> io::Result<()> {
    if endpoints.is_empty() {
        return Ok(());
    }
    let heading = "not asked what they write, since effects were not observed";
    writeln!(out, "\n{}", styled(NOTABLE, heading))?;
    writeln!(out, "  {}", printable(&endpoints.join(", ")))
}

fn summary(out: &mut dyn Write, totals: Totals) -> io::Result<()> {
    let Totals {
        questions,
        noticed,
        explained,
        open,
    } = totals;
    let style = if open == 0 { ALLOWED } else { NOTABLE };
    let percent = format!("{:.1} % noticed", totals.share().percent());
    writeln!(
        out,
        "\n{}: {}, {noticed} noticed, {explained} explained, {open} open",
        styled(style, &percent),
        counted(questions, "question")
    )
}

#[derive(Serialize)]
struct Json<'a> {
    suite: &'a str,
    percent: f64,
    totals: Totals,
    kinds: BTreeMap<Kind, Totals>,
    gaps: &'a [Gap],
    not_observed: &'a [String],
}

/// Writes everything as one JSON document.
pub fn json(out: &mut dyn Write, suite: &str, sensitivity: &Sensitivity) -> io::Result<()> {
    let totals = sensitivity.totals();
    let report = Json {
        suite,
        percent: totals.share().percent(),
        totals,
        kinds: sensitivity.kinds().into_iter().collect(),
        gaps: &sensitivity.gaps,
        not_observed: &sensitivity.unobserved,
    };
    serde_json::to_writer_pretty(&mut *out, &report)?;
    writeln!(out)
}
