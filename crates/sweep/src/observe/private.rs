//! Names of fields under which a success says what no file may hold, and texts that say it themselves.
//!
//! A refusal seldom shows a secret, a success is made to show things. So more names are known here than for refusals, and
//! names that only speak of a secret, such as `token_limit`, are told from those that hold one.

use authz_pin_record::text::words;
use authz_pin_suite::secrets;

use super::told;

/// Parts of names, without what joins words, beside those of credentials.
const PARTS: [&str; 27] = [
    "passwor",
    "kennwort",
    "contrase",
    "motdepasse",
    "пароль",
    "mnemonic",
    "seedphrase",
    "securityanswer",
    "maidenname",
    "encryptionkey",
    "wifikey",
    "licensekey",
    "pincode",
    "magiclink",
    "connectionstring",
    "accountnumber",
    "routingnumber",
    "taxid",
    "doorcode",
    "accesscode",
    "unlockcode",
    "securitycode",
    "backupcode",
    "recoverycode",
    "invitecode",
    "verificationcode",
    "logincode",
];
/// Words of names beside those of credentials.
const WORDS: [&str; 10] = [
    "psk", "pswd", "pw", "tan", "cvc2", "cvv2", "wpa", "salt", "iban", "passport",
];
/// What holds secrets, so that everything within is one.
const HOLDERS: [&str; 7] = [
    "passwor",
    "passwd",
    "passphrase",
    "passcode",
    "secret",
    "credential",
    "privatekey",
];
/// The last word of a name that says something about a secret, and not what it is.
const ABOUT: [&str; 18] = [
    "access",
    "algorithm",
    "count",
    "enabled",
    "length",
    "level",
    "limit",
    "limits",
    "policy",
    "quota",
    "required",
    "role",
    "scope",
    "scopes",
    "status",
    "strength",
    "ttl",
    "type",
];
/// The last word of a name under which a thing's own row is noted.
const NOTED: [&str; 7] = [
    "at", "by", "created", "id", "provider", "updated", "version",
];
/// The first word of a name that says how many secrets there are.
const COUNTS: [&str; 4] = ["max", "min", "num", "total"];
/// Words by which a text says that a secret follows.
const SAID: [&str; 9] = [
    "password",
    "passwords",
    "passwd",
    "passphrase",
    "passcode",
    "pin",
    "otp",
    "secret",
    "cvv",
];

/// Whether a value under that name is never in a file.
pub(super) fn is_private(name: &str, text: &str) -> bool {
    let words = words(name);
    if is_about(&words) || ["", "true", "false"].contains(&text) {
        return false;
    }
    let singular: Vec<&str> = words.iter().map(|word| singular(word)).collect();
    let joined = name
        .to_lowercase()
        .replace(|c: char| !c.is_alphanumeric(), "");
    singular.iter().any(|word| WORDS.contains(word))
        || PARTS.iter().any(|part| joined.contains(part))
        || told::is_secret(name, text)
        || singular != words && told::is_secret(&singular.join("_"), text)
}

fn singular(word: &str) -> &str {
    word.strip_suffix('s').unwrap_or(word)
}

fn is_about(words: &[String]) -> bool {
    let is =
        |word: Option<&String>, known: &[&str]| word.is_some_and(|it| known.contains(&it.as_str()));
    words.len() > 1 && (is(words.last(), &ABOUT) || is(words.first(), &COUNTS))
}

/// Whether everything in a thing of that name is a secret.
fn is_holder(name: &str) -> bool {
    let words = words(name);
    let joined = words.concat();
    !is_about(&words) && HOLDERS.iter().any(|part| joined.contains(part))
}

/// What the name is by which a field within a thing is judged: everything in a holder of secrets is one, but for what a
/// database notes of a thing.
pub(super) fn within<'a>(name: &'a str, key: &'a str) -> &'a str {
    let is_noted = || {
        let last = words(key).pop().unwrap_or_default();
        NOTED.contains(&last.as_str()) || ABOUT.contains(&last.as_str())
    };
    if !name.is_empty() && is_holder(name) && !is_noted() {
        name
    } else {
        key
    }
}

/// Whether a sentence says that it has a secret, or a text is one by how it looks.
pub(super) fn says_one(text: &str) -> bool {
    let is_sentence = text.split_whitespace().nth(1).is_some();
    let words = words(text);
    secrets::is_value(text) || is_sentence && words.iter().any(|word| SAID.contains(&word.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_holds_a_secret_or_speaks_of_one() {
        let private = [
            "password",
            "pincode",
            "passwort",
            "contraseña",
            "mot_de_passe",
            "пароль",
            "wifi_key",
            "pins",
            "ssns",
            "backup_codes",
            "cvc2",
            "security_answer",
            "door_code",
            "accountNumber",
        ];
        assert_eq!(
            private.iter().find(|name| !is_private(name, "7319-46")),
            None
        );
        let others = [
            "token_limit",
            "token_type",
            "max_sessions",
            "session_count",
            "password_policy",
            "secret_access",
            "name",
            "address",
            "status_code",
            "class",
        ];
        assert_eq!(others.iter().find(|name| is_private(name, "7319")), None);
        assert!(is_holder("passwords") && is_holder("secrets") && is_holder("credentials"));
        assert!(!is_holder("password_policy") && !is_holder("session"));
        assert_eq!(within("secret", "value"), "secret");
        assert_eq!(within("secret", "created_at"), "created_at");
        assert_eq!(within("team", "value"), "value");
    }

    #[test]
    fn a_text_says_that_a_secret_follows() {
        assert!(says_one("Your door PIN is 731946") && says_one("The password is zebra river"));
        assert!(!says_one("pinned for now") && !says_one("gateway_secret"));
    }
}
