//! A page (HTML) as a tree of JSON: what a person reads of it, where its links lead, its forms, and the data that it hands its
//! scripts.
//!
//! The tree has `title`, `text` (a line for each block, one for a row of a table), `links` (`to` and `text`), `forms`
//! (`action`, such as `post /notes`, and `fields`), `fields` that stand in no form, and `data`: the JSON in scripts and in
//! attributes. What a page does not have is left out.

use authz_pin_record::text::{is_empty, on_one_line};
use ego_tree::iter::Edge;
use indexmap::IndexSet;
use scraper::{ElementRef, Html, Node, Selector};
use serde_json::{Map, Value as Json, json};

use super::enter;

/// How many elements are read.
const MOST: usize = 200_000;

/// How deep elements can stand in one another: the time to read them grows with its square. Browsers stop at 512.
const DEEPEST: usize = 1_000;

/// Elements that hold none, or that the next one of their kind ends.
const SHALLOW: [&str; 29] = [
    "area", "base", "br", "col", "colgroup", "dd", "dt", "embed", "hr", "img", "input", "li",
    "link", "meta", "optgroup", "option", "p", "param", "rp", "rt", "source", "tbody", "td",
    "tfoot", "th", "thead", "tr", "track", "wbr",
];

/// The elements of which a person reads nothing where they stand.
const UNREAD: [&str; 8] = [
    "head", "iframe", "noscript", "object", "script", "style", "svg", "template",
];

/// The elements that begin a line, and end one.
const BLOCKS: [&str; 41] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "br",
    "caption",
    "center",
    "dd",
    "details",
    "dialog",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "legend",
    "li",
    "main",
    "menu",
    "nav",
    "ol",
    "option",
    "p",
    "pre",
    "section",
    "select",
    "summary",
    "tr",
    "ul",
];

/// The elements that stand beside each other in a line.
const CELLS: [&str; 2] = ["td", "th"];

/// The methods that an attribute can name (htmx): `hx-delete="/notes/1"`.
const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// The tree of a page; none where it is no page, or has more than is read.
pub(super) fn tree(text: &str) -> Option<Json> {
    let html = parsed(text)?;
    let mut page = Page::default();
    for edge in html.tree.root().traverse() {
        match edge {
            Edge::Open(node) => match node.value() {
                Node::Text(text) => page.text(text),
                _ => ElementRef::wrap(node).map_or((), |element| page.open(element)),
            },
            Edge::Close(node) => ElementRef::wrap(node).map_or((), |element| page.close(element)),
        }
    }
    Some(page.done())
}

/// The elements of a text that has any, within bounds.
fn parsed(text: &str) -> Option<Html> {
    let tags = text.matches('<').count();
    let is_read = (1..=MOST).contains(&tags) && depth(text) <= DEEPEST;
    is_read.then(|| Html::parse_document(text))
}

/// How deep elements stand in one another at most, by their tags.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for tag in text.split('<').skip(1) {
        let (is_end, tag) = match tag.strip_prefix('/') {
            Some(tag) => (true, tag),
            None => (false, tag),
        };
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        match name.as_str() {
            name if name.is_empty() || SHALLOW.contains(&name) => {}
            _ if is_end => depth = depth.saturating_sub(1),
            _ => depth += 1,
        }
        deepest = deepest.max(depth);
    }
    deepest
}

/// What an attribute of the first element that a selector finds has, or its text.
pub(crate) fn selected(text: &str, selector: &str, attribute: Option<&str>) -> Option<String> {
    let selector = Selector::parse(selector).ok()?;
    let html = parsed(text)?;
    let mut found = html.select(&selector);
    match attribute {
        Some(name) => found.find_map(|element| element.attr(name).map(str::to_owned)),
        None => found.next().map(|element| on_one_line(&text_of(element))),
    }
}

#[derive(Default)]
struct Page {
    title: String,
    lines: Vec<String>,
    line: String,
    /// Where links lead and what they say, each once.
    links: IndexSet<(String, String)>,
    forms: Vec<Form>,
    /// Whether what is read stands in the last of the forms.
    is_in_form: bool,
    outside: Map<String, Json>,
    data: Vec<Json>,
    /// How many of the open elements are such that nobody reads.
    unread: usize,
}

struct Form {
    action: String,
    fields: Map<String, Json>,
}

impl Form {
    fn new(method: &str, to: &str) -> Self {
        let action = format!("{} {}", method.to_ascii_lowercase(), to.trim());
        Self {
            action: action.trim().to_owned(),
            fields: Map::new(),
        }
    }
}

impl Page {
    fn open(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        self.data_of(element, name);
        if UNREAD.contains(&name) {
            self.unread += 1;
        }
        match name {
            "title" if self.title.is_empty() => self.title = on_one_line(&text_of(element)),
            "form" => self.form(element),
            "a" | "area" => self.link(element),
            "input" | "select" | "textarea" | "button" => self.field(element, name),
            _ => {}
        }
        self.requests(element);
        if BLOCKS.contains(&name) {
            self.end_line();
        } else if CELLS.contains(&name) {
            self.line.push(' ');
        }
    }

    fn close(&mut self, element: ElementRef<'_>) {
        let name = element.value().name();
        if UNREAD.contains(&name) {
            self.unread -= 1;
        }
        if name == "form" {
            self.is_in_form = false;
        }
        if BLOCKS.contains(&name) {
            self.end_line();
        }
    }

    fn text(&mut self, text: &str) {
        if self.unread == 0 {
            self.line.push_str(text);
        }
    }

    fn end_line(&mut self) {
        let line = on_one_line(&std::mem::take(&mut self.line));
        if !line.is_empty() {
            self.lines.push(line);
        }
    }

    fn form(&mut self, form: ElementRef<'_>) {
        let method = form.attr("method").unwrap_or("get");
        let to = form.attr("action").unwrap_or_default();
        self.forms.push(Form::new(method, to));
        self.is_in_form = true;
    }

    /// Requests that an element makes without a form.
    fn requests(&mut self, element: ElementRef<'_>) {
        for method in METHODS {
            let names = [format!("hx-{method}"), format!("data-hx-{method}")];
            let to = names.iter().find_map(|name| element.attr(name));
            if let Some(to) = to {
                // What stands in a form that is open stays with it.
                let at = self.forms.len() - usize::from(self.is_in_form);
                self.forms.insert(at, Form::new(method, to));
            }
        }
    }

    fn link(&mut self, link: ElementRef<'_>) {
        if let Some(to) = link.attr("href") {
            let text = on_one_line(&text_of(link));
            self.links.insert((to.trim().to_owned(), text));
        }
    }

    fn field(&mut self, field: ElementRef<'_>, element: &str) {
        let kind = field.attr("type").unwrap_or_default().to_ascii_lowercase();
        let value = value_of(field, element, &kind);
        if element == "input" && ["submit", "button", "reset"].contains(&&*kind) {
            self.line.push(' ');
            self.text(value.as_str().unwrap_or_default());
        }
        let Some(name) = field.attr("name") else {
            return;
        };
        let form = self.forms.last_mut().filter(|_| self.is_in_form);
        let fields = form.map_or(&mut self.outside, |form| &mut form.fields);
        enter(fields, name.to_owned(), value);
    }

    /// JSON in a script that is none, and in attributes: what the scripts of a page begin with.
    fn data_of(&mut self, element: ElementRef<'_>, name: &str) {
        let kind = element.attr("type").unwrap_or_default();
        if name == "script" && kind.ends_with("json") {
            self.data.extend(json_of(&text_of(element)));
        }
        let values = element.value().attrs().map(|(_, value)| value);
        self.data.extend(values.filter_map(json_of));
    }

    fn done(mut self) -> Json {
        self.end_line();
        let links = self.links.into_iter();
        let links = links.map(|(to, text)| json!({"to": to, "text": text}));
        let forms = self.forms.into_iter();
        let forms = forms.map(|form| json!({"action": form.action, "fields": form.fields}));
        let parts = [
            ("title", Json::from(self.title)),
            ("text", self.lines.into()),
            ("links", links.collect()),
            ("forms", forms.collect()),
            ("fields", self.outside.into()),
            ("data", self.data.into()),
        ];
        let parts = parts.into_iter().filter(|(_, part)| !is_empty(part));
        parts
            .map(|(name, part)| (name.to_owned(), part))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// What a field holds when the page is sent as it is; null where that is nothing.
fn value_of(field: ElementRef<'_>, element: &str, kind: &str) -> Json {
    let value = || field.attr("value").unwrap_or_default();
    let is_chosen = || field.attr("checked").is_some();
    match element {
        "textarea" => text_of(field).into(),
        "select" => option_of(field).into(),
        _ if !["checkbox", "radio"].contains(&kind) => value().into(),
        _ if is_chosen() => field.attr("value").unwrap_or("on").into(),
        _ => Json::Null,
    }
}

/// The value that is chosen of several: the first, if none is marked.
fn option_of(select: ElementRef<'_>) -> Option<String> {
    let elements = || select.descendants().filter_map(ElementRef::wrap);
    let options = || elements().filter(|element| element.value().name() == "option");
    let chosen = options().find(|option| option.attr("selected").is_some());
    let chosen = chosen.or_else(|| options().next())?;
    let text = || on_one_line(&text_of(chosen));
    Some(chosen.attr("value").map_or_else(text, str::to_owned))
}

fn json_of(text: &str) -> Option<Json> {
    let is_json = text.trim_start().starts_with(['{', '[']);
    is_json.then(|| serde_json::from_str(text).ok()).flatten()
}

fn text_of(element: ElementRef<'_>) -> String {
    element.text().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!DOCTYPE html><html><head><title>Notes &amp; more</title>
<script>var a = "<p>no</p>";</script><script type="application/json">{"user": {"id": 7}}</script></head>
<body><!-- hidden --><nav><a href="/notes">All</a> <a href=/admin>Admin</a></nav>
<h1>Notes of <b>Ann</b></h1><table><tr><th>Title<th>Owner<tr><td>one<td>ann</table>
<form method=POST action="/notes/7"><input type=hidden name=csrf value=c-1><textarea name=body>
hello</textarea><select name=kind><option value=a>A<option value=b selected>B</select>
<input type=checkbox name=done><input type=checkbox name=tag value=x checked><input type=checkbox name=tag value=y checked>
<button>Save</button><input type=submit value=Delete></form><div data-page='[1]' hx-delete="/notes/7">x</div></body></html>"#;

    #[test]
    fn a_page_is_what_a_person_reads_with_links_forms_and_data() {
        let expected = json!({
            "title": "Notes & more",
            "text": ["All Admin", "Notes of Ann", "Title Owner", "one ann", "hello", "A", "B", "Save Delete", "x"],
            "links": [{"to": "/notes", "text": "All"}, {"to": "/admin", "text": "Admin"}],
            "forms": [
                {"action": "post /notes/7", "fields": {
                    "csrf": "c-1", "body": "hello", "kind": "b", "done": null, "tag": ["x", "y"],
                }},
                {"action": "delete /notes/7", "fields": {}},
            ],
            "data": [{"user": {"id": 7}}, [1]],
        });
        assert_eq!(tree(PAGE).unwrap(), expected);
    }

    #[test]
    fn a_page_that_is_not_well_formed_is_read_as_browsers_do() {
        let text = |page: &str| tree(page).unwrap()["text"].clone();
        assert_eq!(
            text("<p>one<p>two <b>three<i>four</b>five"),
            json!(["one", "two threefourfive"])
        );
        assert_eq!(text("<li>a &lt;b&gt;</li><li>c"), json!(["a <b>", "c"]));
        assert_eq!(tree("no tag"), None);
        let rows = "<tr><td>x<br>".repeat(2 * DEEPEST);
        assert_eq!(
            text(&format!("<table>{rows}")).as_array().unwrap().len(),
            2 * DEEPEST
        );
        assert_eq!(tree(&"<div>".repeat(DEEPEST + 1)), None);
    }

    #[test]
    fn a_selector_finds_a_text_or_an_attribute() {
        let csrf = selected(PAGE, "input[name=csrf]", Some("value"));
        assert_eq!(csrf.as_deref(), Some("c-1"));
        assert_eq!(
            selected(PAGE, "td:last-child", None).as_deref(),
            Some("ann")
        );
        assert_eq!(
            selected(PAGE, "nav a[href^='/admin']", None).as_deref(),
            Some("Admin")
        );
        assert_eq!(selected(PAGE, "input[name=other]", Some("value")), None);
    }
}
