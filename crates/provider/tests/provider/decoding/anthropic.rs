use super::*;

fn message(content: &Value, stop: &str) -> Value {
    json!({
        "id": "msg_1", "type": "message", "role": "assistant", "model": "claude-opus-4-5",
        "content": content, "stop_reason": stop, "stop_sequence": null,
        "usage": {"input_tokens": 10, "cache_creation_input_tokens": 30, "cache_read_input_tokens": 100,
            "cache_creation": {"ephemeral_5m_input_tokens": 20, "ephemeral_1h_input_tokens": 10},
            "output_tokens": 50, "output_tokens_details": {"thinking_tokens": 40}},
    })
}

#[test]
fn a_document_is_read() {
    let content = json!([
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "toolu_1", "name": "track", "input": {"order": 1}},
    ]);
    let reply = decode(Protocol::Anthropic, &message(&content, "tool_use")).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::ToolUse));
    assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
    let expected = Usage {
        input_uncached: 10,
        cache_read: 100,
        cache_write_5m: 20,
        cache_write_1h: 10,
        output_visible: 10,
        output_reasoning: 40,
    };
    assert_eq!(reply.usage, Some(expected));
}

#[test]
fn every_stop_reason_has_its_normal_form() {
    for (word, finish) in [
        ("end_turn", FinishReason::Complete),
        ("max_tokens", FinishReason::Length),
        ("stop_sequence", FinishReason::StopSequence),
        ("tool_use", FinishReason::ToolUse),
        ("pause_turn", FinishReason::Paused),
        ("refusal", FinishReason::Refused),
        ("model_context_window_exceeded", FinishReason::ContextExceeded),
        ("something_new", FinishReason::Error),
    ] {
        let reply =
            decode(Protocol::Anthropic, &message(&json!([{"type": "text", "text": "x"}]), word));
        assert_eq!(reply.unwrap().finish, finish, "{word}");
    }
}

#[test]
fn a_refusal_says_why() {
    let mut body = message(&json!([]), "refusal");
    body["stop_details"] =
        json!({"type": "refusal", "category": "cyber", "explanation": "Not that."});
    let reply = decode(Protocol::Anthropic, &body).unwrap();
    assert_eq!(
        (reply.finish, reply.refusal.as_deref()),
        (FinishReason::Refused, Some("Not that."))
    );
    assert_eq!(reply.extra["stop_details"]["category"], json!("cyber"));
}

fn stream(delta_usage: &Value) -> Vec<Value> {
    vec![
        json!({"type": "message_start", "message": {"id": "msg_1", "model": "claude-opus-4-5", "content": [],
            "stop_reason": null, "usage": {"input_tokens": 25, "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 0, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Gr"}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "üße"}}),
        json!({"type": "content_block_stop", "index": 0}),
        json!({"type": "content_block_start", "index": 1,
            "content_block": {"type": "tool_use", "id": "toolu_1", "name": "track", "input": {}}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": ""}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{\"order\": "}}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "1}"}}),
        json!({"type": "content_block_stop", "index": 1}),
        json!({"type": "something_newer", "x": 1}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use", "stop_sequence": null}, "usage": delta_usage}),
        json!({"type": "message_stop"}),
    ]
}

#[test]
fn counts_of_a_stream_replace_each_other_and_never_add_up() {
    let usage = json!({"output_tokens": 15, "input_tokens": null, "cache_read_input_tokens": 6});
    let (reply, progress) = read(Protocol::Anthropic, &events(&stream(&usage))).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Grüße", FinishReason::ToolUse));
    assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_uncached, usage.cache_read, usage.output_total()), (25, 6, 15));
    let first = progress.iter().position(|progress| *progress == Progress::Content);
    assert_eq!(first, Some(3), "neither the start, nor a block's start, nor a ping is content");
}

#[test]
fn a_tool_without_arguments_has_an_empty_object() {
    let mut events_list = stream(&json!({"output_tokens": 15}));
    events_list.drain(8..10);
    let (reply, _) = read(Protocol::Anthropic, &events(&events_list)).unwrap();
    assert_eq!(reply.tool_calls[0].arguments, json!({}));
}

#[test]
fn a_stream_is_complete_only_with_its_stop() {
    let all = stream(&json!({"output_tokens": 15}));
    for length in 0..all.len() {
        let error = read(Protocol::Anthropic, &events(&all[..length])).unwrap_err();
        assert_eq!(error.problem, Problem::Truncated, "{length} events");
        assert_eq!(error.billed.is_some(), length == all.len() - 1, "{length} events");
    }
}

#[test]
fn an_error_event_is_an_error() {
    let mut all = stream(&json!({}));
    all[5] =
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}});
    let Problem::Reported(reported) = problem(read(Protocol::Anthropic, &events(&all))) else {
        panic!("not reported")
    };
    assert_eq!(reported.kind.as_deref(), Some("overloaded_error"));
}
