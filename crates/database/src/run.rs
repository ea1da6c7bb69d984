//! How runs use a database.

/// Who is told, in words, what makes a run wait or what it leaves behind.
pub type Tell<'t> = &'t (dyn Fn(&str) + Sync);

/// What of a run is undone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What was claimed for the batch that is under way.
    Batch,
    /// Everything that the run has claimed.
    Run,
}

/// How the whole database is shared: many sweeps at once, or one that needs to be alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence {
    /// Other runs may sweep at the same time.
    Shared,
    /// No other run may sweep, since changes are attributed by time.
    Alone,
}
