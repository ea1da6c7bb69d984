//! Labels: short names of what is long, which depend on the content alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::template::sha256_hex;

/// Enters a value into a legend under its name and a digest of its content, and gives the label. Four digits do, but for
/// two contents that share them: then the later one has more.
pub(super) fn enter<T: PartialEq>(
    legend: &mut BTreeMap<String, T>,
    name: &str,
    content: &str,
    value: T,
) -> String {
    let digest = sha256_hex(content);
    let mut labels =
        (DIGITS..digest.len()).map(|digits| format!("{name} {}", first(&digest, digits)));
    let is_free = |label: &String| legend.get(label).is_none_or(|taken| *taken == value);
    let label = labels
        .find(is_free)
        .unwrap_or_else(|| format!("{name} {digest}"));
    legend.insert(label.clone(), value);
    label
}

/// `update Table 1a2b` -> `update Table`.
pub(crate) fn act_of(label: &str) -> &str {
    label.rsplit_once(' ').map_or(label, |(act, _)| act)
}

/// `update Table 1a2b` -> `Table`.
pub(crate) fn table_of(label: &str) -> &str {
    let name = label.split_once(' ').map_or(label, |(_, name)| name);
    name.rsplit_once(' ').map_or(name, |(table, _)| table)
}

/// How many digits of a digest make a label.
const DIGITS: usize = 4;

fn first(digest: &str, digits: usize) -> String {
    digest.chars().take(digits).collect()
}

/// A digest of a gate's wording.
fn digest(content: &str) -> String {
    first(&sha256_hex(content), DIGITS)
}

/// How many words and characters of a gate's wording make its label.
const LABEL_WORDS: usize = 9;
const LABEL_LENGTH: usize = 56;

/// A readable label for each wording; wordings that begin alike are told apart by a digest.
pub(super) fn gate_labels<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeMap<String, String> {
    let texts: BTreeSet<&str> = texts.collect();
    let mut by_label: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for text in texts {
        by_label.entry(slug(text)).or_default().push(text);
    }
    let label = |(slug, texts): (String, Vec<&str>)| {
        let alone = texts.len() == 1;
        let label = move |text: &str| {
            if alone {
                slug.clone()
            } else {
                format!("{slug} {}", digest(text))
            }
        };
        texts
            .into_iter()
            .map(|text| (text.to_owned(), label(text)))
            .collect::<Vec<_>>()
    };
    by_label.into_iter().flat_map(label).collect()
}

/// The first words of a gate's message, without symbols and punctuation.
fn slug(text: &str) -> String {
    let message = text.split_once(": ").map_or(text, |(_, message)| message);
    let spoken = message
        .split('<')
        .map(|part| part.split_once('>').map_or(part, |(_, after)| after))
        .collect::<String>();
    let lower = spoken.to_ascii_lowercase().replace('\'', "");
    let words = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty());
    let mut slug = String::new();
    for word in words.take(LABEL_WORDS) {
        if slug.len() + word.len() + 1 > LABEL_LENGTH {
            break;
        }
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.push_str(word);
    }
    if slug.is_empty() {
        "refused".to_owned()
    } else {
        slug
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_that_begin_alike_get_labels_of_their_own() {
        let labels = gate_labels(["e: not allowed for A", "e: not allowed for A!"].into_iter());
        let labels: BTreeSet<_> = labels.into_values().collect();
        assert_eq!(labels.len(), 2);
    }

    #[test]
    fn contents_that_share_a_digests_first_digits_keep_labels_of_their_own() {
        let mut legend = BTreeMap::new();
        let taken = enter(&mut legend, "body", "a", 1);
        assert_eq!(enter(&mut legend, "body", "a", 1), taken);
        let other = enter(&mut legend, "body", "a", 2);
        assert!(
            other.starts_with(&taken) && other.len() == taken.len() + 1,
            "{other}"
        );
    }

    #[test]
    fn a_label_is_the_first_words_without_symbols_and_punctuation() {
        assert_eq!(
            slug("auth_error: {'error': 'Not for <user_id>, sorry'}"),
            "error-not-for-sorry"
        );
        assert_eq!(slug("<actor.key>"), "refused");
    }
}
