use std::time::Duration;

use bytes::Bytes;
use chat::{Protocol, Reply};
use reqwest::Response;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use run::{Answer, AnswerSource, Failure};
use tokio::time::{Instant, timeout, timeout_at};

use super::{failure, headers};
use crate::RateHints;
use crate::wire::{self, Frames, Progress, StreamDecoder, Syntax};

/// The most of an error's body that is read, in bytes.
pub(super) const ERROR_BYTES: usize = 64 << 10;

/// How long a finished stream may take to close. Reading its end keeps the connection usable; a
/// server that does not close costs a connection, not time.
const DRAIN: Duration = Duration::from_millis(100);

/// One request and its response. Dropping the future closes the connection.
pub(super) struct Exchange<'a> {
    pub(super) client: &'a reqwest::Client,
    pub(super) protocol: Protocol,
    /// Whether a stream was asked for.
    pub(super) stream: bool,
    pub(super) first_token: Duration,
    pub(super) max_bytes: usize,
    pub(super) started: Instant,
    pub(super) rate: &'a mut RateHints,
}

impl Exchange<'_> {
    pub(super) async fn run(self, request: reqwest::Request) -> Result<Box<Answer>, Box<Failure>> {
        let sending = self.client.execute(request);
        let sent = if self.stream {
            timeout_at(self.started + self.first_token, sending)
                .await
                .map_err(|_| self.no_first_token())?
        } else {
            sending.await
        };
        let mut response = sent.map_err(|error| failure::of_transport(&error))?;
        let status = response.status().as_u16();
        *self.rate = headers::rate_hints(response.headers());
        if !response.status().is_success() {
            // What can be read of the body explains the status; the status stands without it.
            let body = read_up_to(&mut response, ERROR_BYTES).await;
            return Err(failure::of_status(status, response.headers(), &body));
        }
        let outcome = match self.syntax(response.headers()) {
            Some(syntax) => self.read_stream(&mut response, syntax).await,
            None => self.read_document(&mut response).await,
        };
        let id = headers::request_id(response.headers());
        outcome
            .map(|mut answer| {
                answer.reply.request_id = id.clone().or(answer.reply.request_id);
                Box::new(answer)
            })
            .map_err(|mut failure| {
                failure.status = Some(status);
                failure.request_id = failure.request_id.take().or(id);
                failure
            })
    }

    /// Returns how the response is cut into events, `None` if it is one document. What the server
    /// says counts; what was asked for decides where it says nothing known.
    fn syntax(&self, headers: &HeaderMap) -> Option<Syntax> {
        // Decisions are never a stream, whatever the server calls them.
        if self.protocol.is_decision() {
            return None;
        }
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("");
        match kind.split(';').next().unwrap_or("").trim().to_ascii_lowercase().as_str() {
            "text/event-stream" => Some(Syntax::ServerSentEvents),
            "application/x-ndjson" | "application/jsonl" => Some(Syntax::JsonLines),
            "application/json" => None,
            _ if !self.stream => None,
            _ if self.protocol == Protocol::Ollama => Some(Syntax::JsonLines),
            _ => Some(Syntax::ServerSentEvents),
        }
    }

    async fn read_document(&self, response: &mut Response) -> Result<Answer, Box<Failure>> {
        let body = read_body(response, self.max_bytes).await?;
        let reply = wire::decode(self.protocol, &body)
            .map_err(|error| failure::of_decode(error, response.headers(), 200))?;
        Ok(live(reply, self.elapsed_ms(), None))
    }

    async fn read_stream(
        &self,
        response: &mut Response,
        syntax: Syntax,
    ) -> Result<Answer, Box<Failure>> {
        let mut frames = Frames::new(syntax, self.max_bytes);
        let mut decoder =
            StreamDecoder::new(self.protocol).expect("the client speaks this protocol");
        let mut first_token_ms = None;
        let mut received = 0;
        let mut ended = false;
        while !ended {
            let reading = response.chunk();
            let chunk = if first_token_ms.is_none() {
                timeout_at(self.started + self.first_token, reading)
                    .await
                    .map_err(|_| self.no_first_token())?
            } else {
                reading.await
            };
            let chunk = chunk.map_err(|error| failure::of_broken_body(&error, decoder.billed()))?;
            let Some(chunk) = chunk else { break };
            received += chunk.len();
            if received > self.max_bytes {
                return Err(failure::of_size(self.max_bytes));
            }
            frames.push(&chunk);
            while let Some(frame) = frames.next_frame().map_err(failure::of_frame)? {
                let progress = decoder
                    .push(frame)
                    .map_err(|error| failure::of_decode(error, response.headers(), 200))?;
                if progress == Progress::Content && first_token_ms.is_none() {
                    first_token_ms = Some(self.elapsed_ms());
                }
                if progress == Progress::End {
                    ended = true;
                    break;
                }
            }
        }
        let latency_ms = self.elapsed_ms();
        if ended {
            drain(response).await;
        } else if let Some(rest) = frames.rest() {
            decoder
                .push(rest)
                .map_err(|error| failure::of_decode(error, response.headers(), 200))?;
        }
        let reply =
            decoder.finish().map_err(|error| failure::of_decode(error, response.headers(), 200))?;
        Ok(live(reply, latency_ms, first_token_ms))
    }

    fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn no_first_token(&self) -> Box<Failure> {
        failure::of_timeout("the first token", self.first_token)
    }
}

fn live(reply: Reply, latency_ms: u64, first_token_ms: Option<u64>) -> Answer {
    Answer { reply, latency_ms, first_token_ms, source: AnswerSource::Live }
}

/// Reads a body whole. One that arrives in one piece is not copied.
pub(super) async fn read_body(response: &mut Response, most: usize) -> Result<Bytes, Box<Failure>> {
    let declared = response.content_length().unwrap_or(0);
    if declared > most as u64 {
        return Err(failure::of_size(most));
    }
    let broken = |error| failure::of_broken_body(&error, None);
    let first = response.chunk().await.map_err(broken)?.unwrap_or_default();
    if first.len() > most {
        return Err(failure::of_size(most));
    }
    let Some(second) = response.chunk().await.map_err(broken)? else {
        return Ok(first);
    };
    let mut body = Vec::from(first);
    let mut next = Some(second);
    while let Some(chunk) = next {
        if body.len() + chunk.len() > most {
            return Err(failure::of_size(most));
        }
        body.extend_from_slice(&chunk);
        next = response.chunk().await.map_err(broken)?;
    }
    Ok(body.into())
}

/// Reads what can be read of a body, at most `limit` bytes.
pub(super) async fn read_up_to(response: &mut Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        body.extend_from_slice(&chunk[..chunk.len().min(limit - body.len())]);
        if body.len() == limit {
            break;
        }
    }
    body
}

/// Reads what a finished stream still sends. Nothing in it could change the answer.
async fn drain(response: &mut Response) {
    let rest = async { while let Ok(Some(_)) = response.chunk().await {} };
    // Whether it closed in time or not, the answer is complete.
    timeout(DRAIN, rest).await.ok();
}
