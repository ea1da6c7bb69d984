//! A flip: one cell that differs from its snapshot, as one line of text.

use authz_pin_record::record::{Cell, Record};

/// `endpoint/target/actor: before -> after` for every cell that differs.
#[must_use]
pub fn flips(endpoint: &str, before: &Record, after: &Record) -> Vec<String> {
    let gone = before
        .iter()
        .filter(|(target, actor, _)| after.cell_at(target, actor).is_none())
        .map(|(target, actor, _)| format!("{endpoint}/{target}/{actor}: gone"));
    let changed = after.iter().filter_map(|(target, actor, cell)| {
        let change = change(before.cell_at(target, actor), cell)?;
        Some(format!("{endpoint}/{target}/{actor}: {change}"))
    });
    changed.chain(gone).collect()
}

/// The cell that a flip is of, as `endpoint/target/actor`, and what happened to it.
#[must_use]
pub fn parts(flip: &str) -> Option<(&str, &str)> {
    flip.split_once(": ")
}

/// The cell that a flip is of, its status before and the one after.
#[must_use]
pub fn statuses(flip: &str) -> Option<(&str, u16, u16)> {
    let (cell, change) = parts(flip)?;
    let (before, after) = change.split(',').next()?.split_once(" -> ")?;
    Some((cell, before.parse().ok()?, after.parse().ok()?))
}

fn change(before: Option<&Cell>, after: &Cell) -> Option<String> {
    let Some(before) = before else {
        return Some(format!("new, {}", after.answer()));
    };
    if before == after {
        return None;
    }
    let mut change = format!("{} -> {}", before.answer(), after.answer());
    for aspect in aspects(before, after) {
        change.push_str(", ");
        change.push_str(aspect);
    }
    Some(change)
}

/// What is notable besides the statuses: that rows change now, or no longer; if the statuses are the same, all that
/// is not.
fn aspects(before: &Cell, after: &Cell) -> Vec<&'static str> {
    let Cell {
        decision: _,
        gate,
        headers,
        also,
        discloses: _,
        effects,
        probes,
        values,
        shape,
    } = after;
    let mut aspects = Vec::new();
    match (before.effects.is_empty(), effects.is_empty()) {
        (true, false) => aspects.push("writes"),
        (false, true) => aspects.push("writes nothing"),
        _ => {}
    }
    if before.answer() == after.answer() {
        let (more, less) = disclosed(before, after);
        let others = [
            (before.gate != *gate, "another gate"),
            (before.headers != *headers, "other headers"),
            (
                before.gate == *gate && before.also != *also,
                "tells otherwise",
            ),
            (more, "discloses more"),
            (less, "discloses less"),
            (
                aspects.is_empty() && before.effects != *effects,
                "writes otherwise",
            ),
            (before.values != *values, "other values"),
            (before.probes != *probes, "other probes"),
            (before.shape != *shape, "another shape"),
        ];
        aspects.extend(
            others
                .into_iter()
                .filter(|(is, _)| *is)
                .map(|(_, what)| what),
        );
    }
    aspects
}

fn disclosed(before: &Cell, after: &Cell) -> (bool, bool) {
    let lacks = |some: &Cell, other: &Cell| {
        let mut names = some.discloses.iter();
        names.any(|name| !other.discloses.contains(name))
    };
    (lacks(after, before), lacks(before, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(cells: &str) -> Record {
        Record::parse(&format!(
            "format: 2\nendpoint: POST /x\ncells:\n  t:\n{cells}"
        ))
        .unwrap()
    }

    fn of(before: &str, after: &str) -> Vec<String> {
        flips("x", &record(before), &record(after))
    }

    #[test]
    fn an_equal_cell_is_no_flip() {
        assert_eq!(
            of("    a: {denied: 403}\n", "    a: {denied: 403}\n"),
            [""; 0]
        );
    }

    #[test]
    fn a_flip_says_that_rows_change_now() {
        let after = "    a: {allowed: 200, effects: [update T 1234]}\n";
        assert_eq!(
            of("    a: {denied: 403}\n", after),
            ["x/t/a: 403 -> 200, writes"]
        );
    }

    #[test]
    fn a_flip_within_one_status_says_what_else_differs() {
        let before = "    a: {denied: 403, gate: one, discloses: [a.id]}\n";
        let after = "    a: {denied: 403, gate: other, discloses: [b.id]}\n";
        assert_eq!(
            of(before, after),
            ["x/t/a: 403 -> 403, another gate, discloses more, discloses less"]
        );
    }

    #[test]
    fn cells_that_come_and_go_are_flips() {
        let (a, b) = ("    a: {allowed: 200}\n", "    b: {denied: 401}\n");
        assert_eq!(of(a, b), ["x/t/b: new, 401", "x/t/a: gone"]);
    }

    #[test]
    fn the_statuses_of_a_flip_are_read_back() {
        let read = statuses("x/t/a: 403 -> 200, writes");
        assert_eq!(read, Some(("x/t/a", 403, 200)));
        assert_eq!(statuses("x/t/a: gone"), None);
    }

    #[test]
    fn a_flip_names_its_cell_before_the_colon() {
        assert_eq!(
            parts("x/t/a: 403 -> 200, writes"),
            Some(("x/t/a", "403 -> 200, writes"))
        );
    }
}
