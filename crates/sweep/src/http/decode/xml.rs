//! XML as a tree of JSON, so that paths, shapes and values are those of JSON.
//!
//! An element is a member of what it stands in, and a list where it is repeated. One that has neither attributes nor elements
//! is its text; another one is an object with its attributes as `@name` and its text as `#text`. The prefixes of namespaces
//! are left out: a service can write others and mean the same.
//!
//! No entity is expanded but the five that XML has itself.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::attributes::Attribute;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use serde_json::{Map, Value as Json};

use super::enter;

/// How deep elements can stand in one another; more is made to overflow a stack.
const DEEPEST: usize = 100;
/// How many elements and attributes are read.
const MOST: usize = 200_000;

/// The key of an element's text beside its attributes and elements.
pub(crate) const TEXT: &str = "#text";
/// What stands before the name of an attribute.
const ATTRIBUTE: char = '@';

/// The tree of a document; none where it is not well-formed, or has more than is read.
pub(super) fn tree(text: &str) -> Option<Json> {
    let mut reader = Reader::from_str(text);
    let mut builder = Builder::default();
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => builder.open(&start)?,
            Event::Empty(start) => {
                builder.open(&start)?;
                builder.close()?;
            }
            Event::End(_) => builder.close()?,
            Event::Text(text) => builder.text(&text.decode().ok()?)?,
            Event::CData(text) => builder.text(&text.decode().ok()?)?,
            Event::GeneralRef(reference) => builder.text(&referred(&reference)?)?,
            Event::Eof => return builder.done(),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
}

/// What a reference stands for; one that a document defines itself stays as it is written.
fn referred(reference: &BytesRef<'_>) -> Option<String> {
    if let Some(char) = reference.resolve_char_ref().ok()? {
        return Some(char.to_string());
    }
    let name = reference.decode().ok()?;
    let known = resolve_predefined_entity(&name);
    Some(known.map_or_else(|| format!("&{name};"), str::to_owned))
}

/// An element that is not closed yet.
struct Open {
    name: String,
    members: Map<String, Json>,
    text: String,
    is_nil: bool,
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<(String, Json)>,
    count: usize,
}

impl Builder {
    fn open(&mut self, start: &BytesStart<'_>) -> Option<()> {
        let is_second_root = self.open.is_empty() && self.root.is_some();
        if is_second_root || self.open.len() >= DEEPEST {
            return None;
        }
        let mut element = Open {
            name: name(start.local_name().as_ref())?,
            members: Map::new(),
            text: String::new(),
            is_nil: false,
        };
        for attribute in start.attributes() {
            let attribute = attribute.ok()?;
            self.count += 1;
            element.attribute(&attribute)?;
        }
        self.count += 1;
        self.open.push(element);
        (self.count <= MOST).then_some(())
    }

    fn close(&mut self) -> Option<()> {
        let element = self.open.pop()?;
        let name = element.name.clone();
        let value = element.value();
        match self.open.last_mut() {
            Some(parent) => enter(&mut parent.members, name, value),
            None => self.root = Some((name, value)),
        }
        Some(())
    }

    fn text(&mut self, text: &str) -> Option<()> {
        match self.open.last_mut() {
            Some(element) => element.text.push_str(text),
            // Nothing but blanks stands outside of the root.
            None if text.trim().is_empty() => {}
            None => return None,
        }
        Some(())
    }

    fn done(self) -> Option<Json> {
        let root = self.root.filter(|_| self.open.is_empty())?;
        Some(Json::Object(Map::from_iter([root])))
    }
}

impl Open {
    fn attribute(&mut self, attribute: &Attribute<'_>) -> Option<()> {
        let full = attribute.key.as_ref();
        if full == b"xmlns" || full.starts_with(b"xmlns:") {
            return Some(());
        }
        let own = name(attribute.key.local_name().as_ref())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let raw = || String::from_utf8_lossy(&attribute.value).into_owned();
        // An entity that the document defines itself is not expanded.
        let value = value.map_or_else(|_| raw(), std::borrow::Cow::into_owned);
        self.is_nil |= own == "nil" && full.contains(&b':') && ["true", "1"].contains(&&*value);
        enter(&mut self.members, format!("{ATTRIBUTE}{own}"), value.into());
        Some(())
    }

    fn value(mut self) -> Json {
        let text = self.text.trim();
        // `xsi:nil` is how XML has null.
        if self.is_nil && text.is_empty() && self.members.len() == 1 {
            return Json::Null;
        }
        if self.members.is_empty() {
            return text.into();
        }
        if !text.is_empty() {
            self.members.insert(TEXT.to_owned(), text.into());
        }
        Json::Object(self.members)
    }
}

fn name(local: &[u8]) -> Option<String> {
    std::str::from_utf8(local).ok().map(str::to_owned)
}

/// Names of elements that are one of many.
const ITEMS: [&str; 7] = ["element", "entry", "item", "li", "member", "record", "row"];
/// How the names of elements end that hold many.
const HOLDERS: [&str; 4] = ["array", "collection", "list", "set"];

/// The tree with a list also where there is only one of many: how many rows an answer has must not change where they are.
/// That an element is one of many is told by its name and by that of what it stands in, such as `<users><user>`.
pub(crate) fn with_lists(tree: Json) -> Json {
    listed("", tree)
}

fn listed(parent: &str, tree: Json) -> Json {
    match tree {
        Json::Object(members) => {
            let members = members.into_iter().map(|(name, value)| {
                let value = listed(&name, value);
                let is_one = !parent.is_empty() && !value.is_array() && is_one_of(&name, parent);
                let value = if is_one {
                    Json::Array(vec![value])
                } else {
                    value
                };
                (name, value)
            });
            Json::Object(members.collect())
        }
        // The items of a list stand in what the list does, and their own elements in them.
        Json::Array(items) => items.into_iter().map(|item| listed(parent, item)).collect(),
        other => other,
    }
}

fn is_one_of(name: &str, holder: &str) -> bool {
    let (name, holder) = (name.to_ascii_lowercase(), holder.to_ascii_lowercase());
    if name.starts_with([ATTRIBUTE, '#']) {
        return false;
    }
    let of_y = || name.strip_suffix('y').map(|stem| format!("{stem}ies"));
    let is_plural = holder.ends_with(&format!("{name}s"))
        || holder.ends_with(&format!("{name}es"))
        || of_y().is_some_and(|plural| holder.ends_with(&plural));
    let is_holder = |word: &str| {
        let of = holder.strip_suffix(word);
        of.is_some_and(|of| of.ends_with(&name))
    };
    is_plural
        || ITEMS.contains(&name.as_str())
        || HOLDERS.into_iter().any(is_holder)
        || holder == format!("arrayof{name}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn elements_are_members_and_repeated_ones_lists() {
        let text = "<?xml version=\"1.0\"?>\n<a:list xmlns:a=\"urn:x\" a:of=\"things\">\n <a:id>1 &lt; 2 &#233;</a:id>\n \
                    <row n='1'>x</row><row/><![CDATA[ <raw> ]]></a:list>\n<!-- end -->";
        let read = json!({"list": {
            "@of": "things",
            "id": "1 < 2 \u{e9}",
            "row": [{"@n": "1", "#text": "x"}, ""],
            "#text": "<raw>",
        }});
        assert_eq!(tree(text), Some(read));
        let nil = "<a xmlns:i=\"urn:i\"><b i:nil=\"true\"/><c nil=\"true\"/></a>";
        let read = json!({"a": {"b": null, "c": {"@nil": "true"}}});
        assert_eq!(tree(nil), Some(read));
    }

    #[test]
    fn no_entity_of_a_document_is_expanded() {
        let text = "<!DOCTYPE a [<!ENTITY b \"c\"><!ENTITY x SYSTEM \"file:///etc/passwd\">]><a t=\"&b;\">&b;&x;&amp;</a>";
        let read = json!({"a": {"@t": "&b;", "#text": "&b;&x;&"}});
        assert_eq!(tree(text), Some(read));
    }

    #[test]
    fn what_is_not_well_formed_or_too_much_has_no_tree() {
        let deep = format!("{}{}", "<a>".repeat(200), "</a>".repeat(200));
        let many = format!("<a>{}</a>", "<b/>".repeat(MOST));
        for text in [
            "",
            "no",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "<a/>more",
            "<a b=1/>",
            "<a b='1' b='2'/>",
            "</a>",
            &deep,
            &many,
        ] {
            let head: String = text.chars().take(20).collect();
            assert_eq!(tree(text), None, "{head}");
        }
    }

    #[test]
    fn one_of_many_is_in_a_list_too() {
        let listed = |text: &str| with_lists(tree(text).unwrap());
        let one = listed("<r><users><user><id>1</id></user></users></r>");
        assert_eq!(one, json!({"r": {"users": {"user": [{"id": "1"}]}}}));
        let many = listed("<r><users><user><id>1</id></user><user><id>2</id></user></users></r>");
        assert_eq!(
            many,
            json!({"r": {"users": {"user": [{"id": "1"}, {"id": "2"}]}}})
        );
        let feed = listed("<feed><id>f</id><entry><id>1</id></entry></feed>");
        assert_eq!(feed, json!({"feed": {"id": "f", "entry": [{"id": "1"}]}}));
        let nobody = json!({"Envelope": {"Body": {"Fault": {"code": "1"}}}});
        assert_eq!(with_lists(nobody.clone()), nobody);
        for (name, holder) in [
            ("Key", "KeyList"),
            ("company", "companies"),
            ("string", "ArrayOfString"),
        ] {
            assert!(is_one_of(name, holder), "{name} in {holder}");
        }
        assert!(!is_one_of("@item", "items"));
    }
}
