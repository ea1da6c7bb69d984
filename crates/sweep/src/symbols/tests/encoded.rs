//! Values in other forms than their own.

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use proptest::prelude::*;

use super::*;

const JWT_HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A namer that knows an identifier of `owner`.
fn knows(id: &str) -> Namer {
    counted(id, Class::Symbol)
}

fn base64(text: &str) -> String {
    STANDARD_NO_PAD.encode(text)
}

fn jwt(claims: &Json) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let (header, claims) = (part(JWT_HEADER), part(&claims.to_string()));
    format!("{header}.{claims}.q83vEjRWeJCrze8SNFZ4kA-7_w")
}

/// A text in everything that is read, by what that is.
fn forms(id: &str) -> Vec<(&'static str, String)> {
    let percent = percent_encode(id.as_bytes(), NON_ALPHANUMERIC).to_string();
    let html = |form: fn(char) -> String| id.chars().map(form).collect::<String>();
    let relay = base64(&format!("User:{id}"));
    let claims = json!({"iat": 17, "sub": id, "exp": 18});
    vec![
        ("itself", id.to_owned()),
        ("upper case", id.to_uppercase()),
        ("lower case", id.to_lowercase()),
        ("percent", percent.clone()),
        ("percent in small letters", percent.to_lowercase()),
        ("percent, twice", percent.replace('%', "%25")),
        ("html, by number", html(|c| format!("&#{};", c as u32))),
        ("html, by digits", html(|c| format!("&#x{:X};", c as u32))),
        ("json", html(|c| format!("\\u{:04x}", c as u32))),
        ("base64", base64(id)),
        (
            "base64 with padding",
            base64::engine::general_purpose::STANDARD.encode(id),
        ),
        ("a global id", relay.clone()),
        ("a global id in a URL", format!("/node/{relay}%3D%3D?x")),
        (
            "a cursor",
            base64(&json!({"after": id, "n": 1}).to_string()),
        ),
        ("basic", format!("Basic {}", base64(&format!("{id}:word")))),
        ("base64, twice", base64(&base64(id))),
        ("a token", jwt(&claims)),
        ("a token in another one", jwt(&json!({"act": jwt(&claims)}))),
        ("bytes", format!("\\x{}", hex::encode(id))),
        ("within json", json!({"a": {"b": [id]}}).to_string()),
    ]
}

#[test]
fn an_identifier_is_known_in_every_form() {
    for (form, text) in forms("ap7q2x-Alice+1@example.org") {
        let named = knows("ap7q2x-Alice+1@example.org").name(&format!("got '{text}', no"), VIEW);
        assert_eq!(named.disclosed.len(), 1, "{form}: {text}");
        assert!(named.text.contains("<owner.id>"), "{form}: {}", named.text);
    }
}

#[test]
fn an_identifier_with_an_escape_of_its_own_is_known_in_every_order() {
    let namer = knows("DOMAIN\\nadia-4c1b");
    for text in ["DOMAIN%5Cn\\u0061dia-4c1b", "DOMAIN%5Cnadia&#45;4c1b"] {
        assert_eq!(namer.name(text, VIEW).text, "<owner.id>", "{text}");
    }
}

#[test]
fn nothing_of_what_is_encoded_together_stays() {
    let named = |text: &str| knows("4c1b-alice").name(text, VIEW).text;
    let token = jwt(&json!({"sub": "4c1b-alice"}));
    assert_eq!(
        named(&format!("Bearer {token}, or")),
        "Bearer <owner.id>, or"
    );
    let id = format!("{}=", base64("User:4c1b-alice"));
    assert_eq!(
        named(&format!("/users/{id}/keys")),
        "/users/<owner.id>/keys"
    );
    assert_eq!(
        named("/users/4c1b%2Dalice%2Fkeys"),
        "/users/<owner.id>%2Fkeys"
    );
    assert_eq!(named("x &#52;c1b-alice; y"), "x <owner.id>; y");
}

#[test]
fn values_that_are_encoded_together_are_named_together() {
    let mut registry = Registry::default();
    registry.add("u-4c1b-alice", Owner::World, "owner", "id", Class::Symbol);
    registry.add("t-99d1-green", Owner::World, "alpha", "id", Class::Symbol);
    registry.add("sk-7hG2kPq9", Owner::World, "owner", "key", Class::Secret);
    let namer = registry.build();
    let token = jwt(&json!({"sub": "u-4c1b-alice", "tenant": "t-99d1-green"}));
    let of_token = namer.name(&token, VIEW);
    assert_eq!(of_token.text, "<alpha.id><owner.id>");
    assert_eq!(of_token.disclosed.len(), 2);
    let basic = base64("u-4c1b-alice:sk-7hG2kPq9");
    let header = format!("Basic {basic}");
    let key = Piece::Symbol {
        name: "owner.key".to_owned(),
        discloses: true,
    };
    assert_eq!(namer.pieces(&header, VIEW), [Piece::Text("Basic "), key]);
    assert_eq!(
        namer.hide(&format!("u-4c1b-alice {basic}")),
        "u-4c1b-alice <secret>"
    );
}

#[test]
fn a_token_that_is_known_as_a_whole_is_named_as_itself() {
    let token = jwt(&json!({"sub": "4c1b-alice"}));
    let mut registry = Registry::default();
    registry.add("4c1b-alice", Owner::World, "owner", "id", Class::Symbol);
    registry.add(&token, Owner::World, "owner", "jwt", Class::Secret);
    let named = registry.build().name(&token, VIEW);
    assert_eq!(named.text, "<owner.jwt>");
    assert_eq!(named.disclosed, BTreeSet::from(["owner.jwt".to_owned()]));
}

#[test]
fn a_uuid_is_known_in_all_its_forms() {
    let uuid = "2b1d0a9e-1111-4222-8333-444455556666";
    let forms = [
        uuid.to_uppercase(),
        uuid.replace('-', ""),
        uuid.replace('-', "").to_uppercase(),
        "Kx0KnhERQiKDM0REVVVmZg==".to_owned(),
        "usr_Kx0KnhERQiKDM0REVVVmZg".to_owned(),
        base64(&format!("User:{}", uuid.replace('-', ""))),
    ];
    for form in forms {
        let named = knows(uuid).name(&form, VIEW);
        assert_eq!(named.disclosed.len(), 1, "{form}");
    }
    let named = |text: &str| knows(uuid).name(text, VIEW).text;
    assert_eq!(
        named(&format!("{{{}}}", uuid.to_uppercase())),
        "{<owner.id>}"
    );
    assert_eq!(named(&format!("urn:uuid:{uuid}")), "urn:uuid:<owner.id>");
}

#[test]
fn a_short_identifier_is_known_by_itself_or_behind_its_kind() {
    let discloses = |id: &str, text: &str| !knows(id).name(text, VIEW).disclosed.is_empty();
    for (id, text) in [
        ("17", "User:17"),
        ("17", "gid://shop/Order/17"),
        ("ab12x", "Node|ab12x"),
        ("17", r#"{"userId":17}"#),
    ] {
        assert!(discloses(id, &base64(text)), "{text}");
    }
    for text in [
        "arrayconnection:17",
        "page:17",
        "at 17 of",
        "a:17 of 20",
        "Version 17",
        r#"{"total":17}"#,
    ] {
        assert!(!discloses("17", &base64(text)), "{text}");
    }
    assert!(!discloses("ab12x", "AB12X") && !discloses("ab12x", &base64("~~ab12x~~")));
    assert!(!discloses("39", "it&#39;s") && discloses("39", "/users/39%20"));
}

#[test]
fn a_value_in_other_letters_is_none_that_differs_in_nothing_else() {
    let mut registry = Registry::default();
    registry.add("North-East", Owner::World, "one", "id", Class::Symbol);
    registry.add("north-east", Owner::World, "other", "id", Class::Symbol);
    let named = registry
        .build()
        .name("North-East north-east NORTH-EAST", VIEW)
        .text;
    assert_eq!(named, "<one.id> <other.id> <one.id>");
}

#[test]
fn a_row_with_an_encoded_value_is_the_cells() {
    let mut registry = Registry::default();
    registry.add(
        "cell-4c1b-tag",
        Owner::Cell(3),
        "cell",
        "tag",
        Class::Symbol,
    );
    let namer = registry.build();
    for (form, text) in forms("cell-4c1b-tag") {
        assert_eq!(namer.cells_in(&text), BTreeSet::from([3]), "{form}");
        assert!(namer.knows(&text), "{form}");
    }
}

/// Letters and signs as identifiers have them.
fn id() -> impl Strategy<Value = String> {
    "[A-Za-z0-9._@+~-]{8,40}"
}

proptest! {
    #[test]
    fn arbitrary_identifiers_are_known_in_every_form(id in id()) {
        let namer = knows(&id);
        for (form, text) in forms(&id) {
            let text = format!("it is '{text}' or so");
            let named = namer.name(&text, VIEW);
            prop_assert!(named.disclosed.len() == 1, "{form}: {text}");
        }
    }

    #[test]
    fn no_form_of_a_secret_stays(secret in "[ -~]{8,40}", before in "[A-Za-z]{0,4}") {
        prop_assume!(!is_common(&secret));
        for (form, text) in forms(&format!("{before}{secret}")) {
            let said = named(&secret, &text);
            prop_assert!(said.contains("<owner.key>"), "{form}: {said}");
        }
    }

    #[test]
    fn random_text_never_has_one(text in "[ -~]{0,400}", run in "[A-Za-z0-9+/_=.-]{0,400}") {
        let mut registry = Registry::default();
        for id in ["4c1b-alice", "17", "ab12x", "2b1d0a9e-1111-4222-8333-444455556666"] {
            registry.add(id, Owner::World, "owner", "id", Class::Symbol);
        }
        let namer = registry.build();
        let named = namer.name(&run, VIEW);
        prop_assert!(named.disclosed.is_empty() || run.contains("17"), "{}", named.text);
        // Any word can be a number, and no more than that.
        let named = namer.name(&text, VIEW);
        prop_assert!(named.disclosed.is_empty() || text.contains("17"), "{}", named.text);
    }
}

#[test]
fn a_secret_is_hidden_whatever_stands_around_it() {
    let mut registry = Registry::default();
    let claims = URL_SAFE_NO_PAD.encode(r#"{"sub":"4c1b-alice"}"#);
    let token = format!("eyJhbGciOiJIUzI1NiJ9.{claims}.c2lnbmF0dXJl");
    registry.add("4c1b-alice", Owner::World, "owner", "id", Class::Symbol);
    registry.add(&token, Owner::World, "owner", "jwt", Class::Secret);
    registry.add("ab1", Owner::World, "other", "id", Class::Symbol);
    registry.add("1.xyz-secret", Owner::World, "other", "key", Class::Secret);
    let namer = registry.build();
    for (text, secret, name) in [
        (format!("/x%3Ftoken%3D{token}"), token.as_str(), "owner.jwt"),
        ("ab1.xyz-secret".to_owned(), "xyz-secret", "other.key"),
    ] {
        let read = namer.name(&text, VIEW);
        let [hidden, said] = [namer.hide(&text), read.text];
        assert!(
            !hidden.contains(secret) && !said.contains(secret),
            "{hidden} {said}"
        );
        assert!(read.disclosed.contains(name), "{:?}", read.disclosed);
    }
}

#[test]
fn a_secret_of_several_lines_is_found_as_a_text_of_json() {
    let secret = "-----BEGIN KEY-----\nMIIB\tab\u{1f600}\r\n-----END KEY-----\n";
    let escaped = serde_json::json!({ "pem": secret }).to_string();
    for text in [
        escaped.clone(),
        escaped.replace('\u{1f600}', "\\ud83d\\ude00"),
    ] {
        assert_eq!(named(secret, &text), r#"{"pem":"<owner.key>"}"#, "{text}");
    }
}

#[test]
fn a_long_text_takes_no_longer_than_as_many_short_ones() {
    let namer = knows("4c1b-alice");
    let time = |text: &str, times: usize| {
        let start = std::time::Instant::now();
        for _ in 0..times {
            assert!(namer.name(text, VIEW).disclosed.is_empty());
        }
        start.elapsed()
    };
    for part in ["VXNl", "4142", "%41a", "eyJ.", "&#65;", "\\u00"] {
        let (short, long) = (part.repeat(500), part.repeat(50_000));
        let best = |text: &str, times| (0..3).map(|_| time(text, times)).min().unwrap();
        let (many, one) = (best(&short, 100), best(&long, 1));
        assert!(one < many * 20, "{part}: {one:?} in place of {many:?}");
    }
}

#[test]
fn a_value_is_found_behind_one_that_another_one_overlaps() {
    let mut registry = Registry::default();
    for (entity, value) in [
        ("one", "aaaa-bbbb@"),
        ("other", "%40cccc-dddd"),
        ("third", "dddd-eeee"),
    ] {
        registry.add(value, Owner::World, entity, "id", Class::Symbol);
    }
    let named = registry
        .build()
        .name("aaaa-bbbb%40cccc-dddd-eeee", VIEW)
        .text;
    assert_eq!(named, "<one.id>cccc-<third.id>");
}
