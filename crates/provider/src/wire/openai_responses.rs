//! OpenAI Responses.

use chat::{
    FinishReason, Message, OutputFormat, Part, Reply, Request, Role, Tool, ToolChoice, Usage,
};
use serde_json::{Map, Value, json};

use super::draft::{Arguments, Draft};
use super::json::{items, member, merge, number, put, refuse, text};
use super::media::Media;
use super::openai_chat::{decode_logprob, is_strict, plain_text};
use super::{DecodeError, DecodeEvents, Problem, Progress, Reported, WireOptions, usage};
use crate::PrepareError;

pub(super) fn encode(request: &Request, options: WireOptions) -> Result<Value, PrepareError> {
    let sampling = &request.sampling;
    if !sampling.stop.is_empty() || sampling.top_k.is_some() {
        return Err(refuse(
            "the Responses protocol has neither stop strings nor top-k",
            Some("take them out of the prompt's config, or use the protocol `openai-chat`"),
        ));
    }
    let mut body = Map::new();
    put(&mut body, "model", Some(request.model.model.as_str()));
    let mut input = Vec::new();
    for message in &request.messages {
        encode_message(message, &mut input)?;
    }
    put(&mut body, "input", Some(input));
    if !request.tools.is_empty() {
        body.insert("tools".to_owned(), request.tools.iter().map(encode_tool).collect());
        put(&mut body, "tool_choice", encode_tool_choice(&request.tool_choice));
    }
    put(&mut body, "text", encode_format(&request.output).map(|format| json!({"format": format})));
    put(&mut body, "max_output_tokens", Some(super::max_output_tokens(request)?));
    for (name, value) in [("temperature", sampling.temperature), ("top_p", sampling.top_p)] {
        put(&mut body, name, value.map(|value| number(name, value)).transpose()?);
    }
    if let Some(alternatives) = sampling.logprobs {
        put(&mut body, "include", Some(json!(["message.output_text.logprobs"])));
        put(&mut body, "top_logprobs", Some(alternatives));
    }
    if options.stream {
        put(&mut body, "stream", Some(true));
    }
    // Without a wish of the person's, the provider is not to keep what it was sent.
    if !sampling.extra.contains_key("store") {
        put(&mut body, "store", Some(false));
    }
    merge(&mut body, &sampling.extra)?;
    Ok(Value::Object(body))
}

/// Calls and results of tools are items beside the messages here.
fn encode_message(message: &Message, out: &mut Vec<Value>) -> Result<(), PrepareError> {
    let (role, text_type) = match message.role {
        Role::System => ("system", "input_text"),
        Role::Model => ("assistant", "output_text"),
        Role::User | Role::Tool => ("user", "input_text"),
    };
    let mut content = Vec::new();
    let mut beside = Vec::new();
    for part in &message.parts {
        match part {
            Part::Text { text } => content.push(json!({"type": text_type, "text": text})),
            Part::Media { url, content_type } => {
                Media::image(url, content_type.as_deref())?;
                content.push(json!({"type": "input_image", "image_url": url}));
            }
            Part::ToolCall(call) => beside.push(json!({
                "type": "function_call", "call_id": call.id, "name": call.name,
                "arguments": plain_text(&call.arguments),
            })),
            Part::ToolResult { id, output, .. } => beside.push(json!({
                "type": "function_call_output", "call_id": id, "output": plain_text(output),
            })),
        }
    }
    if !content.is_empty() {
        out.push(json!({"type": "message", "role": role, "content": content}));
    }
    out.append(&mut beside);
    Ok(())
}

fn encode_tool(tool: &Tool) -> Value {
    let mut encoded = Map::new();
    put(&mut encoded, "type", Some("function"));
    put(&mut encoded, "name", Some(tool.name.as_str()));
    put(&mut encoded, "description", tool.description.as_deref());
    put(&mut encoded, "parameters", Some(tool.input_schema.clone()));
    // Strict is the default here, and would refuse most schemas.
    put(&mut encoded, "strict", Some(is_strict(&tool.input_schema)));
    Value::Object(encoded)
}

fn encode_tool_choice(choice: &ToolChoice) -> Option<Value> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::Required => Some(json!("required")),
        ToolChoice::None => Some(json!("none")),
        ToolChoice::Named { name } => Some(json!({"type": "function", "name": name})),
    }
}

fn encode_format(output: &OutputFormat) -> Option<Value> {
    match output {
        OutputFormat::Text => None,
        OutputFormat::Json { schema: None } => Some(json!({"type": "json_object"})),
        OutputFormat::Json { schema: Some(schema) } => Some(json!({
            "type": "json_schema", "name": "output", "schema": schema, "strict": is_strict(schema),
        })),
    }
}

/// Reads a response object. That HTTP said 200 means little: the status decides.
pub(super) fn decode(document: &Value) -> Result<Reply, DecodeError> {
    let mut draft = Draft::default();
    if let Some(usage) = member(document, "usage") {
        draft.usage = usage.clone();
    }
    let failed = |problem| DecodeError { problem, billed: draft.billed(usage::openai_responses) };
    if let Some(reported) = Reported::from_json(document) {
        return Err(failed(Problem::Reported(Box::new(reported))));
    }
    let status = text(document, "/status").unwrap_or("");
    let reason = text(document, "/incomplete_details/reason").unwrap_or("");
    let (finish, word) = match status {
        "completed" => (FinishReason::Complete, status),
        "incomplete" => (incomplete_reason(reason), reason),
        "in_progress" | "queued" => return Err(failed(Problem::Truncated)),
        "failed" | "cancelled" => {
            let message = format!("the response is {status}");
            let reported = Reported { message, ..Reported::default() };
            return Err(failed(Problem::Reported(Box::new(reported))));
        }
        _ => return Err(failed(Problem::Malformed("it has no `status`".to_owned()))),
    };
    draft.model = text(document, "/model").map(str::to_owned);
    draft.id = text(document, "/id").map(str::to_owned);
    draft.keep(document, &["service_tier"]);
    for (place, item) in (0u64..).zip(items(document, "/output")) {
        take_item(&mut draft, place, item);
    }
    draft.stop(finish, word);
    Ok(draft.into_reply(usage::openai_responses))
}

fn incomplete_reason(reason: &str) -> FinishReason {
    match reason {
        "max_output_tokens" => FinishReason::Length,
        "content_filter" => FinishReason::Filtered,
        _ => FinishReason::Error,
    }
}

fn take_item(draft: &mut Draft, place: u64, item: &Value) {
    if text(item, "/type") == Some("function_call") {
        let arguments = text(item, "/arguments").unwrap_or_default().to_owned();
        let (id, name) = (text(item, "/call_id"), text(item, "/name"));
        draft.put_tool(place, id, name, Arguments::Text(arguments));
    }
    for part in items(item, "/content") {
        match text(part, "/type") {
            Some("output_text") => {
                draft.text.push_str(text(part, "/text").unwrap_or_default());
                draft.logprobs.extend(items(part, "/logprobs").iter().filter_map(decode_logprob));
            }
            Some("refusal") => draft.refuse(text(part, "/refusal").unwrap_or_default()),
            _ => {}
        }
    }
}

/// A stream of some fifty kinds of events. The last one carries the whole response; what is unknown
/// is passed over.
#[derive(Debug, Default)]
pub(super) struct Stream {
    /// Finished items, for servers whose last event leaves them out.
    items: Vec<Value>,
    end: Option<Result<Reply, DecodeError>>,
}

impl DecodeEvents for Stream {
    fn event(&mut self, _name: &[u8], mut data: Value) -> Result<Progress, Problem> {
        let kind = text(&data, "/type").unwrap_or_default().to_owned();
        match kind.as_str() {
            "response.completed" | "response.incomplete" | "response.failed" => {
                let mut response = data.get_mut("response").map(Value::take).unwrap_or_default();
                if items(&response, "/output").is_empty() && response.is_object() {
                    response["output"] = Value::Array(std::mem::take(&mut self.items));
                }
                let reply = decode(&response);
                let problem = reply.as_ref().err().map(|error| error.problem.clone());
                self.end = Some(reply);
                problem.map_or(Ok(Progress::End), Err)
            }
            "error" => Err(Problem::Reported(Box::new(Reported::from_object(&data)))),
            "response.output_item.done" => {
                self.items.extend(data.get_mut("item").map(Value::take));
                Ok(Progress::Lifecycle)
            }
            // Text, refusals, arguments of tools, reasoning: all of it is the answer coming.
            other if other.strip_suffix(".delta").is_some() => Ok(Progress::Content),
            _ => Ok(Progress::Lifecycle),
        }
    }

    fn finish(&mut self) -> Result<Reply, Problem> {
        match self.end.take() {
            Some(Ok(reply)) => Ok(reply),
            Some(Err(error)) => Err(error.problem),
            None => Err(Problem::Truncated),
        }
    }

    fn billed(&self) -> Option<Usage> {
        match self.end.as_ref()? {
            Ok(reply) => reply.usage,
            Err(error) => error.billed,
        }
    }
}
