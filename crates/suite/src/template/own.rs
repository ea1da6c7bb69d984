//! The filters and functions of the tool's own: what they are called, and how many arguments they take.

use super::uses::{Arguments, Callee};

/// A filter or a function of the tool's own.
pub(super) struct Own {
    pub(super) callee: Callee,
    pub(super) name: &'static str,
    /// How many arguments it takes, at least and at most.
    arguments: (usize, usize),
    pub(super) form: &'static str,
}

pub(super) const OWN: [Own; 12] = [
    Own::filter("sha256", (0, 0), "text | sha256"),
    Own::filter(
        "hmac",
        (1, 2),
        "text | hmac(key)` or `text | hmac(key, form)",
    ),
    Own::filter("urlencode", (0, 0), "text | urlencode"),
    Own::filter("b64encode", (0, 0), "text | b64encode"),
    Own::filter("b64url", (0, 0), "text | b64url"),
    Own::filter("b64decode", (0, 0), "text | b64decode"),
    Own::filter("first", (0, 1), "list | first` or `text | first(n)"),
    Own::filter("last", (0, 1), "list | last` or `text | last(n)"),
    Own::filter("mask", (2, 2), "text | mask(first, last)"),
    Own::function("random", (1, 1), "random(n)"),
    Own::function("digits", (1, 1), "digits(n)"),
    Own::function("uuid", (0, 0), "uuid()"),
];

impl Own {
    const fn filter(name: &'static str, arguments: (usize, usize), form: &'static str) -> Self {
        let callee = Callee::Filter;
        Self {
            callee,
            name,
            arguments,
            form,
        }
    }

    const fn function(name: &'static str, arguments: (usize, usize), form: &'static str) -> Self {
        let callee = Callee::Function;
        Self {
            callee,
            ..Self::filter(name, arguments, form)
        }
    }

    /// What is wrong with its arguments in one use.
    pub(super) fn misuse(&self, given: Arguments) -> Option<String> {
        let (least, most) = self.arguments;
        let takes = match (least, most) {
            (0, 0) => "no argument".to_owned(),
            (0, 1) => "one argument at most".to_owned(),
            (1, 1) => "one argument".to_owned(),
            (least, most) if least < most => format!("{least} or {most} arguments"),
            (least, _) => format!("{least} arguments"),
        };
        let given = match given {
            Arguments::Positional(given) if (least..=most).contains(&given) => return None,
            Arguments::Unknown => return None,
            Arguments::Positional(given) => given.to_string(),
            Arguments::Named => "one by its name".to_owned(),
        };
        Some(format!("`{}` takes {takes}, but has {given}", self.name))
    }
}
