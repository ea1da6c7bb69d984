//! YAML as the tool itself writes it, and reads it back.

use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

pub use serde_yaml::Error;

/// A value as YAML, for files that the tool itself writes.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, Error> {
    serde_yaml::to_string(value)
}

/// Reads back what [`to_string`] wrote.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    if is_deep(text) {
        return Err(Error::custom("lists and maps nest too deep"));
    }
    serde_yaml::from_str(text)
}

/// How many more brackets may be open than closed, those in texts among them.
const MAX_OPEN: usize = 1_000;

/// Whether so many brackets are open that the parser, whose work for each of them grows with their number, would not
/// end in reasonable time.
fn is_deep(text: &str) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_OPEN
    })
}
