//! A suite to start from, made of what is known about a service: its OpenAPI document, or calls that were recorded.
//!
//! What is known becomes a [`Source`], the source a [`Draft`], and the draft files. Everything that comes from a document
//! or a recording is a value of a page, so that none of it can become a part of the suite's language.

mod access;
mod draft;
mod har;
mod kinds;
mod made;
mod named;
mod names;
mod path;

mod source;

use std::collections::BTreeMap;

use crate::suite::schema;
use crate::template::{TemplateError, page};

pub use draft::{Actor, Draft, Endpoint, Entity, Fresh, Kind, Target, Variable};
pub use har::{HarError, MAX_BYTES as MAX_HAR_BYTES, Recording, read as read_har};
pub use source::{Access, Action, Body, Source, example};

const SUITE: &str = include_str!("init/suite.yaml.jinja");
const WORLD: &str = include_str!("init/world.yaml.jinja");
const TARGETS: &str = include_str!("init/targets.yaml.jinja");
const ENDPOINT: &str = include_str!("init/endpoint.yaml.jinja");

/// Where a suite keeps the schemas of its files, for editors.
pub const SCHEMAS: &str = ".authz-pin/schemas";

/// The files of a suite by their paths within its folder.
pub fn files(draft: &Draft) -> Result<BTreeMap<String, String>, TemplateError> {
    let mut files = BTreeMap::from([
        ("suite.yaml".to_owned(), page(SUITE, draft)?),
        ("world.yaml".to_owned(), page(WORLD, draft)?),
        ("targets.yaml".to_owned(), page(TARGETS, draft)?),
    ]);
    for endpoint in &draft.endpoints {
        let name = format!("endpoints/{}.yaml", endpoint.name);
        files.insert(name, page(ENDPOINT, endpoint)?);
    }
    for (name, schema) in schema::texts() {
        files.insert(format!("{SCHEMAS}/{name}"), schema);
    }
    Ok(files)
}
