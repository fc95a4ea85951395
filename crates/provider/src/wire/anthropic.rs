//! Anthropic Messages.

use chat::{
    FinishReason, Message, OutputFormat, Part, Reply, Request, Role, Tool, ToolChoice, Usage,
};
use serde_json::{Map, Value, json};

use super::draft::{Arguments, Draft};
use super::json::{items, member, merge, number, put, refuse, text};
use super::media::Media;
use super::openai_chat::plain_text;
use super::{DecodeEvents, Problem, Progress, WireOptions, split_system, usage};
use crate::PrepareError;

pub(super) fn encode(request: &Request, options: WireOptions) -> Result<Value, PrepareError> {
    let sampling = &request.sampling;
    if sampling.logprobs.is_some() {
        return Err(refuse("Anthropic gives no log-probabilities", None));
    }
    let (system, messages) = split_system(request)?;
    let mut body = Map::new();
    put(&mut body, "model", Some(request.model.model.as_str()));
    put(&mut body, "max_tokens", Some(super::max_output_tokens(request)?));
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.iter().map(encode_tool).collect());
        put(&mut body, "tool_choice", encode_tool_choice(&request.tool_choice));
    }
    put(&mut body, "system", encode_system(&system));
    let messages = messages.iter().map(encode_message).collect::<Result<Vec<_>, _>>()?;
    put(&mut body, "messages", Some(messages));
    put(&mut body, "output_config", encode_format(&request.output)?);
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        put(&mut body, name, value.map(|value| number(name, value)).transpose()?);
    }
    put(&mut body, "top_k", sampling.top_k);
    if !sampling.stop.is_empty() {
        put(&mut body, "stop_sequences", Some(sampling.stop.clone()));
    }
    if options.stream {
        put(&mut body, "stream", Some(true));
    }
    merge(&mut body, &sampling.extra)?;
    Ok(Value::Object(body))
}

fn encode_system(texts: &[&str]) -> Option<Value> {
    match texts {
        [] => None,
        [one] => Some(json!(one)),
        several => Some(several.iter().map(|text| json!({"type": "text", "text": text})).collect()),
    }
}

fn encode_message(message: &Message) -> Result<Value, PrepareError> {
    let role = if message.role == Role::Model { "assistant" } else { "user" };
    let content = match message.parts.as_slice() {
        [Part::Text { text }] => json!(text),
        parts => parts.iter().map(encode_part).collect::<Result<Value, _>>()?,
    };
    Ok(json!({"role": role, "content": content}))
}

fn encode_part(part: &Part) -> Result<Value, PrepareError> {
    Ok(match part {
        Part::Text { text } => json!({"type": "text", "text": text}),
        Part::Media { url, content_type } => {
            let source = match Media::image(url, content_type.as_deref())? {
                Media::Inline { mime, base64 } => {
                    json!({"type": "base64", "media_type": mime, "data": base64})
                }
                Media::Remote { url, .. } => json!({"type": "url", "url": url}),
            };
            json!({"type": "image", "source": source})
        }
        Part::ToolCall(call) => json!({
            "type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments,
        }),
        Part::ToolResult { id, output, .. } => json!({
            "type": "tool_result", "tool_use_id": id, "content": plain_text(output),
        }),
    })
}

fn encode_tool(tool: &Tool) -> Value {
    let mut encoded = Map::new();
    put(&mut encoded, "name", Some(tool.name.as_str()));
    put(&mut encoded, "description", tool.description.as_deref());
    put(&mut encoded, "input_schema", Some(tool.input_schema.clone()));
    Value::Object(encoded)
}

fn encode_tool_choice(choice: &ToolChoice) -> Option<Value> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::Required => Some(json!({"type": "any"})),
        ToolChoice::None => Some(json!({"type": "none"})),
        ToolChoice::Named { name } => Some(json!({"type": "tool", "name": name})),
    }
}

fn encode_format(output: &OutputFormat) -> Result<Option<Value>, PrepareError> {
    match output {
        OutputFormat::Text => Ok(None),
        OutputFormat::Json { schema: Some(schema) } => {
            Ok(Some(json!({"format": {"type": "json_schema", "schema": schema}})))
        }
        OutputFormat::Json { schema: None } => Err(refuse(
            "Anthropic enforces JSON by a schema only",
            Some(
                "give the prompt's output a schema, or ask for JSON in its text and leave the format out",
            ),
        )),
    }
}

pub(super) fn decode(document: &Value) -> Result<Reply, Problem> {
    if !document.get("content").is_some_and(Value::is_array) {
        return Err(Problem::Malformed("there is no `content` in it".to_owned()));
    }
    let mut draft = Draft::default();
    take_message(&mut draft, document);
    for (place, block) in (0u64..).zip(items(document, "/content")) {
        begin_block(&mut draft, place, block);
    }
    take_stop(&mut draft, document);
    Ok(draft.into_reply(usage::anthropic))
}

/// Takes what a message says of itself.
fn take_message(draft: &mut Draft, message: &Value) {
    draft.model = text(message, "/model").map(str::to_owned);
    draft.id = text(message, "/id").map(str::to_owned);
    if let Some(usage) = member(message, "usage") {
        draft.usage = usage.clone();
    }
}

/// Takes a content block, as it is or as it begins.
fn begin_block(draft: &mut Draft, index: u64, block: &Value) {
    match text(block, "/type") {
        Some("text") => draft.text.push_str(text(block, "/text").unwrap_or_default()),
        Some("tool_use") => {
            let arguments = Arguments::json(block.get("input"));
            draft.put_tool(index, text(block, "/id"), text(block, "/name"), arguments);
        }
        // Thinking, and what the provider's own tools did, is not the answer.
        _ => {}
    }
}

fn take_stop(draft: &mut Draft, place: &Value) {
    draft.keep(place, &["stop_sequence", "stop_details"]);
    let Some(reason) = text(place, "/stop_reason") else { return };
    let finish = match reason {
        "end_turn" => FinishReason::Complete,
        "max_tokens" => FinishReason::Length,
        "stop_sequence" => FinishReason::StopSequence,
        "tool_use" => FinishReason::ToolUse,
        "pause_turn" => FinishReason::Paused,
        "refusal" => FinishReason::Refused,
        "model_context_window_exceeded" => FinishReason::ContextExceeded,
        _ => FinishReason::Error,
    };
    draft.stop(finish, reason);
    if let Some(explanation) = text(place, "/stop_details/explanation") {
        draft.refuse(explanation);
    }
}

/// A stream of named events. Counts are cumulative: each one replaces the one before.
#[derive(Debug, Default)]
pub(super) struct Stream {
    draft: Draft,
    started: bool,
    has_final_usage: bool,
}

impl Stream {
    /// A count that is null, or not there, leaves the earlier one standing.
    fn replace_usage(&mut self, usage: &Value) {
        let Some(counts) = usage.as_object() else { return };
        if !self.draft.usage.is_object() {
            self.draft.usage = json!({});
        }
        for (key, count) in counts.iter().filter(|(_, count)| !count.is_null()) {
            self.draft.usage[key] = count.clone();
        }
    }

    fn take_delta(&mut self, index: u64, delta: &Value) -> Progress {
        match text(delta, "/type") {
            Some("text_delta") => {
                self.draft.text.push_str(text(delta, "/text").unwrap_or_default());
                Progress::Content
            }
            Some("input_json_delta") => {
                let piece = text(delta, "/partial_json").unwrap_or_default();
                self.draft.tool(index).push_arguments(piece);
                Progress::Content
            }
            Some("thinking_delta") => Progress::Content,
            _ => Progress::Lifecycle,
        }
    }
}

impl DecodeEvents for Stream {
    fn event(&mut self, _name: &[u8], data: Value) -> Result<Progress, Problem> {
        let index = data.get("index").and_then(Value::as_u64).unwrap_or(0);
        Ok(match text(&data, "/type").unwrap_or_default() {
            "message_start" => {
                self.started = true;
                take_message(&mut self.draft, data.get("message").unwrap_or(&Value::Null));
                Progress::Lifecycle
            }
            "content_block_start" => {
                let block = data.get("content_block").unwrap_or(&Value::Null);
                begin_block(&mut self.draft, index, block);
                Progress::Lifecycle
            }
            "content_block_delta" => {
                self.take_delta(index, data.get("delta").unwrap_or(&Value::Null))
            }
            "message_delta" => {
                let delta = data.get("delta").unwrap_or(&Value::Null);
                take_stop(&mut self.draft, delta);
                self.replace_usage(data.get("usage").unwrap_or(&Value::Null));
                self.has_final_usage = self.draft.finish.is_some();
                Progress::Lifecycle
            }
            "message_stop" if self.started => Progress::End,
            "message_stop" => {
                return Err(Problem::Malformed("it ends before it starts".to_owned()));
            }
            // Pings, ends of blocks, and events that are newer than this program.
            _ => Progress::Lifecycle,
        })
    }

    fn finish(&mut self) -> Result<Reply, Problem> {
        Ok(std::mem::take(&mut self.draft).into_reply(usage::anthropic))
    }

    fn billed(&self) -> Option<Usage> {
        self.has_final_usage.then(|| self.draft.billed(usage::anthropic))?
    }
}
