//! Gemini generateContent.

use chat::{
    FinishReason, Message, OutputFormat, Part, Reply, Request, Role, TokenLogprob, Tool,
    ToolChoice, Usage,
};
use serde_json::{Map, Value, json};

use super::draft::{Arguments, Draft};
use super::json::{at, items, member, merge, number, put, text};
use super::media::Media;
use super::{DecodeEvents, Problem, Progress, split_system, usage};
use crate::PrepareError;

/// The model stands in the path here, and so does the wish for a stream.
pub(super) fn path(model: &str, stream: bool) -> String {
    let model = model.strip_prefix("models/").unwrap_or(model);
    let folder = if model.starts_with("tunedModels/") { "" } else { "models/" };
    let verb = if stream { "streamGenerateContent?alt=sse" } else { "generateContent" };
    format!("/{folder}{}:{verb}", escaped(model))
}

/// Escapes everything that could leave the path segment; a slash of `tunedModels/x` stays.
fn escaped(model: &str) -> String {
    let mut out = String::with_capacity(model.len());
    for byte in model.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' => {
                out.push(char::from(byte));
            }
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out.replace("..", "%2E%2E")
}

pub(super) fn encode(request: &Request) -> Result<Value, PrepareError> {
    let (system, messages) = split_system(request)?;
    let mut body = Map::new();
    if !system.is_empty() {
        let parts: Vec<Value> = system.iter().map(|text| json!({"text": text})).collect();
        put(&mut body, "systemInstruction", Some(json!({"parts": parts})));
    }
    if !request.tools.is_empty() {
        let declarations: Vec<Value> = request.tools.iter().map(encode_tool).collect();
        put(&mut body, "tools", Some(json!([{"functionDeclarations": declarations}])));
        put(&mut body, "toolConfig", encode_tool_choice(&request.tool_choice));
    }
    let contents = messages.iter().map(encode_message).collect::<Result<Vec<_>, _>>()?;
    put(&mut body, "contents", Some(contents));
    put(&mut body, "generationConfig", Some(generation_config(request)?));
    merge(&mut body, &request.sampling.extra)?;
    Ok(Value::Object(body))
}

fn generation_config(request: &Request) -> Result<Value, PrepareError> {
    let sampling = &request.sampling;
    let mut config = Map::new();
    put(&mut config, "maxOutputTokens", Some(super::max_output_tokens(request)?));
    for (name, value) in [("temperature", sampling.temperature), ("topP", sampling.top_p)] {
        put(&mut config, name, value.map(|value| number(name, value)).transpose()?);
    }
    put(&mut config, "topK", sampling.top_k);
    if !sampling.stop.is_empty() {
        put(&mut config, "stopSequences", Some(sampling.stop.clone()));
    }
    // The field is a signed 32-bit number; a larger seed keeps its lower bits.
    put(&mut config, "seed", sampling.seed.map(|seed| seed & 0x7fff_ffff));
    if let OutputFormat::Json { schema } = &request.output {
        put(&mut config, "responseMimeType", Some("application/json"));
        put(&mut config, "responseJsonSchema", schema.clone());
    }
    if let Some(alternatives) = sampling.logprobs {
        put(&mut config, "responseLogprobs", Some(true));
        put(&mut config, "logprobs", Some(alternatives).filter(|count| *count > 0));
    }
    Ok(Value::Object(config))
}

fn encode_message(message: &Message) -> Result<Value, PrepareError> {
    let role = if message.role == Role::Model { "model" } else { "user" };
    let parts = message.parts.iter().map(encode_part).collect::<Result<Vec<_>, _>>()?;
    Ok(json!({"role": role, "parts": parts}))
}

fn encode_part(part: &Part) -> Result<Value, PrepareError> {
    Ok(match part {
        Part::Text { text } => json!({"text": text}),
        Part::Media { url, content_type } => match Media::read(url, content_type.as_deref())? {
            Media::Inline { mime, base64 } => {
                json!({"inlineData": {"mimeType": mime, "data": base64}})
            }
            Media::Remote { url, mime } => {
                let mut data = Map::new();
                put(&mut data, "mimeType", mime);
                put(&mut data, "fileUri", Some(url));
                json!({"fileData": data})
            }
        },
        Part::ToolCall(call) => {
            let mut function = Map::new();
            put(&mut function, "id", Some(call.id.as_str()).filter(|id| !id.is_empty()));
            put(&mut function, "name", Some(call.name.as_str()));
            put(&mut function, "args", Some(call.arguments.clone()));
            json!({"functionCall": function})
        }
        Part::ToolResult { id, name, output } => {
            let mut function = Map::new();
            put(&mut function, "id", Some(id.as_str()).filter(|id| !id.is_empty()));
            put(&mut function, "name", Some(name.as_str()));
            // The answer has to be an object here.
            let object =
                if output.is_object() { output.clone() } else { json!({"result": output}) };
            put(&mut function, "response", Some(object));
            json!({"functionResponse": function})
        }
    })
}

fn encode_tool(tool: &Tool) -> Value {
    let mut encoded = Map::new();
    put(&mut encoded, "name", Some(tool.name.as_str()));
    put(&mut encoded, "description", tool.description.as_deref());
    put(&mut encoded, "parametersJsonSchema", Some(tool.input_schema.clone()));
    Value::Object(encoded)
}

fn encode_tool_choice(choice: &ToolChoice) -> Option<Value> {
    let config = match choice {
        ToolChoice::Auto => return None,
        ToolChoice::Required => json!({"mode": "ANY"}),
        ToolChoice::None => json!({"mode": "NONE"}),
        ToolChoice::Named { name } => json!({"mode": "ANY", "allowedFunctionNames": [name]}),
    };
    Some(json!({"functionCallingConfig": config}))
}

pub(super) fn decode(document: &Value) -> Result<Reply, Problem> {
    let mut stream = Stream::default();
    stream.event(b"", document.clone())?;
    if !stream.has_candidate && stream.draft.finish.is_none() {
        return Err(Problem::Malformed("there are no `candidates` in it".to_owned()));
    }
    if !stream.ends_by_closing() {
        return Err(Problem::Truncated);
    }
    stream.finish()
}

fn finish_reason(reason: &str) -> FinishReason {
    match reason {
        "STOP" => FinishReason::Complete,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT" => FinishReason::Filtered,
        "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" => {
            FinishReason::MalformedTool
        }
        // Recitation is no judgement on the request, so it is not counted as filtered; the word is
        // kept beside.
        _ => FinishReason::Error,
    }
}

/// A stream of whole responses, each with a piece of the answer and the counts so far. It has no
/// mark of its end: it is complete if it closes after a finish reason.
#[derive(Debug, Default)]
pub(super) struct Stream {
    draft: Draft,
    has_candidate: bool,
}

impl Stream {
    fn take_part(&mut self, part: &Value) -> bool {
        if let Some(call) = member(part, "functionCall") {
            let arguments = Arguments::json(call.get("args"));
            let place = self.draft.next_tool();
            self.draft.put_tool(place, text(call, "/id"), text(call, "/name"), arguments);
            return true;
        }
        let Some(piece) = text(part, "/text") else { return false };
        if part.get("thought") != Some(&Value::Bool(true)) {
            self.draft.text.push_str(piece);
        }
        !piece.is_empty()
    }

    fn take_logprobs(&mut self, result: &Value) {
        let pair = |candidate: &Value| {
            let logprob = candidate.get("logProbability")?.as_f64()?;
            Some((text(candidate, "/token")?.to_owned(), logprob))
        };
        let top = items(result, "/topCandidates");
        for (place, chosen) in items(result, "/chosenCandidates").iter().enumerate() {
            let alternatives = top.get(place).map_or(&[][..], |step| items(step, "/candidates"));
            let top = alternatives.iter().filter_map(pair).collect();
            self.draft.logprobs.extend(pair(chosen).map(|(token, logprob)| TokenLogprob {
                token,
                logprob,
                top,
            }));
        }
    }
}

impl DecodeEvents for Stream {
    fn event(&mut self, _name: &[u8], data: Value) -> Result<Progress, Problem> {
        if let Some(usage) = member(&data, "usageMetadata") {
            self.draft.usage = usage.clone();
        }
        for (slot, pointer) in
            [(&mut self.draft.model, "/modelVersion"), (&mut self.draft.id, "/responseId")]
        {
            if let Some(found) = text(&data, pointer) {
                *slot = Some(found.to_owned());
            }
        }
        if let Some(reason) = text(&data, "/promptFeedback/blockReason") {
            self.draft.keep(&data, &["promptFeedback"]);
            self.draft.stop(FinishReason::Filtered, reason);
        }
        let mut content = false;
        if let Some(candidate) = at(&data, "/candidates/0") {
            self.has_candidate = true;
            for part in items(candidate, "/content/parts") {
                content |= self.take_part(part);
            }
            if let Some(result) = member(candidate, "logprobsResult") {
                self.take_logprobs(result);
            }
            if let Some(reason) = text(candidate, "/finishReason") {
                self.draft.keep(candidate, &["finishMessage"]);
                self.draft.stop(finish_reason(reason), reason);
            }
        }
        Ok(if content { Progress::Content } else { Progress::Lifecycle })
    }

    fn ends_by_closing(&self) -> bool {
        self.draft.finish.is_some()
    }

    fn finish(&mut self) -> Result<Reply, Problem> {
        Ok(std::mem::take(&mut self.draft).into_reply(usage::gemini))
    }

    fn billed(&self) -> Option<Usage> {
        self.draft.finish.and_then(|_| self.draft.billed(usage::gemini))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_cannot_leave_its_place_in_the_path() {
        assert_eq!(path("gemini-2.5-flash", false), "/models/gemini-2.5-flash:generateContent");
        assert_eq!(path("models/x", true), "/models/x:streamGenerateContent?alt=sse");
        assert_eq!(path("tunedModels/mine", false), "/tunedModels/mine:generateContent");
        assert_eq!(
            path("../files?x#y@z", false),
            "/models/%2E%2E/files%3Fx%23y%40z:generateContent"
        );
    }
}
