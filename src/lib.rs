//! authz-pin pins what an HTTP service really does about authorization.
//!
//! One straight pipeline, a module per stage, in the order in which to read them:
//!
//! [`suite`] -> [`plan`] -> [`world`] -> [`sweep`] -> [`journal`] -> [`record`] -> [`drift`] -> [`report`] -> [`exit`]

pub mod template;
