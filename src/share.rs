//! A part of a whole in percent.

/// A part of a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    part: usize,
    whole: usize,
}

impl Share {
    /// So many of so many.
    #[must_use]
    pub fn new(part: usize, whole: usize) -> Self {
        Self { part, whole }
    }

    /// How many percent it is, rounded down to a tenth, so that 100 means all. Of nothing it is all.
    #[must_use]
    pub fn percent(self) -> f64 {
        let tenths = (self.part * 1000).checked_div(self.whole).unwrap_or(1000);
        u16::try_from(tenths).map_or(100.0, f64::from) / 10.0
    }

    /// Whether it is less than that many percent.
    #[must_use]
    pub fn is_under(self, percent: f64) -> bool {
        let count = |n: usize| u32::try_from(n).map_or(f64::INFINITY, f64::from);
        self.part < self.whole && count(self.part) * 100.0 < percent * count(self.whole)
    }
}

/// A number of percent as somebody gives it.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('%').parse();
    let percent = number
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "expected a number from 0 to 100".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentage_is_rounded_down_so_that_100_means_all() {
        let shares = [(9_999, 10_000), (1, 3), (3, 3), (0, 0)];
        let percents = shares.map(|(part, whole)| Share::new(part, whole).percent().to_string());
        assert_eq!(percents, ["99.9", "33.3", "100", "100"]);
    }

    #[test]
    fn all_is_under_no_percentage() {
        assert!(!Share::new(3, 3).is_under(100.0) && !Share::new(0, 0).is_under(100.0));
        assert!(Share::new(9_999, 10_000).is_under(100.0));
        assert!(!Share::new(1, 2).is_under(50.0) && Share::new(1, 3).is_under(33.4));
    }
}
