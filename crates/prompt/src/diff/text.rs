//! A difference as text for a terminal.

use std::fmt::Write as _;

use serde_json::Value;

use super::{LineKind, PartialChange, PromptDiff, TextDiff, ValueChange};

/// How things are marked.
pub(super) struct Style {
    heading: &'static str,
    added: &'static str,
    removed: &'static str,
    /// Follows `added` or `removed`, on words that changed.
    word: &'static str,
    dim: &'static str,
    reset: &'static str,
}

/// No marks.
pub(super) const PLAIN: Style =
    Style { heading: "", added: "", removed: "", word: "", dim: "", reset: "" };

/// ANSI colours.
pub(super) const ANSI: Style = Style {
    heading: "\x1b[1m",
    added: "\x1b[32m",
    removed: "\x1b[31m",
    word: "\x1b[7m",
    dim: "\x1b[2m",
    reset: "\x1b[0m",
};

/// Longer values are cut.
const MAX_VALUE_CHARS: usize = 200;

/// Writes a difference.
pub(super) fn write(diff: &PromptDiff, context: usize, style: &Style) -> String {
    let mut writer = Writer { text: String::new(), style };
    writer.head(diff);
    if diff.is_empty() {
        writer.text.push_str("no differences\n");
        return writer.text;
    }
    if !diff.front_matter.is_empty() {
        writer.heading("front matter");
        writer.values(&diff.front_matter);
    }
    // Usually the front matter shows what changed in a schema; not if a schema of a name did.
    let shown = |change: &ValueChange| {
        ["input.schema", "output.schema"].iter().any(|key| change.path.starts_with(key))
            || ["input", "output"].contains(&change.path.as_str())
    };
    if !diff.schemas.is_empty() && !diff.front_matter.iter().any(shown) {
        writer.heading("schemas that the front matter names");
        writer.values(&diff.schemas);
    }
    if !diff.template.is_same() {
        writer.heading("template");
        writer.lines(&diff.template, context);
    }
    for partial in &diff.partials {
        let what = match partial.kind {
            PartialChange::Added => "now included",
            PartialChange::Removed => "no longer included",
            PartialChange::Changed => "changed",
        };
        writer.heading(&format!("partial {}, {what}", printable(&partial.name)));
        writer.lines(&partial.text, context);
    }
    writer.text
}

struct Writer<'s> {
    text: String,
    style: &'s Style,
}

impl Writer<'_> {
    fn head(&mut self, diff: &PromptDiff) {
        let Style { added, removed, reset, .. } = *self.style;
        for (color, sign, side) in [(removed, "---", &diff.old), (added, "+++", &diff.new)] {
            let (file, version) = (printable(&side.file), side.version.short());
            self.line(format_args!("{color}{sign} {file} {version}{reset}"));
        }
    }

    fn heading(&mut self, name: &str) {
        let Style { heading, reset, .. } = *self.style;
        self.line(format_args!("\n{heading}{name}{reset}"));
    }

    fn values(&mut self, changes: &[ValueChange]) {
        for change in changes {
            self.value(change);
        }
    }

    fn value(&mut self, change: &ValueChange) {
        let Style { added, removed, reset, .. } = *self.style;
        let path = printable(&change.path);
        let old = change.old.as_ref().map(|value| format!("{removed}{}{reset}", shown(value)));
        let new = change.new.as_ref().map(|value| format!("{added}{}{reset}", shown(value)));
        match (old, new) {
            (Some(old), Some(new)) => self.line(format_args!("  ~ {path}: {old} → {new}")),
            (Some(old), None) => self.line(format_args!("  - {path}: {old}")),
            (None, Some(new)) => self.line(format_args!("  + {path}: {new}")),
            (None, None) => {}
        }
    }

    fn lines(&mut self, diff: &TextDiff, context: usize) {
        let Style { added, removed, word, dim, reset, .. } = *self.style;
        let near = near_changes(diff, context);
        let mut gap = false;
        for (line, near) in diff.lines.iter().zip(near) {
            if !near {
                gap = true;
                continue;
            }
            if std::mem::take(&mut gap) {
                self.line(format_args!("{dim}         ⋮{reset}"));
            }
            let (sign, color) = match line.kind {
                LineKind::Same => (' ', ""),
                LineKind::Added => ('+', added),
                LineKind::Removed => ('-', removed),
            };
            let number = |line: Option<u32>| line.map(|line| line.to_string()).unwrap_or_default();
            let (old, new) = (number(line.old_line), number(line.new_line));
            let whole = line.fragments.iter().all(|fragment| fragment.changed);
            let mut shown = String::new();
            for fragment in &line.fragments {
                let text = printable(&fragment.text);
                if fragment.changed && !whole {
                    shown.push_str(&format!("{word}{text}{reset}{color}"));
                } else {
                    shown.push_str(&text);
                }
            }
            let end = if color.is_empty() { "" } else { reset };
            self.line(format_args!("{dim}{old:>4} {new:>4}{reset} {color}{sign} {shown}{end}"));
        }
        if diff.coarse {
            self.line(format_args!("  (too large to compare in detail)"));
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("writing to a string does not fail");
    }
}

/// Tells of each line whether a change is within `context` lines of it.
fn near_changes(diff: &TextDiff, context: usize) -> Vec<bool> {
    let mut near = vec![false; diff.lines.len()];
    let mut distance = usize::MAX;
    for (at, line) in diff.lines.iter().enumerate() {
        distance = if line.kind == LineKind::Same { distance.saturating_add(1) } else { 0 };
        near[at] |= distance <= context;
    }
    distance = usize::MAX;
    for (at, line) in diff.lines.iter().enumerate().rev() {
        distance = if line.kind == LineKind::Same { distance.saturating_add(1) } else { 0 };
        near[at] |= distance <= context;
    }
    near
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    let mut short: String = text.chars().take(MAX_VALUE_CHARS).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    printable(&short)
}

/// Escapes what could make a terminal show what is not there; a tab is part of a template's layout.
fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\t' => shown.push(character),
            other => document::escape_into(&mut shown, other),
        }
    }
    shown
}
