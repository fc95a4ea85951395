//! A provider that does what a test tells it.

use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use chat::{FinishReason, Reply, Request, Usage};
use provider::{Client, PrepareError, RateHints, Sent};
use run::{Answer, AnswerSource, Bill, Call, Failure, FailureKind, Retry};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

/// One call, as the script sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    /// The cell's place in the plan.
    pub(crate) cell: u32,
    /// How often this cell was sent before.
    pub(crate) before: u32,
    /// Milliseconds since the provider started.
    pub(crate) at_ms: u64,
    /// Calls on their way, this one included.
    pub(crate) in_flight: u32,
}

/// What the provider does with a call.
#[derive(Debug, Clone)]
pub(crate) struct Reaction {
    pub(crate) after_ms: u64,
    pub(crate) outcome: Result<Box<Answer>, Failure>,
    pub(crate) rate: RateHints,
    pub(crate) ignores_stop: bool,
}

impl Reaction {
    pub(crate) fn after(self, after_ms: u64) -> Self {
        Self { after_ms, ..self }
    }

    fn of(outcome: Result<Box<Answer>, Failure>) -> Self {
        Self { after_ms: 50, outcome, rate: RateHints::default(), ignores_stop: false }
    }
}

/// Answers, and bills so many tokens at one nano-dollar each.
pub(crate) fn answers(tokens: u64) -> Reaction {
    let usage = Usage { output_visible: tokens, ..Usage::default() };
    answer_with(Some(usage), FinishReason::Complete)
}

pub(crate) fn answer_with(usage: Option<Usage>, finish: FinishReason) -> Reaction {
    let reply = Reply {
        text: "yes".to_owned(),
        refusal: None,
        tool_calls: Vec::new(),
        finish,
        usage,
        raw_usage: Value::Null,
        served_model: None,
        request_id: None,
        logprobs: Vec::new(),
        extra: Value::Null,
    };
    let answer = Answer { reply, latency_ms: 50, first_token_ms: None, source: AnswerSource::Live };
    Reaction::of(Ok(Box::new(answer)))
}

pub(crate) fn fails(kind: FailureKind, retry: Retry, bill: Bill) -> Reaction {
    Reaction::of(Err(Failure {
        kind,
        message: "it failed".to_owned(),
        hint: None,
        status: None,
        request_id: None,
        retry,
        bill,
    }))
}

type Script = Box<dyn Fn(Asked) -> Reaction + Send + Sync>;

pub(crate) struct Provider {
    script: Script,
    started: Instant,
    seen: Mutex<Seen>,
}

/// What the provider saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) calls: Vec<Asked>,
    /// Tokens that it billed.
    pub(crate) billed: u64,
    pub(crate) cut_off: u32,
    in_flight: u32,
    sent: HashMap<u32, u32>,
}

impl Provider {
    pub(crate) fn new(script: impl Fn(Asked) -> Reaction + Send + Sync + 'static) -> Self {
        Self { script: Box::new(script), started: Instant::now(), seen: Mutex::default() }
    }

    pub(crate) fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap()
    }

    pub(crate) fn cells(&self) -> Vec<u32> {
        self.seen().calls.iter().map(|call| call.cell).collect()
    }

    fn arrive(&self, cell: u32) -> Asked {
        let mut seen = self.seen();
        seen.in_flight += 1;
        let before = seen.sent.get(&cell).copied().unwrap_or(0);
        seen.sent.insert(cell, before + 1);
        let at_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap();
        let asked = Asked { cell, before, at_ms, in_flight: seen.in_flight };
        seen.calls.push(asked);
        asked
    }
}

/// What a call is billed; the worst case where the engine is not told.
fn bill(outcome: &Result<Box<Answer>, Failure>) -> u64 {
    match outcome {
        Ok(answer) => answer.reply.usage.map_or(100, |usage| usage.output_total()),
        Err(failure) => match failure.bill {
            Bill::Nothing => 0,
            Bill::Unknown => 100,
            Bill::Known { usage } => usage.output_total(),
        },
    }
}

#[async_trait]
impl Client for Provider {
    fn prepare(&self, _request: &Request) -> Result<Call, PrepareError> {
        unreachable!("the engine is handed calls that are prepared")
    }

    async fn send(&self, call: &Call, mut stop: watch::Receiver<bool>) -> Sent {
        let place = u32::try_from(call.body["cell"].as_u64().unwrap()).unwrap();
        let reaction = (self.script)(self.arrive(place));
        // Billed on arrival, so that a call that is broken off or forgotten is billed too.
        self.seen().billed += bill(&reaction.outcome);
        let done = async {
            if reaction.after_ms > 0 {
                tokio::time::sleep(Duration::from_millis(reaction.after_ms)).await;
            }
        };
        let stopped = async {
            if reaction.ignores_stop || stop.wait_for(|stop| *stop).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        let finished = tokio::select! {
            () = done => true,
            () = stopped => false,
        };
        let mut seen = self.seen();
        seen.in_flight -= 1;
        if !finished {
            seen.cut_off += 1;
            let outcome = fails(FailureKind::Cancelled, Retry::Never, Bill::Unknown).outcome;
            return Sent { outcome, rate: RateHints::default() };
        }
        Sent { outcome: reaction.outcome, rate: reaction.rate }
    }
}
