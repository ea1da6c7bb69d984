//! Whether what is about kinds of credentials fits together.

use std::collections::BTreeSet;

use super::{Auth, Checker, keys};
use crate::suite::names::{Names, object};
use crate::yaml::NodePath;

/// What each grant of a token needs.
const GRANTS: [(&str, &[&str]); 3] = [
    ("client_credentials", &["client_secret"]),
    ("password", &["username", "password"]),
    ("refresh_token", &["refresh_token"]),
];

impl Checker<'_> {
    /// A certificate is presented before there is a request, and that of an actor before there is a cell.
    pub(super) fn certificate(&mut self, path: &NodePath, names: &Names) {
        let certificate = path.join("certificate");
        self.templates_below(&certificate, names);
    }

    /// A token of OAuth 2.0; gives the names that the credential's other keys can use.
    pub(super) fn oauth2(
        &mut self,
        path: &NodePath,
        (known, own): (Names, &Names),
        whose: Auth,
    ) -> Names {
        let oauth2 = path.join("oauth2");
        if self.get(&oauth2).is_none() {
            return known;
        }
        self.of_an_actor(&oauth2, ("log in", "token"), whose);
        for key in [
            "client_id",
            "client_secret",
            "username",
            "password",
            "refresh_token",
            "scope",
            "parameters",
        ] {
            self.templates_below(&oauth2.join(key), own);
        }
        self.token_url(&oauth2.join("token_url"), own);
        let grant = self.text(&oauth2.join("grant"));
        let grant = grant.unwrap_or_else(|| GRANTS[0].0.to_owned());
        let needed = GRANTS.iter().filter(|(name, _)| *name == grant);
        for key in needed.flat_map(|(_, keys)| *keys) {
            if self.get(&oauth2.join(*key)).is_none() {
                let message = format!("the grant `{grant}` needs `{key}`");
                self.at_key(&oauth2, message, Some(format!("add `{key}: ...`")));
            }
        }
        let given = ["access_token".to_owned(), "refresh_token".to_owned()];
        known.with_fields("login", Some(BTreeSet::from(given)))
    }

    /// A path of the service, or a URL that is known before anything of the run is made.
    fn token_url(&mut self, path: &NodePath, own: &Names) {
        let Some(text) = self.text(path) else { return };
        if text.starts_with('/') {
            return self.templates_below(path, own);
        }
        let vars = self.declared.vars();
        self.templates_below(path, &vars);
        if !text.starts_with("http") && !text.starts_with("{{") {
            let message = "this is neither a path nor a URL".to_owned();
            let help = "write `/PATH` for one of the service, or `https://HOST/PATH`".to_owned();
            self.at_key(path, message, Some(help));
        }
    }

    /// A program that gives a credential; gives the names that the credential's other keys can use.
    pub(super) fn program(
        &mut self,
        path: &NodePath,
        (known, own): (Names, &Names),
        whose: Auth,
    ) -> Names {
        let command = path.join("command");
        if self.get(&command).is_none() {
            return known;
        }
        self.of_an_actor(&command, ("have a command", "command"), whose);
        self.templates_below(&command.join("environment"), own);
        // What it prints is seen when it is run.
        known.with(["command".to_owned()])
    }

    /// A program in place of a request: it has no credential, and nothing that is asked again.
    pub(super) fn program_of_step(&mut self, step: &NodePath, names: &Names) {
        let command = step.join("command");
        if self.get(&command).is_none() {
            return;
        }
        self.templates_below(&command.join("environment"), names);
        for key in ["auth", "expect", "poll"] {
            if self.get(&step.join(key)).is_some() {
                self.at_key(&step.join(key), "only a request has it".to_owned(), None);
            }
        }
        let capture = step.join("capture");
        for name in keys(object(self.get(&capture))) {
            let source = capture.join(name.as_str());
            for key in ["header", "cookie"] {
                if self.get(&source.join(key)).is_some() {
                    let message = format!("what a command prints has no {key}");
                    let help = "give the JSON path of the value: `$.NAME`".to_owned();
                    self.at_key(&source.join(key), message, Some(help));
                }
            }
        }
    }

    pub(super) fn of_an_actor(
        &mut self,
        path: &NodePath,
        (what, thing): (&str, &str),
        whose: Auth,
    ) {
        if whose != Auth::Own {
            let help = format!(
                "give the {thing} to an actor, and name it here: `auth: {{ actor: NAME }}`"
            );
            let message = format!("only an actor can {what}");
            self.at_key(path, message, Some(help));
        }
    }
}
