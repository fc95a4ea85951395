use std::collections::HashMap;

use chat::{FinishReason, Reply, TokenLogprob, ToolCall, Usage};
use serde_json::{Map, Value};

use super::usage::UsageContradiction;

/// How a protocol's usage object is read.
pub(super) type ReadUsage = fn(&Value) -> Result<Option<Usage>, UsageContradiction>;

/// An answer as it is collected, from one document or from the events of a stream.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) text: String,
    pub(super) refusal: Option<String>,
    tool_calls: Vec<ToolDraft>,
    /// Where in `tool_calls` the call of each place of the stream is.
    tool_places: HashMap<u64, usize>,
    pub(super) finish: Option<FinishReason>,
    /// The provider's own usage object.
    pub(super) usage: Value,
    pub(super) model: Option<String>,
    pub(super) id: Option<String>,
    pub(super) logprobs: Vec<TokenLogprob>,
    pub(super) extra: Map<String, Value>,
}

/// A tool call as it is collected; its arguments are text until it is complete.
#[derive(Debug, Default)]
pub(super) struct ToolDraft {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) arguments: Arguments,
}

/// The arguments of a tool call, as providers write them.
#[derive(Debug)]
pub(super) enum Arguments {
    /// A text that should be JSON.
    Text(String),
    /// JSON.
    Json(Value),
}

impl Arguments {
    /// Takes arguments that are JSON; none at all are an empty object.
    pub(super) fn json(value: Option<&Value>) -> Self {
        Self::Json(value.cloned().unwrap_or_else(|| Value::Object(Map::new())))
    }
}

impl Default for Arguments {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl Draft {
    /// Returns the tool call at a place of the stream, making it if it is new.
    pub(super) fn tool(&mut self, index: u64) -> &mut ToolDraft {
        let next = self.tool_calls.len();
        let at = *self.tool_places.entry(index).or_insert(next);
        if at == next {
            self.tool_calls.push(ToolDraft::default());
        }
        &mut self.tool_calls[at]
    }

    /// Puts a tool call at a place, as it is or as it begins.
    pub(super) fn put_tool(
        &mut self,
        index: u64,
        id: Option<&str>,
        name: Option<&str>,
        arguments: Arguments,
    ) {
        let tool = self.tool(index);
        id.unwrap_or_default().clone_into(&mut tool.id);
        name.unwrap_or_default().clone_into(&mut tool.name);
        tool.arguments = arguments;
    }

    /// Returns the place after the last tool call.
    pub(super) fn next_tool(&self) -> u64 {
        self.tool_calls.len() as u64
    }

    /// Adds to what the model says as it declines.
    pub(super) fn refuse(&mut self, text: &str) {
        self.refusal.get_or_insert_default().push_str(text);
    }

    /// Notes why the model stopped; a reason without a place in the normal form is kept in words.
    pub(super) fn stop(&mut self, finish: FinishReason, provider_word: &str) {
        self.finish = Some(finish);
        if matches!(finish, FinishReason::Error | FinishReason::Filtered | FinishReason::Refused) {
            self.extra.insert("finish_reason".to_owned(), provider_word.into());
        }
    }

    /// Keeps members of a document that are worth keeping.
    pub(super) fn keep(&mut self, document: &Value, keys: &[&str]) {
        for key in keys {
            if let Some(value) = super::json::member(document, key) {
                self.extra.insert((*key).to_owned(), value.clone());
            }
        }
    }

    /// Ends the answer.
    ///
    /// A provider that says `stop` beside a tool call or a refusal means the latter. A usage that
    /// contradicts itself leaves `usage` empty and says why in `extra.usage_problem`.
    pub(super) fn into_reply(mut self, read_usage: ReadUsage) -> Reply {
        let usage = read_usage(&self.usage).unwrap_or_else(|problem| {
            self.extra.insert("usage_problem".to_owned(), problem.to_string().into());
            None
        });
        let refusal = self.refusal.filter(|text| !text.is_empty());
        let mut finish = self.finish.unwrap_or(FinishReason::Error);
        if finish == FinishReason::Complete {
            if refusal.is_some() {
                finish = FinishReason::Refused;
            } else if !self.tool_calls.is_empty() {
                finish = FinishReason::ToolUse;
            }
        }
        Reply {
            text: self.text,
            refusal,
            tool_calls: self.tool_calls.into_iter().map(ToolDraft::into_call).collect(),
            finish,
            usage,
            raw_usage: self.usage,
            served_model: self.model,
            request_id: self.id,
            logprobs: self.logprobs,
            extra: if self.extra.is_empty() { Value::Null } else { Value::Object(self.extra) },
        }
    }

    /// Returns the usage that is known so far, if it does not contradict itself.
    pub(super) fn billed(&self, read_usage: ReadUsage) -> Option<Usage> {
        read_usage(&self.usage).ok().flatten()
    }
}

impl ToolDraft {
    /// Adds to the arguments' text.
    pub(super) fn push_arguments(&mut self, more: &str) {
        if more.is_empty() {
            return;
        }
        match &mut self.arguments {
            Arguments::Text(text) => text.push_str(more),
            Arguments::Json(_) => self.arguments = Arguments::Text(more.to_owned()),
        }
    }

    fn into_call(self) -> ToolCall {
        let arguments = match self.arguments {
            Arguments::Json(value) => value,
            Arguments::Text(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        };
        ToolCall { id: self.id, name: self.name, arguments }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tool_calls_keep_the_order_of_their_first_piece_whatever_their_place() {
        let mut draft = Draft::default();
        for (place, piece) in [(7, "1"), (2, "2"), (7, "0"), (u64::MAX, "3"), (2, "0")] {
            draft.tool(place).push_arguments(piece);
        }
        let reply = draft.into_reply(|_| Ok(None));
        let arguments: Vec<_> =
            reply.tool_calls.iter().map(|call| call.arguments.to_string()).collect();
        assert_eq!(arguments, ["10", "20", "3"]);
    }
}
