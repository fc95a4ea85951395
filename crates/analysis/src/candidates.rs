//! Several candidates against one baseline.

use serde::Serialize;
use stats::{InvalidInput, holm};
use values::{ContentHash, Interval};

use crate::compare::{CompareOptions, Comparison, LookHistory, PreparedComparison};
use crate::criterion::Shared;
use crate::decision::Decision;
use crate::estimate::Estimate;
use crate::measures::{Measure, MeasureComparison};
use crate::pairing::{Pairing, pair};
use crate::results::VariantResults;
use crate::steps::holm_steps;
use crate::verdict::Verdict;

/// Candidates side by side against one baseline.
///
/// The claim is that some candidate is better, so the primary criterion of all of them shares one
/// level by Holm's steps (STATS 1.9): ten that are no better would else show a false "better" in a
/// quarter of all tables.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Candidates {
    /// A row for each candidate, in the order in which they were handed in.
    pub rows: Vec<CandidateRow>,
    /// Their comparisons in the same order, the primary criterion decided at the level of its step.
    pub comparisons: Vec<Comparison>,
}

/// One candidate on the primary criterion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CandidateRow {
    /// The variant's name.
    pub name: String,
    /// The variant's hash.
    pub hash: ContentHash,
    /// The verdict; `None` where comparing would mislead.
    pub verdict: Option<Verdict>,
    /// The judges without trust whose opinion the verdict is; none if it is a finding.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub opinion_of: Vec<String>,
    /// The compared cases.
    pub cases: usize,
    /// The candidate's mean of case means, a share.
    pub rate: Option<f64>,
    /// Cases that score higher than with the baseline.
    pub fixed: usize,
    /// Cases that score lower.
    pub broke: usize,
    /// Candidate minus baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<Estimate<f64>>,
    /// Its interval, at the level of its step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Estimate<Interval>>,
    /// The level of the interval, a share.
    pub confidence: Option<f64>,
    /// The p-value corrected for the number of candidates, where there is one.
    pub adjusted_p: Option<f64>,
    /// The mean cost of a case in nano-dollars, if any is known.
    pub cost: Option<f64>,
    /// The 95th percentile of latency in milliseconds, if any is known.
    pub latency_p95: Option<f64>,
}

/// Compares candidates with one baseline; `histories` belong to them in order, and one that lacks is
/// empty.
///
/// # Errors
/// [`InvalidInput`] if there are more cases than the statistics allow.
pub fn compare_all(
    baseline: &VariantResults,
    candidates: &[&VariantResults],
    options: &CompareOptions,
    histories: &[LookHistory],
) -> Result<Candidates, InvalidInput> {
    let none = LookHistory::default();
    let pairings: Vec<Pairing> =
        candidates.iter().map(|candidate| pair(baseline, candidate)).collect();
    let each = candidates.iter().zip(&pairings).enumerate();
    let shared: Vec<Shared<'_>> = each
        .map(|(place, (candidate, pairing))| {
            Shared::of(baseline, candidate, pairing, histories.get(place).unwrap_or(&none))
        })
        .collect();
    let mut prepared = Vec::with_capacity(candidates.len());
    for ((candidate, pairing), shared) in candidates.iter().zip(&pairings).zip(&shared) {
        let sides = (baseline, *candidate);
        prepared.push(PreparedComparison::new(sides, pairing, shared, options)?);
    }
    let first = prepared
        .iter()
        .map(|one| one.decide_primary(options, options.level))
        .collect::<Result<Vec<_>, _>>()?;
    let p_values: Vec<Option<f64>> =
        first.iter().map(|one| one.and_then(|decision| decision.p_value.value())).collect();
    let adjusted_p = holm(&p_values, options.level)?.adjusted;
    let decisions = holm_steps(&first, options.level, |place, level| {
        prepared[place].decide_primary(options, level)
    })?;
    let mut answer = Candidates { rows: Vec::new(), comparisons: Vec::new() };
    for (place, one) in prepared.into_iter().enumerate() {
        let comparison = one.finish(decisions[place], options)?;
        answer.rows.push(CandidateRow::of(&comparison, decisions[place], adjusted_p[place]));
        answer.comparisons.push(comparison);
    }
    Ok(answer)
}

impl CandidateRow {
    fn of(comparison: &Comparison, decision: Option<Decision>, adjusted_p: Option<f64>) -> Self {
        let primary = comparison.primary();
        let measured =
            |measure: Measure| comparison.measures.iter().find(move |one| one.measure == measure);
        let cost = |one: &MeasureComparison| one.candidate.mean.mean.value();
        let p95 = |one: &MeasureComparison| one.candidate.p95.value.value();
        Self {
            name: comparison.candidate.variant.name.clone(),
            hash: comparison.candidate.variant.hash,
            verdict: decision.map(|decision| decision.verdict),
            opinion_of: primary
                .and_then(|primary| primary.basis.opinion_of())
                .map(<[String]>::to_vec)
                .unwrap_or_default(),
            cases: primary.map_or(0, |primary| primary.square.total()),
            rate: primary.and_then(|primary| primary.candidate_rate),
            fixed: primary.map_or(0, |primary| primary.square.fixed),
            broke: primary.map_or(0, |primary| primary.square.broke),
            difference: decision.map(|decision| decision.difference),
            interval: decision.map(|decision| decision.interval),
            confidence: decision.map(|decision| decision.confidence),
            adjusted_p,
            cost: measured(Measure::Cost).and_then(cost),
            latency_p95: measured(Measure::Latency).and_then(p95),
        }
    }
}
