//! Diagnostics as people read them, in the manner of rustc.

use anstyle::{AnsiColor, Style};
use document::{Diagnostic, Excerpt, Severity, is_deceptive};

const BOLD: Style = Style::new().bold();
const FAINT: Style = AnsiColor::Blue.on_default().bold();
const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();

/// Renders one finding: severity, message, place, the line with a marker, the hint.
pub(crate) fn render(found: &Diagnostic) -> String {
    let (style, word) = match found.severity {
        Severity::Error => (ERROR, "error"),
        Severity::Warning => (WARNING, "warning"),
    };
    let code = &found.code;
    let mut out =
        format!("{style}{word}[{code}]{style:#}{BOLD}: {}{BOLD:#}\n", printable(&found.message));
    let file = printable(&found.file);
    match found.position {
        Some(at) => {
            out += &format!("  {FAINT}-->{FAINT:#} {file}:{}:{}\n", at.line, at.column);
            if let Some(excerpt) = &found.excerpt {
                out += &marked(at.line, at.column, width(found), excerpt, style);
            }
        }
        None => out += &format!("  {FAINT}-->{FAINT:#} {file}\n"),
    }
    if let Some(hint) = &found.hint {
        out += &format!("  {FAINT}={FAINT:#} {BOLD}hint{BOLD:#}: {}\n", printable(hint));
    }
    out
}

fn width(found: &Diagnostic) -> usize {
    found.span.map_or(1, |span| span.end.saturating_sub(span.start)).max(1)
}

/// The line that is meant, with carets under the place. Long lines are shown around it.
fn marked(line: u32, column: u32, width: usize, excerpt: &Excerpt, style: Style) -> String {
    const SHOWN: usize = 96;
    let at = usize::try_from(column.saturating_sub(excerpt.column)).unwrap_or(0);
    let skip = if at > SHOWN - 16 { at - SHOWN / 2 } else { 0 };
    let shown: String = excerpt.text.chars().skip(skip).take(SHOWN).map(plain).collect();
    let length = shown.chars().count();
    let indent = (at - skip).min(length);
    let carets = "^".repeat(width.min(length.saturating_sub(indent)).max(1));
    let (number, gutter) = (line.to_string(), " ".repeat(line.to_string().len()));
    let indent = " ".repeat(indent);
    format!(
        "{FAINT}{gutter} |{FAINT:#}\n{FAINT}{number} |{FAINT:#} {shown}\n\
         {FAINT}{gutter} |{FAINT:#} {indent}{style}{carets}{style:#}\n"
    )
}

/// Makes text from files and models safe to print: control characters become visible.
pub(crate) fn printable(text: &str) -> String {
    text.chars().map(plain).collect()
}

fn plain(character: char) -> char {
    match character {
        '\n' | '\t' => ' ',
        // One character for one, so that a marker below still stands under its place.
        deceptive if is_deceptive(deceptive) => '\u{fffd}',
        other => other,
    }
}

/// Renders all findings and the closing count.
pub(crate) fn render_all(found: &[Diagnostic]) -> String {
    let mut out = String::new();
    for one in found {
        out += &render(one);
        out.push('\n');
    }
    let count = |severity| found.iter().filter(|one| one.severity == severity).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    out += &match (errors, warnings) {
        (0, 0) => "no errors, no warnings\n".to_owned(),
        _ => format!("{}, {}\n", counted(errors, "error"), counted(warnings, "warning")),
    };
    out
}

/// Writes a count with its noun: `1 error`, `2 errors`.
pub(crate) fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

#[cfg(test)]
mod tests {
    use document::{Diagnostics, SourceText, Span};

    use super::*;

    #[test]
    fn a_finding_shows_its_line_and_place() {
        let text = "weight: 1\nnmae: x\n";
        let mut found = Diagnostics::new(SourceText::new("evalsets/a/evalset.yaml", text));
        found.warning_with_hint(
            "unknown-key",
            Span::new(10, 14),
            "unknown key `nmae` in a check",
            "did you mean `name`?",
        );
        let text = anstream::adapter::strip_str(&render_all(&found.into_vec())).to_string();
        insta::assert_snapshot!(text, @r"
        warning[unknown-key]: unknown key `nmae` in a check
          --> evalsets/a/evalset.yaml:2:1
          |
        2 | nmae: x
          | ^^^^
          = hint: did you mean `name`?

        0 errors, 1 warning
        ");
    }

    #[test]
    fn a_place_far_along_a_line_is_shown_with_what_is_around_it() {
        let text = format!("{}X{}", "a".repeat(349), "b".repeat(349));
        let mut found = Diagnostics::new(SourceText::new("cases.jsonl", text));
        found.error("case-row", Span::new(349, 350), "wrong");
        let shown = render(&found.into_vec()[0]);
        let text = anstream::adapter::strip_str(&shown).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "  --> cases.jsonl:1:350");
        let place = lines[3].find('X').unwrap();
        assert_eq!(lines[4].find('^'), Some(place), "{text}");
    }

    #[test]
    fn hostile_text_cannot_move_the_cursor_or_turn_the_line() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}c\nd"), "a\u{fffd}[2Jb\u{fffd}c d");
    }
}
