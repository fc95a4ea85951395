//! Ollama's own `/api/chat`.

use chat::{FinishReason, Message, OutputFormat, Part, Reply, Request, Role, ToolChoice, Usage};
use serde_json::{Map, Value, json};

use super::draft::{Arguments, Draft};
use super::json::{at, items, member, merge, number, put, refuse, seed, text};
use super::media::Media;
use super::openai_chat::{decode_logprob, encode_tool, plain_text};
use super::{DecodeEvents, Problem, Progress, WireOptions, usage};
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
    match request.tool_choice {
        ToolChoice::Auto if request.tools.is_empty() => {}
        ToolChoice::Auto => {
            body.insert("tools".to_owned(), request.tools.iter().map(encode_tool).collect());
        }
        // What it is not told of it cannot call.
        ToolChoice::None => {}
        ToolChoice::Required | ToolChoice::Named { .. } => {
            return Err(refuse("Ollama cannot be made to call a tool", None));
        }
    }
    match &request.output {
        OutputFormat::Text => {}
        OutputFormat::Json { schema: None } => put(&mut body, "format", Some("json")),
        OutputFormat::Json { schema } => put(&mut body, "format", schema.clone()),
    }
    // Its default is a stream, so the wish is always spelled out.
    put(&mut body, "stream", Some(options.stream));
    put(&mut body, "options", Some(model_options(request)?));
    if let Some(alternatives) = sampling.logprobs {
        put(&mut body, "logprobs", Some(true));
        put(&mut body, "top_logprobs", Some(alternatives));
    }
    merge(&mut body, &sampling.extra)?;
    Ok(Value::Object(body))
}

fn model_options(request: &Request) -> Result<Value, PrepareError> {
    let sampling = &request.sampling;
    let mut options = Map::new();
    put(&mut options, "num_predict", Some(super::max_output_tokens(request)?));
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        put(&mut options, name, value.map(|value| number(name, value)).transpose()?);
    }
    put(&mut options, "top_k", sampling.top_k);
    if !sampling.stop.is_empty() {
        put(&mut options, "stop", Some(sampling.stop.clone()));
    }
    put(&mut options, "seed", sampling.seed.map(seed));
    Ok(Value::Object(options))
}

fn encode_message(message: &Message, out: &mut Vec<Value>) -> Result<(), PrepareError> {
    let role = match message.role {
        Role::System => "system",
        Role::User => "user",
        Role::Model => "assistant",
        Role::Tool => "tool",
    };
    let mut images = Vec::new();
    let mut calls = Vec::new();
    let mut has_own = false;
    for part in &message.parts {
        match part {
            Part::Text { .. } => has_own = true,
            Part::Media { url, content_type } => {
                match Media::image(url, content_type.as_deref())? {
                    Media::Inline { base64, .. } => images.push(json!(base64)),
                    Media::Remote { .. } => {
                        return Err(refuse(
                            "Ollama does not fetch images",
                            Some("put the image into the project and name its file"),
                        ));
                    }
                }
            }
            Part::ToolCall(call) => calls.push(json!({
                "function": {"name": call.name, "arguments": call.arguments},
            })),
            Part::ToolResult { name, output, .. } => out.push(json!({
                "role": "tool", "tool_name": name, "content": plain_text(output),
            })),
        }
    }
    if !has_own && images.is_empty() && calls.is_empty() {
        return Ok(());
    }
    let mut encoded = Map::new();
    put(&mut encoded, "role", Some(role));
    put(&mut encoded, "content", Some(message.joined_text()));
    for (key, list) in [("images", images), ("tool_calls", calls)] {
        put(&mut encoded, key, (!list.is_empty()).then_some(list));
    }
    out.push(Value::Object(encoded));
    Ok(())
}

pub(super) fn decode(document: &Value) -> Result<Reply, Problem> {
    if !document.get("message").is_some_and(Value::is_object) {
        return Err(Problem::Malformed("there is no `message` in it".to_owned()));
    }
    let mut stream = Stream::default();
    match stream.event(b"", document.clone())? {
        Progress::End => stream.finish(),
        Progress::Lifecycle | Progress::Content => Err(Problem::Truncated),
    }
}

/// The counts and times that stand at the top of the last object.
const COUNTS: [&str; 6] = [
    "prompt_eval_count",
    "eval_count",
    "total_duration",
    "load_duration",
    "prompt_eval_duration",
    "eval_duration",
];

/// A stream of objects, one a line; the last one says `done`.
#[derive(Debug, Default)]
pub(super) struct Stream {
    draft: Draft,
    done: bool,
}

impl DecodeEvents for Stream {
    fn event(&mut self, _name: &[u8], data: Value) -> Result<Progress, Problem> {
        let piece = text(&data, "/message/content").unwrap_or_default();
        self.draft.text.push_str(piece);
        let mut content = !piece.is_empty();
        content |= text(&data, "/message/thinking").is_some_and(|text| !text.is_empty());
        for call in items(&data, "/message/tool_calls") {
            let (id, name) = (text(call, "/id"), text(call, "/function/name"));
            let arguments = Arguments::json(at(call, "/function/arguments"));
            self.draft.put_tool(self.draft.next_tool(), id, name, arguments);
            content = true;
        }
        self.draft.logprobs.extend(items(&data, "/logprobs").iter().filter_map(decode_logprob));
        if let Some(model) = text(&data, "/model") {
            self.draft.model = Some(model.to_owned());
        }
        if data.get("done") != Some(&Value::Bool(true)) {
            return Ok(if content { Progress::Content } else { Progress::Lifecycle });
        }
        self.done = true;
        let counts: Map<String, Value> = COUNTS
            .into_iter()
            .filter_map(|key| Some((key.to_owned(), member(&data, key)?.clone())))
            .collect();
        if !counts.is_empty() {
            self.draft.usage = Value::Object(counts);
        }
        // Servers of before the field only ever stopped.
        let reason = text(&data, "/done_reason").unwrap_or("stop");
        let finish = match reason {
            "stop" => FinishReason::Complete,
            "length" => FinishReason::Length,
            _ => FinishReason::Error,
        };
        self.draft.stop(finish, reason);
        Ok(Progress::End)
    }

    fn finish(&mut self) -> Result<Reply, Problem> {
        Ok(std::mem::take(&mut self.draft).into_reply(usage::ollama))
    }

    fn billed(&self) -> Option<Usage> {
        self.done.then(|| self.draft.billed(usage::ollama))?
    }
}
