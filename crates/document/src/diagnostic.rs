use serde::{Deserialize, Serialize};

use crate::{Position, SourceText, Span};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The thing cannot be used.
    Error,
    /// It can, but is probably not what was meant. `validate --strict` makes it an error.
    Warning,
}

/// One finding about a person's file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name of the kind of finding (`unknown-key`), for programs.
    pub code: String,
    /// What is wrong: a lower-case fragment.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The file, as a path inside the project.
    pub file: String,
    /// Where in the file, where that is known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub span: Option<Span>,
    /// The span's start as line and column.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub position: Option<Position>,
    /// The span's line, or the part of it around the position, for showing it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub excerpt: Option<Excerpt>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Excerpt {
    /// The column of its first character, from 1.
    pub column: u32,
    /// What stands there.
    pub text: String,
}

impl Excerpt {
    /// Cuts a line, so that the place at `column` stays with what is around it.
    fn around(line: &str, column: u32) -> Self {
        let before = usize::try_from(column).unwrap_or(usize::MAX).saturating_sub(1);
        let skipped = before.saturating_sub(EXCERPT_CHARS / 2);
        Self {
            column: u32::try_from(skipped).unwrap_or(u32::MAX).saturating_add(1),
            text: line.chars().skip(skipped).take(EXCERPT_CHARS).collect(),
        }
    }
}

/// Collects the findings about one text.
#[derive(Debug)]
pub struct Diagnostics {
    source: SourceText,
    found: Vec<Diagnostic>,
}

/// Longer lines are not shown in full.
const EXCERPT_CHARS: usize = 240;

impl Diagnostics {
    /// Starts an empty collection.
    pub fn new(source: SourceText) -> Self {
        Self { source, found: Vec::new() }
    }

    /// Returns the text that the findings are about.
    pub fn source(&self) -> &SourceText {
        &self.source
    }

    /// Adds an error at a place.
    pub fn error(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.add(Severity::Error, code, span, message.into(), None);
    }

    /// Adds an error at a place, and what to do about it.
    pub fn error_with_hint(
        &mut self,
        code: &str,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Error, code, span, message.into(), Some(hint.into()));
    }

    /// Adds a warning at a place.
    pub fn warning(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.add(Severity::Warning, code, span, message.into(), None);
    }

    /// Adds a warning at a place, and what to do about it.
    pub fn warning_with_hint(
        &mut self,
        code: &str,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.add(Severity::Warning, code, span, message.into(), Some(hint.into()));
    }

    /// Adds a finding at a place.
    pub fn add(
        &mut self,
        severity: Severity,
        code: &str,
        span: Span,
        message: String,
        hint: Option<String>,
    ) {
        let position = self.source.position(span.start);
        let line = self.source.line(position.line);
        let excerpt = line.map(|line| Excerpt::around(line, position.column));
        self.found.push(Diagnostic {
            severity,
            code: code.to_owned(),
            message,
            hint,
            file: self.source.name().to_owned(),
            span: Some(span),
            position: Some(position),
            excerpt,
        });
    }

    /// Tells whether an error was found.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|found| found.severity == Severity::Error)
    }

    /// Returns the number of errors so far, by which a reader tells whether a part of it was sound.
    pub fn errors(&self) -> usize {
        self.found.iter().filter(|found| found.severity == Severity::Error).count()
    }

    /// Returns the number of findings so far.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Tells whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Returns the findings in the order of their place.
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        self.found.sort_by_key(|found| found.span.map(|span| span.start));
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_of_a_long_line_holds_the_place() {
        let text = format!("{}X{}", "a".repeat(5_000), "é".repeat(5_000));
        let mut found = Diagnostics::new(SourceText::new("a", text));
        found.error("far", Span::new(5_000, 5_001), "far along");
        found.error("near", Span::new(3, 4), "near the start");
        let found = found.into_vec();
        let excerpt = |one: &Diagnostic| one.excerpt.clone().unwrap();
        assert_eq!(excerpt(&found[0]), Excerpt { column: 1, text: "a".repeat(EXCERPT_CHARS) });
        let far = excerpt(&found[1]);
        assert_eq!(far.text.chars().count(), EXCERPT_CHARS);
        let at = usize::try_from(found[1].position.unwrap().column - far.column).unwrap();
        assert_eq!(far.text.chars().nth(at), Some('X'));
    }
}
