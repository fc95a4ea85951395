use serde::{Deserialize, Serialize};
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reply {
    /// The visible text, empty if the model only called tools or declined.
    pub text: String,
    /// What the model said when it declined.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refusal: Option<String>,
    /// The tools that the model asks for.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub tool_calls: Vec<ToolCall>,
    /// Why it stopped.
    pub finish: FinishReason,
    /// What it counted, absent where the provider gave no usage.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub usage: Option<Usage>,
    /// The provider's own usage object, unchanged.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub raw_usage: Value,
    /// The model that answered, as the provider names it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub served_model: Option<String>,
    /// The provider's request id, for its support.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// Log-probabilities of the output tokens, where asked for and given.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub logprobs: Vec<TokenLogprob>,
    /// Anything else worth keeping: a target's retrieved documents, a server's returned settings.
    #[serde(skip_serializing_if = "Value::is_null", default)]
    pub extra: Value,
}
