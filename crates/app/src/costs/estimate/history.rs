//! What earlier answers of a prompt on a model were counted at.

use std::collections::{HashMap, HashSet};

use run::{RunHeader, Variant, VariantSource};
use store::{AnswerUsage, Store};
use values::{ContentHash, NanoDollars};

use crate::AppError;
use crate::material::{Maker, Material, ready_from_store};

/// Runs that are looked through, the newest.
const RUNS: u32 = 50;
/// Answers that are looked at, of each prompt and for each model.
const ANSWERS: usize = 500;

/// What earlier answers took, the newest runs first.
#[derive(Default)]
pub(super) struct History {
    /// Of the same prompt, in whatever version, on the same model.
    same_prompt: Vec<AnswerUsage>,
    /// Input tokens of exactly this version, by case content.
    pub(super) inputs_by_case: HashMap<ContentHash, u64>,
    /// Tokens of a request's bytes, on the same model.
    pub(super) ratios: Vec<f64>,
    answers: NanoDollars,
    failures: NanoDollars,
}

impl History {
    /// Looks through the newest runs. Blocking.
    pub(super) fn of(
        store: &Store,
        material: &Material,
        variant: &Variant,
    ) -> Result<Self, AppError> {
        let VariantSource::Prompt { prompt, model, .. } = &variant.source else {
            return Ok(Self::default());
        };
        let mut found = Self::default();
        let mut seen = HashSet::new();
        for header in headers(store)? {
            for (place, other) in (0u32..).zip(&header.variants) {
                let VariantSource::Prompt { prompt: named, model: by, .. } = &other.source else {
                    continue;
                };
                let is_same = named == prompt;
                let wants_ratio = found.ratios.len() < ANSWERS && header.judging.is_none();
                if by != model || !(is_same && found.same_prompt.len() < ANSWERS || wants_ratio) {
                    continue;
                }
                let limit = u32::try_from(ANSWERS).unwrap_or(u32::MAX);
                let mut usage = store.usage_of(header.id, place, limit)?;
                usage.retain(|one| seen.insert((one.answer, is_same)));
                if wants_ratio {
                    found.learn(store, material, other, &usage)?;
                }
                if is_same {
                    let billed = store.billed_of(header.id, place)?;
                    found.answers = found.answers + billed.answers;
                    found.failures = found.failures + billed.failures;
                    if other.hash == variant.hash {
                        let inputs = usage.iter().map(|one| (one.case_hash, one.input_tokens));
                        found.inputs_by_case.extend(inputs);
                    }
                    found.same_prompt.append(&mut usage);
                }
            }
        }
        Ok(found)
    }

    /// Renders calls of an earlier version again, to see how many tokens their bytes were.
    fn learn(
        &mut self,
        store: &Store,
        material: &Material,
        variant: &Variant,
        usage: &[AnswerUsage],
    ) -> Result<(), AppError> {
        let Maker::Prompt(prompt) = ready_from_store(store, variant)?.maker else { return Ok(()) };
        for one in usage {
            // A case that has changed since would give other bytes than were sent.
            let case = material.cases.get(&one.case_id);
            let case = case.filter(|case| case.content_hash() == one.case_hash);
            let Some(request) = case.and_then(|case| prompt.request(case.variables(), 0).ok())
            else {
                continue;
            };
            if let Ok(bytes) = catalog::input_token_bound(&request) {
                self.ratios.push(one.input_tokens as f64 / bytes as f64);
            }
        }
        Ok(())
    }

    /// Returns the output tokens of each answer, as calls with such a limit would have had them.
    pub(super) fn outputs(&self, most: u64) -> Vec<f64> {
        self.same_prompt.iter().map(|one| one.output_tokens.min(most) as f64).collect()
    }

    /// Returns the input tokens of each answer.
    pub(super) fn inputs(&self) -> Vec<f64> {
        self.same_prompt.iter().map(|one| one.input_tokens as f64).collect()
    }

    /// Returns by which share billed failures made the answers dearer.
    pub(super) fn retries(&self) -> f64 {
        if self.answers <= NanoDollars::ZERO {
            return 0.0;
        }
        self.failures.get() as f64 / self.answers.get() as f64
    }
}

/// Returns the headers of the newest runs with those that judge them, the newest first.
fn headers(store: &Store) -> Result<Vec<RunHeader>, AppError> {
    let mut all = Vec::new();
    for header in store.run_headers(None, None, RUNS)? {
        all.extend(store.judging_runs(header.id)?.into_iter().rev());
        all.push(header);
    }
    Ok(all)
}
