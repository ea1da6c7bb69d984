//! The filters that encode, decode and sign texts.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, alphabet};
use minijinja::{Environment, Error, ErrorKind, Value};
use percent_encoding::utf8_percent_encode;
use ring::hmac;

use authz_pin_record::text::RESERVED;

const ANY_PADDING: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);

pub(super) fn add_filters(environment: &mut Environment<'_>) {
    // What is encoded already is not encoded again in a path.
    environment.add_filter("urlencode", |text: String| {
        Value::from_safe_string(percent_encoded(&text))
    });
    environment.add_filter("b64encode", |text: String| STANDARD.encode(text));
    environment.add_filter("b64url", |text: String| URL_SAFE_NO_PAD.encode(text));
    environment.add_filter("b64decode", |text: String| b64_decoded(&text));
    environment.add_filter("hmac", |text: String, key: String, form: Option<String>| {
        signed(&text, &key, form.as_deref())
    });
}

/// A text as one part of a path or a query. The names of a folder and the one above it would be a way in a path, so that
/// their points are encoded too.
pub(crate) fn percent_encoded(text: &str) -> String {
    match text {
        "." | ".." => text.replace('.', "%2E"),
        text => utf8_percent_encode(text, RESERVED).to_string(),
    }
}

/// The text that Base64 of either alphabet stands for, with or without padding.
fn b64_decoded(text: &str) -> Result<String, Error> {
    let standard = text.trim().replace('-', "+").replace('_', "/");
    let decoded = GeneralPurpose::new(&alphabet::STANDARD, ANY_PADDING).decode(standard);
    // What could not be decoded may be a secret, and a byte of it is one too.
    let bytes = decoded.map_err(|error| match error {
        DecodeError::InvalidByte(at, _) => {
            invalid(format!("character {} is none of Base64", at + 1))
        }
        _ => invalid("the text is not Base64"),
    })?;
    String::from_utf8(bytes).map_err(|_| invalid("what the Base64 stands for is no text"))
}

/// The HMAC of a text with SHA-256.
fn signed(text: &str, key: &str, form: Option<&str>) -> Result<String, Error> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let tag = hmac::sign(&key, text.as_bytes());
    match form {
        None | Some("hex") => Ok(hex::encode(tag)),
        Some("base64") => Ok(STANDARD.encode(tag)),
        Some("base64url") => Ok(URL_SAFE_NO_PAD.encode(tag)),
        Some(_) => Err(invalid("the form is not `hex`, `base64` or `base64url`")),
    }
}

fn invalid(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason)
}
