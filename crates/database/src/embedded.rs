//! A private `PostgreSQL` server for one run: no running database, no Docker, as root or not.
//!
//! The server's own binaries do the work; this module only finds them (or downloads a pinned release), makes a data
//! directory, and ties the server's life to ours:
//!
//! 1. `account`: who runs the server, since `PostgreSQL` refuses root;
//! 2. `binaries`: where `initdb` and `postgres` are;
//! 3. `template`: `initdb` once per machine, server version and user;
//! 4. `places`: where the data of this one server lives, in memory where possible;
//! 5. `supervisor`: a small shell that copies the template, runs the server, and ends both when we are gone.
//!
//! [`Cluster`] is all that a caller sees of it.

mod account;
mod binaries;
mod database;
#[cfg(feature = "download")]
mod download;
mod error;
mod options;
mod places;
mod supervisor;
mod template;

use std::path::{Path, PathBuf};

pub use error::EmbeddedError;
pub use options::Options;

use account::Account;
use binaries::Binaries;
use supervisor::Supervisor;

/// A private `PostgreSQL` server that lives as long as this value, and never longer than this process.
///
/// Everything about it is in one directory, which goes when the server goes, even when this process is killed. Only
/// this user (and root) can connect.
#[derive(Debug)]
pub struct Cluster {
    directory: PathBuf,
    version: String,
    // Dropping it ends the server and removes the directory.
    _supervisor: Supervisor,
}

impl Cluster {
    /// Starts a server with the [options of the environment](Options::from_env) and waits until it answers a query.
    ///
    /// Blocks for about 70 ms; the first start on a machine takes longer, since it runs `initdb`.
    pub fn start() -> Result<Self, EmbeddedError> {
        Self::start_with(&Options::from_env())
    }

    /// Like [`Cluster::start`], steered by `options` alone.
    pub fn start_with(options: &Options) -> Result<Self, EmbeddedError> {
        let account = Account::for_server()?;
        let cache = places::cache(options, &account)?;
        let binaries = Binaries::find(options, &account, &cache)?;
        let template = template::ready(&cache, &binaries, &account)?;
        let directory = places::server_directory(options, &account)?;
        let mut supervisor = Supervisor::start(&account, &binaries, &template, &directory)?;
        supervisor.wait_until_ready(options.patience)?;
        database::answers(&database::url(&directory, database::MAINTENANCE))?;
        Ok(Self {
            directory,
            version: binaries.version,
            _supervisor: supervisor,
        })
    }

    /// The address of `database` on this server, for `AsyncPgConnection::establish` and other drivers that take
    /// a percent-encoded socket directory as the host.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        database::url(&self.directory, database)
    }

    /// Makes an empty database and returns its address.
    pub async fn create_database(&self, name: &str) -> Result<String, EmbeddedError> {
        self.create_database_from(name, database::EMPTY).await
    }

    /// Makes a database with everything that `template` has, and returns its address.
    ///
    /// Nothing may be connected to `template` meanwhile.
    pub async fn create_database_from(
        &self,
        name: &str,
        template: &str,
    ) -> Result<String, EmbeddedError> {
        let maintenance = self.url(database::MAINTENANCE);
        database::create(&maintenance, &self.version, name, template).await?;
        Ok(self.url(name))
    }

    /// Drops a database, ending whatever is still connected to it.
    pub async fn drop_database(&self, name: &str) -> Result<(), EmbeddedError> {
        database::drop(&self.url(database::MAINTENANCE), name).await
    }

    /// The server's version, such as `15.18`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The server's directory: its socket, its log and its data, until this value is dropped.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}
