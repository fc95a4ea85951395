use bytes::Bytes;
use chat::{FinishReason, Usage};
use serde_json::{Value, json};

use super::{Renderer, event, logprob, pieces, reported, served};
use crate::answer::Settled;
use crate::{SeenRequest, tokens};

pub(super) struct OpenaiResponses;

fn usage(usage: &Usage) -> Value {
    json!({
        "input_tokens": usage.input_total(),
        "input_tokens_details": {
            "cached_tokens": usage.cache_read,
            "cache_write_tokens": usage.cache_write_5m + usage.cache_write_1h,
        },
        "output_tokens": usage.output_total(),
        "output_tokens_details": {"reasoning_tokens": usage.output_reasoning},
        "total_tokens": usage.input_total() + usage.output_total(),
    })
}

/// Returns `status` and `incomplete_details`.
fn status(finish: FinishReason) -> (&'static str, Value) {
    match finish {
        FinishReason::Complete | FinishReason::ToolUse | FinishReason::Refused => {
            ("completed", Value::Null)
        }
        FinishReason::Length => ("incomplete", json!({"reason": "max_output_tokens"})),
        FinishReason::Filtered => ("incomplete", json!({"reason": "content_filter"})),
        FinishReason::Error => ("failed", Value::Null),
        other => panic!("Responses cannot say {other:?}: answer raw JSON instead"),
    }
}

fn logprobs(seen: &SeenRequest, text: &str) -> Vec<Value> {
    let include = seen.json["include"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !include.contains(&json!("message.output_text.logprobs")) {
        return Vec::new();
    }
    let alternatives = seen.json["top_logprobs"].as_u64().unwrap_or(0);
    let one = |token: &str, logprob: f64| json!({"token": token, "logprob": logprob, "bytes": token.as_bytes()});
    let tokens = tokens(text).into_iter().enumerate();
    tokens
        .map(|(index, token)| {
            let mut entry = one(token, logprob(index));
            let top = (0..alternatives).map(|rank| {
                let name = if rank == 0 { token.to_owned() } else { format!("alt{rank}") };
                one(&name, logprob(index) - rank as f64)
            });
            entry["top_logprobs"] = top.collect();
            entry
        })
        .collect()
}

fn content(seen: &SeenRequest, settled: &Settled) -> Option<Value> {
    let answer = &settled.answer;
    if let Some(words) = &answer.refusal {
        return Some(json!({"type": "refusal", "refusal": words}));
    }
    (!answer.text.is_empty()).then(|| {
        json!({
            "type": "output_text",
            "text": answer.text,
            "annotations": [],
            "logprobs": logprobs(seen, &answer.text),
        })
    })
}

fn items(seen: &SeenRequest, settled: &Settled) -> Vec<Value> {
    let mut items = Vec::new();
    if settled.usage.output_reasoning > 0 {
        items.push(json!({"id": "rs_0", "type": "reasoning", "summary": []}));
    }
    if let Some(content) = content(seen, settled) {
        items.push(json!({
            "id": "msg_0",
            "type": "message",
            "status": "completed",
            "role": "assistant",
            "content": [content],
        }));
    }
    for (index, call) in settled.answer.tool_calls.iter().enumerate() {
        items.push(json!({
            "id": format!("fc_{index}"),
            "type": "function_call",
            "status": "completed",
            "call_id": call.id,
            "name": call.name,
            "arguments": call.arguments.to_string(),
        }));
    }
    items
}

fn response(seen: &SeenRequest, settled: &Settled, status: &str, output: &Value) -> Value {
    json!({
        "id": format!("resp_{}", seen.number),
        "object": "response",
        "created_at": 1_760_000_000,
        "status": status,
        "error": null,
        "incomplete_details": null,
        "model": served(seen, settled),
        "output": output,
        "usage": null,
    })
}

/// Numbers the events of one stream.
#[derive(Default)]
struct Events {
    frames: Vec<Bytes>,
}

impl Events {
    fn push(&mut self, mut data: Value) {
        data["sequence_number"] = json!(self.frames.len());
        self.frames.push(event(data["type"].as_str(), &data));
    }

    /// Streams the content of a message item.
    fn message(&mut self, at: usize, part: &Value) {
        let (kind, key) = match part["type"].as_str() {
            Some("refusal") => ("response.refusal", "refusal"),
            _ => ("response.output_text", "text"),
        };
        let text = part[key].as_str().unwrap_or_default();
        let place = |kind: String| json!({"type": kind, "item_id": "msg_0", "output_index": at, "content_index": 0});
        let mut added = place("response.content_part.added".to_owned());
        added["part"] = part.clone();
        added["part"][key] = json!("");
        self.push(added);
        for piece in pieces(text) {
            let mut delta = place(format!("{kind}.delta"));
            delta["delta"] = json!(piece);
            delta["obfuscation"] = json!("q9Zx");
            self.push(delta);
        }
        let mut done = place(format!("{kind}.done"));
        done[key] = json!(text);
        self.push(done);
        let mut part_done = place("response.content_part.done".to_owned());
        part_done["part"] = part.clone();
        self.push(part_done);
    }

    /// Streams the arguments of a function call item.
    fn arguments(&mut self, at: usize, item: &Value) {
        let text = item["arguments"].as_str().unwrap_or_default();
        let kind = "response.function_call_arguments";
        for piece in pieces(text) {
            self.push(json!({
                "type": format!("{kind}.delta"),
                "item_id": item["id"],
                "output_index": at,
                "delta": piece,
            }));
        }
        self.push(json!({
            "type": format!("{kind}.done"),
            "item_id": item["id"],
            "output_index": at,
            "arguments": text,
        }));
    }
}

impl Renderer for OpenaiResponses {
    fn refusal(&self, seen: &SeenRequest) -> Option<String> {
        seen.json["input"].is_null().then(|| "Missing required parameter: 'input'.".to_owned())
    }

    fn whole(&self, seen: &SeenRequest, settled: &Settled) -> Value {
        let (status, details) = status(settled.answer.finish);
        let mut body = response(seen, settled, status, &json!(items(seen, settled)));
        body["incomplete_details"] = details;
        if status == "failed" {
            body["error"] = json!({"code": "server_error", "message": "the model failed"});
        }
        body["usage"] = reported(settled, usage).unwrap_or(Value::Null);
        body
    }

    fn frames(&self, seen: &SeenRequest, settled: &Settled) -> Vec<Bytes> {
        let mut events = Events::default();
        let open = response(seen, settled, "in_progress", &json!([]));
        events.push(json!({"type": "response.created", "response": open}));
        events.push(json!({"type": "response.in_progress", "response": open}));
        for (at, item) in items(seen, settled).into_iter().enumerate() {
            let mut added = item.clone();
            if added["status"].is_string() {
                added["status"] = json!("in_progress");
            }
            for (key, empty) in [("content", json!([])), ("arguments", json!(""))] {
                if !added[key].is_null() {
                    added[key] = empty;
                }
            }
            events.push(json!({
                "type": "response.output_item.added", "output_index": at, "item": added,
            }));
            match item["type"].as_str() {
                Some("message") => events.message(at, &item["content"][0]),
                Some("function_call") => events.arguments(at, &item),
                _ => {}
            }
            events.push(json!({
                "type": "response.output_item.done", "output_index": at, "item": item,
            }));
        }
        let whole = self.whole(seen, settled);
        let kind = format!("response.{}", whole["status"].as_str().unwrap_or_default());
        events.push(json!({"type": kind, "response": whole}));
        events.frames
    }

    fn error_frame(&self, kind: &str, message: &str) -> Bytes {
        let error = json!({"type": "error", "code": kind, "message": message, "param": null});
        event(Some("error"), &error)
    }

    fn stream_type(&self) -> &'static str {
        "text/event-stream; charset=utf-8"
    }
}
