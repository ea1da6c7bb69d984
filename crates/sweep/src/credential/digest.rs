//! Digest access authentication (RFC 7616): the answer to a challenge.

use authz_pin_record::text::parts;
use md5::Md5;
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};
use sha2::digest::Digest as _;
use sha2::{Sha256, Sha512_256};

use authz_pin_suite::template::random;

/// A name and a password. It cannot be printed.
#[derive(Clone)]
pub(crate) struct Login {
    pub(crate) username: String,
    pub(crate) password: String,
}

/// How texts are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
    Sha512To256,
}

/// What a service asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
    /// The algorithm in the service's words, where it names one.
    named: Option<String>,
    algorithm: Algorithm,
    /// Whether the password's hash is made with the nonce.
    is_of_session: bool,
    /// Whether it takes a count of requests, as all do that are not older than 1999.
    has_quality: bool,
    hides_name: bool,
}

impl Challenge {
    /// The first challenge of an answer that can be met; none where the service asks for none, and an error where it only asks
    /// for what is not known here.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Self>, String> {
        let values = headers.get_all(WWW_AUTHENTICATE).iter();
        let values = values.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let asked: Vec<Vec<(String, String)>> =
            values.flat_map(|value| challenges(&value)).collect();
        let mut unknown = None;
        for parameters in asked {
            match Self::read(&parameters) {
                Ok(challenge) => return Ok(Some(challenge)),
                Err(reason) => unknown = Some(reason),
            }
        }
        unknown.map_or(Ok(None), Err)
    }

    fn read(parameters: &[(String, String)]) -> Result<Self, String> {
        let get = |wanted: &str| {
            let found = parameters.iter().find(|(name, _)| name == wanted);
            found.map(|(_, value)| value.clone())
        };
        let named = get("algorithm");
        let (algorithm, is_of_session) = algorithm(named.as_deref())?;
        let quality = get("qop");
        let mut offered = quality.as_deref().unwrap_or("auth").split(',');
        if !offered.any(|one| one.trim().eq_ignore_ascii_case("auth")) {
            return Err("the service asks for Digest without `qop=auth`".to_owned());
        }
        Ok(Self {
            realm: get("realm").unwrap_or_default(),
            nonce: get("nonce").ok_or("the service asks for Digest without a nonce")?,
            opaque: get("opaque"),
            has_quality: quality.is_some(),
            hides_name: get("userhash").is_some_and(|text| text.eq_ignore_ascii_case("true")),
            named,
            algorithm,
            is_of_session,
        })
    }

    /// The header `Authorization` that answers it.
    pub(crate) fn answered(&self, login: &Login, method: &str, target: &str) -> String {
        self.answered_with(login, (method, target), &random(16))
    }

    fn answered_with(&self, login: &Login, (method, target): (&str, &str), own: &str) -> String {
        let hash = |text: &str| self.algorithm.hash(text);
        let (realm, nonce) = (&self.realm, &self.nonce);
        let mut secret = hash(&format!("{}:{realm}:{}", login.username, login.password));
        if self.is_of_session {
            secret = hash(&format!("{secret}:{nonce}:{own}"));
        }
        let asked = hash(&format!("{method}:{target}"));
        let middle = if self.has_quality {
            format!("{nonce}:{FIRST}:{own}:auth")
        } else {
            nonce.clone()
        };
        let response = hash(&format!("{secret}:{middle}:{asked}"));
        let name = if self.hides_name {
            hash(&format!("{}:{realm}", login.username))
        } else {
            login.username.clone()
        };
        let quoted = [
            ("username", Some(&name)),
            ("realm", Some(realm)),
            ("nonce", Some(nonce)),
            ("uri", Some(&target.to_owned())),
            ("response", Some(&response)),
            ("opaque", self.opaque.as_ref()),
        ];
        let quoted = quoted.into_iter();
        let mut parts: Vec<String> = quoted
            .filter_map(|(name, value)| Some(format!("{name}=\"{}\"", escaped(value?))))
            .collect();
        parts.extend(self.named.as_ref().map(|name| format!("algorithm={name}")));
        if self.has_quality {
            parts.push(format!("qop=auth, nc={FIRST}, cnonce=\"{own}\""));
        }
        if self.hides_name {
            parts.push("userhash=true".to_owned());
        }
        format!("Digest {}", parts.join(", "))
    }
}

/// Each nonce is used once.
const FIRST: &str = "00000001";

impl Algorithm {
    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex::encode(Md5::digest(text)),
            Self::Sha256 => hex::encode(Sha256::digest(text)),
            Self::Sha512To256 => hex::encode(Sha512_256::digest(text)),
        }
    }
}

fn algorithm(named: Option<&str>) -> Result<(Algorithm, bool), String> {
    let named = named.unwrap_or("MD5").to_ascii_uppercase();
    let (name, is_of_session) = match named.strip_suffix("-SESS") {
        Some(name) => (name, true),
        None => (named.as_str(), false),
    };
    let algorithm = match name {
        "MD5" => Algorithm::Md5,
        "SHA-256" => Algorithm::Sha256,
        "SHA-512-256" => Algorithm::Sha512To256,
        _ => {
            let known = "MD5, SHA-256 and SHA-512-256 are known";
            return Err(format!(
                "the service asks for Digest with `{named}`; {known}"
            ));
        }
    };
    Ok((algorithm, is_of_session))
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The parameters of each `Digest` challenge in a header, which can have several of several schemes.
fn challenges(value: &str) -> Vec<Vec<(String, String)>> {
    let mut found: Vec<Vec<(String, String)>> = Vec::new();
    let mut is_digest = false;
    for piece in parts(value, ',') {
        let (head, text) = piece.split_once('=').unwrap_or((piece.as_str(), ""));
        let mut words = head.split_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next());
        // A scheme stands before the first of its parameters, or alone.
        if second.is_some() || !piece.contains('=') {
            is_digest = first.eq_ignore_ascii_case("digest");
            if is_digest {
                found.push(Vec::new());
            }
        }
        let name = second.unwrap_or(first).to_ascii_lowercase();
        if let Some(parameters) = found.last_mut().filter(|_| is_digest) {
            parameters.push((name, plain(text.trim())));
        }
    }
    found
}

/// A value without its quotes.
fn plain(text: &str) -> String {
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    let Some(inner) = inner else {
        return text.to_owned();
    };
    let mut is_escaped = false;
    let kept = inner.chars().filter(|c| {
        is_escaped = *c == '\\' && !is_escaped;
        !is_escaped
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn asked(values: &[&'static str]) -> HeaderMap {
        let values = values.iter();
        values
            .map(|value| (WWW_AUTHENTICATE, HeaderValue::from_static(value)))
            .collect()
    }

    fn response(header: &str) -> &str {
        let (_, rest) = header.split_once("response=\"").unwrap();
        rest.split_once('"').unwrap().0
    }

    const NONCE: &str = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v";
    const OWN: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

    /// The examples of RFC 7616, section 3.9.1.
    #[test]
    fn a_challenge_is_answered_as_in_the_examples_of_the_standard() {
        let login = Login {
            username: "Mufasa".to_owned(),
            password: "Circle of Life".to_owned(),
        };
        for (algorithm, expected) in [
            (
                "SHA-256",
                "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
            ),
            ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ] {
            let parameters = [
                ("realm", "http-auth@example.org"),
                ("qop", "auth, auth-int"),
                ("algorithm", algorithm),
                ("nonce", NONCE),
                ("opaque", "FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"),
            ];
            let parameters = parameters.map(|(name, value)| (name.to_owned(), value.to_owned()));
            let challenge = Challenge::read(&parameters).unwrap();
            let header = challenge.answered_with(&login, ("GET", "/dir/index.html"), OWN);
            assert_eq!(response(&header), expected);
        }
    }

    #[test]
    fn the_first_challenge_that_can_be_met_is_found_among_others() {
        let headers = asked(&[
            "Basic realm=\"a, b\", Digest realm=\"x \\\"y\\\", z\", nonce=n1, algorithm=SHA-1",
            "Negotiate, Digest realm=\"c\", nonce=\"n2\", qop=\"auth\", userhash=true",
        ]);
        let challenge = Challenge::of(&headers).unwrap().unwrap();
        assert_eq!(challenge.nonce, "n2");
        assert!(challenge.hides_name && challenge.has_quality);
        assert_eq!(Challenge::of(&asked(&["Bearer realm=\"c\""])), Ok(None));
        let (first, rest) = headers.iter().next().map(|(_, value)| (value, ())).unwrap();
        let () = rest;
        let only = HeaderMap::from_iter([(WWW_AUTHENTICATE, first.clone())]);
        let reason = Challenge::of(&only).unwrap_err();
        assert_eq!(
            reason,
            "the service asks for Digest with `SHA-1`; MD5, SHA-256 and SHA-512-256 are known"
        );
    }
}
