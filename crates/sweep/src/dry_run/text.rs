//! A dry run as a person reads it.

use std::fmt::{Display, Formatter, Result};

use authz_pin_record::text::counted;
use indexmap::IndexMap;

use super::{CellRun, DryRun, Insert, Request, Reset, Steps};

impl Display for DryRun {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "Nothing is sent and nothing is written.\n")?;
        writeln!(out, "suite     {}", self.suite)?;
        writeln!(out, "service   {}", self.service)?;
        writeln!(out, "database  {}", self.database)?;
        for (name, database) in &self.databases {
            writeln!(out, "          {name}: {database}")?;
        }
        list(out, "while the run lasts, the database has:", &self.journal)?;
        list(out, "rows for the whole run:", &self.world)?;
        members(out, &self.setup)?;
        if let Some(reset) = &self.reset {
            write!(
                out,
                "\nafter each batch that changed something, and at the end:\n{reset}"
            )?;
        }
        let mut endpoint = "";
        for cell in &self.cells {
            let steps = self.endpoints.get(&cell.endpoint);
            if let Some(steps) = steps.filter(|_| cell.endpoint != endpoint) {
                write!(out, "\n{}\n{steps}", cell.endpoint)?;
            }
            endpoint = &cell.endpoint;
            write!(out, "\n{cell}")?;
        }
        let cells = counted(self.cells.len(), "cell");
        let requests = counted(self.requests(), "request");
        write!(
            out,
            "\n{cells}, {requests} without the pages after a first one"
        )?;
        if self.sweeps > 1 {
            write!(
                out,
                ", and a cell of each kind and all that change rows once more with other values"
            )?;
        }
        writeln!(out)
    }
}

fn list(out: &mut Formatter<'_>, heading: &str, items: &[impl Display]) -> Result {
    if items.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{heading}")?;
    items.iter().try_for_each(|item| writeln!(out, "  {item}"))
}

fn members(out: &mut Formatter<'_>, members: &IndexMap<String, Steps>) -> Result {
    if members.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nrequests for the whole run:")?;
    let mut members = members.iter();
    members.try_for_each(|(name, steps)| write!(out, "{name}\n{steps}"))
}

impl Display for Steps {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        let mut setup = self.setup.iter();
        setup.try_for_each(|request| write!(out, "  setup: {request}"))?;
        let mut teardown = self.teardown.iter();
        teardown.try_for_each(|request| write!(out, "  teardown: {request}"))
    }
}

impl Display for Reset {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        if let Some(request) = &self.request {
            write!(out, "  reset: {request}")?;
        }
        let mut commands = self.command.iter();
        commands.try_for_each(|command| writeln!(out, "  reset: {command}"))
    }
}

impl Display for Insert {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "insert {} {}", self.table, self.values)
    }
}

impl Display for CellRun {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        writeln!(out, "{}/{}/{}", self.endpoint, self.target, self.actor)?;
        self.rows
            .iter()
            .try_for_each(|row| writeln!(out, "  {row}"))?;
        write!(out, "{}  {}", self.steps, self.request)?;
        let mut probes = self.probes.iter();
        probes.try_for_each(|(name, request)| write!(out, "  probe {name}: {request}"))
    }
}

impl Display for Request {
    fn fmt(&self, out: &mut Formatter<'_>) -> Result {
        write!(out, "{} ", self.method)?;
        if let Some(url) = &self.url {
            write!(out, "<{url}>")?;
        }
        write!(out, "{}", self.path)?;
        let last = self.pages.as_ref().map(|name| format!("{name}=1.."));
        let query = self
            .query
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let query: Vec<String> = query.chain(last).collect();
        if !query.is_empty() {
            write!(out, "?{}", query.join("&"))?;
        }
        writeln!(out)?;
        for (name, value) in &self.headers {
            writeln!(out, "    {name}: {value}")?;
        }
        self.json
            .iter()
            .try_for_each(|json| writeln!(out, "    {json}"))?;
        let mut body = self.body.iter();
        body.try_for_each(|(name, value)| match name.as_str() {
            "" => writeln!(out, "    {value}"),
            name => writeln!(out, "    {name}={value}"),
        })
    }
}
