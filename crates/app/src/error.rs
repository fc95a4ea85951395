use std::error::Error;
use std::fmt;

use document::Diagnostic;

/// Why something that a person asked for was not done.
#[derive(Debug)]
pub struct AppError {
    /// The kind, on which programs branch.
    pub kind: ErrorKind,
    /// What happened: a lower-case fragment.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Findings about the person's files, where they are the reason.
    pub diagnostics: Vec<Diagnostic>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// The kinds of reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// Wrong usage, configuration or input.
    Input,
    /// The person has not allowed it yet.
    Permission,
    /// A provider, a program or a model failed.
    Provider,
    /// The record could not be read or written.
    Record,
}

impl AppError {
    /// Makes an error about input.
    pub fn input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Input, message)
    }

    /// Makes an error of a kind.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, diagnostics: Vec::new(), source: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds findings about the person's files.
    #[must_use]
    pub fn with_diagnostics(mut self, diagnostics: Vec<Diagnostic>) -> Self {
        self.diagnostics = diagnostics;
        self
    }

    /// Adds what lies beneath.
    #[must_use]
    pub fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }
}

impl fmt::Display for AppError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for AppError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

impl From<files::FileError> for AppError {
    fn from(error: files::FileError) -> Self {
        Self::input(error.to_string())
    }
}

impl From<settings::SettingsError> for AppError {
    fn from(error: settings::SettingsError) -> Self {
        Self::input(error.to_string())
            .with_hint("mend or remove the settings file; keys in the keyring are not in it")
    }
}

impl From<store::StoreError> for AppError {
    fn from(error: store::StoreError) -> Self {
        let hint = error.hint();
        // Nothing failed: whoever asks twice for the same work has to decide which one goes on.
        let kind = match error {
            store::StoreError::Held { .. } => ErrorKind::Input,
            _ => ErrorKind::Record,
        };
        let made = Self::new(kind, error.to_string());
        match hint {
            Some(hint) => made.with_hint(hint),
            None => made,
        }
    }
}
