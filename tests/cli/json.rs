use serde_json::Value;

use crate::sandbox::Sandbox;

/// Returns the kinds of a document's values: what a script may rely on.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(_) => "number".into(),
        Value::String(_) => "text".into(),
        Value::Array(items) => items.iter().take(1).map(shape).collect(),
        Value::Object(keys) => {
            keys.iter().map(|(key, value)| (key.clone(), shape(value))).collect()
        }
    }
}

fn shape_of(sandbox: &Sandbox, arguments: &[&str]) -> String {
    let ran = sandbox.run(&[arguments, &["--format", "json"]].concat());
    let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
    shape(&value).to_string()
}

#[test]
fn answers_for_scripts_keep_their_shape() {
    let sandbox = Sandbox::with_project();
    let shape = |arguments: &[&str]| shape_of(&sandbox, arguments);
    insta::assert_snapshot!(shape(&["fmt"]), @r#"{"files":[],"is_written":"bool","unreadable":[]}"#);
    insta::assert_snapshot!(shape(&["prompt", "list"]), @r#"[{"name":"text","file":"text","version":"text","model":"text","description":"null","front_matter":{"model":"text","config":{"temperature":"number","maxOutputTokens":"number"},"input":{"schema":{"message":"text"}}},"template":"text","used_in":["text"]}]"#);
    insta::assert_snapshot!(shape(&["prompt", "vars", "order-number"]), @r#"[{"name":"text","file":"text","line":"number","column":"number","is_optional":"bool","is_guarded":"bool"}]"#);
    insta::assert_snapshot!(shape(&["models"]), @r#"[{"name":"text","protocol":"text","base_url":"text","key":"text","has_key":"bool","models":[],"is_used":"bool"}]"#);
    insta::assert_snapshot!(shape(&["trust"]), @r#"{"hash":"text","shown":{"models":{},"programs":{}},"is_empty":"bool","is_trusted":"bool","before":"null"}"#);
    insta::assert_snapshot!(shape(&["cache"]), @r#"{"entries":"number","bytes":"number","limit_bytes":"number","oldest":"null"}"#);
    insta::assert_snapshot!(shape(&["doctor"]), @r#"{"findings":[{"what":"text","is_well":"bool","found":"text","hint":"null"}],"contacted":[]}"#);
    insta::assert_snapshot!(shape(&["key", "set", "openai", "--env", "DESK_KEY"]), @r#"{"name":"text","origin":"text","source":"text","is_present":"bool"}"#);
}

#[test]
fn findings_are_objects_a_line_in_jsonl() {
    let sandbox = Sandbox::with_project();
    sandbox.write("evalsets/order-number/cases.jsonl", "{\"id\":\n{\"id\":\n");
    let ran = sandbox.run(&["validate", "--format", "jsonl"]);
    assert_eq!(ran.code, 2);
    let found: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(found.len(), 2, "{ran}");
    assert_eq!(found[1]["position"]["line"], 2);
    assert_eq!(found[1]["severity"], "error");
}
