//! Every message is pinned as it is rendered.

mod choice;
mod document;
mod explain;
mod parse;
mod robust;
mod types;

use std::path::Path;

use super::Document;
use crate::diagnostic::Diagnostics;

fn parse(text: &str) -> Result<Document, Diagnostics> {
    Document::parse(Path::new("suite/a.yaml"), text.to_owned())
}

fn parsed(text: &str) -> Document {
    parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// The value as compact JSON.
fn json(text: &str) -> String {
    parsed(text).value().to_string()
}

/// Why the text is no YAML for us.
fn refusal(text: &str) -> String {
    match parse(text) {
        Ok(document) => panic!("accepted as {}", document.value()),
        Err(errors) => errors.to_string(),
    }
}

/// Why the text is no endpoint.
fn mistakes(text: &str) -> String {
    match parsed(text).decode::<types::Endpoint>() {
        Ok(endpoint) => panic!("accepted as {endpoint:?}"),
        Err(errors) => errors.to_string(),
    }
}
