use serde_json::{Number, Value};

use crate::canonical_json;

/// Returns a value as one line of canonical text, as rows of JSONL files are written.
///
/// Keys keep their order, which the row's format documents. Whole numbers keep all their digits
/// (RFC 8785 would round those beyond 2^53); others are the shortest text that reads back as the
/// same double.
pub fn row_json(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, &mut out);
    out
}

fn write_value(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_value(item, out);
            }
            out.push(']');
        }
        Value::Object(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_string(key, out);
                out.push(':');
                write_value(value, out);
            }
            out.push('}');
        }
        Value::Number(number) => write_number(number, out),
        Value::String(text) => write_string(text, out),
        Value::Bool(_) | Value::Null => out.push_str(&value.to_string()),
    }
}

fn write_number(number: &Number, out: &mut String) {
    let Some(double) = number.as_f64().filter(|_| number.is_f64()) else {
        out.push_str(&number.to_string());
        return;
    };
    let text = canonical_json(&Value::Number(number.clone()));
    let digits = text.bytes().all(|byte| byte == b'-' || byte.is_ascii_digit());
    if digits && text.parse::<i64>().is_err() && text.parse::<u64>().is_err() {
        // Written with all its digits, a double beyond 64 bits would look like an exact number.
        out.push_str(&format!("{double:e}"));
    } else {
        out.push_str(&text);
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

#[cfg(test)]
mod tests {
    use super::*;

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
