//! Checks of the output as JSON.

use evalset::check::{Bindings, JsonPath, JsonTemplate, ResolveError, Schema, json_kind};
use serde_json::{Number, Value};

use crate::finding::Finding;
use crate::quote::{quote, shorten};

/// The most characters that a reason shows of a validator's message.
const MESSAGE_CHARS: usize = 240;

type Checked = Result<Finding, ResolveError>;

/// Parses an output; the error says where and why it is not JSON. The parser bounds the depth.
pub(crate) fn parse(output: &str) -> Result<Value, String> {
    serde_json::from_str(output).map_err(|error| {
        let fence = if output.trim_start().starts_with("```") {
            ", it starts with a code fence"
        } else {
            ""
        };
        format!("the output is not JSON: {error}{fence}; found {}", quote(output))
    })
}

pub(crate) fn valid(output: &str) -> Finding {
    match parse(output) {
        Ok(value) => Finding::pass(format!("the output is JSON, {}", json_kind(&value))),
        Err(reason) => Finding::fail(reason),
    }
}

pub(crate) fn schema(schema: &Schema, output: &str) -> Finding {
    let value = match parse(output) {
        Ok(value) => value,
        Err(reason) => return Finding::fail(reason),
    };
    // The first error is enough: a hostile output could have millions.
    match schema.validator().validate(&value) {
        Ok(()) => Finding::pass("the output is JSON of the schema"),
        Err(error) => {
            let path = error.instance_path().as_str();
            let place = if path.is_empty() { "at the top" } else { path };
            let message = shorten(&error.to_string(), MESSAGE_CHARS);
            Finding::fail(format!("not of the schema, {}: {message}", shorten(place, 120)))
        }
    }
}

pub(crate) fn path_equals(
    path: &JsonPath,
    expected: &JsonTemplate,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let expected = expected.resolve(bindings)?;
    let value = match parse(output) {
        Ok(value) => value,
        Err(reason) => return Ok(Finding::fail(reason)),
    };
    let path_text = path.source();
    Ok(match path.select(&value).as_slice() {
        [] => Finding::fail(format!("`{path_text}` selects nothing in {}", quote(output))),
        [found] => match difference(&expected, found) {
            None => Finding::pass(format!("`{path_text}` is {}", show(found))),
            Some(reason) => Finding::fail(format!("`{path_text}`: {reason}")),
        },
        several => Finding::fail(format!(
            "`{path_text}` selects {} values where one is expected",
            several.len()
        )),
    })
}

pub(crate) fn equals(
    expected: &JsonTemplate,
    ignore_order: bool,
    output: &str,
    bindings: Bindings<'_>,
) -> Checked {
    let expected = expected.resolve(bindings)?;
    let found = match parse(output) {
        Ok(value) => value,
        Err(reason) => return Ok(Finding::fail(reason)),
    };
    let difference = if ignore_order {
        (key(&expected, true) != key(&found, true))
            .then(|| format!("expected {} in any order, found {}", show(&expected), show(&found)))
    } else {
        difference(&expected, &found)
    };
    Ok(match difference {
        None => Finding::pass(format!("the output is the JSON {}", show(&found))),
        Some(reason) => Finding::fail(reason),
    })
}

fn show(value: &Value) -> String {
    match value {
        Value::String(text) => quote(text),
        other => {
            let text = other.to_string();
            let short = shorten(&text, 100);
            format!("`{short}`")
        }
    }
}

/// Tells whether two JSON values are the same: the order of keys does not count, nor does how a
/// number is written (`1`, `1.0`).
pub(crate) fn same(one: &Value, other: &Value) -> bool {
    difference(one, other).is_none()
}

/// Returns the first difference of two values and its place.
fn difference(expected: &Value, found: &Value) -> Option<String> {
    let mut pointer = String::new();
    let reason = differ(expected, found, &mut pointer)?;
    let place = if pointer.is_empty() {
        String::new()
    } else {
        format!("at `{}`: ", shorten(&pointer, 120))
    };
    Some(format!("{place}{reason}"))
}

// Recursion is bounded: both values come from parsers that bound their depth.
fn differ(expected: &Value, found: &Value, pointer: &mut String) -> Option<String> {
    let length = pointer.len();
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (name, value) in expected {
                let Some(other) = found.get(name) else {
                    return Some(format!("the key {} is missing", quote(name)));
                };
                pointer.push('/');
                pointer.push_str(name);
                let reason = differ(value, other, pointer);
                if reason.is_some() {
                    return reason;
                }
                pointer.truncate(length);
            }
            let extra = found.keys().find(|name| !expected.contains_key(name.as_str()))?;
            Some(format!("the key {} is not expected", quote(extra)))
        }
        (Value::Array(expected), Value::Array(found)) => {
            for (at, (value, other)) in expected.iter().zip(found).enumerate() {
                pointer.push('/');
                pointer.push_str(&at.to_string());
                let reason = differ(value, other, pointer);
                if reason.is_some() {
                    return reason;
                }
                pointer.truncate(length);
            }
            (expected.len() != found.len())
                .then(|| format!("expected {} items, found {}", expected.len(), found.len()))
        }
        (Value::Number(one), Value::Number(other)) if number_key(one) == number_key(other) => None,
        (one, other) if one == other => None,
        (one, other) => {
            let kinds = if json_kind(one) == json_kind(other) {
                String::new()
            } else {
                format!(" ({} instead of {})", json_kind(other), json_kind(one))
            };
            Some(format!("expected {}, found {}{kinds}", show(one), show(other)))
        }
    }
}

/// Returns a text that two values share exactly if they are the same.
fn key(value: &Value, ignore_order: bool) -> String {
    match value {
        Value::Number(number) => number_key(number),
        Value::Array(items) => {
            let mut keys: Vec<_> = items.iter().map(|item| key(item, ignore_order)).collect();
            if ignore_order {
                keys.sort_unstable();
            }
            format!("[{}]", keys.join(","))
        }
        Value::Object(map) => {
            let mut keys: Vec<_> = map
                .iter()
                .map(|(name, value)| {
                    format!("{}:{}", Value::from(name.as_str()), key(value, ignore_order))
                })
                .collect();
            keys.sort_unstable();
            format!("{{{}}}", keys.join(","))
        }
        other => other.to_string(),
    }
}

/// Returns the same text for the same number, however it was written; long whole numbers stay exact.
fn number_key(number: &Number) -> String {
    const EXACT: f64 = 9_007_199_254_740_992.0; // 2^53: every whole number up to it is a double.
    match number.as_f64() {
        Some(real)
            if number.is_f64() && real.fract().abs() < f64::MIN_POSITIVE && real.abs() <= EXACT =>
        {
            format!("{real:.0}").replace("-0", "0")
        }
        _ => number.to_string(),
    }
}
