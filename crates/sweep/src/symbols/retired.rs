//! The values of cells that are done: what was written late for them is still known as the run's.

use std::sync::OnceLock;

use authz_pin_record::text::is_digits;

use super::finder::Finder;
use super::{Knowledge, Namer};

/// How many values are looked for at once: that takes more memory than the values themselves, and a run can have millions
/// of them.
const AT_ONCE: usize = 50_000;

/// Between two values; PostgreSQL's texts cannot hold it.
const END: char = '\0';

/// Values of which nothing is remembered but that they are the run's.
#[derive(Default)]
pub(crate) struct Retired {
    values: String,
    /// How many bytes the shortest of them has; none where there is no value.
    shortest: Option<usize>,
}

impl Retired {
    pub(super) fn add(&mut self, value: &str) {
        self.values.push_str(value);
        self.values.push(END);
        let shortest = self.shortest.unwrap_or(usize::MAX);
        self.shortest = Some(shortest.min(value.len()));
    }

    /// Whether a text is long enough to hold any of the values.
    fn may_be_in(&self, text: &str) -> bool {
        self.shortest.is_some_and(|shortest| text.len() >= shortest)
    }

    /// Which of the texts hold any of the values.
    pub(crate) fn found_in<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<bool> {
        let mut texts: Vec<(&str, bool)> = texts.map(|text| (text, false)).collect();
        if texts.is_empty() {
            return Vec::new();
        }
        for finder in self.finders() {
            for (text, found) in texts.iter_mut().filter(|(_, found)| !found) {
                *found = is_in(&finder, text);
            }
        }
        texts.into_iter().map(|(_, found)| found).collect()
    }

    /// One at a time, with as many values as fit.
    fn finders(&self) -> impl Iterator<Item = Finder<&str>> {
        let mut values = self.values.split_terminator(END).peekable();
        std::iter::from_fn(move || {
            values.peek()?;
            Some(values.by_ref().take(AT_ONCE).collect())
        })
    }
}

/// Whether a text holds any of the values.
fn is_in(finder: &Finder<&str>, text: &str) -> bool {
    let is_number = |at: usize| finder.value(at).is_some_and(|value| is_digits(value));
    finder.find(text, is_number).next().is_some()
}

/// What a run knows of the cells of earlier batches, for texts in which what is known now has its name.
pub(crate) struct Earlier<'k> {
    before: &'k Namer,
    retired: &'k Retired,
    /// Made for the first text that is in doubt: most batches have none.
    finders: OnceLock<Vec<Finder<&'k str>>>,
}

impl<'k> Earlier<'k> {
    pub(crate) fn of(known: Knowledge<'k>) -> Self {
        Self {
            before: known.before,
            retired: known.retired,
            finders: OnceLock::new(),
        }
    }

    /// Whether a text holds a value of the run.
    pub(crate) fn has(&self, text: &str) -> bool {
        let finders = || {
            let finders = self
                .finders
                .get_or_init(|| self.retired.finders().collect());
            finders.iter()
        };
        text.contains("<run>")
            || self.before.knows(text)
            || self.retired.may_be_in(text) && finders().any(|finder| is_in(finder, text))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Registry;
    use super::*;

    #[test]
    fn values_are_found_however_many_there_are() {
        let mut retired = Retired::default();
        for number in 0..2 * AT_ONCE {
            retired.add(&format!("value-{number}-"));
        }
        let texts = ["a value-7- b", "value", "value-99999-"];
        assert_eq!(retired.found_in(texts.into_iter()), [true, false, true]);
        retired.add("31");
        assert_eq!(
            retired.found_in(["id 31", "131"].into_iter()),
            [true, false]
        );
        assert_eq!(Retired::default().found_in(["x"].into_iter()), [false]);
    }

    #[test]
    fn a_value_of_a_cell_that_is_over_is_known() {
        let mut retired = Retired::default();
        retired.add("value-7-");
        let namer = Registry::default().build();
        let earlier = Earlier::of(Knowledge {
            now: &namer,
            before: &namer,
            retired: &retired,
        });
        let texts = ["a value-7- b", "item-<run>-9", "value-8-", "running"];
        assert_eq!(
            texts.map(|text| earlier.has(text)),
            [true, true, false, false]
        );
    }
}
