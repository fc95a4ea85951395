use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A range of bytes in a text, its end exclusive.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last.
    pub end: usize,
}

impl Span {
    /// Makes a span.
    pub const fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    /// Returns this span moved `by` bytes to the right, as a part of a larger text needs.
    #[must_use]
    pub const fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
}

/// A place in a text as editors show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Position {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
}

/// A named text that knows where its lines start. Cheap to clone.
#[derive(Debug, Clone)]
pub struct SourceText {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    name: String,
    text: String,
    line_starts: Vec<usize>,
}

impl SourceText {
    /// Takes a text under the name that diagnostics show: its path inside the project.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        let line_starts = std::iter::once(0)
            .chain(
                text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1),
            )
            .collect();
        Self { inner: Arc::new(Inner { name: name.into(), text, line_starts }) }
    }

    /// Returns the name.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// Returns the position of a byte; one past the end, or inside a character, is moved to the
    /// nearest place before it.
    pub fn position(&self, offset: usize) -> Position {
        let text = &self.inner.text;
        let mut offset = offset.min(text.len());
        while !text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.inner.line_starts.partition_point(|start| *start <= offset);
        let start = self.inner.line_starts[line - 1];
        let column = text[start..offset].chars().count() + 1;
        let fit = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        Position { line: fit(line), column: fit(column) }
    }

    /// Returns the line (from 1) without its line end, `None` if there is no such line.
    pub fn line(&self, line: u32) -> Option<&str> {
        let index = usize::try_from(line).ok()?.checked_sub(1)?;
        let start = *self.inner.line_starts.get(index)?;
        let end = self.inner.line_starts.get(index + 1).copied().unwrap_or(self.inner.text.len());
        Some(self.inner.text[start..end].trim_end_matches(['\n', '\r']))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_characters_from_one() {
        let source = SourceText::new("a", "é1\nzwei\r\n");
        assert_eq!(source.position(0), Position { line: 1, column: 1 });
        assert_eq!(source.position(2), Position { line: 1, column: 2 });
        assert_eq!(source.position(1), Position { line: 1, column: 1 }, "inside a character");
        assert_eq!(source.position(4), Position { line: 2, column: 1 });
        assert_eq!(source.position(999), Position { line: 3, column: 1 });
        assert_eq!(source.line(2), Some("zwei"));
        assert_eq!(source.line(0), None);
    }
}
