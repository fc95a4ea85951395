//! Rates with their intervals and the shapes of distributions, for tables and plots.

use std::collections::HashMap;

use analysis::{
    CaseResults, Comparison, CriterionComparison, MeanEstimate, VariantResults, cluster_numbers,
};
use serde::Serialize;
use stats::{Level, clustered_mean_interval};
use values::Interval;

use crate::plot::{LatencyShape, ScoreHistogram, VariantPoint};

/// The rate of one side on a criterion, over the compared cases.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Rate {
    /// The mean of the case means, a share.
    pub rate: f64,
    /// Its interval; `None` if there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// The cases that it rests on.
    pub cases: usize,
}

/// Both sides on a criterion, each by itself.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CriterionFigures {
    /// The criterion.
    pub criterion: String,
    /// The baseline's rate; `None` if nothing is compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Rate>,
    /// The candidate's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub candidate: Option<Rate>,
    /// The case scores of baseline and candidate, where they are more than pass and fail.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scores: Option<[ScoreHistogram; 2]>,
}

/// Latencies of both sides, where both are measured or both are of recordings.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Latencies {
    /// The baseline's.
    pub baseline: LatencyShape,
    /// The candidate's.
    pub candidate: LatencyShape,
}

/// Returns the figures of every criterion.
pub(crate) fn criteria(
    comparison: &Comparison,
    baseline: &VariantResults,
    candidate: &VariantResults,
) -> Vec<CriterionFigures> {
    let level = Level::of_confidence(comparison.confidence).unwrap_or(Level::P95);
    comparison
        .criteria
        .iter()
        .map(|criterion| CriterionFigures {
            criterion: criterion.criterion.clone(),
            baseline: compared_rate(criterion, baseline, level),
            candidate: compared_rate(criterion, candidate, level),
            scores: scores(criterion),
        })
        .collect()
}

/// Returns the latencies of both sides, unless only one side's were measured in its own run.
pub(crate) fn latencies(
    baseline: &VariantResults,
    candidate: &VariantResults,
) -> Option<Latencies> {
    let of = |results: &VariantResults| {
        let measured = || {
            let samples = results.cases.iter().flat_map(|case| &case.samples);
            samples.filter_map(|sample| sample.measured)
        };
        let is_live = measured().any(|one| one.live && one.latency_ms.is_some());
        let same = measured().filter(|one| one.live == is_live);
        let found: Vec<f64> =
            same.filter_map(|one| one.latency_ms).map(|latency| latency as f64).collect();
        Some((is_live, LatencyShape::of(&found)?))
    };
    let ((a_live, a), (b_live, b)) = (of(baseline)?, of(candidate)?);
    (a_live == b_live).then_some(Latencies { baseline: a, candidate: b })
}

/// Returns where a variant stands between cost and quality, if all its costs are known.
pub(crate) fn point(results: &VariantResults, level: Level) -> Option<VariantPoint> {
    let primary = results.primary?;
    let decided: Vec<&CaseResults> =
        results.cases.iter().filter(|case| case.mean(primary).is_some()).collect();
    let rate = rate(&decided, primary, level)?;
    let costs = decided.iter().map(|case| mean_cost(case)).collect::<Option<Vec<f64>>>()?;
    let cost =
        clustered_mean_interval(&costs, &cluster_numbers(decided.iter().copied()), level).ok()?;
    Some(VariantPoint {
        name: results.variant.name.clone(),
        rate: rate.rate,
        rate_interval: rate.interval,
        cases: rate.cases,
        cost: cost.mean.ok()?,
        cost_interval: cost.interval.ok().filter(|_| !cost.zero_variance),
    })
}

/// Returns the mean cost of a case's outputs in dollars, if it has any and all are known.
fn mean_cost(case: &CaseResults) -> Option<f64> {
    let costs = case.samples.iter().filter_map(|sample| sample.measured).map(|one| one.cost);
    let costs = costs.collect::<Option<Vec<_>>>()?;
    let total: values::NanoDollars = costs.iter().copied().sum();
    (!costs.is_empty()).then(|| total.get() as f64 / 1e9 / costs.len() as f64)
}

fn compared_rate(
    criterion: &CriterionComparison,
    results: &VariantResults,
    level: Level,
) -> Option<Rate> {
    let place = results.criterion(&criterion.criterion)?;
    let cases: HashMap<&str, &CaseResults> =
        results.cases.iter().map(|case| (case.id.as_str(), case)).collect();
    let compared = criterion.square.cases.iter();
    let compared: Vec<&CaseResults> =
        compared.filter_map(|case| cases.get(case.id.as_str()).copied()).collect();
    rate(&compared, place, level)
}

/// Returns the mean of case means; `None` if a case has none.
fn rate(cases: &[&CaseResults], criterion: usize, level: Level) -> Option<Rate> {
    let means = cases.iter().map(|case| case.mean(criterion)).collect::<Option<Vec<f64>>>()?;
    let clusters = cluster_numbers(cases.iter().copied());
    let is_single = cases.iter().all(|case| case.samples.len() == 1);
    let found = MeanEstimate::of_shares(&means, &clusters, is_single, level).ok()?;
    Some(Rate { rate: found.mean.value()?, interval: found.interval.value(), cases: found.cases })
}

fn scores(criterion: &CriterionComparison) -> Option<[ScoreHistogram; 2]> {
    let cases = &criterion.square.cases;
    let is_between = |mean: f64| mean > 0.0 && mean < 1.0;
    let graded = |case: &analysis::PairedCase| {
        is_between(case.baseline.mean) || is_between(case.candidate.mean)
    };
    cases.iter().any(graded).then(|| {
        [
            ScoreHistogram::of(cases.iter().map(|case| case.baseline.mean)),
            ScoreHistogram::of(cases.iter().map(|case| case.candidate.mean)),
        ]
    })
}
