//! Pages of the tool's own, such as the files of a suite that is drafted.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};

use super::{TemplateError, Value};
use crate::yaml;

/// Renders a page of the tool's own, in which every value is written as YAML on one line. The filter `block(indent)`
/// writes it on lines of its own, `comment` writes words for a comment, and `raw` leaves a text as it is.
pub fn page(source: &str, values: &impl serde::Serialize) -> Result<String, TemplateError> {
    let fail = |error: Error| TemplateError::new("", &error);
    let json = |value: &Value| {
        serde_json::to_value(value)
            .map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))
    };
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    let mut syntax = SyntaxConfig::builder();
    syntax
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true);
    environment.set_syntax(syntax.build().map_err(fail)?);
    environment.set_formatter(move |out, _, value| {
        let text = match value.as_str().filter(|_| value.is_safe()) {
            Some(text) => text.to_owned(),
            None => yaml::inline(&json(value)?),
        };
        out.write_str(&text).map_err(Error::from)
    });
    environment.add_filter("block", move |value: Value, indent: usize| {
        let text = yaml::block(&json(&value)?, indent);
        Ok::<_, Error>(Value::from_safe_string(text))
    });
    environment.add_filter("comment", |text: String| {
        Value::from_safe_string(yaml::comment(&text))
    });
    environment.add_filter("raw", Value::from_safe_string);
    environment
        .render_str(source, Value::from(Serde(values)))
        .map_err(fail)
}
