//! A JSON document as a tree that remembers which bytes each value came from.

use std::collections::HashSet;

use document::yaml::{Entry, MAX_DEPTH, Node, Yaml};
use document::{Diagnostics, Span};
use serde_json::Value;
use serde_json::value::RawValue;

use super::{end_of_string, message};

const BYTE_ORDER_MARK: char = '\u{feff}';

/// Reads the collection's whole text as one JSON document.
///
/// Returns `None` if it is none, or has a value that could not be kept exactly (a key that stands
/// twice, a whole number that no 64-bit integer holds); the reasons are added to the diagnostics.
pub(crate) fn tree(diagnostics: &mut Diagnostics) -> Option<Node> {
    let source = diagnostics.source().clone();
    let text = source.text();
    let body = text.trim_start_matches(BYTE_ORDER_MARK);
    let base = text.len() - body.len();
    if let Err(error) = serde_json::from_str::<&RawValue>(body) {
        let at = base + byte_of(body, &error);
        diagnostics.error(
            "json",
            Span::new(at, at),
            format!("this is not JSON: {}", message(&error)),
        );
        return None;
    }
    let mut reader = Reader { text: body, base, at: 0, found: Vec::new() };
    let node = reader.value(0);
    let failed = !reader.found.is_empty();
    for (span, message) in reader.found {
        diagnostics.error("json", span, message);
    }
    node.filter(|_| !failed)
}

/// Returns the byte of an error that `serde_json` gives as line and column.
fn byte_of(text: &str, error: &serde_json::Error) -> usize {
    let before: usize =
        text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    (before + error.column().saturating_sub(1)).min(text.len())
}

/// Walks text that is known to be JSON, so that it need only find where things end.
struct Reader<'t> {
    text: &'t str,
    base: usize,
    at: usize,
    found: Vec<(Span, String)>,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.as_bytes().get(self.at).copied().unwrap_or(b' ')
    }

    /// Moves behind white space and one of the separators, if there is one.
    fn skip(&mut self, separator: u8) {
        let bytes = self.text.as_bytes();
        let blank = |byte: &u8| byte.is_ascii_whitespace();
        while bytes.get(self.at).is_some_and(|byte| blank(byte) || *byte == separator) {
            self.at += 1;
        }
    }

    fn span(&self, start: usize) -> Span {
        Span::new(start, self.at).shifted(self.base)
    }

    /// `None` where something was wrong that the tree cannot hold.
    fn value(&mut self, depth: usize) -> Option<Node> {
        self.skip(b' ');
        let start = self.at;
        if depth > MAX_DEPTH {
            let message = format!("found more than {MAX_DEPTH} levels");
            self.found.push((self.span(start), message));
            return None;
        }
        let value = match self.peek() {
            b'{' => Yaml::Mapping(self.entries(depth)?),
            b'[' => Yaml::Sequence(self.items(depth)?),
            b'"' => Yaml::String(self.string()?),
            _ => self.scalar()?,
        };
        Some(Node { span: self.span(start), value })
    }

    fn entries(&mut self, depth: usize) -> Option<Vec<Entry>> {
        self.at += 1;
        let mut entries = Vec::new();
        loop {
            self.skip(b',');
            if self.peek() == b'}' {
                self.at += 1;
                break;
            }
            let start = self.at;
            let key = self.string()?;
            let key_span = self.span(start);
            self.skip(b':');
            entries.push(Entry { key, key_span, value: self.value(depth + 1)? });
        }
        let mut seen = HashSet::with_capacity(entries.len());
        for entry in &entries {
            if !seen.insert(entry.key.as_str()) {
                self.found.push((entry.key_span, format!("the key `{}` stands twice", entry.key)));
            }
        }
        Some(entries)
    }

    fn items(&mut self, depth: usize) -> Option<Vec<Node>> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.skip(b',');
            if self.peek() == b']' {
                self.at += 1;
                return Some(items);
            }
            items.push(self.value(depth + 1)?);
        }
    }

    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at = end_of_string(self.text.as_bytes(), start);
        match serde_json::from_str(&self.text[start..self.at]) {
            Ok(text) => Some(text),
            Err(error) => {
                self.found.push((self.span(start), format!("found bad text: {}", message(&error))));
                None
            }
        }
    }

    fn scalar(&mut self) -> Option<Yaml> {
        let start = self.at;
        let rest = &self.text[start..];
        let ends = |byte: u8| byte.is_ascii_whitespace() || b",]}".contains(&byte);
        self.at += rest.bytes().position(ends).unwrap_or(rest.len());
        let text = &self.text[start..self.at];
        match serde_json::from_str(text) {
            Ok(Value::Null) => Some(Yaml::Null),
            Ok(Value::Bool(bool)) => Some(Yaml::Bool(bool)),
            Ok(Value::Number(number)) if !number.is_f64() || text.contains(['.', 'e', 'E']) => {
                Some(Yaml::Number(number))
            }
            Ok(_) => {
                let message = "found a whole number that is not exact; put it in quotes";
                self.found.push((self.span(start), message.to_owned()));
                None
            }
            Err(error) => {
                self.found
                    .push((self.span(start), format!("found a bad value: {}", message(&error))));
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use document::{Diagnostic, SourceText};

    use super::*;

    fn read(text: &str) -> (Option<Node>, Vec<Diagnostic>) {
        let mut diagnostics = Diagnostics::new(SourceText::new("a.json", text));
        let node = tree(&mut diagnostics);
        (node, diagnostics.into_vec())
    }

    fn problems(text: &str) -> Vec<String> {
        let (node, found) = read(text);
        assert!(node.is_none(), "{text}");
        let place = |one: Diagnostic| one.position.map(|at| (at.line, at.column, one.message));
        found
            .into_iter()
            .filter_map(place)
            .map(|(line, column, message)| format!("{line}:{column}: {message}"))
            .collect()
    }

    #[test]
    fn the_tree_holds_what_serde_json_reads_and_where_it_stands() {
        let text =
            " {\"é\\u0041\" : [1, -2.5e3, true, null, \"a\\\"]b\"],\r\n\t\"b\":{}, \"c\": [ ] } ";
        let (node, found) = read(text);
        assert_eq!(found, []);
        let node = node.unwrap();
        assert_eq!(node.to_json(), serde_json::from_str::<Value>(text).unwrap());
        let item = &node.get("éA").unwrap().items().unwrap()[4];
        assert_eq!(&text[item.span.start..item.span.end], "\"a\\\"]b\"");
        let key = &node.entries().unwrap()[1];
        assert_eq!(&text[key.key_span.start..key.key_span.end], "\"b\"");
    }

    #[test]
    fn what_could_not_be_kept_is_an_error_at_its_place() {
        assert_eq!(problems("{\"a\":1,\n \"a\":2}"), ["2:2: the key `a` stands twice"]);
        assert_eq!(
            problems("[1,\n123456789012345678901]"),
            ["2:1: found a whole number that is not exact; put it in quotes"]
        );
        assert_eq!(problems("[1e999]"), ["1:2: found a bad value: number out of range"]);
        assert_eq!(problems("{\"a\":\n  1,}"), ["2:5: this is not JSON: key must be a string"]);
        assert_eq!(problems("").len(), 1);
        assert_eq!(problems(&"[".repeat(80)).len(), 1);
        let deep = "[".repeat(80) + &"]".repeat(80);
        assert_eq!(problems(&deep), ["1:66: found more than 64 levels"]);
        assert_eq!(problems("[\"\\ud800\"]").len(), 1);
    }

    #[test]
    fn a_byte_order_mark_moves_nothing() {
        let (node, found) = read("\u{feff}[7]");
        assert_eq!(found, []);
        assert_eq!(node.unwrap().items().unwrap()[0].span, Span::new(4, 5));
    }
}
