//! `outputs.jsonl`: the outputs that labels and the baseline refer to, by hash.

use std::collections::BTreeMap;

use document::{Diagnostic, Diagnostics, SourceText, Span};
use serde_json::{Map, Value, json};
use values::{ContentHash, Timestamp, row_json};

use crate::json;

/// The format of a row.
pub const OUTPUT_FORMAT: u32 = 1;

/// The outputs of an eval set's `outputs.jsonl`, by hash.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Outputs {
    rows: BTreeMap<ContentHash, Output>,
}

/// An output that something refers to.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// What it said, or that it was taken out.
    pub content: OutputContent,
    /// Keys that this version does not know, kept as they were.
    pub other: Map<String, Value>,
}

/// What is kept of an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputContent {
    /// Its text.
    Text(String),
    /// Nothing: it was purged, as personal data must be, at that time. It is not put back.
    Purged(Timestamp),
}

impl Outputs {
    /// Reads a file of rows in any order, a hash any number of times. `name` is the path that
    /// diagnostics show.
    ///
    /// Every line that is no output is an error, and the others are used. A file with an error must
    /// not be written back, since the line would be lost.
    pub fn read(name: &str, text: impl Into<String>) -> (Self, Vec<Diagnostic>) {
        let source = SourceText::new(name, text);
        let mut diagnostics = Diagnostics::new(source.clone());
        let mut outputs = Self::default();
        let mut start = 0;
        for line in source.text().split_inclusive('\n') {
            let row = line.trim_end_matches(['\n', '\r']).trim_start_matches('\u{feff}');
            let at = start + line.find(row).unwrap_or(0);
            start += line.len();
            if row.trim().is_empty() {
                continue;
            }
            match read_row(row) {
                Ok((hash, output)) => outputs.unite(hash, output),
                Err((column, problem)) => {
                    let span = Span::new(at + column, at + row.len());
                    diagnostics.error("output-row", span, problem);
                }
            }
        }
        (outputs, diagnostics.into_vec())
    }

    /// Returns the canonical text: one row for each hash, sorted by hash.
    pub fn to_text(&self) -> String {
        self.rows.iter().map(|(hash, output)| row(hash, output) + "\n").collect()
    }

    /// Adds an output, unless it is there or was purged, and returns its hash.
    pub fn insert(&mut self, text: &str) -> ContentHash {
        let hash = ContentHash::of_bytes(text.as_bytes());
        self.rows.entry(hash).or_insert_with(|| Output {
            content: OutputContent::Text(text.to_owned()),
            other: Map::new(),
        });
        hash
    }

    /// Takes out what an output said, for ever; tells whether it was there.
    pub fn purge(&mut self, hash: ContentHash, at: Timestamp) -> bool {
        let is_there = self.text(&hash).is_some();
        if is_there {
            let content = OutputContent::Purged(at);
            self.rows.insert(hash, Output { content, other: Map::new() });
        }
        is_there
    }

    /// Returns the output of a hash.
    pub fn get(&self, hash: &ContentHash) -> Option<&Output> {
        self.rows.get(hash)
    }

    /// Returns the text of a hash, if it is there and was not purged.
    pub fn text(&self, hash: &ContentHash) -> Option<&str> {
        match &self.get(hash)?.content {
            OutputContent::Text(text) => Some(text),
            OutputContent::Purged(_) => None,
        }
    }

    /// Returns the outputs in the order of their hashes.
    pub fn iter(&self) -> impl Iterator<Item = (&ContentHash, &Output)> {
        self.rows.iter()
    }

    /// Returns the number of outputs.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds everything that another file has. The order of uniting does not matter.
    pub fn extend(&mut self, others: Self) {
        for (hash, output) in others.rows {
            self.unite(hash, output);
        }
    }

    /// Of two rows with one hash a purge stays, the earliest of two; else the greater text.
    fn unite(&mut self, hash: ContentHash, output: Output) {
        let rank = |output: &Output| match output.content {
            OutputContent::Purged(at) => (1, std::cmp::Reverse(Some(at)), row(&hash, output)),
            OutputContent::Text(_) => (0, std::cmp::Reverse(None), row(&hash, output)),
        };
        match self.rows.get(&hash) {
            Some(standing) if rank(standing) >= rank(&output) => {}
            _ => {
                self.rows.insert(hash, output);
            }
        }
    }
}

fn row(hash: &ContentHash, output: &Output) -> String {
    let mut row = Map::new();
    row.insert("format".to_owned(), OUTPUT_FORMAT.into());
    row.insert("hash".to_owned(), json!(hash.to_string()));
    match &output.content {
        OutputContent::Text(text) => row.insert("text".to_owned(), json!(text)),
        OutputContent::Purged(at) => row.insert("purged".to_owned(), json!(at.to_string())),
    };
    for (key, value) in &output.other {
        row.insert(key.clone(), value.clone());
    }
    row_json(&Value::Object(row))
}

/// Reads one row, or tells the byte and what is wrong there.
fn read_row(text: &str) -> Result<(ContentHash, Output), (usize, String)> {
    let fields = json::row(text, "an output")?;
    from_fields(fields).map_err(|problem| (0, problem))
}

fn from_fields(mut fields: Map<String, Value>) -> Result<(ContentHash, Output), String> {
    match fields.shift_remove("format").as_ref().and_then(Value::as_u64) {
        Some(format) if format == u64::from(OUTPUT_FORMAT) => {}
        Some(format) => {
            return Err(format!("found format {format}, expected {OUTPUT_FORMAT}"));
        }
        None => return Err("the key `format` is missing, or no whole number".to_owned()),
    }
    let mut text_of = |key: &str| match fields.shift_remove(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("`{key}` must be text")),
    };
    let hash = text_of("hash")?.ok_or("the key `hash` is missing")?;
    let hash: ContentHash = hash.parse().map_err(|error| format!("{error}"))?;
    let content = match (text_of("text")?, text_of("purged")?) {
        (Some(text), None) => {
            if ContentHash::of_bytes(text.as_bytes()) != hash {
                return Err("`hash` is not the SHA-256 of `text`".to_owned());
            }
            OutputContent::Text(text)
        }
        (None, Some(at)) => {
            OutputContent::Purged(at.parse().map_err(|error| format!("`purged`: {error}"))?)
        }
        _ => return Err("expected one of `text` and `purged`".to_owned()),
    };
    Ok((hash, Output { content, other: fields }))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Outputs {
        let (outputs, found) = Outputs::read("outputs.jsonl", text);
        assert_eq!(found, []);
        outputs
    }

    const PAGE: &str = include_str!("../../../docs/formats/outputs.md");

    fn example() -> &'static str {
        PAGE.split("```json\n").nth(1).and_then(|block| block.split("```").next()).unwrap()
    }

    #[test]
    fn the_documentation_shows_canonical_rows() {
        let outputs = read(example());
        assert_eq!(outputs.to_text(), example());
        let hash = ContentHash::of_bytes(b"A-58213");
        assert_eq!(outputs.text(&hash), Some("A-58213"));
        assert_eq!(outputs.len(), 2);
    }

    #[test]
    fn a_purged_output_is_not_put_back() {
        let mut outputs = read(example());
        let purged = outputs.iter().find(|(hash, _)| outputs.text(hash).is_none());
        let hash = *purged.unwrap().0;
        let text =
            format!("{{\"format\":1,\"hash\":\"{hash}\",\"purged\":\"2026-11-20T09:30:00Z\"}}\n");
        assert_eq!(read(&text).to_text(), text);
        let mine = format!(
            "{}{text}",
            row(
                &hash,
                &Output {
                    content: OutputContent::Purged(Timestamp::from_unix_ms(1_900_000_000_000)),
                    other: Map::new(),
                }
            ) + "\n"
        );
        assert_eq!(read(&mine).to_text(), text, "the earliest purge stays");
        outputs.extend(read(&text));
        assert_eq!(outputs.insert("none"), hash);
        assert_eq!(outputs.text(&hash), None);
    }

    #[test]
    fn a_bad_line_is_named_and_the_others_are_used() {
        let good = example().lines().find(|line| line.contains("text")).unwrap();
        let text = format!(
            "\u{feff}{good}\r\n\n<<<<<<< ours\n{}\n{}\n{{\"format\":1,\"é\": nope}}\n[]\n{}\n{{}}\n{{\"format\":1}}\n",
            good.replacen("\"format\":1", "\"format\":2", 1),
            good.replacen("\"text\":\"", "\"text\":\"x", 1),
            good.replacen("\"hash\"", "\"text\":7,\"hash\"", 1),
        );
        let (outputs, found) = Outputs::read("outputs.jsonl", text);
        assert_eq!(outputs.len(), 1);
        let found: Vec<_> = found
            .into_iter()
            .map(|one| (one.position.unwrap(), one.message))
            .map(|(at, message)| format!("{}:{}: {message}", at.line, at.column))
            .collect();
        insta::assert_snapshot!(found.join("\n"), @r"
        3:1: this is not JSON: expected value
        4:1: found format 2, expected 1
        5:1: `hash` is not the SHA-256 of `text`
        6:19: this is not JSON: expected ident
        7:1: found no JSON object, expected an output
        8:101: this is not JSON: the key `text` stands twice
        9:1: the key `format` is missing, or no whole number
        10:1: the key `hash` is missing
        ");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(texts in vec(".{0,12}", 0..6), key in "x[a-z]{0,3}", value in ".{0,4}") {
            let mut outputs = Outputs::default();
            for text in &texts {
                let hash = outputs.insert(text);
                outputs.rows.get_mut(&hash).unwrap().other.insert(key.clone(), json!(value));
            }
            let text = outputs.to_text();
            prop_assert_eq!(&read(&text), &outputs);
            prop_assert!(text.lines().is_sorted());
            for one in &texts {
                prop_assert_eq!(outputs.text(&ContentHash::of_bytes(one.as_bytes())), Some(one.as_str()));
            }
        }

        #[test]
        fn files_unite_in_any_order(texts in vec(("[ab]{0,2}", 0u8..3), 0..8), at in 0usize..8) {
            let rows: String = texts
                .iter()
                .map(|(text, kind)| {
                    let hash = ContentHash::of_bytes(text.as_bytes());
                    let content = match kind {
                        0 => OutputContent::Text(text.clone()),
                        time => OutputContent::Purged(Timestamp::from_unix_ms(i64::from(*time))),
                    };
                    row(&hash, &Output { content, other: Map::new() }) + "\n"
                })
                .collect();
            let lines: Vec<&str> = rows.split_inclusive('\n').collect();
            let at = at.min(lines.len());
            let mut mine = read(&lines[at..].concat());
            mine.extend(read(&lines[..at].concat()));
            prop_assert_eq!(mine.to_text(), read(&rows).to_text());
        }
    }
}
