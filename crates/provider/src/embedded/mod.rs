//! Models inside this process: a GGUF file, run by llama.cpp on a thread of its own.
//!
//! The thread loads the file at the first call, so that planning and replay need no file. It
//! evaluates up to [`EmbeddedOptions::parallel`] requests in one context, token by token, and
//! keeps the evaluation of prompts, so that a prompt which begins like an earlier one starts where
//! they part. `docs/embedded-model.md` says what of this shows in the answers.
//!
//! Nothing here asks for trust, keeps recordings, or retries.

mod batcher;
mod body;
mod failure;
mod file;
mod generation;
mod gguf;
mod schema;
mod sequences;
mod template;
mod text;
mod tokenizer;
mod worker;

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use chat::{Protocol, Request};
use run::{Answer, AnswerSource, Call, Endpoint, Failure, FailureKind};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::{oneshot, watch};

pub use body::DEFAULT_MAX_OUTPUT_TOKENS;
pub use file::{ModelFile, SMOLLM2_135M, hash_model_file};
pub use tokenizer::GgufTokenizer;

use crate::stop::stopped;
use crate::{Client, PrepareError, RateHints, Sent};
use batcher::{Answered, Question};
use body::Body;
use failure::{cancelled, failure, interrupted};
use worker::{Job, Worker};

/// The version of the adapter that makes the bodies of embedded calls.
const ADAPTER_VERSION: u32 = 1;
/// The runtime; a test compares its version with the one that is built in.
const RUNTIME: &str = "llama.cpp (llama-cpp-sys-2 0.1.161)";
/// How many schemas are remembered as good, so that a plan converts each once.
const KNOWN_SCHEMAS: usize = 32;

/// How a model is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EmbeddedOptions {
    /// The most requests that are worked on at once, at most 64. With 1, answers do not depend on
    /// what was asked before.
    pub parallel: NonZeroU32,
    /// Threads to compute with; `None` takes one fewer than this process may use, but at least one.
    /// The threads wait for each other hundreds of times for every token, so one that has to share
    /// its core with other work holds all up: two threads on two busy cores were ten times slower
    /// than one.
    pub threads: Option<NonZeroU32>,
    /// Tokens that all requests under way and the kept prompts may hold together. One request can
    /// hold so many, or as many as the model was trained for if that is less.
    pub context_tokens: NonZeroU32,
    /// Tokens that one request may hold, if that is less still.
    pub request_tokens: Option<NonZeroU32>,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            parallel: NonZeroU32::new(8).expect("8 is not 0"),
            threads: None,
            context_tokens: NonZeroU32::new(8192).expect("8192 is not 0"),
            request_tokens: None,
        }
    }
}

impl EmbeddedOptions {
    fn threads(&self) -> NonZeroU32 {
        self.threads.unwrap_or_else(|| {
            default_threads(std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN))
        })
    }
}

/// Returns how many threads compute where `usable` could run at once: one core stays free.
fn default_threads(usable: NonZeroUsize) -> NonZeroU32 {
    u32::try_from(usable.get() - 1).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN)
}

/// A model inside this process.
///
/// Dropping it ends its thread at the next token and waits for that.
pub struct EmbeddedModel {
    file: ModelFile,
    options: EmbeddedOptions,
    worker: OnceLock<Result<Worker, Failure>>,
    good_schemas: Mutex<Vec<Value>>,
}

impl EmbeddedModel {
    /// Makes a model of a file, which is not touched before the first call.
    pub fn new(file: ModelFile, options: EmbeddedOptions) -> Self {
        Self { file, options, worker: OnceLock::new(), good_schemas: Mutex::default() }
    }

    /// Returns the number of tokens of a plain text.
    ///
    /// # Errors
    /// [`FailureKind::LocalModel`] if the model cannot be loaded.
    pub async fn count_tokens(&self, text: &str) -> Result<u64, Failure> {
        let text = text.to_owned();
        self.ask(|answer| Job::CountText { text, answer }).await
    }

    /// Returns the number of prompt tokens of a call, template included: what its usage will say.
    ///
    /// # Errors
    /// [`FailureKind::LocalModel`] if the model cannot be loaded, [`FailureKind::InvalidRequest`]
    /// if its template does not accept the conversation.
    pub async fn count_prompt_tokens(&self, call: &Call) -> Result<u64, Failure> {
        let body = body_of(call)?;
        self.ask(|answer| Job::CountPrompt { body, answer }).await
    }

    async fn answer(
        &self,
        call: &Call,
        mut stop: watch::Receiver<bool>,
    ) -> Result<Answer, Failure> {
        let asked = Instant::now();
        let ours = Endpoint::Local { model_file: self.file.sha256, runtime: RUNTIME.to_owned() };
        if call.protocol != Protocol::Embedded || call.endpoint != ours {
            let message = format!("the call is not for the model file of `{}`", self.file.name);
            return Err(failure(FailureKind::InvalidRequest, message, None));
        }
        let body = body_of(call)?;
        let seed = call.seed.unwrap_or(0);
        let answered = self.ask(|answer| Job::Answer(Question { body, seed, asked, answer }));
        // Leaving drops the receiving end, which frees the model's slot at its next token.
        let Answered { reply, first_token } = tokio::select! {
            biased;
            () = stopped(&mut stop) => return Err(cancelled()),
            answered = answered => answered?,
        };
        Ok(Answer {
            reply,
            latency_ms: milliseconds(asked.elapsed()),
            first_token_ms: first_token.map(milliseconds),
            source: AnswerSource::Live,
        })
    }

    async fn ask<T>(
        &self,
        job: impl FnOnce(oneshot::Sender<Result<T, Failure>>) -> Job,
    ) -> Result<T, Failure> {
        let start = || Worker::start(self.file.clone(), self.options);
        let worker = self.worker.get_or_init(start).as_ref().map_err(Clone::clone)?;
        let (answer, answered) = oneshot::channel();
        worker.submit(job(answer));
        answered
            .await
            .unwrap_or_else(|_| Err(interrupted("the model stopped in the middle of the call")))
    }

    fn check_schema(&self, schema: &Value) -> Result<(), PrepareError> {
        let mut good = self.good_schemas.lock().unwrap_or_else(PoisonError::into_inner);
        if !good.contains(schema) {
            schema::grammar_of(schema)?;
            if good.len() == KNOWN_SCHEMAS {
                good.remove(0);
            }
            good.push(schema.clone());
        }
        Ok(())
    }
}

#[async_trait]
impl Client for EmbeddedModel {
    /// Needs no model file. Temperature 0, or none, is greedy and has no seed; a draw without a
    /// seed has seed 0, so whoever repeats a request sets a seed for each repetition.
    fn prepare(&self, request: &Request) -> Result<Call, PrepareError> {
        if request.model.model != self.file.name {
            return Err(PrepareError {
                message: format!("there is no embedded model `{}` here", request.model.model),
                hint: Some(format!("this one is `{}`", self.file.name)),
            });
        }
        let body = Body::of_request(request)?;
        if let Some(schema) = &body.schema {
            self.check_schema(schema)?;
        }
        let seed = (!body.is_greedy()).then_some(request.sampling.seed.unwrap_or(0));
        Ok(Call {
            protocol: Protocol::Embedded,
            endpoint: Endpoint::Local { model_file: self.file.sha256, runtime: RUNTIME.to_owned() },
            model: self.file.name.clone(),
            body: serde_json::to_value(&body).expect("a body holds only what JSON can"),
            seed,
            adapter_version: ADAPTER_VERSION,
        })
    }

    async fn send(&self, call: &Call, stop: watch::Receiver<bool>) -> Sent {
        let outcome = self.answer(call, stop).await.map(Box::new);
        Sent { outcome, rate: RateHints::default() }
    }
}

fn body_of(call: &Call) -> Result<Body, Failure> {
    Body::deserialize(&call.body).map_err(|error| {
        let message = format!("the call is not one that this version makes: {error}");
        failure(FailureKind::InvalidRequest, message, Some("plan the run again"))
    })
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use chat::{Message, OutputFormat, Role, Sampling, ToolChoice};
    use serde_json::json;

    use super::*;

    fn request() -> Request {
        Request {
            model: "embedded/smollm2-135m".parse().unwrap(),
            messages: vec![Message::text(Role::User, "hi")],
            tools: vec![],
            tool_choice: ToolChoice::Auto,
            output: OutputFormat::Text,
            sampling: Sampling::default(),
        }
    }

    fn without_file() -> EmbeddedModel {
        EmbeddedModel::new(ModelFile::smollm2_135m("/nowhere.gguf"), EmbeddedOptions::default())
    }

    #[test]
    fn one_core_stays_free_but_one_thread_computes() {
        let threads = |usable| default_threads(NonZeroUsize::new(usable).unwrap()).get();
        assert_eq!([1, 2, 3, 8].map(threads), [1, 1, 2, 7]);
    }

    #[test]
    fn planning_needs_no_file_and_a_greedy_call_no_seed() {
        let mut request = request();
        request.sampling.seed = Some(7);
        let call = without_file().prepare(&request).unwrap();
        assert_eq!((call.protocol, call.seed), (Protocol::Embedded, None));
        request.sampling.temperature = Some(0.7);
        assert_eq!(without_file().prepare(&request).unwrap().seed, Some(7));
    }

    #[test]
    fn a_schema_that_cannot_be_enforced_is_refused_in_the_plan() {
        let mut request = request();
        request.output = OutputFormat::Json { schema: Some(json!({"not": {}})) };
        assert!(without_file().prepare(&request).is_err());
    }

    #[test]
    fn the_runtime_names_the_version_that_is_built_in() {
        let lock = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.lock");
        #[expect(clippy::disallowed_methods, reason = "the test reads the repository's own file")]
        let lock = std::fs::read_to_string(lock).unwrap();
        let version =
            RUNTIME.trim_start_matches("llama.cpp (llama-cpp-sys-2 ").trim_end_matches(')');
        let entry = format!("name = \"llama-cpp-sys-2\"\nversion = \"{version}\"");
        assert!(lock.contains(&entry), "RUNTIME must follow Cargo.lock");
    }
}
