//! Which request makes what another one is called upon: `POST /teams` makes what `/teams/{team_id}` names, if its answer
//! has the identifier.

use indexmap::IndexMap;

use super::named;
use super::names::{singular, words};
use super::path::Paths;
use super::source::Action;

/// How one of a kind is made.
#[derive(Debug)]
pub(super) struct Made {
    /// The request that makes it.
    pub(super) action: Action,
    /// The JSON paths of its symbols in the answer.
    pub(super) captures: IndexMap<String, String>,
    /// Whether it is only a guess where the answer has them.
    pub(super) is_guess: bool,
    /// The path at which it is deleted.
    pub(super) removed: Option<String>,
}

impl Made {
    /// Whether what it sends has a tag.
    pub(super) fn is_tagged(&self) -> bool {
        let sent = [
            self.action.sent().map(|(_, body)| body.to_string()),
            Some(format!("{:?}{:?}", self.action.query, self.action.headers)),
        ];
        sent.into_iter()
            .flatten()
            .any(|text| text.contains("cell.tag"))
    }
}

/// What an action makes, with its kind.
pub(super) fn made(action: &Action, actions: &[Action], paths: &Paths) -> Option<(String, Made)> {
    if action.method != "POST" || !can_be_sent(action) {
        return None;
    }
    let collection = action.path.trim_end_matches('/');
    let one = actions.iter().find(|one| is_below(collection, &one.path))?;
    let (name, identifier) = paths.identifiers(&one.path).pop()?;
    let said = answered(&action.answered, name, &identifier.kind, &identifier.symbol);
    let is_guess = said.is_none();
    // An answer whose fields are known, and that has no identifier, made nothing.
    let path = said.or_else(|| {
        (action.answered.is_empty() && is_plural(collection)).then(|| "$.id".to_owned())
    })?;
    let removes = |other: &&Action| other.method == "DELETE" && is_below(collection, &other.path);
    let made = Made {
        action: action.clone(),
        captures: IndexMap::from([(identifier.symbol, path)]),
        is_guess,
        removed: actions.iter().find(removes).map(|other| other.path.clone()),
    };
    Some((identifier.kind, made))
}

/// What an action makes of a kind that no path leads to: `POST /key/generate` makes a key, if its answer has what names one.
pub(super) fn made_by_name(action: &Action, kind: &str, symbol: &str) -> Option<Made> {
    if !named::makes(action, kind) || !can_be_sent(action) || action.path.contains('{') {
        return None;
    }
    let name = symbol.strip_prefix(&format!("{kind}_")).unwrap_or(symbol);
    let path = answered(&action.answered, name, kind, symbol)?;
    Some(Made {
        action: action.clone(),
        captures: IndexMap::from([(symbol.to_owned(), path)]),
        is_guess: false,
        removed: None,
    })
}

/// Whether a suite can write what it sends, if it sends anything.
fn can_be_sent(action: &Action) -> bool {
    action.body.is_none() || action.sent().is_some()
}

/// Whether a path is that of one thing of a collection.
fn is_below(collection: &str, path: &str) -> bool {
    let rest = path
        .strip_prefix(collection)
        .and_then(|rest| rest.strip_prefix("/{"));
    rest.and_then(|rest| rest.trim_end_matches('/').strip_suffix('}'))
        .is_some_and(|name| !name.contains('}'))
}

fn is_plural(collection: &str) -> bool {
    let last = collection.rsplit('/').next().unwrap_or_default();
    words(last)
        .last()
        .is_some_and(|word| singular(word) != *word)
}

/// The JSON path of a field that has the name of an identifier, in the answer or in what it wraps.
fn answered(fields: &[String], name: &str, kind: &str, symbol: &str) -> Option<String> {
    let plain = |text: &str| words(text).concat();
    let short = symbol.strip_prefix(kind).map(&plain).unwrap_or_default();
    let names = [
        plain(name),
        plain(symbol),
        short,
        "id".to_owned(),
        "uuid".to_owned(),
    ];
    let mut wanted = names.iter().filter(|name| !name.is_empty());
    wanted.find_map(|name| {
        let is_it = |field: &&String| plain(field.rsplit('.').next().unwrap_or_default()) == *name;
        // What is not wrapped comes first.
        let depth = |field: &&String| field.matches('.').count();
        fields
            .iter()
            .filter(is_it)
            .min_by_key(depth)
            .map(|field| json_path(field))
    })
}

fn json_path(field: &str) -> String {
    let is_word = |part: &str| part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let starts = |part: &str| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let part = |part: &str| {
        if is_word(part) && starts(part) {
            format!(".{part}")
        } else {
            format!("[{}]", serde_json::Value::from(part))
        }
    };
    format!("${}", field.split('.').map(part).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_of_a_collection_is_directly_below_it() {
        assert!(is_below("/teams", "/teams/{team_id}") && is_below("/teams", "/teams/{id}/"));
        assert!(
            !is_below("/teams", "/teams/{id}/members/{member}")
                && !is_below("/teams", "/teams/mine")
        );
        assert!(!is_below("/team", "/teams/{id}") && !is_below("/teams", "/teams"));
    }

    #[test]
    fn an_identifier_is_found_by_its_own_name_before_any_other() {
        let found = |fields: &[&str]| {
            let fields: Vec<String> = fields.iter().map(|field| (*field).to_owned()).collect();
            answered(&fields, "teamId", "team", "team_id")
        };
        assert_eq!(
            found(&["id", "data", "data.team_id"]).as_deref(),
            Some("$.data.team_id")
        );
        assert_eq!(found(&["data.id", "id"]).as_deref(), Some("$.id"));
        assert_eq!(
            found(&["the data.id"]).as_deref(),
            Some("$[\"the data\"].id")
        );
        assert_eq!(found(&["name"]), None);
    }
}
