//! What a success shows at one path of its body.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// What an answer shows at one path of its body: a path says nothing of an item's place in its list, so there can be several
/// values.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(untagged)]
pub enum Value {
    /// One value, however often.
    One(Scalar),
    /// Several values, each once.
    Several(BTreeSet<Scalar>),
    /// The items of a list, as numbers by whom they name.
    Items(BTreeMap<String, Count>),
}

/// A value that has no parts, as it stands in a record.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Scalar {
    /// Nothing.
    Null,
    /// True or false.
    Flag(bool),
    /// A number.
    Number(Number),
    /// A text: in clear, with names in place of known values, or what stands for it.
    Text(String),
}

/// How many items of a list there are of a sort.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize, Serialize, JsonSchema,
)]
#[serde(try_from = "CountText", into = "CountText")]
#[schemars(with = "CountText")]
pub enum Count {
    /// As many.
    Exactly(u64),
    /// One or more: how many is another number each time.
    AtLeastOne,
}

/// A count in a file: a number, or the word `some`.
#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(untagged)]
enum CountText {
    Number(u64),
    Word(String),
}

const SOME: &str = "some";

impl TryFrom<CountText> for Count {
    type Error = String;

    fn try_from(text: CountText) -> Result<Self, String> {
        match text {
            CountText::Number(number) => Ok(Self::Exactly(number)),
            CountText::Word(word) if word == SOME => Ok(Self::AtLeastOne),
            CountText::Word(word) => Err(format!("`{word}` is neither a number nor `{SOME}`")),
        }
    }
}

impl From<Count> for CountText {
    fn from(count: Count) -> Self {
        match count {
            Count::Exactly(number) => Self::Number(number),
            Count::AtLeastOne => Self::Word(SOME.to_owned()),
        }
    }
}

impl Value {
    /// What stands for null and for a field that is not there, where others of the record have a value.
    #[must_use]
    pub fn absent() -> Self {
        Self::One(Scalar::Text(ABSENT.to_owned()))
    }

    /// Whether there is no value, although others of the record have one.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::One(Scalar::Text(text)) if text == ABSENT)
    }

    /// Whether it says anything: null and what is empty do not.
    #[must_use]
    pub fn tells(&self) -> bool {
        match self {
            Self::One(scalar) => scalar.tells(),
            Self::Several(all) => all.iter().any(Scalar::tells),
            Self::Items(classes) => !classes.is_empty(),
        }
    }

    /// The values, where these are no items of a list.
    #[must_use]
    pub fn scalars(&self) -> BTreeSet<&Scalar> {
        match self {
            Self::One(scalar) => BTreeSet::from([scalar]),
            Self::Several(all) => all.iter().collect(),
            Self::Items(_) => BTreeSet::new(),
        }
    }

    /// Whether a flag is among the values that the other has not.
    #[must_use]
    pub fn turns_a_flag_of(&self, other: &Self) -> bool {
        let (these, others) = (self.scalars(), other.scalars());
        other.has_flag() && these.difference(&others).any(|scalar| scalar.is_flag())
    }

    /// Whether a flag is among the values.
    #[must_use]
    pub fn has_flag(&self) -> bool {
        self.scalars().iter().any(|scalar| scalar.is_flag())
    }

    /// Whether a text has the name of one of these symbols.
    #[must_use]
    pub fn names_one_of(&self, symbols: &BTreeSet<String>) -> bool {
        let names = |scalar: &&Scalar| match scalar {
            Scalar::Text(text) => symbols
                .iter()
                .any(|name| text.contains(&format!("<{name}>"))),
            Scalar::Null | Scalar::Flag(_) | Scalar::Number(_) => false,
        };
        self.scalars().iter().any(names)
    }

    /// The sorts of items; of what is no list with items, none.
    #[must_use]
    pub fn sorts(&self) -> BTreeSet<&str> {
        match self {
            Self::Items(classes) => classes.keys().map(String::as_str).collect(),
            Self::One(_) | Self::Several(_) => BTreeSet::new(),
        }
    }

    /// The items of the sorts that another list has not, each sort by itself.
    #[must_use]
    pub fn items_besides(&self, other: &Self) -> Vec<Self> {
        let (Self::Items(classes), known) = (self, other.sorts()) else {
            return Vec::new();
        };
        let news = classes
            .iter()
            .filter(|(sort, _)| !known.contains(sort.as_str()));
        news.map(|(sort, count)| Self::Items(BTreeMap::from([(sort.clone(), *count)])))
            .collect()
    }

    /// Both together, as of two pages of one list.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Items(mut all), Self::Items(more)) => {
                for (sort, count) in more {
                    let known = all.entry(sort).or_insert(Count::Exactly(0));
                    *known = known.and(count);
                }
                Self::Items(all)
            }
            // An empty page beside one with items.
            (items @ Self::Items(_), _) | (_, items @ Self::Items(_)) => items,
            (one, other) => {
                let all = &one.scalars() | &other.scalars();
                Self::of(all.into_iter().cloned().collect())
            }
        }
    }

    /// The values of a path, of which there is one at least.
    #[must_use]
    pub fn of(all: BTreeSet<Scalar>) -> Self {
        let mut one = all.iter();
        match (one.next(), one.next()) {
            (Some(only), None) => Self::One(only.clone()),
            _ => Self::Several(all),
        }
    }

    /// The same with other texts, and other names of those whom items name, in place of its own.
    #[must_use]
    pub fn map(&self, text: impl Fn(&str) -> String, name: impl Fn(&str) -> String) -> Self {
        let scalar = |scalar: &Scalar| match scalar {
            Scalar::Text(own) => Scalar::Text(text(own)),
            other => other.clone(),
        };
        match self {
            Self::One(one) => Self::One(scalar(one)),
            Self::Several(all) => Self::of(all.iter().map(scalar).collect()),
            Self::Items(classes) => {
                let classes = classes.iter();
                Self::Items(classes.map(|(sort, count)| (name(sort), *count)).collect())
            }
        }
    }
}

/// What stands for null and for a field that is not there: which of both it is, the shape says.
const ABSENT: &str = "<none>";

impl Scalar {
    fn is_flag(&self) -> bool {
        matches!(self, Self::Flag(_))
    }

    fn tells(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Text(text) => !["", "[]", "{}", ABSENT].contains(&text.as_str()),
            Self::Flag(_) | Self::Number(_) => true,
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Flag(_) => 1,
            Self::Number(_) => 2,
            Self::Text(_) => 3,
        }
    }
}

/// By sort, then numbers by what they are, and all else by its text.
impl Ord for Scalar {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = |scalar: &Self| match scalar {
            Self::Number(number) => number.as_f64().unwrap_or_default(),
            _ => 0.0,
        };
        let by_size = || size(self).total_cmp(&size(other));
        let by_text = || self.to_string().cmp(&other.to_string());
        let by_rank = self.rank().cmp(&other.rank());
        by_rank.then_with(by_size).then_with(by_text)
    }
}

impl PartialOrd for Scalar {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Count {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Exactly(one), Self::Exactly(other)) => Self::Exactly(one + other),
            _ => Self::AtLeastOne,
        }
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => out.write_str("null"),
            Self::Flag(flag) => flag.fmt(out),
            Self::Number(number) => number.fmt(out),
            Self::Text(text) => out.write_str(text),
        }
    }
}

impl fmt::Display for Count {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(number) => number.fmt(out),
            Self::AtLeastOne => out.write_str(SOME),
        }
    }
}

/// For a person: in a file each sort has a form of its own.
impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = match self {
            Self::One(scalar) => return scalar.fmt(out),
            Self::Several(all) => all.iter().map(ToString::to_string).collect(),
            Self::Items(classes) => {
                let classes = classes.iter();
                classes
                    .map(|(sort, count)| format!("{count} of {sort}"))
                    .collect()
            }
        };
        out.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn value(json: serde_json::Value) -> Value {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_value_reads_back_as_it_was_written() {
        let all = [
            json!(null),
            json!(false),
            json!(120_000),
            json!(0.5),
            json!("member"),
            json!("12"),
            json!([null, true, 1, "a"]),
            json!({"target": 1, "unknown": "some"}),
        ];
        for json in all {
            assert_eq!(serde_json::to_value(value(json.clone())).unwrap(), json);
            let yaml = crate::yaml::to_string(&value(json.clone())).unwrap();
            assert_eq!(
                crate::yaml::from_str::<Value>(&yaml).unwrap(),
                value(json),
                "{yaml}"
            );
        }
    }

    #[test]
    fn pages_add_up() {
        let all = value(json!({"target": 1, "unknown": "some"}));
        let both = all
            .clone()
            .and(value(json!({"target": 2, "owner": 1, "unknown": 3})));
        assert_eq!(
            both,
            value(json!({"owner": 1, "target": 3, "unknown": "some"}))
        );
        assert_eq!(value(json!("[]")).and(all.clone()), all);
        assert_eq!(value(json!("a")).and(value(json!("a"))), value(json!("a")));
        assert_eq!(
            value(json!("a")).and(value(json!(null))),
            value(json!([null, "a"]))
        );
    }

    #[test]
    fn a_flag_turns_where_there_was_one() {
        let turns = |was, is| value(is).turns_a_flag_of(&value(was));
        assert!(turns(json!(false), json!(true)) && turns(json!(true), json!(false)));
        assert!(turns(json!(false), json!([false, true])));
        assert!(!turns(json!(null), json!(true)) && !turns(json!(1), json!(2)));
        assert!(!turns(json!(true), json!(true)));
    }
}
