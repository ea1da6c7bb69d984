//! Where the service's databases are, by flags and by the environment.

use std::collections::BTreeMap;

use authz_pin_database::Which;
use authz_pin_suite::diagnostic::{list, quoted};
use authz_pin_suite::suite::Suite;
use secrecy::{ExposeSecret, SecretString};

use super::{environment, named_url};
use crate::commands::Failure;
use crate::exit::Exit;

/// The environment variable that gives the URL of the main database.
const MAIN_DATABASE: &str = "AUTHZ_PIN_DATABASE_URL";

/// Prefix of those that give the URLs of further ones.
pub(in crate::commands) const DATABASE_PREFIX: &str = "AUTHZ_PIN_DATABASE_URL_";

/// The URLs of databases, of flags and the environment.
pub(in crate::commands) struct DatabaseUrls {
    /// That of the main one.
    pub(in crate::commands) main: Option<SecretString>,
    /// Those of the others, by their names.
    pub(in crate::commands) further: BTreeMap<String, SecretString>,
}

impl DatabaseUrls {
    /// Those of the databases that a suite has.
    pub(in crate::commands) fn of(flags: &[SecretString], suite: &Suite) -> Result<Self, Failure> {
        let known = &suite.file.service.databases;
        let urls = Self::read(flags, known.keys())?;
        let mut names = urls.further.keys();
        if let Some(name) = names.find(|name| !known.contains_key(*name)) {
            return Err(no_database(name, known.keys().map(String::as_str)));
        }
        if let (None, Some(name)) = (&urls.main, urls.further.keys().next()) {
            let name = quoted(name);
            let message = format!("the database {name} was given, and not the service's main one");
            return Err(Failure::new(Exit::Usage, message).help("give it with --database-url URL"));
        }
        Ok(urls)
    }

    /// Reads what flags say, and what the environment says of databases with these names.
    pub(in crate::commands) fn read<'n>(
        flags: &[SecretString],
        names: impl Iterator<Item = &'n String> + Clone,
    ) -> Result<Self, Failure> {
        let (mut main, mut further) = (None, BTreeMap::new());
        // Where a secret is not set, a CI leaves its variable empty.
        for text in flags.iter().filter(|text| !text.expose_secret().is_empty()) {
            match named_database(text, names.clone()) {
                Some((name, url)) => {
                    further.insert(name, url);
                }
                None if main.is_some() => {
                    let failure =
                        Failure::new(Exit::Usage, "the service has one database without a name");
                    return Err(failure.help(
                        "give others as --database-url NAME=URL, with a name of `service.databases`",
                    ));
                }
                None => main = Some(text.clone()),
            }
        }
        // A flag that names a database leaves the main one to the environment.
        if main.is_none() {
            main = from_environment(MAIN_DATABASE)?;
        }
        for name in names {
            let variable = format!("{DATABASE_PREFIX}{}", name.to_uppercase());
            if !further.contains_key(name)
                && let Some(url) = from_environment(&variable)?
            {
                further.insert(name.clone(), url);
            }
        }
        Ok(Self { main, further })
    }

    /// All of them, the main one first.
    pub(in crate::commands) fn in_order(&self) -> Vec<(Which, &SecretString)> {
        let all = Which::all(self.further.keys());
        let urls = std::iter::once(self.main.as_ref()).chain(self.further.values().map(Some));
        all.zip(urls)
            .filter_map(|(which, url)| Some((which, url?)))
            .collect()
    }
}

fn from_environment(variable: &str) -> Result<Option<SecretString>, Failure> {
    let url = environment(variable)?;
    Ok(url.filter(|url| !url.expose_secret().is_empty()))
}

/// `NAME=URL` as its parts. What has no such name can be a driver's own `host=HOST dbname=DATABASE`.
fn named_database<'n>(
    text: &SecretString,
    mut names: impl Iterator<Item = &'n String>,
) -> Option<(String, SecretString)> {
    let (name, url) = named_url(text)?;
    let is_url = ["://", "sqlite:"]
        .iter()
        .any(|part| url.expose_secret().contains(part));
    let is_url = is_url || names.any(|known| *known == name);
    is_url.then_some((name, url))
}

fn no_database<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Failure {
    let message = format!("the suite has no database {}", quoted(name));
    Failure::new(Exit::Usage, message).help(match list(known).as_str() {
        "" => "name it under `service.databases` of suite.yaml".to_owned(),
        known => format!("known: {known}"),
    })
}
