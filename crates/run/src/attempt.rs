use std::fmt;

use chat::{FinishReason, Reply, Usage};
use serde::{Deserialize, Serialize};
use values::{Id, NanoDollars, Timestamp};

/// One try to get an answer for a cell. Recorded before anything else happens to it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// The run.
    pub run: Id,
    /// The cell's place in the plan.
    pub cell: u32,
    /// The number of the try for this cell, from 0, counted over resumes.
    pub number: u32,
    /// When it was sent; for a cache hit or a replay, when it was looked up.
    pub started: Timestamp,
    /// When its outcome was known.
    pub ended: Timestamp,
    /// Whether the cell has its outcome by this. An attempt that is to be repeated does not close
    /// its cell, nor does one that says nothing about the case (a refused key, a stopped run).
    pub closes: bool,
    /// What it was billed, by the prices in force; of a hit or a replay, what it would have cost.
    /// `None` where the usage or the price is unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cost: Option<NanoDollars>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A complete answer.
    Answered(Box<Answer>),
    /// No answer.
    Failed(Failure),
}

/// A complete answer and how it was got.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// What was answered.
    pub reply: Reply,
    /// Milliseconds from sending to the last byte; of a hit or a replay, the original's.
    pub latency_ms: u64,
    /// Milliseconds from sending to the first content, where it was streamed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_token_ms: Option<u64>,
    /// Who gave it.
    pub source: AnswerSource,
}

impl Answer {
    /// Tells whether it may stand for a later call: given by the provider now, and whole.
    pub fn is_cacheable(&self) -> bool {
        let is_whole = match self.reply.finish {
            FinishReason::Complete
            | FinishReason::Length
            | FinishReason::ToolUse
            | FinishReason::StopSequence
            | FinishReason::Refused => true,
            FinishReason::Filtered
            | FinishReason::Paused
            | FinishReason::ContextExceeded
            | FinishReason::MalformedTool
            | FinishReason::Error => false,
        };
        is_whole && self.source == AnswerSource::Live
    }
}

/// Who gave an answer. Only a live one costs money.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerSource {
    /// The provider or target, now.
    Live,
    /// The local cache.
    Cache,
    /// A recording in the eval set's folder.
    Replay,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind, on which programs branch.
    pub kind: FailureKind,
    /// What happened: a lower-case fragment, free of secrets.
    pub message: String,
    /// What the person can do.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hint: Option<String>,
    /// The HTTP status, where there was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// The provider's request id.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request_id: Option<String>,
    /// Whether to try again.
    pub retry: Retry,
    /// What may have been billed.
    pub bill: Bill,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

/// The taxonomy of failures, for all providers and targets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Too many requests for now.
    RateLimited,
    /// The account's quota or credit is used up; waiting does not help.
    QuotaExhausted,
    /// The provider is overloaded.
    Overloaded,
    /// The provider failed.
    ServerError,
    /// No connection.
    Connect,
    /// The connection, the first token or the whole answer took too long.
    Timeout,
    /// The answer broke off before its end.
    Truncated,
    /// The answer could not be read as what the protocol promises.
    BadResponse,
    /// The answer is larger than the limit.
    TooLarge,
    /// The provider does not accept the request.
    InvalidRequest,
    /// The key is missing or refused.
    Authentication,
    /// The key may not do this.
    Permission,
    /// There is no such model or endpoint.
    NotFound,
    /// The provider answered with a redirect, which is not followed.
    Redirected,
    /// The origin or key needs the person's consent first.
    ConsentMissing,
    /// A program or a model file needs trust first.
    TrustMissing,
    /// Nothing was recorded for this request.
    NotRecorded,
    /// A target program crashed or broke its contract.
    ProgramFailed,
    /// The model inside this process could not be loaded or run.
    LocalModel,
    /// The person stopped the run.
    Cancelled,
    /// A call cannot be bounded in cost, so it was not sent.
    Unbounded,
}

/// Whether an attempt is worth repeating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Retry {
    /// It would fail again.
    Never,
    /// After the engine's own back-off.
    Backoff,
    /// After the time that the provider asked for, in milliseconds.
    After {
        /// Milliseconds to wait.
        ms: u64,
    },
}

/// What a failed attempt may have cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Bill {
    /// Certainly nothing: refused before sending, or a 4xx.
    Nothing,
    /// Unknown: presumed spent at the worst case.
    Unknown,
    /// The provider said what it counted before it failed.
    Known {
        /// The tokens.
        usage: Usage,
    },
}
