//! The databases of a service that is swept: what calls change in them, and how all of it is undone.
//!
//! [`guard`] lets a database in or refuses it, [`base::Base`] is one as runs use it: what is written while calls are made is
//! logged, read, claimed and taken back. [`postgres`] is such a database, [`embedded`] starts a private server where none was
//! given. SQL and drivers are used nowhere else.

mod address;
pub mod background;
pub mod base;
pub mod blocking;
mod catalog;
mod change;
pub mod embedded;
mod error;
mod facts;
pub mod guard;
mod leftover;
pub mod postgres;
mod rows;
mod run;
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
pub mod tether;
pub mod wait;
mod which;

pub use address::{Address, Engine, addresses, connect, file_of, url_of_file};
pub use catalog::{Catalog, Table, Temporal};
pub use change::{Change, Clock};
pub use error::{DatabaseError, redacted};
pub use facts::Facts;
pub use leftover::Leftover;
pub use run::{Extent, Presence, Tell};
pub use which::{Serial, Which};
