//! Values as templates see them. The format is defined by its JavaScript implementation, so numbers
//! and lists become text as they do there.

use std::borrow::Cow;

use serde_json::{Number, Value};

/// A value, or nothing (what JavaScript calls undefined).
pub(crate) type Found<'f> = Option<Cow<'f, Value>>;

/// Follows a path into a value; whatever is looked for in null is null.
pub(super) fn follow<'f>(value: Cow<'f, Value>, parts: &[String]) -> Found<'f> {
    match value {
        Cow::Borrowed(mut value) => {
            for (at, part) in parts.iter().enumerate() {
                if value.is_null() {
                    break;
                }
                match member(value, part)? {
                    Cow::Borrowed(inner) => value = inner,
                    Cow::Owned(inner) => return follow(Cow::Owned(inner), &parts[at + 1..]),
                }
            }
            Some(Cow::Borrowed(value))
        }
        Cow::Owned(value) if parts.is_empty() => Some(Cow::Owned(value)),
        Cow::Owned(value) => {
            let found = follow(Cow::Borrowed(&value), parts)?;
            Some(Cow::Owned(found.into_owned()))
        }
    }
}

/// Returns a member of an object or list; `length` is that of a list or text.
pub(crate) fn member<'f>(value: &'f Value, name: &str) -> Found<'f> {
    match value {
        Value::Object(map) => map.get(name).map(Cow::Borrowed),
        Value::Array(items) if name == "length" => Some(Cow::Owned(Value::from(items.len()))),
        Value::Array(items) => {
            name.parse::<usize>().ok().and_then(|at| items.get(at)).map(Cow::Borrowed)
        }
        Value::String(text) if name == "length" => {
            Some(Cow::Owned(Value::from(text.encode_utf16().count())))
        }
        _ => None,
    }
}

/// Returns the text of a value: nothing for nothing and null, a list's items with commas between.
pub(super) fn to_text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(bool) => Cow::Borrowed(if *bool { "true" } else { "false" }),
        Value::Number(number) => Cow::Owned(number_text(number)),
        Value::String(text) => Cow::Borrowed(text),
        Value::Array(items) => Cow::Owned(items.iter().map(to_text).collect::<Vec<_>>().join(",")),
        Value::Object(_) => Cow::Borrowed("[object Object]"),
    }
}

/// Returns the shortest text of a number; whole numbers keep all their digits.
fn number_text(number: &Number) -> String {
    if number.is_i64() || number.is_u64() {
        number.to_string()
    } else {
        values::canonical_json(&Value::Number(number.clone()))
    }
}

/// Tells whether two values are equal and of the same type; lists and objects by their content.
pub(super) fn is_equal(left: Option<&Value>, right: Option<&Value>) -> bool {
    match (left, right) {
        (Some(Value::Number(left)), Some(Value::Number(right))) => {
            // 1 and 1.0 are the same number, as they are in JSON.
            left == right || number_text(left) == number_text(right)
        }
        _ => left == right,
    }
}

/// Returns how many values there are in a value, itself included.
pub(super) fn weight(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.values().map(weight).sum(),
        Value::String(text) => text.len() / 64,
        _ => 0,
    }
}

/// Returns a value as JSON, on one line or with `indent` before each level.
pub(super) fn to_json(value: &Value, indent: &str) -> String {
    let mut text = String::new();
    write_json(value, indent, 0, &mut text);
    text
}

fn write_json(value: &Value, indent: &str, level: usize, text: &mut String) {
    match value {
        Value::Number(number) => text.push_str(&number_text(number)),
        Value::Array(items) => {
            let items = items.iter().map(|item| (None, item));
            write_items(items, ('[', ']'), indent, level, text);
        }
        Value::Object(map) => {
            let items = map.iter().map(|(key, item)| (Some(key.as_str()), item));
            write_items(items, ('{', '}'), indent, level, text);
        }
        Value::Null | Value::Bool(_) | Value::String(_) => text.push_str(&value.to_string()),
    }
}

fn write_items<'v>(
    items: impl ExactSizeIterator<Item = (Option<&'v str>, &'v Value)>,
    (open, close): (char, char),
    indent: &str,
    level: usize,
    text: &mut String,
) {
    text.push(open);
    let is_empty = items.len() == 0;
    let new_line = |level: usize, text: &mut String| {
        if !indent.is_empty() {
            text.push('\n');
            text.push_str(&indent.repeat(level));
        }
    };
    for (at, (key, item)) in items.enumerate() {
        if at > 0 {
            text.push(',');
        }
        new_line(level + 1, text);
        if let Some(key) = key {
            text.push_str(&Value::from(key).to_string());
            text.push_str(if indent.is_empty() { ":" } else { ": " });
        }
        write_json(item, indent, level + 1, text);
    }
    if !is_empty {
        new_line(level, text);
    }
    text.push(close);
}
