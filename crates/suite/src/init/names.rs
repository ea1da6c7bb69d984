//! Names for what had none, or had some that a suite cannot use.

use std::collections::BTreeSet;

use authz_pin_record::digest::sha256_hex;

pub(super) use authz_pin_record::text::words;

/// A longer name is cut.
const MAX_NAME: usize = 80;

/// The name of a file: `update-team-v2`.
pub(super) fn file(text: &str) -> String {
    let name = cut(&words(text).join("-"), text);
    // What is left of other scripts could be left of many a text.
    if text.chars().any(|c| c.is_alphanumeric() && !c.is_ascii()) {
        return format!("{name}-{}", digest(text))
            .trim_start_matches('-')
            .to_owned();
    }
    name
}

/// A name that templates can use: `update_team_v2`; none where nothing of the text is left.
pub(super) fn identifier(text: &str) -> Option<String> {
    let words = words(text);
    let name = cut(&words.join("_"), text);
    match name.chars().next()? {
        c if c.is_ascii_digit() => Some(format!("n{name}")),
        _ => Some(name),
    }
}

/// A long name ends with digits that depend on all of it.
fn cut(name: &str, text: &str) -> String {
    match name.get(MAX_NAME..) {
        None | Some("") => name.to_owned(),
        Some(_) => format!(
            "{}-{}",
            name.get(..MAX_NAME).unwrap_or_default(),
            digest(text)
        )
        .replace('-', if name.contains('_') { "_" } else { "-" }),
    }
}

/// Four hex digits that depend on a text alone.
pub(super) fn digest(text: &str) -> String {
    sha256_hex(text).chars().take(4).collect()
}

/// What is said of several and of one.
const IRREGULAR: [(&str, &str); 4] = [
    ("people", "person"),
    ("children", "child"),
    ("indices", "index"),
    ("series", "series"),
];

/// One of several things: `policies` -> `policy`, `boxes` -> `box`, `teams` -> `team`.
pub(super) fn singular(word: &str) -> String {
    if let Some((_, one)) = IRREGULAR.iter().find(|(many, _)| *many == word) {
        return (*one).to_owned();
    }
    let stem = |ending: &str| word.strip_suffix(ending).filter(|stem| stem.len() > 1);
    if let Some(stem) = stem("ies") {
        return format!("{stem}y");
    }
    for ending in ["sses", "xes", "ches", "shes"] {
        if let Some(stem) = stem(ending) {
            return format!("{stem}{}", ending.strip_suffix("es").unwrap_or_default());
        }
    }
    match stem("s") {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

/// A name that none of the others has.
pub(super) fn unique(name: &str, taken: &mut BTreeSet<String>) -> String {
    let numbered = (2..).map(|n: u32| format!("{name}_{n}"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    let free = names.find(|name| !taken.contains(name)).unwrap_or_default();
    taken.insert(free.clone());
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_any_case() {
        let found = |text| words(text).join(" ");
        assert_eq!(found("updateTeam_v2"), "update team v2");
        assert_eq!(found("getHTTPServer"), "get http server");
        assert_eq!(found("/teams/{team-id}/"), "teams team id");
        assert_eq!(found("créer équipe"), "cr er quipe");
        assert_eq!(found("日本"), "");
    }

    #[test]
    fn one_of_several_things_has_a_name() {
        let things = [
            "teams", "policies", "boxes", "classes", "status", "news", "bus", "s", "address",
        ];
        assert_eq!(
            things.map(singular),
            [
                "team", "policy", "box", "class", "status", "new", "bus", "s", "address"
            ]
        );
    }

    #[test]
    fn a_long_name_is_cut_and_stays_apart_from_others() {
        let [one, other] = ["a", "b"].map(|end| file(&format!("{}{end}", "long ".repeat(40))));
        assert!(one != other && one.len() < 90, "{one}");
    }

    #[test]
    fn an_identifier_begins_with_a_letter() {
        assert_eq!(identifier("2fa-code").as_deref(), Some("n2fa_code"));
        assert_eq!(identifier("日本"), None);
    }
}
