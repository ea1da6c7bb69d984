//! Which of a service's databases one is, and what its tables and numbers are called beside those of the others.

use authz_pin_suite::tables::SEPARATOR;

/// Which of a service's databases it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Which {
    place: usize,
    name: Option<String>,
}

impl Which {
    /// The databases of a service in the order in which every run locks them: the main one, then the others by their names.
    pub fn all<'n>(names: impl IntoIterator<Item = &'n String>) -> impl Iterator<Item = Self> {
        let names = names.into_iter().map(|name| Some(name.clone()));
        let names = std::iter::once(None).chain(names);
        names.enumerate().map(|(place, name)| Self { place, name })
    }

    /// Its place among all, in the order in which runs lock them. The main one is the first.
    #[must_use]
    pub fn place(&self) -> usize {
        self.place
    }

    /// The name that the suite has for it; the main one has none.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// A table of it as suites and records name it.
    #[must_use]
    pub fn table(&self, own: &str) -> String {
        match &self.name {
            Some(name) => format!("{name}{SEPARATOR}{own}"),
            None => own.to_owned(),
        }
    }

    /// What such a table is called within it.
    #[must_use]
    pub fn own<'t>(&self, table: &'t str) -> &'t str {
        let rest = self.name.as_deref().and_then(|name| below(name, table));
        rest.unwrap_or(table)
    }

    /// Whether a table belongs to it by its name. To the main one belongs what belongs to no other.
    #[must_use]
    pub fn has(&self, table: &str) -> bool {
        let name = self.name.as_deref();
        name.is_some_and(|name| below(name, table).is_some())
    }

    /// A number that it has counted.
    #[must_use]
    pub fn serial(&self, number: i64) -> Serial {
        let place = self.place;
        Serial { place, number }
    }

    /// What is told of it, where a reader has to know of which database that is.
    #[must_use]
    pub fn said(&self, text: &str) -> String {
        match &self.name {
            Some(name) => format!("the database `{name}`: {text}"),
            None => text.to_owned(),
        }
    }
}

/// The rest of a table's name after that of a database.
fn below<'t>(name: &str, table: &'t str) -> Option<&'t str> {
    table.strip_prefix(name)?.strip_prefix(SEPARATOR)
}

/// A number that one of the databases has counted: that of a change, or of a transaction. Two databases count the same
/// numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Serial {
    /// The database's place among all.
    pub place: usize,
    /// The number.
    pub number: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_of_a_further_database_has_its_name_before_its_own() {
        let audit = Which::all(&["audit".to_owned()]).nth(1).unwrap();
        assert_eq!(audit.table("log.entry"), "audit:log.entry");
        assert_eq!(audit.own("audit:log.entry"), "log.entry");
        assert!(audit.has("audit:log") && !audit.has("audit") && !audit.has("audits:log"));
    }

    #[test]
    fn a_table_of_the_main_database_has_its_own_name() {
        let main = Which::default();
        assert_eq!(
            (main.table("log").as_str(), main.own("log")),
            ("log", "log")
        );
    }
}
