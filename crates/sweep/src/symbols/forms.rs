//! Other forms of a value that are looked for as values themselves.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::decode::is_of_text;
use super::finder::LONG;

/// Shorter pieces of Base64 are found by chance in any text.
const SHORTEST_BASE64: usize = 8;

/// Where the dashes of a UUID are.
const DASHES: [usize; 4] = [8, 13, 18, 23];

/// Whether a value is found by decoding what is in Base64 or in digits.
pub(super) fn is_decoded(value: &str) -> bool {
    value.len() >= LONG && value.bytes().all(is_of_text)
}

/// A UUID, or a number of as many digits, with dashes and without, and its bytes in Base64; without the form that it has.
pub(super) fn of_uuid(value: &str) -> Vec<String> {
    let Some(bytes) = bytes_of_uuid(value) else {
        return Vec::new();
    };
    let digits = hex::encode(bytes);
    let (mut dashed, mut done) = (String::with_capacity(36), 0);
    for (dashes, at) in DASHES.into_iter().enumerate() {
        dashed.extend(digits.get(done..at - dashes).into_iter().chain(["-"]));
        done = at - dashes;
    }
    dashed.extend(digits.get(done..));
    let base64 = STANDARD_NO_PAD.encode(bytes);
    let of_urls = base64
        .contains(['+', '/'])
        .then(|| URL_SAFE_NO_PAD.encode(bytes));
    let mut forms = vec![digits, dashed, base64];
    forms.extend(of_urls);
    forms.retain(|form| !form.eq_ignore_ascii_case(value));
    forms.sort_unstable();
    forms
}

/// Most values are none, which their length says.
fn bytes_of_uuid(value: &str) -> Option<[u8; 16]> {
    let bare = value.strip_prefix("urn:uuid:").unwrap_or(value);
    let bare = bare
        .strip_prefix('{')
        .and_then(|bare| bare.strip_suffix('}'))
        .unwrap_or(bare);
    let has_dash = |at: &usize| bare.as_bytes().get(*at) == Some(&b'-');
    let mut bytes = [0; 16];
    match bare.len() {
        32 => hex::decode_to_slice(bare, &mut bytes).ok()?,
        36 if DASHES.iter().all(has_dash) => {
            let mut digits = [0; 32];
            let of_bare = bare.bytes().filter(|byte| *byte != b'-');
            digits
                .iter_mut()
                .zip(of_bare)
                .for_each(|(to, from)| *to = from);
            hex::decode_to_slice(digits, &mut bytes).ok()?;
        }
        _ => return None,
    }
    Some(bytes)
}

/// The characters that are the same whatever stands around the value in what was encoded. Three bytes are four
/// characters, so there are three ways in which it can lie.
pub(super) fn base64_pieces(value: &str) -> BTreeSet<String> {
    let mut pieces = BTreeSet::new();
    for (before, skip) in [(0, 0), (1, 2), (2, 3)] {
        let bytes = [&vec![0; before], value.as_bytes()].concat();
        let whole = bytes.len() * 8 / 6;
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            let text = engine.encode(&bytes);
            pieces.extend(text.get(skip..whole).map(str::to_owned));
        }
    }
    pieces.retain(|piece| piece.len() >= SHORTEST_BASE64);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_the_forms_that_it_is_not_in() {
        let uuid = "2b1d0a9e-1111-4222-8333-444455556666";
        let all = [
            "2b1d0a9e111142228333444455556666",
            uuid,
            "Kx0KnhERQiKDM0REVVVmZg",
        ];
        let others = |value: &str| of_uuid(value);
        assert_eq!(others(uuid), [all[0], all[2]]);
        assert_eq!(others(&all[0].to_uppercase()), [all[1], all[2]]);
        let sorted = [all[1], all[0], all[2]];
        assert_eq!(others(&format!("{{{uuid}}}")), sorted);
        assert_eq!(others(&format!("urn:uuid:{uuid}")), sorted);
        for other in [
            "2b1d0a9e",
            "2b1d0a9e-1111-4222-8333-44445555666g",
            "not-a-uuid-but-of-36-characters-long",
        ] {
            assert_eq!(of_uuid(other), Vec::<String>::new(), "{other}");
        }
    }
}
