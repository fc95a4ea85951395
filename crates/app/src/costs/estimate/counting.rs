//! Counting what calls take in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use catalog::{OpenaiCounter, ProviderSettings, input_token_bound};
use chat::{ModelRef, Protocol, Request};
use run::PlannedCell;
use stats::{Level, mean_interval};
use values::ContentHash;

use super::history::History;
use super::{Basis, ESTIMATE_CONFIDENCE};
use crate::embedded::{PromptTokenizer, tokenizer};
use crate::plan::Plan;
use crate::port::RunCalls;
use crate::{App, AppError};

/// Bytes of a token at least and at most where nothing is known: dense scripts and code, plain English.
const BYTES_OF_A_TOKEN: (f64, f64) = (2.0, 6.0);
/// Answers from which a ratio is learned.
const LEARNED_FROM: usize = 5;

/// Input tokens of one call.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Counted {
    pub(super) low: f64,
    pub(super) likely: f64,
    pub(super) high: f64,
    is_exact: bool,
}

impl Counted {
    fn exactly(tokens: u64) -> Self {
        let tokens = tokens as f64;
        Self { low: tokens, likely: tokens, high: tokens, is_exact: true }
    }
}

/// The tokenizers of model files by `provider/model`: a file is read once, however many variants use it.
pub(super) type Tokenizers = BTreeMap<String, Arc<PromptTokenizer>>;

/// What counts the calls of a variant.
pub(super) enum Counter {
    /// Nothing: nothing is sent, or nobody can say.
    None,
    /// The tokenizer of the model's own file.
    File(Arc<PromptTokenizer>),
    /// What is known of a model behind an interface.
    Model {
        /// The tables of its vendor, where they are public.
        openai: Option<OpenaiCounter>,
        /// Tokens of a byte: low, likely, high.
        ratio: (f64, f64, f64),
        /// How the ratio is known.
        basis: Basis,
        /// What exactly this version took in, by case content.
        history: HashMap<ContentHash, u64>,
    },
}

impl Counter {
    pub(super) fn of(
        app: &App,
        plan: &Plan,
        settings: &ProviderSettings,
        model: &ModelRef,
        history: &History,
        opened: &mut Tokenizers,
    ) -> Result<Self, AppError> {
        if settings.protocol == Protocol::Embedded {
            if let Some(tokenizer) = opened.get(&model.to_string()) {
                return Ok(Self::File(Arc::clone(tokenizer)));
            }
            let own = app.settings()?;
            let grants = &plan.request.sending.grants;
            let file = tokenizer(&app.host, &own, grants, &plan.project, settings, &model.model)?;
            let file = Arc::new(file);
            opened.insert(model.to_string(), Arc::clone(&file));
            return Ok(Self::File(file));
        }
        let openai = match settings.protocol {
            Protocol::OpenaiChat | Protocol::OpenaiResponses => {
                OpenaiCounter::of_model(&model.model)
            }
            _ => None,
        };
        let (ratio, basis) = ratio_of(&history.ratios)?;
        let history = history.inputs_by_case.clone();
        Ok(Self::Model { openai, ratio, basis, history })
    }

    /// Counts the input of a cell's call; `None` if nobody can say.
    pub(super) fn count(
        &self,
        calls: &RunCalls,
        cell: &PlannedCell,
    ) -> Result<Option<Counted>, AppError> {
        if matches!(self, Self::None) {
            return Ok(None);
        }
        let refused = |failure| AppError::input(format!("the case `{}`: {failure}", cell.case_id));
        let Some((request, prepared)) = calls.request_now(cell).map_err(refused)? else {
            return Ok(None);
        };
        match self {
            Self::None => Ok(None),
            Self::File(tokenizer) => {
                let tokens = tokenizer.count_prompt_tokens(&prepared.call);
                let tokens = tokens.map_err(|failure| refused(Box::new(failure)))?;
                Ok(Some(Counted::exactly(tokens)))
            }
            Self::Model { openai, ratio, history, .. } => {
                if let Some(tokens) = history.get(&cell.case_hash) {
                    return Ok(Some(Counted::exactly(*tokens)));
                }
                let counted = openai.as_ref().and_then(|counter| counter.count_request(&request));
                Ok(counted.map(Counted::exactly).or_else(|| by_bytes(&request, *ratio)))
            }
        }
    }

    /// Tells how these counts are known.
    pub(super) fn basis(&self, inputs: &[Counted]) -> Basis {
        match self {
            Self::Model { basis, .. } if !inputs.iter().all(|one| one.is_exact) => *basis,
            _ => Basis::Counted,
        }
    }
}

fn by_bytes(request: &Request, (low, likely, high): (f64, f64, f64)) -> Option<Counted> {
    let bytes = input_token_bound(request).ok()? as f64;
    let (low, likely, high) = (bytes * low, bytes * likely, bytes * high);
    Some(Counted { low, likely, high, is_exact: false })
}

/// Returns tokens of a byte as answers of the model were counted, with the spread between calls: another
/// prompt may lie anywhere in it.
fn ratio_of(seen: &[f64]) -> Result<((f64, f64, f64), Basis), AppError> {
    let (most, least) = BYTES_OF_A_TOKEN;
    let rough = (least.recip(), 4f64.recip(), most.recip());
    if seen.len() < LEARNED_FROM {
        return Ok((rough, Basis::Rough));
    }
    let failed = |error: stats::InvalidInput| AppError::input(error.to_string());
    let level = Level::of_confidence(ESTIMATE_CONFIDENCE).map_err(failed)?;
    let mean = mean_interval(seen, level).map_err(failed)?;
    let (Ok(likely), Ok(interval)) = (mean.mean, mean.interval) else {
        return Ok((rough, Basis::Rough));
    };
    // The interval of the mean, widened to that of one further value.
    let spread = (interval.high() - likely) * (1.0 + seen.len() as f64).sqrt();
    let ratio = ((likely - spread).max(0.0), likely, likely + spread);
    Ok((ratio, Basis::Learned { answers: seen.len() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ratio_is_learned_with_its_spread_from_five_answers_on() {
        assert_eq!(ratio_of(&[0.3; 4]).unwrap().1, Basis::Rough);
        let ((low, likely, high), basis) = ratio_of(&[0.2, 0.25, 0.3, 0.25, 0.25]).unwrap();
        assert_eq!(basis, Basis::Learned { answers: 5 });
        assert!((likely - 0.25).abs() < 1e-12);
        assert!(low < 0.21 && low > 0.15 && high > 0.29 && high < 0.35, "{low} {high}");
    }
}
