//! Kinds of credentials, each against a service that verifies it: whoever shows none or a wrong one is refused, and what
//! opens to a stranger is widened.

use std::collections::BTreeMap;
use std::io;
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::place::{Ended, Place};
use super::raw::{After, JSON, Raw, Request, respond};

/// What only a member knows, and what a stranger does.
const MEMBER: &str = "m3mber-s3cret-of-the-suite";
const STRANGER: &str = "str4nger-s3cret-of-the-suite";

/// What came of a request's credential.
enum Seen {
    /// It is of somebody of this name.
    Known(&'static str),
    /// It is none, or a wrong one; with headers that ask for one.
    Nobody(String),
    /// The service answered already.
    Answered,
}

fn nobody() -> Seen {
    Seen::Nobody(String::new())
}

/// Who has this secret.
fn of_secret(secret: &str) -> Seen {
    match secret {
        MEMBER => Seen::Known("member"),
        STRANGER => Seen::Known("stranger"),
        _ => nobody(),
    }
}

fn each() -> [(&'static str, &'static str); 2] {
    [("member", MEMBER), ("stranger", STRANGER)]
}

/// A service with a suite that calls it.
struct Vault {
    service: Raw,
    place: Place,
    is_open: Arc<AtomicBool>,
}

const SUITE: &str = "name: vault
snapshots: snapshots
service: { ready: /health, settle_ms: 0 }
variables:
  member: { secret: true }
  stranger: { secret: true }
refusal: { message: $.error }
";

impl Vault {
    /// Whose actors have this credential, with `SECRET` in place of the template of their secret.
    fn new(
        auth: &str,
        verify: impl Fn(&Request, &mut TcpStream) -> io::Result<Seen> + Send + Sync + 'static,
    ) -> Self {
        let is_open = Arc::new(AtomicBool::new(false));
        let opened = Arc::clone(&is_open);
        let answer = move |request: &Request, stream: &mut TcpStream| {
            if request.path() == "/health" {
                return respond(stream, 200, "", "");
            }
            // What was asked for is a part of the answer, with all that stands in it.
            let echo = |error: &str| {
                serde_json::json!({"error": error, "self": request.path()}).to_string()
            };
            match verify(request, stream)? {
                Seen::Answered => Ok(After::Keep),
                Seen::Known("member") => respond(stream, 200, JSON, echo("")),
                Seen::Known(_) if opened.load(Ordering::SeqCst) => {
                    respond(stream, 200, JSON, echo(""))
                }
                Seen::Known(_) => respond(stream, 403, JSON, echo("not yours")),
                Seen::Nobody(headers) => respond(
                    stream,
                    401,
                    &format!("{JSON}{headers}"),
                    echo("who are you"),
                ),
            }
        };
        let actor = |name: &str| {
            let auth = auth.replace("SECRET", &format!("{{{{ vars.{name} }}}}"));
            format!(
                "  {name}:\n    auth:\n      {}\n",
                auth.replace('\n', "\n      ")
            )
        };
        let wrong = auth.replace("SECRET", "wrong {{ vars.member }}");
        let world = format!(
            "kinds:\n  thing: {{}}\nentities: {{}}\nactors:\n{}{}  forger:\n    auth:\n      {}\n  anonymous: {{}}\n",
            actor("member"),
            actor("stranger"),
            wrong.replace('\n', "\n      "),
        );
        let place = Place::empty()
            .write("vault/suite.yaml", SUITE)
            .write("vault/world.yaml", &world)
            .write("vault/targets.yaml", "targets: { it: { kind: thing } }\n")
            .write(
                "vault/endpoints/read.yaml",
                "request: { method: GET, path: \"/things/a b\", query: { q: \"1 + 1\", a: \"ü\" } }\ntargets: [it]\n",
            )
            .write(
                "vault/endpoints/write.yaml",
                "request: { method: POST, path: /things, json: { text: \"{{ cell.tag }}\" } }\ntargets: [it]\n",
            );
        Self {
            service: Raw::start(answer),
            place,
            is_open,
        }
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        let url = self.service.url();
        let variables = [format!("member={MEMBER}"), format!("stranger={STRANGER}")];
        let variables = ["--var", &variables[0], "--var", &variables[1]];
        let all = [arguments, &["vault", "--base-url", &url], &variables].concat();
        let ended = self.place.run(&all);
        for (_, secret) in each() {
            assert!(!ended.stdout.contains(secret), "{ended:#?}");
            assert!(!ended.stderr.contains(secret), "{ended:#?}");
        }
        ended
    }

    fn recorded(&self, endpoint: &str) -> String {
        let file = format!("vault/snapshots/{endpoint}.snap");
        std::fs::read_to_string(self.place.path(&file)).unwrap()
    }

    /// The member is let in, the stranger is not, and nobody else is known; that stays so until the hole opens, and nothing
    /// that is written has a secret.
    fn holds(&self, forged: &str) {
        let ended = self.run(&["record"]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        for endpoint in ["read", "write"] {
            let record = self.recorded(endpoint);
            for line in [
                "member: {allowed: 200",
                "stranger: {denied: 403",
                forged,
                "anonymous: {denied: 401",
            ] {
                assert!(record.contains(line), "no `{line}` in {record}");
            }
        }
        let ended = self.run(&["check", "--format", "json", "--har", "all.har"]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        self.run(&["check", "--dry-run"]);
        self.run(&["explain", "read/it/member"]);
        self.is_open.store(true, Ordering::SeqCst);
        let ended = self.run(&["check"]);
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        assert!(ended.stdout.contains("widened"), "{ended:#?}");
        for (path, content) in self.place.files() {
            let text = String::from_utf8_lossy(&content);
            for (_, secret) in each() {
                assert!(!text.contains(secret), "{}: {text}", path.display());
            }
        }
    }
}

const FORGED: &str = "forger: {denied: 401";

fn query_of(request: &Request) -> BTreeMap<String, String> {
    let (_, query) = request.path().split_once('?').unwrap_or_default();
    url::form_urlencoded::parse(query.as_bytes())
        .into_owned()
        .collect()
}

#[test]
fn a_key_in_the_query_is_a_secret_wherever_it_stands() {
    let vault = Vault::new("query: { api_key: \"SECRET\" }", |request, _| {
        let query = query_of(request);
        Ok(query
            .get("api_key")
            .map_or_else(nobody, |key| of_secret(key)))
    });
    vault.holds(FORGED);
    let lines = vault.run(&["check", "--format", "json"]).stdout;
    let report: Json = serde_json::from_str(&lines).unwrap();
    assert!(report.to_string().contains("--url-query"), "{report}");
}

#[test]
fn a_key_that_stands_in_the_suite_is_shown_nowhere() {
    let literal = "a-l1teral-key-of-the-suite";
    let auth = format!("query: {{ api_key: {literal} }}");
    let vault = Vault::new(&auth, move |request, _| {
        let query = query_of(request);
        let is_known = query.get("api_key").is_some_and(|key| key == literal);
        Ok(if is_known {
            Seen::Known("member")
        } else {
            nobody()
        })
    });
    let ended = vault.run(&["record"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert!(!vault.recorded("read").contains(literal));
    let ended = vault.run(&["check", "--dry-run"]);
    assert!(ended.stdout.contains("api_key=<hidden>"), "{ended:#?}");
    assert!(!ended.stdout.contains(literal), "{ended:#?}");
}

/// What a scheme of somebody's own signs.
const SIGNED: &str = "headers:
  X-Name: \"{{ actor.name }}\"
  X-Date: \"{{ now.unix }}\"
  X-Signature: \"{{ [request.method, request.target, request.body_sha256, now.unix] | join('\\n') | hmac('SECRET') }}\"";

pub(super) fn signed_by(request: &Request, secret: &str) -> bool {
    let (Some(date), Some(signature)) = (request.header("x-date"), request.header("x-signature"))
    else {
        return false;
    };
    let now = chrono::Utc::now().timestamp();
    let is_new = date
        .parse::<i64>()
        .is_ok_and(|date| (now - date).abs() < 60);
    let method = request.line.split(' ').next().unwrap();
    let body = hex::encode(Sha256::digest(&request.body));
    let text = format!("{method}\n{}\n{body}\n{date}", request.path());
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let signature = hex::decode(signature).unwrap_or_default();
    is_new && hmac::verify(&key, text.as_bytes(), &signature).is_ok()
}

#[test]
fn a_header_signs_the_request_that_it_is_of() {
    // A template within a template: the secret is the variable itself.
    let auth = SIGNED.replace("hmac('SECRET')", "hmac(vars[actor.name] or 'wrong')");
    let vault = Vault::new(&auth, |request, _| {
        let name = request.header("x-name").unwrap_or_default();
        let mut known = each().into_iter();
        let found = known.find(|(known, secret)| *known == name && signed_by(request, secret));
        Ok(found.map_or_else(nobody, |(name, _)| Seen::Known(name)))
    });
    vault.holds(FORGED);
}

/// Verifies a signature of AWS's fourth version by the headers that it says it is of.
pub(super) fn of_aws(request: &Request, secret: &str) -> Option<()> {
    let authorization = request.header("authorization")?;
    let rest = authorization.strip_prefix("AWS4-HMAC-SHA256 ")?;
    let parts: BTreeMap<&str, &str> = rest
        .split(", ")
        .filter_map(|part| part.split_once('='))
        .collect();
    let (_, scope) = parts["Credential"].split_once('/')?;
    let at = request.header("x-amz-date")?;
    let names: Vec<&str> = parts["SignedHeaders"].split(';').collect();
    assert!(names.contains(&"host"));
    let headers = names.iter();
    let headers: Vec<String> = headers
        .map(|name| format!("{name}:{}\n", request.header(name).unwrap()))
        .collect();
    let headers = headers.concat();
    let (path, query) = request
        .path()
        .split_once('?')
        .unwrap_or((request.path(), ""));
    assert!(!query.contains('+'), "{query}");
    let mut query: Vec<&str> = query.split('&').collect();
    query.sort_unstable();
    let method = request.line.split(' ').next()?;
    let body = hex::encode(Sha256::digest(&request.body));
    let path = path.replace('%', "%25");
    let canonical = format!(
        "{method}\n{path}\n{}\n{headers}\n{}\n{body}",
        query.join("&"),
        names.join(";")
    );
    let digest = hex::encode(Sha256::digest(canonical));
    let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}");
    let sign = |key: Vec<u8>, text: &str| {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
    };
    let key = format!("AWS4{secret}").into_bytes();
    let key = scope.split('/').fold(key, sign);
    (hex::encode(sign(key, &text)) == parts["Signature"]).then_some(())
}

#[test]
fn requests_are_signed_for_aws() {
    let auth =
        "aws: { access_key: AK1, secret_key: \"SECRET\", region: eu-west-1, service: execute-api }";
    let vault = Vault::new(auth, |request, _| {
        let mut known = each().into_iter();
        let found = known.find(|(_, secret)| of_aws(request, secret).is_some());
        Ok(found.map_or_else(nobody, |(name, _)| Seen::Known(name)))
    });
    let parts = "request: { method: POST, path: /parts, multipart: { a: b } }\ntargets: [it]\n";
    let vault = Vault {
        place: vault.place.write("vault/endpoints/parts.yaml", parts),
        ..vault
    };
    vault.holds(FORGED);
    let parts = vault.recorded("parts");
    assert!(parts.contains("stranger: {denied: 403"), "{parts}");
}

pub(super) fn quoted<'h>(header: &'h str, name: &str) -> Option<&'h str> {
    let (_, rest) = header.split_once(&format!("{name}=\""))?;
    Some(rest.split_once('"')?.0)
}

#[test]
fn a_challenge_is_answered_and_the_final_answer_is_pinned() {
    for algorithm in ["MD5", "SHA-256"] {
        let given = Arc::new(Mutex::new(Vec::<String>::new()));
        let hash = move |text: String| match algorithm {
            "MD5" => hex::encode(md5::Md5::digest(text)),
            _ => hex::encode(Sha256::digest(text)),
        };
        let verify = move |request: &Request, _: &mut TcpStream| {
            let mut given = given.lock().unwrap();
            let answered = request.header("authorization").and_then(|header| {
                let nonce = quoted(header, "nonce")?;
                let place = given.iter().position(|known| known == nonce)?;
                // Each is good for one answer.
                given.remove(place);
                let mut known = each().into_iter();
                known.find(|(name, secret)| {
                    let own = quoted(header, "cnonce").unwrap();
                    let method = request.line.split(' ').next().unwrap();
                    let first = hash(format!("{name}:the vault:{secret}"));
                    let second = hash(format!("{method}:{}", request.path()));
                    let all = format!("{first}:{nonce}:00000001:{own}:auth:{second}");
                    quoted(header, "uri") == Some(request.path())
                        && quoted(header, "response") == Some(&hash(all))
                })
            });
            Ok(answered.map_or_else(
                || {
                    let nonce = authz_pin::template::random(20);
                    given.push(nonce.clone());
                    Seen::Nobody(format!(
                        "www-authenticate: Basic realm=\"x, y\"\r\nwww-authenticate: Digest realm=\"the vault\", qop=\"auth-int,auth\", algorithm={algorithm}, nonce=\"{nonce}\"\r\n"
                    ))
                },
                |(name, _)| Seen::Known(name),
            ))
        };
        let auth = "digest: { username: \"{{ actor.name }}\", password: \"SECRET\" }";
        Vault::new(auth, verify).holds(FORGED);
    }
}

#[test]
fn a_challenge_that_nobody_can_meet_ends_the_run() {
    let auth = "digest: { username: \"{{ actor.name }}\", password: \"SECRET\" }";
    let vault = Vault::new(auth, |_, _| {
        let header = "www-authenticate: Digest realm=\"x\", algorithm=SHA-1, nonce=\"n\"\r\n";
        Ok(Seen::Nobody(header.to_owned()))
    });
    let error = vault.run(&["check"]).error(3);
    assert!(
        error.contains(
            "the service asks for Digest with `SHA-1`; MD5, SHA-256 and SHA-512-256 are known"
        ),
        "{error}"
    );
}

fn of_bearer(request: &Request) -> Option<&str> {
    request.header("authorization")?.strip_prefix("Bearer ")
}

#[test]
fn a_program_gives_a_token_in_one_line_or_in_json() {
    let scripts = [
        ("[ \"$BASE_URL\" ] && echo \"of-$ACTOR-$WORD\"", ""),
        (
            "printf '{\"token\": \"of-%s-%s\", \"expires_in\": 3600}' \"$ACTOR\" \"$WORD\"",
            "\nbearer: \"{{ command.token }}\"",
        ),
    ];
    for (script, how) in scripts {
        let auth =
            format!("command: {{ line: sh token.sh, environment: {{ WORD: \"SECRET\" }} }}{how}");
        let vault = Vault::new(&auth, |request, _| {
            let mut known = each().into_iter();
            let token = of_bearer(request).unwrap_or_default();
            let found = known.find(|(name, secret)| token == format!("of-{name}-{secret}"));
            Ok(found.map_or_else(nobody, |(name, _)| Seen::Known(name)))
        });
        let vault = Vault {
            place: vault.place.write("vault/token.sh", script),
            ..vault
        };
        vault.holds(FORGED);
        let ended = vault.run(&["check", "--dry-run"]);
        assert!(
            ended.stdout.contains("setup: run sh token.sh"),
            "{ended:#?}"
        );
    }
}

#[test]
fn a_program_that_fails_is_told_with_its_place_and_without_secrets() {
    let auth = "command: { line: sh token.sh, environment: { WORD: \"SECRET\" } }";
    let vault = Vault::new(auth, |_, _| Ok(nobody()));
    let script = "echo \"of-$WORD\"; echo \"no ticket for $WORD\" >&2; exit 7";
    let vault = Vault {
        place: vault.place.write("vault/token.sh", script),
        ..vault
    };
    let error = vault.run(&["check"]).error(3);
    insta::assert_snapshot!(error, @"error: `member` cannot be given its credential: the command of vault/world.yaml:7 ended with status 7; it printed: no ticket for <vars.member>");
}

#[test]
fn a_step_can_be_a_program() {
    let vault = Vault::new("bearer: \"SECRET\"", |request, _| {
        let is_made = request.path().starts_with("/things/made-1");
        Ok(match of_bearer(request) {
            Some(token) if is_made || !request.path().contains("made") => of_secret(token),
            _ => nobody(),
        })
    });
    let kinds = "kinds:
  thing:
    symbols: { id: null }
    setup:
      - command: { line: ./make.sh, environment: { WHO: \"{{ name }}\" } }
        capture: { id: $.made.id }
";
    let vault = Vault {
        place: vault
            .place
            .edit("vault/world.yaml", "kinds:\n  thing: {}\n", kinds)
            .write(
                "vault/make.sh",
                "#!/bin/sh\necho \"making $WHO\" >&2\necho '{\"made\": {\"id\": \"made-1\"}}'\n",
            )
            .edit(
                "vault/endpoints/read.yaml",
                "/things/a b",
                "/things/{{ target.id }}",
            ),
        ..vault
    };
    let script = vault.place.path("vault/make.sh");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(script, mode).unwrap();
    vault.holds(FORGED);
    let place = vault
        .place
        .edit("vault/world.yaml", "$.made.id", "$.made.name");
    let vault = Vault { place, ..vault };
    let error = vault.run(&["check"]).error(3);
    insta::assert_snapshot!(error, @r"
    what the setup of the kind `thing` makes stays: it has no `teardown`
    error: the target of read/it/member cannot be set up: step 1, the command of vault/world.yaml:5: it prints no JSON with `id` at `$.made.name`
    ");
}

/// A token server, which is a part of the service.
fn token(request: &Request, stream: &mut TcpStream, given: &AtomicUsize) -> io::Result<Seen> {
    let form: BTreeMap<String, String> = url::form_urlencoded::parse(request.body.as_bytes())
        .into_owned()
        .collect();
    let get = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    let basic = request.header("authorization").and_then(|header| {
        let pair = STANDARD.decode(header.strip_prefix("Basic ")?).ok()?;
        let pair = String::from_utf8(pair).ok()?;
        let (name, secret) = pair.split_once(':')?;
        let plain = |text: &str| {
            let text = text.replace('+', " ");
            percent_encoding::percent_decode_str(&text)
                .decode_utf8_lossy()
                .into_owned()
        };
        Some((plain(name), plain(secret)))
    });
    let body = || (get("client_id").to_owned(), get("client_secret").to_owned());
    let (client, secret) = basic.unwrap_or_else(body);
    let number = given.fetch_add(1, Ordering::SeqCst);
    let mut known = each().into_iter();
    let found = known.find(|(name, own)| match get("grant_type") {
        "client_credentials" => client == format!("{name}: a client") && secret == *own,
        "password" => get("username") == *name && get("password") == *own,
        _ => false,
    });
    match found {
        Some((name, own)) => respond(
            stream,
            200,
            JSON,
            format!(
                r#"{{"access_token": "{name}-{number}-{own}", "token_type": "Bearer", "expires_in": 3600, "refresh_token": "again-{name}-{number}"}}"#
            ),
        )?,
        None => respond(stream, 400, JSON, r#"{"error": "invalid_grant"}"#)?,
    };
    Ok(Seen::Answered)
}

fn oauth2(auth: &str) -> Vault {
    let given = AtomicUsize::new(0);
    Vault::new(auth, move |request, stream| {
        if request.path() == "/token" {
            return token(request, stream, &given);
        }
        let mut known = each().into_iter();
        let token = of_bearer(request).unwrap_or_default();
        let found = known.find(|(name, secret)| {
            token.starts_with(&format!("{name}-")) && token.ends_with(secret)
        });
        Ok(found.map_or_else(nobody, |(name, _)| Seen::Known(name)))
    })
}

#[test]
fn a_token_of_oauth_is_got_by_each_grant() {
    for grant in [
        "client_id: \"{{ actor.name }}: a client\", client_secret: \"SECRET\"",
        "client_id: \"{{ actor.name }}: a client\", client_secret: \"SECRET\", client_auth: body, parameters: { audience: api }",
        "grant: password, client_id: app, username: \"{{ actor.name }}\", password: \"SECRET\", scope: all",
    ] {
        let auth = format!("oauth2: {{ token_url: /token, {grant} }}");
        let vault = oauth2(&auth);
        // Who gets no token cannot be swept.
        let forger = vault.run(&["check"]).error(3);
        assert!(
            forger.contains("`forger` cannot be given its credential"),
            "{forger}"
        );
        let world = std::fs::read_to_string(vault.place.path("vault/world.yaml")).unwrap();
        let (before, rest) = world.split_once("  forger:").unwrap();
        let (_, after) = rest.split_once("  anonymous").unwrap();
        let world = format!("{before}  anonymous{after}");
        let place = vault.place.write("vault/world.yaml", &world);
        Vault { place, ..vault }.holds("member: {allowed: 200");
    }
}

fn mistakes(world: &str) -> String {
    let place = Place::empty()
        .write("vault/suite.yaml", SUITE)
        .write("vault/world.yaml", world)
        .write("vault/targets.yaml", "targets: { it: { kind: thing } }\n")
        .write(
            "vault/endpoints/read.yaml",
            "request: { method: GET, path: /it }\ntargets: [it]\n",
        );
    place.run(&["list", "vault"]).error(2)
}

#[test]
fn what_a_credential_lacks_or_has_twice_is_told_with_its_place() {
    let error = mistakes(
        "kinds:
  thing:
    setup:
      - command: ./make.sh
        auth: { oauth2: { token_url: /token, client_id: a, client_secret: b } }
        capture: { id: { header: Location } }
      - request: { method: GET, path: / }
        command: ./make.sh
entities: {}
actors:
  one:
    auth: { bearer: x, digest: { username: a, password: b } }
  two:
    auth: { oauth2: { token_url: token, grant: password, client_id: a } }
  three:
    auth: { headers: { X-Sign: \"{{ request.bodi }}\" }, bearer: \"{{ request.body }}\" }
  now: {}
",
    );
    insta::assert_snapshot!(error, @r##"
    error: only a request has it
      --> vault/world.yaml:5:9
      |
    5 |         auth: { oauth2: { token_url: /token, client_id: a, client_secret: b } }
      |         ^^^^

    error: only an actor can log in
      --> vault/world.yaml:5:17
      |
    5 |         auth: { oauth2: { token_url: /token, client_id: a, client_secret: b } }
      |                 ^^^^^^
      = help: give the token to an actor, and name it here: `auth: { actor: NAME }`

    error: `id` is not a symbol that can be captured
      --> vault/world.yaml:6:20
      |
    6 |         capture: { id: { header: Location } }
      |                    ^^
      = help: declare it among the kind's secrets, symbols or masks, and without a template: `NAME: null`

    error: what a command prints has no header
      --> vault/world.yaml:6:26
      |
    6 |         capture: { id: { header: Location } }
      |                          ^^^^^^
      = help: give the JSON path of the value: `$.NAME`

    error: `request` and `command` cannot both be the way to do the step
      --> vault/world.yaml:7:9
      |
    7 |       - request: { method: GET, path: / }
      |         ^
      = help: give exactly one of `request`, `command`

    error: `bearer` and `digest` cannot both be the `Authorization` header
       --> vault/world.yaml:12:11
       |
    12 |     auth: { bearer: x, digest: { username: a, password: b } }
       |           ^^
       = help: give exactly one of `bearer`, `basic`, `digest`, `aws`

    error: the grant `password` needs `username`
       --> vault/world.yaml:14:13
       |
    14 |     auth: { oauth2: { token_url: token, grant: password, client_id: a } }
       |             ^^^^^^
       = help: add `username: ...`

    error: the grant `password` needs `password`
       --> vault/world.yaml:14:13
       |
    14 |     auth: { oauth2: { token_url: token, grant: password, client_id: a } }
       |             ^^^^^^
       = help: add `password: ...`

    error: this is neither a path nor a URL
       --> vault/world.yaml:14:23
       |
    14 |     auth: { oauth2: { token_url: token, grant: password, client_id: a } }
       |                       ^^^^^^^^^
       = help: write `/PATH` for one of the service, or `https://HOST/PATH`

    error: unknown symbol `request.bodi`
       --> vault/world.yaml:16:32
       |
    16 |     auth: { headers: { X-Sign: "{{ request.bodi }}" }, bearer: "{{ request.body }}" }
       |                                ^^^^^^^^^^^^^^^^^^^^^
       = help: did you mean `request.body`?

    error: unknown symbol `request.body`
       --> vault/world.yaml:16:64
       |
    16 |     auth: { headers: { X-Sign: "{{ request.bodi }}" }, bearer: "{{ request.body }}" }
       |                                                                ^^^^^^^^^^^^^^^^^^^^^
       = help: known: `actor.name`, `cell.tag`, `run`, `vars.member`, `vars.stranger`

    error: the name `now` is taken
       --> vault/world.yaml:17:3
       |
    17 |   now: {}
       |   ^^^
       = help: templates use `actor`, `target`, `cell`, `run`, `vars`, `name`, `request`, `now` for something else

    12 errors
    "##);
}

#[test]
fn a_token_to_refresh_with_that_is_given_anew_is_the_next_one() {
    let expected = Mutex::new(
        BTreeMap::from(each())
            .into_iter()
            .map(|(name, secret)| (name, secret.to_owned()))
            .collect::<BTreeMap<_, _>>(),
    );
    let given = AtomicUsize::new(0);
    let auth = "oauth2: { token_url: /token, grant: refresh_token, client_id: \"{{ actor.name }}\", refresh_token: \"SECRET\" }";
    let vault = Vault::new(auth, move |request, stream| {
        if request.path() != "/token" {
            let token = of_bearer(request).unwrap_or_default();
            let mut known = each().into_iter();
            let found = known.find(|(name, _)| token.starts_with(&format!("access-{name}-")));
            return Ok(found.map_or_else(nobody, |(name, _)| Seen::Known(name)));
        }
        let form: BTreeMap<String, String> = url::form_urlencoded::parse(request.body.as_bytes())
            .into_owned()
            .collect();
        let mut expected = expected.lock().unwrap();
        let known = expected.get_mut(form["client_id"].as_str());
        let Some(next) = known.filter(|next| **next == form["refresh_token"]) else {
            respond(stream, 400, JSON, r#"{"error": "invalid_grant"}"#)?;
            return Ok(Seen::Answered);
        };
        let number = given.fetch_add(1, Ordering::SeqCst);
        *next = format!("refresh-{}-{number}", form["client_id"]);
        // It is over at once, so that the next endpoint needs another one.
        let body = format!(
            r#"{{"access_token": "access-{}-{number}", "expires_in": 0, "refresh_token": "{next}"}}"#,
            form["client_id"]
        );
        respond(stream, 200, JSON, body)?;
        Ok(Seen::Answered)
    });
    let world = std::fs::read_to_string(vault.place.path("vault/world.yaml")).unwrap();
    let (before, rest) = world.split_once("  forger:").unwrap();
    let (_, after) = rest.split_once("  anonymous").unwrap();
    let world = format!("{before}  anonymous{after}");
    let vault = Vault {
        place: vault.place.write("vault/world.yaml", &world),
        ..vault
    };
    // One sweep: the next run would begin with a token that is used up.
    let ended = vault.run(&["check"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let tokens = vault
        .service
        .asked()
        .iter()
        .filter(|one| one.path() == "/token")
        .count();
    assert!(tokens > 2, "{tokens}");
    assert!(ended.stdout.contains("200"), "{ended:#?}");
}
