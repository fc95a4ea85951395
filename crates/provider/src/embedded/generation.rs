use chat::{FinishReason, TokenLogprob};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;
use run::{Failure, FailureKind};

use super::body::Body;
use super::failure::failure;
use super::gguf::Gguf;
use super::schema::grammar_of;
use super::text::GrowingText;

/// An answer in the making: how its tokens are drawn, and what was drawn.
pub(super) struct Generation {
    draw: LlamaSampler,
    greedy: bool,
    grammar: Option<LlamaSampler>,
    text: GrowingText,
    logprobs: Vec<TokenLogprob>,
    alternatives: Option<u8>,
    drawn: u64,
    /// The most tokens, and what it means to reach that number.
    limit: u64,
    at_limit: FinishReason,
}

/// A finished answer.
pub(super) struct Finished {
    pub(super) text: String,
    pub(super) finish: FinishReason,
    pub(super) logprobs: Vec<TokenLogprob>,
    pub(super) tokens: u64,
}

impl Generation {
    /// Prepares an answer of at most `room` tokens, which is what the context has left.
    pub(super) fn new(gguf: &Gguf, body: &Body, seed: u64, room: u64) -> Result<Self, Failure> {
        let short = room < body.max_output_tokens;
        Ok(Self {
            draw: if body.is_greedy() { LlamaSampler::greedy() } else { random(body, seed) },
            greedy: body.is_greedy(),
            grammar: grammar(gguf, body)?,
            text: GrowingText::new(&body.stop),
            logprobs: Vec::new(),
            alternatives: body.logprobs,
            drawn: 0,
            limit: room.min(body.max_output_tokens),
            at_limit: if short { FinishReason::ContextExceeded } else { FinishReason::Length },
        })
    }

    /// Returns the most tokens that the answer can have.
    pub(super) fn limit(&self) -> u64 {
        self.limit
    }

    /// Draws the next token from the logits at `index` of the last batch. Returns it if the answer
    /// goes on, or why the answer ends.
    pub(super) fn advance(
        &mut self,
        gguf: &Gguf,
        context: &LlamaContext<'_>,
        index: i32,
    ) -> Result<Result<LlamaToken, FinishReason>, Failure> {
        let token = self.draw(context, index)?;
        let vocabulary = gguf.model.vocab();
        if vocabulary.is_eog(token) {
            return Ok(Err(FinishReason::Complete));
        }
        if let Some(grammar) = &mut self.grammar {
            grammar.try_accept(token).map_err(|_| out_of_grammar())?;
        }
        if let Some(count) = self.alternatives {
            let logits = context.get_logits_ith(index);
            self.logprobs.push(logprob(gguf, logits, token, usize::from(count)));
        }
        self.drawn += 1;
        if self.text.push(&vocabulary.token_to_piece(token, false, None)) {
            return Ok(Err(FinishReason::StopSequence));
        }
        if self.drawn >= self.limit {
            return Ok(Err(self.at_limit));
        }
        Ok(Ok(token))
    }

    /// Returns the answer so far as the whole answer.
    pub(super) fn finish(mut self, finish: FinishReason) -> Finished {
        self.logprobs.truncate(self.text.visible_tokens());
        Finished {
            text: self.text.into_text(),
            finish,
            logprobs: self.logprobs,
            tokens: self.drawn,
        }
    }

    fn draw(&mut self, context: &LlamaContext<'_>, index: i32) -> Result<LlamaToken, Failure> {
        let mut candidates = context.token_data_array_ith(index);
        if self.greedy {
            // The likeliest token usually fits the grammar; asking about it alone spares a walk
            // through the whole vocabulary and chooses the same token.
            candidates.apply_sampler(&mut self.draw);
            let Some(grammar) = &mut self.grammar else { return chosen(&candidates) };
            let best = chosen(&candidates)?;
            let mut alone = LlamaTokenDataArray::from_iter(
                candidates.selected.and_then(|at| candidates.data.get(at)).copied(),
                true,
            );
            alone.apply_sampler(grammar);
            if alone.data.first().is_some_and(|only| only.logit().is_finite()) {
                return Ok(best);
            }
            candidates.selected = None;
        }
        if let Some(grammar) = &mut self.grammar {
            candidates.apply_sampler(grammar);
        }
        candidates.apply_sampler(&mut self.draw);
        let possible = candidates.selected.and_then(|at| candidates.data.get(at));
        if possible.is_none_or(|token| !token.logit().is_finite()) {
            return Err(out_of_grammar());
        }
        chosen(&candidates)
    }
}

fn chosen(candidates: &LlamaTokenDataArray) -> Result<LlamaToken, Failure> {
    candidates
        .selected_token()
        .ok_or_else(|| failure(FailureKind::LocalModel, "llama.cpp found no likeliest token", None))
}

fn out_of_grammar() -> Failure {
    failure(
        FailureKind::InvalidRequest,
        "no token of the model can continue an answer of this schema",
        Some("simplify the schema"),
    )
}

/// Top-k, then top-p, then temperature, then a draw: llama.cpp's own order.
fn random(body: &Body, seed: u64) -> LlamaSampler {
    let mut chain = Vec::new();
    if let Some(k) = body.top_k {
        chain.push(LlamaSampler::top_k(i32::try_from(k).unwrap_or(i32::MAX)));
    }
    if let Some(p) = body.top_p {
        chain.push(LlamaSampler::top_p(single(p), 1));
    }
    chain.push(LlamaSampler::temp(single(body.temperature)));
    chain.push(LlamaSampler::dist(fold(seed)));
    LlamaSampler::chain(chain, true)
}

#[expect(clippy::cast_possible_truncation, reason = "llama.cpp samples in single precision")]
fn single(value: f64) -> f32 {
    value as f32
}

/// Folds a seed into the 32 bits that llama.cpp takes. Its largest value would mean "any seed".
#[expect(clippy::cast_possible_truncation, reason = "the upper half is folded into the lower")]
fn fold(seed: u64) -> u32 {
    let folded = (seed ^ (seed >> 32)) as u32;
    if folded == u32::MAX { u32::MAX - 1 } else { folded }
}

fn grammar(gguf: &Gguf, body: &Body) -> Result<Option<LlamaSampler>, Failure> {
    let Some(schema) = &body.schema else { return Ok(None) };
    let grammar = grammar_of(schema).map_err(|error| {
        failure(FailureKind::InvalidRequest, error.message, error.hint.as_deref())
    })?;
    match LlamaSampler::grammar(&gguf.model, &grammar, "root") {
        Ok(sampler) => Ok(Some(sampler)),
        Err(_) => Err(failure(
            FailureKind::InvalidRequest,
            "llama.cpp does not accept the grammar of the output schema",
            Some("simplify the schema: fewer repetitions, fewer alternatives"),
        )),
    }
}

/// Returns a token's log-probability under the model itself, before temperature and grammar.
fn logprob(gguf: &Gguf, logits: &[f32], token: LlamaToken, alternatives: usize) -> TokenLogprob {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|logit| f64::from(logit - largest).exp()).sum();
    let normalizer = f64::from(largest) + sum.ln();
    let of = |index: usize| (f64::from(logits[index]) - normalizer).min(0.0);
    let text = |id: i32| {
        let piece = gguf.model.vocab().token_to_piece(LlamaToken::new(id), true, None);
        String::from_utf8_lossy(&piece).into_owned()
    };
    let mut order: Vec<i32> = (0..).take(logits.len()).collect();
    let by_likelihood = |a: &i32, b: &i32| {
        let logit = |id: &i32| usize::try_from(*id).map_or(f32::NEG_INFINITY, |at| logits[at]);
        logit(b).total_cmp(&logit(a)).then(a.cmp(b))
    };
    let count = alternatives.min(order.len());
    if count > 0 && count < order.len() {
        order.select_nth_unstable_by(count - 1, by_likelihood);
    }
    order.truncate(count);
    order.sort_unstable_by(by_likelihood);
    let at = |id: i32| usize::try_from(id).map_or(f64::NEG_INFINITY, of);
    TokenLogprob {
        token: text(token.0),
        logprob: at(token.0),
        top: order.into_iter().map(|id| (text(id), at(id))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_seeds_stay_apart_and_none_means_any() {
        assert_eq!(fold(7), 7);
        assert_ne!(fold(1 << 32), fold(0));
        assert_ne!(fold(u64::from(u32::MAX)), u32::MAX);
    }
}
