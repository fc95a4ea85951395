//! JSON as text that is the same for the same value.

use std::cmp::Ordering;

use serde_json::{Number, Value};

/// Returns the RFC 8785 (JSON Canonicalization Scheme) text of a value, whole numbers with all their
/// digits.
///
/// The RFC takes every number for a double, so it writes 9007199254740993 as 9007199254740992. Two
/// documents that differ must not share a hash, so whole numbers beyond ±2^53 are not rounded here.
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, Form::Canonical, &mut out);
    out
}

/// Returns the canonical JSON of an object whose members are given one by one, each key once, so that
/// none has to be copied.
pub(crate) fn canonical_object(members: &[(&str, &Value)]) -> String {
    let mut out = String::new();
    write_members(members.to_vec(), Form::Canonical, &mut out);
    out
}

/// Returns a value as one line of canonical text, as rows of JSONL files are written.
///
/// Keys keep their order, which the row's format documents. Whole numbers keep all their digits
/// (RFC 8785 would round those beyond 2^53); others are the shortest text that reads back as the
/// same double.
pub fn row_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, Form::Row, &mut out);
    out
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Canonical,
    Row,
}

fn write(value: &Value, form: Form, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, form, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            let members = members.iter().map(|(key, member)| (key.as_str(), member));
            write_members(members.collect(), form, out);
        }
        Value::Number(number) => write_number(number, form, out),
        Value::String(text) => write_string(text, out),
        Value::Bool(_) | Value::Null => out.push_str(&value.to_string()),
    }
}

fn write_members(mut members: Vec<(&str, &Value)>, form: Form, out: &mut String) {
    if form == Form::Canonical {
        // The RFC orders keys by their UTF-16 code units, which is not the order of UTF-8.
        members.sort_unstable_by(|(one, _), (other, _)| utf16_order(one, other));
    }
    out.push('{');
    for (index, (key, member)) in members.into_iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        write_string(key, out);
        out.push(':');
        write(member, form, out);
    }
    out.push('}');
}

fn utf16_order(one: &str, other: &str) -> Ordering {
    if one.is_ascii() && other.is_ascii() {
        return one.cmp(other);
    }
    one.encode_utf16().cmp(other.encode_utf16())
}

fn write_number(number: &Number, form: Form, out: &mut String) {
    let Some(double) = number.as_f64().filter(|_| number.is_f64()) else {
        out.push_str(&number.to_string());
        return;
    };
    let text = serde_json_canonicalizer::to_string(number).expect("a JSON number is finite");
    let digits = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    if form == Form::Row && digits && text.parse::<i64>().is_err() && text.parse::<u64>().is_err() {
        // Written with all its digits, a double beyond 64 bits would look like an exact number.
        out.push_str(&format!("{double:e}"));
    } else {
        out.push_str(&text);
    }
}

fn write_string(text: &str, out: &mut String) {
    // Exactly these are escaped; a text without them, as most are, stands as it is.
    if text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\') {
        out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
    } else {
        out.push('"');
        out.push_str(text);
        out.push('"');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rfc_8785_does_not_round_is_as_it_says() {
        // The RFC's own sample, and numbers, escapes and an order of keys that are easy to get wrong.
        let texts = [
            r#"{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
                "string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}"#,
            r#"{"\u20ac":"Euro","\r":"CR","\ufb33":"Dalet","1":"One","\ud83d\ude00":"Smiley","\u0080":"C","\u00f6":"O"}"#,
            r#"[0,-0.0,1.0,1e21,1e20,-9007199254740992,9007199254740991,1e-7,5e-324,"\u007f\b\f\t\u2028"]"#,
        ];
        for text in texts {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(
                canonical_json(&value),
                serde_json_canonicalizer::to_string(&value).unwrap()
            );
        }
    }

    #[test]
    fn a_double_beyond_64_bits_does_not_look_exact() {
        for (text, written) in [
            ("1e20", "1e20"),
            ("-123456789012345678901", "-1.2345678901234568e20"),
            ("1e19", "10000000000000000000"),
            ("1e300", "1e+300"),
        ] {
            let value: Value = serde_json::from_str(text).unwrap();
            assert_eq!(row_json(&value), written);
            let again: Value = serde_json::from_str(written).unwrap();
            assert_eq!(row_json(&again), written);
        }
    }

    #[test]
    fn keys_keep_their_order_and_whole_numbers_their_digits() {
        let text = r#"{"b": 1.0, "a": [1e2, 18446744073709551615, 1e-9, -0.0, "é\n", null, {}]}"#;
        let value: Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            row_json(&value),
            "{\"b\":1,\"a\":[100,18446744073709551615,1e-9,0,\"é\\n\",null,{}]}"
        );
    }
}
