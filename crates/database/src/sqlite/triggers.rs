//! The triggers of one table: they log what changes, and find out what is replaced without a word.
//!
//! `insert or replace` and `update or replace` delete rows without firing delete triggers, unless the service's connection
//! says so. So a trigger before the statement's row looks up which rows it cannot be beside, as candidates; the one after it
//! logs those of them as deleted that are there no more. A candidate is a copy of a row of which nothing was logged since:
//! what is logged of its row takes it away.

use super::tables::Definition;

/// Whether a statement can insert into the table that another one is just inserting into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nesting {
    /// The service has triggers.
    Possible,
    /// It has none, and foreign keys insert nothing.
    Impossible,
}

/// The statements that make a table's triggers, by the number that its changes have, in the order in which they are made. The
/// last ones fire first, before the service's own.
pub(super) fn statements(
    table: &Definition,
    number: i64,
    nesting: Nesting,
) -> Vec<(String, String)> {
    let mut all = vec![
        trigger(
            number,
            "delete",
            "after delete",
            table,
            &deleted(table, number),
        ),
        trigger(
            number,
            "update",
            "after update",
            table,
            &updated(table, number),
        ),
        trigger(
            number,
            "insert",
            "after insert",
            table,
            &inserted(table, number),
        ),
    ];
    let conflicts = table.conflicts();
    if !conflicts.is_empty() {
        let before = candidates(table, number, &conflicts, "", nesting);
        all.push(trigger(number, "replace", "before insert", table, &before));
        let event = format!("before update on {} when {}", table.sql(), moved(table));
        let others = format!(" and not ({})", same_row(table, "old"));
        let before = candidates(table, number, &conflicts, &others, Nesting::Possible);
        all.push(with_event(number, "displace", &event, &before));
    }
    all
}

fn trigger(
    number: i64,
    name: &str,
    event: &str,
    table: &Definition,
    body: &str,
) -> (String, String) {
    with_event(number, name, &format!("{event} on {}", table.sql()), body)
}

fn with_event(number: i64, name: &str, event: &str, body: &str) -> (String, String) {
    let name = format!("authz_pin_{number}_{name}");
    let sql = format!("CREATE TRIGGER {name} {event} begin\n{body}end");
    (name, sql)
}

/// The columns of the journal that hold a row, after what stands before their numbers.
fn held(table: &Definition, side: &str) -> String {
    let slots = table.slots().map(|(place, _)| format!("{side}{place}"));
    slots.collect::<Vec<_>>().join(", ")
}

/// The values of a row.
fn values(table: &Definition, row: &str) -> String {
    let slots = table.slots().map(|(_, name)| format!("{row}.{name}"));
    slots.collect::<Vec<_>>().join(", ")
}

/// Whether the row of the table is that one.
fn same_row(table: &Definition, row: &str) -> String {
    let sql = table.sql();
    let same = table.locator().into_iter();
    let same =
        same.map(|(_, name, collation)| format!("{sql}.{name} = {row}.{name} collate {collation}"));
    same.collect::<Vec<_>>().join(" and ")
}

/// Whether a candidate is a copy of that row.
fn is_of(table: &Definition, number: i64, row: &str) -> String {
    let same = table.locator().into_iter();
    let same = same.map(|(place, name, collation)| {
        format!("authz_pin_candidate.c{place} = {row}.{name} collate {collation}")
    });
    let same = same.collect::<Vec<_>>().join(" and ");
    format!("authz_pin_candidate.tbl = {number} and {same}")
}

/// Whether the row of a candidate is there no more, or another one is in its place.
fn is_gone(table: &Definition, number: i64) -> String {
    let sql = table.sql();
    let there = table.locator().into_iter();
    let there = there.map(|(place, name, collation)| {
        format!("{sql}.{name} = authz_pin_candidate.c{place} collate {collation}")
    });
    let there = there.collect::<Vec<_>>().join(" and ");
    format!(
        "authz_pin_candidate.tbl = {number} and ({} or not exists (select 1 from {sql} where {there}))",
        is_of(table, number, "new")
    )
}

/// What every change has, after the table and the operation.
const COMMON: &str = "julianday('now'), w.run, w.batch";

fn log(number: i64, operation: &str, columns: &str, values: &str, rest: &str) -> String {
    format!(
        "insert into authz_pin_change (tbl, op, at, run, batch, {columns}) \
         select {number}, '{operation}', {COMMON}, {values} from authz_pin_writer w{rest};\n"
    )
}

fn deleted(table: &Definition, number: i64) -> String {
    let forget = format!(
        "delete from authz_pin_candidate where {};\n",
        is_of(table, number, "old")
    );
    let log = log(
        number,
        "delete",
        &held(table, "o"),
        &values(table, "old"),
        "",
    );
    forget + &log
}

fn updated(table: &Definition, number: i64) -> String {
    let forget = format!(
        "delete from authz_pin_candidate where {};\n",
        is_of(table, number, "old")
    );
    let columns = format!("{}, {}", held(table, "o"), held(table, "n"));
    let values = format!("{}, {}", values(table, "old"), values(table, "new"));
    let log = log(number, "update", &columns, &values, "");
    forget + &replaced(table, number) + &log
}

fn inserted(table: &Definition, number: i64) -> String {
    let log = log(
        number,
        "insert",
        &held(table, "n"),
        &values(table, "new"),
        "",
    );
    replaced(table, number) + &log
}

/// Logs the candidates that are gone.
fn replaced(table: &Definition, number: i64) -> String {
    if table.conflicts().is_empty() {
        return String::new();
    }
    let gone = is_gone(table, number);
    let rest = format!(", authz_pin_candidate where {gone}");
    let copies = table
        .slots()
        .map(|(place, _)| format!("authz_pin_candidate.c{place}"));
    let copies = copies.collect::<Vec<_>>().join(", ");
    let log = log(number, "delete", &held(table, "o"), &copies, &rest);
    format!("{log}delete from authz_pin_candidate where {gone};\n")
}

/// Looks up which rows the new one cannot be beside. Those of earlier rows that came to nothing go, as far as they cannot be
/// of a row that is not finished.
fn candidates(
    table: &Definition,
    number: i64,
    conflicts: &[String],
    others: &str,
    nesting: Nesting,
) -> String {
    let sql = table.sql();
    let copies = held(table, "c");
    let there = is_of(table, number, &sql);
    let values = values(table, &sql);
    let look = conflicts.iter().map(|conflict| {
        format!(
            "insert into authz_pin_candidate (tbl, at, {copies}) select {number}, julianday('now'), {values} from {sql} \
             where {conflict}{others} and not exists (select 1 from authz_pin_candidate where {there});\n"
        )
    });
    let over = match nesting {
        Nesting::Possible => " and at <> julianday('now')",
        Nesting::Impossible => "",
    };
    let old = format!("delete from authz_pin_candidate where tbl = {number}{over};\n");
    std::iter::once(old).chain(look).collect()
}

/// Whether an update changes anything of a row.
fn moved(table: &Definition) -> String {
    let slots = table.slots();
    let moved = slots.map(|(_, name)| format!("new.{name} is not old.{name} collate binary"));
    moved.collect::<Vec<_>>().join(" or ")
}
