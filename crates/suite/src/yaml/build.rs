//! From parser events to a tree, collecting mistakes instead of stopping at the first.

mod key;

use std::collections::HashMap;

use indexmap::IndexMap;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, Tag};
use serde_json::Value;

use super::Dialect;
use super::scalar::{self, Unrepresentable};
use super::source::Source;
use super::tree::{Content, Entry, Mark, Node};
use crate::diagnostic::{Diagnostic, Diagnostics, Position, quoted};

/// Deeper than any suite, shallow enough for recursive code.
const MAX_DEPTH: usize = 64;
/// More mistakes than this are not worth reading: the file is something else.
const MAX_ERRORS: usize = 100;
/// How many values all aliases of a file may stand for together, and all anchors.
const MAX_ALIASED: usize = 100_000;
/// How many values a file may have. A value takes some hundred bytes of memory, however short it is in the file.
const MAX_VALUES: usize = 2_000_000;

/// Reading cannot go on: the mistake is already recorded.
struct Stop;

pub(super) fn tree(source: &Source, dialect: Dialect) -> Result<Node, Diagnostics> {
    let mut builder = Builder::new(source, dialect);
    let stopped = match source.forbidden_character() {
        Some((mark, character)) => builder.stop(forbidden(source, mark, character)),
        None => builder.read(),
    };
    match (stopped, builder.errors.into_result()) {
        (Ok(()), Ok(())) => Ok(builder
            .root
            .unwrap_or_else(|| Node::scalar(Mark::START, Value::Null))),
        (_, errors) => Err(errors.err().unwrap_or_default()),
    }
}

fn forbidden(source: &Source, mark: Mark, character: char) -> Diagnostic {
    let code = u32::from(character);
    source
        .error(
            mark,
            format!("the character U+{code:04X} is not allowed here"),
        )
        .help(format!(
            "in a double-quoted text it can be written as `\\u{code:04X}`"
        ))
}

struct Builder<'a> {
    source: &'a Source,
    dialect: Dialect,
    errors: Diagnostics,
    open: Vec<Open>,
    root: Option<Node>,
    anchors: HashMap<usize, Node>,
    aliased: usize,
    anchored: usize,
    values: usize,
    documents: usize,
    /// Whether the last scalar was `<<` without quotes.
    is_merge: bool,
}

/// A list or map whose end has not come yet.
struct Open {
    mark: Mark,
    anchor: usize,
    content: Unfinished,
}

enum Unfinished {
    List(Vec<Node>),
    Map(IndexMap<String, Entry>, Key),
}

/// What a map waits for.
enum Key {
    /// The next key.
    Awaited,
    /// The value of this key.
    Known(String, Mark),
    /// The value of a key that is itself a mistake.
    Invalid,
}

impl<'a> Builder<'a> {
    fn new(source: &'a Source, dialect: Dialect) -> Self {
        Self {
            source,
            dialect,
            errors: Diagnostics::new(),
            open: Vec::new(),
            root: None,
            anchors: HashMap::new(),
            aliased: 0,
            anchored: 0,
            values: 0,
            documents: 0,
            is_merge: false,
        }
    }

    fn read(&mut self) -> Result<(), Stop> {
        let mut parser = Parser::new_from_str(self.source.text());
        while let Some(event) = parser.next_event() {
            match event {
                Ok((event, span)) => self.accept(event, span)?,
                Err(error) => return self.syntax_error(&error),
            }
            if self.errors.len() >= MAX_ERRORS {
                return Err(Stop);
            }
        }
        Ok(())
    }

    fn syntax_error(&mut self, error: &ScanError) -> Result<(), Stop> {
        let mark = mark(*error.marker(), 1);
        // The parser reads ahead and meets its own bound on brackets before ours is reached.
        if error.info().contains("recursion limit") {
            return self.too_deep(mark);
        }
        let message = format!("invalid YAML: {}", error.info());
        let help = self.open_bracket();
        self.stop(self.source.error(mark, message).maybe_help(help))
    }

    /// A bracket that is not closed is noticed lines later, where nothing looks wrong.
    fn open_bracket(&self) -> Option<String> {
        let mark = self.open.last()?.mark;
        let bracket = self.source.words(mark).chars().next();
        let bracket = bracket.filter(|found| matches!(found, '[' | '{'))?;
        let Position { line, column } = mark.position;
        Some(format!(
            "the `{bracket}` at {line}:{column} is still open here"
        ))
    }

    fn accept(&mut self, event: Event<'_>, span: Span) -> Result<(), Stop> {
        let mark = span_mark(span);
        match event {
            Event::DocumentStart(_) => self.start_document(mark),
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(mark, tag.as_deref());
                let value = self.scalar(mark, &text, style);
                self.is_merge = style == ScalarStyle::Plain && text == "<<";
                self.finish(Node::scalar(mark, value), anchor)
            }
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(mark, tag.as_deref());
                self.start(mark, anchor, Unfinished::List(Vec::new()))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(mark, tag.as_deref());
                self.start(mark, anchor, Unfinished::Map(IndexMap::new(), Key::Awaited))
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => self.alias(mark, anchor),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn start_document(&mut self, mark: Mark) -> Result<(), Stop> {
        self.documents += 1;
        if self.documents == 1 {
            return Ok(());
        }
        let error = self.source.error(mark, "a second document starts here");
        self.stop(error.help("a file holds one document: move this one to a file of its own"))
    }

    fn start(&mut self, mark: Mark, anchor: usize, content: Unfinished) -> Result<(), Stop> {
        if self.open.len() >= MAX_DEPTH {
            return self.too_deep(mark);
        }
        self.open.push(Open {
            mark,
            anchor,
            content,
        });
        Ok(())
    }

    fn end(&mut self) -> Result<(), Stop> {
        let Some(open) = self.open.pop() else {
            return Ok(());
        };
        self.is_merge = false;
        let content = match open.content {
            Unfinished::List(items) => Content::List(items),
            Unfinished::Map(entries, _) => Content::Map(entries),
        };
        let mark = open.mark;
        self.finish(Node { mark, content }, open.anchor)
    }

    /// Puts a complete value where it belongs.
    fn finish(&mut self, node: Node, anchor: usize) -> Result<(), Stop> {
        self.values += 1;
        if self.values > MAX_VALUES {
            let message = format!("the file has more than {MAX_VALUES} values");
            return self.stop(self.source.error(node.mark, message));
        }
        if anchor > 0 {
            self.keep(&node, anchor)?;
        }
        match self.open.last_mut().map(|open| &mut open.content) {
            None => self.root = Some(node),
            Some(Unfinished::List(items)) => items.push(node),
            Some(Unfinished::Map(entries, key)) => match std::mem::replace(key, Key::Awaited) {
                Key::Awaited => {
                    let reading = key::Reading {
                        source: self.source,
                        dialect: self.dialect,
                        is_merge: self.is_merge,
                    };
                    *key = reading.read(&node, &mut self.errors);
                }
                Key::Invalid => {}
                Key::Known(name, mark) => {
                    let entry = Entry { key: mark, node };
                    key::insert(self.source, entries, name, entry, &mut self.errors);
                }
            },
        }
        Ok(())
    }

    /// Keeps a copy for the aliases. Anchors within anchors would keep the same values many times.
    fn keep(&mut self, node: &Node, anchor: usize) -> Result<(), Stop> {
        self.anchored += node.extent().0;
        if self.anchored > MAX_ALIASED {
            let message =
                format!("the anchors of this file stand for more than {MAX_ALIASED} values");
            return self.stop(self.source.error(node.mark, message));
        }
        self.anchors.insert(anchor, node.clone());
        Ok(())
    }

    /// A copy of what the anchor stands for, so that no later stage has to know of aliases.
    fn alias(&mut self, mark: Mark, anchor: usize) -> Result<(), Stop> {
        let Some(node) = self.anchors.get(&anchor).cloned() else {
            return self.stop(
                self.source
                    .error(mark, "this alias stands for something that contains it"),
            );
        };
        let (size, depth) = node.extent();
        self.aliased += size;
        if self.aliased > MAX_ALIASED {
            let message =
                format!("the aliases of this file stand for more than {MAX_ALIASED} values");
            return self.stop(self.source.error(mark, message));
        }
        if self.open.len() + depth > MAX_DEPTH {
            return self.too_deep(mark);
        }
        self.is_merge = false;
        self.finish(node, 0)
    }

    fn scalar(&mut self, mark: Mark, text: &str, style: ScalarStyle) -> Value {
        if style != ScalarStyle::Plain {
            return Value::String(text.to_owned());
        }
        scalar::resolve(text).unwrap_or_else(|reason| {
            if self.dialect == Dialect::Foreign {
                return Value::String(text.to_owned());
            }
            self.errors
                .push(unrepresentable(self.source, mark, text, reason));
            Value::Null
        })
    }

    fn refuse_tag(&mut self, mark: Mark, tag: Option<&Tag>) {
        if let Some(tag) = tag.filter(|_| self.dialect == Dialect::Ours) {
            let name = if tag.is_yaml_core_schema() {
                format!("!!{}", tag.suffix)
            } else {
                tag.to_string()
            };
            let error = self.source.error(
                mark,
                format!("tags such as {} are not supported", quoted(&name)),
            );
            self.errors
                .push(error.help("leave the tag out; a value in quotes is a text"));
        }
    }

    fn too_deep(&mut self, mark: Mark) -> Result<(), Stop> {
        let message = format!("lists and maps nest more than {MAX_DEPTH} deep here");
        self.stop(self.source.error(mark, message))
    }

    fn stop(&mut self, error: Diagnostic) -> Result<(), Stop> {
        self.errors.push(error);
        Err(Stop)
    }
}

fn unrepresentable(source: &Source, mark: Mark, text: &str, reason: Unrepresentable) -> Diagnostic {
    let text = quoted(text);
    match reason {
        Unrepresentable::NotFinite => {
            source.error(mark, format!("the number {text} is not finite"))
        }
        Unrepresentable::TooLarge => source.error(mark, format!("the number {text} is too large")),
    }
    .help("if it is a text, put it in quotes")
}

fn span_mark(span: Span) -> Mark {
    let width = if span.start.line() == span.end.line() {
        span.end.index().saturating_sub(span.start.index())
    } else {
        1
    };
    mark(span.start, width.max(1))
}

fn mark(start: Marker, width: usize) -> Mark {
    let position = Position {
        line: start.line().max(1),
        column: start.col() + 1,
    };
    Mark { position, width }
}
