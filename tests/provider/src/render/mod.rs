//! The protocols as the vendors document them, from the server's side.

mod anthropic;
mod gemini;
mod ollama;
mod openai_chat;
mod openai_responses;

use bytes::Bytes;
use chat::{Protocol, Usage};
use serde_json::{Value, json};

use crate::answer::{Answer, Report, Settled};
use crate::behaviour::Delivery;
use crate::{SeenRequest, tokens};

/// One protocol, from the server's side.
pub(crate) trait Renderer: Sync {
    /// Returns why the vendor would refuse this request with a 400, if it would.
    fn refusal(&self, seen: &SeenRequest) -> Option<String>;
    /// Writes the answer as one document.
    fn whole(&self, seen: &SeenRequest, settled: &Settled) -> Value;
    /// Writes the answer as frames of a stream, of which the last says that it is whole.
    fn frames(&self, seen: &SeenRequest, settled: &Settled) -> Vec<Bytes>;
    /// Writes the error that a stream of status 200 can still end in.
    fn error_frame(&self, kind: &str, message: &str) -> Bytes;
    /// Returns the content type of a stream.
    fn stream_type(&self) -> &'static str;
}

/// An answer as bytes.
pub(crate) struct Written {
    pub(crate) content_type: &'static str,
    pub(crate) frames: Vec<Bytes>,
}

pub(crate) fn of(protocol: Protocol) -> Option<&'static dyn Renderer> {
    Some(match protocol {
        Protocol::OpenaiChat => &openai_chat::OpenaiChat,
        Protocol::OpenaiResponses => &openai_responses::OpenaiResponses,
        Protocol::Anthropic => &anthropic::Anthropic,
        Protocol::Gemini => &gemini::Gemini,
        Protocol::Ollama => &ollama::Ollama,
        // Two contracts share a path: a script answers decisions with raw JSON.
        Protocol::OpenaiDecisions
        | Protocol::SystemOne
        | Protocol::SystemOneDecisions
        | Protocol::Embedded
        | Protocol::HttpTarget
        | Protocol::ProgramTarget => return None,
    })
}

pub(crate) fn written(
    renderer: &dyn Renderer,
    seen: &SeenRequest,
    settled: &Settled,
    delivery: &Delivery,
) -> Written {
    if !seen.streams() {
        let body = renderer.whole(seen, settled).to_string();
        return Written { content_type: "application/json", frames: vec![body.into()] };
    }
    let mut frames = renderer.frames(seen, settled);
    if delivery.drops_terminal {
        frames.pop();
    }
    if let Some(error) = &delivery.stream_error {
        frames.truncate(error.after_frames);
        frames.push(renderer.error_frame(&error.kind, &error.message));
    }
    Written { content_type: renderer.stream_type(), frames }
}

/// Returns the start of a stream that never ends, and the frame that it repeats.
pub(crate) fn endless(seen: &SeenRequest) -> (Bytes, Bytes) {
    let text = "and so on ".repeat(400);
    let settled = Settled { answer: Answer::text(text), usage: Usage::default() };
    let Some(renderer) = seen.protocol.and_then(of) else {
        return (Bytes::new(), Bytes::from(settled.answer.text));
    };
    let frames = renderer.frames(seen, &settled);
    let middle = frames.len() / 2;
    let (first, rest) = frames.split_at(middle);
    (first.concat().into(), rest[0].clone())
}

/// Writes the error object of the protocol; without a `kind` (empty), the vendor's usual one for
/// the status.
pub(crate) fn error_body(seen: &SeenRequest, status: u16, kind: &str, message: &str) -> Bytes {
    let body = match seen.protocol {
        Some(Protocol::Anthropic) => {
            let kind = if kind.is_empty() { anthropic::error_type(status) } else { kind };
            json!({
                "type": "error",
                "error": {"type": kind, "message": message},
                "request_id": format!("req_{}", seen.number),
            })
        }
        Some(Protocol::Gemini) => {
            let kind = if kind.is_empty() { gemini::error_status(status) } else { kind };
            json!({"error": {"code": status, "message": message, "status": kind, "details": []}})
        }
        Some(Protocol::Ollama) => json!({"error": message}),
        _ => {
            let kind = if kind.is_empty() { openai_chat::error_type(status) } else { kind };
            json!({"error": {"message": message, "type": kind, "param": null, "code": kind}})
        }
    };
    Bytes::from(body.to_string())
}

/// Returns the usage object to send, if any is sent.
fn reported(settled: &Settled, write: impl Fn(&Usage) -> Value) -> Option<Value> {
    match &settled.answer.report {
        Report::Truth => Some(write(&settled.usage)),
        Report::Missing => None,
        Report::Wrong(usage) => Some(write(usage)),
        Report::Raw(value) => Some(value.clone()),
    }
}

/// Returns the model that the response names.
fn served(seen: &SeenRequest, settled: &Settled) -> String {
    settled.answer.served_model.clone().unwrap_or_else(|| seen.model().to_owned())
}

/// Cuts a text into the pieces of a stream: a token each, or more of them if there are very many.
fn pieces(text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let size = tokens.len().div_ceil(256).max(1);
    tokens.chunks(size).map(<[&str]>::concat).collect()
}

/// Returns the log-probability that this server gives to the n-th token.
fn logprob(index: usize) -> f64 {
    -0.125 * ((index % 8) as f64 + 1.0)
}

/// Writes a frame of an event stream.
fn event(name: Option<&str>, data: &Value) -> Bytes {
    let name = name.map_or_else(String::new, |name| format!("event: {name}\n"));
    Bytes::from(format!("{name}data: {data}\n\n"))
}
