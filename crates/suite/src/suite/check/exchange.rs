//! Whether what is about HTTP fits together: steps, credentials, and where in an answer a value is.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Auth, Checker, keys};
use crate::diagnostic::quoted;
use crate::sendable::{is_media_type, of_base64};
use crate::suite::names::{Names, object};
use crate::suite::signed_names;
use crate::suite::{Css, Regex};
use crate::yaml::NodePath;

/// What of a credential is sent, but for headers, which can use the request.
pub(super) const ON_THE_WIRE: [&str; 6] = ["bearer", "basic", "cookies", "query", "digest", "aws"];

impl Checker<'_> {
    /// The steps of a setup; `captured` are the symbols that they can capture, where not everything goes.
    pub(super) fn steps(
        &mut self,
        path: &NodePath,
        names: &Names,
        captured: Option<&BTreeSet<String>>,
    ) {
        for step in self.items(path) {
            self.step(&step, names);
            let capture = step.join("capture");
            for symbol in keys(object(self.get(&capture))) {
                let path = capture.join(symbol.as_str());
                if captured.is_some_and(|captured| !captured.contains(&symbol)) {
                    let message = format!("`{symbol}` is not a symbol that can be captured");
                    let help = "declare it among the kind's secrets, symbols or masks, and without a template: `NAME: null`";
                    self.at_key(&path, message, Some(help.to_owned()));
                }
                self.source(&path);
            }
        }
    }

    /// The steps of a teardown, which capture nothing.
    pub(super) fn teardown(&mut self, path: &NodePath, names: &Names) {
        for step in self.items(path) {
            self.step(&step, names);
            let capture = step.join("capture");
            if self.get(&capture).is_some() {
                let help = "what is captured here comes too late for anybody; leave it out";
                self.at_key(
                    &capture,
                    "a teardown captures nothing".to_owned(),
                    Some(help.to_owned()),
                );
            }
        }
    }

    fn step(&mut self, step: &NodePath, names: &Names) {
        self.templates_below(&step.join("when"), names);
        self.exactly_one(step, &["request", "command"], "way to do the step");
        self.program_of_step(step, names);
        self.request(&step.join("request"), names);
        self.auth(&step.join("auth"), names, Auth::Borrowed);
        let answer = ["status", "body", "text"].map(str::to_owned);
        let answered = names.clone();
        let answered = answered.with_fields("answer", Some(answer.into_iter().collect()));
        self.templates_below(&step.join("poll").join("until"), &answered);
    }

    pub(super) fn request(&mut self, path: &NodePath, names: &Names) {
        self.templates_below(path, names);
        for key in ["query", "json", "form"] {
            self.keys_below(&path.join(key), names);
        }
        self.at_most_one(path, &["json", "form", "multipart", "raw"], "body");
        self.sendable(path);
        let url = path.join("url");
        if let (Some(name), Some(known)) = (self.text(&url), self.declared.urls.clone())
            && !known.contains(&name)
        {
            let known: Vec<String> = known.into_iter().collect();
            self.unknown(&url, "URL", &name, &known);
        }
        let raw = path.join("raw");
        self.content(&raw);
        let parts = path.join("multipart");
        for name in keys(object(self.get(&parts))) {
            let part = parts.join(name.as_str());
            self.content(&part);
        }
    }

    fn content(&mut self, path: &NodePath) {
        self.exactly_one(path, &["text", "base64"], "content");
        self.media_type(&path.join("type"));
        self.base64(&path.join("base64"));
    }

    /// What a template gives is known when it is rendered.
    fn base64(&mut self, path: &NodePath) {
        let text = self.text(path).filter(|text| !text.contains('{'));
        let Some(reason) = text.and_then(|text| of_base64(&text).err()) else {
            return;
        };
        let mistake = self
            .document
            .error_at(path, format!("this is not Base64: {reason}"));
        self.mistakes.push(mistake.help(
            "write it in the alphabet with `+` and `/`, padded with `=`, or give the content as `text`",
        ));
    }

    fn media_type(&mut self, path: &NodePath) {
        let Some(text) = self.text(path) else { return };
        if !is_media_type(&text) {
            let message = format!("{} is not a media type", quoted(&text));
            let mistake = self.document.error_at(path, message);
            self.mistakes
                .push(mistake.help("write one such as `text/plain`"));
        }
    }

    /// A credential on the wire.
    pub(super) fn auth(&mut self, path: &NodePath, names: &Names, whose: Auth) {
        let names = self.issued(path, names, whose);
        for key in ON_THE_WIRE {
            self.templates_below(&path.join(key), &names);
        }
        let mut of_request = names.clone();
        for (name, fields) in signed_names() {
            let fields = fields.iter().map(|field| (*field).to_owned());
            of_request = of_request.with_fields(name, Some(fields.collect()));
        }
        self.templates_below(&path.join("headers"), &of_request);
        let schemes = ["bearer", "basic", "digest", "aws"];
        self.at_most_one(path, &schemes, "`Authorization` header");
        self.at_most_one(path, &["login", "oauth2"], "login");
        self.certificate(path, &names);
        self.sendable_credential(path);
        self.borrowed(path, whose);
    }

    /// What is made for a credential; gives the names that its other keys can use.
    fn issued(&mut self, path: &NodePath, names: &Names, whose: Auth) -> Names {
        let (login, jwt) = (path.join("login"), path.join("jwt"));
        let mut known = names.clone();
        if self.get(&jwt).is_some() {
            // A token is signed for the actor, before there is a cell.
            let own = self.before_cells(names, whose);
            for key in ["key", "claims", "header"] {
                self.templates_below(&jwt.join(key), &own);
                self.keys_of_values(&jwt.join(key), &own);
            }
            known = known.with(["jwt".to_owned()]);
        }
        let own = self.before_cells(names, whose);
        known = self.oauth2(path, (known, &own), whose);
        known = self.program(path, (known, &own), whose);
        if self.get(&login).is_none() {
            return known;
        }
        self.of_an_actor(&login, ("log in", "login"), whose);
        self.request(&login.join("request"), &own);
        self.auth(&login.join("auth"), &own, Auth::Login);
        let lifetime = login.join("expires_in");
        if self.get(&lifetime).is_some_and(|it| !it.is_number()) {
            self.source(&lifetime);
        }
        let capture = login.join("capture");
        let captured = keys(object(self.get(&capture)));
        for name in &captured {
            self.source(&capture.join(name.as_str()));
        }
        self.is_used(path, &captured);
        known.with_fields("login", Some(captured.into_iter().collect()))
    }

    fn before_cells(&self, names: &Names, whose: Auth) -> Names {
        match whose {
            Auth::Own => self.declared.caller(),
            Auth::Borrowed | Auth::Login => names.clone(),
        }
    }

    /// Of several values nobody knows which one is the token, unless the credential says so.
    fn is_used(&mut self, path: &NodePath, captured: &[String]) {
        let parts = ON_THE_WIRE.iter().chain(&["headers"]);
        let is_bare = parts
            .clone()
            .all(|key| self.get(&path.join(*key)).is_none());
        if is_bare && captured.len() != 1 {
            let message = "nothing says which value of the login is sent, and how".to_owned();
            let help = "add `bearer`, `cookies` or `headers` with `{{ login.NAME }}`";
            self.at_key(&path.join("login"), message, Some(help.to_owned()));
        }
    }

    /// An actor whose credential it is.
    fn borrowed(&mut self, path: &NodePath, whose: Auth) {
        let actor = path.join("actor");
        let Some(name) = self.text(&actor) else {
            return;
        };
        if whose != Auth::Borrowed {
            let help = "write down what the actor itself sends".to_owned();
            let message = "an actor's credential is its own".to_owned();
            self.at_key(&actor, message, Some(help));
        } else if let Some(actors) = self.declared.actors
            && !actors.contains_key(&name)
        {
            self.unknown(&actor, "actor", &name, &keys(Some(actors)));
        }
    }

    /// How a paged answer is walked.
    pub(super) fn pages(&mut self, path: &NodePath) {
        self.exactly_one(
            path,
            &["total", "next", "items", "link"],
            "way to the next page",
        );
        self.json_path(&path.join("total"));
        self.json_path(&path.join("items"));
        if self.get(&path.join("next")).is_some() {
            self.source(&path.join("next"));
        }
        let has = |key| self.get(&path.join(key)).is_some();
        let (is_linked, is_queried) = (has("link"), has("query"));
        if self.get(path).is_some_and(Json::is_object) && is_linked == is_queried {
            let (message, help) = if is_linked {
                (
                    "a link says by itself which page is next",
                    "leave out `query`",
                )
            } else {
                let message = "no query parameter is named that takes the page";
                (message, "add `query: NAME`")
            };
            self.mistakes
                .push(self.document.error_at(path, message).help(help));
        }
    }

    /// A certificate needs its private key, and a key its certificate.
    pub(super) fn tls(&mut self, path: &NodePath, names: &Names) {
        self.templates_below(path, names);
        for (key, other) in [("certificate", "key"), ("key", "certificate")] {
            let given = self.get(&path.join(key)).is_some();
            if given && self.get(&path.join(other)).is_none() {
                let message = format!("`{key}` is given without `{other}`");
                self.at_key(&path.join(key), message, None);
            }
        }
    }

    /// How the service is reset. The last time comes when everything of the run is gone, so that nothing can be used
    /// that a run makes.
    pub(super) fn reset(&mut self, path: &NodePath, vars: &Names) {
        self.exactly_one(path, &["request", "command"], "way to reset the service");
        let names = vars.clone().with(["run".to_owned()]);
        self.request(&path.join("request"), &names);
        let (auth, expect) = (path.join("auth"), path.join("expect"));
        self.auth(&auth, &names, Auth::Borrowed);
        for key in [&auth, &expect] {
            if self.get(key).is_some() && self.get(&path.join("request")).is_none() {
                self.at_key(key, "only a request has it".to_owned(), None);
            }
        }
        let actor = auth.join("actor");
        if let Some(name) = self.text(&actor)
            && self.is_undone(&name)
        {
            let message =
                format!("`{name}` is undone before the service is reset for the last time");
            let help = "name an actor without a kind and a login, or give the credential itself";
            let mistake = self.document.error_at(&actor, message);
            self.mistakes.push(mistake.help(help));
        }
    }

    /// Whether an actor can call only while a run lasts.
    fn is_undone(&self, actor: &str) -> bool {
        let actor = self.declared.actors.and_then(|actors| actors.get(actor));
        let has = |path: &str| actor.is_some_and(|actor| actor.pointer(path).is_some());
        let issued = ["/auth/login", "/auth/oauth2", "/auth/command"];
        has("/kind") || issued.iter().any(|path| has(path))
    }

    /// Where in an answer a value is.
    pub(super) fn source(&mut self, path: &NodePath) {
        if self.get(path).is_some_and(Json::is_string) {
            return self.json_path(path);
        }
        let parts = ["json", "header", "cookie", "css", "body"];
        let has = |key: &str| self.get(&path.join(key)).is_some();
        let is_of_nothing = has("attribute") && !has("css");
        if !has("match") || parts.into_iter().any(has) {
            self.exactly_one(path, &parts, "part of the answer");
        }
        if is_of_nothing {
            let message = "`attribute` is one of an element that `css` finds".to_owned();
            self.at_key(&path.join("attribute"), message, None);
        }
        self.json_path(&path.join("json"));
        self.compiles::<Css>(&path.join("css"));
        self.compiles::<Regex>(&path.join("match"));
    }

    /// A map that has to have one of several keys.
    pub(super) fn exactly_one(&mut self, path: &NodePath, choices: &[&str], what: &str) {
        let Some(map) = self.get(path).and_then(Json::as_object) else {
            return;
        };
        let given: Vec<_> = choices
            .iter()
            .filter(|key| map.contains_key(**key))
            .collect();
        let message = match given.as_slice() {
            [_] => return,
            [] => format!("no {what} is named"),
            [first, second, ..] => format!("`{first}` and `{second}` cannot both be the {what}"),
        };
        let known: Vec<String> = choices.iter().map(|key| format!("`{key}`")).collect();
        let help = format!("give exactly one of {}", known.join(", "));
        self.mistakes
            .push(self.document.error_at(path, message).help(help));
    }

    /// A map that can have one of several keys.
    fn at_most_one(&mut self, path: &NodePath, choices: &[&str], what: &str) {
        let given = self.get(path).and_then(Json::as_object);
        if given.is_some_and(|map| choices.iter().any(|key| map.contains_key(*key))) {
            self.exactly_one(path, choices, what);
        }
    }
}
