//! What a test finds, before it becomes a score.

use crate::outcome::{MAX_REASON_CHARS, Outcome};
use crate::quote::shorten;

/// What a test finds and why. The reason states a fact, so that it reads well when it is negated.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finding {
    pub(crate) found: Found,
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Found {
    Pass,
    Fail,
    /// A share in 0..=1.
    Number(f64),
    Unknown(Unknown),
}

/// Why a test has no answer, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Unknown {
    /// The part that it looks at is not there. It becomes a fail, which `not` does not turn round:
    /// an output without an answer must not pass a check that the answer is not something.
    MissingPart,
    Skipped,
    Unreadable,
    Error,
}

impl Finding {
    pub(crate) fn pass(reason: impl Into<String>) -> Self {
        Self { found: Found::Pass, reason: reason.into() }
    }

    pub(crate) fn fail(reason: impl Into<String>) -> Self {
        Self { found: Found::Fail, reason: reason.into() }
    }

    pub(crate) fn decided(passed: bool, reason: impl Into<String>) -> Self {
        if passed { Self::pass(reason) } else { Self::fail(reason) }
    }

    pub(crate) fn unknown(why: Unknown, reason: impl Into<String>) -> Self {
        Self { found: Found::Unknown(why), reason: reason.into() }
    }

    pub(crate) fn error(reason: impl Into<String>) -> Self {
        Self::unknown(Unknown::Error, reason)
    }

    pub(crate) fn skipped(reason: impl Into<String>) -> Self {
        Self::unknown(Unknown::Skipped, reason)
    }

    pub(crate) fn number(value: f64, reason: impl Into<String>) -> Self {
        Self { found: Found::Number(value.clamp(0.0, 1.0)), reason: reason.into() }
    }

    pub(crate) fn negated(self) -> Self {
        match self.found {
            Found::Pass => Self::fail(format!("not wanted: {}", self.reason)),
            Found::Fail => Self::pass(self.reason),
            Found::Number(value) => Self::number(1.0 - value, format!("1 minus: {}", self.reason)),
            Found::Unknown(_) => self,
        }
    }

    /// Turns a number into pass or fail, where a threshold says how.
    pub(crate) fn against(self, threshold: Option<f64>) -> Self {
        match (self.found, threshold) {
            (Found::Number(value), Some(threshold)) => {
                let passed = value >= threshold;
                let relation = if passed { "reaches" } else { "is below" };
                let reason = format!("{}, which {relation} the threshold {threshold}", self.reason);
                Self::decided(passed, reason)
            }
            _ => self,
        }
    }

    pub(crate) fn into_outcome(self) -> (Outcome, String) {
        let outcome = match self.found {
            Found::Pass => Outcome::Pass,
            Found::Fail | Found::Unknown(Unknown::MissingPart) => Outcome::Fail,
            Found::Number(value) => Outcome::Number { value },
            Found::Unknown(Unknown::Skipped) => Outcome::Skipped,
            Found::Unknown(Unknown::Unreadable) => Outcome::Unreadable,
            Found::Unknown(Unknown::Error) => Outcome::Error,
        };
        (outcome, shorten(&self.reason, MAX_REASON_CHARS))
    }
}
