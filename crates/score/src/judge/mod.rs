//! Judges: prompts whose answer is a score of another output.
//!
//! [`read_judge`] finds in a prompt's schemas what it sees and what it answers, [`judge_variables`]
//! binds the output so that it cannot end its own quotation, and [`Judge::read`] turns the reply into
//! a result. Nothing is guessed from prose, and thresholds are applied here, not by the model. Not
//! here: calling the model, and where results are kept.

mod bind;
mod find;
mod reply;

#[cfg(test)]
mod tests;

pub use bind::{FENCE, fence, judge_variables};
pub use find::read_judge;

use crate::Outcome;

/// What a judge answers, read from its prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Judge {
    /// The form of its answer.
    pub answer: JudgeAnswer,
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
}

/// What a judge said.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The result; [`Outcome::Unreadable`] if the reply says nothing that can be read.
    pub outcome: Outcome,
    /// The probability of pass, if the judge gives one.
    pub probability: Option<f64>,
    /// Its reason, or what is wrong with its reply: one line of at most
    /// [`crate::MAX_REASON_CHARS`] characters.
    pub reason: String,
}
