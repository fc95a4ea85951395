use evalset::check::Combination;
use evalset::{Combine, Criterion, CriterionKind, ScoreSource};

use crate::combine::combine;
use crate::finding::{Finding, Found, Unknown};
use crate::outcome::{Outcome, Score, Status};

/// Sums of doubles differ in their last digits with their order; a mean this close to a threshold
/// reaches it.
const ROUNDING: f64 = 1e-12;

/// One score on a criterion, and what it counts there.
#[derive(Debug, Clone, Copy)]
pub struct Contribution<'a> {
    /// The check's or judge's name; for people, anything that names them together.
    pub name: &'a str,
    /// How much it counts in a weighted criterion, more than 0.
    pub weight: f64,
    /// The score.
    pub score: &'a Score,
}

/// What is decided on a criterion for one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct CriterionResult {
    /// The status by the source that the criterion declares.
    pub status: Status,
    /// The combined result of that source; `None` if it gave no score.
    pub outcome: Option<Outcome>,
    /// Why.
    pub reason: String,
    /// What the other sources say. Shown, and counted nowhere.
    pub beside: Vec<Sided>,
}

/// What a source that does not count says on a criterion.
#[derive(Debug, Clone, PartialEq)]
pub struct Sided {
    /// The source.
    pub source: ScoreSource,
    /// The status that it would give.
    pub status: Status,
    /// Its combined result.
    pub outcome: Outcome,
    /// Why.
    pub reason: String,
}

/// Combines the scores of one cell on one criterion.
///
/// Scores of the declared source decide, by `all`, `any` or a weighted mean; those of each other source
/// are combined in the same way and kept beside. A criterion's threshold turns a number into pass or
/// fail; a number without one decides nothing, which is the status `no checks`, and so is a category
/// of a criterion that lists none as passing. A category that the criterion does not know is
/// `unreadable`. An error, unreadable or skipped score makes the result the same, the worst first,
/// unless the other scores decide it whatever that one would have been.
pub fn criterion_result(
    criterion: &Criterion,
    contributions: &[Contribution<'_>],
) -> CriterionResult {
    let of = |source| by_source(criterion, source, contributions);
    let beside = ScoreSource::ALL
        .into_iter()
        .filter(|source| *source != criterion.source)
        .filter_map(|source| {
            let (outcome, reason) = of(source)?;
            Some(Sided { source, status: outcome.status(), outcome, reason })
        })
        .collect();
    match of(criterion.source) {
        Some((outcome, reason)) => {
            let status = outcome.status();
            CriterionResult { status, outcome: Some(outcome), reason, beside }
        }
        None => CriterionResult {
            status: Status::NoChecks,
            outcome: None,
            reason: format!("no {} score on this criterion", criterion.source.name()),
            beside,
        },
    }
}

fn by_source(
    criterion: &Criterion,
    source: ScoreSource,
    contributions: &[Contribution<'_>],
) -> Option<(Outcome, String)> {
    let counting: Vec<_> = contributions.iter().filter(|one| one.score.source == source).collect();
    if let Some(described) = only_described(criterion, &counting) {
        return Some(described);
    }
    let is_one = counting.len() == 1;
    let findings: Vec<Finding> = counting
        .iter()
        .map(|one| {
            let mut finding = read(criterion, one.score);
            if !is_one {
                finding.reason = format!("`{}`: {}", one.name, finding.reason);
            }
            finding
        })
        .collect();
    if findings.is_empty() {
        return None;
    }
    let combined = match criterion.combine {
        Combine::All => combine(Combination::All, findings).against(criterion.threshold),
        Combine::Any => combine(Combination::Any, findings).against(criterion.threshold),
        Combine::Weighted => {
            let weights: Vec<_> = counting.iter().map(|one| one.weight).collect();
            weighted(&weights, findings, criterion.threshold)
        }
    };
    Some(combined.into_outcome())
}

/// Returns a category that only describes: there is no pass or fail to combine it to.
fn only_described(
    criterion: &Criterion,
    counting: &[&Contribution<'_>],
) -> Option<(Outcome, String)> {
    let CriterionKind::Categorical { categories, passing } = &criterion.kind else { return None };
    let [one] = counting else { return None };
    let Outcome::Category { name } = &one.score.outcome else { return None };
    let describes = passing.is_empty() && categories.contains(name);
    describes.then(|| (one.score.outcome.clone(), one.score.reason.clone()))
}

/// Reads a score by what the criterion's values mean.
fn read(criterion: &Criterion, score: &Score) -> Finding {
    let reason = score.reason.clone();
    match &score.outcome {
        Outcome::Pass => Finding::pass(reason),
        Outcome::Fail => Finding::fail(reason),
        Outcome::Number { value } if value.is_finite() => Finding::number(*value, reason),
        Outcome::Number { .. } => {
            Finding::unknown(Unknown::Unreadable, format!("the number is not finite; {reason}"))
        }
        Outcome::Error => Finding::error(reason),
        Outcome::Unreadable => Finding::unknown(Unknown::Unreadable, reason),
        Outcome::Skipped => Finding::skipped(reason),
        Outcome::Category { name } => match &criterion.kind {
            CriterionKind::Categorical { categories, passing } if categories.contains(name) => {
                if passing.is_empty() {
                    let reason =
                        format!("`{name}`, and the criterion says of no category that it passes");
                    return Finding::skipped(reason);
                }
                Finding::decided(passing.contains(name), format!("`{name}`; {reason}"))
            }
            _ => {
                let reason = format!("the criterion has no category `{name}`; {reason}");
                Finding::unknown(Unknown::Unreadable, reason)
            }
        },
    }
}

/// Returns the weighted mean, a pass counting as 1 and a fail as 0.
///
/// With unknown scores the mean lies between two bounds; if both are on one side of the threshold, the
/// result is known all the same.
pub(crate) fn weighted(
    weights: &[f64],
    mut findings: Vec<Finding>,
    threshold: Option<f64>,
) -> Finding {
    if findings.len() == 1
        && let Some(only) = findings.pop()
    {
        return only.against(threshold);
    }
    let total: f64 = weights.iter().sum();
    let mean = |unknown: f64| {
        let share = |finding: &Finding| match finding.found {
            Found::Pass => 1.0,
            Found::Fail => 0.0,
            Found::Number(value) => value,
            Found::Unknown(_) => unknown,
        };
        let sum: f64 =
            findings.iter().zip(weights).map(|(finding, weight)| weight * share(finding)).sum();
        sum / total
    };
    let (low, high) = (mean(0.0), mean(1.0));
    let worst = findings
        .iter()
        .filter_map(|finding| match finding.found {
            Found::Unknown(why) => Some((why, finding)),
            _ => None,
        })
        .max_by_key(|(why, _)| *why);
    let count = findings.len();
    match (worst, threshold) {
        (None, _) => {
            let about = format!("the weighted mean of {count} scores is {low:.3}");
            Finding::number(low + if threshold.is_some() { ROUNDING } else { 0.0 }, about)
                .against(threshold)
        }
        (Some(_), Some(threshold)) if low + ROUNDING >= threshold => Finding::pass(format!(
            "the weighted mean of {count} scores is at least {low:.3}, which reaches the threshold {threshold}"
        )),
        (Some(_), Some(threshold)) if high + ROUNDING < threshold => Finding::fail(format!(
            "the weighted mean of {count} scores is at most {high:.3}, which is below the threshold {threshold}"
        )),
        (Some((why, finding)), _) => Finding::unknown(
            why,
            format!(
                "the weighted mean of {count} scores lies between {low:.3} and {high:.3}: {}",
                finding.reason
            ),
        ),
    }
}

/// Returns the status of a cell.
///
/// `error` if generating failed. Else the status of the primary criterion, `no checks` if nothing
/// scored it. Without a primary criterion the first of fail, error, unreadable, pass, skipped that
/// any criterion has; `no checks` if none has one.
pub fn cell_status(
    generation_failed: bool,
    primary: Option<&str>,
    criteria: &[(&str, Status)],
) -> Status {
    const BY_WEIGHT: [Status; 5] =
        [Status::Fail, Status::Error, Status::Unreadable, Status::Pass, Status::Skipped];
    if generation_failed {
        return Status::Error;
    }
    if let Some(primary) = primary {
        let found = criteria.iter().find(|(name, _)| *name == primary);
        return found.map_or(Status::NoChecks, |(_, status)| *status);
    }
    let has = |status: &Status| criteria.iter().any(|(_, found)| found == status);
    BY_WEIGHT.into_iter().find(has).unwrap_or(Status::NoChecks)
}
