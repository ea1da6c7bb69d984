//! Findings: observations that break an invariant. They are recorded, not judged.

mod finding;
mod kinds;

pub use finding::Finding;
pub use kinds::{Kind, table};

/// That calls wrote something when they were made together, and not when each was made alone.
#[must_use]
pub fn unrepeated(what: &str) -> Finding {
    let detail = format!(
        "{what} by calls that were made together, and by fewer or none when each was made alone"
    );
    Finding::of_record(Kind::UnrepeatedWrite, detail)
}

/// That calls ended the credential of their caller.
#[must_use]
pub fn ended(actor: &str) -> Finding {
    let detail = format!("{actor}'s credential did not work any more after the calls");
    Finding::of_record(Kind::CredentialEnded, detail)
}
