//! Printing: results to standard output, the rest to standard error.

use std::error::Error;
use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use app::AppError;
use serde::Serialize;

use crate::args::{Color, Format, Global};
use crate::diagnostics::{self, printable};

/// Bold text.
pub(crate) const BOLD: Style = Style::new().bold();
/// What stands in the background.
pub(crate) const FAINT: Style = AnsiColor::BrightBlack.on_default();
const ERROR: Style = AnsiColor::Red.on_default().bold();

/// Where and how the program prints.
pub(crate) struct Output {
    format: Format,
    color: ColorChoice,
}

impl Output {
    /// Reads how to print from the options.
    pub(crate) fn new(global: &Global) -> Self {
        let color = match global.color {
            Color::Auto => ColorChoice::Auto,
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
        };
        Self { format: global.format, color }
    }

    /// Tells whether people read the result.
    pub(crate) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Tells whether progress may be drawn over itself.
    pub(crate) fn draws() -> bool {
        io::stderr().is_terminal()
    }

    /// Tells whether a person can be asked.
    pub(crate) fn can_ask() -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Prints text to standard output, with colours where they are wanted.
    pub(crate) fn text(&self, text: &str) {
        let mut stream = AutoStream::new(io::stdout().lock(), self.color);
        // A reader that has seen enough closes the pipe; that is no reason to fail.
        drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
    }

    /// Prints text to standard error, with colours where they are wanted.
    pub(crate) fn note(&self, text: &str) {
        let mut stream = AutoStream::new(io::stderr().lock(), self.color);
        drop(stream.write_all(text.as_bytes()).and_then(|()| stream.flush()));
    }

    /// Prints one result: for people by `human`, else as JSON.
    pub(crate) fn one<T: Serialize>(&self, value: &T, human: impl FnOnce(&T) -> String) {
        match self.format {
            Format::Human => self.text(&human(value)),
            Format::Json => self.text(&format!("{}\n", json(value, true))),
            Format::Jsonl => self.text(&format!("{}\n", json(value, false))),
        }
    }

    /// Prints a list of results: for people by `human`, as one JSON list, or an object a line.
    pub(crate) fn many<T: Serialize>(&self, values: &[T], human: impl FnOnce(&[T]) -> String) {
        match self.format {
            Format::Human => self.text(&human(values)),
            Format::Json => self.text(&format!("{}\n", json(&values, true))),
            Format::Jsonl => {
                for value in values {
                    self.text(&format!("{}\n", json(value, false)));
                }
            }
        }
    }

    /// Prints why a command was not done: findings, message, causes, hint.
    pub(crate) fn error(&self, error: &AppError) {
        let mut out = String::new();
        for found in &error.diagnostics {
            out += &diagnostics::render(found);
            out.push('\n');
        }
        out += &format!("{ERROR}error{ERROR:#}{BOLD}: {}{BOLD:#}\n", printable(&error.message));
        let mut cause = error.source();
        // A layer that only carries an error on says the same again.
        let mut said = error.message.clone();
        while let Some(found) = cause {
            let text = found.to_string();
            if text != said {
                out += &format!("  {FAINT}because{FAINT:#} {}\n", printable(&text));
            }
            said = text;
            cause = found.source();
        }
        if let Some(hint) = &error.hint {
            out += &format!("  {BOLD}hint{BOLD:#}: {}\n", printable(hint));
        }
        self.note(&out);
    }
}

fn json<T: Serialize>(value: &T, pretty: bool) -> String {
    let text =
        if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.expect("answers have string keys and finite numbers")
}
