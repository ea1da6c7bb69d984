//! The pages of `docs/credentials`, each against a service that verifies the credential.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::super::certificates::{FILES, Gate};
use super::super::credentials::{of_aws, quoted, signed_by};
use super::{Example, JSON, Raw, Request, Service, Shown, prove_with, respond, value_of};

/// A service for those whose requests pass; it asks others for what these headers say.
fn verified(
    answers: Vec<Shown>,
    passes: impl Fn(&Request) -> bool + Send + Sync + 'static,
    asks: fn(&Request) -> String,
) -> Raw {
    Raw::start(move |request, stream| {
        if request.path() == "/health" {
            return respond(stream, 200, "", "");
        }
        if let Some(answer) = answers.iter().find(|answer| answer.is_to(request)) {
            return respond(stream, answer.status, &answer.headers, &answer.body);
        }
        if passes(request) {
            return respond(stream, 200, JSON, r#"{"of": null}"#);
        }
        let headers = format!("{JSON}{}", asks(request));
        respond(stream, 401, &headers, r#"{"error": "who are you"}"#)
    })
}

fn nothing(_: &Request) -> String {
    String::new()
}

/// Proves a page by what passes in each of its sections.
fn prove(page: &str, passes: fn(&str) -> fn(&Request) -> bool) {
    prove_with(page, |example: &Example<'_>| {
        verified(example.answers(), passes(example.title), nothing)
    });
}

fn has(request: &Request, header: &str, value: &str) -> bool {
    request.header(header) == Some(value)
}

fn has_bearer(request: &Request, token: &str) -> bool {
    has(request, "authorization", &format!("Bearer {token}"))
}

#[test]
fn the_examples_about_headers_and_the_query_are_true() {
    prove("credentials/headers.md", |title| match title {
        "Bearer tokens" => |request| has_bearer(request, &value_of("reader_token")),
        "Other headers" => |request| has(request, "x-api-key", &value_of("reader_key")),
        "Keys in the query" => |request| {
            let key = format!("&api_key={}", value_of("reader_key"));
            request.path().ends_with(&key)
        },
        other => panic!("{other}"),
    });
}

fn is_basic(request: &Request) -> bool {
    let pair = STANDARD.encode(format!("admin:{}", value_of("admin_password")));
    has(request, "authorization", &format!("Basic {pair}"))
}

const REALM: &str = "the shop";
const NONCE: &str = "n-5d1f0c";

/// Whether a challenge is answered with the password.
fn is_digest(request: &Request) -> bool {
    let hash = |text: String| hex::encode(Sha256::digest(text));
    let answered = request.header("authorization").and_then(|header| {
        let own = quoted(header, "cnonce")?;
        let method = request.line.split(' ').next()?;
        let password = value_of("camera_password");
        let first = hash(format!("camera:{REALM}:{password}"));
        let second = hash(format!("{method}:{}", request.path()));
        let all = format!("{first}:{NONCE}:00000001:{own}:auth:{second}");
        Some(quoted(header, "response")? == hash(all))
    });
    answered.unwrap_or(false)
}

fn challenge(request: &Request) -> String {
    let algorithm = match request.path() {
        "/old" => "SHA-1",
        _ => "SHA-256",
    };
    format!(
        "www-authenticate: Digest realm=\"{REALM}\", qop=\"auth\", algorithm={algorithm}, nonce=\"{NONCE}\"\r\n"
    )
}

#[test]
fn the_examples_about_passwords_are_true() {
    prove_with("credentials/passwords.md", |example| match example.title {
        "Basic" => verified(Vec::new(), is_basic, nothing),
        "Digest" => verified(Vec::new(), is_digest, challenge),
        other => panic!("{other}"),
    });
}

#[test]
fn the_examples_about_logins_and_cookies_are_true() {
    prove("credentials/logins.md", |title| match title {
        "A session in a cookie" => |request| {
            has(request, "cookie", "session=s-71c0a94e52") && has(request, "x-csrf", "c-5509ab31f7")
        },
        "A token in JSON" => |request| has_bearer(request, "s-71c0a94e52"),
        "Cookies without a login" => |request| {
            let session = value_of("reader_session");
            has(request, "cookie", &format!("session={session}; theme=dark"))
        },
        other => panic!("{other}"),
    });
}

/// Whether a token is signed with the key of the service, and is for it.
fn is_of_shop(request: &Request) -> bool {
    let token = request
        .header("authorization")
        .and_then(|header| header.strip_prefix("Bearer "));
    let Some((signed, signature)) = token.and_then(|token| token.rsplit_once('.')) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, value_of("signing_key").as_bytes());
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (_, claims) = signed.split_once('.').unwrap();
    let claims = URL_SAFE_NO_PAD.decode(claims).unwrap();
    let claims: Json = serde_json::from_slice(&claims).unwrap();
    hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
        && claims["sub"] == "billing"
        && claims["aud"] == "shop"
        && claims["exp"].as_i64() > claims["iat"].as_i64()
}

#[test]
fn the_examples_about_signatures_are_true() {
    prove("credentials/signatures.md", |title| match title {
        "A signature over the request" => |request| signed_by(request, &value_of("partner_secret")),
        "JSON Web Tokens" => is_of_shop,
        other => panic!("{other}"),
    });
}

#[test]
fn the_examples_about_aws_are_true() {
    prove("credentials/aws.md", |_| {
        |request| of_aws(request, &value_of("aws_secret")).is_some()
    });
}

impl Service for Gate {
    fn url(&self) -> String {
        self.url()
    }

    /// What came over TLS is not kept.
    fn asked(&self) -> Vec<Request> {
        Vec::new()
    }

    fn files(&self) -> Vec<(&'static str, String)> {
        let files = [
            "ca.pem",
            "member.pem",
            "member.key",
            "stranger.pem",
            "stranger.key",
        ];
        files.map(|file| (file, self.read(file))).to_vec()
    }

    fn variable(&self, name: &str) -> String {
        assert_eq!(name, "device_key");
        self.read("stranger.key")
    }
}

#[test]
fn the_examples_about_certificates_are_true() {
    prove_with("credentials/certificates.md", |_| Gate::new(FILES));
}

#[test]
fn the_examples_about_oauth_are_true() {
    prove("credentials/oauth2.md", |_| {
        |request| has_bearer(request, "t-0f2be7719d")
    });
}

#[test]
fn the_examples_about_programs_are_true() {
    prove("credentials/programs.md", |title| match title {
        "A token from a program" => |request| {
            let password = value_of("employee_password");
            has(request, "x-ticket", &format!("employee-{password}"))
        },
        "A step that is a program" => |request| {
            has_bearer(request, &value_of("employee_token"))
                && request.path().starts_with("/orders/order-")
        },
        other => panic!("{other}"),
    });
}
