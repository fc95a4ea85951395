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
    /// The span's line, for showing it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub excerpt: Option<String>,
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
        self.push(Severity::Error, code, span, message.into(), None);
    }

    /// Adds an error at a place, and what to do about it.
    pub fn error_with_hint(
        &mut self,
        code: &str,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Error, code, span, message.into(), Some(hint.into()));
    }

    /// Adds a warning at a place.
    pub fn warning(&mut self, code: &str, span: Span, message: impl Into<String>) {
        self.push(Severity::Warning, code, span, message.into(), None);
    }

    /// Adds a warning at a place, and what to do about it.
    pub fn warning_with_hint(
        &mut self,
        code: &str,
        span: Span,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) {
        self.push(Severity::Warning, code, span, message.into(), Some(hint.into()));
    }

    fn push(
        &mut self,
        severity: Severity,
        code: &str,
        span: Span,
        message: String,
        hint: Option<String>,
    ) {
        let position = self.source.position(span.start);
        let excerpt =
            self.source.line(position.line).map(|line| line.chars().take(EXCERPT_CHARS).collect());
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
