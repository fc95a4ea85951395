use std::collections::VecDeque;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use crate::Gate;
use crate::behaviour::{Delivery, Ending};
use crate::counts::InFlight;

/// One thing that a body does.
#[derive(Debug)]
pub(crate) enum Step {
    Send(Bytes),
    /// The same bytes for as long as the client reads.
    SendForever(Bytes),
    Wait(Gate),
    Sleep(Duration),
    /// Lets what was sent reach the socket before the connection breaks.
    Flush,
    /// Ends the connection in the middle of the message.
    Break,
    BreakWithReset,
}

/// A response body that follows a script.
pub(crate) struct ScriptedBody {
    steps: VecDeque<Step>,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    length: Option<u64>,
    reset: Arc<AtomicBool>,
    in_flight: InFlight,
}

/// The body breaks off on purpose.
#[derive(Debug)]
pub(crate) struct BrokenOff;

impl std::fmt::Display for BrokenOff {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("broken off on purpose")
    }
}

impl std::error::Error for BrokenOff {}

impl ScriptedBody {
    pub(crate) fn new(script: Script, reset: Arc<AtomicBool>, in_flight: InFlight) -> Self {
        Self { steps: script.steps.into(), waiting: None, length: script.length, reset, in_flight }
    }
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        loop {
            if let Some(waiting) = &mut self.waiting {
                std::task::ready!(waiting.as_mut().poll(cx));
                self.waiting = None;
            }
            match self.steps.pop_front() {
                None => {
                    self.in_flight.complete();
                    return Poll::Ready(None);
                }
                Some(Step::Send(bytes)) => {
                    if self.steps.is_empty() {
                        self.in_flight.complete();
                    }
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::SendForever(bytes)) => {
                    self.steps.push_front(Step::SendForever(bytes.clone()));
                    return Poll::Ready(Some(Ok(Frame::data(bytes))));
                }
                Some(Step::Wait(gate)) => {
                    self.waiting = Some(Box::pin(async move { gate.passed().await }));
                }
                Some(Step::Sleep(time)) => {
                    self.waiting = Some(Box::pin(tokio::time::sleep(time)));
                }
                Some(Step::Flush) => {
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Some(step @ (Step::Break | Step::BreakWithReset)) => {
                    self.reset.store(matches!(step, Step::BreakWithReset), Ordering::Release);
                    self.in_flight.complete();
                    return Poll::Ready(Some(Err(BrokenOff)));
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.steps.is_empty() && self.waiting.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// The steps of a body, and its length where HTTP is to announce one.
#[derive(Debug)]
pub(crate) struct Script {
    pub(crate) steps: Vec<Step>,
    pub(crate) length: Option<u64>,
}

impl Script {
    /// Turns whole frames into steps, as the delivery says.
    pub(crate) fn new(frames: Vec<Bytes>, streamed: bool, delivery: &Delivery) -> Self {
        let whole: usize = frames.iter().map(Bytes::len).sum();
        let ending = delivery.cut.filter(|(at, _)| *at < whole);
        let sent = ending.map_or(whole, |(at, _)| at);
        let mut chunks = frames;
        if let Some(size) = delivery.chunk_bytes {
            chunks = split(chunks, (0..whole).step_by(size));
        }
        chunks = split(chunks, delivery.splits.iter().copied());
        chunks = split(chunks, [sent].into_iter().chain(delivery.stall.iter().map(|s| s.0)));

        let mut steps = Vec::new();
        let mut at = 0;
        for chunk in chunks {
            if let Some((_, gate)) = delivery.stall.as_ref().filter(|(stall, _)| *stall == at) {
                steps.push(Step::Wait(gate.clone()));
            }
            if at >= sent && whole > 0 {
                break;
            }
            if !delivery.pace.is_zero() {
                steps.push(Step::Sleep(delivery.pace));
            }
            at += chunk.len();
            steps.push(Step::Send(chunk));
        }
        let announced = match ending {
            Some((_, Ending::Closed | Ending::Reset)) => whole,
            _ => sent,
        };
        match ending {
            Some((_, Ending::Closed)) => steps.extend([Step::Flush, Step::Break]),
            Some((_, Ending::Reset)) => steps.extend([Step::Flush, Step::BreakWithReset]),
            Some((_, Ending::Clean)) | None => {}
        }
        let chunked = streamed || delivery.chunk_bytes.is_some() || !delivery.splits.is_empty();
        Self { steps, length: (!chunked).then_some(announced as u64) }
    }
}

/// Starts a new chunk at each of these offsets into the concatenation.
fn split(chunks: Vec<Bytes>, offsets: impl IntoIterator<Item = usize>) -> Vec<Bytes> {
    let mut offsets: Vec<usize> = offsets.into_iter().collect();
    offsets.sort_unstable();
    let mut offsets = offsets.into_iter().peekable();
    let mut at = 0;
    let mut out = Vec::with_capacity(chunks.len());
    for mut chunk in chunks {
        while let Some(&offset) = offsets.peek().filter(|offset| **offset < at + chunk.len()) {
            offsets.next();
            if offset > at {
                out.push(chunk.split_to(offset - at));
                at = offset;
            }
        }
        at += chunk.len();
        out.push(chunk);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splitting_keeps_every_byte_and_starts_chunks_where_asked() {
        let chunks = vec![Bytes::from("abc"), Bytes::from("defg")];
        let cut = split(chunks, [5, 1, 1, 3, 99]);
        assert_eq!(cut, ["a", "bc", "de", "fg"]);
    }
}
