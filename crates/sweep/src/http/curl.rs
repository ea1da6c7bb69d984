//! A call as a command line that repeats it, without a value of the run.
//!
//! Every known value is a shell variable with the symbol's name: `<actor.key>` is `$ACTOR_KEY`. What of a credential no
//! symbol explains could be a secret in another form, so that it becomes a variable too.

use percent_encoding::{AsciiSet, utf8_percent_encode};
use serde_json::Value as Json;

use super::{Call, Content, NamedPart, Payload, target};
use crate::credential::Signer;
use crate::symbols::{Namer, Piece, View};

/// What a client encodes in a path, and the brackets that `curl` would expand.
const IN_PATH: &AsciiSet = &target::IN_PATH.add(b'[').add(b']');

/// Where a service listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listens {
    /// At an address with a port.
    OnAddress,
    /// On a socket of the file system.
    OnSocket,
}

impl Call {
    /// The command line, for a shell in which the variables are set. A service that listens on a socket has its path in place of
    /// a URL.
    #[must_use]
    pub fn curl(&self, namer: &Namer, view: View<'_>, listens: Listens) -> String {
        let word = |text: &str| Word::of(namer.pieces(text, view));
        let mut parts = vec!["curl".to_owned()];
        self.write_method(&mut parts);
        let path = match self.path.as_str() {
            "*" => {
                parts.push("--request-target '*'".to_owned());
                Word::default()
            }
            path => word(path),
        };
        if has_dots(&self.path) {
            parts.push("--path-as-is".to_owned());
        }
        let base = match listens {
            Listens::OnAddress => Word::variable(&self.variable("url", "base_url")),
            Listens::OnSocket => {
                let socket = Word::variable(&self.variable("socket", "socket"));
                parts.push(format!("--unix-socket {}", socket.quoted()));
                Word::text("http://localhost")
            }
        };
        let url = base.then(path.map_text(in_path));
        parts.push(url.quoted());
        for (name, value) in &self.query {
            let pair = Word::text(&format!("{name}=")).then(word(value));
            parts.push(format!("--url-query {}", pair.quoted()));
        }
        for (name, value) in &self.credential.query {
            let value = veiled(name, word(value));
            let pair = Word::text(&format!("{name}=")).then(value);
            parts.push(format!("--url-query {}", pair.quoted()));
        }
        for (name, value) in &self.credential.headers {
            let value = veiled(name, word(value));
            parts.push(header(name, value));
        }
        for signer in &self.credential.signers {
            write_signer(&mut parts, signer, &word);
        }
        if self.credential.caller.certificate.is_some() {
            for (option, name) in [("--cert", "certificate"), ("--key", "key")] {
                let file = Word::variable(&format!("actor.{name}"));
                parts.push(format!("{option} {}", file.quoted()));
            }
        }
        for (name, value) in &self.headers {
            parts.push(header(name, word(value)));
        }
        self.write_body(&mut parts, &word);
        parts.join(" ")
    }

    fn write_method(&self, parts: &mut Vec<String>) {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        match self.method.as_str() {
            "GET" => {}
            // With the method alone it would wait for a body.
            "HEAD" => parts.push("--head".to_owned()),
            name if name.chars().all(is_plain) => parts.push(format!("-X {name}")),
            name => parts.push(format!("-X {}", Word::text(name).quoted())),
        }
    }

    /// What has this of the service that the call goes to; of the main one under a name of its own.
    fn variable(&self, what: &str, of_main: &str) -> String {
        match &self.url {
            Some(name) => format!("{name}_{what}"),
            None => of_main.to_owned(),
        }
    }

    fn write_body(&self, parts: &mut Vec<String>, word: &impl Fn(&str) -> Word) {
        match &self.body {
            Payload::Nothing => {}
            Payload::Json(json) => {
                let mut body = Word::default();
                write_json(&mut body, json, word);
                parts.push(format!("--json {}", body.quoted()));
            }
            Payload::Form(pairs) => parts.extend(pairs.iter().map(|(name, value)| {
                let pair = Word::text(&format!("{name}=")).then(word(value));
                format!("--data-urlencode {}", pair.quoted())
            })),
            Payload::Parts(all) => parts.extend(all.iter().map(|part| form_part(part, word))),
            Payload::Raw(content) => {
                let media_type = content.media_type.as_deref().unwrap_or_default();
                let is_given =
                    |(name, _): &(String, String)| name.eq_ignore_ascii_case("content-type");
                if !self.headers.iter().any(is_given) {
                    parts.push(header("content-type", word(media_type)));
                }
                parts.push(format!(
                    "--data-binary {}",
                    content_word(content, word).quoted()
                ));
            }
        }
    }
}

/// What makes a part of a credential of the request: `curl` does so too, but for headers of the suite's own.
fn write_signer(parts: &mut Vec<String>, signer: &Signer, word: &impl Fn(&str) -> Word) {
    let mut user = |name: &str, name_of, secret: &str, secret_of| {
        let pair = veiled(name_of, word(name)).then(Word::text(":"));
        let pair = pair.then(veiled(secret_of, word(secret)));
        parts.push(format!("-u {}", pair.quoted()));
    };
    match signer {
        Signer::Headers(_) => {
            let names = signer.names().into_iter();
            parts.extend(names.map(|name| header(name, Word::variable(&format!("actor.{name}")))));
        }
        Signer::Digest(login) => {
            user(&login.username, "username", &login.password, "password");
            parts.push("--digest".to_owned());
        }
        Signer::Aws(keys) => {
            user(
                &keys.access_key,
                "access_key",
                &keys.secret_key,
                "secret_key",
            );
            let scope = format!("aws:amz:{}:{}", keys.region, keys.service);
            parts.push(format!("--aws-sigv4 {}", word(&scope).quoted()));
            if keys.session_token.is_some() {
                let token = Word::variable("actor.session_token");
                parts.push(header("x-amz-security-token", token));
            }
        }
    }
}

/// One part of a body: a field, or a file whose content stands in the command line.
fn form_part(part: &NamedPart, word: &impl Fn(&str) -> Word) -> String {
    let mut text = Word::text(&format!("{}=", part.name));
    text.extend(content_word(&part.content, word));
    if part.file.is_none() && part.content.media_type.is_none() {
        return format!("--form-string {}", text.quoted());
    }
    if let Some(name) = &part.file {
        text.push(";filename=");
        text.extend(word(name));
    }
    if let Some(media_type) = &part.content.media_type {
        text.push(&format!(";type={media_type}"));
    }
    format!("-F {}", text.quoted())
}

/// A text; of bytes that are none, only a name of a file that would have to hold them.
fn content_word(content: &Content, word: &impl Fn(&str) -> Word) -> Word {
    match content.text() {
        Some(text) => word(text),
        None => Word::text("@body"),
    }
}

/// Whether a part of a path is one or two points, encoded or not, which `curl` would take for a way.
fn has_dots(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    path.split('/').any(|part| {
        let part = part.to_ascii_lowercase().replace("%2e", ".");
        part == "." || part == ".."
    })
}

fn in_path(text: &str) -> String {
    utf8_percent_encode(text, IN_PATH).to_string()
}

fn header(name: &str, value: Word) -> String {
    let line = Word::text(&format!("{name}: ")).then(value);
    format!("-H {}", line.quoted())
}

/// A credential of which symbols explain everything but the scheme, or a variable in its place.
fn veiled(name: &str, value: Word) -> Word {
    let is_scheme = |text: &str| {
        let scheme = text.strip_suffix(' ');
        scheme.is_some_and(|word| word.chars().all(|c| c.is_ascii_alphabetic()))
    };
    match value.0.as_slice() {
        [Part::Variable(_)] => value,
        [Part::Text(text), Part::Variable(_)] if is_scheme(text) => value,
        _ => Word::variable(&format!("actor.{name}")),
    }
}

/// JSON as it is sent, with the values inside its texts named: an escaped value would not be recognised.
fn write_json(out: &mut Word, json: &Json, named: &impl Fn(&str) -> Word) {
    match json {
        Json::Array(items) => {
            out.push("[");
            for (n, item) in items.iter().enumerate() {
                out.push(if n == 0 { "" } else { ", " });
                write_json(out, item, named);
            }
            out.push("]");
        }
        Json::Object(members) => {
            out.push("{");
            for (n, (name, value)) in members.iter().enumerate() {
                out.push(if n == 0 { "" } else { ", " });
                write_text(out, named(name));
                out.push(": ");
                write_json(out, value, named);
            }
            out.push("}");
        }
        Json::String(text) => write_text(out, named(text)),
        other => out.extend(named(&other.to_string())),
    }
}

fn write_text(out: &mut Word, text: Word) {
    let escaped = |text: &str| {
        let quoted = Json::from(text).to_string();
        let inner = quoted.strip_prefix('"');
        let inner = inner.and_then(|text| text.strip_suffix('"'));
        inner.unwrap_or_default().to_owned()
    };
    out.push("\"");
    out.extend(text.map_text(escaped));
    out.push("\"");
}

/// One word of a command line.
#[derive(Default)]
struct Word(Vec<Part>);

enum Part {
    Text(String),
    Variable(String),
}

impl Word {
    fn of(pieces: Vec<Piece<'_>>) -> Self {
        let part = |piece| match piece {
            Piece::Text(text) => Part::Text(text.to_owned()),
            Piece::Symbol { name, .. } => Part::Variable(variable(&name)),
        };
        Self(pieces.into_iter().map(part).collect())
    }

    fn text(text: &str) -> Self {
        Self(vec![Part::Text(text.to_owned())])
    }

    fn variable(name: &str) -> Self {
        Self(vec![Part::Variable(variable(name))])
    }

    fn then(mut self, other: Self) -> Self {
        self.extend(other);
        self
    }

    fn push(&mut self, text: &str) {
        match self.0.last_mut() {
            Some(Part::Text(before)) => before.push_str(text),
            _ => self.0.push(Part::Text(text.to_owned())),
        }
    }

    fn extend(&mut self, other: Self) {
        for part in other.0 {
            match part {
                Part::Text(text) => self.push(&text),
                variable @ Part::Variable(_) => self.0.push(variable),
            }
        }
    }

    fn map_text(self, change: impl Fn(&str) -> String) -> Self {
        let part = |part| match part {
            Part::Text(text) => Part::Text(change(&text)),
            variable @ Part::Variable(_) => variable,
        };
        Self(self.0.into_iter().map(part).collect())
    }

    /// The word as a shell reads it: in double quotes where nothing in it means something there, else each part in
    /// quotes of its own.
    fn quoted(&self) -> String {
        let is_plain = |part: &Part| match part {
            Part::Text(text) => !text.contains(['"', '$', '`', '\\', '!']),
            Part::Variable(_) => true,
        };
        let has_variable = self.0.iter().any(|part| matches!(part, Part::Variable(_)));
        if has_variable && self.0.iter().all(is_plain) {
            return format!("\"{}\"", self.expanded());
        }
        self.0.iter().map(Part::quoted).collect()
    }

    fn expanded(&self) -> String {
        let nexts = self.0.iter().skip(1).map(Some).chain([None]);
        let part = |(part, next): (&Part, Option<&Part>)| match part {
            Part::Text(text) => text.clone(),
            Part::Variable(name) if next.is_some_and(Part::goes_on) => format!("${{{name}}}"),
            Part::Variable(name) => format!("${name}"),
        };
        self.0.iter().zip(nexts).map(part).collect()
    }
}

impl Part {
    fn quoted(&self) -> String {
        match self {
            Self::Text(text) => format!("'{}'", text.replace('\'', r"'\''")),
            Self::Variable(name) => format!("\"${name}\""),
        }
    }

    /// Whether a variable's name before it would go on into it.
    fn goes_on(&self) -> bool {
        match self {
            Self::Text(text) => text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_'),
            Self::Variable(_) => false,
        }
    }
}

/// The shell variable of a symbol.
fn variable(symbol: &str) -> String {
    let word = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    symbol.to_ascii_uppercase().chars().map(word).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::http::Presented;
    use crate::symbols::Registry;
    use authz_pin_suite::suite::Method;
    use authz_pin_suite::world::{Class, Field, Instance};

    fn call(credential: &str, json: Option<Json>) -> Call {
        Call {
            method: Method::Post,
            url: None,
            template: "/key/update".to_owned(),
            path: "/key/update".to_owned(),
            query: Vec::new(),
            credential: Presented::by(
                "",
                vec![("authorization".to_owned(), credential.to_owned())],
            ),
            headers: Vec::new(),
            body: json.map(Payload::Json).unwrap_or_default(),
            origin: None,
        }
    }

    fn curl(call: &Call) -> String {
        let field = Field {
            value: "sk-1\"2".to_owned(),
            class: Class::Secret,
        };
        let mut target = Instance::default();
        target.fields.insert("key".to_owned(), field);
        let mut registry = Registry::default();
        registry.add_cell_entity(0, "target", &target);
        let view = View { cell: 0, actor: "" };
        call.curl(&registry.build(), view, Listens::OnAddress)
    }

    #[test]
    fn every_known_value_is_a_variable_also_where_json_escapes_it() {
        let json = json!({"key": "sk-1\"2", "note": "it's $5", "n": [1, null]});
        insta::assert_snapshot!(
            curl(&call("Bearer sk-1\"2", Some(json))),
            @r#"curl -X POST "$BASE_URL/key/update" -H "authorization: Bearer $TARGET_KEY" --json '{"key": "'"$TARGET_KEY"'", "note": "it'\''s $5", "n": [1, null]}'"#
        );
    }

    #[test]
    fn what_no_symbol_explains_of_a_credential_is_a_variable() {
        for credential in ["Basic c2stMTIK", "sk-1\"2:c2stMTIK", "c2stMTIK sk-1\"2"] {
            let line = curl(&call(credential, None));
            let expected =
                r#"curl -X POST "$BASE_URL/key/update" -H "authorization: $ACTOR_AUTHORIZATION""#;
            assert_eq!(line, expected);
        }
    }

    #[test]
    fn a_variable_ends_where_its_name_does() {
        let call = Call {
            method: Method::Get,
            path: "/key/sk-1\"2_x/[all things]".to_owned(),
            query: vec![("of".to_owned(), "a b&c".to_owned())],
            credential: Presented::default(),
            ..call("", None)
        };
        insta::assert_snapshot!(
            curl(&call),
            @r#"curl "$BASE_URL/key/${TARGET_KEY}_x/%5Ball%20things%5D" --url-query 'of=a b&c'"#
        );
    }

    #[test]
    fn a_path_and_a_method_are_repeated_as_they_are() {
        let line = |method: &str, path: &str| {
            curl(&Call {
                method: method.to_owned().try_into().unwrap(),
                path: path.to_owned(),
                credential: Presented::default(),
                ..call("", None)
            })
        };
        insta::assert_snapshot!(line("HEAD", "//a"), @r#"curl --head "$BASE_URL//a""#);
        insta::assert_snapshot!(line("PURGE", "/a/%2E%2e/b"), @r#"curl -X PURGE --path-as-is "$BASE_URL/a/%2E%2e/b""#);
        insta::assert_snapshot!(line("OPTIONS", "*"), @r#"curl -X OPTIONS --request-target '*' "$BASE_URL""#);
        insta::assert_snapshot!(line("A'B", "/a..b"), @r#"curl -X 'A'\''B' "$BASE_URL/a..b""#);
    }

    fn with(body: Payload) -> String {
        let call = Call {
            credential: Presented::default(),
            body,
            ..call("", None)
        };
        curl(&call)
    }

    fn content(media_type: Option<&str>, bytes: &[u8]) -> Content {
        Content {
            media_type: media_type.map(str::to_owned),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn a_body_is_written_as_it_is_sent() {
        let pairs = vec![("key".to_owned(), "sk-1\"2".to_owned())];
        insta::assert_snapshot!(with(Payload::Form(pairs)), @r#"curl -X POST "$BASE_URL/key/update" --data-urlencode "key=$TARGET_KEY""#);
        let part = |name: &str, file: Option<&str>, content| NamedPart {
            name: name.to_owned(),
            file: file.map(str::to_owned),
            content,
        };
        let parts = vec![
            part("key", None, content(None, b"sk-1\"2")),
            part(
                "note",
                Some("n.txt"),
                content(Some("text/plain"), b"of sk-1\"2"),
            ),
            part("image", Some("i.png"), content(None, &[0, 255])),
        ];
        insta::assert_snapshot!(with(Payload::Parts(parts)), @r#"curl -X POST "$BASE_URL/key/update" --form-string "key=$TARGET_KEY" -F "note=of $TARGET_KEY;filename=n.txt;type=text/plain" -F 'image=@body;filename=i.png'"#);
        let raw = content(Some("application/xml"), b"<a>sk-1\"2</a>");
        insta::assert_snapshot!(with(Payload::Raw(raw)), @r#"curl -X POST "$BASE_URL/key/update" -H 'content-type: application/xml' --data-binary "<a>$TARGET_KEY</a>""#);
    }

    #[test]
    fn a_shell_reads_the_line_as_it_is_meant() {
        let json = json!({"a": "it's \"$HOME\" `id` \\ !", "key": "sk-1\"2"});
        let line = curl(&call("Bearer sk-1\"2", Some(json))).replacen("curl", "printf '%s\\n'", 1);
        let mut shell = std::process::Command::new("sh");
        shell.args(["-c", &line]).env("BASE_URL", "base");
        let output = shell.env("TARGET_KEY", "K").output().unwrap();
        let words = String::from_utf8(output.stdout).unwrap();
        let expected = r#"{"a": "it's \"$HOME\" `id` \\ !", "key": "K"}"#;
        assert_eq!(
            words.lines().collect::<Vec<_>>(),
            [
                "-X",
                "POST",
                "base/key/update",
                "-H",
                "authorization: Bearer K",
                "--json",
                expected
            ]
        );
    }
}
