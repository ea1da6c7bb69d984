//! Where a service's databases are, and what each is.

use std::collections::BTreeMap;

use authz_pin_suite::suite::ServiceSpec;
use secrecy::{ExposeSecret as _, SecretString};

use crate::base::Base;
use crate::error::DatabaseError;
use crate::postgres::{Database, Postgres};
use crate::which::Which;

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
        let database = Database::connect(self.url.expose_secret(), self.schema).await;
        self.name(database)
    }

    /// Connects to a database that was let in.
    pub async fn connect(&self) -> Result<Box<dyn Base>, DatabaseError> {
        let url = self.url.expose_secret();
        let database = Box::pin(Database::connect_again(url, self.schema)).await;
        self.name(database)
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
