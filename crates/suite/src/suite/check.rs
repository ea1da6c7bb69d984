//! Whether a suite's documents fit together: every kind, target, actor and symbol that is named exists.
//!
//! The checks read the documents as they are, so that a misspelt symbol is found even in a file that has a misspelt
//! key as well.

mod credentials;
mod databases;
mod exchange;
mod fresh;
mod texts;
mod verdicts;
mod wire;

use std::collections::BTreeSet;

use authz_pin_record::every_kind;
use serde_json::{Map, Value as Json};

pub(super) use texts::{endpoints_of_texts, endpoints_of_values};

use super::include::World;
use super::load::Documents;
use super::names::{Declared, Names, object};
use super::{CompileError, Glob, IdPath, JsonPath, OperationName, Suite};
use crate::diagnostic::{Diagnostic, Diagnostics, did_you_mean, list, quoted};
use crate::operations;
use crate::plan::{self, Filter, Pattern};
use crate::template::Templates;
use crate::yaml::{Document, NodePath, Step};

/// Reports everything in the documents that names something which does not exist.
pub(super) fn consistency(documents: &Documents) -> Diagnostics {
    let declared = Declared::of(documents);
    let templates = Templates::new();
    let checker = |document| Checker {
        document,
        declared: &declared,
        templates: &templates,
        mistakes: Diagnostics::new(),
    };
    let suite = documents
        .suite
        .iter()
        .map(|document| checker(document).suite());
    let world = documents
        .world
        .iter()
        .flat_map(|world| world.documents().map(|file| checker(file).world(world)));
    let targets = documents
        .targets
        .iter()
        .map(|document| checker(document).targets());
    let endpoints = documents
        .endpoints
        .iter()
        .map(|(_, document)| checker(document).endpoint());
    suite
        .chain(world)
        .chain(targets)
        .chain(endpoints)
        .flatten()
        .collect()
}

/// Patterns under `endpoints` that match none, once everything else fits together.
pub(super) fn sweeps(suite: &Suite, file: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    for pattern in suite.file.endpoints.keys() {
        let mut endpoints = suite.endpoints.iter();
        if !endpoints.any(|endpoint| pattern.is_match(&endpoint.name)) {
            let path = NodePath::from(["endpoints", pattern.as_str()]);
            let mistake = file.error_at(&path, "the pattern matches no endpoint");
            mistakes.push(mistake.help("name an endpoint of the suite; `*` is any text"));
        }
    }
    mistakes
}

/// Patterns of the suite's own actors that match no cell, once everything else fits together. Those of an included file can be
/// about endpoints of other suites.
pub(super) fn calls(suite: &Suite, world: &Document) -> Diagnostics {
    let mut mistakes = Diagnostics::new();
    let own = |actor: &String| world.get(&NodePath::from(["actors", actor])).is_some();
    for (actor, spec) in suite.world.actors.iter().filter(|(actor, _)| own(actor)) {
        let patterns = spec.calls.iter().flat_map(Filter::patterns).enumerate();
        for (index, _) in patterns.filter(|(_, pattern)| !matches_any(suite, actor, pattern)) {
            let path = NodePath::from(["actors", actor, "calls"]).join(index);
            let mistake = world.error_at(&path, "the pattern matches no cell");
            mistakes.push(mistake.help("name an endpoint, or `ENDPOINT/TARGET`; `*` is any text"));
        }
    }
    mistakes
}

fn matches_any(suite: &Suite, actor: &str, pattern: &Pattern) -> bool {
    let endpoints = suite.endpoints.iter();
    let mut cells = endpoints.flat_map(|endpoint| plan::cells(suite, endpoint));
    cells.any(|cell| cell.actor == actor && pattern.matches(&cell))
}

/// Names that templates use for something else, so that no entity can have them.
const RESERVED: [&str; 8] = [
    "actor", "target", "cell", "run", "vars", "name", "request", "now",
];

/// Whose credential it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Auth {
    /// An actor's own.
    Own,
    /// A request's, which can be an actor's.
    Borrowed,
    /// A login's.
    Login,
}

struct Checker<'a> {
    document: &'a Document,
    declared: &'a Declared<'a>,
    templates: &'a Templates,
    mistakes: Diagnostics,
}

impl Checker<'_> {
    fn suite(mut self) -> Diagnostics {
        let settings = NodePath::from(["service", "default", "settings"]);
        self.templates_below(&settings, &self.declared.world());
        self.keys_below(&settings, &self.declared.world());
        let vars = self.declared.vars();
        self.templates_below(&NodePath::from(["service", "urls"]), &vars);
        self.tls(&NodePath::from(["service", "tls"]), &vars);
        self.reset(&NodePath::from(["service", "reset"]), &vars);
        self.plain_path(&NodePath::from(["service", "ready"]));
        let of_all = NodePath::from(["service", "headers"]);
        self.templates_below(&of_all, &vars.with(["run".to_owned()]));
        self.headers(&of_all);
        for path in [["refusal", "type"], ["refusal", "message"]] {
            self.json_path(&NodePath::from(path));
        }
        self.rules_of_texts(&NodePath::from(["texts"]));
        for item in self.items(&NodePath::from(["refusal", "ignore"])) {
            self.json_path(&item);
        }
        for path in [["ids", "at"], ["ids", "never"]] {
            for item in self.items(&NodePath::from(path)) {
                self.compiles::<IdPath>(&item);
            }
        }
        for path in [&["outage"][..], &["background", "tables"]] {
            let path = path.iter().map(|key| Step::from(*key)).collect();
            for item in self.items(&path) {
                self.compiles::<Glob>(&item);
            }
        }
        self.verdicts(&NodePath::from(["verdicts"]));
        self.variables(&NodePath::from(["variables"]));
        for item in self.items(&NodePath::from(["coverage", "extra"])) {
            self.compiles::<OperationName>(&item);
        }
        self.exclusions(&NodePath::from(["coverage", "exclude"]));
        self.explanations(&NodePath::from(["sensitivity", "explained"]));
        self.levels(&NodePath::from(["levels"]));
        self.endpoints(&NodePath::from(["endpoints"]));
        self.columns(&NodePath::from(["background", "columns"]));
        self.databases();
        self.mistakes
    }

    /// Every key has to be a kind of drift or of findings.
    fn levels(&mut self, path: &NodePath) {
        let given = self.get(path).and_then(Json::as_object);
        let given: Vec<String> = given.into_iter().flat_map(Map::keys).cloned().collect();
        let known: Vec<String> = every_kind().map(|entry| entry.id.clone()).collect();
        for kind in given.iter().filter(|kind| !known.contains(kind)) {
            self.unknown(&path.join(kind.as_str()), "kind", kind, &known);
        }
    }

    /// Every key has to be a pattern.
    fn endpoints(&mut self, path: &NodePath) {
        let given = self.get(path).and_then(Json::as_object);
        let given: Vec<String> = given.into_iter().flat_map(Map::keys).cloned().collect();
        for pattern in given {
            let path = path.join(pattern.as_str());
            if let Err(error) = Glob::try_from(pattern) {
                self.at_key(&path, error.to_string(), None);
            }
        }
    }

    /// A default is drawn before there is anything that it could name.
    fn variables(&mut self, path: &NodePath) {
        for name in keys(object(self.get(path))) {
            let default = path.join(name.as_str()).join("default");
            self.templates_below(&default, &Names::default());
        }
    }

    /// Every text has to name a table and a column.
    fn columns(&mut self, path: &NodePath) {
        for item in self.items(path) {
            self.columns(&item);
        }
        if let Some(text) = self.text(path).filter(|text| !text.contains('.')) {
            let message = format!("{} is not a column", quoted(&text));
            let mistake = self.document.error_at(path, message);
            self.mistakes
                .push(mistake.help("write the table and the column, such as `tokens.seen_at`"));
        }
    }

    fn exclusions(&mut self, path: &NodePath) {
        for item in self.items(path) {
            let operation = item.join("operation");
            if let Some(text) = self.text(&operation)
                && !operations::is_pattern(&text)
            {
                let message = format!("{} is not an operation", quoted(&text));
                let mistake = self.document.error_at(&operation, message);
                self.mistakes
                    .push(mistake.help("write a method and a path, such as `GET /health*`"));
            }
            self.reason(&item.join("reason"), "say why nobody has to sweep it");
        }
    }

    fn explanations(&mut self, path: &NodePath) {
        for item in self.items(path) {
            self.reason(&item.join("because"), "say why no cell has to show it");
        }
    }

    fn reason(&mut self, path: &NodePath, remedy: &str) {
        if self.text(path).is_some_and(|text| text.trim().is_empty()) {
            let mistake = self.document.error_at(path, "the reason is empty");
            self.mistakes.push(mistake.help(remedy));
        }
    }

    fn world(mut self, world: &World) -> Diagnostics {
        for section in World::lacks(&world.own).filter(|_| world.included.is_empty()) {
            let message = format!("missing key `{section}`");
            let mistake = self.document.error_at(&NodePath::default(), message);
            self.mistakes.push(mistake);
        }
        for kind in keys(object(self.document.value().get("kinds"))) {
            self.kind(&kind);
        }
        for section in ["entities", "actors"] {
            for name in keys(object(self.document.value().get(section))) {
                self.member(section, &name);
            }
        }
        self.mistakes
    }

    fn kind(&mut self, kind: &str) {
        let path = NodePath::from(["kinds", kind]);
        let symbols = self.declared.symbols(kind).unwrap_or_default();
        let parameters = self.declared.parameters(kind).unwrap_or_default();
        let rows = self.declared.world().with(symbols.clone()).with(parameters);
        let symbols = Names::default()
            .with(symbols)
            .with(["run".to_owned(), "name".to_owned()]);
        let symbols = symbols.with(["vars".to_owned()]);
        for section in ["secrets", "symbols", "masks"] {
            self.templates_below(&path.join(section), &symbols);
        }
        let parameters = path.join("parameters");
        self.templates_below(&parameters, &self.declared.world());
        self.keys_of_values(&parameters, &self.declared.world());
        let own = rows.with(["name".to_owned()]);
        let captured = self.declared.captured(kind);
        let before = own.clone().before(captured.clone());
        self.templates_below(&path.join("rows"), &before);
        for row in self.items(&path.join("rows")) {
            self.keys_of_values(&row.join("values"), &before);
        }
        self.tables_of_rows(&path.join("rows"));
        self.steps(&path.join("setup"), &own, captured.as_ref());
        self.teardown(&path.join("teardown"), &own);
    }

    fn member(&mut self, section: &str, name: &str) {
        let path = NodePath::from([section, name]);
        if RESERVED.contains(&name) {
            let help = format!(
                "templates use {} for something else",
                list(RESERVED.into_iter())
            );
            self.at_key(&path, format!("the name `{name}` is taken"), Some(help));
        }
        self.kind_and_parameters(&path, &self.declared.world());
        self.auth(&path.join("auth"), &self.declared.cell(), Auth::Own);
        self.named(&path.join("outranks"), "actor", self.declared.actors);
        for item in self.items(&path.join("calls")) {
            if let Some(Err(error)) = self.text(&item).map(Pattern::try_from) {
                let mistake = self.document.error_at(&item, error.to_string());
                self.mistakes.push(mistake);
            }
        }
    }

    fn targets(mut self) -> Diagnostics {
        for name in keys(self.declared.targets) {
            self.kind_and_parameters(&NodePath::from(["targets", &name]), &self.declared.target());
        }
        self.mistakes
    }

    fn endpoint(mut self) -> Diagnostics {
        let value = self.document.value();
        self.named(
            &NodePath::from(["targets"]),
            "target",
            self.declared.targets,
        );
        self.request(&NodePath::from(["request"]), &self.declared.request(value));
        for name in keys(object(value.get("probes"))) {
            let (path, names) = (
                NodePath::from(["probes", &name]),
                self.declared.probes(value),
            );
            self.request(&path.join("request"), &names);
            self.auth(&path.join("auth"), &names, Auth::Borrowed);
        }
        let names = self.declared.set_up(value);
        self.steps(&NodePath::from(["setup"]), &names, None);
        self.teardown(&NodePath::from(["teardown"]), &names);
        self.pages(&NodePath::from(["pages"]));
        self.verdicts(&NodePath::from(["verdicts"]));
        self.fresh();
        for name in keys(object(value.get("capture"))) {
            self.capture(&NodePath::from(["capture", &name]));
        }
        self.mistakes
    }

    fn capture(&mut self, path: &NodePath) {
        self.known_kind(path);
        let Some(kind) = self.text(&path.join("kind")) else {
            return;
        };
        let from = path.join("from");
        for symbol in keys(object(self.get(&from))) {
            self.known_key(
                &from.join(symbol.as_str()),
                "symbol",
                &symbol,
                self.declared.symbols(&kind).as_ref(),
            );
            self.source(&from.join(symbol.as_str()));
        }
    }

    fn kind_and_parameters(&mut self, path: &NodePath, names: &Names) {
        self.known_kind(path);
        let with = path.join("with");
        self.templates_below(&with, names);
        self.keys_of_values(&with, names);
        let Some(kind) = self.text(&path.join("kind")) else {
            return;
        };
        if let Some(symbol) = self.declared.never_captured(&kind) {
            let message =
                format!("nothing gives the symbol `{symbol}` of the kind `{kind}` a value");
            let mistake = self.document.error_at(&path.join("kind"), message);
            self.mistakes.push(
                mistake.help("give it a template, or let a step of the kind's `setup` capture it"),
            );
        }
        for parameter in keys(object(self.get(&with))) {
            self.known_key(
                &with.join(parameter.as_str()),
                "parameter",
                &parameter,
                self.declared.parameters(&kind).as_ref(),
            );
        }
    }

    fn known_kind(&mut self, path: &NodePath) {
        let path = path.join("kind");
        let Some(kind) = self.text(&path) else { return };
        if let Some(known) = self.declared.kinds
            && !known.contains_key(&kind)
        {
            self.unknown(&path, "kind", &kind, &keys(Some(known)));
        }
    }

    /// Every text of a list must be one of `known`.
    fn named(&mut self, path: &NodePath, what: &str, known: Option<&Map<String, Json>>) {
        let Some(known) = known else { return };
        for item in self.items(path) {
            let Some(name) = self.text(&item) else {
                continue;
            };
            if !known.contains_key(&name) {
                self.unknown(&item, what, &name, &keys(Some(known)));
            }
        }
    }

    fn known_key(
        &mut self,
        path: &NodePath,
        what: &str,
        name: &str,
        known: Option<&BTreeSet<String>>,
    ) {
        if let Some(known) = known
            && !known.contains(name)
        {
            let help = did_you_mean(name, known.iter().map(String::as_str));
            self.at_key(path, format!("unknown {what} `{name}`"), help);
        }
    }

    fn unknown(&mut self, path: &NodePath, what: &str, name: &str, known: &[String]) {
        let help = did_you_mean(name, known.iter().map(String::as_str));
        self.mistakes.push(
            self.document
                .error_at(path, format!("unknown {what} `{name}`"))
                .maybe_help(help),
        );
    }

    fn at_key(&mut self, path: &NodePath, message: String, help: Option<String>) {
        self.mistakes
            .push(self.document.error_at_key(path, message).maybe_help(help));
    }

    fn json_path(&mut self, path: &NodePath) {
        self.compiles::<JsonPath>(path);
    }

    /// A text that has to compile.
    fn compiles<T: TryFrom<String, Error = CompileError>>(&mut self, path: &NodePath) {
        if let Some(Err(error)) = self.text(path).map(T::try_from) {
            let mistake = self.document.error_at(path, error.to_string());
            let help = error.help.map(str::to_owned);
            self.mistakes.push(mistake.maybe_help(help));
        }
    }

    /// Every text below `path` is a template whose names must be known.
    fn templates_below(&mut self, path: &NodePath, names: &Names) {
        match self.get(path) {
            Some(Json::String(text)) => self.template(path, &text.clone(), names),
            Some(Json::Array(items)) => {
                (0..items.len()).for_each(|index| self.templates_below(&path.join(index), names));
            }
            Some(Json::Object(map)) => {
                map.keys()
                    .cloned()
                    .collect::<Vec<_>>()
                    .iter()
                    .for_each(|key| self.templates_below(&path.join(key.as_str()), names));
            }
            _ => {}
        }
    }

    /// Every key below `path` is a template as well, wherever a document holds other maps: in bodies, queries, parameters,
    /// columns and claims.
    fn keys_below(&mut self, path: &NodePath, names: &Names) {
        for item in self.items(path) {
            self.keys_below(&item, names);
        }
        for key in keys(object(self.get(path))) {
            let below = path.join(key.as_str());
            self.template_at(&key, names, |document, message| {
                document.error_at_key(&below, message)
            });
            self.keys_below(&below, names);
        }
    }

    /// The same for each value of a map, whose own keys are names.
    fn keys_of_values(&mut self, path: &NodePath, names: &Names) {
        for key in keys(object(self.get(path))) {
            self.keys_below(&path.join(key.as_str()), names);
        }
    }

    fn template(&mut self, path: &NodePath, text: &str, names: &Names) {
        self.template_at(text, names, |document, message| {
            document.error_at(path, message)
        });
    }

    fn template_at(
        &mut self,
        text: &str,
        names: &Names,
        at: impl Fn(&Document, String) -> Diagnostic,
    ) {
        let used = match self.templates.names(text) {
            Ok(used) => used,
            Err(error) => {
                let mistake = at(self.document, error.to_string());
                return self.mistakes.push(mistake);
            }
        };
        for misuse in self.templates.misuses(text) {
            let mistake = at(self.document, misuse.to_string());
            self.mistakes.push(mistake.maybe_help(misuse.help));
        }
        for name in used.iter() {
            if names.is_later(name) {
                let message =
                    format!("`{name}` has no value yet: `setup` captures it, after the rows");
                let mistake = at(self.document, message);
                self.mistakes.push(mistake.help(
                    "give these rows to a kind of their own, and the value to its parameter",
                ));
            } else if let Err(known) = names.resolve(name) {
                let help = did_you_mean(name, known.iter().map(String::as_str));
                let mistake = at(self.document, format!("unknown symbol `{name}`"));
                self.mistakes.push(mistake.maybe_help(help));
            }
        }
    }

    fn get(&self, path: &NodePath) -> Option<&Json> {
        self.document.get(path)
    }

    /// The items of a list.
    fn items(&self, path: &NodePath) -> Vec<NodePath> {
        let items = self.get(path).and_then(Json::as_array).map_or(0, Vec::len);
        (0..items).map(|index| path.join(index)).collect()
    }

    fn text(&self, path: &NodePath) -> Option<String> {
        self.get(path)?.as_str().map(str::to_owned)
    }
}

fn keys(map: Option<&Map<String, Json>>) -> Vec<String> {
    map.into_iter()
        .flat_map(|map| map.keys().cloned())
        .collect()
}
