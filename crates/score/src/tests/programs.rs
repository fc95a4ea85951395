use chat::FinishReason;
use proptest::prelude::*;
use serde_json::json;

use super::{check, inputs, line, reply};
use crate::{
    Generation, MAX_ANSWER_BYTES, ProgramAnswer, ProgramAnswers, Subject, evaluate,
    program_requests, read_program_answer,
};

#[test]
fn answers_are_read_strictly() {
    let huge = format!("{{\"pass\": true, \"x\": \"{}\"}}", "x".repeat(MAX_ANSWER_BYTES));
    let answers = [
        r#"{"pass": true}"#,
        r#" {"pass": false, "reason": "too\nlong", "more": 1} "#,
        r#"{"score": 0.25, "reason": "so so"}"#,
        r#"{"score": 1}"#,
        r#"{"score": 1.5}"#,
        r#"{"score": "1"}"#,
        r#"{"pass": "yes"}"#,
        r#"{"pass": true, "score": 1}"#,
        r#"{"pass": true, "reason": 3}"#,
        "{}",
        "[true]",
        "PASS",
        "",
        &huge,
    ];
    let rows = answers.map(|answer| {
        let (outcome, reason) = read_program_answer(answer);
        format!("{}: {reason}", outcome.status())
    });
    insta::assert_snapshot!(rows.join("\n"), @r#"
        pass: passes
        fail: too\nlong
        no checks: so so
        no checks: scores 1
        unreadable: `score` 1.5 is not from 0 to 1; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{\"score\": 1.5}"
        unreadable: `score` is not a number; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{\"score\": \"1\"}"
        unreadable: `pass` is neither true nor false; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{\"pass\": \"yes\"}"
        unreadable: the answer has both `pass` and `score`; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{\"pass\": true, \"score\": 1}"
        unreadable: `reason` is not text; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{\"pass\": true, \"reason\": 3}"
        unreadable: the answer has neither `pass` nor `score`; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{}"
        unreadable: the answer is not a JSON object; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "[true]"
        unreadable: the answer is not JSON: expected value at line 1 column 1; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "PASS"
        unreadable: the answer is not JSON: EOF while parsing a value at line 1 column 0; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found ""
        unreadable: the answer is longer than 1048576 bytes; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "{\"pass\": true, \"x\": \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx…" and 1048519 more characters
        "#);
}

/// Evaluates a check with one answer for each program, in their order.
fn with_answers(keys: &str, output: &str, answers: &[ProgramAnswer]) -> (usize, String) {
    let (inputs, reply, expected) = (inputs(), reply(output), json!("A-12"));
    let subject = Subject {
        generation: Generation::Reply(&reply),
        inputs: inputs.as_object().unwrap(),
        expected: Some(&expected),
        latency_ms: Some(20),
        cost: None,
    };
    let check = check(keys);
    let requests = program_requests(&check, &subject);
    let mut found = ProgramAnswers::none();
    for request in &requests {
        found.insert(request.slot, answers[request.slot].clone());
    }
    (requests.len(), line(&evaluate(&check, &subject, &found)))
}

fn answered(stdout: &str) -> ProgramAnswer {
    ProgramAnswer::Answered { stdout: stdout.to_owned() }
}

#[test]
fn a_program_decides_and_its_crash_is_an_error() {
    let lint = "kind: program, program: lint";
    let failed = ProgramAnswer::Failed { reason: "killed by signal 11".to_owned() };
    let not_run = ProgramAnswer::NotRun { reason: "the project is not trusted".to_owned() };
    let rows = [
        with_answers(lint, "x", &[answered(r#"{"pass": true, "reason": "clean"}"#)]),
        with_answers(&format!("{lint}, not: true"), "x", &[answered(r#"{"pass": true}"#)]),
        with_answers(&format!("{lint}, threshold: 0.5"), "x", &[answered(r#"{"score": 0.4}"#)]),
        with_answers(lint, "x", &[answered(r#"{"score": 0.4}"#)]),
        with_answers(lint, "x", std::slice::from_ref(&failed)),
        with_answers(&format!("{lint}, not: true"), "x", &[failed]),
        with_answers(lint, "x", &[not_run]),
        with_answers(lint, "x", &[answered("Segmentation fault")]),
    ];
    insta::assert_snapshot!(rows.map(|(_, line)| line).join("\n"), @r#"
        pass: program `lint`: clean
        fail: not wanted: program `lint`: passes
        fail: program `lint`: scores 0.4, which is below the threshold 0.5
        0.400: program `lint`: scores 0.4
        error: program `lint`: killed by signal 11
        error: program `lint`: killed by signal 11
        skipped: program `lint`: the project is not trusted
        unreadable: program `lint`: the answer is not JSON: expected value at line 1 column 1; expected `{"pass": true|false}` or `{"score": 0..1}` with a "reason"; found "Segmentation fault"
        "#);
}

#[test]
fn programs_in_groups_get_their_own_answers_even_after_a_missing_part() {
    let keys = "kind: any_of, checks: [\
        {kind: all_of, part: {regex: nowhere}, checks: [{kind: program, program: a}, {kind: program, program: b}]}, \
        {kind: program, program: c, part: {json_path: $.x}}]";
    let pass = answered(r#"{"pass": true}"#);
    let fail = answered(r#"{"pass": false}"#);
    let (asked, line) = with_answers(keys, r#"{"x": 1}"#, &[fail.clone(), fail, pass]);
    assert_eq!((asked, line.as_str()), (1, "pass: 1 of 2 checks pass: (2) program `c`: passes"));
}

#[test]
fn a_request_is_the_cell_as_json() {
    let (inputs, reply, expected) = (json!({"x": 1}), reply("say A"), json!("A"));
    let subject = Subject {
        generation: Generation::Reply(&reply),
        inputs: inputs.as_object().unwrap(),
        expected: Some(&expected),
        latency_ms: Some(20),
        cost: None,
    };
    let check = check(
        "kind: program, program: lint, part: {regex: 'say (.*)'}, options: {want: '{{expected}}'}",
    );
    let requests = program_requests(&check, &subject);
    insta::assert_snapshot!(values::canonical_json(&requests[0].body), @r#"{"check":"c","cost_nano_dollars":null,"criterion":"c","expected":"A","format":1,"input":{"x":1},"latency_ms":20,"options":{"want":"A"},"output":"A","reply":{"finish":"complete","text":"say A"}}"#);
    let failed = Subject { generation: Generation::Failed { reason: "x" }, ..subject };
    assert!(program_requests(&check, &failed).is_empty());
    let broken = chat::Reply { finish: FinishReason::Error, ..reply.clone() };
    let broken = Subject { generation: Generation::Reply(&broken), ..subject };
    assert!(program_requests(&check, &broken).is_empty());
}

proptest! {
    #[test]
    fn no_answer_makes_the_reader_panic(
        stdout in "\\PC{0,40}|[{}\":,a-z01. ]{0,40}|\\{\"(pass|score)\": ?(true|1|0\\.5|-1|1e999|null)\\}",
    ) {
        let (outcome, reason) = read_program_answer(&stdout);
        prop_assert!(!reason.is_empty());
        if let crate::Outcome::Number { value } = outcome {
            prop_assert!((0.0..=1.0).contains(&value));
        }
    }
}
