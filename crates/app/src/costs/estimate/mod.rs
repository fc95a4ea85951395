//! What a run will take before it starts: tokens and money, as a range.
//!
//! Input is counted, by the model's own tokenizer where there is one. Output is predicted from earlier
//! answers of the same prompt on the same model; where there are none, from nothing to the most that the
//! call allows. Answers that the cache or a recording gives take nothing.

mod counting;
mod history;
mod money;

use std::path::Path;

use engine::CacheUse;
use serde::Serialize;
use stats::{Level, sum_prediction};

use self::counting::{Counted, Counter, Tokenizers};
use self::history::History;
pub use self::money::{Free, Money};
use self::money::{Price, Spread};
use crate::material::{Maker, ReadyVariant};
use crate::parts::in_parts;
use crate::plan::{PAGE, Plan, provider};
use crate::port::RunCalls;
use crate::{App, AppError, RunRequest};

/// How often a range is to hold what a run then takes.
pub const ESTIMATE_CONFIDENCE: f64 = 0.8;

/// What a run will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunEstimate {
    /// The eval set.
    pub eval_set: String,
    /// How often the ranges are to hold, as a share.
    pub confidence: f64,
    /// The variants.
    pub variants: Vec<CallsEstimate>,
    /// The judges, each for as many outputs as it may have to judge.
    pub judges: Vec<CallsEstimate>,
    /// What all of it costs; what nobody knows is in no amount.
    pub total: Money,
}

/// What the calls of a variant, or of a judge, will take.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CallsEstimate {
    /// The variant, or the judge.
    pub name: String,
    /// What answers: `provider/model`, or the target's name.
    pub answers: String,
    /// Calls that will be sent; of a judge, at most so many.
    pub calls: u64,
    /// Cells that the cache or a recording answers.
    pub known: u64,
    /// Input tokens of the calls; `None` where nobody can say.
    pub input: Option<Tokens>,
    /// Output tokens of the calls; `None` where nobody can say.
    pub output: Option<Tokens>,
    /// What they cost.
    pub cost: Money,
    /// The share by which failed attempts that were billed made earlier runs dearer; in the cost.
    pub retries: f64,
}

/// Tokens that are not spent yet.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tokens {
    /// The range.
    pub low: u64,
    /// As above.
    pub high: u64,
    /// How they are known.
    pub basis: Basis,
}

/// How tokens are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Basis {
    /// Counted by the model's own tokenizer, or by the provider in an earlier run of the same calls.
    Counted,
    /// From bytes, by what this project's answers of the model were counted at.
    Learned {
        /// The answers.
        answers: usize,
    },
    /// From bytes, by a rule of thumb.
    Rough,
    /// From earlier answers of the same prompt on the same model.
    Seen {
        /// The answers.
        answers: usize,
    },
    /// Not known: from nothing to the most that the calls allow.
    Bounds,
}

impl App {
    /// Tells what a run will take. Nothing is sent. Blocking.
    ///
    /// # Errors
    /// As [`App::plan`], or if a model file cannot be read that counts the tokens of its model.
    pub fn estimate(
        &self,
        folder: Option<&Path>,
        request: RunRequest,
    ) -> Result<RunEstimate, AppError> {
        let plan = self.plan(folder, request)?;
        self.estimate_plan(&plan)
    }

    pub(crate) fn estimate_plan(&self, plan: &Plan) -> Result<RunEstimate, AppError> {
        let calls = self.calls_of_plan(plan)?;
        let (mut all, mut opened) = (Vec::new(), Tokenizers::new());
        for ready in &plan.material.variants {
            all.push(self.group(plan, ready, &mut opened)?);
        }
        count(plan, &calls, &mut all)?;
        let variants: Vec<_> = all.into_iter().map(Group::estimate).collect::<Result<_, _>>()?;
        let outputs: u64 = plan.summary.variants.iter().map(|one| one.cells as u64).sum();
        let mut judges = Vec::new();
        for ready in &plan.judges {
            judges.push(self.group(plan, ready, &mut opened)?.of_judge(outputs)?);
        }
        let total = Money::total(variants.iter().chain(&judges).map(|one| &one.cost));
        Ok(RunEstimate {
            eval_set: plan.summary.set.clone(),
            confidence: ESTIMATE_CONFIDENCE,
            variants,
            judges,
            total,
        })
    }

    fn group(
        &self,
        plan: &Plan,
        ready: &ReadyVariant,
        opened: &mut Tokenizers,
    ) -> Result<Group, AppError> {
        let (answers, _) = crate::plan::described(&ready.variant.source);
        let name = ready.variant.name.clone();
        let Maker::Prompt(prompt) = &ready.maker else {
            return Ok(Group::unknown(name, answers));
        };
        let settings = provider(&plan.project, &prompt.model.provider)?;
        let history = History::of(&plan.store, &plan.material, &ready.variant)?;
        let counter = if plan.replay.is_some() {
            Counter::None
        } else {
            Counter::of(self, plan, settings, &prompt.model, &history, opened)?
        };
        let most = prompt.linked.prompt().front_matter.sampling.max_output_tokens;
        let most = settings.max_output_tokens(&prompt.model.model, most);
        let price = Price::of(settings, &prompt.model, plan.replay.is_some());
        Ok(Group { name, answers, counter, history, most, price, known: 0, cells: Vec::new() })
    }
}

/// The calls of one variant while they are counted.
struct Group {
    name: String,
    answers: String,
    counter: Counter,
    history: History,
    /// Output tokens of one call at most.
    most: u64,
    price: Price,
    known: u64,
    /// What each call to be sent takes in; `None` where nobody can say.
    cells: Vec<Option<Counted>>,
}

/// Looks each cell up, and counts those that will be sent.
fn count(plan: &Plan, calls: &RunCalls, groups: &mut [Group]) -> Result<(), AppError> {
    let look = !plan.header.replay && plan.request.sending.cache == CacheUse::On;
    let cache = look.then_some(&plan.store);
    let mut cells = plan.order.cells();
    loop {
        let page: Vec<_> = cells.by_ref().take(PAGE).collect();
        if page.is_empty() {
            return Ok(());
        }
        let shared = &*groups;
        let counted = in_parts(page.len(), |places| -> Result<Vec<_>, AppError> {
            let part = &page[places];
            let looked = crate::plan::look_up(part, calls, cache)?;
            let mut counted = Vec::with_capacity(part.len());
            for (cell, looked) in part.iter().zip(looked) {
                let group = usize::try_from(cell.variant).unwrap_or(usize::MAX);
                let input = match shared.get(group) {
                    Some(group) if !looked.is_known => group.counter.count(calls, cell)?,
                    _ => None,
                };
                counted.push((group, looked.is_known, input));
            }
            Ok(counted)
        });
        for part in counted {
            for (group, is_known, input) in part? {
                let Some(group) = groups.get_mut(group) else { continue };
                if is_known {
                    group.known += 1;
                } else {
                    group.cells.push(input);
                }
            }
        }
    }
}

impl Group {
    fn unknown(name: String, answers: String) -> Self {
        Self {
            name,
            answers,
            counter: Counter::None,
            history: History::default(),
            most: 0,
            price: Price::Unknown,
            known: 0,
            cells: Vec::new(),
        }
    }

    fn estimate(self) -> Result<CallsEstimate, AppError> {
        let calls = self.cells.len() as u64;
        let retries = self.history.retries();
        let inputs: Option<Vec<Counted>> = self.cells.iter().copied().collect();
        let Some(inputs) = inputs else {
            let cost = self.price.unknown(calls);
            let (name, answers, known) = (self.name, self.answers, self.known);
            return Ok(CallsEstimate {
                name,
                answers,
                calls,
                known,
                input: None,
                output: None,
                cost,
                retries,
            });
        };
        let output = predicted(&self.history.outputs(self.most), calls, self.most)?;
        let cost = self.price.of_calls(&inputs, &output, retries);
        let sum = |of: fn(&Counted) -> f64| whole(inputs.iter().map(of).sum::<f64>());
        let input = Tokens {
            low: sum(|one| one.low),
            high: sum(|one| one.high),
            basis: self.counter.basis(&inputs),
        };
        let output =
            Tokens { low: whole(output.low), high: whole(output.high), basis: output.basis };
        Ok(CallsEstimate {
            name: self.name,
            answers: self.answers,
            calls,
            known: self.known,
            input: Some(input),
            output: Some(output),
            cost,
            retries,
        })
    }

    /// Predicts the calls of a judge from what it was asked before: its input is what is not there yet.
    fn of_judge(self, outputs: u64) -> Result<CallsEstimate, AppError> {
        let retries = self.history.retries();
        let seen = self.history.inputs();
        let input = predicted(&seen, outputs, u64::MAX)?;
        let output = predicted(&self.history.outputs(self.most), outputs, self.most)?;
        let is_seen = seen.len() > 1;
        let cost = if is_seen {
            self.price.of_sums(&input, &output, outputs, retries)
        } else {
            self.price.unknown(outputs)
        };
        let tokens = |sum: &Spread| {
            is_seen.then(|| Tokens { low: whole(sum.low), high: whole(sum.high), basis: sum.basis })
        };
        Ok(CallsEstimate {
            input: tokens(&input),
            output: tokens(&output),
            name: self.name,
            answers: self.answers,
            calls: outputs,
            known: 0,
            cost,
            retries,
        })
    }
}

/// Predicts the sum of tokens of so many calls from those of earlier ones.
fn predicted(seen: &[f64], calls: u64, most: u64) -> Result<Spread, AppError> {
    let highest = calls as f64 * most as f64;
    let level = Level::of_confidence(ESTIMATE_CONFIDENCE)
        .map_err(|error| AppError::input(error.to_string()))?;
    let interval = sum_prediction(seen, calls, level)
        .map_err(|error| AppError::input(format!("no range can be computed: {error}")))?;
    Ok(match interval {
        Ok(interval) => Spread {
            low: interval.low().max(0.0),
            likely: f64::midpoint(interval.low(), interval.high()),
            high: interval.high().min(highest),
            basis: Basis::Seen { answers: seen.len() },
        },
        Err(_) => Spread { low: 0.0, likely: highest / 2.0, high: highest, basis: Basis::Bounds },
    })
}

/// Returns the nearest whole number, at least 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is negative becomes 0, and what is too large the largest number"
)]
fn whole(sum: f64) -> u64 {
    sum.round() as u64
}
