use bytes::Bytes;
use chat::{FinishReason, Usage};
use serde_json::{Map, Value, json};

use super::{Renderer, event, logprob, pieces, reported, served};
use crate::answer::Settled;
use crate::seen::Dialect;
use crate::{SeenRequest, tokens};

pub(super) struct OpenaiChat;

pub(super) fn error_type(status: u16) -> &'static str {
    match status {
        400 => "invalid_request_error",
        401 => "invalid_api_key",
        403 => "permission_denied",
        404 => "model_not_found",
        429 => "rate_limit_exceeded",
        _ => "server_error",
    }
}

pub(super) fn finish(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Complete | FinishReason::StopSequence | FinishReason::Refused => "stop",
        FinishReason::Length => "length",
        FinishReason::ToolUse => "tool_calls",
        FinishReason::Filtered => "content_filter",
        other => panic!("Chat Completions cannot say {other:?}: answer raw JSON instead"),
    }
}

fn usage(seen: &SeenRequest, usage: &Usage) -> Value {
    let mut object = json!({
        "prompt_tokens": usage.input_total(),
        "completion_tokens": usage.output_total(),
        "total_tokens": usage.input_total() + usage.output_total(),
    });
    if seen.dialect == Dialect::Vendor {
        object["prompt_tokens_details"] = json!({
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
            "audio_tokens": 0,
        });
        object["completion_tokens_details"] = json!({
            "reasoning_tokens": usage.output_reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        });
    }
    object
}

/// Log-probabilities of tokens numbered from `first`, `Null` if the request did not ask.
fn logprobs(seen: &SeenRequest, text: &str, first: usize) -> Value {
    if seen.json["logprobs"] != json!(true) {
        return Value::Null;
    }
    let alternatives = seen.json["top_logprobs"].as_u64().unwrap_or(0);
    let content: Vec<Value> = tokens(text)
        .into_iter()
        .enumerate()
        .map(|(index, token)| {
            let logprob = logprob(first + index);
            let top: Vec<Value> = (0..alternatives)
                .map(|rank| {
                    let token = if rank == 0 { token.to_owned() } else { format!("alt{rank}") };
                    let logprob = logprob - rank as f64;
                    json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()})
                })
                .collect();
            json!({
                "token": token,
                "logprob": logprob,
                "bytes": token.as_bytes(),
                "top_logprobs": top,
            })
        })
        .collect();
    json!({"content": content, "refusal": null})
}

fn tool_calls(settled: &Settled, numbered: bool) -> Vec<Value> {
    let calls = settled.answer.tool_calls.iter().enumerate();
    calls
        .map(|(index, call)| {
            let function = json!({"name": call.name, "arguments": call.arguments.to_string()});
            let mut object = json!({"id": call.id, "type": "function", "function": function});
            if numbered {
                object["index"] = json!(index);
            }
            object
        })
        .collect()
}

impl Renderer for OpenaiChat {
    fn refusal(&self, seen: &SeenRequest) -> Option<String> {
        if !seen.json["messages"].is_array() {
            return Some("Missing required parameter: 'messages'.".to_owned());
        }
        let reasons = seen.model().starts_with('o') && seen.dialect == Dialect::Vendor;
        (reasons && !seen.json["max_tokens"].is_null()).then(|| {
            "Unsupported parameter: 'max_tokens' is not supported with this model. Use \
             'max_completion_tokens' instead."
                .to_owned()
        })
    }

    fn whole(&self, seen: &SeenRequest, settled: &Settled) -> Value {
        let answer = &settled.answer;
        let mut message = Map::new();
        message.insert("role".to_owned(), json!("assistant"));
        let silent =
            answer.text.is_empty() && (answer.refusal.is_some() || !answer.tool_calls.is_empty());
        let content = if silent { Value::Null } else { json!(answer.text) };
        message.insert("content".to_owned(), content);
        message.insert("refusal".to_owned(), json!(answer.refusal));
        if !answer.tool_calls.is_empty() {
            message.insert("tool_calls".to_owned(), json!(tool_calls(settled, false)));
        }
        let mut body = json!({
            "id": format!("chatcmpl-{}", seen.number),
            "object": "chat.completion",
            "created": 1_760_000_000,
            "model": served(seen, settled),
            "system_fingerprint": "fp_test",
            "choices": [{
                "index": 0,
                "message": message,
                "logprobs": logprobs(seen, &answer.text, 0),
                "finish_reason": finish(answer.finish),
            }],
        });
        if let Some(usage) = reported(settled, |counted| usage(seen, counted)) {
            body["usage"] = usage;
        }
        body
    }

    fn frames(&self, seen: &SeenRequest, settled: &Settled) -> Vec<Bytes> {
        let answer = &settled.answer;
        let with_usage = seen.json["stream_options"]["include_usage"] == json!(true);
        let chunk = |delta: Value, logprobs: Value, finish: Value| {
            let mut choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
            if !logprobs.is_null() {
                choice["logprobs"] = logprobs;
            }
            let mut chunk = json!({
                "id": format!("chatcmpl-{}", seen.number),
                "object": "chat.completion.chunk",
                "created": 1_760_000_000,
                "model": served(seen, settled),
                "system_fingerprint": "fp_test",
                "choices": [choice],
                "obfuscation": "k7Jq",
            });
            if with_usage {
                chunk["usage"] = Value::Null;
            }
            chunk
        };
        let plain = |delta: Value| event(None, &chunk(delta, Value::Null, Value::Null));
        let mut frames = vec![plain(json!({"role": "assistant", "content": ""}))];
        let mut said = 0;
        for piece in pieces(&answer.text) {
            let logprobs = logprobs(seen, &piece, said);
            said += tokens(&piece).len();
            frames.push(event(None, &chunk(json!({"content": piece}), logprobs, Value::Null)));
        }
        for piece in answer.refusal.iter().flat_map(|words| pieces(words)) {
            frames.push(plain(json!({"refusal": piece})));
        }
        for mut call in tool_calls(settled, true) {
            let arguments = call["function"]["arguments"].take();
            call["function"]["arguments"] = json!("");
            frames.push(plain(json!({"tool_calls": [call]})));
            for piece in pieces(arguments.as_str().unwrap_or_default()) {
                let part = json!({"index": call["index"], "function": {"arguments": piece}});
                frames.push(plain(json!({"tool_calls": [part]})));
            }
        }
        let last = chunk(json!({}), Value::Null, json!(finish(answer.finish)));
        frames.push(event(None, &last));
        if let Some(usage) =
            reported(settled, |counted| usage(seen, counted)).filter(|_| with_usage)
        {
            let mut extra = chunk(json!({}), Value::Null, Value::Null);
            extra["choices"] = json!([]);
            extra["usage"] = usage;
            frames.push(event(None, &extra));
        }
        frames.push(Bytes::from_static(b"data: [DONE]\n\n"));
        frames
    }

    fn error_frame(&self, kind: &str, message: &str) -> Bytes {
        let error = json!({"message": message, "type": kind, "param": null, "code": kind});
        event(None, &json!({ "error": error }))
    }

    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }
}
