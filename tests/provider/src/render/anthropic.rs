use bytes::Bytes;
use chat::{FinishReason, Usage};
use serde_json::{Value, json};

use super::{Renderer, event, pieces, reported, served};
use crate::SeenRequest;
use crate::answer::Settled;

pub(super) struct Anthropic;

pub(super) fn error_type(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "gateway_timeout_error",
        529 => "overloaded_error",
        _ => "api_error",
    }
}

fn stop_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Complete => "end_turn",
        FinishReason::Length => "max_tokens",
        FinishReason::StopSequence => "stop_sequence",
        FinishReason::ToolUse => "tool_use",
        FinishReason::Paused => "pause_turn",
        FinishReason::Refused => "refusal",
        FinishReason::ContextExceeded => "model_context_window_exceeded",
        other => panic!("Messages cannot say {other:?}: answer raw JSON instead"),
    }
}

fn usage(usage: &Usage) -> Value {
    let mut object = json!({
        "input_tokens": usage.input_uncached,
        "cache_creation_input_tokens": usage.cache_write_5m + usage.cache_write_1h,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m,
            "ephemeral_1h_input_tokens": usage.cache_write_1h,
        },
        "output_tokens": usage.output_total(),
        "service_tier": "standard",
    });
    if usage.output_reasoning > 0 {
        object["output_tokens_details"] = json!({"thinking_tokens": usage.output_reasoning});
    }
    object
}

fn message(seen: &SeenRequest, settled: &Settled, content: &Value) -> Value {
    json!({
        "id": format!("msg_{}", seen.number),
        "type": "message",
        "role": "assistant",
        "model": served(seen, settled),
        "content": content,
        "stop_reason": null,
        "stop_sequence": null,
    })
}

fn stop(settled: &Settled) -> Value {
    let mut stop =
        json!({"stop_reason": stop_reason(settled.answer.finish), "stop_sequence": null});
    if let Some(words) = &settled.answer.refusal {
        stop["stop_details"] =
            json!({"type": "refusal", "category": "general_harms", "explanation": words});
    }
    stop
}

impl Renderer for Anthropic {
    fn refusal(&self, seen: &SeenRequest) -> Option<String> {
        if seen.header("anthropic-version").is_none() {
            return Some("anthropic-version: header is required".to_owned());
        }
        seen.max_output_tokens().is_none().then(|| "max_tokens: Field required".to_owned())
    }

    fn whole(&self, seen: &SeenRequest, settled: &Settled) -> Value {
        let answer = &settled.answer;
        let mut content = Vec::new();
        if !answer.text.is_empty() {
            content.push(json!({"type": "text", "text": answer.text}));
        }
        for call in &answer.tool_calls {
            content.push(json!({
                "type": "tool_use",
                "id": call.id,
                "name": call.name,
                "input": call.arguments,
            }));
        }
        let mut body = message(seen, settled, &json!(content));
        if let Value::Object(fields) = stop(settled) {
            for (key, value) in fields {
                body[key] = value;
            }
        }
        if let Some(usage) = reported(settled, usage) {
            body["usage"] = usage;
        }
        body
    }

    fn frames(&self, seen: &SeenRequest, settled: &Settled) -> Vec<Bytes> {
        let answer = &settled.answer;
        let mut frames = Vec::new();
        let mut push = |data: Value| frames.push(event(data["type"].as_str(), &data));
        let mut start = message(seen, settled, &json!([]));
        let counted = reported(settled, usage);
        if let Some(counted) = &counted {
            start["usage"] = counted.clone();
            start["usage"]["output_tokens"] = json!(1);
        }
        push(json!({"type": "message_start", "message": start}));
        push(json!({"type": "ping"}));
        let mut index = 0;
        if !answer.text.is_empty() {
            let block = json!({"type": "text", "text": ""});
            push(json!({"type": "content_block_start", "index": index, "content_block": block}));
            for text in pieces(&answer.text) {
                let delta = json!({"type": "text_delta", "text": text});
                push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            }
            push(json!({"type": "content_block_stop", "index": index}));
            index += 1;
        }
        for call in &answer.tool_calls {
            let block = json!({"type": "tool_use", "id": call.id, "name": call.name, "input": {}});
            push(json!({"type": "content_block_start", "index": index, "content_block": block}));
            for part in pieces(&call.arguments.to_string()) {
                let delta = json!({"type": "input_json_delta", "partial_json": part});
                push(json!({"type": "content_block_delta", "index": index, "delta": delta}));
            }
            push(json!({"type": "content_block_stop", "index": index}));
            index += 1;
        }
        let mut delta = json!({"type": "message_delta", "delta": stop(settled)});
        if let Some(counted) = counted {
            // Cumulative, and null where message_start has said it.
            delta["usage"] = json!({
                "input_tokens": null,
                "cache_creation_input_tokens": null,
                "cache_read_input_tokens": null,
                "output_tokens": counted["output_tokens"],
            });
            if !counted["output_tokens_details"].is_null() {
                delta["usage"]["output_tokens_details"] = counted["output_tokens_details"].clone();
            }
        }
        push(delta);
        push(json!({"type": "message_stop"}));
        frames
    }

    fn error_frame(&self, kind: &str, message: &str) -> Bytes {
        let error = json!({"type": kind, "message": message});
        event(Some("error"), &json!({"type": "error", "error": error}))
    }

    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }
}
