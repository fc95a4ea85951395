//! Ways of writing a value, the preferred one first.

use serde_json::Value;

/// How a scalar stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Block,
}

impl Style {
    /// Returns the style of a scalar's text.
    pub(super) fn of(text: &str) -> Self {
        match text.chars().next() {
            Some('\'') => Self::Single,
            Some('"') => Self::Double,
            Some('|' | '>') => Self::Block,
            _ => Self::Plain,
        }
    }
}

/// Returns ways to write a value on one line, fit for flow and block context.
pub(super) fn inline(value: &Value, style: Style) -> Vec<String> {
    let Value::String(text) = value else { return vec![flow(value)] };
    let mut ways = Vec::with_capacity(4);
    let one_line = !text.chars().any(char::is_control);
    if style == Style::Double {
        ways.push(double(text));
    }
    if style == Style::Single && one_line {
        ways.push(single(text));
    }
    if one_line && is_plain(text) {
        ways.push(text.clone());
    }
    if one_line && text.contains('\\') {
        ways.push(single(text));
    }
    ways.push(double(text));
    ways
}

/// Returns a text as a literal block scalar whose lines are indented by `indent`.
pub(super) fn literal(text: &str, indent: usize, line_end: &str) -> Option<String> {
    let body = text.trim_end_matches('\n');
    let odd = |symbol: char| symbol.is_control() && symbol != '\n' && symbol != '\t';
    if body.is_empty() || body.chars().any(odd) || body.starts_with([' ', '\n']) {
        return None;
    }
    let ends = text.len() - body.len();
    let mut out = String::from(match ends {
        0 => "|-",
        1 => "|",
        _ => "|+",
    });
    for line in body.split('\n') {
        out.push_str(line_end);
        if !line.is_empty() {
            out.push_str(&" ".repeat(indent));
            out.push_str(line);
        }
    }
    out.push_str(&line_end.repeat(ends.saturating_sub(1)));
    Some(out)
}

/// Returns `key: value`, nested mappings on lines of their own.
pub(super) fn block_entry(key: &str, value: &Value, indent: usize, line_end: &str) -> String {
    let head = format!("{}:", key_text(key));
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let deeper = indent + 2;
            let lines = entries.iter().map(|(key, value)| {
                let entry = block_entry(key, value, deeper, line_end);
                format!("{line_end}{}{entry}", " ".repeat(deeper))
            });
            format!("{head}{}", lines.collect::<String>())
        }
        Value::String(text) if text.contains('\n') => {
            let literal = literal(text, indent + 2, line_end);
            format!("{head} {}", literal.unwrap_or_else(|| double(text)))
        }
        _ => format!("{head} {}", flow(value)),
    }
}

/// Returns `key: value` on one line.
pub(super) fn flow_entry(key: &str, value: &Value) -> String {
    format!("{}: {}", key_text(key), flow(value))
}

/// Returns a value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) => text.clone(),
        Value::String(text) => double(text),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", "))
        }
        Value::Object(entries) => {
            let entries = entries.iter().map(|(key, value)| flow_entry(key, value));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

fn key_text(key: &str) -> String {
    if is_plain(key) { key.to_owned() } else { double(key) }
}

/// Tells whether a text may stand without quotes anywhere: narrow on purpose, since quotes are never
/// wrong.
fn is_plain(text: &str) -> bool {
    let inner = |symbol: char| symbol.is_alphanumeric() || " _-./+@%()$".contains(symbol);
    let first = text.chars().next().is_some_and(|first| first.is_alphabetic() || first == '_');
    let reserved = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    first
        && text.trim() == text
        && text.chars().all(inner)
        && !reserved.contains(&text.to_ascii_lowercase().as_str())
}

fn single(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// JSON's escapes are YAML's; the characters that YAML does not print are escaped too.
fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    for symbol in Value::from(text).to_string().chars() {
        let hidden = symbol.is_control() || ('\u{2028}'..='\u{2029}').contains(&symbol);
        if hidden || symbol == '\u{feff}' || symbol == '\u{fffe}' || symbol == '\u{ffff}' {
            out.push_str(&format!("\\u{:04x}", u32::from(symbol)));
        } else {
            out.push(symbol);
        }
    }
    out
}
