//! Checks read from YAML and evaluated, as a person writes and sees them.

mod checks;
mod criteria;
mod laws;
mod programs;
mod subjects;

use chat::{FinishReason, Reply};
use document::{Diagnostics, SourceText, Span, yaml};
use evalset::check::CheckSpec;
use serde_json::{Value, json};

use crate::{Generation, ProgramAnswers, Score, Subject, evaluate};

/// Reads a check; the name is added.
pub(super) fn check(keys: &str) -> CheckSpec {
    let text = format!("{{name: c, {keys}}}");
    let mut diagnostics = Diagnostics::new(SourceText::new("evalset.yaml", text.as_str()));
    let node = yaml::parse(Span::new(0, text.len()), &mut diagnostics);
    let check = node.and_then(|node| CheckSpec::read(&node, &mut diagnostics));
    assert!(diagnostics.is_empty(), "{:?}", diagnostics.into_vec());
    check.expect("a check without findings")
}

pub(super) fn reply(text: &str) -> Reply {
    Reply {
        text: text.to_owned(),
        refusal: None,
        tool_calls: Vec::new(),
        finish: FinishReason::Complete,
        usage: None,
        raw_usage: Value::Null,
        served_model: None,
        request_id: None,
        logprobs: Vec::new(),
        extra: Value::Null,
    }
}

/// The case that all tests use.
pub(super) fn inputs() -> Value {
    json!({"name": "Ada", "words": ["red", "blue"], "trap": "{{expected}}.*", "empty": ""})
}

pub(super) fn score_reply(check: &CheckSpec, reply: &Reply, expected: Option<&Value>) -> Score {
    let inputs = inputs();
    let subject = Subject {
        generation: Generation::Reply(reply),
        inputs: inputs.as_object().expect("inputs are an object"),
        expected,
        latency_ms: None,
        cost: None,
    };
    evaluate(check, &subject, &ProgramAnswers::none())
}

pub(super) fn score(keys: &str, output: &str) -> Score {
    score_reply(&check(keys), &reply(output), Some(&json!("A-12")))
}

/// Returns a score as one line.
pub(super) fn line(score: &Score) -> String {
    let outcome = match &score.outcome {
        crate::Outcome::Number { value } => format!("{value:.3}"),
        other => other.status().to_string(),
    };
    format!("{outcome}: {}", score.reason)
}

/// Scores outputs by checks, a line each.
pub(super) fn table(rows: &[(&str, &str)]) -> String {
    let lines: Vec<_> = rows.iter().map(|(keys, output)| line(&score(keys, output))).collect();
    lines.join("\n")
}
