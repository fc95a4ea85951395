//! Where the front matter of a `.prompt` file ends and its template begins.

use document::{SourceText, Span};

/// The parts of a `.prompt` file, as bytes of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Parts {
    /// The YAML between the `---` lines, absent if the file has no front matter.
    pub(crate) front_matter: Option<Span>,
    /// The template; after front matter, without the blanks around it.
    pub(crate) template: Span,
    /// The opening `---` of front matter that is never closed; all of it is template then.
    pub(crate) unclosed: Option<Span>,
}

/// Splits a file as the format says: before the first `---` line only blank lines and comments may
/// stand, and without front matter the whole file is the template.
pub(crate) fn split(source: &SourceText) -> Parts {
    let text = source.text();
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let whole =
        Parts { front_matter: None, template: Span::new(start, text.len()), unclosed: None };
    let mut lines = Lines { text, at: start };
    let opening = loop {
        let Some(line) = lines.next() else { return whole };
        let content = &text[line.start..line.end];
        if is_fence(content) {
            break line;
        }
        if !content.starts_with('#') && !content.trim().is_empty() {
            return whole;
        }
    };
    let yaml = lines.at;
    while let Some(line) = lines.next() {
        if is_fence(&text[line.start..line.end]) {
            let front_matter = Some(Span::new(yaml, line.start));
            return Parts { front_matter, template: trimmed(text, lines.at), unclosed: None };
        }
    }
    Parts { unclosed: Some(opening), ..whole }
}

fn is_fence(line: &str) -> bool {
    line.strip_prefix("---").is_some_and(|rest| rest.trim().is_empty())
}

fn trimmed(text: &str, start: usize) -> Span {
    let rest = &text[start..];
    let without_start = rest.trim_start_matches(crate::template::is_space);
    let start = start + (rest.len() - without_start.len());
    let end = start + without_start.trim_end_matches(crate::template::is_space).len();
    Span::new(start, end)
}

/// Lines without their ends, which are LF, CRLF or CR.
struct Lines<'t> {
    text: &'t str,
    at: usize,
}

impl Iterator for Lines<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return None;
        }
        let length = rest.find(['\n', '\r']).unwrap_or(rest.len());
        let line = Span::new(self.at, self.at + length);
        let end = if rest[length..].starts_with("\r\n") { 2 } else { 1 };
        self.at = self.text.len().min(line.end + end);
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<&str>, &str) {
        let parts = split(&SourceText::new("a.prompt", text));
        (
            parts.front_matter.map(|span| &text[span.start..span.end]),
            &text[parts.template.start..parts.template.end],
        )
    }

    #[test]
    fn front_matter_stands_between_fences_and_the_template_is_trimmed() {
        assert_eq!(parts("---\na: 1\n---\n\n  Hi.\n\n"), (Some("a: 1\n"), "Hi."));
        assert_eq!(parts("---\r\na: 1\r\n---  \r\nHi.\r\n"), (Some("a: 1\r\n"), "Hi."));
        assert_eq!(parts("---\ra: 1\r---\rHi."), (Some("a: 1\r"), "Hi."));
        assert_eq!(parts("\u{feff}---\n---\nHi."), (Some(""), "Hi."));
        assert_eq!(parts("---\na: 1\n---"), (Some("a: 1\n"), ""));
    }

    #[test]
    fn a_licence_header_may_stand_before_it() {
        assert_eq!(parts("# Licence\n\n---\na: 1\n---\nHi.\n"), (Some("a: 1\n"), "Hi."));
    }

    #[test]
    fn without_front_matter_everything_is_template() {
        assert_eq!(parts("# Title\n\nHi.\n"), (None, "# Title\n\nHi.\n"));
        assert_eq!(parts("Hi.\n---\na: 1\n---\n"), (None, "Hi.\n---\na: 1\n---\n"));
        assert_eq!(parts(""), (None, ""));
    }

    #[test]
    fn an_unclosed_front_matter_is_noticed() {
        let parts = split(&SourceText::new("a.prompt", "---\na: 1\n"));
        assert_eq!(parts.unclosed, Some(Span::new(0, 3)));
        assert_eq!(parts.template, Span::new(0, 9));
    }
}
