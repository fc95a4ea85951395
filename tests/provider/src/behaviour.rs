use std::time::Duration;

use bytes::Bytes;
use chat::Usage;
use serde_json::Value;

use crate::{Answer, Gate, SeenRequest};

/// What the server does with one request: what it answers, and how badly it delivers it.
#[derive(Debug, Clone)]
pub struct Behaviour {
    pub(crate) kind: Kind,
    pub(crate) bill: Option<Usage>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) echoes_headers: bool,
    pub(crate) gate: Option<Gate>,
    pub(crate) delay: Duration,
    pub(crate) delivery: Delivery,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Answer(Box<Answer>),
    Refuse { status: u16, kind: String, message: String },
    Raw { status: u16, content_type: String, frames: Vec<Bytes> },
    Endless,
    Reset,
}

/// How the bytes of a body reach the client.
#[derive(Debug, Clone, Default)]
pub(crate) struct Delivery {
    pub(crate) stream_error: Option<StreamError>,
    pub(crate) drops_terminal: bool,
    pub(crate) cut: Option<(usize, Ending)>,
    pub(crate) chunk_bytes: Option<usize>,
    pub(crate) splits: Vec<usize>,
    pub(crate) stall: Option<(usize, Gate)>,
    pub(crate) pace: Duration,
}

#[derive(Debug, Clone)]
pub(crate) struct StreamError {
    pub(crate) after_frames: usize,
    pub(crate) kind: String,
    pub(crate) message: String,
}

/// How a body that was cut ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// As if it were whole: HTTP says that this was all.
    Clean,
    /// The connection is closed (FIN) in the middle of the HTTP message.
    Closed,
    /// The connection is reset (RST) in the middle of the HTTP message.
    Reset,
}

/// # What is answered
impl Behaviour {
    fn new(kind: Kind) -> Self {
        Self {
            kind,
            bill: None,
            headers: Vec::new(),
            echoes_headers: false,
            gate: None,
            delay: Duration::ZERO,
            delivery: Delivery::default(),
        }
    }

    /// Answers as the request's protocol promises, streaming if the request says so. The tokens
    /// are billed when the request arrives, whether or not the client waits for them.
    pub fn answer(answer: Answer) -> Self {
        Self::new(Kind::Answer(Box::new(answer)))
    }

    /// Answers a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::answer(Answer::text(text))
    }

    /// Answers [`Answer::echo`].
    pub fn echo(request: &SeenRequest) -> Self {
        Self::answer(Answer::echo(request))
    }

    /// Refuses with a status and the protocol's error object. `kind` is the vendor's error type
    /// (`insufficient_quota`, `overloaded_error`); empty, its usual one for the status. Nothing is
    /// billed.
    pub fn refuse(status: u16, kind: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Kind::Refuse { status, kind: kind.into(), message: message.into() })
    }

    /// Refuses with 429, with a `retry-after` header of this text if there is one.
    pub fn rate_limited(retry_after: Option<&str>) -> Self {
        let refusal = Self::refuse(429, "", "slow down");
        match retry_after {
            Some(text) => refusal.header("retry-after", text),
            None => refusal,
        }
    }

    /// Refuses with the 429 that no waiting clears.
    pub fn quota_exhausted() -> Self {
        Self::refuse(429, "insufficient_quota", "you exceeded your current quota")
    }

    /// Refuses with 529, as Anthropic does when overloaded.
    pub fn overloaded() -> Self {
        Self::refuse(529, "", "overloaded")
    }

    /// Fails with a 5xx.
    pub fn server_error(status: u16) -> Self {
        Self::refuse(status, "", "the server had an error")
    }

    /// Redirects to another address.
    pub fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::raw(status, "text/plain", "").header("location", location)
    }

    /// Answers exactly this body. Nothing is billed unless [`billing`](Self::billing) says so.
    pub fn raw(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let frames = vec![body.into()];
        Self::new(Kind::Raw { status, content_type: content_type.to_owned(), frames })
    }

    /// Answers exactly this JSON.
    pub fn json(status: u16, body: &Value) -> Self {
        Self::raw(status, "application/json", body.to_string())
    }

    /// Answers status 200 and exactly these frames of an event stream, each sent on its own.
    pub fn events<F: Into<Bytes>>(frames: impl IntoIterator<Item = F>) -> Self {
        let frames = frames.into_iter().map(Into::into).collect();
        Self::new(Kind::Raw { status: 200, content_type: "text/event-stream".to_owned(), frames })
    }

    /// Answers 200 and something that is neither JSON nor an event.
    pub fn garbage() -> Self {
        Self::raw(200, "application/json", "{\"choices\": [{\"mess")
    }

    /// Streams text for as long as the client reads.
    pub fn endless() -> Self {
        Self::new(Kind::Endless)
    }

    /// Resets the connection (RST) before the first byte of a response.
    pub fn reset() -> Self {
        Self::new(Kind::Reset)
    }
}

/// # How it is delivered
impl Behaviour {
    /// Bills this, whatever is answered.
    #[must_use]
    pub fn billing(mut self, usage: Usage) -> Self {
        self.bill = Some(usage);
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// Sends every request header back as a response header of the same name and inside
    /// `x-echo-NAME`, the credentials included.
    #[must_use]
    pub fn echoing_headers(mut self) -> Self {
        self.echoes_headers = true;
        self
    }

    /// Sends nothing, not even headers, until the gate opens.
    #[must_use]
    pub fn after(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Takes this long until the headers.
    #[must_use]
    pub fn delayed(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Waits this long before each frame of the body.
    #[must_use]
    pub fn paced(mut self, pace: Duration) -> Self {
        self.delivery.pace = pace;
        self
    }

    /// Sends `bytes` bytes of the body and then nothing until the gate opens.
    #[must_use]
    pub fn stalling_at(mut self, bytes: usize, gate: &Gate) -> Self {
        self.delivery.stall = Some((bytes, gate.clone()));
        self
    }

    /// Ends the body after `bytes` bytes.
    #[must_use]
    pub fn cut_at(mut self, bytes: usize, ending: Ending) -> Self {
        self.delivery.cut = Some((bytes, ending));
        self
    }

    /// Leaves out the event that says that a stream is whole (`[DONE]`, `message_stop`,
    /// `response.completed`, `done: true`, Gemini's finish reason) and ends cleanly.
    #[must_use]
    pub fn without_terminal_event(mut self) -> Self {
        self.delivery.drops_terminal = true;
        self
    }

    /// Sends the body in chunks of this many bytes, so that characters and lines are split.
    #[must_use]
    pub fn in_chunks_of(mut self, bytes: usize) -> Self {
        self.delivery.chunk_bytes = Some(bytes.max(1));
        self
    }

    /// Starts a new chunk at each of these bytes of the body.
    #[must_use]
    pub fn split_at(mut self, bytes: impl IntoIterator<Item = usize>) -> Self {
        self.delivery.splits.extend(bytes);
        self
    }

    /// Sends `frames` frames of a stream and then the protocol's error event, with status 200.
    #[must_use]
    pub fn failing_in_stream(
        mut self,
        frames: usize,
        kind: impl Into<String>,
        message: impl Into<String>,
    ) -> Self {
        self.delivery.stream_error =
            Some(StreamError { after_frames: frames, kind: kind.into(), message: message.into() });
        self
    }
}

/// Returns a script that gives the n-th request the n-th behaviour, and echoes after the last.
pub fn plan(
    behaviours: impl IntoIterator<Item = Behaviour>,
) -> impl Fn(&SeenRequest) -> Behaviour + Send + Sync + 'static {
    let behaviours: Vec<Behaviour> = behaviours.into_iter().collect();
    move |request| {
        let number = usize::try_from(request.number).unwrap_or(usize::MAX);
        behaviours.get(number).cloned().unwrap_or_else(|| Behaviour::echo(request))
    }
}
