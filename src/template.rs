//! Templates: the one owner of the template engine.
//!
//! Every text of a suite is a template. A text that is nothing but one `{{ expression }}` keeps the type of its
//! value (a number, a list, null), so that a suite can write database rows and JSON bodies with it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Serde, merge_maps};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Template, UndefinedBehavior};
use rand::RngExt;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::yaml;

pub use minijinja::Value;

/// The names of an entity, with their values.
pub type Fields = BTreeMap<String, Value>;

/// The names that a template can use, with their values. A scope stands on another one without copying it, since each
/// cell has a scope and all cells share the world's.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    base: Option<Value>,
    own: Fields,
    /// All names as the engine takes them, made when they are first asked for: a scope is used for many templates.
    all: OnceLock<Value>,
}

impl Scope {
    /// A scope with all names of `base`, until it has others of its own.
    #[must_use]
    pub fn on(base: &Value) -> Self {
        Self {
            base: Some(base.clone()),
            ..Self::default()
        }
    }

    /// Gives a name a value.
    pub fn insert(&mut self, name: &str, value: Value) {
        self.own.insert(name.to_owned(), value);
        self.all.take();
    }

    /// Gives names their values.
    pub fn extend(&mut self, fields: Fields) {
        self.own.extend(fields);
        self.all.take();
    }

    /// All names, as a value that other scopes can stand on.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let merged = || {
            let own = Value::from(self.own.clone());
            match &self.base {
                Some(base) => merge_maps([base.clone(), own]),
                None => own,
            }
        };
        self.all.get_or_init(merged).clone()
    }
}

impl<const N: usize> From<[(&str, Value); N]> for Scope {
    fn from(names: [(&str, Value); N]) -> Self {
        let own = names.map(|(name, value)| (name.to_owned(), value));
        Self {
            own: own.into(),
            ..Self::default()
        }
    }
}

/// A template that could not be read or rendered.
#[derive(Debug, thiserror::Error)]
#[error("template `{template}`: {reason}")]
pub struct TemplateError {
    /// The template as the suite has it.
    pub template: String,
    /// What is wrong with it, in the engine's words.
    pub reason: String,
}

impl TemplateError {
    fn new(template: &str, error: &Error) -> Self {
        let reason = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        Self {
            template: template.to_owned(),
            reason,
        }
    }
}

/// The template engine with the suite's filters and functions. Each text is compiled once: a suite has few, and each
/// is rendered for every cell.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    names: Mutex<HashMap<String, Arc<BTreeSet<String>>>>,
}

/// What the name of a compiled text begins with, so that no suite can include one; the rest is the text itself.
const TEXT: &str = "\0text:";
/// The same for a lone expression, whose value a variable holds.
const EXPRESSION: &str = "\0expression:";
const VALUE: &str = "value";

/// How many steps a template may take. Those of suites take some dozen; a loop in a loop could take forever.
const FUEL: u64 = 100_000;
/// How many steps and bytes are enough to find out whether there is an unknown filter.
const FUEL_TO_TRY: u64 = 1_000;
const MAX_TRIED: usize = 1 << 20;
/// The most random characters that a template can ask for.
const MAX_RANDOM: usize = 4096;

/// A number, if it is one.
fn number<T: FromStr + Into<Value>>(value: Value) -> Value {
    let number = value.to_string().parse::<T>();
    number.map_or(value, Into::into)
}

impl Default for Templates {
    fn default() -> Self {
        Self::new()
    }
}

impl Templates {
    /// An engine with the filters `sha256`, `first(n)`, `last(n)`, `mask(first, last)` and the functions `random(n)`, `digits(n)`
    /// and `uuid()`.
    #[must_use]
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_fuel(Some(FUEL));
        environment.add_filter("sha256", |text: String| sha256_hex(&text));
        environment.add_filter("first", |text: String, n: usize| first(&text, n));
        environment.add_filter("last", |text: String, n: usize| last(&text, n));
        environment.add_filter("mask", mask);
        environment.add_function("random", drawn);
        environment.add_function("digits", digits);
        environment.add_function("uuid", uuid);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_loader(|name| Ok(source(name)));
        Self {
            environment,
            names: Mutex::default(),
        }
    }

    /// The same where the values are made up, as long as nobody has asked the service for them: what is no number is no
    /// mistake then.
    #[must_use]
    pub fn for_made_up() -> Self {
        let mut templates = Self::new();
        let environment = &mut templates.environment;
        environment.add_filter("int", |value: Value, _: Rest<Value>| number::<i64>(value));
        environment.add_filter("float", |value: Value, _: Rest<Value>| number::<f64>(value));
        templates
    }

    /// Renders every text inside `template`, keeping its structure.
    pub fn render(&self, template: &Json, scope: &Scope) -> Result<Json, TemplateError> {
        match template {
            Json::String(text) => self.render_value(text, scope),
            Json::Array(items) => items.iter().map(|item| self.render(item, scope)).collect(),
            Json::Object(map) => map
                .iter()
                .map(|(key, value)| Ok((self.render_text(key, scope)?, self.render(value, scope)?)))
                .collect(),
            other => Ok(other.clone()),
        }
    }

    /// Renders one text; a lone `{{ expression }}` keeps its type.
    pub fn render_value(&self, text: &str, scope: &Scope) -> Result<Json, TemplateError> {
        let value = self.evaluate(text, scope)?;
        serde_json::to_value(&value).map_err(|error| TemplateError {
            template: text.to_owned(),
            reason: error.to_string(),
        })
    }

    /// Renders one text to a text.
    pub fn render_text(&self, text: &str, scope: &Scope) -> Result<String, TemplateError> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        self.compiled(TEXT, text)
            .and_then(|template| template.render(scope.to_value()))
            .map_err(|error| TemplateError::new(text, &error))
    }

    fn compiled(&self, prefix: &str, text: &str) -> Result<Template<'_, '_>, Error> {
        self.environment.get_template(&format!("{prefix}{text}"))
    }

    /// Whether what stands under `when` renders to something true, or nothing stands there.
    pub fn wants(&self, when: Option<&str>, scope: &Scope) -> Result<bool, TemplateError> {
        when.map_or(Ok(true), |when| Ok(self.evaluate(when, scope)?.is_true()))
    }

    /// Evaluates one text to a value of the engine, which other templates can use.
    pub fn evaluate(&self, text: &str, scope: &Scope) -> Result<Value, TemplateError> {
        let Some(source) = lone_expression(text) else {
            return self.render_text(text, scope).map(Value::from);
        };
        let fail = |error: Error| TemplateError::new(text, &error);
        let rendered = self
            .compiled(EXPRESSION, source)
            .and_then(|template| template.render_captured(scope.to_value()))
            .map_err(fail)?;
        let value = rendered.state().lookup(VALUE);
        value.filter(|value| !value.is_undefined()).ok_or_else(|| {
            let why = "the value is not defined";
            fail(Error::new(ErrorKind::UndefinedError, why))
        })
    }

    /// The names that `text` looks up, dotted (`owner.key`), without the engine's own functions.
    pub fn names(&self, text: &str) -> Result<Arc<BTreeSet<String>>, TemplateError> {
        let known = |names: &HashMap<String, Arc<BTreeSet<String>>>| names.get(text).cloned();
        let names = || self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(names) = known(&names()) {
            return Ok(names);
        }
        let found = Arc::new(self.look_for_names(text)?);
        names().insert(text.to_owned(), Arc::clone(&found));
        Ok(found)
    }

    fn look_for_names(&self, text: &str) -> Result<BTreeSet<String>, TemplateError> {
        let template = self
            .environment
            .template_from_str(text)
            .map_err(|error| TemplateError::new(text, &error))?;
        self.filters_exist(text)?;
        let globals: BTreeSet<&str> = self.environment.globals().map(|(name, _)| name).collect();
        let names = template.undeclared_variables(true).into_iter();
        Ok(names
            .filter(|name| !globals.contains(name.as_str()))
            .collect())
    }

    /// That a filter does not exist shows only when it is used, so the text is rendered with nothing in its scope. What
    /// is behind another failure, or in a branch that is not taken, shows in a sweep.
    fn filters_exist(&self, text: &str) -> Result<(), TemplateError> {
        let mut lenient = self.environment.clone();
        lenient.set_fuel(Some(FUEL_TO_TRY));
        lenient.set_undefined_behavior(UndefinedBehavior::Chainable);
        let tried = lenient
            .template_from_str(text)
            .and_then(|template| template.render_captured_to((), Few(MAX_TRIED)).map(|_| ()));
        match tried {
            Err(error) if error.kind() == ErrorKind::UnknownFilter => {
                Err(TemplateError::new(text, &error))
            }
            _ => Ok(()),
        }
    }
}

/// The source of a compiled text by its name.
fn source(name: &str) -> Option<String> {
    let expression = name.strip_prefix(EXPRESSION);
    let expression = expression.map(|source| format!("{{% set {VALUE} = ({source}) %}}"));
    expression.or_else(|| name.strip_prefix(TEXT).map(str::to_owned))
}

/// A writer that takes that many bytes and keeps none.
struct Few(usize);

impl std::io::Write for Few {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 = self
            .0
            .checked_sub(bytes.len())
            .ok_or(std::io::ErrorKind::FileTooLarge)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Turns JSON into a value that templates can use.
#[must_use]
pub fn to_value(json: &Json) -> Value {
    Value::from(Serde(json))
}

/// The SHA-256 of `text` in lower-case hex.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

/// A template that renders to `text`, whatever stands in it.
#[must_use]
pub fn literal_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '{' && characters.peek().is_some_and(|next| "{%#".contains(*next)) {
            out.push_str("{{ '{' }}");
        } else {
            out.push(c);
        }
    }
    out
}

/// The same for every text in a value, those of its keys among them.
#[must_use]
pub fn literal(value: &Json) -> Json {
    match value {
        Json::String(text) => literal_text(text).into(),
        Json::Array(items) => items.iter().map(literal).collect(),
        Json::Object(map) => map
            .iter()
            .map(|(key, value)| (literal_text(key), literal(value)))
            .collect(),
        other => other.clone(),
    }
}

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

/// `n` random characters of `[0-9A-Za-z]`.
#[must_use]
pub fn random(n: usize) -> String {
    rand::rng()
        .sample_iter(rand::distr::Alphanumeric)
        .take(n)
        .map(char::from)
        .collect()
}

fn drawn(n: usize) -> Result<String, Error> {
    if n > MAX_RANDOM {
        let message = format!("random gives at most {MAX_RANDOM} characters");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(random(n))
}

/// `n` random digits, which are also a number of that length.
fn digits(n: usize) -> Result<String, Error> {
    if !(1..=MAX_RANDOM).contains(&n) {
        let message = format!("digits gives 1 to {MAX_RANDOM} digits");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    let mut rng = rand::rng();
    let digit = |at| rng.random_range(u8::from(at == 0)..10);
    Ok((0..n).map(digit).map(|digit| digit.to_string()).collect())
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    parts.join("-")
}

fn first(text: &str, n: usize) -> String {
    text.chars().take(n).collect()
}

fn last(text: &str, n: usize) -> String {
    let skip = text.chars().count().saturating_sub(n);
    text.chars().skip(skip).collect()
}

/// Keeps the first and the last characters and puts a `*` for each one between.
fn mask(text: &str, head: usize, tail: usize) -> String {
    let hidden = text
        .chars()
        .count()
        .saturating_sub(head.saturating_add(tail));
    format!(
        "{}{}{}",
        first(text, head),
        "*".repeat(hidden),
        last(text, tail)
    )
}

fn lone_expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}") && !inner.contains("{%")).then(|| inner.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn scope() -> Scope {
        let owner = json!({"user_id": "u1", "teams": ["a"], "team": null});
        Scope::from([
            ("owner", to_value(&owner)),
            ("key", Value::from("sk-abcdef")),
        ])
    }

    #[test]
    fn a_lone_expression_keeps_its_type() {
        let template = json!({"teams": "{{ owner.teams }}", "team": "{{ owner.team }}", "text": "id {{ owner.user_id }}"});
        let rendered = Templates::new().render(&template, &scope()).unwrap();
        assert_eq!(
            rendered,
            json!({"teams": ["a"], "team": null, "text": "id u1"})
        );
    }

    #[test]
    fn filters_derive_one_symbol_from_another() {
        let render = |text| Templates::new().render_text(text, &scope()).unwrap();
        assert_eq!(render("sk-...{{ key | last(4) }}"), "sk-...cdef");
        assert_eq!(render("{{ key | mask(3, 2) }}"), "sk-****ef");
        assert_eq!(
            render("{{ 'a' | sha256 }}"),
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
        );
    }

    #[test]
    fn an_unknown_name_is_an_error_not_an_empty_text() {
        let error = Templates::new()
            .render(&json!("{{ owner.nobody }}"), &scope())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "template `{{ owner.nobody }}`: the value is not defined"
        );
    }

    #[test]
    fn names_are_dotted_and_leave_out_functions() {
        let names = Templates::new()
            .names("{{ random(4) }}{{ owner.key | sha256 }}{{ run }}")
            .unwrap();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["owner.key", "run"]);
    }

    #[test]
    fn a_filter_that_does_not_exist_is_a_mistake_before_anything_is_rendered() {
        let error = Templates::new().names("{{ key | sha265 }}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "template `{{ key | sha265 }}`: filter sha265 is unknown"
        );
        assert!(Templates::new().names("{{ key | sha256 }}").is_ok());
    }

    #[test]
    fn a_template_that_would_take_forever_or_all_memory_is_refused() {
        let numbers = "{% for a in range(9999) %}";
        let loops = format!("{0}{0}{0}x{1}{1}{1}", numbers, "{% endfor %}");
        for text in [&loops, "{{ random(99999999999) }}"] {
            let error = Templates::new().render_text(text, &scope());
            assert!(error.is_err(), "{text}");
        }
        let mask = "{{ key | mask(18446744073709551615, 1) }}";
        let masked = Templates::new().render_text(mask, &scope());
        assert!(masked.unwrap().starts_with("sk-abcdef"));
    }

    #[test]
    fn random_texts_differ() {
        assert_ne!(random(20), random(20));
    }
}
