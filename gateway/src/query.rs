//! The query of `/key/list`.

use serde_json::{Map, Value, json};

use crate::{
    denial::{Answer, Denial},
    fields,
};

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ListQuery {
    pub(crate) page: i64,
    pub(crate) size: i64,
    pub(crate) user_id: Option<String>,
    pub(crate) team_id: Option<String>,
    pub(crate) organization_id: Option<String>,
    pub(crate) key_hash: Option<String>,
    pub(crate) key_alias: Option<String>,
    pub(crate) return_full_object: bool,
    pub(crate) include_team_keys: bool,
    pub(crate) include_created_by_keys: bool,
    pub(crate) sort_by: Option<String>,
    pub(crate) sort_order: String,
}

impl ListQuery {
    /// Reads a query, or reports all that is wrong with it in the order of the real parameters.
    pub(crate) fn read(query: &Map<String, Value>) -> Result<Self, Answer> {
        let mut reader = Reader {
            query,
            problems: Vec::new(),
        };
        let read = Self {
            page: reader.number("page", 1, i64::MAX),
            size: reader.number("size", 10, 100),
            user_id: reader.text("user_id"),
            team_id: reader.text("team_id"),
            organization_id: reader.text("organization_id"),
            key_hash: reader.text("key_hash"),
            key_alias: reader.text("key_alias"),
            return_full_object: reader.flag("return_full_object"),
            include_team_keys: reader.flag("include_team_keys"),
            include_created_by_keys: reader.flag("include_created_by_keys"),
            sort_by: reader.given("sort_by").map(str::to_owned),
            sort_order: reader.given("sort_order").unwrap_or("desc").to_owned(),
        };
        if reader.problems.is_empty() {
            Ok(read)
        } else {
            Err(Answer::invalid(reader.problems))
        }
    }

    /// How many keys come before the page.
    pub(crate) fn offset(&self) -> i64 {
        (self.page - 1).saturating_mul(self.size)
    }

    /// How many pages that many keys make.
    pub(crate) fn pages(&self, keys: i64) -> i64 {
        keys.div_euclid(self.size) + i64::from(keys.rem_euclid(self.size) > 0)
    }

    /// The column to sort by and whether it descends; `None` for the default order.
    pub(crate) fn order(&self) -> Result<Option<(SortColumn, bool)>, Denial> {
        let Some(name) = &self.sort_by else {
            return Ok(None);
        };
        let Some((_, column)) = SORT_COLUMNS.iter().find(|(known, _)| known == name) else {
            let known: Vec<_> = SORT_COLUMNS.iter().map(|(name, _)| *name).collect();
            let message = format!("Invalid sort column. Must be one of: {}", known.join(", "));
            return Err(Denial::error(400, message));
        };
        match self.sort_order.to_lowercase().as_str() {
            "asc" => Ok(Some((*column, false))),
            "desc" => Ok(Some((*column, true))),
            _ => Err(Denial::error(
                400,
                "Invalid sort order. Must be 'asc' or 'desc'",
            )),
        }
    }
}

/// A column that `/key/list` sorts by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SortColumn {
    Spend,
    MaxBudget,
    CreatedAt,
    UpdatedAt,
    Token,
    KeyAlias,
}

const SORT_COLUMNS: [(&str, SortColumn); 6] = [
    ("spend", SortColumn::Spend),
    ("max_budget", SortColumn::MaxBudget),
    ("created_at", SortColumn::CreatedAt),
    ("updated_at", SortColumn::UpdatedAt),
    ("token", SortColumn::Token),
    ("key_alias", SortColumn::KeyAlias),
];

struct Reader<'a> {
    query: &'a Map<String, Value>,
    problems: Vec<Value>,
}

impl<'a> Reader<'a> {
    fn given(&self, name: &str) -> Option<&'a str> {
        self.query.get(name).and_then(Value::as_str)
    }

    /// A filter; an empty one filters nothing.
    fn text(&self, name: &str) -> Option<String> {
        self.given(name)
            .filter(|value| !value.is_empty())
            .map(str::to_owned)
    }

    fn flag(&mut self, name: &str) -> bool {
        let Some(given) = self.given(name) else {
            return false;
        };
        fields::flag(given).unwrap_or_else(|| {
            let message = "Input should be a valid boolean, unable to interpret input";
            self.problems
                .push(problem("bool_parsing", name, message, given));
            false
        })
    }

    /// A number from 1 to `most`.
    fn number(&mut self, name: &str, default: i64, most: i64) -> i64 {
        let Some(given) = self.given(name) else {
            return default;
        };
        let found = match given.trim().parse::<i64>() {
            Ok(number) if number < 1 => {
                limit(name, given, "greater_than_equal", "greater", "ge", 1)
            }
            Ok(number) if number > most => {
                limit(name, given, "less_than_equal", "less", "le", most)
            }
            Ok(number) => return number,
            Err(_) => {
                let message =
                    "Input should be a valid integer, unable to parse string as an integer";
                problem("int_parsing", name, message, given)
            }
        };
        self.problems.push(found);
        default
    }
}

fn limit(name: &str, given: &str, kind: &str, than: &str, sign: &str, limit: i64) -> Value {
    let mut found = problem(
        kind,
        name,
        &format!("Input should be {than} than or equal to {limit}"),
        given,
    );
    if let Some(found) = found.as_object_mut() {
        found.insert("ctx".into(), json!({sign: limit}));
    }
    found
}

fn problem(kind: &str, name: &str, message: &str, given: &str) -> Value {
    json!({"type": kind, "loc": ["query", name], "msg": message, "input": given})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<ListQuery, Answer> {
        ListQuery::read(
            &pairs
                .iter()
                .map(|(name, value)| ((*name).into(), json!(value)))
                .collect(),
        )
    }

    #[test]
    fn pages_start_at_one_and_the_last_may_be_part_full() {
        let query = read(&[("page", "3"), ("size", "10")]).unwrap();
        assert_eq!(query.offset(), 20);
        assert_eq!([0, 1, 10, 11].map(|keys| query.pages(keys)), [0, 1, 1, 2]);
    }

    #[test]
    fn all_that_is_wrong_with_a_query_is_reported_at_once() {
        let answer = read(&[
            ("size", "1000"),
            ("page", "x"),
            ("include_team_keys", "perhaps"),
        ])
        .unwrap_err();
        assert_eq!(answer.status, 422);
        assert_eq!(
            answer.body["detail"],
            json!([
                {"type": "int_parsing", "loc": ["query", "page"], "input": "x",
                 "msg": "Input should be a valid integer, unable to parse string as an integer"},
                {"type": "less_than_equal", "loc": ["query", "size"], "input": "1000",
                 "msg": "Input should be less than or equal to 100", "ctx": {"le": 100}},
                {"type": "bool_parsing", "loc": ["query", "include_team_keys"], "input": "perhaps",
                 "msg": "Input should be a valid boolean, unable to interpret input"},
            ])
        );
    }

    #[test]
    fn an_unknown_column_is_no_order() {
        assert_eq!(read(&[]).unwrap().order(), Ok(None));
        let order = read(&[("sort_by", "spend"), ("sort_order", "ASC")])
            .unwrap()
            .order();
        assert_eq!(order, Ok(Some((SortColumn::Spend, false))));
        assert!(read(&[("sort_by", "models")]).unwrap().order().is_err());
    }
}
