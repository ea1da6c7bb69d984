//! Whether a database may be swept. One that does not look like a test database is refused before anything is written.
//!
//! What somebody said goes before what the name suggests, and that before what the tables hold:
//!
//! 1. the name that was allowed;
//! 2. the marker in the database's comment;
//! 3. a word in its name that says that people work with it;
//! 4. a word in its name that says that it is for tests;
//! 5. few rows.

use std::collections::BTreeMap;

use authz_pin_suite::diagnostic::list;
use authz_pin_suite::suite::Suite;

use crate::address::Address;
use crate::background::Background;
use crate::error::DatabaseError;
use crate::facts::Facts;
pub use crate::facts::{MARKER, ROWS};
use crate::which::Which;

/// Words of a name that people work with the database.
pub const LIVE: [&str; 5] = ["prod", "production", "live", "staging", "main"];

/// Words of a name that the database is for tests.
pub const FOR_TESTS: [&str; 17] = [
    "test",
    "tests",
    "testing",
    "ci",
    "dev",
    "development",
    "local",
    "sandbox",
    "scratch",
    "tmp",
    "temp",
    "demo",
    "e2e",
    "example",
    "preview",
    "fixture",
    "fixtures",
];

/// How many tables a refusal names.
pub(crate) const NAMED: usize = 3;

/// A database that is not swept.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Refusal {
    /// It can only be read.
    #[error("the database `{name}` cannot be written to: {why}")]
    ReadOnly {
        /// The database's name.
        name: String,
        /// What makes it so.
        why: &'static str,
    },
    /// Another one was allowed.
    #[error("the database is `{name}`, and what is allowed is {}", list(allowed.iter().map(String::as_str)))]
    NotAllowed {
        /// The database's name.
        name: String,
        /// The names that were given.
        allowed: Vec<String>,
    },
    /// Its name says that people work with it.
    #[error(
        "the database `{name}` does not look like one for tests: its name has the word `{word}`"
    )]
    Live {
        /// The database's name.
        name: String,
        /// The word.
        word: String,
        /// What would say that it is one for tests.
        mark: String,
    },
    /// It holds more than a test database does.
    #[error(
        "the database `{name}` does not look like one for tests: its tables hold more than {ROWS} rows ({tables})"
    )]
    Full {
        /// The database's name.
        name: String,
        /// The fullest tables.
        tables: String,
        /// What would say that it is one for tests.
        mark: String,
    },
}

impl Refusal {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::ReadOnly { .. } => {
                "give the server or the file that takes writes, and the rights to write, with --database-url"
                    .to_owned()
            }
            Self::NotAllowed { name, .. } => format!(
                "correct --database-url, or, if calls may change and delete what is in this one: --allow-database {name}"
            ),
            Self::Live { name, mark, .. } | Self::Full { name, mark, .. } => format!(
                "if calls may change and delete what is in it, say so once: --allow-database {name}, or for good: {mark}"
            ),
        }
    }
}

/// A database that was not let in.
#[derive(Debug, thiserror::Error)]
pub enum GuardError {
    /// It could not be asked.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// It is refused.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl GuardError {
    fn of(self, which: &Which) -> Self {
        match self {
            Self::Database(error) => Self::Database(error.of(which)),
            refused @ Self::Refused(_) => refused,
        }
    }
}

impl Facts {
    /// What can be decided without the rows; nothing, if these have to decide.
    #[must_use]
    pub fn decide(&self, allowed: &[String]) -> Option<Result<(), Refusal>> {
        if let Some(why) = self.why_read_only() {
            let name = self.name.clone();
            return Some(Err(Refusal::ReadOnly { name, why }));
        }
        if !allowed.is_empty() {
            return Some(self.decide_by(allowed));
        }
        if self
            .comment
            .as_ref()
            .is_some_and(|text| text.contains(MARKER))
        {
            return Some(Ok(()));
        }
        let words = words(&self.name);
        if let Some(word) = words.iter().find(|word| LIVE.contains(&word.as_str())) {
            return Some(Err(Refusal::Live {
                name: self.name.clone(),
                word: word.clone(),
                mark: self.mark.clone(),
            }));
        }
        let for_tests = words.iter().any(|word| FOR_TESTS.contains(&word.as_str()));
        for_tests.then_some(Ok(()))
    }

    /// What the rows decide.
    pub fn decide_by_rows(&self, rows: &BTreeMap<String, i64>) -> Result<(), Refusal> {
        if rows.values().sum::<i64>() <= ROWS {
            return Ok(());
        }
        Err(Refusal::Full {
            name: self.name.clone(),
            tables: fullest(rows),
            mark: self.mark.clone(),
        })
    }

    fn why_read_only(&self) -> Option<&'static str> {
        match (self.replica, self.read_only) {
            (true, _) => Some("its server is a replica"),
            (false, true) => Some(self.read_only_by),
            (false, false) => None,
        }
    }

    fn decide_by(&self, allowed: &[String]) -> Result<(), Refusal> {
        if allowed.contains(&self.name) {
            return Ok(());
        }
        Err(Refusal::NotAllowed {
            name: self.name.clone(),
            allowed: allowed.to_owned(),
        })
    }
}

/// What somebody allows besides.
#[derive(Debug, Clone, Copy)]
pub struct Permits<'a> {
    /// The names of databases that may be swept whatever they look like.
    pub databases: &'a [String],
    /// Whether the subscribers of a publication for all tables may get the rows that the journal logs.
    pub publication: bool,
}

/// Lets databases in or refuses one, before anything is written to any of them.
pub async fn admit(
    suite: &Suite,
    addresses: &[Address<'_>],
    permits: Permits<'_>,
) -> Result<(), GuardError> {
    for address in addresses {
        let admitted = admit_one(suite, address, permits).await;
        admitted.map_err(|error| error.of(&address.which))?;
    }
    Ok(())
}

async fn admit_one(
    suite: &Suite,
    address: &Address<'_>,
    permits: Permits<'_>,
) -> Result<(), GuardError> {
    let mut base = address.connect_first().await?;
    let facts = base.facts().await?;
    let decision = facts.decide(permits.databases);
    if let Some(Err(refusal)) = decision {
        return Err(refusal.into());
    }
    let published = base.published().await?;
    if let Some(name) = published.filter(|_| !permits.publication) {
        return Err(DatabaseError::Published { name }.into());
    }
    if let Some(decision) = decision {
        return Ok(decision?);
    }
    let background = Background::of(&suite.file.background);
    let mut rows = base.rows(&facts).await?;
    rows.retain(|table, _| !background.is_table(&address.which.table(table)));
    Ok(facts.decide_by_rows(&rows)?)
}

fn fullest(rows: &BTreeMap<String, i64>) -> String {
    let mut rows: Vec<(&String, &i64)> = rows.iter().filter(|(_, rows)| **rows > 0).collect();
    rows.sort_by_key(|(_, rows)| std::cmp::Reverse(**rows));
    let named = rows
        .into_iter()
        .take(NAMED)
        .map(|(table, rows)| match *rows {
            rows if rows > ROWS => format!("`{table}` more than {ROWS}"),
            rows => format!("`{table}` {rows}"),
        });
    named.collect::<Vec<_>>().join(", ")
}

/// The words of a name in lower case: `MyAPP-prod2` has `my`, `app` and `prod`.
fn words(name: &str) -> Vec<String> {
    let characters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, character) in characters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| characters.get(at));
        if begins_word(before, *character, characters.get(at + 1)) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
    }
    let trimmed = words
        .iter()
        .map(|word| word.trim_matches(|c: char| c.is_ascii_digit()).to_owned());
    trimmed.filter(|word| !word.is_empty()).collect()
}

/// Whether a word begins here: after what is no letter or digit, and where the case says so.
fn begins_word(before: Option<&char>, character: char, after: Option<&char>) -> bool {
    let Some(before) = before else { return false };
    let goes_on = after.is_some_and(|after| after.is_lowercase());
    !before.is_alphanumeric() || character.is_uppercase() && (before.is_lowercase() || goes_on)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::decoded;
    use authz_pin_record::chain::chain;

    fn named(name: &str) -> Facts {
        Facts {
            name: name.to_owned(),
            ..Facts::default()
        }
    }

    fn refused(decision: Option<Result<(), Refusal>>) -> String {
        decision.unwrap().unwrap_err().to_string()
    }

    #[test]
    fn a_name_has_the_words_between_what_is_no_letter_or_digit_and_where_the_case_changes() {
        assert_eq!(words("MyAPP-prod2"), ["my", "app", "prod"]);
        assert_eq!(words("my_e2e.testDB 7"), ["my", "e2e", "test", "db"]);
        assert_eq!(words("E2ETest1"), ["e2e", "test"]);
        assert_eq!(words("LLMProd"), ["llm", "prod"]);
        assert_eq!(words(""), [""; 0]);
    }

    #[test]
    fn the_allowed_name_goes_before_everything_that_the_database_says() {
        let live = named("notes_prod");
        assert_eq!(live.decide(&["notes_prod".to_owned()]), Some(Ok(())));
    }

    #[test]
    fn another_name_than_the_allowed_one_is_refused_even_if_it_is_for_tests() {
        assert_eq!(
            refused(named("notes_test").decide(&["notes".to_owned()])),
            "the database is `notes_test`, and what is allowed is `notes`"
        );
    }

    #[test]
    fn the_marker_goes_before_the_name() {
        let comment = Some(format!("copied nightly; {MARKER}"));
        let marked = Facts {
            comment,
            ..named("production")
        };
        assert_eq!(marked.decide(&[]), Some(Ok(())));
        let other = Facts {
            comment: Some("a test database".to_owned()),
            ..named("production")
        };
        assert!(other.decide(&[]).unwrap().is_err());
    }

    #[test]
    fn every_word_of_people_who_work_with_it_is_refused_even_beside_one_for_tests() {
        for word in LIVE {
            let name = format!("test_{word}2");
            let expected = format!(
                "the database `{name}` does not look like one for tests: its name has the word `{word}`"
            );
            assert_eq!(refused(named(&name).decide(&[])), expected);
        }
    }

    #[test]
    fn every_word_for_tests_is_let_in() {
        for word in FOR_TESTS {
            assert_eq!(
                named(&format!("notes-{word}")).decide(&[]),
                Some(Ok(())),
                "{word}"
            );
        }
    }

    #[test]
    fn a_word_inside_another_word_says_nothing() {
        for name in ["contest", "product", "delivery", "maintenance", "notes"] {
            assert_eq!(named(name).decide(&[]), None, "{name}");
        }
    }

    #[test]
    fn a_database_with_as_many_rows_as_the_bound_is_let_in_and_with_one_more_refused() {
        let rows = |count| BTreeMap::from([("a".to_owned(), count), ("b".to_owned(), 400)]);
        assert_eq!(named("x").decide_by_rows(&rows(600)), Ok(()));
        assert_eq!(
            named("x")
                .decide_by_rows(&rows(601))
                .unwrap_err()
                .to_string(),
            "the database `x` does not look like one for tests: its tables hold more than 1000 rows (`a` 601, `b` 400)"
        );
    }

    #[test]
    fn rows_of_other_runs_do_not_count() {
        let rows = BTreeMap::from([(String::new(), -700), ("a".to_owned(), 1600)]);
        assert_eq!(named("x").decide_by_rows(&rows), Ok(()));
    }

    #[test]
    fn an_answer_that_does_not_decode_is_an_error_and_not_a_database_without_rows() {
        let nothing = serde_json::json!({"name": "notes_prod", "replica": false});
        let error = decoded::<Facts>("the name and the tables", nothing).unwrap_err();
        assert_eq!(
            chain(&error),
            "cannot read the name and the tables of the database: missing field `read_only`"
        );
        let many = serde_json::json!({"note": "many", "tag": 1});
        let error = decoded::<BTreeMap<String, i64>>("the numbers of rows", many).unwrap_err();
        assert_eq!(
            chain(&error),
            "cannot read the numbers of rows of the database: invalid type: string \"many\", expected i64"
        );
    }

    #[test]
    fn what_cannot_be_written_to_is_refused_whatever_was_allowed() {
        let replica = Facts {
            replica: true,
            read_only: true,
            ..named("notes_test")
        };
        assert_eq!(
            refused(replica.decide(&["notes_test".to_owned()])),
            "the database `notes_test` cannot be written to: its server is a replica"
        );
    }
}
