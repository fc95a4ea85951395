//! YAML 1.2 as a tree that remembers which bytes each value came from.
//!
//! The parser is `saphyr-parser`; here its events become a tree with the core schema's types.
//! Bounded: depth, number of nodes, and what aliases expand to.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span as ParserSpan};
use serde_json::{Number, Value};

use crate::{Diagnostics, Span};

/// Deeper documents are refused.
pub const MAX_DEPTH: usize = 64;
/// More nodes, aliases expanded, are refused: an alias bomb ends here.
pub const MAX_NODES: usize = 200_000;

/// A value and its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value. For a block mapping or sequence: from its first key or dash.
    pub span: Span,
    /// The value.
    pub value: Yaml,
}

/// The kinds of value that YAML shares with JSON.
#[derive(Debug, Clone, PartialEq)]
pub enum Yaml {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A finite number.
    Number(Number),
    /// Text, quoted or not.
    String(String),
    /// A sequence.
    Sequence(Vec<Node>),
    /// A mapping, in the order of the text; keys are unique.
    Mapping(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key as text.
    pub key: String,
    /// The bytes of the key.
    pub key_span: Span,
    /// The value.
    pub value: Node,
}

impl Node {
    /// Returns the value of a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries()?.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// Returns the entries, if this is a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.value {
            Yaml::Mapping(entries) => Some(entries),
            _ => None,
        }
    }

    /// Returns the items, if this is a sequence.
    pub fn items(&self) -> Option<&[Node]> {
        match &self.value {
            Yaml::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the text, if this is a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Yaml::String(text) => Some(text),
            _ => None,
        }
    }

    /// Returns the tree as JSON, without places.
    pub fn to_json(&self) -> Value {
        match &self.value {
            Yaml::Null => Value::Null,
            Yaml::Bool(bool) => Value::Bool(*bool),
            Yaml::Number(number) => Value::Number(number.clone()),
            Yaml::String(text) => Value::String(text.clone()),
            Yaml::Sequence(items) => items.iter().map(Node::to_json).collect(),
            Yaml::Mapping(entries) => {
                entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect()
            }
        }
    }

    /// Returns what kind of value this is, for a message ("found a number").
    pub fn kind(&self) -> &'static str {
        match &self.value {
            Yaml::Null => "nothing",
            Yaml::Bool(_) => "true or false",
            Yaml::Number(_) => "a number",
            Yaml::String(_) => "text",
            Yaml::Sequence(_) => "a list",
            Yaml::Mapping(_) => "a mapping",
        }
    }
}

/// Parses the part `range` of the collection's text as one YAML document.
///
/// Spans are those of the whole text. Returns `None` if it does not parse, the reason being added to
/// the diagnostics; an empty document is a `Null` node. Duplicate keys are errors, and the first one
/// stays.
pub fn parse(range: Span, diagnostics: &mut Diagnostics) -> Option<Node> {
    let source = diagnostics.source().clone();
    let text = source.text().get(range.start..range.end)?;
    let offsets = Offsets::new(text, range.start);
    let mut builder = Builder {
        offsets,
        diagnostics,
        open: Vec::new(),
        anchors: HashMap::new(),
        nodes: 0,
        root: None,
    };
    let mut documents = 0;
    for event in Parser::new_from_str(text) {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                let at = builder.offsets.byte(error.marker().index());
                builder.diagnostics.error(
                    "yaml-syntax",
                    Span::new(at, at),
                    format!("this is not YAML: {}", error.info()),
                );
                return None;
            }
        };
        if matches!(event, Event::DocumentStart(_)) {
            documents += 1;
            if documents > 1 {
                let span = builder.offsets.span(place);
                builder.diagnostics.error("yaml-documents", span, "found a second YAML document");
                return None;
            }
        }
        if let Err(refusal) = builder.event(event, place) {
            builder.diagnostics.error(refusal.code, refusal.span, refusal.message);
            return None;
        }
    }
    let empty = Node { span: Span::new(range.start, range.start), value: Yaml::Null };
    Some(builder.root.unwrap_or(empty))
}

struct Refusal {
    code: &'static str,
    span: Span,
    message: String,
}

/// Maps the parser's character indices to bytes of the whole text.
struct Offsets {
    base: usize,
    /// The byte of each character, absent if every character is one byte.
    bytes: Option<Vec<usize>>,
    length: usize,
}

impl Offsets {
    fn new(text: &str, base: usize) -> Self {
        let bytes = (!text.is_ascii()).then(|| text.char_indices().map(|(at, _)| at).collect());
        Self { base, bytes, length: text.len() }
    }

    fn byte(&self, index: usize) -> usize {
        let local = match &self.bytes {
            Some(bytes) => bytes.get(index).copied().unwrap_or(self.length),
            None => index.min(self.length),
        };
        self.base + local
    }

    fn span(&self, place: ParserSpan) -> Span {
        Span::new(self.byte(place.start.index()), self.byte(place.end.index()))
    }
}

enum Open {
    Sequence { start: usize, anchor: usize, items: Vec<Node> },
    Mapping { start: usize, anchor: usize, entries: Vec<Entry>, key: Option<(String, Span)> },
}

/// What an alias stands for.
struct Anchored {
    node: Node,
    extent: Extent,
}

/// How large a node is, aliases expanded.
#[derive(Clone, Copy)]
struct Extent {
    nodes: usize,
    /// The collections inside each other, itself included; a scalar has none.
    depth: usize,
}

impl Extent {
    const SCALAR: Self = Self { nodes: 1, depth: 0 };

    fn of(node: &Node) -> Self {
        let within = |extents: &mut dyn Iterator<Item = Self>| {
            let whole = extents.fold(Self { nodes: 1, depth: 0 }, |whole, part| Self {
                nodes: whole.nodes + part.nodes,
                depth: whole.depth.max(part.depth),
            });
            Self { depth: whole.depth + 1, ..whole }
        };
        match &node.value {
            Yaml::Sequence(items) => within(&mut items.iter().map(Self::of)),
            Yaml::Mapping(entries) => {
                within(&mut entries.iter().map(|entry| Self::of(&entry.value)))
            }
            _ => Self::SCALAR,
        }
    }
}

struct Builder<'d> {
    offsets: Offsets,
    diagnostics: &'d mut Diagnostics,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    nodes: usize,
    root: Option<Node>,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, place: ParserSpan) -> Result<(), Refusal> {
        let span = self.offsets.span(place);
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value =
                    if plain { resolve(&text) } else { Some(Yaml::String(text.into_owned())) };
                let Some(value) = value else {
                    return Err(Refusal {
                        code: "yaml-number",
                        span,
                        message: "found a number that is not finite; quote it if it is text"
                            .to_owned(),
                    });
                };
                self.count(1, span)?;
                self.close(Node { span, value }, anchor);
            }
            Event::SequenceStart(anchor, _) => {
                self.push(Open::Sequence { start: span.start, anchor, items: Vec::new() }, span)?;
            }
            Event::MappingStart(anchor, _) => {
                let open =
                    Open::Mapping { start: span.start, anchor, entries: Vec::new(), key: None };
                self.push(open, span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(anchor) => {
                let Some(Anchored { extent, .. }) = self.anchors.get(&anchor) else {
                    let message = "this alias stands inside its own anchor".to_owned();
                    return Err(Refusal { code: "yaml-alias", span, message });
                };
                let Extent { nodes, depth } = *extent;
                self.count(nodes, span)?;
                self.check_depth(depth, span)?;
                // Copied only now: what is too much was refused.
                let value = self.anchors[&anchor].node.value.clone();
                self.close(Node { span, value }, 0);
            }
            _ => {}
        }
        Ok(())
    }

    fn count(&mut self, more: usize, span: Span) -> Result<(), Refusal> {
        self.nodes += more;
        if self.nodes <= MAX_NODES {
            return Ok(());
        }
        let message = format!("found more than {MAX_NODES} values, aliases expanded");
        Err(Refusal { code: "yaml-size", span, message })
    }

    fn push(&mut self, open: Open, span: Span) -> Result<(), Refusal> {
        self.count(1, span)?;
        self.check_depth(1, span)?;
        self.open.push(open);
        Ok(())
    }

    /// Refuses what would nest `more` levels deeper than where it stands allows.
    fn check_depth(&self, more: usize, span: Span) -> Result<(), Refusal> {
        if self.open.len() + more <= MAX_DEPTH {
            return Ok(());
        }
        let message = format!("nested more than {MAX_DEPTH} levels deep, aliases expanded");
        Err(Refusal { code: "yaml-depth", span, message })
    }

    fn end(&mut self, span: Span) {
        match self.open.pop() {
            Some(Open::Sequence { start, anchor, items }) => {
                let end = items.last().map_or(span.end, |item| item.span.end.max(span.end));
                let value = Yaml::Sequence(items);
                self.close(Node { span: Span::new(start, end), value }, anchor);
            }
            Some(Open::Mapping { start, anchor, entries, .. }) => {
                let end =
                    entries.last().map_or(span.end, |entry| entry.value.span.end.max(span.end));
                let value = Yaml::Mapping(entries);
                self.close(Node { span: Span::new(start, end), value }, anchor);
            }
            None => {}
        }
    }

    fn close(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            let extent = Extent::of(&node);
            self.anchors.insert(anchor, Anchored { node: node.clone(), extent });
        }
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::Sequence { items, .. }) => items.push(node),
            Some(Open::Mapping { entries, key, .. }) => match key.take() {
                None => {
                    if let Yaml::Sequence(_) | Yaml::Mapping(_) = node.value {
                        let message = "a key must be text, found a list or mapping";
                        self.diagnostics.error("yaml-key", node.span, message);
                    }
                    *key = Some((key_text(&node), node.span));
                }
                Some((key, key_span)) => {
                    if entries.iter().any(|entry| entry.key == key) {
                        let message = format!("the key `{key}` stands twice in this mapping");
                        self.diagnostics.error("duplicate-key", key_span, message);
                    } else {
                        entries.push(Entry { key, key_span, value: node });
                    }
                }
            },
        }
    }
}

fn key_text(node: &Node) -> String {
    match &node.value {
        Yaml::String(text) => text.clone(),
        Yaml::Null => "null".to_owned(),
        Yaml::Bool(bool) => bool.to_string(),
        Yaml::Number(number) => number.to_string(),
        Yaml::Sequence(_) | Yaml::Mapping(_) => String::new(),
    }
}

/// Resolves a plain scalar by the core schema; `None` for numbers that JSON cannot hold.
fn resolve(text: &str) -> Option<Yaml> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Yaml::Null,
        "true" | "True" | "TRUE" => Yaml::Bool(true),
        "false" | "False" | "FALSE" => Yaml::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return None,
        _ if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF") => {
            return None;
        }
        _ => return resolve_number(text),
    })
}

/// Resolves what may be a number, else text; `None` for a number that is not finite as a double.
fn resolve_number(text: &str) -> Option<Yaml> {
    let string = || Some(Yaml::String(text.to_owned()));
    let radix = |digits, radix| match i64::from_str_radix(digits, radix) {
        Ok(int) => Some(Yaml::Number(int.into())),
        Err(_) => string(),
    };
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let numeric = |byte: u8| byte.is_ascii_digit() || b".eE+-".contains(&byte);
    let starts = text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first));
    if !starts || !text.bytes().all(numeric) {
        return string();
    }
    if let Ok(int) = text.parse::<i64>() {
        return Some(Yaml::Number(int.into()));
    }
    if let Ok(int) = text.parse::<u64>() {
        return Some(Yaml::Number(int.into()));
    }
    match text.parse::<f64>() {
        Ok(float) => Number::from_f64(float).map(Yaml::Number),
        Err(_) => string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::SourceText;

    fn read(text: &str) -> (Option<Node>, Vec<crate::Diagnostic>) {
        let mut diagnostics = Diagnostics::new(SourceText::new("a.yaml", text));
        let node = parse(Span::new(0, text.len()), &mut diagnostics);
        (node, diagnostics.into_vec())
    }

    #[test]
    fn scalars_follow_the_core_schema() {
        let (node, found) =
            read("a: 1\nb: 1.5\nc: yes\nd: ~\ne: '1'\nf: 0x1F\ng: 1-2\nh: true\ni: 2026-11-24\n");
        assert!(found.is_empty(), "{found:?}");
        assert_eq!(
            node.unwrap().to_json(),
            json!({"a": 1, "b": 1.5, "c": "yes", "d": null, "e": "1", "f": 31, "g": "1-2", "h": true, "i": "2026-11-24"})
        );
    }

    #[test]
    fn spans_are_bytes_of_the_whole_text() {
        let text = "schlüssel: wért # c\nlist:\n  - \"quoted\"\n";
        let (node, _) = read(text);
        let node = node.unwrap();
        let value = node.get("schlüssel").unwrap();
        assert_eq!(&text[value.span.start..value.span.end], "wért");
        let item = &node.get("list").unwrap().items().unwrap()[0];
        assert_eq!(&text[item.span.start..item.span.end], "\"quoted\"");
    }

    #[test]
    fn broken_yaml_names_the_place() {
        let (node, found) = read("a: 1\nb: [1, 2\n");
        assert!(node.is_none());
        assert_eq!(found[0].code, "yaml-syntax");
        assert!(found[0].position.unwrap().line >= 2);
    }

    #[test]
    fn duplicate_keys_and_second_documents_are_errors() {
        assert_eq!(read("a: 1\na: 2\n").1[0].code, "duplicate-key");
        assert_eq!(read("a: 1\n---\nb: 1\n").1[0].code, "yaml-documents");
    }

    #[test]
    fn alias_bombs_and_deep_nesting_are_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
        for level in 1..9 {
            let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
        }
        assert_eq!(read(&bomb).1[0].code, "yaml-size");
        assert_eq!(read(&"[".repeat(100)).1[0].code, "yaml-depth");
    }

    #[test]
    fn aliases_cannot_nest_deeper_than_text_may() {
        let chain = |last: usize| {
            let mut text = String::from("a0: &a0 [x]\n");
            for level in 1..=last {
                text.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
            }
            text
        };
        // The mapping around it is one level, and `a0` is one list.
        assert_eq!(read(&chain(MAX_DEPTH - 2)).1, []);
        let found = read(&chain(MAX_DEPTH - 1)).1;
        assert_eq!((found.len(), found[0].code.as_str()), (1, "yaml-depth"));
        assert_eq!(read(&chain(20_000)).1[0].code, "yaml-depth");
    }

    #[test]
    fn numbers_that_are_not_finite_are_refused() {
        assert_eq!(read("a: .inf\n").1[0].code, "yaml-number");
        assert_eq!(read("a: 1e999\n").1[0].code, "yaml-number");
    }

    #[test]
    fn nothing_is_null() {
        assert_eq!(read("# only a comment\n").0.unwrap().value, Yaml::Null);
    }
}
