//! What looks like a secret in a recording, by its name or by itself.

use serde_json::Value as Json;

use authz_pin_record::text::words;

/// A field is one of a secret if its name, without what joins words, holds one of these.
const PARTS: [&str; 18] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "credential",
    "authorization",
    "session",
    "cookie",
    "jwt",
    "csrf",
    "xsrf",
    "signature",
    "cardnumber",
    "passcode",
];
/// And if one of the words of its name is one of these.
const WORDS: [&str; 14] = [
    "pass", "pwd", "pin", "otp", "totp", "cvv", "cvc", "ssn", "auth", "sid", "hmac", "nonce",
    "code", "sig",
];
/// How a value begins that is a credential whatever its name is.
const BEGINNINGS: [&str; 12] = [
    "bearer ",
    "basic ",
    "eyj",
    "sk-",
    "sk_",
    "pk_",
    "ghp_",
    "gho_",
    "akia",
    "xox",
    "glpat-",
    "-----begin",
];

/// Whether a field of that name holds a secret.
#[must_use]
pub fn is_named(name: &str) -> bool {
    let words = words(name);
    let joined = words.concat();
    joined == "key"
        || PARTS.iter().any(|part| joined.contains(part))
        || words.iter().any(|word| WORDS.contains(&word.as_str()))
}

/// Whether a header of that name is a credential.
#[must_use]
pub fn is_header(name: &str) -> bool {
    is_named(name) || words(name).iter().any(|word| word == "key")
}

/// Whether a text is a credential by how it looks.
#[must_use]
pub fn is_value(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut starts = BEGINNINGS.into_iter();
    starts.any(|start| lower.starts_with(start) && text.len() >= start.len() + 8)
}

/// Whether a value of a field with that name is to be replaced. How many tokens there are is no secret.
#[must_use]
pub fn is_secret(name: &str, value: &Json) -> bool {
    match value {
        Json::String(text) => is_named(name) || is_value(text),
        Json::Number(_) => is_named(name) && !name.to_ascii_lowercase().ends_with("tokens"),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_of_secrets_are_known_in_any_case() {
        let names = [
            "password",
            "newPassword",
            "client_secret",
            "access-token",
            "X-API-Key",
            "apiKey",
            "pin",
            "auth",
            "key",
            "otpCode",
            "JSESSIONID",
        ];
        assert_eq!(names.iter().find(|name| !is_named(name)), None);
        let others = [
            "team_id",
            "name",
            "shipping",
            "keyboard",
            "monkey",
            "author",
            "passenger",
        ];
        assert_eq!(others.iter().find(|name| is_named(name)), None);
    }

    #[test]
    fn a_credential_is_known_by_how_it_looks() {
        for text in [
            "Bearer abcdefgh",
            "eyJhbGciOiJIUzI1NiJ9.e30.x",
            "sk-abcdefghijkl",
            "-----BEGIN PRIVATE KEY",
        ] {
            assert!(is_value(text), "{text}");
        }
        assert!(!is_value("basic plan") && !is_value("sk-1") && !is_value("teams"));
    }

    #[test]
    fn a_number_of_tokens_is_no_secret() {
        assert!(!is_secret("max_tokens", &json!(100)) && is_secret("pin", &json!(1234)));
        assert!(!is_secret("token", &json!(true)));
    }
}
