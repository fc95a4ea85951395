use std::io::{BufRead, Read};

use serde_json::Value;

use super::MAX_ROW_BYTES;
use crate::row::{BadRow, Row, RowText, UnreadableFile};

/// Reads one JSON value a line. Empty lines are skipped.
pub(super) fn lines(
    mut input: impl BufRead,
    each: &mut dyn FnMut(Result<Row, BadRow>),
) -> Result<(), UnreadableFile> {
    let mut bytes = Vec::new();
    for line in 1.. {
        bytes.clear();
        let limit = MAX_ROW_BYTES as u64 + 1;
        if input.by_ref().take(limit).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.len() > MAX_ROW_BYTES && !bytes.ends_with(b"\n") {
            skip_line(&mut input)?;
            each(Err(too_large(line, 1)));
            continue;
        }
        let content = if line == 1 { without_mark(&bytes) } else { &bytes };
        if content.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        each(row(content, line, 1));
    }
    Ok(())
}

fn skip_line(input: &mut impl BufRead) -> std::io::Result<()> {
    loop {
        let buffer = input.fill_buf()?;
        let (used, ended) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(at) => (at + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        input.consume(used);
        if ended {
            return Ok(());
        }
    }
}

/// Reads the items of one JSON array.
pub(super) fn array(
    mut input: impl BufRead,
    each: &mut dyn FnMut(Result<Row, BadRow>),
) -> Result<(), UnreadableFile> {
    let mut scanner = Scanner::new();
    let mut first = true;
    loop {
        let buffer = input.fill_buf()?;
        if buffer.is_empty() {
            break;
        }
        let content = if first { without_mark(buffer) } else { buffer };
        first = false;
        for byte in content {
            scanner.take(*byte, each).map_err(UnreadableFile::Form)?;
        }
        let used = buffer.len();
        input.consume(used);
    }
    match scanner.state {
        State::After => Ok(()),
        _ => Err(UnreadableFile::Form(scanner.here("the file ends inside the list"))),
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes)
}

fn row(bytes: &[u8], line: u64, column: u64) -> Result<Row, BadRow> {
    let bad = |problem: String| BadRow { line, column, problem };
    let text = std::str::from_utf8(bytes)
        .map_err(|error| bad(format!("byte {} of the row is not UTF-8", error.valid_up_to() + 1)))?
        .trim_end();
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let (lines, at) = (error.line().saturating_sub(1) as u64, error.column().max(1) as u64);
        let column = if lines == 0 { column + at - 1 } else { at };
        let message = error.to_string();
        let cause = message.split(" at line ").next().unwrap_or(&message);
        BadRow { line: line + lines, column, problem: format!("this is not JSON: {cause}") }
    })?;
    if !value.is_object() {
        return Err(bad("found no object, expected one with the names of the mapping".to_owned()));
    }
    Ok(Row { value, line, column, text: RowText::Json(text.to_owned()) })
}

fn too_large(line: u64, column: u64) -> BadRow {
    BadRow { line, column, problem: format!("the row has more than {MAX_ROW_BYTES} bytes") }
}

/// Finds where the items of an array begin and end without holding more than one.
struct Scanner {
    state: State,
    line: u64,
    column: u64,
    item: Vec<u8>,
    /// Where the item begins.
    at: (u64, u64),
    depth: usize,
    in_string: bool,
    escaped: bool,
    oversized: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the `[`.
    Before,
    /// An item is due, or `]` if none was read.
    Due {
        first: bool,
    },
    Item,
    After,
}

impl Scanner {
    fn new() -> Self {
        Self {
            state: State::Before,
            line: 1,
            column: 0,
            item: Vec::new(),
            at: (1, 1),
            depth: 0,
            in_string: false,
            escaped: false,
            oversized: false,
        }
    }

    fn here(&self, problem: &str) -> BadRow {
        BadRow { line: self.line, column: self.column.max(1), problem: problem.to_owned() }
    }

    fn take(&mut self, byte: u8, each: &mut dyn FnMut(Result<Row, BadRow>)) -> Result<(), BadRow> {
        // A byte inside a character does not begin a column.
        if byte & 0b1100_0000 != 0b1000_0000 {
            self.column += 1;
        }
        match self.state {
            State::Item => self.inside(byte, each),
            _ if byte.is_ascii_whitespace() => {}
            State::Before if byte == b'[' => self.state = State::Due { first: true },
            State::Before => return Err(self.here("expected a JSON list, which starts with `[`")),
            State::Due { first: true } if byte == b']' => self.state = State::After,
            State::Due { .. } if byte == b',' || byte == b']' => {
                return Err(self.here("expected an item of the list"));
            }
            State::Due { .. } => {
                self.state = State::Item;
                self.at = (self.line, self.column);
                self.inside(byte, each);
            }
            State::After => return Err(self.here("found more behind the end of the list")),
        }
        if byte == b'\n' {
            self.line += 1;
            self.column = 0;
        }
        Ok(())
    }

    fn inside(&mut self, byte: u8, each: &mut dyn FnMut(Result<Row, BadRow>)) {
        if !self.in_string && self.depth == 0 && (byte == b',' || byte == b']') {
            let (line, column) = self.at;
            let oversized = std::mem::take(&mut self.oversized);
            each(if oversized {
                Err(too_large(line, column))
            } else {
                row(&self.item, line, column)
            });
            self.item.clear();
            self.state = if byte == b',' { State::Due { first: false } } else { State::After };
            return;
        }
        if self.in_string {
            self.in_string = self.escaped || byte != b'"';
            self.escaped = !self.escaped && byte == b'\\';
        } else {
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
        }
        if self.item.len() < MAX_ROW_BYTES {
            self.item.push(byte);
        } else {
            self.oversized = true;
        }
    }
}
