use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use chat::Request;
use run::{Answer, Bill, Call, Failure, FailureKind, Recording, Retry};
use tokio::sync::watch;
use values::ContentHash;

use crate::{Client, PrepareError, RateHints, Sent};

/// Answers from recordings, and from nothing else: no key, no model file, no connection.
#[derive(Debug)]
pub struct Replay {
    eval_set: String,
    rows: BTreeMap<ContentHash, Recording>,
}

impl Replay {
    /// Takes the recordings of an eval set. Of several with one key the last recorded answers.
    pub fn open(eval_set: impl Into<String>, rows: impl IntoIterator<Item = Recording>) -> Self {
        let mut kept: BTreeMap<ContentHash, Recording> = BTreeMap::new();
        for row in rows {
            let newer = |standing: &Recording| {
                (standing.recorded_at, standing.row()) < (row.recorded_at, row.row())
            };
            if kept.get(&row.key).is_none_or(newer) {
                kept.insert(row.key, row);
            }
        }
        Self { eval_set: eval_set.into(), rows: kept }
    }

    /// Returns the recording of a call's k-th repetition.
    pub fn find(&self, call: &Call, sample: u32) -> Option<&Recording> {
        self.rows.get(&call.recording_key(sample))
    }

    /// Returns the recorded answer, marked as a replay.
    ///
    /// # Errors
    /// [`FailureKind::NotRecorded`], with the command that records it.
    pub fn answer(&self, call: &Call, sample: u32) -> Result<Box<Answer>, Box<Failure>> {
        match self.find(call, sample) {
            Some(recording) => Ok(Box::new(recording.answer())),
            None => Err(Box::new(self.not_recorded(call, sample))),
        }
    }

    /// Returns the client of one repetition. `preparer` turns requests into calls, as it does for a
    /// live run; nothing is sent through it.
    pub fn client(self: &Arc<Self>, sample: u32, preparer: Arc<dyn Client>) -> ReplayClient {
        ReplayClient { replay: Arc::clone(self), sample, preparer }
    }

    fn not_recorded(&self, call: &Call, sample: u32) -> Failure {
        let which = if sample == 0 { String::new() } else { format!(", repetition {sample}") };
        Failure {
            kind: FailureKind::NotRecorded,
            message: format!(
                "no recording of this request to `{}` ({}){which}: what is sent has changed since \
                 the recordings were made, or it never was recorded",
                call.model, call.protocol
            ),
            hint: Some(format!("record it with `trysquare run {} --record`", self.eval_set)),
            status: None,
            request_id: None,
            retry: Retry::Never,
            bill: Bill::Nothing,
        }
    }
}

/// A [`Client`] that answers one repetition from recordings.
#[derive(Clone)]
pub struct ReplayClient {
    replay: Arc<Replay>,
    sample: u32,
    preparer: Arc<dyn Client>,
}

#[async_trait]
impl Client for ReplayClient {
    fn prepare(&self, request: &Request) -> Result<Call, PrepareError> {
        self.preparer.prepare(request)
    }

    async fn send(&self, call: &Call, _stop: watch::Receiver<bool>) -> Sent {
        let outcome = self.replay.answer(call, self.sample).map_err(|failure| *failure);
        Sent { outcome, rate: RateHints::default() }
    }
}

#[cfg(test)]
mod tests {
    use chat::{FinishReason, Protocol, Reply};
    use run::{AnswerSource, Endpoint};
    use serde_json::{Value, json};
    use values::Timestamp;

    use super::*;

    fn call(origin: &str, question: &str) -> Call {
        Call {
            protocol: Protocol::OpenaiChat,
            endpoint: Endpoint::Remote { origin: origin.to_owned(), path: "/v1/x".to_owned() },
            model: "m".to_owned(),
            body: json!({"messages": [question]}),
            seed: None,
            adapter_version: 1,
        }
    }

    fn recording(call: &Call, sample: u32, text: &str, at: i64) -> Recording {
        let reply = Reply {
            text: text.to_owned(),
            refusal: None,
            tool_calls: Vec::new(),
            finish: FinishReason::Complete,
            usage: None,
            raw_usage: Value::Null,
            served_model: None,
            request_id: None,
            logprobs: Vec::new(),
            extra: Value::Null,
        };
        let answer =
            Answer { reply, latency_ms: 700, first_token_ms: None, source: AnswerSource::Live };
        Recording::new(call, sample, &answer, Timestamp::from_unix_ms(at))
    }

    #[test]
    fn a_recording_answers_wherever_the_model_has_moved() {
        let recorded = call("https://a.example", "q");
        let replay = Replay::open("triage", [recording(&recorded, 0, "hi", 1)]);
        let answer = replay.answer(&call("https://b.example", "q"), 0).unwrap();
        assert_eq!((answer.reply.text.as_str(), answer.latency_ms), ("hi", 700));
        assert_eq!(answer.source, AnswerSource::Replay);
    }

    #[test]
    fn the_last_recorded_answers_whatever_the_order_of_the_rows() {
        let call = call("https://a.example", "q");
        let rows = [recording(&call, 0, "new", 2), recording(&call, 0, "old", 1)];
        for rows in [rows.clone(), rows.into_iter().rev().collect::<Vec<_>>().try_into().unwrap()] {
            let replay = Replay::open("triage", rows);
            assert_eq!(replay.answer(&call, 0).unwrap().reply.text, "new");
        }
    }

    #[test]
    fn a_miss_fails_loudly_and_names_the_command_that_records_it() {
        let recorded = call("https://a.example", "q");
        let replay = Replay::open("triage", [recording(&recorded, 0, "hi", 1)]);
        for (call, sample) in [(call("https://a.example", "r"), 0), (recorded, 1)] {
            let failure = replay.answer(&call, sample).unwrap_err();
            assert_eq!((failure.kind, failure.bill), (FailureKind::NotRecorded, Bill::Nothing));
            assert_eq!(failure.retry, Retry::Never);
            let hint = failure.hint.unwrap();
            assert_eq!(hint, "record it with `trysquare run triage --record`");
        }
    }
}
