use std::time::Duration;

use bytes::Bytes;
use chat::Protocol;
use hyper::{HeaderMap, Method, Uri};
use serde_json::Value;

/// Which server of a protocol's family this one plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// The vendor's own.
    #[default]
    Vendor,
    /// Ollama's `/v1`: `max_completion_tokens` is ignored and only `max_tokens` caps; usage has no
    /// details.
    OllamaV1,
}

/// A request as it arrived.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    /// The number of the request at this server, from 0.
    pub number: u64,
    /// What its path speaks; `None` for any other path.
    pub protocol: Option<Protocol>,
    /// The method.
    pub method: Method,
    /// The path and query; of a request meant for a proxy, the whole address.
    pub uri: Uri,
    /// All headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
    /// The body as JSON, `Null` if it is none.
    pub json: Value,
    /// The family member that this server plays.
    pub dialect: Dialect,
    /// When it was read, counted from the server's start.
    pub at: Duration,
}

impl SeenRequest {
    /// Returns the path without its query.
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// Returns a header's text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Tells whether the client asked for a stream.
    pub fn streams(&self) -> bool {
        match self.protocol {
            Some(Protocol::Gemini) => self.path().ends_with(":streamGenerateContent"),
            // Ollama's own interface streams unless told otherwise.
            Some(Protocol::Ollama) => self.json["stream"].as_bool().unwrap_or(true),
            _ => self.json["stream"].as_bool().unwrap_or(false),
        }
    }

    /// Returns the model that is asked for, empty if none is named.
    pub fn model(&self) -> &str {
        if self.protocol == Some(Protocol::Gemini) {
            let name = self.path().rsplit('/').next().unwrap_or_default();
            return name.split(':').next().unwrap_or_default();
        }
        self.json["model"].as_str().unwrap_or_default()
    }

    /// Returns the most output tokens, by the parameter that this protocol and dialect honour.
    pub fn max_output_tokens(&self) -> Option<u64> {
        let body = &self.json;
        match (self.protocol?, self.dialect) {
            (Protocol::OpenaiChat, Dialect::OllamaV1) | (Protocol::Anthropic, _) => {
                body["max_tokens"].as_u64()
            }
            (Protocol::OpenaiChat, Dialect::Vendor) => {
                body["max_completion_tokens"].as_u64().or_else(|| body["max_tokens"].as_u64())
            }
            (Protocol::OpenaiResponses, _) => body["max_output_tokens"].as_u64(),
            (Protocol::Gemini, _) => body["generationConfig"]["maxOutputTokens"].as_u64(),
            (Protocol::Ollama, _) => body["options"]["num_predict"].as_u64(),
            _ => None,
        }
    }

    /// Returns every text that the conversation holds, in the body's order.
    pub fn texts(&self) -> Vec<&str> {
        let keys: &[&str] = match self.protocol {
            Some(Protocol::OpenaiResponses) => &["instructions", "input"],
            Some(Protocol::Gemini) => &["systemInstruction", "system_instruction", "contents"],
            _ => &["system", "messages"],
        };
        let mut texts = Vec::new();
        for key in keys {
            collect_texts(&self.json[*key], &mut texts);
        }
        texts
    }

    /// Returns the last text of the conversation, empty if there is none.
    pub fn last_text(&self) -> &str {
        self.texts().last().copied().unwrap_or_default()
    }
}

/// A string under `text`, `content`, `input` or `parts` is said; roles, ids and schemas are not.
fn collect_texts<'a>(value: &'a Value, texts: &mut Vec<&'a str>) {
    match value {
        Value::String(text) => texts.push(text),
        Value::Array(items) => items.iter().for_each(|item| collect_texts(item, texts)),
        Value::Object(fields) => {
            for key in ["text", "content", "parts"] {
                if let Some(inner) = fields.get(key) {
                    collect_texts(inner, texts);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Returns what a path speaks, whatever prefix stands before it.
pub(crate) fn protocol_of(method: &Method, path: &str) -> Option<Protocol> {
    if method != Method::POST {
        return None;
    }
    let endings = [
        ("/chat/completions", Protocol::OpenaiChat),
        ("/responses", Protocol::OpenaiResponses),
        ("/messages", Protocol::Anthropic),
        (":generateContent", Protocol::Gemini),
        (":streamGenerateContent", Protocol::Gemini),
        ("/api/chat", Protocol::Ollama),
    ];
    endings.into_iter().find(|(ending, _)| path.ends_with(ending)).map(|(_, protocol)| protocol)
}
