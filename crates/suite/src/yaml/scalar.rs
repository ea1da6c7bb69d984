//! Plain scalars by the YAML 1.2 core schema.

use serde_json::{Number, Value};

/// Why a plain scalar has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unrepresentable {
    /// `.inf`, `.nan`.
    NotFinite,
    /// More digits than a number can keep.
    TooLarge,
}

/// What a plain (unquoted) scalar means. `yes`, `on` and the like are texts.
pub(super) fn resolve(plain: &str) -> Result<Value, Unrepresentable> {
    match plain {
        "" | "~" | "null" | "Null" | "NULL" => Ok(Value::Null),
        "true" | "True" | "TRUE" => Ok(Value::Bool(true)),
        "false" | "False" | "FALSE" => Ok(Value::Bool(false)),
        _ if is_non_finite(plain) => Err(Unrepresentable::NotFinite),
        _ => number(plain).unwrap_or_else(|| Ok(Value::String(plain.to_owned()))),
    }
}

fn is_non_finite(plain: &str) -> bool {
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(plain, ".nan" | ".NaN" | ".NAN")
}

/// `None`: it does not look like a number.
fn number(plain: &str) -> Option<Result<Value, Unrepresentable>> {
    if let Some(digits) = plain.strip_prefix("0x") {
        return based(digits, 16);
    }
    if let Some(digits) = plain.strip_prefix("0o") {
        return based(digits, 8);
    }
    let unsigned = plain.strip_prefix(['+', '-']).unwrap_or(plain);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(integer(plain));
    }
    float(plain)
}

fn based(digits: &str, radix: u32) -> Option<Result<Value, Unrepresentable>> {
    let plausible = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    plausible.then(|| {
        u64::from_str_radix(digits, radix)
            .map(Value::from)
            .map_err(|_| Unrepresentable::TooLarge)
    })
}

fn integer(plain: &str) -> Result<Value, Unrepresentable> {
    plain
        .parse::<i64>()
        .map(Value::from)
        .or_else(|_| plain.parse::<u64>().map(Value::from))
        .map_err(|_| Unrepresentable::TooLarge)
}

fn float(plain: &str) -> Option<Result<Value, Unrepresentable>> {
    let plausible = plain
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    let parsed = plausible.then(|| plain.parse::<f64>().ok())??;
    Some(
        Number::from_f64(parsed)
            .map(Value::Number)
            .ok_or(Unrepresentable::TooLarge),
    )
}
