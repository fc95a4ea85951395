//! JSON that refuses a key that stands twice, which `serde_json` would silently drop.

mod tree;

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::MAX_LINE_BYTES;

pub(crate) use tree::tree;

/// A JSON value in which every key is unique.
pub(crate) struct Strict(pub(crate) Value);

/// Reads one JSON value.
pub(crate) fn parse(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Strict>(text).map(|strict| strict.0)
}

/// Returns what an error says, without the place that it appends.
pub(crate) fn message(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(at) => text[..at].to_owned(),
        None => text,
    }
}

/// Returns the place and the digits of a whole number in `text` that became a double in `value`, as
/// one does that no 64-bit integer holds: read and written again, it would be another number.
pub(crate) fn inexact_integer(text: &str, value: &Value) -> Option<(usize, usize)> {
    if !has_double(value) {
        return None;
    }
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => at = end_of_string(bytes, at),
            b'-' | b'0'..=b'9' => {
                let more = |byte: &u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
                let length = bytes[at..].iter().take_while(|byte| more(byte)).count();
                let number = &text[at..at + length];
                let whole = !number.contains(['.', 'e', 'E']);
                if whole && number.parse::<i64>().is_err() && number.parse::<u64>().is_err() {
                    return Some((at, number.trim_start_matches('-').len()));
                }
                at += length;
            }
            _ => at += 1,
        }
    }
    None
}

fn has_double(value: &Value) -> bool {
    match value {
        Value::Number(number) => number.is_f64(),
        Value::Array(items) => items.iter().any(has_double),
        Value::Object(entries) => entries.values().any(has_double),
        _ => false,
    }
}

/// Returns the place after the string that starts at `at`.
fn end_of_string(bytes: &[u8], at: usize) -> usize {
    let mut end = at + 1;
    while end < bytes.len() && bytes[end] != b'"' {
        end += if bytes[end] == b'\\' { 2 } else { 1 };
    }
    end + 1
}

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("number out of range"))?;
        Ok(Value::Number(number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            found.push(item);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut found = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if found.contains_key(&key) {
                return Err(A::Error::custom(format!("the key `{key}` stands twice")));
            }
            let Strict(value) = entries.next_value()?;
            found.insert(key, value);
        }
        Ok(Value::Object(found))
    }
}

/// Reads the object of one line of JSONL, or tells the byte and what is wrong there; `what` is what a
/// row is.
pub(crate) fn row(text: &str, what: &str) -> Result<Map<String, Value>, (usize, String)> {
    if text.len() > MAX_LINE_BYTES {
        return Err((0, format!("found a line of {} bytes, at most {MAX_LINE_BYTES}", text.len())));
    }
    let value = parse(text).map_err(|error| {
        let at = (0..=error.column().saturating_sub(1).min(text.len()))
            .rev()
            .find(|at| text.is_char_boundary(*at));
        (at.unwrap_or(0), format!("this is not JSON: {}", message(&error)))
    })?;
    if let Some((at, _)) = inexact_integer(text, &value) {
        return Err((at, "found a whole number that is not exact; put it in quotes".to_owned()));
    }
    let Value::Object(fields) = value else {
        return Err((0, format!("found no JSON object, expected {what}")));
    };
    Ok(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_stands_twice_is_an_error_at_any_depth() {
        let error = parse(r#"[{"a":{"b":1,"b":2}}]"#).unwrap_err();
        assert_eq!(message(&error), "the key `b` stands twice");
    }

    #[test]
    fn a_whole_number_that_no_integer_holds_is_found() {
        let find = |text: &str| inexact_integer(text, &parse(text).unwrap());
        assert_eq!(find(r#"{"a\"9":[1.5,123456789012345678901]}"#), Some((13, 21)));
        assert_eq!(find("-9223372036854775809"), Some((0, 19)));
        for exact in [r#"["123456789012345678901",0.5]"#, "18446744073709551615", "1e30", "-0.5"] {
            assert_eq!(find(exact), None, "{exact}");
        }
    }

    #[test]
    fn values_are_those_of_serde_json() {
        let text = r#"{"a":[1,-2,3.5,1e3,true,null,"\u00e9"],"b":{}}"#;
        assert_eq!(parse(text).unwrap(), serde_json::from_str::<Value>(text).unwrap());
        assert!(parse("1e999").is_err());
    }
}
