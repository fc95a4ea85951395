use serde_json::{Map, Value, json};

/// The tag that stands around an output which a judge sees.
pub const FENCE: &str = "judged-output";

/// Returns the variables of a judge's prompt: `input`, `output` and, if the case has one, `expected`.
///
/// The output is hostile: it stands in a [`fence`]. Inputs and what was expected are the eval set's.
pub fn judge_variables(
    inputs: &Map<String, Value>,
    output: &str,
    expected: Option<&Value>,
) -> Map<String, Value> {
    let mut variables = Map::new();
    variables.insert("input".to_owned(), Value::Object(inputs.clone()));
    variables.insert("output".to_owned(), json!(fence(output)));
    if let Some(expected) = expected {
        variables.insert("expected".to_owned(), expected.clone());
    }
    variables
}

/// Returns an output between two tags that nothing in it can be mistaken for.
///
/// The tag's name is broken (`judged_output`) wherever the output contains it, in any case of
/// letters; all else stays as it is. The same output always gives the same text, so that calls can
/// be cached and recorded.
pub fn fence(output: &str) -> String {
    let mut fenced = format!("<{FENCE}>\n");
    let mut rest = output;
    while let Some(at) = find_name(rest) {
        let end = at + FENCE.len();
        fenced.push_str(&rest[..at]);
        fenced.push_str(&rest[at..end].replace('-', "_"));
        rest = &rest[end..];
    }
    fenced.push_str(rest);
    fenced.push_str(&format!("\n</{FENCE}>"));
    fenced
}

/// Returns where the tag's name begins. It is ASCII, so a match lies on borders of characters.
fn find_name(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(FENCE.len())
        .position(|window| window.eq_ignore_ascii_case(FENCE.as_bytes()))
}
