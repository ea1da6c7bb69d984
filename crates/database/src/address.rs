//! Where a service's databases are, and what each is.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use authz_pin_suite::suite::ServiceSpec;
use secrecy::{ExposeSecret as _, SecretString};

use crate::base::Base;
use crate::error::DatabaseError;
use crate::postgres::{Database, Postgres};
use crate::which::Which;

/// What a database is managed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// A server.
    Postgres,
    /// A file.
    Sqlite,
}

/// Where one of the service's databases is, and what of it is watched.
pub struct Address<'a> {
    /// Which of the databases it is.
    pub which: Which,
    /// Where it is, with a password where it has one.
    pub url: &'a SecretString,
    schema: &'a str,
    schemas: Option<&'a [String]>,
}

impl Address<'_> {
    /// Connects for the first time: whether that makes sense is asked before anything is set.
    pub async fn connect_first(&self) -> Result<Box<dyn Base>, DatabaseError> {
        let url = self.url.expose_secret();
        if let Some(file) = file_of(url) {
            return open(&file, &self.which).await;
        }
        self.name(Database::connect(url, self.schema).await)
    }

    /// Connects to a database that was let in.
    pub async fn connect(&self) -> Result<Box<dyn Base>, DatabaseError> {
        let url = self.url.expose_secret();
        if let Some(file) = file_of(url) {
            return open(&file, &self.which).await;
        }
        self.name(Box::pin(Database::connect_again(url, self.schema)).await)
    }

    fn name(
        &self,
        database: Result<Database, DatabaseError>,
    ) -> Result<Box<dyn Base>, DatabaseError> {
        let database = database.map_err(|error| error.of(&self.which))?;
        let mut database = database.called(&self.which);
        database.watch_schemas(self.schemas);
        Ok(Box::new(Postgres::new(database)))
    }
}

/// Connects to a database of which nothing is known but where it is.
pub async fn connect(which: &Which, url: &SecretString) -> Result<Box<dyn Base>, DatabaseError> {
    // What is undone needs no schema of the service: the journal knows the tables.
    let address = Address {
        which: which.clone(),
        url,
        schema: "public",
        schemas: None,
    };
    address.connect_first().await
}

/// The databases that URLs were given of, in the order in which every run locks them: the main one, then the others by their
/// names. Without the main one none is used.
#[must_use]
pub fn addresses<'a>(
    spec: &'a ServiceSpec,
    main: Option<&'a SecretString>,
    further: &'a BTreeMap<String, SecretString>,
) -> Vec<Address<'a>> {
    let Some(url) = main else { return Vec::new() };
    let main = Address {
        which: Which::default(),
        url,
        schema: &spec.schema,
        schemas: spec.schemas.as_deref(),
    };
    let further = Which::all(further.keys()).skip(1).zip(further.values());
    let further = further.filter_map(|(which, url)| {
        let spec = spec.databases.get(which.name()?)?;
        Some(Address {
            which,
            url,
            schema: &spec.schema,
            schemas: spec.schemas.as_deref(),
        })
    });
    std::iter::once(main).chain(further).collect()
}

/// How the URL of a file begins.
const FILE: &str = "sqlite:";

/// The file that a URL names: `sqlite:PATH`, or `sqlite://PATH` as others write it. What others add behind `?` is for the
/// service's own library.
#[must_use]
pub fn file_of(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix(FILE)?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let path = path.split('?').next().unwrap_or_default();
    Some(PathBuf::from(path))
}

/// The URL of a file.
#[must_use]
pub fn url_of_file(path: &Path) -> String {
    format!("{FILE}{}", path.display())
}

#[cfg(feature = "sqlite")]
async fn open(file: &Path, which: &Which) -> Result<Box<dyn Base>, DatabaseError> {
    let opened = crate::sqlite::File::connect(file, which).await;
    Ok(Box::new(opened.map_err(|error| error.of(which))?))
}

#[cfg(not(feature = "sqlite"))]
async fn open(file: &Path, which: &Which) -> Result<Box<dyn Base>, DatabaseError> {
    let reason = "build with the feature `sqlite`, which opens files".to_owned();
    let url = url_of_file(file);
    Err(DatabaseError::Unreachable { url, reason }.of(which))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_of_a_file_is_sqlite_and_its_path() {
        let file = |url: &str| file_of(url).map(|file| file.display().to_string());
        assert_eq!(file("sqlite:data/app.db").as_deref(), Some("data/app.db"));
        assert_eq!(file("sqlite:/srv/app.db").as_deref(), Some("/srv/app.db"));
        assert_eq!(
            file("sqlite:///srv/app.db?mode=rw").as_deref(),
            Some("/srv/app.db")
        );
        assert_eq!(file("postgres://localhost/app"), None);
        assert_eq!(url_of_file(Path::new("/srv/app.db")), "sqlite:/srv/app.db");
    }
}
