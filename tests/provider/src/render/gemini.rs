use bytes::Bytes;
use chat::{FinishReason, Usage};
use serde_json::{Value, json};

use super::{Renderer, event, logprob, pieces, reported, served};
use crate::answer::Settled;
use crate::{SeenRequest, tokens};

pub(super) struct Gemini;

pub(super) fn error_status(status: u16) -> &'static str {
    match status {
        400 => "INVALID_ARGUMENT",
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        503 => "UNAVAILABLE",
        504 => "DEADLINE_EXCEEDED",
        _ => "INTERNAL",
    }
}

fn finish_reason(finish: FinishReason) -> &'static str {
    match finish {
        FinishReason::Complete | FinishReason::StopSequence | FinishReason::ToolUse => "STOP",
        FinishReason::Length => "MAX_TOKENS",
        FinishReason::Filtered => "SAFETY",
        FinishReason::MalformedTool => "MALFORMED_FUNCTION_CALL",
        FinishReason::Error => "OTHER",
        other => panic!("generateContent cannot say {other:?}: answer raw JSON instead"),
    }
}

fn usage(usage: &Usage) -> Value {
    let mut object = json!({
        "promptTokenCount": usage.input_total(),
        "candidatesTokenCount": usage.output_visible,
        "totalTokenCount": usage.input_total() + usage.output_total(),
    });
    if usage.cache_read > 0 {
        object["cachedContentTokenCount"] = json!(usage.cache_read);
    }
    if usage.output_reasoning > 0 {
        object["thoughtsTokenCount"] = json!(usage.output_reasoning);
    }
    object
}

fn logprobs(seen: &SeenRequest, text: &str) -> Option<Value> {
    let config = &seen.json["generationConfig"];
    if config["responseLogprobs"] != json!(true) {
        return None;
    }
    let alternatives = config["logprobs"].as_u64().unwrap_or(0);
    let candidate = |token: &str, logprob: f64| json!({"token": token, "logProbability": logprob});
    let (mut chosen, mut top) = (Vec::new(), Vec::new());
    for (index, token) in tokens(text).into_iter().enumerate() {
        chosen.push(candidate(token, logprob(index)));
        let ranked = (0..alternatives).map(|rank| {
            let name = if rank == 0 { token.to_owned() } else { format!("alt{rank}") };
            candidate(&name, logprob(index) - rank as f64)
        });
        top.push(json!({"candidates": ranked.collect::<Vec<_>>()}));
    }
    Some(json!({"chosenCandidates": chosen, "topCandidates": top}))
}

fn chunk(seen: &SeenRequest, settled: &Settled, parts: &[Value], last: bool) -> Value {
    let mut candidate = json!({"content": {"parts": parts, "role": "model"}, "index": 0});
    if last {
        candidate["finishReason"] = json!(finish_reason(settled.answer.finish));
    }
    let mut body = json!({
        "candidates": [candidate],
        "modelVersion": served(seen, settled),
        "responseId": format!("resp-{}", seen.number),
    });
    if let Some(usage) = reported(settled, usage) {
        body["usageMetadata"] = usage;
    }
    body
}

fn calls(settled: &Settled) -> impl Iterator<Item = Value> {
    settled.answer.tool_calls.iter().map(
        |call| json!({"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}),
    )
}

impl Renderer for Gemini {
    fn refusal(&self, seen: &SeenRequest) -> Option<String> {
        (!seen.json["contents"].is_array()).then(|| "contents is not specified".to_owned())
    }

    fn whole(&self, seen: &SeenRequest, settled: &Settled) -> Value {
        let text = &settled.answer.text;
        let said = (!text.is_empty()).then(|| json!({ "text": text }));
        let parts: Vec<Value> = said.into_iter().chain(calls(settled)).collect();
        let mut body = chunk(seen, settled, &parts, true);
        if let Some(logprobs) = logprobs(seen, text) {
            body["candidates"][0]["logprobsResult"] = logprobs;
        }
        body
    }

    fn frames(&self, seen: &SeenRequest, settled: &Settled) -> Vec<Bytes> {
        let texts = pieces(&settled.answer.text).into_iter().map(|text| json!({ "text": text }));
        let mut chunks: Vec<Value> =
            texts.chain(calls(settled)).map(|part| chunk(seen, settled, &[part], false)).collect();
        // A stream has no array of its own: without `alt=sse` it is one array of the chunks.
        let mut last = chunk(seen, settled, &[json!({"text": ""})], true);
        if let Some(logprobs) = logprobs(seen, &settled.answer.text) {
            last["candidates"][0]["logprobsResult"] = logprobs;
        }
        chunks.push(last);
        if seen.uri.query().is_some_and(|query| query.contains("alt=sse")) {
            return chunks.iter().map(|chunk| event(None, chunk)).collect();
        }
        let end = chunks.len() - 1;
        let array = chunks.iter().enumerate().map(|(index, chunk)| {
            let open = if index == 0 { "[" } else { ",\r\n" };
            let close = if index == end { "]" } else { "" };
            Bytes::from(format!("{open}{chunk}{close}"))
        });
        array.collect()
    }

    fn error_frame(&self, kind: &str, message: &str) -> Bytes {
        event(None, &json!({"error": {"code": 500, "message": message, "status": kind}}))
    }

    fn stream_type(&self) -> &'static str {
        "text/event-stream"
    }
}
