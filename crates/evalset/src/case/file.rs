use std::collections::HashMap;
use std::sync::Arc;

use document::{Diagnostic, Diagnostics, Position, SourceText, Span};

use super::{Case, RowProblem, read_row};

/// A longer line is refused.
pub const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

const BYTE_ORDER_MARK: char = '\u{feff}';

/// The text of a `cases.jsonl` with a typed view of its rows.
///
/// The text is the truth and is never printed anew: an edit replaces the bytes of one line, and what
/// is not edited is written back as it was read. A row was checked when the file was read and is
/// parsed again whenever it is asked for, so that a large set costs little more than its text.
/// Lines that could not be read stand in the text and in no view.
#[derive(Debug, Clone)]
pub struct CaseFile {
    source: SourceText,
    rows: Vec<Row>,
    index: HashMap<Arc<str>, usize>,
}

/// A case that can be written, as the row that is read back as it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseRow {
    id: Arc<str>,
    text: String,
}

#[derive(Debug, Clone)]
struct Row {
    id: Arc<str>,
    /// The first byte of the line, and the byte after its last, line end excluded.
    start: usize,
    end: usize,
}

/// A case could not be put into the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditCaseError {
    /// There is no case of that id.
    #[error("there is no case `{0}`")]
    NoSuchCase(String),
    /// Another case has that id.
    #[error("there is already a case `{0}`")]
    DuplicateId(String),
    /// The case cannot be written as a row that would be read back.
    #[error("the case `{id}` cannot be saved: {reason}")]
    Invalid {
        /// Its id.
        id: String,
        /// What is wrong.
        reason: String,
    },
}

impl CaseFile {
    /// Reads a whole file. `name` is the path that diagnostics show.
    ///
    /// Every bad line and every id that stands twice is reported, and the other cases are there.
    pub fn read(name: &str, text: impl Into<String>) -> (Self, Vec<Diagnostic>) {
        let source = SourceText::new(name, text);
        let mut diagnostics = Diagnostics::new(source.clone());
        let mut file = Self { source: source.clone(), rows: Vec::new(), index: HashMap::new() };
        for line in Lines::of(source.text()) {
            if let Some(row) = read_line(source.text(), line, &mut diagnostics) {
                file.take(row, &mut diagnostics);
            }
        }
        (file, diagnostics.into_vec())
    }

    fn take(&mut self, row: Row, diagnostics: &mut Diagnostics) {
        if let Some(&first) = self.index.get(&row.id) {
            let line = self.source.position(self.rows[first].start).line;
            diagnostics.error(
                "duplicate-case",
                Span::new(row.start, row.end),
                format!("the case id `{}` stands on line {line} already", row.id),
            );
            return;
        }
        self.index.insert(Arc::clone(&row.id), self.rows.len());
        self.rows.push(row);
    }

    /// Returns the text as it is to be saved.
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// Returns the number of cases.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether there is no case.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the ids in the order of the file.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = &str> {
        self.rows.iter().map(|row| &*row.id)
    }

    /// Parses the cases in the order of the file, one at a time.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Case> {
        self.rows.iter().map(|row| self.parse(row))
    }

    /// Returns the case of an id.
    pub fn get(&self, id: &str) -> Option<Case> {
        self.index.get(id).map(|&at| self.parse(&self.rows[at]))
    }

    /// Returns the case at a place in the order of the file, from 0.
    pub fn nth(&self, index: usize) -> Option<Case> {
        self.rows.get(index).map(|row| self.parse(row))
    }

    /// Returns the line of a case as it stands in the file, without its line end.
    pub fn raw(&self, id: &str) -> Option<&str> {
        self.index.get(id).map(|&at| self.line_of(&self.rows[at]))
    }

    /// Returns where the line of a case is.
    pub fn span(&self, id: &str) -> Option<Span> {
        self.index.get(id).map(|&at| Span::new(self.rows[at].start, self.rows[at].end))
    }

    /// Returns the line and column of a case.
    pub fn position(&self, id: &str) -> Option<Position> {
        self.span(id).map(|span| self.source.position(span.start))
    }

    /// Returns the text with its name and lines.
    pub fn source(&self) -> &SourceText {
        &self.source
    }

    fn line_of(&self, row: &Row) -> &str {
        &self.text()[row.start..row.end]
    }

    fn parse(&self, row: &Row) -> Case {
        read_row(self.line_of(row)).expect("the row was read when the file was")
    }

    /// Puts a case in the place of the one with this id; no other line changes.
    ///
    /// An equal case changes nothing. The line keeps its line end.
    ///
    /// # Errors
    /// [`EditCaseError`] if there is no such case, its new id is taken, or it would not be read back.
    pub fn replace(&mut self, id: &str, case: &Case) -> Result<(), EditCaseError> {
        let at = *self.index.get(id).ok_or_else(|| EditCaseError::NoSuchCase(id.to_owned()))?;
        if case.id != id && self.index.contains_key(case.id.as_str()) {
            return Err(EditCaseError::DuplicateId(case.id.clone()));
        }
        let row = &self.rows[at];
        if self.parse(row) == *case {
            return Ok(());
        }
        let line = checked_row(case)?;
        let (start, end) = (row.start, row.end);
        self.splice(start, end, &line);
        let new_end = start + line.len();
        for later in &mut self.rows[at + 1..] {
            later.start = later.start - end + new_end;
            later.end = later.end - end + new_end;
        }
        self.index.remove(id);
        let id: Arc<str> = case.id.as_str().into();
        self.index.insert(Arc::clone(&id), at);
        self.rows[at] = Row { id, start, end: new_end };
        Ok(())
    }

    /// Adds cases after the last line, in the line ends of the file.
    ///
    /// # Errors
    /// [`EditCaseError`] if an id is taken or a case would not be read back; nothing is then added.
    pub fn append(&mut self, cases: &[Case]) -> Result<(), EditCaseError> {
        let rows = cases.iter().map(Self::check).collect::<Result<Vec<_>, _>>()?;
        self.append_rows(&rows)
    }

    /// Adds cases as [`CaseFile::append`] does, of which it was told before that they can be written.
    ///
    /// # Errors
    /// [`EditCaseError::DuplicateId`] if an id is taken; nothing is then added.
    pub fn append_rows(&mut self, cases: &[CaseRow]) -> Result<(), EditCaseError> {
        let line_end = if self.text().split('\n').next().is_some_and(|line| line.ends_with('\r')) {
            "\r\n"
        } else {
            "\n"
        };
        let mut added = String::new();
        let mut rows: Vec<Row> = Vec::with_capacity(cases.len());
        let end = self.text().len();
        let unfinished = !self.text().is_empty()
            && !self.text().ends_with('\n')
            && self.text() != BYTE_ORDER_MARK.to_string();
        if unfinished && !cases.is_empty() {
            added.push_str(line_end);
        }
        let mut new_ids = HashMap::new();
        for case in cases {
            let (id, line) = (Arc::clone(&case.id), &case.text);
            let place = self.rows.len() + rows.len();
            if self.index.contains_key(&id) || new_ids.insert(Arc::clone(&id), place).is_some() {
                return Err(EditCaseError::DuplicateId(id.to_string()));
            }
            let start = end + added.len();
            rows.push(Row { id, start, end: start + line.len() });
            added.push_str(line);
            added.push_str(line_end);
        }
        self.splice(end, end, &added);
        self.rows.append(&mut rows);
        self.index.extend(new_ids);
        Ok(())
    }

    /// Returns the row of a case, after reading it back.
    ///
    /// # Errors
    /// [`EditCaseError::Invalid`] if it cannot be written, or would be read back as another.
    pub fn check(case: &Case) -> Result<CaseRow, EditCaseError> {
        Ok(CaseRow { id: case.id.as_str().into(), text: checked_row(case)? })
    }

    /// Removes the line of a case.
    ///
    /// # Errors
    /// [`EditCaseError::NoSuchCase`].
    pub fn remove(&mut self, id: &str) -> Result<(), EditCaseError> {
        let at = *self.index.get(id).ok_or_else(|| EditCaseError::NoSuchCase(id.to_owned()))?;
        let (start, end) = (self.rows[at].start, self.rows[at].end);
        let end = self.text()[end..].find('\n').map_or(self.text().len(), |more| end + more + 1);
        self.splice(start, end, "");
        self.rows.remove(at);
        self.index.remove(id);
        for (place, row) in self.rows.iter_mut().enumerate().skip(at) {
            row.start -= end - start;
            row.end -= end - start;
            self.index.insert(Arc::clone(&row.id), place);
        }
        Ok(())
    }

    fn splice(&mut self, start: usize, end: usize, with: &str) {
        let text = self.text();
        let mut edited = String::with_capacity(text.len() - (end - start) + with.len());
        edited.push_str(&text[..start]);
        edited.push_str(with);
        edited.push_str(&text[end..]);
        self.source = SourceText::new(self.source.name(), edited);
    }

    /// Returns the whole file in canonical form: what `trysquare fmt` writes.
    ///
    /// The order of the cases stays; empty lines, carriage returns and a byte order mark go. A line
    /// that could not be read is kept as it is.
    pub fn canonical(&self) -> String {
        let mut out = String::with_capacity(self.text().len());
        let mut rows = self.rows.iter().peekable();
        for line in Lines::of(self.text()) {
            let text = &self.text()[line.start..line.end];
            if let Some(row) = rows.next_if(|row| row.start == line.start) {
                out.push_str(&self.parse(row).to_row());
            } else if text.trim().is_empty() {
                continue;
            } else {
                out.push_str(text);
            }
            out.push('\n');
        }
        out
    }
}

fn read_line(text: &str, line: Span, diagnostics: &mut Diagnostics) -> Option<Row> {
    let row = &text[line.start..line.end];
    if row.trim().is_empty() {
        return None;
    }
    if row.len() > MAX_LINE_BYTES {
        let message =
            format!("found a line of {} bytes, expected at most {MAX_LINE_BYTES}", row.len());
        diagnostics.error("case-row", Span::new(line.start, line.start), message);
        return None;
    }
    match read_row(row) {
        Ok(case) => Some(Row { id: case.id.into(), start: line.start, end: line.end }),
        Err(problems) => {
            for RowProblem { code, at, message, hint } in problems {
                let span = Span::new(line.start + at, line.start + at);
                match hint {
                    Some(hint) => diagnostics.error_with_hint(code, span, message, hint),
                    None => diagnostics.error(code, span, message),
                }
            }
            None
        }
    }
}

/// Returns the row of a case after reading it back.
fn checked_row(case: &Case) -> Result<String, EditCaseError> {
    let line = case.to_row();
    let invalid =
        |reason: &str| EditCaseError::Invalid { id: case.id.clone(), reason: reason.to_owned() };
    if line.len() > MAX_LINE_BYTES {
        return Err(invalid("its row is too long"));
    }
    match read_row(&line) {
        Ok(read) if read == *case || read.to_row() == line => Ok(line),
        Ok(_) => Err(invalid("it would be read back as another case")),
        Err(problems) => {
            Err(invalid(problems.first().map_or("unknown", |problem| &problem.message)))
        }
    }
}

/// The lines of a text without their line ends and without a byte order mark.
struct Lines<'t> {
    text: &'t str,
    next: usize,
}

impl<'t> Lines<'t> {
    fn of(text: &'t str) -> Self {
        let next = if text.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len_utf8() } else { 0 };
        Self { text, next }
    }
}

impl Iterator for Lines<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let start = self.next;
        let rest = self.text.get(start..).filter(|rest| !rest.is_empty())?;
        let line = rest.split('\n').next().unwrap_or(rest);
        self.next = start + line.len() + 1;
        let line = line.trim_end_matches('\r');
        Some(Span::new(start, start + line.len()))
    }
}

#[cfg(test)]
mod tests;
