//! What is known beside the text: how generating ended, time, money, tools.

use chat::{FinishReason, Reply, ToolCall};
use serde_json::{Value, json};
use values::NanoDollars;

use super::{check, inputs, line, reply, score_reply};
use crate::{Generation, Outcome, ProgramAnswers, Score, Subject, evaluate};

fn ended(text: &str, finish: FinishReason) -> Reply {
    Reply { finish, ..reply(text) }
}

fn measured(keys: &str, latency_ms: Option<u64>, cost: Option<i64>) -> Score {
    let (inputs, reply) = (inputs(), reply("x"));
    let subject = Subject {
        generation: Generation::Reply(&reply),
        inputs: inputs.as_object().unwrap(),
        expected: None,
        latency_ms,
        cost: cost.map(NanoDollars::new),
    };
    evaluate(&check(keys), &subject, &ProgramAnswers::none())
}

#[test]
fn latency_and_cost_are_never_a_pass_when_unknown() {
    let rows = [
        measured("kind: latency, max_ms: 1000", Some(1000), None),
        measured("kind: latency, max_ms: 1000", Some(1001), None),
        measured("kind: latency, max_ms: 1000", None, None),
        measured("kind: latency, max_ms: 1000, not: true", None, None),
        measured("kind: cost, max_usd: 0.0025", None, Some(2_500_000)),
        measured("kind: cost, max_usd: 0.0025", None, Some(2_500_001)),
        measured("kind: cost, max_usd: 0.0025", None, None),
    ];
    insta::assert_snapshot!(rows.iter().map(line).collect::<Vec<_>>().join("\n"), @"
        pass: the answer took 1000 ms, at most 1000 ms wanted
        fail: the answer took 1001 ms, at most 1000 ms wanted
        skipped: the latency of this output is not known
        skipped: the latency of this output is not known
        pass: the answer cost $0.0025, at most $0.0025 wanted
        fail: the answer cost $0.002500001, at most $0.0025 wanted
        skipped: the cost of this output is not known: its model has no price, or no usage came
        ");
}

#[test]
fn a_failed_generation_makes_every_check_an_error() {
    let inputs = inputs();
    let subject = Subject {
        generation: Generation::Failed { reason: "the provider\nis overloaded" },
        inputs: inputs.as_object().unwrap(),
        expected: None,
        latency_ms: Some(1),
        cost: None,
    };
    for keys in [
        "kind: not_contains, value: x",
        "kind: latency, max_ms: 5",
        "kind: equals, value: '{{expected}}'",
    ] {
        let score = evaluate(&check(keys), &subject, &ProgramAnswers::none());
        assert_eq!(line(&score), r"error: there is no output: the provider\nis overloaded");
    }
}

#[test]
fn an_output_that_was_cut_says_so_in_every_score() {
    let starts = check("kind: starts_with, value: Dear");
    let rows: Vec<_> = [
        ("Dear", FinishReason::Length),
        ("Hi", FinishReason::Length),
        ("Hi", FinishReason::Paused),
        ("Hi", FinishReason::ContextExceeded),
        ("Hi", FinishReason::MalformedTool),
        ("Dear", FinishReason::Error),
        ("Hi", FinishReason::Refused),
        ("", FinishReason::Filtered),
        ("Hi", FinishReason::StopSequence),
    ]
    .into_iter()
    .map(|(text, finish)| {
        let score = score_reply(&starts, &ended(text, finish), None);
        let unfinished = score.unfinished.map_or("whole", |_| "unfinished");
        format!("{unfinished} {}", line(&score))
    })
    .collect();
    insta::assert_snapshot!(rows.join("\n"), @r#"
        unfinished pass: the output was cut at the token limit; the output starts with "Dear"
        unfinished fail: the output was cut at the token limit; expected a start with "Dear", found "Hi"
        unfinished fail: the output is unfinished, the provider paused it; expected a start with "Dear", found "Hi"
        unfinished fail: the output was cut where the context was full; expected a start with "Dear", found "Hi"
        unfinished fail: the model's tool call could not be read; expected a start with "Dear", found "Hi"
        unfinished error: the provider ended the output with a failure of its own; what came before it is no answer
        whole fail: the model declined; expected a start with "Dear", found "Hi"
        whole fail: the provider's filter withheld the output; expected a start with "Dear", found ""
        whole fail: expected a start with "Dear", found "Hi"
        "#);
}

#[test]
fn the_finish_reason_can_be_checked_even_if_it_is_an_error() {
    let score = |keys: &str, finish| score_reply(&check(keys), &ended("x", finish), None);
    let rows = [
        score("kind: finish_reason, value: complete", FinishReason::Complete),
        score("kind: finish_reason, values: [complete, stop_sequence]", FinishReason::Length),
        score("kind: finish_reason, value: error, not: true", FinishReason::Error),
    ];
    insta::assert_snapshot!(rows.iter().map(line).collect::<Vec<_>>().join("\n"), @"
        pass: the model stopped with `complete`
        fail: the model stopped with `length`, expected `complete` or `stop_sequence`
        fail: not wanted: the model stopped with `error`
        ");
}

#[test]
fn refusals_are_known_by_the_provider_or_by_their_opening() {
    let refusal = check("kind: refusal");
    let said = Reply { refusal: Some("I will not help".to_owned()), ..reply("") };
    let german = check("kind: refusal, phrases: [Das kann ich nicht]");
    let rows = [
        score_reply(&refusal, &said, None),
        score_reply(&refusal, &ended("", FinishReason::Refused), None),
        score_reply(&refusal, &ended("", FinishReason::Filtered), None),
        score_reply(&refusal, &reply(" I\u{2019}m sorry, but I can\u{2019}t do that."), None),
        score_reply(&refusal, &reply("Your order is late. I can't say why."), None),
        score_reply(&german, &reply("Das kann ich nicht sagen."), None),
        score_reply(&german, &reply("I can't say."), None),
    ];
    insta::assert_snapshot!(rows.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
        pass: the model declined: "I will not help"
        pass: the provider says that the model declined
        pass: the provider's filter withheld the output
        pass: the output opens like a refusal: " I’m sorry, but I can’t do that."
        fail: the output is no refusal: "Your order is late. I can't say why."
        pass: the output opens like a refusal: "Das kann ich nicht sagen."
        fail: the output is no refusal: "I can't say."
        "#);
}

fn calls(calls: &[(&str, Value)]) -> Reply {
    let tool_calls = calls
        .iter()
        .map(|(name, arguments)| ToolCall {
            id: String::new(),
            name: (*name).to_owned(),
            arguments: arguments.clone(),
        })
        .collect();
    Reply { tool_calls, finish: FinishReason::ToolUse, ..reply("") }
}

#[test]
fn tool_calls_are_compared_as_json() {
    let expected = json!("A-12");
    let find = "kind: tool_call, tool: find, arguments: {id: '{{expected}}', n: 1}";
    let score = |keys: &str, reply: &Reply| score_reply(&check(keys), reply, Some(&expected));
    let right = ("find", json!({"n": 1.0, "id": "A-12"}));
    let rows = [
        score(find, &calls(std::slice::from_ref(&right))),
        score(find, &calls(&[("find", json!({"n": 1, "id": "A-13"}))])),
        score(find, &calls(&[("find", json!("not json"))])),
        score(find, &reply("find(A-12)")),
        score(find, &calls(&[("other", json!({})), right.clone()])),
        score(&format!("{find}, only: true"), &calls(&[("other", json!({})), right])),
        score("kind: tool_call, tool: find", &calls(&[("find", json!({}))])),
    ];
    insta::assert_snapshot!(rows.iter().map(line).collect::<Vec<_>>().join("\n"), @r#"
        pass: the model asks for find({"id":"A-12","n":1})
        fail: expected find({"id":"A-12","n":1}), found find({"n":1,"id":"A-13"})
        fail: expected find({"id":"A-12","n":1}), found find("not json")
        fail: expected find({"id":"A-12","n":1}), found no tool call
        pass: the model asks for find({"id":"A-12","n":1})
        fail: expected find({"id":"A-12","n":1}) alone, found other({}), find({"n":1.0,"id":"A-12"})
        pass: the model asks for a call of `find`
        "#);
    assert_eq!(rows[0].outcome, Outcome::Pass);
}
