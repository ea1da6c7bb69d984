//! The examples of the pages about bodies and credentials: each one is swept against a service, and the page shows what came.
//!
//! A section of a page (from one `##` to the next) is one example. What stands behind a fence says what a block is:
//!
//! | behind the fence | the block |
//! |---|---|
//! | `yaml FILE` | a file of the suite, or some keys of it |
//! | `sh FILE` | a program of the suite |
//! | `http answers WHO` | the answer to an actor, or to a request such as `POST /orders`; to everybody without `WHO` |
//! | `http request` | a request that the service got: these headers among others, and all of the body |
//! | `yaml record NAME` | consecutive lines of the record of an endpoint |
//! | `text prints` | consecutive lines of what `record` prints |
//! | `yaml mistake FILE` | a file in place of the one above, with which the tool prints the next `text` |
//!
//! A line `...` stands for any lines, and `...` at the end of a line for the rest of it.

mod bodies;
mod credentials;

use std::fs;
use std::io;
use std::net::TcpStream;

use super::page::{Block, blocks, matches};
use super::place::{Ended, Place, project};
use super::raw::{After, JSON, Raw, Request, respond};

/// What of a suite no page has to repeat.
const SUITE: &str = "name: shop
snapshots: snapshots
service: { ready: /health, timeout_s: 5, stream_s: 1 }
refusal: { message: $.error }
";

/// Alice and bob, each with a token and an identifier; an identifier is the same in each run, so that a page can show it.
const WORLD: &str = r#"kinds:
  person:
    secrets: { token: "{{ name }}-{{ random(20) }}" }
    symbols: { id: "{{ name }}-7f3a91c2" }
entities: {}
actors:
  alice: { kind: person, auth: { bearer: "{{ actor.token }}" } }
  bob: { kind: person, auth: { bearer: "{{ actor.token }}" } }
"#;

const TARGETS: &str = "targets: { it: {} }\n";

const ENDPOINT: &str =
    "request: { method: GET, path: /invoices, query: { year: 2026 } }\ntargets: [it]\n";

/// The value that a test gives the variable of a suite.
fn value_of(variable: &str) -> String {
    format!("{variable}-of-the-shop-7f3a91c2")
}

/// A section of a page.
struct Example<'a> {
    title: &'a str,
    blocks: Vec<Block<'a>>,
}

/// An answer that a page shows, to whom or to what.
struct Shown {
    to: String,
    status: u16,
    headers: String,
    body: String,
}

fn page(name: &str) -> String {
    fs::read_to_string(project().join("docs").join(name)).unwrap()
}

/// Sections without a block of a kind of ours are text alone.
fn examples(page: &str) -> Vec<Example<'_>> {
    let sections = page.split("\n## ").skip(1);
    let examples = sections.map(|section| Example {
        title: section.lines().next().unwrap(),
        blocks: blocks(section),
    });
    examples
        .filter(|example| !example.blocks.is_empty())
        .inspect(|example| {
            for block in &example.blocks {
                assert!(is_known(block.kind), "{}: `{}`", example.title, block.kind);
            }
        })
        .collect()
}

/// Whether a block is of a kind that is proved: with a slip of the pen it would be none.
fn is_known(kind: &str) -> bool {
    let known = ["yaml record", "http answers", "http request", "text prints"];
    let is_of = |known: &&str| {
        let rest = kind.strip_prefix(*known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    kind == "text"
        || file(kind).is_some()
        || kind.starts_with("yaml mistake ")
        || known.iter().any(is_of)
}

/// The name of a file of the suite.
fn file(kind: &str) -> Option<&str> {
    let file = kind
        .strip_prefix("yaml ")
        .or_else(|| kind.strip_prefix("sh "))?;
    [".yaml", ".sh"]
        .iter()
        .any(|ending| file.ends_with(ending))
        .then_some(file)
        .filter(|file| !file.contains(' '))
}

/// A default text with these keys in place of its own; they come first, so that an error has their lines.
fn merged(default: &str, given: &str) -> String {
    let is_key = |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase());
    let key = |line: &str| line.split(':').next().unwrap().to_owned();
    let keys: Vec<String> = given.lines().filter(|line| is_key(line)).map(key).collect();
    let mut text = given.to_owned();
    let mut is_kept = true;
    for line in default.lines() {
        if is_key(line) {
            is_kept = !keys.contains(&key(line));
        }
        if is_kept {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

impl Example<'_> {
    fn of_kind(&self, kind: &str) -> impl Iterator<Item = (&str, &str)> {
        self.blocks.iter().filter_map(move |block| {
            let rest = block.kind.strip_prefix(kind)?;
            (rest.is_empty() || rest.starts_with(' ')).then(|| (rest.trim(), block.text.as_str()))
        })
    }

    fn place(&self, service: &impl Service) -> Place {
        let files = service.files().into_iter();
        let mut place = files.fold(Place::empty(), |place, (name, text)| {
            place.write(&format!("shop/{name}"), &text)
        });
        place = place
            .write("shop/suite.yaml", SUITE)
            .write("shop/world.yaml", WORLD)
            .write("shop/targets.yaml", TARGETS);
        for block in &self.blocks {
            if let Some(name) = file(block.kind) {
                place = write(place, name, &block.text);
            }
        }
        if !place.path("shop/endpoints").exists() {
            place = place.write("shop/endpoints/invoices.yaml", ENDPOINT);
        }
        place
    }

    fn answers(&self) -> Vec<Shown> {
        let answers = self.of_kind("http answers");
        answers.map(|(to, text)| Shown::parse(to, text)).collect()
    }

    /// Sweeps the suite of the example, and says where the page shows something else than what came of it.
    fn prove(&self, service: &impl Service) -> Vec<String> {
        let place = self.place(service);
        let ended = run(&place, service);
        let records = self.of_kind("yaml record").map(|(name, text)| {
            let record = record(&place, name, &ended);
            self.shown("the record", text, &record)
        });
        let prints = self
            .of_kind("text prints")
            .map(|(_, text)| self.shown("what is printed", text, &ended.stdout));
        let mut shown: Vec<Option<String>> = records.chain(prints).collect();
        let asked = service.asked();
        shown.extend(self.of_kind("http request").map(|(_, text)| {
            let is_sent = asked.iter().any(|request| is_request(request, text));
            let title = self.title;
            let sent: Vec<_> = asked.iter().map(Request::to_string).collect();
            (!is_sent).then(|| format!("{title}: no request is\n{text}but\n{}", sent.join("\n")))
        }));
        shown.extend(self.mistakes(service));
        assert!(!shown.is_empty(), "{}: nothing is shown of it", self.title);
        shown.into_iter().flatten().collect()
    }

    /// What is wrong with an excerpt.
    fn shown(&self, what: &str, excerpt: &str, whole: &str) -> Option<String> {
        let all = format!("...\n{excerpt}...\n");
        let title = self.title;
        (!matches(&all, whole))
            .then(|| format!("{title}: {what} has no lines\n{excerpt}but is\n{whole}"))
    }

    /// Each mistake that the page shows, with what the tool says of it.
    fn mistakes(&self, service: &impl Service) -> Vec<Option<String>> {
        let pairs = self.blocks.iter().zip(self.blocks.iter().skip(1));
        let mistakes = pairs.filter_map(|(block, told)| {
            let name = block.kind.strip_prefix("yaml mistake ")?;
            assert_eq!(told.kind, "text", "{}", self.title);
            let place = write(self.place(service), name, &block.text);
            let ended = run(&place, service);
            assert_ne!(ended.code, Some(0), "{}: {ended:#?}", self.title);
            Some(self.shown("the error", &told.text, &ended.stderr))
        });
        mistakes.collect()
    }
}

/// Proves each example of a page, each against a service of its own.
fn prove_with<S>(name: &str, mut start: impl FnMut(&Example<'_>) -> S)
where
    S: Service,
{
    let page = page(name);
    let examples = examples(&page);
    assert!(!examples.is_empty(), "{name} has no example");
    let untrue = examples.iter().flat_map(|example| {
        let service = start(example);
        example.prove(&service)
    });
    let untrue: Vec<String> = untrue.collect();
    assert!(untrue.is_empty(), "{name}\n{}", untrue.join("\n"));
}

/// What a suite calls.
trait Service {
    fn url(&self) -> String;
    fn asked(&self) -> Vec<Request>;

    /// Files that the suite needs and no page shows, such as certificates.
    fn files(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The value of a variable that the suite gives none.
    fn variable(&self, name: &str) -> String {
        value_of(name)
    }
}

impl Service for Raw {
    fn url(&self) -> String {
        self.url()
    }

    fn asked(&self) -> Vec<Request> {
        self.asked()
    }
}

fn write(place: Place, name: &str, text: &str) -> Place {
    let text = match name {
        "suite.yaml" => merged(SUITE, text),
        "world.yaml" => merged(WORLD, text),
        _ => text.to_owned(),
    };
    place.write(&format!("shop/{name}"), &text)
}

/// With a value for each variable that the suite gives none.
fn run(place: &Place, service: &impl Service) -> Ended {
    let suite = fs::read_to_string(place.path("shop/suite.yaml")).unwrap();
    let given = suite
        .lines()
        .filter(|line| line.ends_with("{ secret: true }"));
    let given: Vec<String> = given
        .filter_map(|line| line.trim().split_once(':'))
        .flat_map(|(name, _)| {
            [
                "--var".to_owned(),
                format!("{name}={}", service.variable(name)),
            ]
        })
        .collect();
    let given: Vec<&str> = given.iter().map(String::as_str).collect();
    let url = service.url();
    let start = ["record", "shop", "--base-url", &url, "--reason", "so it is"];
    place.run(&[&start, given.as_slice()].concat())
}

/// The record of an endpoint, or the only one.
fn record(place: &Place, name: &str, ended: &Ended) -> String {
    let folder = fs::read_dir(place.path("shop/snapshots"));
    let Ok(folder) = folder else {
        panic!("nothing was recorded: {ended:#?}");
    };
    let files: Vec<_> = folder.map(|entry| entry.unwrap().path()).collect();
    let found = files.iter().find(|file| {
        name.is_empty() && files.len() == 1 || file.file_stem().unwrap().to_str() == Some(name)
    });
    let found = found.unwrap_or_else(|| panic!("no record `{name}` in {files:?}: {ended:#?}"));
    fs::read_to_string(found).unwrap()
}

/// Whether a request has this line, these headers, and this body if there is one.
fn is_request(request: &Request, text: &str) -> bool {
    let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
    let mut lines = head.lines();
    let is_equal = |shown: &str, sent: &str| match shown.strip_suffix("...") {
        Some(start) => sent.starts_with(start),
        None => shown == sent,
    };
    is_equal(lines.next().unwrap(), &request.line)
        && lines.all(|line| {
            let (name, shown) = line.split_once(": ").unwrap();
            let mut sent = request.headers.iter();
            sent.any(|(other, value)| *other == name.to_lowercase() && is_equal(shown, value))
        })
        && (body.is_empty() || matches(body, &request.body.replace("\r\n", "\n")))
}

impl Shown {
    fn parse(to: &str, text: &str) -> Self {
        let (head, body) = text.split_once("\n\n").unwrap_or((text, ""));
        let (line, headers) = head.split_once('\n').unwrap_or((head, ""));
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let headers = headers.lines().map(|line| format!("{line}\r\n"));
        let headers: String = headers.collect();
        // The empty line behind an event is a part of it, the end of the last line of a page none of an answer.
        let body = if headers.contains("event-stream") {
            body
        } else {
            body.strip_suffix('\n').unwrap_or(body)
        };
        Self {
            to: to.to_owned(),
            status,
            headers,
            body: body.to_owned(),
        }
    }

    fn is_to(&self, request: &Request) -> bool {
        let is_request = self.to.starts_with(|c: char| c.is_ascii_uppercase());
        let token = request
            .header("authorization")
            .and_then(|header| header.strip_prefix("Bearer "));
        self.to.is_empty()
            || is_request && request.line.starts_with(&format!("{} ", self.to))
            || !is_request && token.is_some_and(|token| token.starts_with(&format!("{}-", self.to)))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self
            .headers
            .lines()
            .filter_map(|line| line.split_once(": "));
        let found = headers.find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value)
    }
}

/// A service that answers what the page shows, as bytes that a function makes of it; whom the page shows no answer is refused.
fn shown_service(answers: Vec<Shown>, bytes: fn(&Shown) -> Vec<u8>) -> Raw {
    Raw::start(
        move |request: &Request, stream: &mut TcpStream| -> io::Result<After> {
            if request.path() == "/health" {
                return respond(stream, 200, "", "");
            }
            let of_request = answers.iter().filter(|answer| !answer.to.is_empty());
            let of_all = answers.iter().filter(|answer| answer.to.is_empty());
            match of_request
                .chain(of_all)
                .find(|answer| answer.is_to(request))
            {
                Some(answer) => respond(stream, answer.status, &answer.headers, bytes(answer)),
                None => respond(stream, 403, JSON, r#"{"error": "not yours"}"#),
            }
        },
    )
}

/// A page that no test names is proved by none.
#[test]
fn every_page_about_a_body_or_a_credential_is_named_by_a_test() {
    let tests = project().join("tests/cli");
    let tests = [tests.clone(), tests.join("reference")].map(|folder| {
        let files = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        let sources = files.filter(|file| file.is_file());
        sources
            .map(|file| fs::read_to_string(file).unwrap())
            .collect::<String>()
    });
    let tests = tests.concat();
    for folder in ["bodies", "credentials"] {
        for file in fs::read_dir(project().join("docs").join(folder)).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let name = format!("{folder}/{name}");
            assert!(tests.contains(&name), "no test names {name}");
        }
    }
}
