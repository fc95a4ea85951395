//! OpenAI Chat Completions, and the servers that speak it.

use catalog::MaxTokensParameter;
use chat::{
    FinishReason, Message, OutputFormat, Part, Reply, Request, Role, TokenLogprob, Tool, ToolCall,
    ToolChoice, Usage,
};
use serde_json::{Map, Value, json};

use super::draft::{Arguments, Draft};
use super::json::{at, items, member, merge, number, put, seed, text};
use super::media::Media;
use super::{DecodeError, DecodeEvents, Problem, Progress, WireOptions, usage};
use crate::PrepareError;

pub(super) fn encode(request: &Request, options: WireOptions) -> Result<Value, PrepareError> {
    let sampling = &request.sampling;
    let mut body = Map::new();
    put(&mut body, "model", Some(request.model.model.as_str()));
    let mut messages = Vec::new();
    for message in &request.messages {
        encode_message(message, &mut messages)?;
    }
    put(&mut body, "messages", Some(messages));
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.iter().map(encode_tool).collect());
        put(&mut body, "tool_choice", encode_tool_choice(&request.tool_choice));
    }
    put(&mut body, "response_format", encode_format(&request.output));
    let field = match options.max_tokens_parameter {
        MaxTokensParameter::MaxCompletionTokens => "max_completion_tokens",
        MaxTokensParameter::MaxTokens => "max_tokens",
    };
    put(&mut body, field, Some(super::max_output_tokens(request)?));
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        put(&mut body, name, value.map(|value| number(name, value)).transpose()?);
    }
    put(&mut body, "top_k", sampling.top_k);
    if !sampling.stop.is_empty() {
        put(&mut body, "stop", Some(sampling.stop.clone()));
    }
    put(&mut body, "seed", sampling.seed.map(seed));
    if let Some(alternatives) = sampling.logprobs {
        put(&mut body, "logprobs", Some(true));
        put(&mut body, "top_logprobs", Some(alternatives));
    }
    if options.stream {
        put(&mut body, "stream", Some(true));
        put(&mut body, "stream_options", Some(json!({"include_usage": true})));
    }
    merge(&mut body, &sampling.extra)?;
    Ok(Value::Object(body))
}

/// A tool result is a message of its own here, whatever else stands in ours.
fn encode_message(message: &Message, out: &mut Vec<Value>) -> Result<(), PrepareError> {
    let mut content = Vec::new();
    let mut calls = Vec::new();
    for part in &message.parts {
        match part {
            Part::Text { text } => content.push(json!({"type": "text", "text": text})),
            Part::Media { url, content_type } => {
                Media::image(url, content_type.as_deref())?;
                content.push(json!({"type": "image_url", "image_url": {"url": url}}));
            }
            Part::ToolCall(call) => calls.push(encode_call(call)),
            Part::ToolResult { id, output, .. } => out.push(json!({
                "role": "tool", "tool_call_id": id, "content": plain_text(output),
            })),
        }
    }
    if content.is_empty() && calls.is_empty() {
        return Ok(());
    }
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Model => "assistant",
        Role::Tool => "tool",
    };
    let mut encoded = Map::new();
    put(&mut encoded, "role", Some(role));
    // The plain form is what every compatible server reads; parts are for what needs them.
    let only_text = message.parts.iter().all(|part| matches!(part, Part::Text { .. }));
    let content = if content.is_empty() {
        Value::Null
    } else if only_text {
        Value::String(message.joined_text())
    } else {
        Value::Array(content)
    };
    encoded.insert("content".to_owned(), content);
    if !calls.is_empty() {
        put(&mut encoded, "tool_calls", Some(calls));
    }
    out.push(Value::Object(encoded));
    Ok(())
}

fn encode_call(call: &ToolCall) -> Value {
    json!({
        "id": call.id,
        "type": "function",
        "function": {"name": call.name, "arguments": plain_text(&call.arguments)},
    })
}

/// Returns a string as it is, any other value as JSON.
pub(super) fn plain_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

pub(super) fn encode_tool(tool: &Tool) -> Value {
    let mut function = Map::new();
    put(&mut function, "name", Some(tool.name.as_str()));
    put(&mut function, "description", tool.description.as_deref());
    put(&mut function, "parameters", Some(tool.input_schema.clone()));
    json!({"type": "function", "function": function})
}

fn encode_tool_choice(choice: &ToolChoice) -> Option<Value> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::Required => Some(json!("required")),
        ToolChoice::None => Some(json!("none")),
        ToolChoice::Named { name } => Some(json!({"type": "function", "function": {"name": name}})),
    }
}

fn encode_format(output: &OutputFormat) -> Option<Value> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::Json { schema: None } => Some(json!({"type": "json_object"})),
        OutputFormat::Json { schema: Some(schema) } => Some(json!({
            "type": "json_schema",
            "json_schema": {"name": "output", "schema": schema, "strict": is_strict(schema)},
        })),
    }
}

/// Tells whether a schema is of the form that OpenAI's strict mode takes: every object closed, and
/// every property required. A schema outside of it is refused in strict mode, so it is sent without.
pub(super) fn is_strict(schema: &Value) -> bool {
    let Value::Object(object) = schema else {
        return schema.as_array().is_none_or(|list| list.iter().all(is_strict));
    };
    if let Some(properties) = object.get("properties").and_then(Value::as_object) {
        let required: Vec<&str> =
            items(schema, "/required").iter().filter_map(Value::as_str).collect();
        return object.get("additionalProperties") == Some(&Value::Bool(false))
            && properties.keys().all(|name| required.contains(&name.as_str()))
            && properties.values().all(is_strict);
    }
    let is_open_object = object.get("type").and_then(Value::as_str) == Some("object");
    !is_open_object && object.values().all(is_strict)
}

/// Members that tell how a server really answered.
const KEPT: [&str; 6] = [
    "system_fingerprint",
    "service_tier",
    "timings",
    "generation_settings",
    "truncated",
    "stop_type",
];

pub(super) fn decode(mut document: Value) -> Result<Reply, DecodeError> {
    let mut draft = Draft::default();
    describe(&mut draft, &mut document);
    let billed = draft.billed(usage::openai_chat);
    let choice =
        at(&document, "/choices/0").ok_or_else(|| DecodeError { problem: no_choice(), billed })?;
    take_message(&mut draft, choice, "message");
    Ok(draft.into_reply(usage::openai_chat))
}

fn no_choice() -> Problem {
    Problem::Malformed("there are no `choices` in it".to_owned())
}

/// Takes what stands beside the choices, the usage out of its place.
fn describe(draft: &mut Draft, document: &mut Value) {
    if let Some(usage) = document.get_mut("usage").filter(|usage| !usage.is_null()) {
        draft.usage = usage.take();
    }
    for (slot, pointer) in [(&mut draft.model, "/model"), (&mut draft.id, "/id")] {
        if slot.is_none() {
            *slot = text(document, pointer).filter(|text| !text.is_empty()).map(str::to_owned);
        }
    }
    draft.keep(document, &KEPT);
}

/// Takes a choice's `message` or `delta`; returns whether it brought a piece of the answer.
fn take_message(draft: &mut Draft, choice: &Value, key: &str) -> bool {
    let mut content = false;
    if let Some(message) = member(choice, key) {
        content |= take_text(draft, message);
        if let Some(refusal) = text(message, "/refusal").filter(|text| !text.is_empty()) {
            draft.refuse(refusal);
            content = true;
        }
        for reasoning in ["/reasoning_content", "/reasoning"] {
            content |= text(message, reasoning).is_some_and(|text| !text.is_empty());
        }
        for (place, call) in (0u64..).zip(items(message, "/tool_calls")) {
            take_call(draft, call.get("index").and_then(Value::as_u64).unwrap_or(place), call);
            content = true;
        }
        if let Some(call) = member(message, "function_call") {
            take_call(draft, 0, &json!({"function": call}));
            content = true;
        }
    }
    for token in items(choice, "/logprobs/content") {
        draft.logprobs.extend(decode_logprob(token));
    }
    if let Some(reason) = text(choice, "/finish_reason") {
        draft.stop(finish_reason(reason), reason);
    }
    content
}

/// Content is a string; some servers write a list of parts.
fn take_text(draft: &mut Draft, message: &Value) -> bool {
    let before = draft.text.len();
    match message.get("content") {
        Some(Value::String(piece)) => draft.text.push_str(piece),
        Some(Value::Array(parts)) => {
            for piece in parts.iter().filter_map(|part| text(part, "/text")) {
                draft.text.push_str(piece);
            }
        }
        _ => {}
    }
    draft.text.len() > before
}

fn take_call(draft: &mut Draft, index: u64, call: &Value) {
    let tool = draft.tool(index);
    if let Some(id) = text(call, "/id") {
        id.clone_into(&mut tool.id);
    }
    if let Some(name) = text(call, "/function/name") {
        tool.name.push_str(name);
    }
    match at(call, "/function/arguments") {
        Some(Value::String(piece)) => tool.push_arguments(piece),
        Some(Value::Null) | None => {}
        Some(value) => tool.arguments = Arguments::Json(value.clone()),
    }
}

/// Reads a token's log-probability, in the form that OpenAI and its followers share.
pub(super) fn decode_logprob(token: &Value) -> Option<TokenLogprob> {
    let pair =
        |value: &Value| Some((text(value, "/token")?.to_owned(), value.get("logprob")?.as_f64()?));
    let (text, logprob) = pair(token)?;
    let top = items(token, "/top_logprobs").iter().filter_map(pair).collect();
    Some(TokenLogprob { token: text, logprob, top })
}

fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "stop" => FinishReason::Complete,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolUse,
        "content_filter" => FinishReason::Filtered,
        _ => FinishReason::Error,
    }
}

/// A stream of chunks: the usage stands on an extra chunk without choices, `[DONE]` ends it.
#[derive(Debug, Default)]
pub(super) struct Stream {
    draft: Draft,
    has_choice: bool,
    /// Some servers count along in every chunk; only the chunk without choices is the bill.
    has_final_usage: bool,
}

impl DecodeEvents for Stream {
    fn event(&mut self, _name: &[u8], mut data: Value) -> Result<Progress, Problem> {
        let has_usage = member(&data, "usage").is_some();
        describe(&mut self.draft, &mut data);
        let mut content = false;
        let choices = items(&data, "/choices");
        self.has_final_usage |= choices.is_empty() && has_usage;
        for choice in choices {
            if choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0 {
                self.has_choice = true;
                content |= take_message(&mut self.draft, choice, "delta");
            }
        }
        Ok(if content { Progress::Content } else { Progress::Lifecycle })
    }

    fn is_end_mark(&self, data: &[u8]) -> bool {
        data.trim_ascii() == b"[DONE]"
    }

    fn finish(&mut self) -> Result<Reply, Problem> {
        if !self.has_choice {
            return Err(no_choice());
        }
        Ok(std::mem::take(&mut self.draft).into_reply(usage::openai_chat))
    }

    fn billed(&self) -> Option<Usage> {
        self.has_final_usage.then(|| self.draft.billed(usage::openai_chat))?
    }
}
