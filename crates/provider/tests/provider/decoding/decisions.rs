use super::*;

#[test]
fn the_probability_of_either_contract_comes_back_as_the_judge_asked_for_it() {
    let openai = json!({
        "id": "dec_1",
        "model": "gpt-6-luna",
        "answers": [{"name": "probability", "type": "predicate", "probability": 0.93}],
        "usage": {"input_tokens": 120},
    });
    let reply = decode(Protocol::OpenaiDecisions, &openai).unwrap();
    assert_eq!(reply.text, r#"{"probability":0.93}"#);
    assert_eq!(
        (reply.finish, reply.served_model.as_deref()),
        (FinishReason::Complete, Some("gpt-6-luna"))
    );
    assert_eq!(reply.usage, Some(Usage { input_uncached: 120, ..Usage::default() }));
    let system_one = json!({
        "model": "jev-1.13.0",
        "answers": {"probability": {"type": "noul", "noul": 0.95}},
        "usage": {"input_tokens": 80, "output_tokens": 2},
    });
    for protocol in [Protocol::SystemOne, Protocol::SystemOneDecisions] {
        let reply = decode(protocol, &system_one).unwrap();
        assert_eq!(reply.text, r#"{"probability":0.95}"#);
        assert_eq!(reply.usage.map(|usage| usage.output_visible), Some(2));
        assert!(matches!(problem(decode(protocol, &openai)), Problem::Malformed(_)), "no guess");
    }
}

#[test]
fn criteria_are_answered_together_and_a_refusal_is_of_one_question() {
    let body = json!({
        "model": "gpt-6-luna",
        "answers": [
            {"name": "criteria.polite", "type": "predicate", "probability": 0.9},
            {"name": "criteria.legal", "type": "predicate", "refusal": "not this"},
        ],
        "usage": {"input_tokens": 120},
    });
    let reply = decode(Protocol::OpenaiDecisions, &body).unwrap();
    assert_eq!(reply.text, r#"{"criteria":{"polite":{"probability":0.9}}}"#);
    assert_eq!(reply.extra, json!({"refusals": {"legal": "not this"}}));
    let refused = json!({"answers": [{"name": "probability", "refusal": "no"}], "model": "m"});
    let reply = decode(Protocol::OpenaiDecisions, &refused).unwrap();
    assert_eq!((reply.finish, reply.refusal.as_deref()), (FinishReason::Refused, Some("no")));
}

#[test]
fn a_body_without_answers_or_with_another_kind_of_answer_is_no_decision() {
    for body in [
        json!({"model": "m"}),
        json!({"answers": []}),
        json!({"answers": [{"name": "probability", "type": "choice", "choice": "yes"}]}),
    ] {
        assert!(matches!(problem(decode(Protocol::OpenaiDecisions, &body)), Problem::Malformed(_)));
    }
    let error = json!({"error": {"message": "no such model", "type": "invalid_request_error"}});
    assert!(matches!(problem(decode(Protocol::SystemOne, &error)), Problem::Reported(_)));
}
