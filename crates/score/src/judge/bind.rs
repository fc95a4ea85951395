use serde_json::{Map, Value, json};

/// The tag that stands around an output which a judge sees; of a pair, with `-a` or `-b` after it.
pub const FENCE: &str = "judged-output";

/// Returns the variables of a judge's prompt: `input`, `output` and, if the case has one, `expected`.
///
/// The output is hostile: it stands in a [`fence`]. So may be inputs, which customers write: the fence's
/// name is broken in them too, and in what was expected.
pub fn judge_variables(
    inputs: &Map<String, Value>,
    output: &str,
    expected: Option<&Value>,
) -> Map<String, Value> {
    let mut variables = given(inputs, expected);
    variables.insert("output".to_owned(), json!(fence(output)));
    variables
}

/// Returns the variables of the prompt of a judge that compares two outputs: `input`, `output_a` (the one
/// shown first), `output_b` and, if the case has one, `expected`.
///
/// Each output stands in a fence of its own that neither of them can end or begin.
pub fn pair_variables(
    inputs: &Map<String, Value>,
    [first, second]: [&str; 2],
    expected: Option<&Value>,
) -> Map<String, Value> {
    let mut variables = given(inputs, expected);
    variables.insert("output_a".to_owned(), json!(fenced(first, "-a")));
    variables.insert("output_b".to_owned(), json!(fenced(second, "-b")));
    variables
}

fn given(inputs: &Map<String, Value>, expected: Option<&Value>) -> Map<String, Value> {
    let mut variables = Map::new();
    let inputs = inputs.iter().map(|(name, value)| (name.clone(), without_fences(value)));
    variables.insert("input".to_owned(), Value::Object(inputs.collect()));
    if let Some(expected) = expected {
        variables.insert("expected".to_owned(), without_fences(expected));
    }
    variables
}

/// Breaks the fence's name in all texts of a value; the names of its keys are the eval set's.
fn without_fences(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(broken(text)),
        Value::Array(items) => Value::Array(items.iter().map(without_fences).collect()),
        Value::Object(fields) => {
            let cleared = |(key, value): (&String, &Value)| (key.clone(), without_fences(value));
            Value::Object(fields.iter().map(cleared).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

/// Adds `rendered`, what was sent for the output, to the variables of a judge's prompt. It shows inputs, and
/// so the fence's name is broken in it.
pub fn bind_rendered(variables: &mut Map<String, Value>, rendered: &str) {
    variables.insert("rendered".to_owned(), json!(broken(rendered)));
}

/// Returns an output between two tags that nothing in it can be mistaken for.
///
/// The tag's name is broken (`judged_output`) wherever the output contains it, in any case of
/// letters; all else stays as it is. The same output always gives the same text, so that calls can
/// be cached and recorded.
pub fn fence(output: &str) -> String {
    fenced(output, "")
}

fn fenced(output: &str, which: &str) -> String {
    format!("<{FENCE}{which}>\n{}\n</{FENCE}{which}>", broken(output))
}

/// Returns a text in which the fence's name does not occur.
fn broken(text: &str) -> String {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = find_name(rest) {
        let end = at + FENCE.len();
        whole.push_str(&rest[..at]);
        whole.push_str(&rest[at..end].replace('-', "_"));
        rest = &rest[end..];
    }
    whole + rest
}

/// Returns where the tag's name begins. It is ASCII, so a match lies on borders of characters.
fn find_name(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(FENCE.len())
        .position(|window| window.eq_ignore_ascii_case(FENCE.as_bytes()))
}
