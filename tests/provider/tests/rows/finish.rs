//! Section 1.2: stop reasons and refusals in one normal form, over the wire.

use chat::{FinishReason as Finish, Protocol};
use serde_json::{Value, json};
use test_provider::Behaviour;

use crate::support::{answer, failure};

fn body(protocol: Protocol, word: &str) -> Value {
    match protocol {
        Protocol::OpenaiChat => {
            json!({"choices": [{"message": {"content": "x"}, "finish_reason": word}]})
        }
        Protocol::OpenaiResponses => json!({"status": "incomplete",
            "incomplete_details": {"reason": word},
            "output": [{"type": "message", "content": [{"type": "output_text", "text": "x"}]}]}),
        Protocol::Anthropic => {
            json!({"type": "message", "content": [{"type": "text", "text": "x"}], "stop_reason": word})
        }
        Protocol::Gemini => {
            json!({"candidates": [{"content": {"parts": [{"text": "x"}]}, "finishReason": word}]})
        }
        _ => json!({"message": {"content": "x"}, "done": true, "done_reason": word}),
    }
}

#[tokio::test]
async fn every_vendors_word_has_its_normal_form() {
    for (protocol, word, finish) in [
        (Protocol::OpenaiChat, "stop", Finish::Complete),
        (Protocol::OpenaiChat, "length", Finish::Length),
        (Protocol::OpenaiChat, "tool_calls", Finish::ToolUse),
        (Protocol::OpenaiChat, "function_call", Finish::ToolUse),
        (Protocol::OpenaiChat, "content_filter", Finish::Filtered),
        (Protocol::OpenaiResponses, "max_output_tokens", Finish::Length),
        (Protocol::OpenaiResponses, "content_filter", Finish::Filtered),
        (Protocol::Anthropic, "end_turn", Finish::Complete),
        (Protocol::Anthropic, "max_tokens", Finish::Length),
        (Protocol::Anthropic, "stop_sequence", Finish::StopSequence),
        (Protocol::Anthropic, "tool_use", Finish::ToolUse),
        (Protocol::Anthropic, "pause_turn", Finish::Paused),
        (Protocol::Anthropic, "refusal", Finish::Refused),
        (Protocol::Anthropic, "model_context_window_exceeded", Finish::ContextExceeded),
        (Protocol::Gemini, "STOP", Finish::Complete),
        (Protocol::Gemini, "MAX_TOKENS", Finish::Length),
        (Protocol::Gemini, "SAFETY", Finish::Filtered),
        (Protocol::Gemini, "BLOCKLIST", Finish::Filtered),
        (Protocol::Gemini, "PROHIBITED_CONTENT", Finish::Filtered),
        (Protocol::Gemini, "SPII", Finish::Filtered),
        (Protocol::Gemini, "RECITATION", Finish::Error),
        (Protocol::Gemini, "OTHER", Finish::Error),
        (Protocol::Gemini, "MALFORMED_FUNCTION_CALL", Finish::MalformedTool),
        (Protocol::Gemini, "UNEXPECTED_TOOL_CALL", Finish::MalformedTool),
        (Protocol::Gemini, "TOO_MANY_TOOL_CALLS", Finish::MalformedTool),
        (Protocol::Ollama, "stop", Finish::Complete),
        (Protocol::Ollama, "length", Finish::Length),
    ] {
        let behaviour = Behaviour::json(200, &body(protocol, word));
        assert_eq!(answer(protocol, false, behaviour).await.reply.finish, finish, "{word}");
    }
}

#[tokio::test]
async fn a_refusal_is_found_where_each_vendor_puts_it() {
    let chat = json!({"choices": [{"message": {"content": null, "refusal": "no"},
        "finish_reason": "stop"}]});
    let responses = json!({"status": "completed", "output": [{"type": "message",
        "content": [{"type": "refusal", "refusal": "no"}]}]});
    let anthropic = json!({"type": "message", "content": [], "stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "cyber", "explanation": "no"}});
    for (protocol, body) in [
        (Protocol::OpenaiChat, chat),
        (Protocol::OpenaiResponses, responses),
        (Protocol::Anthropic, anthropic),
    ] {
        let reply = answer(protocol, false, Behaviour::json(200, &body)).await.reply;
        let found = (reply.finish, reply.refusal.as_deref());
        assert_eq!(found, (Finish::Refused, Some("no")), "{protocol}");
    }
    let blocked = json!({"promptFeedback": {"blockReason": "SAFETY"}});
    let reply = answer(Protocol::Gemini, false, Behaviour::json(200, &blocked)).await.reply;
    assert_eq!((reply.finish, reply.text.as_str()), (Finish::Filtered, ""));
}

#[tokio::test]
async fn a_failed_response_is_a_failure_although_the_status_is_200() {
    for (code, kind) in [
        ("server_error", run::FailureKind::ServerError),
        ("rate_limit_exceeded", run::FailureKind::RateLimited),
        ("invalid_prompt", run::FailureKind::InvalidRequest),
    ] {
        let body = json!({"status": "failed", "error": {"code": code, "message": "m"},
            "output": [], "usage": {"input_tokens": 3, "output_tokens": 0, "total_tokens": 3}});
        let found = failure(Protocol::OpenaiResponses, false, Behaviour::json(200, &body)).await;
        assert_eq!(found.kind, kind, "{code}");
        assert!(matches!(found.bill, run::Bill::Known { .. }), "{code}");
    }
}
