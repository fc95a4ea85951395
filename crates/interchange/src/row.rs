use document::{Diagnostic, Position, Severity};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::place::Step;

/// A row that cannot be imported, or a part of it. The other rows can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct BadRow {
    /// The line, from 1.
    pub line: u64,
    /// The character in the line, from 1; in CSV the number of the field.
    pub column: u64,
    /// What was found and what was expected.
    pub problem: String,
}

impl BadRow {
    /// Returns the finding about a file of this name.
    pub fn diagnostic(&self, file: &str) -> Diagnostic {
        let short = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        Diagnostic {
            severity: Severity::Error,
            code: "imported-row".to_owned(),
            message: self.problem.clone(),
            hint: None,
            file: file.to_owned(),
            span: None,
            position: Some(Position { line: short(self.line), column: short(self.column) }),
            excerpt: None,
        }
    }
}

/// The file cannot be read to its end, so that no row behind the place is known.
#[derive(Debug, thiserror::Error)]
pub enum UnreadableFile {
    /// Reading failed.
    #[error("failed to read the rows")]
    Read(#[from] std::io::Error),
    /// The file has another form than the mapping says.
    #[error(transparent)]
    Form(BadRow),
}

/// One row, and where its parts stand.
pub(crate) struct Row {
    pub(crate) value: Value,
    pub(crate) line: u64,
    pub(crate) column: u64,
    pub(crate) text: RowText,
}

/// What a row was read from.
pub(crate) enum RowText {
    Json(String),
    /// Fields in the order of these columns.
    Csv(std::rc::Rc<[String]>),
}

impl Row {
    /// Names a problem with the part of the row that these steps lead to.
    pub(crate) fn bad(&self, steps: &[Step], problem: String) -> BadRow {
        let (line, column) = self.position(steps);
        BadRow { line, column, problem }
    }

    fn position(&self, steps: &[Step]) -> (u64, u64) {
        match &self.text {
            RowText::Csv(columns) => {
                let field = match steps.first() {
                    Some(Step::Key(key)) => columns.iter().position(|column| column == key),
                    _ => None,
                };
                (self.line, field.map_or(1, |field| field as u64 + 1))
            }
            RowText::Json(text) => {
                let before = &text[..offset(text, steps)];
                let lines = before.matches('\n').count() as u64;
                let last = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64;
                let column = if lines == 0 { self.column + last } else { last + 1 };
                (self.line + lines, column)
            }
        }
    }
}

/// Returns the byte of JSON text at which the value of a path stands: the place of the last step
/// that exists.
fn offset(text: &str, steps: &[Step]) -> usize {
    let mut at = 0;
    let mut part = text;
    for step in steps {
        let Some(inner) = child(part, step) else { break };
        // Both are parts of `text`, and the child lies within its parent.
        at += inner.as_ptr() as usize - part.as_ptr() as usize;
        part = inner;
    }
    at
}

fn child<'t>(text: &'t str, step: &Step) -> Option<&'t str> {
    let raw = match step {
        Step::Key(key) => {
            let mut object: std::collections::HashMap<String, &RawValue> =
                serde_json::from_str(text).ok()?;
            object.remove(key)?
        }
        Step::Index(index) => {
            let list: Vec<&RawValue> = serde_json::from_str(text).ok()?;
            list.into_iter().nth(*index)?
        }
    };
    Some(raw.get())
}
