//! The findings of a record beside those of its snapshot: only what both have is pinned.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;

use authz_pin_record::findings::Finding;
use authz_pin_record::kinds::Level;
use authz_pin_record::text::counted;

/// The findings of one endpoint, by what its snapshot says of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Those that the snapshot has as well.
    pub pinned: Vec<Finding>,
    /// Those that it has not.
    pub new: Vec<Finding>,
    /// Those that only it has.
    pub gone: Vec<Finding>,
    /// Those of a part of an endpoint that the snapshot has not, since a finding can be about cells that were left out.
    pub not_compared: Vec<Finding>,
}

impl Findings {
    /// Of a whole endpoint.
    #[must_use]
    pub fn between(before: &[Finding], now: &[Finding]) -> Self {
        Self {
            pinned: those(now, |finding| before.contains(finding)),
            new: those(now, |finding| !before.contains(finding)),
            gone: those(before, |finding| !now.contains(finding)),
            not_compared: Vec::new(),
        }
    }

    /// Of some of its cells.
    #[must_use]
    pub fn of_part(before: &[Finding], now: &[Finding]) -> Self {
        Self {
            pinned: those(now, |finding| before.contains(finding)),
            not_compared: those(now, |finding| !before.contains(finding)),
            ..Self::default()
        }
    }
}

fn those(all: &[Finding], is_one: impl Fn(&Finding) -> bool) -> Vec<Finding> {
    all.iter().filter(|one| is_one(one)).cloned().collect()
}

/// How many findings there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FindingCounts {
    /// Findings of the records that their snapshots have as well.
    pub pinned: usize,
    /// Findings of the records that their snapshots have not.
    pub new: usize,
    /// Findings that only snapshots have.
    pub gone: usize,
    /// Findings of parts of endpoints that their snapshots have not: they can be about cells that were left out.
    pub not_compared: usize,
}

impl FindingCounts {
    /// The sum over all endpoints.
    #[must_use]
    pub fn of<'a>(all: impl IntoIterator<Item = &'a Findings>) -> Self {
        let sum = |sum: Self, one: &Findings| Self {
            pinned: sum.pinned + one.pinned.len(),
            new: sum.new + one.new.len(),
            gone: sum.gone + one.gone.len(),
            not_compared: sum.not_compared + one.not_compared.len(),
        };
        all.into_iter().fold(Self::default(), sum)
    }
}

impl std::fmt::Display for FindingCounts {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&counted(self.pinned, "pinned finding"))?;
        let others = [
            (self.new, "new"),
            (self.gone, "gone"),
            (self.not_compared, "not compared"),
        ];
        let mut others = others.into_iter().filter(|(count, _)| *count > 0);
        others.try_for_each(|(count, what)| write!(out, ", {count} {what}"))
    }
}

/// What a check fails on although it is pinned: findings that weigh at least so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailOn(pub Level);

impl FromStr for FailOn {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        match text {
            "findings" | "findings=deny" => Ok(Self(Level::Deny)),
            "findings=warn" => Ok(Self(Level::Warn)),
            "findings=allow" => Ok(Self(Level::Allow)),
            _ => Err(
                "expected `findings`, or `findings=LEVEL` with a LEVEL of `deny`, `warn`, `allow`",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use authz_pin_record::findings::Kind;

    #[test]
    fn what_both_have_is_pinned_and_nothing_else_is() {
        let [a, b, c] = ["a", "b", "c"]
            .map(|detail| Finding::of_record(Kind::StatusDiffers, detail.to_owned()));
        let (before, now) = ([a.clone(), b.clone()], [b.clone(), c.clone()]);
        let all = Findings::between(&before, &now);
        assert_eq!(
            (all.pinned, all.new, all.gone),
            (vec![b.clone()], vec![c.clone()], vec![a])
        );
        let part = Findings::of_part(&before, &now);
        assert_eq!((part.pinned, part.not_compared), (vec![b], vec![c]));
        assert!(part.new.is_empty() && part.gone.is_empty());
    }

    #[test]
    fn a_sum_says_what_is_pinned_first_and_nothing_of_what_there_is_not() {
        let counts = |pinned, new, gone, not_compared| {
            let counts = FindingCounts {
                pinned,
                new,
                gone,
                not_compared,
            };
            counts.to_string()
        };
        assert_eq!(counts(0, 0, 0, 0), "0 pinned findings");
        assert_eq!(
            counts(1, 12, 4, 2),
            "1 pinned finding, 12 new, 4 gone, 2 not compared"
        );
    }
}
