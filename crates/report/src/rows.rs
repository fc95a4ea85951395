//! One row a case and criterion, as JUnit and CSV list them.

use std::collections::{HashMap, HashSet};

use analysis::{CaseResults, Change, Comparison, Open, Value, VariantResults};
use score::Status;
use serde::Serialize;

/// A case on one criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The case.
    pub case: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// The criterion.
    pub criterion: String,
    /// What became of it, where both sides are decided and compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// The baseline; `None` if it does not have the case.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<RowSide>,
    /// The candidate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<RowSide>,
}

/// What one side made of a case on one criterion.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct RowSide {
    /// The status of its samples together.
    pub status: RowStatus,
    /// The mean of the decided samples, a share in 0..=1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// How many samples passed.
    pub passed: usize,
    /// How many are decided.
    pub decided: usize,
    /// How many there are.
    pub samples: usize,
}

/// The status of the samples of a case together: that of the first of these that any sample has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RowStatus {
    /// A provider or a program failed.
    Error,
    /// The judge's or the check's answer could not be parsed.
    Unreadable,
    /// A sample has no outcome.
    Missing,
    /// It failed.
    Fail,
    /// People disagree on it, and nobody adjudicated.
    Disputed,
    /// Somebody chose it for labelling, and other outputs have no label.
    NotDrawn,
    /// It was drawn for labelling with another chance than others, and some have no label.
    UnequallyDrawn,
    /// It could not be decided.
    Skipped,
    /// Nothing decides pass or fail.
    NoChecks,
    /// A grade between failing and passing.
    Graded,
    /// Every sample passed, or of those that people were asked about every one.
    Pass,
    /// Nobody has labelled a sample of it.
    Unlabelled,
}

impl RowStatus {
    /// Returns the word for the status.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => Status::Error.word(),
            Self::Unreadable => Status::Unreadable.word(),
            Self::Missing => "missing",
            Self::Fail => Status::Fail.word(),
            Self::Skipped => Status::Skipped.word(),
            Self::NoChecks => Status::NoChecks.word(),
            Self::Disputed => "people disagree",
            Self::NotDrawn => "not drawn by chance",
            Self::UnequallyDrawn => "drawn with unequal chances",
            Self::Unlabelled => "unlabelled",
            Self::Graded => "graded",
            Self::Pass => Status::Pass.word(),
        }
    }

    fn of(value: Value) -> Self {
        match value {
            Value::Number(number) if number >= 1.0 => Self::Pass,
            Value::Number(number) if number <= 0.0 => Self::Fail,
            Value::Number(_) => Self::Graded,
            Value::Pending => Self::Missing,
            Value::Open(Open::Unlabelled) => Self::Unlabelled,
            Value::Open(Open::Disputed) => Self::Disputed,
            Value::Open(Open::NotDrawn) => Self::NotDrawn,
            Value::Open(Open::UnequallyDrawn) => Self::UnequallyDrawn,
            Value::Not(Status::Unreadable) => Self::Unreadable,
            Value::Not(Status::Skipped) => Self::Skipped,
            Value::Not(Status::NoChecks) => Self::NoChecks,
            Value::Not(Status::Error | Status::Pass | Status::Fail) => Self::Error,
        }
    }
}

impl RowSide {
    fn of(case: &CaseResults, criterion: usize) -> Self {
        let values = || case.values(criterion);
        Self {
            status: values().map(RowStatus::of).min().unwrap_or(RowStatus::Missing),
            mean: case.mean(criterion),
            passed: values().filter(|value| RowStatus::of(*value) == RowStatus::Pass).count(),
            decided: values().filter_map(Value::number).count(),
            samples: case.samples.len(),
        }
    }
}

/// Returns the rows of all criteria, those of the candidate's cases first, in plan order.
pub(crate) fn rows(
    comparison: &Comparison,
    baseline: &VariantResults,
    candidate: &VariantResults,
) -> Vec<Row> {
    let places: HashMap<&str, &CaseResults> =
        baseline.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let own: HashSet<&str> = candidate.cases.iter().map(|case| case.id.as_str()).collect();
    let mut rows = Vec::new();
    for compared in &comparison.criteria {
        let changes: HashMap<&str, Change> =
            compared.square.cases.iter().map(|case| (case.id.as_str(), case.change)).collect();
        let name = compared.criterion.as_str();
        let (of_baseline, of_candidate) = (baseline.criterion(name), candidate.criterion(name));
        let row =
            |case: &CaseResults, before: Option<&CaseResults>, now: Option<&CaseResults>| Row {
                case: case.id.clone(),
                tags: case.tags.clone(),
                criterion: name.to_owned(),
                change: changes.get(case.id.as_str()).copied(),
                baseline: before.zip(of_baseline).map(|(case, place)| RowSide::of(case, place)),
                candidate: now.zip(of_candidate).map(|(case, place)| RowSide::of(case, place)),
            };
        rows.extend(
            candidate
                .cases
                .iter()
                .map(|case| row(case, places.get(case.id.as_str()).copied(), Some(case))),
        );
        let missing = baseline.cases.iter().filter(|case| !own.contains(case.id.as_str()));
        rows.extend(missing.map(|case| row(case, Some(case), None)));
    }
    rows
}
