use super::*;

fn piece(content: &str) -> Value {
    json!({"model": "smollm2", "created_at": "2026-08-01T00:00:00Z",
        "message": {"role": "assistant", "content": content}, "done": false})
}

fn last(reason: &Value) -> Value {
    json!({"model": "smollm2", "message": {"role": "assistant", "content": ""}, "done": true,
        "done_reason": reason, "total_duration": 5, "prompt_eval_count": 26, "eval_count": 298})
}

#[test]
fn a_document_is_read() {
    let mut body = last(&json!("stop"));
    body["message"] = json!({"role": "assistant", "content": "Hi", "tool_calls": [
        {"function": {"name": "track", "arguments": {"order": 1}}}]});
    let reply = decode(Protocol::Ollama, &body).unwrap();
    assert_eq!((reply.text.as_str(), reply.finish), ("Hi", FinishReason::ToolUse));
    assert_eq!(reply.tool_calls[0].arguments, json!({"order": 1}));
    let usage = reply.usage.unwrap();
    assert_eq!((usage.input_total(), usage.output_total()), (26, 298));
    assert_eq!(reply.raw_usage["total_duration"], json!(5));
    for (reason, finish) in [
        (json!("stop"), FinishReason::Complete),
        (json!("length"), FinishReason::Length),
        (json!("load"), FinishReason::Error),
        (Value::Null, FinishReason::Complete),
    ] {
        assert_eq!(decode(Protocol::Ollama, &last(&reason)).unwrap().finish, finish, "{reason}");
    }
}

#[test]
fn a_stream_of_lines_is_put_together() {
    let bytes = lines(&[piece("Gr"), piece("üße"), last(&json!("stop"))]);
    let (reply, progress) = read(Protocol::Ollama, &bytes).unwrap();
    assert_eq!(reply.text, "Grüße");
    assert_eq!(progress, [Progress::Content, Progress::Content, Progress::End]);
}

#[test]
fn a_stream_that_is_not_done_is_truncated() {
    assert_eq!(problem(read(Protocol::Ollama, &lines(&[piece("Gr")]))), Problem::Truncated);
    assert_eq!(problem(decode(Protocol::Ollama, &piece("Gr"))), Problem::Truncated);
}

#[test]
fn an_error_in_the_middle_is_an_error() {
    let bytes =
        lines(&[piece("Gr"), json!({"error": "an error was encountered while running the model"})]);
    let Problem::Reported(reported) = problem(read(Protocol::Ollama, &bytes)) else {
        panic!("not reported")
    };
    assert!(reported.message.contains("running the model"));
}
