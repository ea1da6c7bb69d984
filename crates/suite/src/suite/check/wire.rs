//! Whether what a suite has for paths, headers and cookies can be sent. What templates make of values is seen when they are
//! rendered.

use super::{Checker, keys};
use crate::diagnostic::Diagnostic;
use crate::sendable::{
    Unsendable, check_beginning, check_cookie, check_header, check_path, check_username,
};
use crate::suite::Method;
use crate::suite::names::object;
use crate::template::Templates;
use crate::yaml::{NodePath, Step};

impl Checker<'_> {
    /// The method, the path and the headers of a request.
    pub(super) fn sendable(&mut self, path: &NodePath) {
        let method = path.join("method");
        let known = self.text(&method).map(Method::try_from);
        if let Some(Err(error)) = &known {
            let mistake = self.document.error_at(&method, error.to_string());
            self.mistakes.push(mistake.maybe_help(error.help.clone()));
        }
        let is_options = matches!(known, Some(Ok(method)) if method.is_options());
        self.path(&path.join("path"), is_options);
        self.headers(&path.join("headers"));
    }

    fn path(&mut self, path: &NodePath, is_options: bool) {
        let Some(text) = self.text(path) else { return };
        let literals = Templates::literals(&text);
        let mut checked = literals.iter().try_for_each(|literal| check_path(literal));
        if !text.starts_with('{') {
            checked = checked.and_then(|()| check_beginning(&text, is_options));
        }
        self.sent(path, checked);
    }

    /// A path that is no template.
    pub(super) fn plain_path(&mut self, path: &NodePath) {
        let Some(text) = self.text(path) else { return };
        self.sent(
            path,
            check_path(&text).and_then(|()| check_beginning(&text, false)),
        );
    }

    fn sent(&mut self, path: &NodePath, checked: Result<(), Unsendable>) {
        if let Err(Unsendable { reason, help }) = checked {
            let mistake = self.document.error_at(path, reason);
            self.mistakes.push(mistake.help(help));
        }
    }

    /// The headers below a key.
    pub(super) fn headers(&mut self, path: &NodePath) {
        self.values(path, check_header);
    }

    /// The headers and the cookies of a credential.
    pub(super) fn sendable_credential(&mut self, path: &NodePath) {
        self.headers(&path.join("headers"));
        self.values(&path.join("cookies"), check_cookie);
        let of_authorization: [(&[&str], Check); 3] = [
            (&["bearer"], check_header),
            (&["basic", "username"], check_username),
            (&["digest", "username"], check_header),
        ];
        for (keys, check) in of_authorization {
            let path = keys.iter().fold(path.clone(), |path, key| path.join(*key));
            if let Some(text) = self.text(&path) {
                self.value(&path, "authorization", &text, check);
            }
        }
    }

    /// Every value of a map, or of a list in it, and its key.
    fn values(&mut self, path: &NodePath, check: Check) {
        for name in keys(object(self.get(path))) {
            let path = path.join(name.as_str());
            if let Some(text) = self.text(&path) {
                self.value(&path, &name, &text, check);
            }
            for item in self.items(&path) {
                let text = self.text(&item).unwrap_or_default();
                self.value(&item, &name, &text, check);
            }
        }
    }

    fn value(&mut self, path: &NodePath, name: &str, text: &str, check: Check) {
        // A blank at an end of a literal is one within the value, where an expression stands beside it.
        let literals = Templates::literals(text);
        let is_whole = literals == [text];
        let checked = literals.iter().try_for_each(|literal| {
            let literal = if is_whole {
                literal
            } else {
                literal.trim_matches(' ')
            };
            check(name, literal)
        });
        let checked = checked.and_then(|()| check(name, ""));
        if let Err(Unsendable { reason, help }) = checked {
            let mistake = self.hidden_at(path, &reason);
            self.mistakes.push(mistake.help(help));
        }
    }

    /// A mistake in a value that may be a secret, so that its line is not shown; whose it is stands in the message.
    fn hidden_at(&self, path: &NodePath, reason: &str) -> Diagnostic {
        let document = self.document;
        let whose = match path.steps() {
            [Step::Key(section), Step::Key(name), ..] if section == "actors" => {
                format!("actor `{name}`: ")
            }
            [Step::Key(section), Step::Key(name), ..] if section == "kinds" => {
                format!("kind `{name}`: ")
            }
            _ => String::new(),
        };
        let mistake = Diagnostic::new(document.file(), format!("{whose}{reason}"));
        match document.position(path) {
            Some(position) => mistake.at(position),
            None => mistake,
        }
    }
}

/// Why a header or a cookie of that name cannot have that value.
type Check = fn(&str, &str) -> Result<(), Unsendable>;
