use serde_json::{Map, Number, Value, json};
use values::canonical_json;

use super::{Attachment, Case};

/// Writes the canonical row of a case.
pub(super) fn row(case: &Case) -> String {
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(case.id));
    row.insert("inputs".to_owned(), Value::Object(case.inputs.clone()));
    if !case.attachments.is_empty() {
        let attachments = case.attachments.iter().map(Attachment::to_json).collect();
        row.insert("attachments".to_owned(), attachments);
    }
    if let Some(expected) = &case.expected {
        row.insert("expected".to_owned(), expected.clone());
    }
    if !case.tags.is_empty() {
        row.insert("tags".to_owned(), json!(case.tags));
    }
    if let Some(cluster) = &case.cluster {
        row.insert("cluster".to_owned(), json!(cluster));
    }
    if let Some(source) = &case.source {
        row.insert("source".to_owned(), source.clone());
    }
    if let Some(split) = case.split {
        row.insert("split".to_owned(), json!(split.name()));
    }
    for (key, value) in &case.other {
        row.insert(key.clone(), value.clone());
    }
    let mut out = String::new();
    write_value(&Value::Object(row), &mut out);
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

/// Whole numbers are written with all their digits; others as ECMAScript writes a double, which is
/// the shortest text that reads back as the same number.
fn write_number(number: &Number, out: &mut String) {
    if number.is_f64() {
        out.push_str(&canonical_json(&Value::Number(number.clone())));
    } else {
        out.push_str(&number.to_string());
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("a string is always JSON"));
}

#[cfg(test)]
mod tests {
    use super::super::read_row;

    fn canonical(row: &str) -> String {
        read_row(row).unwrap().to_row()
    }

    #[test]
    fn keys_stand_in_the_documented_order_and_empty_ones_are_left_out() {
        let row = r#"{ "zeta": {"b":1,"a":2}, "split":"dev", "tags":[], "cluster":null, "expected": "7",
            "inputs": {"b":1, "a":[ 2 ]}, "id":"x", "source":{"trace":"t"} }"#;
        insta::assert_snapshot!(canonical(&row.replace('\n', "")), @r#"{"id":"x","inputs":{"b":1,"a":[2]},"expected":"7","source":{"trace":"t"},"split":"dev","zeta":{"b":1,"a":2}}"#);
    }

    #[test]
    fn numbers_are_as_short_as_they_can_be() {
        let row = r#"{"id":"x","inputs":{"a":1.0,"b":1.50,"c":1e2,"d":18446744073709551615,"e":1e-9,"f":-0.0}}"#;
        insta::assert_snapshot!(canonical(row), @r#"{"id":"x","inputs":{"a":1,"b":1.5,"c":100,"d":18446744073709551615,"e":1e-9,"f":0}}"#);
    }

    #[test]
    fn text_is_utf8_and_escapes_only_what_json_must() {
        let row = r#"{"id":"x","inputs":{"a":"\u00e9\u2028\/\n\ud83d\ude00\u0001"}}"#;
        insta::assert_snapshot!(canonical(row), @r#"{"id":"x","inputs":{"a":"é /\n😀\u0001"}}"#);
    }
}
