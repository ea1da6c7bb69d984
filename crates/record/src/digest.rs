//! Digests of texts.

use sha2::{Digest as _, Sha256};

/// The SHA-256 of `text` in lower-case hex.
#[must_use]
pub fn sha256_hex(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}
