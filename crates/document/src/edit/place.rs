//! Where a change goes: the splices that may make it, the preferred one first.

use serde_json::{Map, Value};

use super::extent::{self, is_absent, is_flow};
use super::render::{self, Style};
use super::{Splice, Step};
use crate::Span;
use crate::yaml::{Entry, Node, Yaml};

/// Returns ways to set the value at a path.
pub(super) fn to_set(text: &str, root: &Node, path: &[Step<'_>], value: &Value) -> Vec<Splice> {
    let mut walk = Walk::from(root);
    for (depth, step) in path.iter().enumerate() {
        let Some(next) = walk.step(text, *step) else {
            return missing(text, &walk, *step, &nested(&path[depth + 1..], value));
        };
        walk = next;
    }
    replace(text, &walk, value)
}

/// Returns ways to remove the key or item at a path.
pub(super) fn to_remove(text: &str, root: &Node, path: &[Step<'_>]) -> Vec<Splice> {
    let Some((last, parents)) = path.split_last() else { return Vec::new() };
    let mut walk = Walk::from(root);
    for step in parents {
        let Some(next) = walk.step(text, *step) else { return Vec::new() };
        walk = next;
    }
    let (parts, at) = match (&walk.node.value, last) {
        (Yaml::Mapping(entries), Step::Key(key)) => {
            let at = entries.iter().position(|entry| entry.key == *key);
            (entries.iter().map(|entry| part_of_entry(text, entry)).collect::<Vec<_>>(), at)
        }
        (Yaml::Sequence(items), Step::Index(index)) => {
            let flow = is_flow(text, walk.node);
            let parts = items.iter().map(|item| part_of_item(text, item, flow)).collect();
            (parts, Some(*index))
        }
        _ => return Vec::new(),
    };
    at.filter(|at| *at < parts.len())
        .map_or_else(Vec::new, |at| without(text, walk.node, &parts, at))
}

/// A node on the way down, and what is known of its surroundings.
struct Walk<'n> {
    node: &'n Node,
    /// The column in which the keys or dashes around the node stand.
    indent: usize,
    /// Whether the node stands inside braces or brackets.
    flow: bool,
    /// The end of the node's key, if it has one.
    key_end: Option<usize>,
}

impl<'n> Walk<'n> {
    fn from(root: &'n Node) -> Self {
        Self { node: root, indent: 0, flow: false, key_end: None }
    }

    fn step(&self, text: &str, step: Step<'_>) -> Option<Self> {
        let flow = self.flow || is_flow(text, self.node);
        match (&self.node.value, step) {
            (Yaml::Mapping(entries), Step::Key(key)) => {
                let entry = entries.iter().find(|entry| entry.key == key)?;
                let indent = column(text, entries[0].key_span.start);
                Some(Self { node: &entry.value, indent, flow, key_end: Some(entry.key_span.end) })
            }
            (Yaml::Sequence(items), Step::Index(index)) => {
                let indent = column(text, extent::of(text, self.node).start);
                Some(Self { node: items.get(index)?, indent, flow, key_end: None })
            }
            _ => None,
        }
    }
}

/// Returns the value that stands at a missing step when the rest of the path is made below it.
fn nested(rest: &[Step<'_>], value: &Value) -> Value {
    rest.iter().rev().fold(value.clone(), |value, step| match step {
        Step::Key(key) => Value::Object(Map::from_iter([((*key).to_owned(), value)])),
        Step::Index(_) => Value::Array(vec![value]),
    })
}

fn replace(text: &str, walk: &Walk<'_>, value: &Value) -> Vec<Splice> {
    let node = walk.node;
    if is_absent(node) {
        return fill(text, walk, value);
    }
    let span = extent::of(text, node);
    let style = match node.value {
        Yaml::Sequence(_) | Yaml::Mapping(_) => Style::Plain,
        _ => Style::of(&text[span.start..]),
    };
    let mut ways = Vec::new();
    if let Value::String(string) = value
        && !walk.flow
        && (style == Style::Block || string.contains('\n'))
    {
        ways.extend(render::literal(string, walk.indent + 2, line_end(text)));
    }
    ways.extend(render::inline(value, style));
    ways.into_iter().map(|way| Splice { span, with: way }).collect()
}

/// Returns ways to write a value where nothing stands yet.
fn fill(text: &str, walk: &Walk<'_>, value: &Value) -> Vec<Splice> {
    let ways = render::inline(value, Style::Plain).into_iter();
    match walk.key_end {
        Some(key_end) => match extent::colon(text, key_end) {
            Some(at) => ways.map(|way| splice(at, at, format!(" {way}"))).collect(),
            None => Vec::new(),
        },
        None if walk.indent == 0 && walk.node.span.start == 0 => at_end(text, &render::flow(value)),
        None => {
            let at = extent::dash(text, walk.node) + 1;
            ways.map(|way| splice(at, at, format!(" {way}"))).collect()
        }
    }
}

/// Returns ways to add what a step does not find.
fn missing(text: &str, walk: &Walk<'_>, step: Step<'_>, value: &Value) -> Vec<Splice> {
    let node = walk.node;
    match (step, &node.value) {
        (Step::Key(key), Yaml::Mapping(entries)) => {
            let flow = render::flow_entry(key, value);
            let Some(last) = entries.last() else {
                return vec![Splice { span: extent::of(text, node), with: format!("{{{flow}}}") }];
            };
            let end = extent::end_of_entry(text, last);
            if is_flow(text, node) {
                return vec![splice(end, end, format!(", {flow}"))];
            }
            let indent = column(text, entries[0].key_span.start);
            let block = render::block_entry(key, value, indent, line_end(text));
            after_line(text, end, indent, &[block, flow])
        }
        (Step::Key(key), Yaml::Null) => under_nothing(text, walk, key, value),
        (Step::Index(_), Yaml::Sequence(items)) => {
            let flow = render::flow(value);
            let Some(last) = items.last() else {
                return vec![Splice { span: extent::of(text, node), with: format!("[{flow}]") }];
            };
            let end = extent::of(text, last).end;
            if is_flow(text, node) {
                return vec![splice(end, end, format!(", {flow}"))];
            }
            let indent = column(text, extent::of(text, node).start);
            after_line(text, end, indent, &[format!("- {flow}")])
        }
        _ => Vec::new(),
    }
}

/// Returns ways to make a mapping of one key where a null is.
fn under_nothing(text: &str, walk: &Walk<'_>, key: &str, value: &Value) -> Vec<Splice> {
    let flow = render::flow_entry(key, value);
    if !is_absent(walk.node) {
        return vec![Splice { span: extent::of(text, walk.node), with: format!("{{{flow}}}") }];
    }
    match walk.key_end {
        Some(key_end) if !walk.flow => {
            let indent = walk.indent + 2;
            let block = render::block_entry(key, value, indent, line_end(text));
            let end = extent::colon(text, key_end).unwrap_or(key_end);
            after_line(text, end, indent, &[block, flow])
        }
        Some(_) => {
            let map = Value::Object(Map::from_iter([(key.to_owned(), value.clone())]));
            fill(text, walk, &map)
        }
        None => at_end(text, &render::block_entry(key, value, 0, line_end(text))),
    }
}

/// Returns splices that put a new line after the line on which `end` lies.
fn after_line(text: &str, end: usize, indent: usize, ways: &[String]) -> Vec<Splice> {
    let rest = &text[end..];
    let line = rest.find('\n').map_or(rest, |at| &rest[..at]);
    let at = end + line.strip_suffix('\r').unwrap_or(line).len();
    let (line_end, margin) = (line_end(text), " ".repeat(indent));
    ways.iter().map(|way| splice(at, at, format!("{line_end}{margin}{way}"))).collect()
}

/// Returns a splice that adds a line at the end of the text.
fn at_end(text: &str, line: &str) -> Vec<Splice> {
    let line_end = line_end(text);
    let before = if text.is_empty() || text.ends_with('\n') { "" } else { line_end };
    vec![splice(text.len(), text.len(), format!("{before}{line}{line_end}"))]
}

/// Returns ways to take one of a collection's parts away.
fn without(text: &str, collection: &Node, parts: &[Span], at: usize) -> Vec<Splice> {
    let part = parts[at];
    let flow = is_flow(text, collection);
    if let ([only], false) = (parts, flow) {
        let empty = if matches!(collection.value, Yaml::Mapping(_)) { "{}" } else { "[]" };
        return vec![Splice { span: *only, with: empty.to_owned() }];
    }
    let after = parts.get(at + 1).map(|next| splice(part.start, next.start, String::new()));
    if flow {
        let before = at.checked_sub(1).map(|at| splice(parts[at].end, part.end, String::new()));
        let alone = splice(part.start, part.end, String::new());
        return after.or(before).or(Some(alone)).into_iter().collect();
    }
    let line_start = text[..part.start].rfind('\n').map_or(0, |at| at + 1);
    let line_stop = text[part.end..].find('\n').map_or(text.len(), |at| part.end + at + 1);
    let own_lines = text[line_start..part.start].trim().is_empty();
    let lines = own_lines.then(|| splice(line_start, line_stop, String::new()));
    lines.into_iter().chain(after).collect()
}

fn part_of_entry(text: &str, entry: &Entry) -> Span {
    Span::new(entry.key_span.start, extent::end_of_entry(text, entry))
}

/// Returns an item, in a block sequence with its dash.
fn part_of_item(text: &str, item: &Node, flow: bool) -> Span {
    let extent = extent::of(text, item);
    if flow {
        return extent;
    }
    let dash = extent::dash(text, item);
    Span::new(dash, if is_absent(item) { dash + 1 } else { extent.end })
}

fn column(text: &str, at: usize) -> usize {
    let start = text[..at].rfind('\n').map_or(0, |line| line + 1);
    text[start..at].chars().count()
}

fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn splice(start: usize, end: usize, with: String) -> Splice {
    Splice { span: Span::new(start, end), with }
}
