//! The wire protocols: requests into JSON, answers out of bytes. Pure, without a clock or a socket.
//!
//! One module per protocol. A stream is decoded in two steps: [`Frames`] cuts bytes into events,
//! [`StreamDecoder`] makes an answer of them. An answer is complete or there is none: what broke
//! off, what the provider reports as an error inside a 200, and what cannot be read are
//! [`DecodeError`]s, never a short [`Reply`].

mod anthropic;
mod decisions;
mod draft;
mod frames;
mod gemini;
mod json;
mod media;
mod ollama;
mod openai_chat;
mod openai_responses;
mod reported;
mod usage;

use catalog::MaxTokensParameter;
use chat::{Message, Part, Protocol, Reply, Request, Role, Usage};
use serde_json::Value;

pub use frames::{Frame, FrameTooLarge, Frames, Syntax};
pub use reported::Reported;
pub(crate) use reported::millis;
pub use usage::UsageContradiction;

use crate::PrepareError;
use decisions::Contract;

/// The version of what this module makes of a request. It is part of the cache's key, so it grows
/// with every change that alters a body.
pub const ADAPTER_VERSION: u32 = 1;

/// What a provider's settings say about the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WireOptions {
    /// Whether the answer comes as a stream.
    pub stream: bool,
    /// How Chat Completions spells the maximum of output tokens.
    ///
    /// A server silently ignores the spelling that it does not know, and a cap that is ignored caps
    /// nothing: OpenAI wants the new name, Ollama's `/v1` and many others know only the old one.
    pub max_tokens_parameter: MaxTokensParameter,
}

/// Why bytes are not a complete answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct DecodeError {
    /// What is wrong.
    pub problem: Problem,
    /// What the provider says it counted, where it had said so before the end.
    pub billed: Option<Usage>,
}

/// What is wrong with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It ended before the protocol's own end.
    #[error("the answer broke off before its end")]
    Truncated,
    /// It is not what the protocol promises.
    #[error("the answer cannot be read: {0}")]
    Malformed(String),
    /// The provider reports an error, although it answered 200.
    #[error("the provider reports: {}", .0.message)]
    Reported(Box<Reported>),
}

impl From<Problem> for DecodeError {
    fn from(problem: Problem) -> Self {
        Self { problem, billed: None }
    }
}

/// What an event brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Nothing of the answer yet: a greeting, a ping, a count.
    Lifecycle,
    /// A piece of the answer, or of the reasoning before it.
    Content,
    /// The protocol's end. The answer is complete.
    End,
}

/// Returns the body of a request.
///
/// # Errors
/// [`PrepareError`] if the protocol cannot express the request, or if it names no maximum of output
/// tokens: a call without one has no bound on its cost.
pub fn encode(
    protocol: Protocol,
    request: &Request,
    options: WireOptions,
) -> Result<Value, PrepareError> {
    match protocol {
        Protocol::OpenaiChat => openai_chat::encode(request, options),
        Protocol::OpenaiResponses => openai_responses::encode(request, options),
        Protocol::Anthropic => anthropic::encode(request, options),
        Protocol::Gemini => gemini::encode(request),
        Protocol::Ollama => ollama::encode(request, options),
        Protocol::OpenaiDecisions => decisions::encode(request, Contract::Openai),
        Protocol::SystemOne | Protocol::SystemOneDecisions => {
            decisions::encode(request, Contract::SystemOne)
        }
        other => Err(not_a_wire(other)),
    }
}

/// Returns where a request goes, below the base URL, with its query.
///
/// # Errors
/// [`PrepareError`] for what is no wire protocol.
pub fn path(protocol: Protocol, model: &str, stream: bool) -> Result<String, PrepareError> {
    match protocol {
        Protocol::OpenaiChat => Ok("/chat/completions".to_owned()),
        Protocol::OpenaiResponses => Ok("/responses".to_owned()),
        Protocol::Anthropic => Ok("/messages".to_owned()),
        Protocol::Gemini => Ok(gemini::path(model, stream)),
        Protocol::Ollama => Ok("/chat".to_owned()),
        Protocol::OpenaiDecisions | Protocol::SystemOneDecisions => Ok("/decisions".to_owned()),
        Protocol::SystemOne => Ok("/systemone".to_owned()),
        other => Err(not_a_wire(other)),
    }
}

/// Tells whether a call asks for its answer as a stream.
pub fn is_stream(call: &run::Call) -> bool {
    let in_path = match &call.endpoint {
        run::Endpoint::Remote { path, .. } => path.contains(":streamGenerateContent"),
        _ => false,
    };
    in_path || call.body.get("stream") == Some(&Value::Bool(true))
}

/// Reads an answer that is one JSON document.
///
/// # Errors
/// [`DecodeError`] if it is not a complete answer.
pub fn decode(protocol: Protocol, body: &[u8]) -> Result<Reply, DecodeError> {
    let document = parse(body)?;
    if protocol == Protocol::OpenaiResponses {
        // A response that failed may have been billed, and says so beside its error.
        return openai_responses::decode(&document);
    }
    if let Some(reported) = Reported::from_json(&document) {
        return Err(Problem::Reported(Box::new(reported)).into());
    }
    match protocol {
        Protocol::OpenaiChat => openai_chat::decode(document),
        Protocol::Anthropic => Ok(anthropic::decode(&document)?),
        Protocol::Gemini => Ok(gemini::decode(&document)?),
        Protocol::Ollama => Ok(ollama::decode(&document)?),
        Protocol::OpenaiDecisions => Ok(decisions::decode(&document, Contract::Openai)?),
        Protocol::SystemOne | Protocol::SystemOneDecisions => {
            Ok(decisions::decode(&document, Contract::SystemOne)?)
        }
        other => Err(Problem::Malformed(not_a_wire(other).message).into()),
    }
}

/// Reads an answer that comes as a stream.
pub struct StreamDecoder {
    events: Box<dyn DecodeEvents>,
    ended: bool,
}

/// What each protocol does with its events.
trait DecodeEvents: Send {
    /// Takes one event, already parsed.
    fn event(&mut self, name: &[u8], data: Value) -> Result<Progress, Problem>;
    /// Takes an event that is not JSON; `true` if it ends the stream.
    fn is_end_mark(&self, _data: &[u8]) -> bool {
        false
    }
    /// Tells whether the answer is complete if the stream closes now, for a protocol without an end
    /// mark.
    fn ends_by_closing(&self) -> bool {
        false
    }
    /// Ends the answer; only called after the protocol's end.
    fn finish(&mut self) -> Result<Reply, Problem>;
    /// Returns the final usage, if the stream has told it.
    fn billed(&self) -> Option<Usage>;
}

impl StreamDecoder {
    /// Makes a decoder for a protocol, `None` for what has no streams.
    pub fn new(protocol: Protocol) -> Option<Self> {
        let events: Box<dyn DecodeEvents> = match protocol {
            Protocol::OpenaiChat => Box::new(openai_chat::Stream::default()),
            Protocol::OpenaiResponses => Box::new(openai_responses::Stream::default()),
            Protocol::Anthropic => Box::new(anthropic::Stream::default()),
            Protocol::Gemini => Box::new(gemini::Stream::default()),
            Protocol::Ollama => Box::new(ollama::Stream::default()),
            _ => return None,
        };
        Some(Self { events, ended: false })
    }

    /// Takes the next event. Events after the end are ignored.
    ///
    /// # Errors
    /// [`DecodeError`] if it cannot be read, or reports an error.
    pub fn push(&mut self, frame: Frame<'_>) -> Result<Progress, DecodeError> {
        if self.ended {
            return Ok(Progress::End);
        }
        let progress = self.step(frame);
        self.ended = matches!(progress, Ok(Progress::End));
        progress.map_err(|problem| self.error(problem))
    }

    fn step(&mut self, frame: Frame<'_>) -> Result<Progress, Problem> {
        if self.events.is_end_mark(frame.data) {
            return Ok(Progress::End);
        }
        let data = parse(frame.data)?;
        if let Some(reported) = Reported::from_json(&data) {
            return Err(Problem::Reported(Box::new(reported)));
        }
        self.events.event(frame.name, data)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`DecodeError`] if the protocol's end was never seen.
    pub fn finish(mut self) -> Result<Reply, DecodeError> {
        if !self.ended && !self.events.ends_by_closing() {
            return Err(self.error(Problem::Truncated));
        }
        self.events.finish().map_err(|problem| self.error(problem))
    }

    /// Returns what the provider says it counted, once that is final.
    pub fn billed(&self) -> Option<Usage> {
        self.events.billed()
    }

    fn error(&self, problem: Problem) -> DecodeError {
        DecodeError { problem, billed: self.events.billed() }
    }
}

fn parse(bytes: &[u8]) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Eof => Problem::Truncated,
        _ => Problem::Malformed(format!("not JSON: {error}")),
    })
}

fn not_a_wire(protocol: Protocol) -> PrepareError {
    json::refuse(format!("`{protocol}` is not a protocol over HTTP for models"), None)
}

/// Returns the maximum of output tokens.
fn max_output_tokens(request: &Request) -> Result<u64, PrepareError> {
    request.sampling.max_output_tokens.filter(|most| *most > 0).ok_or_else(|| {
        json::refuse(
            "the request has no maximum of output tokens, so its cost has no bound",
            Some("set `maxOutputTokens` in the prompt's config"),
        )
    })
}

/// Takes the system messages off the front, for protocols that know them only there.
///
/// # Errors
/// [`PrepareError`] if one stands later, or holds more than text: moving it would change what is said.
fn split_system(request: &Request) -> Result<(Vec<&str>, &[Message]), PrepareError> {
    let split = request.messages.iter().take_while(|message| message.role == Role::System).count();
    let (system, rest) = request.messages.split_at(split);
    if rest.iter().any(|message| message.role == Role::System) {
        return Err(json::refuse(
            "this protocol takes system messages only before all others",
            Some("move the prompt's `{{role \"system\"}}` to its start"),
        ));
    }
    let texts = system.iter().flat_map(|message| &message.parts).map(|part| match part {
        Part::Text { text } => Ok(text.as_str()),
        _ => Err(json::refuse("this protocol takes only text in system messages", None)),
    });
    Ok((texts.collect::<Result<_, _>>()?, rest))
}
