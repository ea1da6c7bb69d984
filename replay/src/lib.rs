//! Regression replays: proof that the suite would have noticed historic authorization bugs of LiteLLM.
//!
//! Each replay is a patch that brings one bug back into the reference gateway. The suite is swept on the patched
//! gateway, and exactly the cells that the replay's pins name have to differ from their snapshots.
//!
//! In the order in which to read them: [`table`] -> [`tree`] -> [`check`] -> [`flips`] -> [`run`]; [`page`] shows the
//! table to people, with what [`releases`] tell of it.

pub mod check;
pub mod flips;
pub mod page;
pub mod releases;
pub mod run;
pub mod table;
pub mod tree;
