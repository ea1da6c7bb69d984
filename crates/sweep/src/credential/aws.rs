//! AWS Signature Version 4, as far as headers carry it. What a crate for it would add to a build is a client for AWS.

use authz_pin_record::text::{RESERVED, RESERVED_IN_PATH, on_one_line};
use chrono::{DateTime, Utc};
use percent_encoding::{percent_decode_str, percent_encode, utf8_percent_encode};
use ring::hmac::{HMAC_SHA256, Key, sign};
use sha2::{Digest, Sha256};
use url::Url;

use super::signer::{Outgoing, host};

/// Whose paths are encoded once, and whose requests say what they carry.
const OBJECTS: &str = "s3";

/// Keys, and what they sign for. It cannot be printed.
#[derive(Clone)]
pub(crate) struct Keys {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
    pub(crate) session_token: Option<String>,
    pub(crate) region: String,
    pub(crate) service: String,
}

impl Keys {
    /// The headers that sign a request.
    pub(crate) fn sign(&self, request: &Outgoing<'_>, now: DateTime<Utc>) -> Vec<(String, String)> {
        let at = now.format("%Y%m%dT%H%M%SZ").to_string();
        let payload = hex::encode(Sha256::digest(request.body));
        let mut headers = vec![("x-amz-date".to_owned(), at.clone())];
        if self.service == OBJECTS {
            headers.push(("x-amz-content-sha256".to_owned(), payload.clone()));
        }
        let token = self.session_token.as_ref();
        headers.extend(token.map(|token| ("x-amz-security-token".to_owned(), token.clone())));
        let mut signed = headers.clone();
        signed.push(("host".to_owned(), host(request.url).to_owned()));
        let media_type = request.header("content-type");
        signed.extend(media_type.map(|text| ("content-type".to_owned(), text)));
        signed.sort();
        let names: Vec<&str> = signed.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines = signed.iter();
        let lines: String = lines
            .map(|(name, value)| [name, ":", &on_one_line(value), "\n"].concat())
            .collect();
        let canonical = [
            request.method,
            &self.path(request.url),
            &query(request.url),
            &lines,
            &names,
            &payload,
        ]
        .join("\n");
        let day = now.format("%Y%m%d").to_string();
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let digest = hex::encode(Sha256::digest(canonical));
        let text = format!("AWS4-HMAC-SHA256\n{at}\n{scope}\n{digest}");
        let signature = hex::encode(hmac(&self.key(&day), &text));
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={names}, Signature={signature}",
            self.access_key
        );
        headers.push(("authorization".to_owned(), authorization));
        headers
    }

    /// The key of one day.
    fn key(&self, day: &str) -> Vec<u8> {
        let first = format!("AWS4{}", self.secret_key).into_bytes();
        let parts = [day, &self.region, &self.service, "aws4_request"];
        parts.iter().fold(first, |key, part| hmac(&key, part))
    }

    fn path(&self, url: &Url) -> String {
        let sent = url.path();
        if self.service == OBJECTS {
            let plain: Vec<u8> = percent_decode_str(sent).collect();
            return percent_encode(&plain, RESERVED_IN_PATH).to_string();
        }
        utf8_percent_encode(sent, RESERVED_IN_PATH).to_string()
    }
}

fn hmac(key: &[u8], text: &str) -> Vec<u8> {
    let key = Key::new(HMAC_SHA256, key);
    sign(&key, text.as_bytes()).as_ref().to_vec()
}

/// A query in the order and the encoding that are signed.
fn query(url: &Url) -> String {
    let encoded = |text: &str| {
        let plain: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&plain, RESERVED).to_string()
    };
    let pairs = url.query().unwrap_or_default().split('&');
    let pairs = pairs.filter(|pair| !pair.is_empty());
    let mut pairs: Vec<(String, String)> = pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encoded(name), encoded(value)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderValue};

    /// The signature of a request, with the keys, the time and the host of the published examples.
    fn signature(method: &str, path: &str, media_type: Option<&str>, body: &str) -> String {
        signature_of(
            &keys("service"),
            method,
            &format!("https://example.amazonaws.com{path}"),
            (media_type, body),
        )
    }

    fn keys(service: &str) -> Keys {
        Keys {
            access_key: "AKIDEXAMPLE".to_owned(),
            secret_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            session_token: None,
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
        }
    }

    fn signature_of(
        keys: &Keys,
        method: &str,
        url: &str,
        (media_type, body): (Option<&str>, &str),
    ) -> String {
        let mut headers = HeaderMap::new();
        if let Some(media_type) = media_type {
            headers.insert("content-type", HeaderValue::from_str(media_type).unwrap());
        }
        let url = Url::parse(url).unwrap();
        let request = Outgoing {
            method,
            url: &url,
            headers: &headers,
            body: body.as_bytes(),
        };
        let now = DateTime::parse_from_rfc3339("2015-08-30T12:36:00Z").unwrap();
        let signed = keys.sign(&request, now.into());
        let (_, authorization) = signed.last().unwrap();
        authorization
            .rsplit_once("Signature=")
            .unwrap()
            .1
            .to_owned()
    }

    /// The examples of the test suite that AWS publishes, and of its documentation (`ListUsers`).
    #[test]
    fn requests_are_signed_as_the_published_examples_are() {
        let cases = [
            (
                signature("GET", "/", None, ""),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                signature("POST", "/", None, ""),
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                signature("GET", "/?Param2=value2&Param1=value1", None, ""),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                signature(
                    "POST",
                    "/",
                    Some("application/x-www-form-urlencoded"),
                    "Param1=value1",
                ),
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
            (
                signature_of(
                    &keys("iam"),
                    "GET",
                    "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
                    (Some("application/x-www-form-urlencoded; charset=utf-8"), ""),
                ),
                "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
            ),
        ];
        for (signature, expected) in cases {
            assert_eq!(signature, expected);
        }
    }

    #[test]
    fn a_path_is_encoded_once_more_than_it_is_sent_but_for_objects() {
        let url = Url::parse("https://host/a%20b/(c)").unwrap();
        assert_eq!(keys("execute-api").path(&url), "/a%2520b/%28c%29");
        assert_eq!(keys("s3").path(&url), "/a%20b/%28c%29");
    }
}
