//! SQLite as the database of a service: real files, and a second connection that plays the service.

mod attribution;
mod conflicts;
mod guard;
mod killed;
mod kinds;
mod others;
mod property;
mod references;
mod schema;
mod service;
mod speed;
mod together;
mod values;
