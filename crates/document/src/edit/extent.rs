//! Which bytes a value takes, exactly.
//!
//! The parser's spans are meant for messages: those of quoted scalars and flow collections may run
//! into the comment behind them, those of block scalars begin after their header, those of block
//! sequences at their first item. What replaces a value needs its first and last byte.

use crate::Span;
use crate::yaml::{Entry, Node, Yaml};

/// Returns the bytes of a value, its quotes, brackets or block header included.
pub(super) fn of(text: &str, node: &Node) -> Span {
    let start = node.span.start;
    match &node.value {
        Yaml::Mapping(entries) => {
            let end = entries.last().map_or(start + 1, |last| end_of_entry(text, last));
            Span::new(
                start,
                if is_flow(text, node) { closing(text, end.max(start + 1)) } else { end },
            )
        }
        Yaml::Sequence(items) => {
            let end = items.last().map_or(start + 1, |last| of(text, last).end);
            if is_flow(text, node) {
                return Span::new(start, closing(text, end.max(start + 1)));
            }
            let first = items.first().map_or(start, |first| dash(text, first));
            Span::new(first, end.max(first + 1))
        }
        Yaml::String(_) => {
            let rest = &text[start..];
            if let Some(length) = quoted_length(rest) {
                return Span::new(start, start + length);
            }
            let end = start + text[start..node.span.end].trim_end().len();
            Span::new(block_header(text, start).unwrap_or(start), end)
        }
        _ => Span::new(start, start + text[start..node.span.end].trim_end().len()),
    }
}

/// Returns where an entry ends; one without a value ends after its colon.
pub(super) fn end_of_entry(text: &str, entry: &Entry) -> usize {
    if is_absent(&entry.value) {
        colon(text, entry.key_span.end).unwrap_or(entry.key_span.end)
    } else {
        of(text, &entry.value).end
    }
}

/// Returns the place after the colon that follows a key.
pub(super) fn colon(text: &str, key_end: usize) -> Option<usize> {
    text[key_end..].find(':').map(|at| key_end + at + 1)
}

/// Tells whether a null is one because nothing stands there.
pub(super) fn is_absent(node: &Node) -> bool {
    node.value == Yaml::Null && node.span.start == node.span.end
}

/// Tells whether a collection is written with braces or brackets.
pub(super) fn is_flow(text: &str, node: &Node) -> bool {
    let bracket = match node.value {
        Yaml::Mapping(_) => '{',
        Yaml::Sequence(_) => '[',
        _ => return false,
    };
    text[node.span.start..].starts_with(bracket)
}

/// Returns the place of the dash before an item of a block sequence.
pub(super) fn dash(text: &str, item: &Node) -> usize {
    let start = block_header(text, item.span.start).unwrap_or(item.span.start);
    let mut line_end = start;
    for line in text[..start].rsplit('\n') {
        let line_start = line_end - line.len();
        let code = if line_end == start { line } else { without_comment(line) };
        let code = code.trim_end();
        if code.ends_with('-') {
            return line_start + code.len() - 1;
        }
        if !code.is_empty() {
            break;
        }
        line_end = line_start.saturating_sub(1);
    }
    start
}

/// Returns the place of the `|` or `>` above the content of a block scalar.
fn block_header(text: &str, content: usize) -> Option<usize> {
    let line_start = text[..content].rfind('\n').map_or(0, |at| at + 1);
    if !text[line_start..content].trim().is_empty() {
        return None;
    }
    let mut end = line_start.checked_sub(1)?;
    let header = loop {
        let line_start = text[..end].rfind('\n').map_or(0, |at| at + 1);
        let line = &text[line_start..end];
        if !line.trim().is_empty() {
            break line;
        }
        end = line_start.checked_sub(1)?;
    };
    let code = without_comment(header).trim_end();
    let mark =
        code.trim_end_matches(|symbol: char| symbol.is_ascii_digit() || "+-".contains(symbol));
    let before = mark.strip_suffix(['|', '>'])?;
    let alone = before.is_empty() || before.ends_with([' ', '\t']);
    (alone && code.len() - mark.len() <= 2).then_some(end - header.len() + before.len())
}

fn without_comment(line: &str) -> &str {
    if line.trim_start().starts_with('#') {
        return "";
    }
    line.find(" #").or_else(|| line.find("\t#")).map_or(line, |at| &line[..at])
}

/// Returns the length of a quoted scalar at the start of a text.
fn quoted_length(text: &str) -> Option<usize> {
    let quote = text.chars().next().filter(|first| ['\'', '"'].contains(first))?;
    let mut symbols = text.char_indices().skip(1).peekable();
    while let Some((at, symbol)) = symbols.next() {
        if symbol == '\\' && quote == '"' {
            symbols.next();
        } else if symbol == quote {
            let doubled = quote == '\'' && symbols.peek().is_some_and(|(_, next)| *next == '\'');
            if !doubled {
                return Some(at + 1);
            }
            symbols.next();
        }
    }
    None
}

/// Returns the place after the bracket that closes a flow collection whose last part ends at `from`.
fn closing(text: &str, from: usize) -> usize {
    let mut in_comment = false;
    let mut last = ' ';
    for (at, symbol) in text[from..].char_indices() {
        match symbol {
            '\n' => in_comment = false,
            '#' if last.is_whitespace() => in_comment = true,
            '}' | ']' if !in_comment => return from + at + 1,
            _ => {}
        }
        last = symbol;
    }
    text.len()
}
