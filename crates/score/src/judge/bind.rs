use serde_json::{Map, Value, json};

/// The tag that stands around an output which a judge sees; of a pair, with `-a` or `-b` after it.
pub const FENCE: &str = "judged-output";

/// Returns the variables of a judge's prompt: `input`, `output` and, if the case has one, `expected`.
///
/// The output is hostile: it stands in a [`fence`]. Inputs and what was expected are the eval set's.
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
    variables.insert("input".to_owned(), Value::Object(inputs.clone()));
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
    fenced(output, "")
}

fn fenced(output: &str, which: &str) -> String {
    let mut fenced = format!("<{FENCE}{which}>\n");
    let mut rest = output;
    while let Some(at) = find_name(rest) {
        let end = at + FENCE.len();
        fenced.push_str(&rest[..at]);
        fenced.push_str(&rest[at..end].replace('-', "_"));
        rest = &rest[end..];
    }
    fenced.push_str(rest);
    fenced.push_str(&format!("\n</{FENCE}{which}>"));
    fenced
}

/// Returns where the tag's name begins. It is ASCII, so a match lies on borders of characters.
fn find_name(text: &str) -> Option<usize> {
    text.as_bytes()
        .windows(FENCE.len())
        .position(|window| window.eq_ignore_ascii_case(FENCE.as_bytes()))
}
