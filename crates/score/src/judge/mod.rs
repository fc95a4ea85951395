//! Judges: prompts whose answer is a score of another output, or a choice between two.
//!
//! [`read_judge`] finds in a prompt's schemas what it sees and what it answers, [`judge_variables`] and
//! [`pair_variables`] bind outputs so that they cannot end their own quotation, and [`Judge::read`]
//! turns the reply into a result. Nothing is guessed from prose, and thresholds are applied here, not
//! by the model. [`jury`] makes one result of several judges'. Not here: calling the model, and where
//! results are kept.

mod answer;
mod bind;
mod find;
mod jury;
mod likelihood;
mod reply;

#[cfg(test)]
mod tests;

pub use bind::{FENCE, bind_rendered, fence, judge_variables, pair_variables};
pub use find::{read_judge, sees_rendered};
pub use jury::{JuryMember, judge_version, jury, jury_version};
pub use reply::in_own_order;

use crate::Outcome;

/// What a judge sees and answers, read from its prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    /// What it looks at.
    pub sees: Sees,
    /// The form of its answer.
    pub answer: JudgeAnswer,
    /// Whether its prompt asks for log-probabilities. The probability of a verdict is then read from
    /// those of its token.
    pub asks_logprobs: bool,
}

/// What a judge looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sees {
    /// One output, `output`.
    One,
    /// Two outputs of one case, `output_a` and `output_b`, in the order in which they are shown.
    Pair,
}

/// The form of a judge's answer, besides its reason.
#[derive(Debug, Clone, PartialEq)]
pub enum JudgeAnswer {
    /// `verdict`: `pass` or `fail`.
    Verdict,
    /// `score`: a number in a range, which becomes a share of it.
    Score {
        /// The least.
        low: f64,
        /// The greatest, more than `low`.
        high: f64,
    },
    /// `category`: one of these.
    Category {
        /// All of them, at least two.
        categories: Vec<String>,
    },
    /// `probability`: that of pass, in 0..=1.
    Probability,
    /// `preference`: which of two outputs is better, `a` for the one shown first.
    Preference {
        /// Whether it may say `tie`.
        ties: bool,
    },
    /// `criteria`: an answer on each of several criteria, none of them a preference or criteria again.
    Criteria {
        /// By name, in the order of the schema; at least one.
        criteria: Vec<(String, JudgeAnswer)>,
    },
}

/// What a judge said.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The result; [`Outcome::Unreadable`] if the reply says nothing that can be read. A preference is
    /// the category `a`, `b` or `tie`, by the order in which the outputs were shown.
    pub outcome: Outcome,
    /// The probability of pass, if the judge gives one.
    pub probability: Option<f64>,
    /// Its reason, or what is wrong with its reply: one line of at most
    /// [`crate::MAX_REASON_CHARS`] characters.
    pub reason: String,
}

impl Judge {
    /// Returns the criteria that it answers by name; none if it answers on one that it does not name.
    pub fn criteria(&self) -> impl Iterator<Item = &str> {
        let named = match &self.answer {
            JudgeAnswer::Criteria { criteria } => criteria.as_slice(),
            _ => &[],
        };
        named.iter().map(|(name, _)| name.as_str())
    }
}
