//! The values of cells that are done: what was written late for them is still known as the run's.

use super::finder::Finder;
use super::is_digits;

/// How many values are looked for at once: that takes more memory than the values themselves, and a run can have millions
/// of them.
const AT_ONCE: usize = 50_000;

/// Between two values; PostgreSQL's texts cannot hold it.
const END: char = '\0';

/// Values of which nothing is remembered but that they are the run's.
#[derive(Default)]
pub(crate) struct Retired {
    values: String,
}

impl Retired {
    pub(super) fn add(&mut self, value: &str) {
        self.values.push_str(value);
        self.values.push(END);
    }

    /// Which of the texts hold any of the values.
    pub(crate) fn found_in<'t>(&self, texts: impl Iterator<Item = &'t str>) -> Vec<bool> {
        let mut texts: Vec<(&str, bool)> = texts.map(|text| (text, false)).collect();
        if texts.is_empty() {
            return Vec::new();
        }
        let values: Vec<&str> = self.values.split_terminator(END).collect();
        for values in values.chunks(AT_ONCE) {
            let finder: Finder<&str> = values.iter().copied().collect();
            let is_number = |at: usize| finder.value(at).is_some_and(|value| is_digits(value));
            for (text, found) in texts.iter_mut().filter(|(_, found)| !found) {
                *found = finder.find(text, is_number).next().is_some();
            }
        }
        texts.into_iter().map(|(_, found)| found).collect()
    }
}

#[cfg(test)]
mod tests {
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
}
