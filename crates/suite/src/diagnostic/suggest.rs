//! The nearest known name.

/// Longer lists help nobody.
const LISTED: usize = 16;
/// The most characters of a user's word that a message repeats.
const QUOTED: usize = 60;

/// The known name that `name` was most likely meant to be.
///
/// One slip in three characters at most; case, `-`, `_` and blanks do not count.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = fold(name);
    let allowed = name.chars().count().max(3) / 3;
    known
        .into_iter()
        .map(|candidate| (distance(&name, &fold(candidate)), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The remedy for an unknown name: the nearest known one, else the known ones if they are few.
pub fn did_you_mean<'a>(
    name: &str,
    known: impl IntoIterator<Item = &'a str, IntoIter: Clone>,
) -> Option<String> {
    let known = known.into_iter();
    if let Some(nearest) = nearest(name, known.clone()) {
        return Some(format!("did you mean {}?", quoted(nearest)));
    }
    match known.clone().count() {
        1..=LISTED => Some(format!("known: {}", list(known))),
        _ => None,
    }
}

/// A word in backticks, cropped and without control characters, so that it is safe in a message.
#[must_use]
pub fn quoted(word: &str) -> String {
    let mut shown: String = word.chars().take(QUOTED).flat_map(escaped).collect();
    if word.chars().nth(QUOTED).is_some() {
        shown.push('…');
    }
    format!("`{shown}`")
}

/// Words in backticks, separated by commas.
pub fn list<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.map(quoted).collect::<Vec<_>>().join(", ")
}

fn escaped(character: char) -> Vec<char> {
    if character.is_control() {
        character.escape_default().collect()
    } else {
        vec![character]
    }
}

fn fold(name: &str) -> String {
    name.to_lowercase().replace(['-', ' '], "_")
}

/// Names of very different length are never compared: a huge key must not cost its length squared.
fn distance(left: &str, right: &str) -> usize {
    let (long, short) = (left.len().max(right.len()), left.len().min(right.len()));
    if long > 2 * short + 3 {
        usize::MAX
    } else {
        strsim::osa_distance(left, right)
    }
}
