use super::*;

fn document(choice: &Value, usage: &Value) -> Value {
    json!({
        "id": "chatcmpl-B9MBs8", "object": "chat.completion", "created": 1_741_569_952,
        "model": "gpt-5-2026-08-07", "choices": [choice], "usage": usage,
        "service_tier": "default", "system_fingerprint": "fp_1",
    })
}

#[test]
fn a_document_is_read() {
    let choice = json!({"index": 0, "finish_reason": "stop", "logprobs": {"content": [
            {"token": "Hi", "logprob": -0.25, "bytes": [72, 105], "top_logprobs": [
                {"token": "Hi", "logprob": -0.25, "bytes": null},
                {"token": "Hello", "logprob": -1.5, "bytes": null}]}], "refusal": null},
        "message": {"role": "assistant", "content": "Hi", "refusal": null, "annotations": []}});
    let usage = json!({"prompt_tokens": 100, "completion_tokens": 30, "total_tokens": 130,
        "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10, "audio_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": 20, "rejected_prediction_tokens": 4}});
    let reply = decode(Protocol::OpenaiChat, &document(&choice, &usage)).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::Complete));
    let expected = Usage {
        input_uncached: 30,
        cache_read: 60,
        cache_write_5m: 10,
        cache_write_1h: 0,
        output_visible: 10,
        output_reasoning: 20,
    };
    assert_eq!(reply.usage, Some(expected));
    assert_eq!(reply.raw_usage, usage);
    assert_eq!(reply.logprobs[0].top[1], ("Hello".to_owned(), -1.5));
    assert_eq!(reply.served_model.as_deref(), Some("gpt-5-2026-08-07"));
    assert_eq!(reply.request_id.as_deref(), Some("chatcmpl-B9MBs8"));
    assert_eq!(reply.extra["system_fingerprint"], json!("fp_1"));
}

#[test]
fn every_finish_reason_has_its_normal_form() {
    for (word, finish) in [
        ("stop", FinishReason::Complete),
        ("length", FinishReason::Length),
        ("tool_calls", FinishReason::ToolUse),
        ("function_call", FinishReason::ToolUse),
        ("content_filter", FinishReason::Filtered),
        ("something_new", FinishReason::Error),
    ] {
        let choice = json!({"message": {"content": "x"}, "finish_reason": word});
        let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
        assert_eq!(reply.finish, finish, "{word}");
    }
    let choice = json!({"message": {"content": "x"}, "finish_reason": null});
    let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
    assert_eq!((reply.finish, reply.usage), (FinishReason::Error, None));
}

#[test]
fn a_refusal_stands_beside_the_finish_reason() {
    let choice =
        json!({"message": {"content": null, "refusal": "I cannot."}, "finish_reason": "stop"});
    let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
    assert_eq!((reply.finish, reply.text.as_str()), (FinishReason::Refused, ""));
    assert_eq!(reply.refusal.as_deref(), Some("I cannot."));
}

#[test]
fn tool_calls_are_data() {
    let choice = json!({"finish_reason": "tool_calls", "message": {"content": null, "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "track", "arguments": "{\"order\":\"4711\"}"}},
        {"id": "call_2", "type": "function", "function": {"name": "track", "arguments": "{oops"}}]}});
    let reply = decode(Protocol::OpenaiChat, &document(&choice, &Value::Null)).unwrap();
    assert_eq!(reply.tool_calls[0].arguments, json!({"order": "4711"}));
    assert_eq!(reply.tool_calls[1].arguments, json!("{oops"));
    let old = json!({"finish_reason": "function_call", "message": {"content": null,
        "function_call": {"name": "track", "arguments": "{}"}}});
    let reply = decode(Protocol::OpenaiChat, &document(&old, &Value::Null)).unwrap();
    assert_eq!(reply.tool_calls[0].name, "track");
}

#[test]
fn a_stream_is_put_together_and_the_extra_chunk_has_the_usage() {
    let delta = |delta: Value, finish: Value| {
        json!({"id": "c1", "model": "m", "obfuscation": "aB3xK", "usage": null,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
    };
    let usage = json!({"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13});
    let bytes = chat_stream(&[
        delta(json!({"role": "assistant", "content": "", "refusal": null}), Value::Null),
        delta(json!({"content": "Gr"}), Value::Null),
        delta(json!({"content": "üße"}), Value::Null),
        delta(
            json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function",
            "function": {"name": "track", "arguments": ""}}]}),
            Value::Null,
        ),
        delta(
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"order\":"}}]}),
            Value::Null,
        ),
        delta(
            json!({"tool_calls": [{"index": 1, "id": "call_2", "function": {"name": "stop", "arguments": "{}"}}]}),
            Value::Null,
        ),
        delta(
            json!({"tool_calls": [{"index": 0, "function": {"arguments": "4711}"}}]}),
            Value::Null,
        ),
        delta(json!({}), json!("tool_calls")),
        json!({"id": "c1", "choices": [], "usage": usage}),
    ]);
    let (reply, progress) = read(Protocol::OpenaiChat, &bytes).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Grüße", FinishReason::ToolUse));
    assert_eq!(reply.tool_calls.len(), 2);
    assert_eq!(reply.tool_calls[0].arguments, json!({"order": 4711}));
    assert_eq!(reply.usage.unwrap().output_total(), 4);
    assert_eq!(progress[..2], [Progress::Lifecycle, Progress::Content]);
    assert_eq!(progress.last(), Some(&Progress::End));
    assert!(!serde_json::to_string(&reply).unwrap().contains("aB3xK"), "obfuscation is dropped");
}

#[test]
fn a_refusal_may_come_in_pieces() {
    let delta = |delta: Value, finish: Value| json!({"choices": [{"delta": delta, "finish_reason": finish}]});
    let bytes = chat_stream(&[
        delta(json!({"refusal": "I can"}), Value::Null),
        delta(json!({"refusal": "not."}), Value::Null),
        delta(json!({}), json!("stop")),
    ]);
    let (reply, _) = read(Protocol::OpenaiChat, &bytes).unwrap();
    assert_eq!(
        (reply.finish, reply.refusal.as_deref()),
        (FinishReason::Refused, Some("I cannot."))
    );
}

#[test]
fn a_stream_without_its_end_mark_is_truncated_whatever_it_said() {
    let whole = [
        json!({"choices": [{"delta": {"content": "whole"}, "finish_reason": "stop"}]}),
        json!({"choices": [], "usage": {"prompt_tokens": 1, "completion_tokens": 1}}),
    ];
    let error = read(Protocol::OpenaiChat, &events(&whole)).unwrap_err();
    assert_eq!(error.problem, Problem::Truncated);
    assert_eq!(error.billed.unwrap().input_uncached, 1);
    let error = read(Protocol::OpenaiChat, &events(&whole[..1])).unwrap_err();
    assert_eq!(error.billed, None);
}

#[test]
fn counts_along_the_way_are_not_the_bill() {
    let along = json!({"choices": [{"delta": {"content": "a"}}], "usage": {"prompt_tokens": 5, "completion_tokens": 1}});
    assert_eq!(read(Protocol::OpenaiChat, &events(&[along])).unwrap_err().billed, None);
}

#[test]
fn a_usage_that_contradicts_itself_is_marked_and_kept() {
    let choice = json!({"message": {"content": "x"}, "finish_reason": "stop"});
    let usage = json!({"prompt_tokens": 5, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 9}});
    let reply = decode(Protocol::OpenaiChat, &document(&choice, &usage)).unwrap();
    assert_eq!((reply.usage, &reply.raw_usage), (None, &usage));
    assert!(reply.extra["usage_problem"].as_str().unwrap().contains("cache exceeds"));
}

#[test]
fn a_servers_own_settings_are_kept() {
    let mut body =
        document(&json!({"message": {"content": "x"}, "finish_reason": "stop"}), &Value::Null);
    body["timings"] = json!({"predicted_ms": 12.5});
    body["generation_settings"] = json!({"temperature": 0.7});
    let reply = decode(Protocol::OpenaiChat, &body).unwrap();
    assert_eq!(reply.extra["generation_settings"], json!({"temperature": 0.7}));
    assert_eq!(reply.extra["timings"]["predicted_ms"], json!(12.5));
}
