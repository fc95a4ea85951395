use chat::{Message, OutputFormat, Part, Request, Role, Sampling, ToolChoice};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::PrepareError;

/// The most output tokens when a request sets no limit.
pub const DEFAULT_MAX_OUTPUT_TOKENS: u64 = 256;

/// The most alternatives whose log-probabilities can be asked for.
const MOST_ALTERNATIVES: u8 = 20;

/// What the model is asked, with every parameter: the body of an embedded call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Body {
    pub(super) messages: Vec<Turn>,
    pub(super) max_output_tokens: u64,
    /// 0 is greedy.
    pub(super) temperature: f64,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) top_p: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) top_k: Option<u32>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub(super) stop: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) logprobs: Option<u8>,
    /// The JSON Schema that the answer is held to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) schema: Option<Value>,
}

/// One message, in the words of chat templates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Turn {
    pub(super) role: String,
    pub(super) content: String,
}

impl Body {
    /// Writes a request as a body, with every default filled in.
    pub(super) fn of_request(request: &Request) -> Result<Self, PrepareError> {
        let offers_tools = !request.tools.is_empty() && request.tool_choice != ToolChoice::None;
        if offers_tools
            || matches!(request.tool_choice, ToolChoice::Required | ToolChoice::Named { .. })
        {
            return Err(refuse(
                "the embedded model cannot call tools",
                "use another provider for prompts with tools",
            ));
        }
        if request.messages.is_empty() {
            return Err(refuse(
                "a request needs at least one message",
                "give the prompt a template",
            ));
        }
        let sampling = &request.sampling;
        check_sampling(sampling)?;
        Ok(Self {
            messages: request.messages.iter().map(Turn::of_message).collect::<Result<_, _>>()?,
            max_output_tokens: sampling.max_output_tokens.unwrap_or(DEFAULT_MAX_OUTPUT_TOKENS),
            temperature: sampling.temperature.unwrap_or(0.0),
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            stop: sampling.stop.clone(),
            logprobs: sampling.logprobs,
            schema: match &request.output {
                OutputFormat::Text => None,
                OutputFormat::Json { schema: Some(schema) } => Some(schema.clone()),
                OutputFormat::Json { schema: None } => Some(json!({"type": "object"})),
            },
        })
    }

    /// Tells whether the answer is the likeliest one, without a draw.
    pub(super) fn is_greedy(&self) -> bool {
        self.temperature <= 0.0
    }
}

impl Turn {
    fn of_message(message: &Message) -> Result<Self, PrepareError> {
        let role = match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Model => "assistant",
            Role::Tool => {
                return Err(refuse(
                    "the embedded model cannot read tool results",
                    "use another provider for conversations with tools",
                ));
            }
        };
        if message.parts.iter().any(|part| !matches!(part, Part::Text { .. })) {
            return Err(refuse(
                "the embedded model reads only text",
                "use another provider for images and tool calls",
            ));
        }
        Ok(Self { role: role.to_owned(), content: message.joined_text() })
    }
}

fn check_sampling(sampling: &Sampling) -> Result<(), PrepareError> {
    if let Some(name) = sampling.extra.keys().next() {
        return Err(PrepareError {
            message: format!("the embedded model does not know the parameter `{name}`"),
            hint: Some("remove it from the prompt's config".to_owned()),
        });
    }
    let bad = |name: &str, expected: &str| PrepareError {
        message: format!("`{name}` is out of range for the embedded model"),
        hint: Some(format!("expected {expected}")),
    };
    if sampling.temperature.is_some_and(|t| !(0.0..=100.0).contains(&t)) {
        return Err(bad("temperature", "a number from 0 to 100"));
    }
    if sampling.top_p.is_some_and(|p| !(p > 0.0 && p <= 1.0)) {
        return Err(bad("top_p", "a number above 0 and at most 1"));
    }
    if sampling.top_k == Some(0) {
        return Err(bad("top_k", "at least 1"));
    }
    if sampling.max_output_tokens == Some(0) {
        return Err(bad("max_output_tokens", "at least 1"));
    }
    if sampling.stop.iter().any(String::is_empty) {
        return Err(bad("stop", "strings that are not empty"));
    }
    if sampling.logprobs.is_some_and(|count| count > MOST_ALTERNATIVES) {
        return Err(bad("logprobs", "at most 20 alternatives"));
    }
    Ok(())
}

fn refuse(message: &str, hint: &str) -> PrepareError {
    PrepareError { message: message.to_owned(), hint: Some(hint.to_owned()) }
}

#[cfg(test)]
mod tests {
    use chat::Tool;

    use super::*;

    fn request() -> Request {
        Request {
            model: "embedded/m".parse().unwrap(),
            messages: vec![Message::text(Role::User, "hi")],
            tools: vec![],
            tool_choice: ToolChoice::Auto,
            output: OutputFormat::Text,
            sampling: Sampling::default(),
        }
    }

    #[test]
    fn defaults_are_written_out() {
        let body = Body::of_request(&request()).unwrap();
        assert_eq!(
            serde_json::to_value(&body).unwrap(),
            json!({
                "messages": [{"role": "user", "content": "hi"}],
                "max_output_tokens": 256,
                "temperature": 0.0,
            })
        );
        assert!(body.is_greedy());
    }

    #[test]
    fn a_body_reads_back() {
        let mut request = request();
        request.output = OutputFormat::Json { schema: Some(json!({"type": "string"})) };
        request.sampling.top_p = Some(0.9);
        request.sampling.stop = vec!["\n".to_owned()];
        request.sampling.logprobs = Some(0);
        let body = Body::of_request(&request).unwrap();
        let value = serde_json::to_value(&body).unwrap();
        assert_eq!(serde_json::from_value::<Body>(value).unwrap(), body);
    }

    #[test]
    fn what_cannot_be_expressed_is_refused() {
        let tool = Tool { name: "t".to_owned(), description: None, input_schema: json!({}) };
        let media = Message {
            role: Role::User,
            parts: vec![Part::Media {
                url: "https://a.example/i.png".to_owned(),
                content_type: None,
            }],
        };
        let with = |change: &dyn Fn(&mut Request)| {
            let mut changed = request();
            change(&mut changed);
            Body::of_request(&changed).unwrap_err().message
        };
        assert!(with(&|r| r.tools = vec![tool.clone()]).contains("tools"));
        assert!(with(&|r| r.messages = vec![media.clone()]).contains("only text"));
        assert!(with(&|r| r.messages.clear()).contains("at least one message"));
        assert!(with(&|r| r.sampling.temperature = Some(f64::NAN)).contains("`temperature`"));
        assert!(with(&|r| r.sampling.top_p = Some(0.0)).contains("`top_p`"));
        assert!(with(&|r| r.sampling.stop = vec![String::new()]).contains("`stop`"));
        assert!(
            with(&|r| drop(r.sampling.extra.insert("min_p".to_owned(), json!(0.1))))
                .contains("`min_p`")
        );
    }
}
