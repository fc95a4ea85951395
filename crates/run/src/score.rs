use serde::{Deserialize, Serialize};
use values::ContentHash;

/// Where a finished cell stands. Statuses are never merged and never averaged together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellStatus {
    /// Its primary criterion is met.
    Pass,
    /// It is not.
    Fail,
    /// A provider or a program failed.
    Error,
    /// The answer of a judge or a check could not be read.
    Unreadable,
    /// It was not scored, on purpose.
    Skipped,
    /// There is nothing to score it by.
    NoChecks,
}

impl CellStatus {
    /// Every status, in the order in which people read them.
    pub const ALL: [Self; 6] =
        [Self::Pass, Self::Fail, Self::Error, Self::Unreadable, Self::Skipped, Self::NoChecks];
}

/// The result of one check, judge or person for one cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// The criterion that it serves.
    pub criterion: String,
    /// The check, judge or labeller that gave it.
    pub by: String,
    /// The hash of that check or judge as it was then; `None` for a person.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by_hash: Option<ContentHash>,
    /// What kind of instrument that is.
    pub source: ScoreSource,
    /// The result.
    pub value: ScoreValue,
    /// Why, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
}

/// What kind of instrument gave a score.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreSource {
    /// A check.
    Code,
    /// A judge.
    Judge,
    /// A person.
    Human,
}

/// The result that a check, a judge or a person came to, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ScoreValue {
    /// The criterion is met.
    Pass,
    /// It is not.
    Fail,
    /// A grade.
    Graded {
        /// In 0..=1.
        value: f64,
    },
    /// One of several categories.
    Category {
        /// The category.
        value: String,
    },
    /// The judge or the program failed.
    Error,
    /// Its answer could not be read.
    Unreadable,
    /// It was not asked.
    Skipped,
}
