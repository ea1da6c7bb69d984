//! Templates: the one owner of the template engine.
//!
//! Every text of a suite is a template. A text that is nothing but one `{{ expression }}` keeps the type of its
//! value (a number, a list, null), so that a suite can write database rows and JSON bodies with it.

mod codec;
mod drawn;
mod own;
mod page;
mod uses;

use authz_pin_record::digest::sha256_hex;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::str::FromStr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Rest, Serde, ValueKind, merge_maps};
use minijinja::{
    AutoEscape, Environment, Error, ErrorKind, Output, State, Template, UndefinedBehavior,
    escape_formatter, filters,
};
use serde_json::Value as Json;

use crate::diagnostic::nearest;
use crate::place::Spot;
use crate::sendable::Unsendable;
use own::OWN;
use uses::{Callee, Parts, Use};

pub use drawn::random;
pub use minijinja::Value;
pub use page::page;

pub(crate) use codec::percent_encoded;

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

/// A template that could not be read or rendered, or whose text cannot be sent.
#[derive(Debug, thiserror::Error)]
#[error("{}{reason}", named(template))]
pub struct TemplateError {
    /// The template as the suite has it; empty where it may hold a secret.
    pub template: Box<str>,
    /// What is wrong with it, in the engine's words.
    pub reason: String,
    /// What to write instead.
    pub help: Option<String>,
    /// The expression that is null, where that alone is wrong.
    pub null: Option<String>,
    /// Where the template stands, if that is known.
    pub spot: Option<Box<Spot>>,
}

fn named(template: &str) -> String {
    match template {
        "" => String::new(),
        template => format!("template `{template}`: "),
    }
}

impl TemplateError {
    /// A template that fails for this reason.
    pub fn because(template: &str, reason: impl Into<String>) -> Self {
        Self {
            template: template.into(),
            reason: reason.into(),
            help: None,
            null: None,
            spot: None,
        }
    }

    /// A text that cannot be sent, which is not shown: it may be a secret.
    pub fn unsendable(unsendable: Unsendable, spot: Option<Spot>) -> Self {
        Self {
            help: Some(unsendable.help),
            spot: spot.map(Box::new),
            ..Self::because("", unsendable.reason)
        }
    }

    fn new(template: &str, error: &Error) -> Self {
        let reason = error
            .detail()
            .map_or_else(|| error.kind().to_string(), str::to_owned);
        Self::because(template, reason)
    }

    fn maybe_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

/// The template engine with the suite's filters and functions. Each text is compiled once: a suite has few, and each
/// is rendered for every cell.
#[derive(Debug)]
pub struct Templates {
    environment: Environment<'static>,
    names: Mutex<HashMap<String, Arc<BTreeSet<String>>>>,
    /// Whether what stands between the first and the last braces of a text is one expression, where that is not plain.
    lone: RwLock<HashMap<String, bool>>,
}

/// What the name of a compiled text begins with, so that no suite can include one; the rest is the text itself.
const TEXT: &str = "\0text:";
/// The same for a lone expression, whose value a variable holds.
const EXPRESSION: &str = "\0expression:";
const VALUE: &str = "value";
/// The same for a text that has no way to say null: a path, a header or a query.
const WIRE: &str = "\0wire:";
/// The same for a path, in which values are percent-encoded.
const PATH: &str = "\0path:";
/// The form in which its values are written.
const IN_PATH: AutoEscape = AutoEscape::Custom(Cow::Borrowed("path"));
/// What a render keeps of a path that begins with a value: that the value was written.
const BEGUN: &str = "\0begun";
/// Why such a text is not rendered.
const IS_NULL: &str = "a value in it is null";

/// How many steps a template may take. Those of suites take some dozen; a loop in a loop could take forever.
const FUEL: u64 = 100_000;

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
    /// An engine with the filters `sha256`, `hmac(key)`, `urlencode`, `b64encode`, `b64url`, `b64decode`, `first(n)`, `last(n)`,
    /// `mask(first, last)` and the functions `random(n)`, `digits(n)` and `uuid()`.
    #[must_use]
    pub fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        environment.set_syntax(syntax());
        environment.set_fuel(Some(FUEL));
        environment.add_filter("sha256", |text: String| sha256_hex(&text));
        codec::add_filters(&mut environment);
        environment.add_filter("first", |value: Value, n: Option<usize>| match n {
            Some(n) => Ok(Value::from(first(&defined(&value)?, n))),
            None => filters::first(&value),
        });
        environment.add_filter("last", |value: Value, n: Option<usize>| match n {
            Some(n) => Ok(Value::from(last(&defined(&value)?, n))),
            None => filters::last(value),
        });
        environment.add_filter("mask", mask);
        drawn::add_functions(&mut environment);
        environment.set_auto_escape_callback(|name| {
            if name.starts_with(PATH) {
                IN_PATH
            } else {
                AutoEscape::None
            }
        });
        environment.set_loader(|name| Ok(source(name)));
        environment.set_formatter(write_value);
        Self {
            environment,
            names: Mutex::default(),
            lone: RwLock::default(),
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
        serde_json::to_value(&value)
            .map_err(|error| TemplateError::because(text, error.to_string()))
    }

    /// Renders one text for a place that has no way to say null, such as a header.
    pub fn render_wire(&self, text: &str, scope: &Scope) -> Result<String, TemplateError> {
        self.render_sent(WIRE, text, scope)
    }

    /// Renders a path, with its query. Values are percent-encoded, but for one with which the path begins: that is a path
    /// itself.
    pub fn render_path(&self, text: &str, scope: &Scope) -> Result<String, TemplateError> {
        self.render_sent(PATH, text, scope)
    }

    /// The same as [`Templates::render_wire`], and nothing where the text is a lone expression that is null.
    pub fn render_unless_null(
        &self,
        text: &str,
        scope: &Scope,
    ) -> Result<Option<String>, TemplateError> {
        match self.render_wire(text, scope) {
            Err(error) if error.null.is_some() && self.lone_expression(text).is_some() => Ok(None),
            rendered => rendered.map(Some),
        }
    }

    fn render_sent(
        &self,
        prefix: &str,
        text: &str,
        scope: &Scope,
    ) -> Result<String, TemplateError> {
        if !text.contains('{') {
            return Ok(text.to_owned());
        }
        self.compiled(prefix, text)
            .and_then(|template| template.render(scope.to_value()))
            .map_err(|error| match error.detail() {
                Some(IS_NULL) => self.null_in(text, scope),
                _ => TemplateError::new(text, &error),
            })
    }

    /// The same for every text in a query, where a lone expression can be null: that leaves its parameter out.
    pub fn render_query(&self, query: &Json, scope: &Scope) -> Result<Json, TemplateError> {
        match query {
            Json::String(text) if self.lone_expression(text).is_none() => {
                self.render_wire(text, scope).map(Json::String)
            }
            Json::Array(items) => items
                .iter()
                .map(|item| self.render_query(item, scope))
                .collect(),
            Json::Object(map) => map
                .iter()
                .map(|(key, value)| {
                    Ok((
                        self.render_wire(key, scope)?,
                        self.render_query(value, scope)?,
                    ))
                })
                .collect(),
            other => self.render(other, scope),
        }
    }

    /// Which expression of a text is null.
    fn null_in(&self, text: &str, scope: &Scope) -> TemplateError {
        let scope = scope.to_value();
        let is_null = |source: &&str| {
            let value = self.environment.compile_expression(source);
            let value = value.and_then(|expression| expression.eval(scope.clone()));
            value.is_ok_and(|value| value.is_none())
        };
        let written = Parts::of(text).written.into_iter();
        let null = written.filter(|source| !source.is_empty()).find(is_null);
        let null = null.map(str::to_owned);
        let reason = match &null {
            Some(null) => format!("`{null}` is null"),
            None => IS_NULL.to_owned(),
        };
        TemplateError {
            null: Some(null.unwrap_or_else(|| text.to_owned())),
            ..TemplateError::because(text, reason)
        }
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
        let Some(source) = self.lone_expression(text) else {
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
        let parts = Parts::of(text);
        let functions = parts.uses.iter();
        let functions = functions.filter(|one| one.callee == Callee::Function);
        // One that does not exist is a mistake of its own.
        let functions: BTreeSet<&str> = functions.map(|one| one.name).collect();
        let names = template.undeclared_variables(true).into_iter();
        Ok(names
            .filter(|name| !self.is_global(name) && !functions.contains(name.as_str()))
            .collect())
    }

    fn is_global(&self, name: &str) -> bool {
        let mut globals = self.environment.globals();
        globals.any(|(global, _)| global == name)
    }

    /// The parts of a text that are sent as they stand, whatever the values are.
    pub(crate) fn literals(text: &str) -> Vec<&str> {
        Parts::of(text).literals
    }

    /// What is wrong with the filters, tests and functions of a text that can be read: those that do not exist, and those
    /// of the tool's own with a wrong number of arguments.
    #[must_use]
    pub fn misuses(&self, text: &str) -> Vec<TemplateError> {
        let Ok(template) = self.environment.template_from_str(text) else {
            return Vec::new();
        };
        let undeclared = template.undeclared_variables(false);
        let parts = Parts::of(text);
        let misuse = |one: &Use<'_>| self.misuse(text, one, undeclared.contains(one.name));
        parts.uses.iter().filter_map(misuse).collect()
    }

    fn misuse(&self, text: &str, one: &Use<'_>, is_undeclared: bool) -> Option<TemplateError> {
        let callee = one.callee;
        let what = match callee {
            Callee::Filter => "filter",
            Callee::Test => "test",
            // A macro of the template.
            Callee::Function if !is_undeclared => return None,
            Callee::Function => "function",
        };
        let own = || OWN.iter().filter(|own| own.callee == callee);
        if !self.exists(one) {
            let meant = nearest(one.name, own().map(|own| own.name));
            let meant = meant.map(|name| format!("did you mean `{name}`?"));
            let reason = format!("there is no {what} `{}`", one.name);
            return Some(TemplateError::because(text, reason).maybe_help(meant));
        }
        let own = own().find(|own| own.name == one.name)?;
        let reason = format!("the {what} {}", own.misuse(one.arguments)?);
        let form = Some(format!("write `{}`", own.form));
        Some(TemplateError::because(text, reason).maybe_help(form))
    }

    fn exists(&self, one: &Use<'_>) -> bool {
        let mut state = self.environment.empty_state();
        let is = |error: Option<Error>, kind| error.is_some_and(|error| error.kind() == kind);
        match one.callee {
            Callee::Function => self.is_global(one.name),
            Callee::Filter => {
                let tried = state.apply_filter(one.name, &[]).err();
                !is(tried, ErrorKind::UnknownFilter)
            }
            Callee::Test => {
                let tried = state.perform_test(one.name, &[]).err();
                !is(tried, ErrorKind::UnknownTest)
            }
        }
    }

    /// The source of the one expression that a text is nothing but.
    fn lone_expression<'t>(&self, text: &'t str) -> Option<&'t str> {
        let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
        let inner = inner.strip_prefix(['-', '+']).unwrap_or(inner);
        let inner = inner.strip_suffix(['-', '+']).unwrap_or(inner).trim();
        let is_plain = !["{{", "}}", "{%"].iter().any(|mark| inner.contains(mark));
        (is_plain || self.is_expression(inner)).then_some(inner)
    }

    /// Whether a text is one expression as a whole: braces also meet in maps, and stand in texts.
    fn is_expression(&self, source: &str) -> bool {
        let known = self.lone.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(source) {
            return *known;
        }
        drop(known);
        let is_one = self.environment.compile_expression_owned(source.to_owned());
        let is_one = is_one.is_ok();
        let mut known = self.lone.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(source.to_owned(), is_one);
        is_one
    }
}

/// A text keeps its last line end, which is a part of the body that is sent.
#[expect(
    clippy::unwrap_used,
    reason = "only other delimiters than the engine's own can be wrong"
)]
fn syntax() -> SyntaxConfig {
    SyntaxConfig::builder()
        .keep_trailing_newline(true)
        .build()
        .unwrap()
}

/// The source of a compiled text by its name.
fn source(name: &str) -> Option<String> {
    let expression = name.strip_prefix(EXPRESSION);
    let expression = expression.map(|source| format!("{{% set {VALUE} = ({source}) %}}"));
    let mut text = [TEXT, WIRE, PATH].iter();
    let mut text = || text.find_map(|prefix| name.strip_prefix(prefix));
    expression.or_else(|| text().map(str::to_owned))
}

/// Writes the value of an expression as the text that it is in needs it.
fn write_value(
    out: &mut Output<'_>,
    state: &mut State<'_, '_>,
    value: &Value,
) -> Result<(), Error> {
    let is_path = *state.auto_escape() == IN_PATH;
    if value.is_none() && (is_path || state.name().starts_with(WIRE)) {
        return Err(Error::new(ErrorKind::InvalidOperation, IS_NULL));
    }
    if !is_path {
        return escape_formatter(out, state, value);
    }
    if value.is_safe() || is_beginning(state) {
        return out.write_str(&value.to_string()).map_err(Error::from);
    }
    let encoded = percent_encoded(&value.to_string());
    out.write_str(&encoded).map_err(Error::from)
}

/// Whether a value is the first one of a path that begins with it.
fn is_beginning(state: &mut State<'_, '_>) -> bool {
    let text = state.name().strip_prefix(PATH);
    text.is_some_and(|text| text.starts_with("{{")) && state.set_temp(BEGUN, true.into()).is_none()
}

/// Turns JSON into a value that templates can use.
#[must_use]
pub fn to_value(json: &Json) -> Value {
    Value::from(Serde(json))
}

/// Whether a value is a text, a number or a truth value: it has no parts, and is not null.
#[must_use]
pub fn is_word(value: &Value) -> bool {
    let words = [ValueKind::String, ValueKind::Number, ValueKind::Bool];
    words.contains(&value.kind())
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

/// A value as a text.
fn defined(value: &Value) -> Result<String, Error> {
    if value.is_undefined() {
        return Err(ErrorKind::UndefinedError.into());
    }
    Ok(value.to_string())
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
    fn a_text_keeps_its_last_line_end() {
        let templates = Templates::new();
        let text = "id\n{{ owner.user_id }}\n";
        assert_eq!(templates.render_text(text, &scope()).unwrap(), "id\nu1\n");
        let rendered = templates.render(&json!([text, "u1\n"]), &scope()).unwrap();
        assert_eq!(rendered, json!(["id\nu1\n", "u1\n"]));
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
    fn a_text_of_one_expression_keeps_its_type_also_where_braces_meet() {
        let scope = scope();
        let value = |text: &str| Templates::new().render_value(text, &scope).unwrap();
        let nested = json!({"a": {"read": true}});
        for text in [
            "{{ {'a': {'read': true}} }}",
            "{{{'a':{'read':true}}}}",
            "{{- {'a': {'read': true}} -}}",
        ] {
            assert_eq!(value(text), nested, "{text}");
        }
        assert_eq!(value("{{ '}} {{' }}"), json!("}} {{"));
        assert_eq!(value("{{ 1 }}{{ 2 }}"), json!("12"));
        assert_eq!(value("{{ {'a': 1}.a }} {{ {'a': 2}.a }}"), json!("1 2"));
        assert_eq!(
            value("{{ owner.teams[0] }}-{{ key }}"),
            json!("a-sk-abcdef")
        );
    }

    #[test]
    fn the_first_and_the_last_are_items_of_lists_and_characters_of_texts() {
        let scope = scope();
        let value = |text: &str| Templates::new().render_value(text, &scope).unwrap();
        assert_eq!(value("{{ [1, 2, 3] | first }}"), json!(1));
        assert_eq!(value("{{ [1, 2, 3] | last }}"), json!(3));
        assert_eq!(value("{{ key | first }}{{ key | last }}"), json!("sf"));
        assert_eq!(value("{{ key | first(2) }}"), json!("sk"));
        assert_eq!(value("{{ 12345 | last(2) }}"), json!("45"));
    }

    #[test]
    fn a_null_is_sent_in_no_path_and_named_by_its_expression() {
        let (templates, scope) = (Templates::new(), scope());
        let null = |text: &str| {
            let error = templates.render_wire(text, &scope).unwrap_err();
            (error.to_string(), error.null.unwrap())
        };
        let (message, expression) = null("/{{ owner.user_id }}/{{ owner.team }}");
        assert_eq!(expression, "owner.team");
        assert_eq!(
            message,
            "template `/{{ owner.user_id }}/{{ owner.team }}`: `owner.team` is null"
        );
        assert_eq!(null("{{ owner['team'] }}").1, "owner['team']");
        assert_eq!(
            templates.render_text("{{ owner.team }}", &scope).unwrap(),
            "None"
        );
        let query = json!({"left out": "{{ owner.team }}", "id": "x-{{ owner.user_id }}"});
        assert_eq!(
            templates.render_query(&query, &scope).unwrap(),
            json!({"left out": null, "id": "x-u1"})
        );
        let query = json!({"id": "x-{{ owner.team }}"});
        let error = templates.render_query(&query, &scope).unwrap_err();
        assert_eq!(error.null.unwrap(), "owner.team");
    }

    #[test]
    fn a_filter_a_test_and_a_function_have_to_exist_wherever_they_stand() {
        let misuses = |text: &str| -> Vec<String> {
            let misuses = Templates::new().misuses(text);
            misuses.into_iter().map(|error| error.reason).collect()
        };
        assert_eq!(
            misuses("{{ key | sha265 }}"),
            ["there is no filter `sha265`"]
        );
        let hidden =
            "{% if false %}{{ nobody | reversed }}{{ 1 is prime }}{{ ramdom(3) }}{% endif %}";
        assert_eq!(
            misuses(hidden),
            [
                "there is no filter `reversed`",
                "there is no test `prime`",
                "there is no function `ramdom`"
            ]
        );
        let fine = "{% macro f(x) %}{{ x | upper }}{% endmacro %}{{ f(range(3) | first) }}{{ key is defined }}";
        assert_eq!(misuses(fine), Vec::<String>::new());
    }

    #[test]
    fn the_tools_own_take_as_many_arguments_as_they_say() {
        let misuse = |text: &str| {
            let mut misuses = Templates::new().misuses(text).into_iter();
            misuses
                .next()
                .map(|error| (error.reason, error.help.unwrap()))
        };
        let (reason, help) = misuse("{{ key | mask(3) }}").unwrap();
        assert_eq!(reason, "the filter `mask` takes 2 arguments, but has 1");
        assert_eq!(help, "write `text | mask(first, last)`");
        let (reason, help) = misuse("{{ random() }}").unwrap();
        assert_eq!(
            reason,
            "the function `random` takes one argument, but has 0"
        );
        assert_eq!(help, "write `random(n)`");
        for wrong in [
            "{{ key | sha256(1) }}",
            "{{ key | first(1, 2) }}",
            "{{ key | last(n=1) }}",
            "{{ digits() }}",
            "{{ uuid(4) }}",
        ] {
            assert!(misuse(wrong).is_some(), "{wrong}");
        }
        assert_eq!(
            misuse("{{ key | first(*[1]) }}{{ uuid() }}{{ key | last }}"),
            None
        );
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

    /// The second case of RFC 4231.
    #[test]
    fn an_hmac_is_that_of_the_standard() {
        let text = "{{ 'what do ya want for nothing?' | hmac('Jefe') }}";
        let rendered = Templates::new().render_text(text, &scope()).unwrap();
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(rendered, expected);
    }

    #[test]
    fn random_texts_differ() {
        assert_ne!(random(20), random(20));
    }
}
