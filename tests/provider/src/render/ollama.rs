use bytes::Bytes;
use chat::{FinishReason, Usage};
use serde_json::{Value, json};

use super::{Renderer, pieces, reported, served};
use crate::SeenRequest;
use crate::answer::Settled;

pub(super) struct Ollama;

fn done_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Complete | FinishReason::StopSequence | FinishReason::ToolUse => "stop",
        FinishReason::Length => "length",
        other => panic!("Ollama cannot say {other:?}: answer raw JSON instead"),
    }
}

fn usage(usage: &Usage) -> Value {
    json!({"prompt_eval_count": usage.input_total(), "eval_count": usage.output_total()})
}

fn chunk(seen: &SeenRequest, settled: &Settled, text: &str) -> Value {
    json!({
        "model": served(seen, settled),
        "created_at": "2025-10-09T08:53:20Z",
        "message": {"role": "assistant", "content": text},
        "done": false,
    })
}

/// Makes a chunk the last: whole, with its counts at the top level.
fn finish(settled: &Settled, chunk: &mut Value) {
    chunk["done"] = json!(true);
    chunk["done_reason"] = json!(done_reason(settled.answer.finish));
    chunk["total_duration"] = json!(5_000_000);
    if let Some(Value::Object(fields)) = reported(settled, usage) {
        for (key, value) in fields {
            chunk[key] = value;
        }
    }
}

fn calls(settled: &Settled) -> Vec<Value> {
    let calls = settled.answer.tool_calls.iter();
    calls
        .map(|call| json!({"function": {"name": call.name, "arguments": call.arguments}}))
        .collect()
}

fn line(value: &Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

impl Renderer for Ollama {
    fn refusal(&self, seen: &SeenRequest) -> Option<String> {
        seen.model().is_empty().then(|| "model is required".to_owned())
    }

    fn whole(&self, seen: &SeenRequest, settled: &Settled) -> Value {
        let mut body = chunk(seen, settled, &settled.answer.text);
        if !settled.answer.tool_calls.is_empty() {
            body["message"]["tool_calls"] = json!(calls(settled));
        }
        finish(settled, &mut body);
        body
    }

    fn frames(&self, seen: &SeenRequest, settled: &Settled) -> Vec<Bytes> {
        let mut frames: Vec<Bytes> = pieces(&settled.answer.text)
            .iter()
            .map(|text| line(&chunk(seen, settled, text)))
            .collect();
        if !settled.answer.tool_calls.is_empty() {
            let mut with_calls = chunk(seen, settled, "");
            with_calls["message"]["tool_calls"] = json!(calls(settled));
            frames.push(line(&with_calls));
        }
        let mut last = chunk(seen, settled, "");
        finish(settled, &mut last);
        frames.push(line(&last));
        frames
    }

    fn error_frame(&self, _kind: &str, message: &str) -> Bytes {
        line(&json!({ "error": message }))
    }

    fn stream_type(&self) -> &'static str {
        "application/x-ndjson"
    }
}
