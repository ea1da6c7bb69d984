//! An error with its causes, in one line.
//!
//! The rule of this crate: what an error displays is its own level only, and `source` has the cause. Where an error adds
//! nothing to its cause, it is `transparent`. So whoever shows an error to a person shows its chain.

use std::error::Error;

/// The error and each of its causes, the outermost first, with colons between: `cannot read `a.pem`: No such file or
/// directory (os error 2)`. Errors of other crates can repeat their cause at their end; it is told once.
#[must_use]
pub fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    for cause in causes(error).map(ToString::to_string) {
        if !told.ends_with(&cause) {
            told.push_str(": ");
            told.push_str(&cause);
        }
    }
    told
}

/// The causes of an error, the nearest first.
pub fn causes(error: &dyn Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Level {
        text: &'static str,
        source: Option<Box<Level>>,
    }

    fn levels(texts: &[&'static str]) -> Level {
        let (text, rest) = texts.split_first().unwrap();
        let source = (!rest.is_empty()).then(|| Box::new(levels(rest)));
        Level { text, source }
    }

    #[test]
    fn every_cause_is_told_after_what_it_caused() {
        let error = levels(&["cannot sweep", "cannot connect", "no route"]);
        assert_eq!(chain(&error), "cannot sweep: cannot connect: no route");
    }

    #[test]
    fn a_cause_that_an_error_repeats_is_told_once() {
        let error = levels(&["cannot sweep", "cannot connect: no route", "no route"]);
        assert_eq!(chain(&error), "cannot sweep: cannot connect: no route");
    }

    #[test]
    fn an_error_without_a_cause_is_told_as_it_is() {
        assert_eq!(chain(&levels(&["cannot sweep"])), "cannot sweep");
    }
}
