//! The functions that draw values.

use minijinja::{Environment, Error, ErrorKind};
use rand::RngExt;

/// The most random characters that a template can ask for.
const MAX_RANDOM: usize = 4096;

pub(super) fn add_functions(environment: &mut Environment<'_>) {
    environment.add_function("random", drawn);
    environment.add_function("digits", digits);
    environment.add_function("uuid", uuid);
}

/// `n` random characters of `[0-9A-Za-z]`.
#[must_use]
pub fn random(n: usize) -> String {
    rand::rng()
        .sample_iter(rand::distr::Alphanumeric)
        .take(n)
        .map(char::from)
        .collect()
}

fn drawn(n: usize) -> Result<String, Error> {
    if n > MAX_RANDOM {
        let message = format!("random gives at most {MAX_RANDOM} characters");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    Ok(random(n))
}

/// `n` random digits, which are also a number of that length.
fn digits(n: usize) -> Result<String, Error> {
    if !(1..=MAX_RANDOM).contains(&n) {
        let message = format!("digits gives 1 to {MAX_RANDOM} digits");
        return Err(Error::new(ErrorKind::InvalidOperation, message));
    }
    let mut rng = rand::rng();
    let digit = |at| rng.random_range(u8::from(at == 0)..10);
    Ok((0..n).map(digit).map(|digit| digit.to_string()).collect())
}

/// A random UUID (RFC 9562, version 4).
fn uuid() -> String {
    let mut bytes: [u8; 16] = rand::rng().random();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = hex::encode(bytes);
    let part = |from, to| hex.get(from..to).unwrap_or_default();
    let parts = [
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32),
    ];
    parts.join("-")
}
