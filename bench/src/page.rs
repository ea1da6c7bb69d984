//! The page that the measurements make.

use minijinja::{Environment, context};
use serde_json::Value as Json;

use crate::{Result, machine, run};

const TEMPLATE: &str = include_str!("page.md");

/// Writes the page.
pub(crate) fn write(all: &Json) -> Result<String> {
    let mut environment = Environment::new();
    environment.add_filter("fixed", |number: f64, digits: usize| {
        format!("{number:.digits$}")
    });
    environment.set_undefined_behavior(minijinja::UndefinedBehavior::Strict);
    let context = context! {
        machine => machine::facts(),
        concurrency => run::CONCURRENCY,
        all => minijinja::value::Value::from(minijinja::value::Serde(all)),
    };
    Ok(format!(
        "{}\n",
        environment.render_str(TEMPLATE, context)?.trim_end()
    ))
}
