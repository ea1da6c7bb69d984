//! The parts of an OpenAPI document that are read, as they stand in it.

use std::fmt;
use std::marker::PhantomData;

use indexmap::IndexMap;
use serde::Deserialize;
use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The methods of a path item by their key, in the order in which they are listed.
pub(super) const METHODS: [&str; 8] = [
    "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE",
];
/// How many entries a map of paths or components may have.
const MAX_ENTRIES: usize = 100_000;
/// How many parameters an operation or a path may have, and how many tags.
pub(super) const MAX_PARAMETERS: usize = 300;

#[derive(Debug, Deserialize)]
#[serde(expecting = "an OpenAPI document")]
pub(super) struct RawDocument {
    pub(super) openapi: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) paths: Entries<PathItem>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) components: Components,
}

#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a map of components")]
pub(super) struct Components {
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parameters: Entries<RawParameter>,
    #[serde(default, rename = "pathItems", deserialize_with = "or_default")]
    pub(super) path_items: Entries<PathItem>,
}

/// The operations are boxed, since most methods of a path have none.
#[derive(Debug, Default, Deserialize)]
#[serde(expecting = "a path item")]
pub(super) struct PathItem {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    #[serde(default)]
    pub(super) parameters: List<RawParameter>,
    get: Option<Box<RawOperation>>,
    post: Option<Box<RawOperation>>,
    put: Option<Box<RawOperation>>,
    patch: Option<Box<RawOperation>>,
    delete: Option<Box<RawOperation>>,
    head: Option<Box<RawOperation>>,
    options: Option<Box<RawOperation>>,
    trace: Option<Box<RawOperation>>,
}

impl PathItem {
    pub(super) fn operations(&self) -> impl Iterator<Item = (&'static str, &RawOperation)> {
        let operations = [
            &self.get,
            &self.post,
            &self.put,
            &self.patch,
            &self.delete,
            &self.head,
            &self.options,
            &self.trace,
        ];
        let named = METHODS.into_iter().zip(operations);
        named.filter_map(|(method, operation)| Some((method, operation.as_deref()?)))
    }
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "an operation")]
pub(super) struct RawOperation {
    #[serde(rename = "operationId")]
    pub(super) id: Option<String>,
    #[serde(default)]
    pub(super) tags: List<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) deprecated: bool,
    #[serde(default)]
    pub(super) parameters: List<RawParameter>,
}

#[derive(Debug, Deserialize)]
#[serde(expecting = "a parameter")]
pub(super) struct RawParameter {
    #[serde(rename = "$ref")]
    pub(super) reference: Option<String>,
    pub(super) name: Option<String>,
    #[serde(rename = "in")]
    pub(super) place: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) required: bool,
}

/// Generators write `null` for what is not there.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// A map by names. Keys that begin with `x-` are extensions, which can be anything.
#[derive(Debug)]
pub(super) struct Entries<T>(pub(super) IndexMap<String, T>);

impl<T> Default for Entries<T> {
    fn default() -> Self {
        Self(IndexMap::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Entries<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for EntriesVisitor<T> {
    type Value = Entries<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = IndexMap::new();
        while let Some(name) = map.next_key::<String>()? {
            if name.starts_with("x-") {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if entries.len() == MAX_ENTRIES {
                return Err(A::Error::custom(format!("more than {MAX_ENTRIES} entries")));
            }
            entries.insert(name, map.next_value()?);
        }
        Ok(Entries(entries))
    }
}

/// A list of parameters or tags; `null` is an empty one.
#[derive(Debug)]
pub(super) struct List<T>(Vec<T>);

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

struct ListVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
    type Value = List<T>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(List::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            if list.len() == MAX_PARAMETERS {
                return Err(A::Error::custom(format!(
                    "more than {MAX_PARAMETERS} entries"
                )));
            }
            list.push(item);
        }
        Ok(List(list))
    }
}
