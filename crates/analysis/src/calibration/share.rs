use std::collections::BTreeMap;

use serde::Serialize;
use stats::{InvalidInput, Level};
use values::Interval;

use crate::estimate::Estimate;
use crate::rate::within_rates;

/// How often a judge is right on outputs of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Share {
    /// The outputs on which it is.
    pub right: u64,
    /// The outputs that it decided.
    pub of: u64,
    /// The clusters among them; as many as outputs if none belong together.
    pub clusters: usize,
    /// The share, weighted by 1/π where outputs were drawn unequally.
    pub rate: Estimate<f64>,
    /// Its two-sided 95 % interval.
    pub interval: Estimate<Interval>,
    /// Its one-sided 95 % lower bound: the lower end of the two-sided 90 % interval.
    pub bound: Estimate<f64>,
    /// How the intervals were made.
    pub method: ShareMethod,
}

/// How the intervals of a share were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ShareMethod {
    /// Wilson's score interval.
    Wilson,
    /// Student's t on a cluster-robust standard error (CR1).
    Clustered,
    /// Wilson's score interval with each cluster counted once, because all outputs agree: no spread
    /// is no certainty.
    WilsonOfClusters,
    /// Wilson's score interval of the effective number of outputs (Σw)²/Σw², with the weights of a
    /// cluster added up first.
    WilsonOfWeights,
}

/// One output that a share counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counted {
    pub(crate) right: bool,
    pub(crate) weight: f64,
    pub(crate) cluster: usize,
}

/// Returns the share of outputs on which a judge is right.
///
/// n log n.
///
/// # Errors
/// [`InvalidInput`] if there are more outputs than the statistics allow.
///
/// # Source
/// Wilson (1927), JASA 22, 209–212; Kish (1965), Survey Sampling, for the effective number.
pub(crate) fn share(counted: &[Counted]) -> Result<Share, InvalidInput> {
    let mut of_cluster: BTreeMap<usize, f64> = BTreeMap::new();
    for one in counted {
        *of_cluster.entry(one.cluster).or_insert(0.0) += one.weight;
    }
    let right = counted.iter().filter(|one| one.right).count() as u64;
    let (of, clusters) = (counted.len() as u64, of_cluster.len());
    let first = counted.first().map_or(1.0, |one| one.weight);
    let is_weighted = counted.iter().any(|one| (one.weight - first).abs() > 1e-9 * first);
    let made = |rate, interval, bound, method| Share {
        right,
        of,
        clusters,
        rate,
        interval,
        bound,
        method,
    };
    let wilson = |right: u64, of: u64, rate: Option<f64>, method| {
        let two_sided = stats::wilson_interval(right, of, Level::P95)?;
        let bound = stats::wilson_interval(right, of, Level::P90)?;
        let rate = rate.map_or(two_sided.estimate.into(), |value| Estimate::Value { value });
        let interval = two_sided.estimate.map(|_| two_sided.interval).into();
        let bound = bound.estimate.map(|_| bound.interval.low()).into();
        Ok(made(rate, interval, bound, method))
    };
    if is_weighted {
        let total: f64 = counted.iter().map(|one| one.weight).sum();
        let correct: f64 = counted.iter().filter(|one| one.right).map(|one| one.weight).sum();
        let squares: f64 = of_cluster.values().map(|weight| weight * weight).sum();
        let rate = (correct / total).clamp(0.0, 1.0);
        let effective = (total * total / squares + 1e-9).floor();
        let hits = whole((rate * effective + 1e-9).floor());
        return wilson(hits, whole(effective), Some(rate), ShareMethod::WilsonOfWeights);
    }
    if clusters == counted.len() {
        return wilson(right, of, None, ShareMethod::Wilson);
    }
    if right == 0 || right == of {
        let trials = clusters as u64;
        let right = if right == 0 { 0 } else { trials };
        return wilson(right, trials, None, ShareMethod::WilsonOfClusters);
    }
    let values: Vec<f64> = counted.iter().map(|one| f64::from(u8::from(one.right))).collect();
    let numbers: Vec<usize> = counted.iter().map(|one| one.cluster).collect();
    let two_sided = stats::clustered_mean_interval(&values, &numbers, Level::P95)?;
    let one_sided = stats::clustered_mean_interval(&values, &numbers, Level::P90)?;
    Ok(made(
        two_sided.mean.into(),
        within_rates(two_sided.interval).into(),
        within_rates(one_sided.interval).map(|interval| interval.low()).into(),
        ShareMethod::Clustered,
    ))
}

/// Returns the share of units that are `true`, each with its cluster and none weighted.
pub(crate) fn plain_share(units: &[(bool, usize)]) -> Result<Share, InvalidInput> {
    let counted = |(right, cluster): &(bool, usize)| Counted {
        right: *right,
        weight: 1.0,
        cluster: *cluster,
    };
    share(&units.iter().map(counted).collect::<Vec<_>>())
}

/// A whole number that is not negative and at most the number of outputs.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole, not negative and at most a million"
)]
pub(super) fn whole(number: f64) -> u64 {
    number as u64
}
