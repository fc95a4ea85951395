use serde::Serialize;
use stats::{InvalidInput, Level, Undefined, clustered_mean_interval, wilson_interval};
use values::Interval;

use crate::estimate::Estimate;
use crate::units::SAME;

/// A mean over cases with its two-sided interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct MeanEstimate {
    /// The number of cases.
    pub cases: usize,
    /// The mean.
    pub mean: Estimate<f64>,
    /// Its interval; the cluster-robust t interval, or Wilson's for shares of independent cases.
    pub interval: Estimate<Interval>,
}

impl MeanEstimate {
    /// Returns the mean of values of any unit.
    ///
    /// # Errors
    /// [`InvalidInput`] if a value is not finite or there are too many.
    pub(crate) fn of(
        values: &[f64],
        clusters: &[usize],
        level: Level,
    ) -> Result<Self, InvalidInput> {
        let mean = clustered_mean_interval(values, clusters, level)?;
        let interval = match mean.cr1_standard_error {
            Ok(error) if error <= SAME * mean.mean.unwrap_or(0.0).abs() => {
                Err(Undefined::ZeroVariance)
            }
            _ => mean.interval,
        };
        Ok(Self { cases: values.len(), mean: mean.mean.into(), interval: interval.into() })
    }

    /// Returns the mean of shares in 0..=1 (STATS S1): Wilson's interval where each case is a whole
    /// pass or fail and stands alone, and where all are the same, with the clusters as cases; else
    /// the t interval, cut to 0..=1.
    ///
    /// # Errors
    /// [`InvalidInput`] if a value is not finite or there are too many.
    pub fn of_shares(
        shares: &[f64],
        clusters: &[usize],
        level: Level,
    ) -> Result<Self, InvalidInput> {
        let mut estimate = Self::of(shares, clusters, level)?;
        let passes = shares.iter().filter(|share| **share >= 1.0 - SAME).count() as u64;
        let fails = shares.iter().filter(|share| **share <= SAME).count() as u64;
        let cases = shares.len() as u64;
        let mut names = clusters.to_vec();
        names.sort_unstable();
        names.dedup();
        let groups = names.len() as u64;
        let trials = if cases > 0 && (passes == cases || fails == cases) {
            Some((if passes == cases { groups } else { 0 }, groups))
        } else if passes + fails == cases && groups == cases {
            Some((passes, cases))
        } else {
            None
        };
        if let Some((successes, trials)) = trials {
            let interval = wilson_interval(successes, trials, level)?.interval;
            estimate.interval = Estimate::Value { value: interval };
        } else if let Some(interval) = estimate.interval.value() {
            let cut = Interval::new(interval.low().max(0.0), interval.high().min(1.0));
            let value = cut.expect("a mean of shares lies in 0..=1, and its interval around it");
            estimate.interval = Estimate::Value { value };
        }
        Ok(estimate)
    }
}
