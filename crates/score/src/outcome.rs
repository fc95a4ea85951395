use std::fmt;

use chat::FinishReason;
use evalset::ScoreSource;
use serde::{Deserialize, Serialize};

/// The most characters of a reason.
pub const MAX_REASON_CHARS: usize = 600;

/// The status of a cell or of a criterion. Never merged, never averaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It passed.
    Pass,
    /// It failed.
    Fail,
    /// A provider or a program failed.
    Error,
    /// The judge's or the check's answer could not be parsed.
    Unreadable,
    /// It could not be decided: what it asks about is not known here.
    Skipped,
    /// Nothing decides pass or fail: no check at all, or only numbers without a threshold.
    NoChecks,
}

impl Status {
    /// Every status, in the order in which they are listed.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Fail, Self::Error, Self::Unreadable, Self::Skipped, Self::NoChecks];

    /// Returns the word for the status.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Unreadable => "unreadable",
            Self::Skipped => "skipped",
            Self::NoChecks => "no checks",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// The result of one check, judge or person.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Outcome {
    /// It passed.
    Pass,
    /// It failed.
    Fail,
    /// A measured share in 0..=1 that nothing turned into pass or fail.
    Number {
        /// The share.
        value: f64,
    },
    /// One of a criterion's categories.
    Category {
        /// Its name.
        name: String,
    },
    /// A provider or a program failed.
    Error,
    /// The answer could not be parsed.
    Unreadable,
    /// What it asks about is not known here.
    Skipped,
}

impl Outcome {
    /// Returns the status that this result alone gives.
    ///
    /// A number or a category decides nothing until a threshold or a criterion says what passes.
    pub const fn status(&self) -> Status {
        match self {
            Self::Pass => Status::Pass,
            Self::Fail => Status::Fail,
            Self::Error => Status::Error,
            Self::Unreadable => Status::Unreadable,
            Self::Skipped => Status::Skipped,
            Self::Number { .. } | Self::Category { .. } => Status::NoChecks,
        }
    }
}

/// The result of one check, judge or person for one cell, and why.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The result.
    pub outcome: Outcome,
    /// Why: one line of at most [`MAX_REASON_CHARS`] characters, free of control characters.
    pub reason: String,
    /// Who says so.
    pub source: ScoreSource,
    /// Why the output is not a whole answer, if it is none. The score is that of what there is, and
    /// whoever counts wrong answers can leave these out.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unfinished: Option<FinishReason>,
}
