//! The schemas of a suite's files, for editors.

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};

use super::{EndpointFile, SuiteFile, TargetsFile, WorldFile};

/// The schemas by the names of their files: of `suite.yaml`, `world.yaml`, `targets.yaml` and `endpoints/*.yaml`.
#[must_use]
pub fn all() -> [(&'static str, Schema); 4] {
    [
        ("suite.schema.json", of::<SuiteFile>()),
        ("world.schema.json", of::<WorldFile>()),
        ("targets.schema.json", of::<TargetsFile>()),
        ("endpoint.schema.json", of::<EndpointFile>()),
    ]
}

/// The same as texts.
#[must_use]
pub fn texts() -> [(&'static str, String); 4] {
    // The alternate form has lines and indentation.
    all().map(|(name, schema)| (name, format!("{:#}\n", schema.to_value())))
}

/// In the draft that every editor knows.
fn of<T: JsonSchema>() -> Schema {
    let settings = SchemaSettings::draft07();
    SchemaGenerator::new(settings).into_root_schema_for::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schemas_that_are_published_are_those_of_the_types() {
        let published = [
            include_str!("../../../../docs/schemas/suite.schema.json"),
            include_str!("../../../../docs/schemas/world.schema.json"),
            include_str!("../../../../docs/schemas/targets.schema.json"),
            include_str!("../../../../docs/schemas/endpoint.schema.json"),
        ];
        for (published, (name, text)) in published.into_iter().zip(texts()) {
            let is_same = published.replace("\r\n", "\n") == text;
            assert!(is_same, "{name}: cargo run -- schema --out docs/schemas");
        }
    }
}
