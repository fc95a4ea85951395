use serde::Serialize;
use stats::{InvalidInput, Level, Undefined, clustered_mean_interval};
use values::Interval;

use crate::estimate::Estimate;
use crate::rate::share_estimate;
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

    /// Returns the mean of shares in 0..=1 by the rule of [`crate::pass_rate`]; `is_single` tells
    /// that none of them is a mean of several samples.
    ///
    /// # Errors
    /// [`InvalidInput`] if a value is not finite or there are too many.
    pub fn of_shares(
        shares: &[f64],
        clusters: &[usize],
        is_single: bool,
        level: Level,
    ) -> Result<Self, InvalidInput> {
        let found = share_estimate(shares, clusters, is_single, level)?;
        Ok(Self { cases: shares.len(), mean: found.mean, interval: found.interval })
    }
}
