use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::Usage;

/// Why a model stopped, in one normal form for all providers.
///
/// `Length`, `Paused`, `ContextExceeded`, `MalformedTool` and `Error` are never scored as a wrong
/// answer without saying so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// The model ended its answer.
    Complete,
    /// The token limit cut the answer.
    Length,
    /// The model asks for a tool.
    ToolUse,
    /// A stop string ended the answer.
    StopSequence,
    /// The model declined.
    Refused,
    /// The provider's filter withheld the prompt or the answer.
    Filtered,
    /// The provider asks to be called again to go on.
    Paused,
    /// The context window is full.
    ContextExceeded,
    /// The model's tool call could not be read.
    MalformedTool,
    /// The provider ended the answer with a failure of its own.
    Error,
}

/// A call of a tool that a model asks for. Its arguments are data; nothing here runs them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The provider's id of the call, empty where it gives none.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments; a string that is not JSON is kept as a string.
    pub arguments: Value,
}

/// The log-probability of one output token, with the alternatives where the provider gives them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TokenLogprob {
    /// The token's text.
    pub token: String,
    /// Its natural logarithm of probability, at most 0.
    pub logprob: f64,
    /// The likeliest tokens at this place, likeliest first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub top: Vec<(String, f64)>,
}

/// A complete answer of a model or a target.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Reply {
    /// The visible text, empty if the model only called tools or declined.
    pub text: String,
    /// What the model said when it declined.
    #[serde(default)]
    pub refusal: Option<String>,
    /// The tools that the model asks for.
    #[serde(default)]
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: FinishReason,
    /// What it counted, absent where the provider gave no usage.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// The provider's own usage object, unchanged.
    #[serde(default)]
    pub raw_usage: Value,
    /// The model that answered, as the provider names it.
    #[serde(default)]
    pub served_model: Option<String>,
    /// The provider's request id, for its support.
    #[serde(default)]
    pub request_id: Option<String>,
    /// Log-probabilities of the output tokens, where asked for and given.
    #[serde(default)]
    pub logprobs: Vec<TokenLogprob>,
    /// Anything else worth keeping: a target's retrieved documents, a server's returned settings.
    #[serde(default)]
    pub extra: Value,
}

/// A reply that is written with its text left empty, for whoever keeps the text elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct WithoutText<'a>(pub &'a Reply);

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields::of(self, &self.text).serialize(serializer)
    }
}

impl Serialize for WithoutText<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields::of(self.0, "").serialize(serializer)
    }
}

/// What is written of a reply: all its fields, in their order.
#[derive(Serialize)]
struct Fields<'a> {
    text: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    tool_calls: &'a [ToolCall],
    finish: FinishReason,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    #[serde(skip_serializing_if = "Value::is_null")]
    raw_usage: &'a Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    served_model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    logprobs: &'a [TokenLogprob],
    #[serde(skip_serializing_if = "Value::is_null")]
    extra: &'a Value,
}

impl<'a> Fields<'a> {
    fn of(reply: &'a Reply, text: &'a str) -> Self {
        let Reply { refusal, tool_calls, finish, usage, raw_usage, .. } = reply;
        let Reply { served_model, request_id, logprobs, extra, .. } = reply;
        Self {
            text,
            refusal: refusal.as_deref(),
            tool_calls,
            finish: *finish,
            usage: *usage,
            raw_usage,
            served_model: served_model.as_deref(),
            request_id: request_id.as_deref(),
            logprobs,
            extra,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn full() -> Reply {
        Reply {
            text: "yes".to_owned(),
            refusal: Some("no".to_owned()),
            tool_calls: vec![ToolCall {
                id: "1".to_owned(),
                name: "find".to_owned(),
                arguments: json!({"a": 1}),
            }],
            finish: FinishReason::ToolUse,
            usage: Some(Usage { output_visible: 3, ..Usage::default() }),
            raw_usage: json!({"completion_tokens": 3}),
            served_model: Some("m-1".to_owned()),
            request_id: Some("r-1".to_owned()),
            logprobs: vec![TokenLogprob { token: "y".to_owned(), logprob: -0.5, top: Vec::new() }],
            extra: json!({"documents": []}),
        }
    }

    #[test]
    fn every_field_is_written_and_read_again() {
        let text = serde_json::to_string(&full()).unwrap();
        assert_eq!(serde_json::from_str::<Reply>(&text).unwrap(), full());
        let least = r#"{"text":"","finish":"complete"}"#;
        let read: Reply = serde_json::from_str(least).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), least);
    }

    #[test]
    fn without_its_text_only_that_is_missing() {
        let textless = Reply { text: String::new(), ..full() };
        let text = serde_json::to_string(&WithoutText(&full())).unwrap();
        assert_eq!(text, serde_json::to_string(&textless).unwrap());
    }
}
