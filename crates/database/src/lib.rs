//! The databases of a service that is swept: what calls change in them, and how all of it is undone.
//!
//! [`guard`] lets a database in or refuses it, [`journal`] logs what is written while calls are made and takes it back,
//! [`embedded`] starts a private server where none was given. SQL and drivers are used nowhere else.

pub mod background;
pub mod base;
pub mod blocking;
pub mod database;
pub mod embedded;
pub mod guard;
pub mod journal;
pub mod postgres;
pub mod tether;
pub mod wait;
