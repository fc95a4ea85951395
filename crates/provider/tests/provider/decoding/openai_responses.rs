use super::*;

fn response(status: &str, output: &Value) -> Value {
    json!({
        "id": "resp_1", "object": "response", "status": status, "error": null,
        "incomplete_details": null, "model": "gpt-5-2026-08-07", "output": output,
        "usage": {"input_tokens": 36, "input_tokens_details": {"cached_tokens": 6, "cache_write_tokens": 5},
            "output_tokens": 87, "output_tokens_details": {"reasoning_tokens": 80}, "total_tokens": 123},
    })
}

fn message(part: &Value) -> Value {
    json!([
        {"type": "reasoning", "id": "rs_1", "summary": []},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]},
    ])
}

fn text(text: &str) -> Value {
    message(&json!({"type": "output_text", "text": text, "annotations": [],
        "logprobs": [{"token": text, "logprob": -0.5, "top_logprobs": []}]}))
}

#[test]
fn a_document_is_read() {
    let reply = decode(Protocol::OpenaiResponses, &response("completed", &text("Hi"))).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::Complete));
    let expected = Usage {
        input_uncached: 25,
        cache_read: 6,
        cache_write_5m: 5,
        cache_write_1h: 0,
        output_visible: 7,
        output_reasoning: 80,
    };
    assert_eq!(reply.usage, Some(expected));
    assert_eq!(reply.logprobs.len(), 1);
}

#[test]
fn refusals_and_tool_calls_are_read() {
    let refusal = message(&json!({"type": "refusal", "refusal": "I cannot."}));
    let reply = decode(Protocol::OpenaiResponses, &response("completed", &refusal)).unwrap();
    assert_eq!(
        (reply.finish, reply.refusal.as_deref()),
        (FinishReason::Refused, Some("I cannot."))
    );
    let call = json!([{"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": "track",
        "arguments": "{\"order\":1}", "status": "completed"}]);
    let reply = decode(Protocol::OpenaiResponses, &response("completed", &call)).unwrap();
    assert_eq!(reply.finish, FinishReason::ToolUse);
    assert_eq!(
        (reply.tool_calls[0].id.as_str(), &reply.tool_calls[0].arguments),
        ("call_1", &json!({"order": 1}))
    );
}

#[test]
fn the_status_decides_not_the_200() {
    for (reason, finish) in [
        ("max_output_tokens", FinishReason::Length),
        ("content_filter", FinishReason::Filtered),
        ("something_new", FinishReason::Error),
    ] {
        let mut body = response("incomplete", &text("par"));
        body["incomplete_details"] = json!({"reason": reason});
        assert_eq!(decode(Protocol::OpenaiResponses, &body).unwrap().finish, finish, "{reason}");
    }
    for status in ["in_progress", "queued"] {
        let outcome = decode(Protocol::OpenaiResponses, &response(status, &json!([])));
        assert_eq!(problem(outcome), Problem::Truncated, "{status}");
    }
    let outcome = decode(Protocol::OpenaiResponses, &response("cancelled", &json!([])));
    assert!(matches!(problem(outcome), Problem::Reported(_)));
    assert!(matches!(
        problem(decode(Protocol::OpenaiResponses, &json!({}))),
        Problem::Malformed(_)
    ));
}

#[test]
fn a_response_that_failed_is_an_error_with_its_bill() {
    let mut body = response("failed", &json!([]));
    body["error"] = json!({"code": "rate_limit_exceeded", "message": "slow down"});
    let error = decode(Protocol::OpenaiResponses, &body).unwrap_err();
    let Problem::Reported(reported) = error.problem else { panic!("not reported") };
    assert_eq!(reported.code.as_deref(), Some("rate_limit_exceeded"));
    assert_eq!(error.billed.unwrap().output_total(), 87);
}

#[test]
fn a_stream_ends_with_the_whole_response_and_passes_over_the_unknown() {
    for (last, status) in
        [("response.completed", "completed"), ("response.incomplete", "incomplete")]
    {
        let mut whole = response(status, &text("Hi"));
        whole["incomplete_details"] = json!({"reason": "max_output_tokens"});
        let bytes = events(&[
            json!({"type": "response.created", "response": response("in_progress", &json!([]))}),
            json!({"type": "response.output_item.added", "item": {"type": "message"}}),
            json!({"type": "response.reasoning_summary_text.delta", "delta": "hm"}),
            json!({"type": "response.shell_call_command.added", "anything": [1, 2]}),
            json!({"type": "response.output_text.delta", "delta": "Hi", "obfuscation": "x"}),
            json!({"type": last, "response": whole}),
        ]);
        let (reply, progress) = read(Protocol::OpenaiResponses, &bytes).unwrap();
        assert_eq!(reply.text, "Hi");
        assert_eq!(progress[..2], [Progress::Lifecycle, Progress::Lifecycle]);
        assert_eq!(progress[4..], [Progress::Content, Progress::End]);
    }
}

#[test]
fn a_stream_that_fails_is_an_error_in_each_of_its_forms() {
    let mut failed = response("failed", &json!([]));
    failed["error"] = json!({"code": "server_error", "message": "oops"});
    for last in [
        json!({"type": "response.failed", "response": failed}),
        json!({"type": "error", "code": "server_error", "message": "oops", "param": null}),
        json!({"type": "error", "error": {"code": "server_error", "message": "oops"}}),
    ] {
        let outcome = read(Protocol::OpenaiResponses, &events(&[last]));
        let Problem::Reported(reported) = problem(outcome) else { panic!("not reported") };
        assert_eq!(reported.code.as_deref(), Some("server_error"));
    }
    let cut = events(&[json!({"type": "response.output_text.delta", "delta": "Hi"})]);
    assert_eq!(problem(read(Protocol::OpenaiResponses, &cut)), Problem::Truncated);
}

#[test]
fn a_last_event_without_items_is_filled_from_the_finished_ones() {
    let item = text("Hi")[1].clone();
    let bytes = events(&[
        json!({"type": "response.output_item.done", "item": item}),
        json!({"type": "response.completed", "response": response("completed", &json!([]))}),
    ]);
    assert_eq!(read(Protocol::OpenaiResponses, &bytes).unwrap().0.text, "Hi");
}
