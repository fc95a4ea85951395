use std::collections::VecDeque;
use std::time::{Duration, Instant};

use chat::{FinishReason, Reply, Usage};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use run::{Failure, FailureKind};
use serde_json::json;
use tokio::sync::oneshot;

use super::EmbeddedOptions;
use super::body::Body;
use super::failure::{failure, interrupted};
use super::generation::{Finished, Generation};
use super::gguf::{Gguf, backend};
use super::sequences::{Prefix, Sequences, common_length};

/// The most tokens that one step evaluates.
const STEP_TOKENS: usize = 256;
/// With one request at a time, prompts are evaluated in pieces that begin at multiples of this
/// number of tokens, and only whole pieces are reused: then every piece is computed the same way
/// whatever was asked before, and answers are equal to the last bit.
const PIECE_TOKENS: usize = 64;
/// Sequences beyond those that can be worked on, which keep prefixes for later requests.
const KEPT_SEQUENCES: usize = 4;
/// A prompt waits for another's evaluation if that will spare it at least so many tokens.
const WORTH_WAITING_TOKENS: usize = 16;

/// A request on its way, with where its answer goes.
pub(super) struct Question {
    pub(super) body: Body,
    pub(super) seed: u64,
    pub(super) asked: Instant,
    pub(super) answer: oneshot::Sender<Result<Answered, Failure>>,
}

/// What came out of a request.
pub(super) struct Answered {
    pub(super) reply: Reply,
    pub(super) first_token: Option<Duration>,
}

/// Evaluates many requests in one context: each step takes a token of every answer in the making
/// and as much of the waiting prompts as fits.
pub(super) struct Batcher<'m> {
    gguf: &'m Gguf,
    name: &'m str,
    context: LlamaContext<'m>,
    batch: LlamaBatch<'static>,
    sequences: Sequences,
    waiting: VecDeque<Waiting>,
    active: Vec<Active>,
    /// Tokens in the batch that are not in `sequences` yet.
    staged: Vec<(usize, i32)>,
    parallel: usize,
    cells: usize,
    window: usize,
    reuse: Reuse,
}

/// How much of an earlier prompt's evaluation a later one may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reuse {
    /// The model's memory cannot be cut (recurrent models).
    Nothing,
    /// Whole pieces, so that answers do not depend on what was asked before.
    Pieces,
    /// Every common token.
    Tokens,
}

struct Waiting {
    question: Question,
    prompt: Vec<i32>,
}

struct Active {
    answer: oneshot::Sender<Result<Answered, Failure>>,
    asked: Instant,
    prompt: Vec<i32>,
    generation: Generation,
    sequence: usize,
    /// The most tokens that the sequence can come to hold.
    most: usize,
    reused: usize,
    /// The token that was drawn and not yet evaluated.
    drawn: Option<LlamaToken>,
    /// Where in the batch the logits of the next token are.
    logits_at: Option<i32>,
    first_token: Option<Duration>,
}

impl<'m> Batcher<'m> {
    pub(super) fn new(
        gguf: &'m Gguf,
        name: &'m str,
        options: &EmbeddedOptions,
    ) -> Result<Self, Failure> {
        let parallel = usize::try_from(options.parallel.get()).unwrap_or(usize::MAX).min(64);
        let count = if parallel == 1 { 1 } else { parallel + KEPT_SEQUENCES };
        let threads = i32::try_from(options.threads().get()).unwrap_or(i32::MAX).min(512);
        let step = u32::try_from(STEP_TOKENS).expect("the constant is small");
        let parameters = LlamaContextParams::default()
            .with_n_ctx(Some(options.context_tokens))
            .with_n_batch(step)
            .with_n_ubatch(step)
            .with_n_seq_max(u32::try_from(count).expect("at most 68"))
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_kv_unified(true)
            .with_swa_full(true)
            .with_offload_kqv(false)
            .with_no_perf(true);
        let context = gguf.model.new_context(backend()?, parameters).map_err(|_| {
            failure(
                FailureKind::LocalModel,
                "llama.cpp could not make room for the model's context",
                Some("lower `context_tokens` of the model, or `concurrency`, in trysquare.yaml"),
            )
        })?;
        let cells = usize::try_from(options.context_tokens.get().min(context.n_ctx()))
            .expect("a context is smaller than the address space");
        let trained = gguf.model.n_ctx_train().max(1);
        let most = options.request_tokens.map_or(trained, |most| trained.min(most.get()));
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let reuse = match parallel {
            _ if gguf.model.is_recurrent() || gguf.model.is_hybrid() => Reuse::Nothing,
            1 => Reuse::Pieces,
            _ => Reuse::Tokens,
        };
        Ok(Self {
            gguf,
            name,
            context,
            batch: LlamaBatch::new(STEP_TOKENS, 1),
            sequences: Sequences::new(count),
            waiting: VecDeque::new(),
            active: Vec::new(),
            staged: Vec::new(),
            parallel,
            cells,
            window: cells.min(most),
            reuse,
        })
    }

    pub(super) fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.active.is_empty()
    }

    /// Takes a request into the queue, or answers it with why it cannot be taken.
    pub(super) fn accept(&mut self, question: Question) {
        match self.gguf.tokenize_turns(&question.body.messages) {
            Ok(tokens) if tokens.is_empty() || tokens.len() >= self.window => {
                let message = format!(
                    "the prompt has {} tokens, and the model's context holds {} with the answer",
                    tokens.len(),
                    self.window
                );
                let hint = "shorten the prompt, or raise `context_tokens` of the model in \
                            trysquare.yaml if it can take more";
                respond(
                    question.answer,
                    Err(failure(FailureKind::InvalidRequest, message, Some(hint))),
                );
            }
            Ok(tokens) => {
                let prompt = tokens.into_iter().map(|token| token.0).collect();
                self.waiting.push_back(Waiting { question, prompt });
            }
            Err(failure) => respond(question.answer, Err(failure)),
        }
    }

    /// Answers everything that is under way with one failure.
    pub(super) fn fail_all(self, failure: &Failure) {
        for active in self.active {
            respond(active.answer, Err(failure.clone()));
        }
        for waiting in self.waiting {
            respond(waiting.question.answer, Err(failure.clone()));
        }
    }

    /// Evaluates one batch and draws one token for each answer in the making.
    ///
    /// # Errors
    /// A failure of llama.cpp, after which this batcher is of no use.
    pub(super) fn step(&mut self) -> Result<(), Failure> {
        self.drop_cancelled()?;
        self.batch.clear();
        self.staged.clear();
        self.stage_drawn()?;
        for at in 0..self.active.len() {
            self.stage_prompt(at)?;
        }
        while self.has_room() && self.admit_next()? {
            self.stage_prompt(self.active.len() - 1)?;
        }
        if self.batch.n_tokens() == 0 {
            return Ok(());
        }
        self.context.decode(&mut self.batch).map_err(|error| {
            interrupted(format!("llama.cpp failed to evaluate a batch: {error}"))
        })?;
        for (sequence, token) in self.staged.drain(..) {
            self.sequences.push(sequence, token);
        }
        self.draw_all();
        Ok(())
    }

    fn drop_cancelled(&mut self) -> Result<(), Failure> {
        self.waiting.retain(|waiting| !waiting.question.answer.is_closed());
        while let Some(at) = self.active.iter().position(|active| active.answer.is_closed()) {
            let gone = self.active.swap_remove(at);
            self.sequences.mark_idle(gone.sequence);
            // Half an answer is of no use as a prefix; its prompt is.
            let length = self.sequences.len(gone.sequence).min(gone.prompt.len());
            self.truncate(gone.sequence, length)?;
        }
        Ok(())
    }

    fn has_room(&self) -> bool {
        let used = usize::try_from(self.batch.n_tokens()).unwrap_or(usize::MAX);
        used < self.step_tokens()
    }

    fn step_tokens(&self) -> usize {
        if self.reuse == Reuse::Pieces { PIECE_TOKENS } else { STEP_TOKENS }
    }

    fn stage(&mut self, at: usize, token: i32, position: usize, last: bool) -> Result<(), Failure> {
        let sequence = self.active[at].sequence;
        let index = self.batch.n_tokens();
        let position = i32::try_from(position).map_err(|error| interrupted(error.to_string()))?;
        self.batch
            .add(LlamaToken::new(token), position, &[id(sequence)], last)
            .map_err(|error| interrupted(error.to_string()))?;
        self.staged.push((sequence, token));
        if last {
            self.active[at].logits_at = Some(index);
        }
        Ok(())
    }

    fn stage_drawn(&mut self) -> Result<(), Failure> {
        for at in 0..self.active.len() {
            if let Some(token) = self.active[at].drawn.take() {
                let position = self.sequences.len(self.active[at].sequence);
                self.stage(at, token.0, position, true)?;
            }
        }
        Ok(())
    }

    fn stage_prompt(&mut self, at: usize) -> Result<(), Failure> {
        let start = self.sequences.len(self.active[at].sequence);
        let end = self.active[at].prompt.len();
        let limit = match self.reuse {
            Reuse::Pieces => start - start % PIECE_TOKENS + PIECE_TOKENS,
            Reuse::Nothing | Reuse::Tokens => end,
        };
        for position in start..end.min(limit) {
            if !self.has_room() {
                break;
            }
            let token = self.active[at].prompt[position];
            self.stage(at, token, position, position + 1 == end)?;
        }
        Ok(())
    }

    /// Starts the request that has waited longest, if there is a place for it now.
    fn admit_next(&mut self) -> Result<bool, Failure> {
        if self.active.len() >= self.parallel {
            return Ok(false);
        }
        let Some(Waiting { question, prompt }) = self.waiting.pop_front() else {
            return Ok(false);
        };
        let room = (self.window - prompt.len()) as u64;
        let generation = match Generation::new(self.gguf, &question.body, question.seed, room) {
            Ok(generation) => generation,
            Err(failure) => {
                respond(question.answer, Err(failure));
                return self.admit_next();
            }
        };
        let answer_tokens = usize::try_from(generation.limit()).unwrap_or(usize::MAX);
        let most = prompt.len().saturating_add(answer_tokens);
        let prefix = self.stored_prefix(&prompt);
        let reused = prefix.map_or(0, |prefix| prefix.length);
        let place = if self.will_soon_share_more(&prompt, reused) {
            None
        } else {
            self.make_place(prefix, most)?
        };
        let Some((sequence, reused)) = place else {
            self.waiting.push_front(Waiting { question, prompt });
            return Ok(false);
        };
        self.sequences.mark_busy(sequence);
        self.active.push(Active {
            answer: question.answer,
            asked: question.asked,
            prompt,
            generation,
            sequence,
            most,
            reused,
            drawn: None,
            logits_at: None,
            first_token: None,
        });
        Ok(true)
    }

    /// Returns the longest stored beginning of a prompt that may be reused. At least one token is
    /// left to evaluate, because the answer starts from its logits.
    fn stored_prefix(&self, prompt: &[i32]) -> Option<Prefix> {
        let unit = match self.reuse {
            Reuse::Nothing => return None,
            Reuse::Pieces => PIECE_TOKENS,
            Reuse::Tokens => 1,
        };
        let found = self.sequences.longest_prefix(prompt)?;
        let length = found.length.min(prompt.len() - 1) / unit * unit;
        (length > 0).then_some(Prefix { length, ..found })
    }

    /// Tells whether a prompt that is being evaluated will leave a clearly longer beginning.
    fn will_soon_share_more(&self, prompt: &[i32], stored: usize) -> bool {
        self.reuse != Reuse::Nothing
            && self.active.iter().any(|active| {
                let common = common_length(&active.prompt, prompt);
                common >= stored + WORTH_WAITING_TOKENS
                    && self.sequences.len(active.sequence) < common
            })
    }

    /// Finds a sequence for a prompt and puts the stored beginning there, forgetting what was used
    /// longest ago until everything under way is sure to fit. `None` means: wait.
    fn make_place(
        &mut self,
        prefix: Option<Prefix>,
        most: usize,
    ) -> Result<Option<(usize, usize)>, Failure> {
        let source = prefix.map(|prefix| prefix.sequence);
        let length = prefix.map_or(0, |prefix| prefix.length);
        let Some(sequence) =
            self.sequences.oldest_idle(source).or_else(|| self.sequences.oldest_idle(None))
        else {
            return Ok(None);
        };
        self.truncate(sequence, if Some(sequence) == source { length } else { 0 })?;
        let promised: usize = self
            .active
            .iter()
            .map(|active| active.most.saturating_sub(self.sequences.len(active.sequence)))
            .sum();
        let needed = promised.saturating_add(most);
        while self.sequences.cells_in_use() + needed > self.cells + length {
            let Some(oldest) = self.sequences.oldest_idle_with_tokens(source) else {
                // With nothing under way, the stored beginning itself must give way.
                if self.active.is_empty() && prefix.is_some() {
                    self.truncate(source.unwrap_or(sequence), 0)?;
                    return self.make_place(None, most);
                }
                return Ok(None);
            };
            self.truncate(oldest, 0)?;
        }
        if let Some(from) = source.filter(|from| *from != sequence) {
            self.share(from, sequence, length)?;
        }
        Ok(Some((sequence, length)))
    }

    fn draw_all(&mut self) {
        let mut at = 0;
        while at < self.active.len() {
            let active = &mut self.active[at];
            let Some(index) = active.logits_at.take() else {
                at += 1;
                continue;
            };
            let drawn = active.generation.advance(self.gguf, &self.context, index);
            active.first_token.get_or_insert_with(|| active.asked.elapsed());
            match drawn {
                Ok(Ok(token)) => {
                    active.drawn = Some(token);
                    at += 1;
                }
                Ok(Err(finish)) => self.complete(at, finish),
                Err(failure) => {
                    let failed = self.active.swap_remove(at);
                    self.sequences.mark_idle(failed.sequence);
                    respond(failed.answer, Err(failure));
                }
            }
        }
    }

    fn complete(&mut self, at: usize, finish: FinishReason) {
        let done = self.active.swap_remove(at);
        self.sequences.mark_idle(done.sequence);
        let Finished { text, finish, logprobs, tokens } = done.generation.finish(finish);
        let prompt_tokens = done.prompt.len() as u64;
        let reply = Reply {
            text,
            refusal: None,
            tool_calls: Vec::new(),
            finish,
            usage: Some(Usage {
                input_uncached: prompt_tokens,
                output_visible: tokens,
                ..Usage::default()
            }),
            raw_usage: json!({"prompt_tokens": prompt_tokens, "completion_tokens": tokens}),
            served_model: Some(self.name.to_owned()),
            request_id: None,
            logprobs,
            extra: json!({"prompt_tokens_reused": done.reused}),
        };
        respond(done.answer, Ok(Answered { reply, first_token: done.first_token }));
    }

    fn truncate(&mut self, sequence: usize, length: usize) -> Result<(), Failure> {
        if self.sequences.len(sequence) <= length {
            return Ok(());
        }
        self.sequences.truncate(sequence, length);
        // A memory that cannot be cut (recurrent models) is cleared, and its book with it.
        let from = u32::try_from(length).ok().filter(|from| *from > 0);
        let from = if self.reuse == Reuse::Nothing { None } else { from };
        if self.reuse == Reuse::Nothing {
            self.sequences.truncate(sequence, 0);
        }
        let number = u32::try_from(sequence).ok();
        match self.context.clear_kv_cache_seq(number, from, None) {
            Ok(true) => Ok(()),
            Ok(false) => Err(interrupted("llama.cpp could not forget part of a sequence")),
            Err(error) => Err(interrupted(error.to_string())),
        }
    }

    fn share(&mut self, from: usize, to: usize, length: usize) -> Result<(), Failure> {
        self.sequences.share(from, to, length);
        let end = u32::try_from(length).map_err(|error| interrupted(error.to_string()))?;
        self.context
            .copy_kv_cache_seq(id(from), id(to), Some(0), Some(end))
            .map_err(|error| interrupted(error.to_string()))
    }
}

fn id(sequence: usize) -> i32 {
    i32::try_from(sequence).expect("there are at most 68 sequences")
}

/// Hands an answer over. Whoever asked may be gone; then nobody needs it.
fn respond<T>(to: oneshot::Sender<T>, answer: T) {
    drop(to.send(answer));
}
