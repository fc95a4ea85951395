//! What answers take: cost, tokens and latency of both sides, in pairs.
//!
//! What nobody knows is counted as unknown and never as 0. No verdict is read off these numbers.

use std::num::NonZeroUsize;

use serde::Serialize;
use stats::{
    InvalidInput, Level, QuantileInterval, Resampling, Undefined, clustered_paired_difference,
    clustered_quantile_differences, clustered_quantile_interval, quantile_interval,
};
use values::Interval;

use crate::compare::CompareOptions;
use crate::estimate::Estimate;
use crate::mean::MeanEstimate;
use crate::pairing::Pairing;
use crate::results::{Measured, VariantResults};
use crate::units::SAME;

/// What is measured of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// What it cost, in nano-dollars; of a hit or a replay when it was made.
    Cost,
    /// Input tokens of all buckets.
    InputTokens,
    /// Output tokens of all buckets.
    OutputTokens,
    /// Milliseconds from sending to the last byte.
    Latency,
}

/// Both sides on one measure, over the shared cases, in its unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasureComparison {
    /// What is measured.
    pub measure: Measure,
    /// The baseline.
    pub baseline: MeasureSide,
    /// The candidate.
    pub candidate: MeasureSide,
    /// The cases that are measured on both sides.
    pub paired: usize,
    /// Their mean difference, candidate minus baseline; undefined where the sides were measured
    /// differently.
    pub difference: Estimate<f64>,
    /// Its two-sided t interval, cluster-robust.
    pub interval: Estimate<Interval>,
    /// The difference of the medians of answers.
    pub p50: QuantileChange,
    /// The difference of the 95th percentiles of answers.
    pub p95: QuantileChange,
}

/// One side on one measure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeasureSide {
    /// Which answers were measured.
    pub source: MeasureSource,
    /// The answers that count.
    pub known: usize,
    /// The answers of which nobody knows it.
    pub unknown: usize,
    /// The answers that are known and stay out: hits and replays beside live ones.
    pub left_out: usize,
    /// The mean over cases of their mean answer.
    pub mean: MeanEstimate,
    /// The median of the answers.
    pub p50: QuantileEstimate,
    /// Their 95th percentile.
    pub p95: QuantileEstimate,
}

/// Which answers were measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MeasureSource {
    /// All: it does not matter when an answer was made.
    All,
    /// Those that this run waited for.
    Live,
    /// Hits and replays, because there is no other: latencies of when they were made.
    Recorded,
}

/// A quantile of answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct QuantileEstimate {
    /// The quantile.
    pub value: Estimate<f64>,
    /// The lower end of its interval.
    pub low: Estimate<f64>,
    /// The upper end; for p95 it needs 72 answers.
    pub high: Estimate<f64>,
}

/// How a quantile differs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct QuantileChange {
    /// Candidate minus baseline.
    pub difference: Estimate<f64>,
    /// Its interval by the cluster bootstrap; `None` if that was not asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval: Option<Estimate<Interval>>,
}

impl Measure {
    const ALL: [Self; 4] = [Self::Cost, Self::InputTokens, Self::OutputTokens, Self::Latency];

    fn of(self, measured: Measured) -> Option<f64> {
        match self {
            Self::Cost => measured.cost.map(|cost| cost.get() as f64),
            Self::InputTokens => measured.input_tokens.map(|tokens| tokens as f64),
            Self::OutputTokens => measured.output_tokens.map(|tokens| tokens as f64),
            Self::Latency => measured.latency_ms.map(|latency| latency as f64),
        }
    }
}

/// Compares what is known of the answers; a measure that neither side knows is left out.
///
/// # Errors
/// [`InvalidInput`] if there are more answers than the statistics allow.
pub(crate) fn measures(
    baseline: &VariantResults,
    candidate: &VariantResults,
    pairing: &Pairing,
    cluster_of: &[usize],
    options: &CompareOptions,
) -> Result<Vec<MeasureComparison>, InvalidInput> {
    let (a, b): (Vec<usize>, Vec<usize>) = pairing.pairs.iter().copied().unzip();
    let mut compared = Vec::new();
    for measure in Measure::ALL {
        let a = Answers::of(baseline, measure, &a, cluster_of);
        let b = Answers::of(candidate, measure, &b, cluster_of);
        if a.values.is_empty() && b.values.is_empty() {
            continue;
        }
        compared.push(compare(measure, &a, &b, cluster_of, options)?);
    }
    Ok(compared)
}

fn compare(
    measure: Measure,
    a: &Answers,
    b: &Answers,
    cluster_of: &[usize],
    options: &CompareOptions,
) -> Result<MeasureComparison, InvalidInput> {
    let level = options.level;
    let (mut means_a, mut means_b, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
    for ((a, b), cluster) in a.means.iter().zip(&b.means).zip(cluster_of) {
        if let (Some(a), Some(b)) = (a, b) {
            means_a.push(*a);
            means_b.push(*b);
            clusters.push(*cluster);
        }
    }
    // Latencies of this run and of a recording are not the same thing.
    let is_comparable = a.source == b.source;
    let paired = clustered_paired_difference(&means_a, &means_b, &clusters, level)?.difference;
    let comparable = if is_comparable { Ok(()) } else { Err(Undefined::NothingToCompare) };
    let interval = match paired.cr1_standard_error {
        Ok(error) if error <= SAME => Err(Undefined::ZeroVariance),
        _ => paired.interval,
    };
    let [p50, p95] = if is_comparable {
        changes(a, b, options.resamples, options.seed, level)?
    } else {
        [QuantileChange::none(options.resamples); 2]
    };
    Ok(MeasureComparison {
        measure,
        baseline: a.side(cluster_of, level)?,
        candidate: b.side(cluster_of, level)?,
        paired: clusters.len(),
        difference: comparable.and(paired.mean).into(),
        interval: comparable.and(interval).into(),
        p50,
        p95,
    })
}

fn changes(
    a: &Answers,
    b: &Answers,
    resamples: Option<NonZeroUsize>,
    seed: u64,
    level: Level,
) -> Result<[QuantileChange; 2], InvalidInput> {
    // One resample where none is asked: the difference itself needs none.
    let resampling = Resampling {
        resamples: resamples.map_or(1, NonZeroUsize::get),
        ..Resampling::seeded(seed)
    };
    let found = clustered_quantile_differences(
        (&a.values, &a.clusters),
        (&b.values, &b.clusters),
        [0.5, 0.95],
        resampling,
        level,
    )?;
    // Resamples that all say the same are no evidence of certainty.
    let spread = |interval: Interval| match interval.high() - interval.low() {
        width if width <= 0.0 => Err(Undefined::ZeroVariance),
        _ => Ok(interval),
    };
    Ok(found.map(|quantile| QuantileChange {
        difference: quantile.difference.into(),
        interval: resamples.map(|_| quantile.interval.and_then(spread).into()),
    }))
}

impl QuantileChange {
    fn none(resamples: Option<NonZeroUsize>) -> Self {
        Self {
            difference: Undefined::NothingToCompare.into(),
            interval: resamples.map(|_| Undefined::NothingToCompare.into()),
        }
    }
}

/// The answers of one side that count.
struct Answers {
    source: MeasureSource,
    values: Vec<f64>,
    /// The cluster of each value.
    clusters: Vec<usize>,
    /// The mean of each shared case, if any of its answers counts.
    means: Vec<Option<f64>>,
    unknown: usize,
    left_out: usize,
}

impl Answers {
    fn of(
        results: &VariantResults,
        measure: Measure,
        cases: &[usize],
        cluster_of: &[usize],
    ) -> Self {
        let measured =
            |case: usize| results.cases[case].samples.iter().filter_map(|sample| sample.measured);
        let is_known = |one: &Measured| measure.of(*one).is_some();
        let source = match measure {
            Measure::Cost | Measure::InputTokens | Measure::OutputTokens => MeasureSource::All,
            Measure::Latency => {
                let mut known = cases.iter().flat_map(|case| measured(*case)).filter(is_known);
                if known.any(|one| one.live) {
                    MeasureSource::Live
                } else {
                    MeasureSource::Recorded
                }
            }
        };
        let mut answers = Self {
            source,
            values: Vec::new(),
            clusters: Vec::new(),
            means: Vec::with_capacity(cases.len()),
            unknown: 0,
            left_out: 0,
        };
        for (&case, &cluster) in cases.iter().zip(cluster_of) {
            let (mut sum, mut count) = (0.0, 0u32);
            for one in measured(case) {
                match measure.of(one) {
                    None => answers.unknown += 1,
                    Some(_) if source == MeasureSource::Live && !one.live => answers.left_out += 1,
                    Some(value) => {
                        answers.values.push(value);
                        answers.clusters.push(cluster);
                        sum += value;
                        count += 1;
                    }
                }
            }
            answers.means.push((count > 0).then(|| sum / f64::from(count)));
        }
        answers
    }

    fn side(&self, cluster_of: &[usize], level: Level) -> Result<MeasureSide, InvalidInput> {
        let quantile = |p| QuantileEstimate::of(&self.values, &self.clusters, p, level);
        let means = self.means.iter().zip(cluster_of);
        let (means, clusters): (Vec<f64>, Vec<usize>) =
            means.filter_map(|(mean, cluster)| Some(((*mean)?, *cluster))).unzip();
        Ok(MeasureSide {
            source: self.source,
            known: self.values.len(),
            unknown: self.unknown,
            left_out: self.left_out,
            mean: MeanEstimate::of(&means, &clusters, level)?,
            p50: quantile(0.5)?,
            p95: quantile(0.95)?,
        })
    }
}

impl QuantileEstimate {
    /// Returns the type-7 quantile of answers with the interval of its order statistics (STATS S17),
    /// of independent answers or of those of each cluster.
    ///
    /// # Errors
    /// [`InvalidInput`] if there are more answers than the statistics allow.
    pub(crate) fn of(
        values: &[f64],
        clusters: &[usize],
        probability: f64,
        level: Level,
    ) -> Result<Self, InvalidInput> {
        let mut groups = clusters.to_vec();
        groups.sort_unstable();
        groups.dedup();
        let found = if groups.len() == values.len() {
            quantile_interval(values, probability, level)?
        } else {
            clustered_quantile_interval(values, clusters, probability, level)?
        };
        let QuantileInterval { estimate, low, high } = found;
        Ok(Self { value: estimate.into(), low: low.into(), high: high.into() })
    }
}
