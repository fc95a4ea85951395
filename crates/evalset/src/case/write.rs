use serde_json::{Map, Value, json};
use values::row_json;

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
    row_json(&Value::Object(row))
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
