//! The record of what a service does about authorization, and how two records differ.
//!
//! A [`Record`](record::Record) has a cell for each actor upon each target of one endpoint. [`drift::between`] says in which
//! cells two records differ and in which direction, [`findings`] what in a cell breaks an invariant. Nothing here reads a file,
//! asks a service or knows a database.
//!
//! ```
//! use authz_pin_record::drift::{self, Kind};
//! use authz_pin_record::record::Record;
//!
//! let pinned = "
//! format: 2
//! endpoint: GET /notes/{{ target.id }}
//! cells:
//!   owner's note:
//!     owner: {allowed: 200}
//!     stranger: {denied: 403}
//! ";
//! let pinned = Record::parse(pinned)?;
//! let now = Record::parse("
//! format: 2
//! endpoint: GET /notes/{{ target.id }}
//! cells:
//!   owner's note:
//!     owner: {allowed: 200}
//!     stranger: {allowed: 200}
//! ")?;
//! let drifts = drift::between(&pinned, &now);
//! assert_eq!(drifts[0].kind, Kind::Widened);
//! assert_eq!(drifts[0].actor.as_deref(), Some("stranger"));
//! # Ok::<(), authz_pin_record::record::ReadError>(())
//! ```

pub mod causes;
pub mod chain;
pub mod digest;
pub mod drift;
pub mod fault;
pub mod findings;
pub mod kinds;
pub mod observation;
pub mod record;
pub mod text;
pub mod yaml;

/// Every kind, those of drift first, each group worst first.
pub fn every_kind() -> impl Iterator<Item = &'static kinds::Entry> + Clone {
    drift::table().iter().chain(findings::table())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_name_stands_for_two_kinds() {
        let names: BTreeSet<&str> = every_kind().map(|entry| entry.id.as_str()).collect();
        assert_eq!(names.len(), every_kind().count());
    }
}
