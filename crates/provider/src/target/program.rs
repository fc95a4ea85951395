use async_trait::async_trait;
use chat::{FinishReason, Protocol, Reply, Request, ToolCall, Usage};
use run::{Answer, AnswerSource, Bill, Call, Endpoint, Failure, FailureKind, Retry};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::process::{ProgramCommand, Trusted, run_program, untrusted};
use super::{TARGET_ADAPTER_VERSION, takes_cases};
use crate::{Client, PrepareError, RateHints, Sent};

/// A trusted program as a target.
///
/// It reads `{"format": 1, "inputs": {…}}` as one line of standard input and writes one JSON object:
/// `answer` (text, or any value, which is then answered as its JSON), and where it has them `usage`
/// (the six buckets of [`Usage`]), `documents`, and `tool_calls` (objects with `name` and
/// `arguments`). With `error`, a text, it says that it could not answer.
#[derive(Debug, Clone)]
pub struct ProgramTarget {
    name: String,
    program: ProgramCommand,
    trusted: Option<Trusted>,
}

#[derive(Deserialize)]
struct Written {
    #[serde(default)]
    answer: Value,
    error: Option<String>,
    usage: Option<Usage>,
    documents: Option<Value>,
    #[serde(default)]
    tool_calls: Vec<WrittenCall>,
}

#[derive(Deserialize)]
struct WrittenCall {
    #[serde(default)]
    id: String,
    name: String,
    #[serde(default)]
    arguments: Value,
}

impl ProgramTarget {
    /// Makes a target of this name of a program. Nothing is started. Without trust it prepares
    /// calls, and refuses to send them.
    pub fn new(
        name: impl Into<String>,
        program: ProgramCommand,
        trusted: impl Into<Option<Trusted>>,
    ) -> Self {
        Self { name: name.into(), program, trusted: trusted.into() }
    }

    /// Returns the call for the inputs of one case.
    pub fn prepare_case(&self, inputs: &Map<String, Value>) -> Call {
        Call {
            protocol: Protocol::ProgramTarget,
            endpoint: Endpoint::Program { declaration: self.program.declaration },
            model: self.name.clone(),
            body: json!({"format": 1, "inputs": inputs}),
            seed: None,
            adapter_version: TARGET_ADAPTER_VERSION,
        }
    }

    async fn ask(
        &self,
        call: &Call,
        stop: watch::Receiver<bool>,
    ) -> Result<Box<Answer>, Box<Failure>> {
        let mine = Endpoint::Program { declaration: self.program.declaration };
        if call.protocol != Protocol::ProgramTarget || call.endpoint != mine {
            let message = "the call is for another program than this one".to_owned();
            return Err(failure(FailureKind::InvalidRequest, message, Bill::Nothing));
        }
        let trusted = self.trusted.as_ref().ok_or_else(|| untrusted(&self.program))?;
        let ran = run_program(&self.program, trusted, &call.body, stop).await?;
        let reply = self.read(&ran.stdout)?;
        let (latency_ms, source) = (ran.latency_ms, AnswerSource::Live);
        Ok(Box::new(Answer { reply, latency_ms, first_token_ms: None, source }))
    }

    fn read(&self, stdout: &str) -> Result<Reply, Box<Failure>> {
        let name = &self.program.name;
        let written: Written = serde_json::from_str(stdout.trim()).map_err(|error| {
            let start: String = stdout.trim().chars().take(200).collect();
            let message = format!(
                "program `{name}` wrote no answer: {error}; expected one JSON object with \
                 `answer`, found `{start}`"
            );
            failure(FailureKind::BadResponse, message, Bill::Unknown)
        })?;
        if let Some(error) = written.error {
            let message = format!("program `{name}` says: {error}");
            return Err(failure(FailureKind::ProgramFailed, message, Bill::Unknown));
        }
        let text = match written.answer {
            Value::String(text) => text,
            Value::Null => {
                let message = format!("program `{name}` wrote an object without `answer`");
                return Err(failure(FailureKind::BadResponse, message, Bill::Unknown));
            }
            other => other.to_string(),
        };
        let calls = written.tool_calls.into_iter();
        Ok(Reply {
            text,
            refusal: None,
            tool_calls: calls
                .map(|WrittenCall { id, name, arguments }| ToolCall { id, name, arguments })
                .collect(),
            finish: FinishReason::Complete,
            raw_usage: written.usage.map_or(Value::Null, |usage| json!(usage)),
            usage: written.usage,
            served_model: None,
            request_id: None,
            logprobs: Vec::new(),
            extra: written.documents.map_or(Value::Null, |found| json!({ "documents": found })),
        })
    }
}

fn failure(kind: FailureKind, message: String, bill: Bill) -> Box<Failure> {
    Box::new(Failure {
        kind,
        message,
        hint: None,
        status: None,
        request_id: None,
        retry: Retry::Never,
        bill,
    })
}

#[async_trait]
impl Client for ProgramTarget {
    fn prepare(&self, _request: &Request) -> Result<Call, PrepareError> {
        Err(takes_cases())
    }

    async fn send(&self, call: &Call, stop: watch::Receiver<bool>) -> Sent {
        let outcome = self.ask(call, stop).await;
        Sent { outcome: outcome.map_err(|failure| *failure), rate: RateHints::default() }
    }
}
