//! Where a number is an identifier: a number of few digits can stand anywhere by chance.

use std::collections::BTreeSet;

use authz_pin_database::Catalog;
use authz_pin_suite::suite::{IdPath, IdsSpec};

use crate::http::decode::xml::TEXT;

/// Where something stands in a document.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'p> {
    key: &'p str,
    is_item: bool,
    above: Option<&'p Place<'p>>,
}

impl<'p> Place<'p> {
    /// The document itself.
    pub(super) const ROOT: Self = Self {
        key: "",
        is_item: false,
        above: None,
    };

    /// The value of a key of what stands here.
    pub(super) fn member(&'p self, key: &'p str) -> Self {
        // The text of an element stands where the element does.
        if key == TEXT {
            return *self;
        }
        Self {
            key,
            is_item: false,
            above: Some(self),
        }
    }

    /// An item of the list that stands here.
    pub(super) fn item(self) -> Self {
        Self {
            is_item: true,
            ..self
        }
    }
}

/// Whether a path of a suite leads there.
fn is_at(path: &IdPath, place: Place<'_>) -> bool {
    let mut at = Some(place);
    for (key, is_item) in path.keys() {
        match at {
            Some(place) if place.key == key && (place.is_item || !is_item) => {
                at = place.above.copied();
            }
            _ => return false,
        }
    }
    !path.is_from_root() || at.is_some_and(|place| place.above.is_none() && !place.is_item)
}

/// The places at which a number is an identifier.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    ids: IdsSpec,
    /// The columns that hold keys, as words.
    columns: BTreeSet<Vec<String>>,
}

impl Places {
    /// Those of a suite, and the columns of its database that hold keys.
    pub(crate) fn of(ids: &IdsSpec, catalog: Option<&Catalog>) -> Self {
        let columns = catalog.into_iter().flat_map(Catalog::of_keys);
        Self {
            ids: ids.clone(),
            columns: columns.map(words).collect(),
        }
    }

    pub(super) fn has(&self, place: Place<'_>) -> bool {
        let is_at = |paths: &[IdPath]| paths.iter().any(|path| is_at(path, place));
        if is_at(&self.ids.never) {
            return false;
        }
        let words = words(place.key);
        is_at(&self.ids.at) || self.columns.contains(&words) || is_identifier(&words, place.is_item)
    }
}

/// Whether the name of a key says that an identifier stands there.
pub(crate) fn is_of_identifier(key: &str) -> bool {
    is_identifier(&words(key), false)
}

/// The words of a key, in small letters: `createdBy`, `created_by` and `created-by` are the same.
fn words(key: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let (mut is_new, mut was_small) = (true, false);
    for c in key.chars() {
        if !c.is_alphanumeric() {
            is_new = true;
            continue;
        }
        // `userID` and `IDs` have one word for the letters of the abbreviation.
        if is_new || was_small && c.is_uppercase() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut() {
            word.extend(c.to_lowercase());
        }
        (is_new, was_small) = (false, !c.is_uppercase());
    }
    words
}

/// Last words of keys that hold an identifier.
const KEYS: [&str; 8] = ["id", "ids", "iid", "pk", "pks", "uid", "uids", "fk"];

/// Those that do so behind another word.
const ENDS: [&str; 4] = ["by", "no", "ref", "nr"];

/// What an object can belong to, or be given to, as frameworks call a field that holds a key.
const RELATIONS: [&str; 44] = [
    "account",
    "actor",
    "applicant",
    "approver",
    "assignee",
    "author",
    "buyer",
    "client",
    "collaborator",
    "company",
    "contributor",
    "creator",
    "customer",
    "editor",
    "employee",
    "follower",
    "group",
    "manager",
    "member",
    "operator",
    "org",
    "organisation",
    "organization",
    "owner",
    "parent",
    "participant",
    "patient",
    "person",
    "principal",
    "project",
    "receiver",
    "recipient",
    "reporter",
    "requester",
    "reviewer",
    "sender",
    "sub",
    "subject",
    "subscriber",
    "supervisor",
    "team",
    "tenant",
    "user",
    "workspace",
];

/// Words with which a number is none, whatever else the key says.
const QUANTITIES: [&str; 19] = [
    "avg", "can", "count", "counts", "has", "index", "is", "length", "limit", "max", "min", "num",
    "offset", "page", "per", "quota", "size", "sum", "total",
];

/// Whether what stands under a key is an identifier, as its name says.
fn is_identifier(words: &[String], is_item: bool) -> bool {
    let Some((last, before)) = words.split_last() else {
        return false;
    };
    let is_one_of = |list: &[&str], word: &str| list.contains(&word);
    let is_relation = |word: &str| is_one_of(&RELATIONS, word);
    let is_quantity = words.iter().any(|word| is_one_of(&QUANTITIES, word));
    let without_id = last.strip_suffix("id").or_else(|| last.strip_suffix("ids"));
    is_one_of(&KEYS, last)
        || without_id.is_some_and(is_relation)
        || !is_quantity
            && (is_relation(last)
                || !before.is_empty() && is_one_of(&ENDS, last)
                || is_item && singular(last).is_some_and(|one| is_relation(&one)))
}

/// The word of which this one is several.
fn singular(word: &str) -> Option<String> {
    match word {
        "children" => Some("parent".to_owned()),
        "people" => Some("person".to_owned()),
        _ => {
            let one = word.strip_suffix('s')?;
            let of_y = one.strip_suffix("ie").map(|stem| format!("{stem}y"));
            Some(of_y.unwrap_or_else(|| one.to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(key: &str, is_item: bool) -> bool {
        is_identifier(&words(key), is_item)
    }

    #[test]
    fn the_name_of_a_key_says_whether_it_holds_an_identifier() {
        for key in [
            "id",
            "ID",
            "pk",
            "project_id",
            "ownerId",
            "userID",
            "team-ids",
            "userIDs",
            "owner",
            "created_by",
            "createdBy",
            "author",
            "uid",
            "userNo",
            "user_ref",
            "userid",
            "assignedUser",
            "parent",
            "issue_iid",
        ] {
            assert!(is(key, false), "{key}");
        }
        for key in [
            "total",
            "count",
            "version",
            "paid",
            "valid",
            "grid",
            "by",
            "no",
            "max_user",
            "members",
            "users_count",
            "is_owner",
            "status",
            "per_user",
            "page_number",
            "",
        ] {
            assert!(!is(key, false), "{key}");
        }
    }

    #[test]
    fn several_are_identifiers_in_a_list_only() {
        for key in [
            "members",
            "users",
            "companies",
            "children",
            "project_owners",
        ] {
            assert!(is(key, true) && !is(key, false), "{key}");
        }
        assert!(!is("counts", true) && !is("scores", true));
    }

    /// Whether a path of a suite is at the item `data.members[]`, and at `data.members[].no`.
    fn places(path: &str) -> (bool, bool) {
        let path = IdPath::try_from(path.to_owned()).unwrap();
        let data = Place::ROOT.member("data");
        let item = data.member("members").item();
        (is_at(&path, item), is_at(&path, item.member("no")))
    }

    #[test]
    fn a_suite_names_places_from_their_end_or_from_the_root() {
        assert_eq!(places("members"), (true, false));
        assert_eq!(places("members[]"), (true, false));
        assert_eq!(places("data.members[*]"), (true, false));
        assert_eq!(places("no"), (false, true));
        assert_eq!(places("members[].no"), (false, true));
        assert_eq!(places("$.data.members[].no"), (false, true));
        for other in [
            "data",
            "no[]",
            "$.members[]",
            "$.no",
            "x.members[]",
            "data[].members",
        ] {
            assert_eq!(places(other), (false, false), "{other}");
        }
    }

    #[test]
    fn a_column_that_holds_a_key_in_every_table_is_a_place() {
        let table = |key: &str, columns: [&str; 2], references: serde_json::Value| {
            serde_json::json!({"relation": "", "root": "", "key": [key], "temporal": {}, "numbered": [],
                "references": references, "columns": columns})
        };
        let catalog = serde_json::json!({"tables": {
            "person": table("badge", ["badge", "state"], serde_json::json!({})),
            "pass": table("pass", ["heldBy", "state"], serde_json::json!({"heldBy": "person", "state": "states"})),
        }});
        let catalog: Catalog = serde_json::from_value(catalog).unwrap();
        let places = Places::of(&IdsSpec::default(), Some(&catalog));
        let has = |key: &str| places.has(Place::ROOT.member(key));
        assert!(has("badge") && has("held_by"));
        assert!(!has("state") && !has("held"));
    }
}
