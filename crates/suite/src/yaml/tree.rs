//! The parsed document: every value and every key with its place.

use indexmap::IndexMap;
use serde_json::Value;

use super::path::Step;
use crate::diagnostic::Position;

/// A place and how many characters of its line belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) position: Position,
    pub(super) width: usize,
}

impl Mark {
    pub(super) const START: Self = Self {
        position: Position { line: 1, column: 1 },
        width: 1,
    };
}

#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) mark: Mark,
    pub(super) content: Content,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Scalar(Value),
    List(Vec<Node>),
    Map(IndexMap<String, Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: Mark,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn scalar(mark: Mark, value: Value) -> Self {
        Self {
            mark,
            content: Content::Scalar(value),
        }
    }

    pub(super) fn to_value(&self) -> Value {
        match &self.content {
            Content::Scalar(value) => value.clone(),
            Content::List(items) => items.iter().map(Self::to_value).collect(),
            Content::Map(entries) => entries
                .iter()
                .map(|(key, entry)| (key.clone(), entry.node.to_value()))
                .collect(),
        }
    }

    /// The values directly inside.
    pub(super) fn children(&self) -> Vec<&Self> {
        match &self.content {
            Content::Scalar(_) => Vec::new(),
            Content::List(items) => items.iter().collect(),
            Content::Map(entries) => entries.values().map(|entry| &entry.node).collect(),
        }
    }

    /// The value one step down, with the place of its key if it has one.
    pub(super) fn child(&self, step: &Step) -> Option<(Option<Mark>, &Self)> {
        match (&self.content, step) {
            (Content::Map(entries), Step::Key(key)) => {
                entries.get(key).map(|entry| (Some(entry.key), &entry.node))
            }
            (Content::List(items), Step::Index(index)) => {
                items.get(*index).map(|item| (None, item))
            }
            _ => None,
        }
    }

    /// How many values there are, itself included, and how deep they nest.
    pub(super) fn extent(&self) -> (usize, usize) {
        self.children()
            .into_iter()
            .map(Self::extent)
            .fold((1, 1), |(size, depth), (inner, below)| {
                (size + inner, depth.max(below + 1))
            })
    }
}
