use super::*;

fn response(parts: &Value, finish: &Value) -> Value {
    json!({
        "candidates": [{"content": {"role": "model", "parts": parts}, "finishReason": finish, "index": 0}],
        "usageMetadata": {"promptTokenCount": 30, "cachedContentTokenCount": 10, "toolUsePromptTokenCount": 3,
            "candidatesTokenCount": 7, "thoughtsTokenCount": 40, "totalTokenCount": 80},
        "modelVersion": "gemini-2.5-flash", "responseId": "r1",
    })
}

#[test]
fn a_document_is_read_and_thoughts_stand_beside_the_answer() {
    let parts = json!([
        {"text": "hm", "thought": true},
        {"text": "Hi"},
        {"functionCall": {"name": "track", "args": {"order": 1}}},
    ]);
    let mut body = response(&parts, &json!("STOP"));
    body["candidates"][0]["logprobsResult"] = json!({
        "chosenCandidates": [{"token": "Hi", "tokenId": 1, "logProbability": -0.5}],
        "topCandidates": [{"candidates": [{"token": "Hi", "logProbability": -0.5}, {"token": "Yo", "logProbability": -2.0}]}],
    });
    let reply = decode(Protocol::Gemini, &body).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::ToolUse));
    assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
    let expected = Usage {
        input_uncached: 23,
        cache_read: 10,
        output_visible: 7,
        output_reasoning: 40,
        ..Usage::default()
    };
    assert_eq!(reply.usage, Some(expected));
    assert_eq!(reply.logprobs[0].top.len(), 2);
    assert_eq!(
        (reply.served_model.as_deref(), reply.request_id.as_deref()),
        (Some("gemini-2.5-flash"), Some("r1"))
    );
}

#[test]
fn every_finish_reason_has_its_normal_form() {
    let filtered = ["SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"];
    let malformed = ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS"];
    let error = ["RECITATION", "LANGUAGE", "OTHER", "NO_IMAGE", "SOMETHING_NEW"];
    let mut all = vec![("STOP", FinishReason::Complete), ("MAX_TOKENS", FinishReason::Length)];
    all.extend(filtered.map(|word| (word, FinishReason::Filtered)));
    all.extend(malformed.map(|word| (word, FinishReason::MalformedTool)));
    all.extend(error.map(|word| (word, FinishReason::Error)));
    for (word, finish) in all {
        let reply =
            decode(Protocol::Gemini, &response(&json!([{"text": "x"}]), &json!(word))).unwrap();
        assert_eq!(reply.finish, finish, "{word}");
    }
    let reply = decode(Protocol::Gemini, &response(&json!([]), &json!("RECITATION"))).unwrap();
    assert_eq!(reply.extra["finish_reason"], json!("RECITATION"));
}

#[test]
fn a_blocked_prompt_is_filtered_not_malformed() {
    let body = json!({"promptFeedback": {"blockReason": "SAFETY"},
        "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8}});
    let reply = decode(Protocol::Gemini, &body).unwrap();
    assert_eq!((reply.finish, reply.usage.unwrap().input_total()), (FinishReason::Filtered, 8));
    let (reply, _) = read(Protocol::Gemini, &events(&[body])).unwrap();
    assert_eq!(reply.finish, FinishReason::Filtered);
    assert!(matches!(problem(decode(Protocol::Gemini, &json!({}))), Problem::Malformed(_)));
}

#[test]
fn a_stream_is_complete_if_it_closes_after_a_finish_reason() {
    let mut first = response(&json!([{"text": "Gr"}]), &Value::Null);
    first["usageMetadata"] = json!({"promptTokenCount": 30});
    let last = response(&json!([{"text": "üße"}]), &json!("STOP"));
    let (reply, _) = read(Protocol::Gemini, &events(&[first.clone(), last])).unwrap();
    assert_eq!((reply.text.as_str(), reply.usage.unwrap().output_total()), ("Grüße", 47));
    assert_eq!(problem(read(Protocol::Gemini, &events(&[first.clone()]))), Problem::Truncated);
    assert_eq!(problem(decode(Protocol::Gemini, &first)), Problem::Truncated);
}

#[test]
fn an_error_in_a_list_of_one_is_an_error() {
    let body = json!([{"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}]);
    assert!(matches!(problem(decode(Protocol::Gemini, &body)), Problem::Reported(_)));
    assert!(matches!(problem(read(Protocol::Gemini, &events(&[body]))), Problem::Reported(_)));
}
